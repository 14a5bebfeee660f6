"""A slow machine is no reason to call a file bad."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import pytest
from django.test import Client

from studies.models import Clip
from studies.sandbox import pool

Stored = Callable[..., Clip]


def _too_slow(*args: Any, **kwargs: Any) -> NoReturn:
    raise pool.SandboxError("Reading it took longer than 20 s and was stopped.", code=pool.TOO_SLOW)


@pytest.mark.parametrize(("task", "end"), [("decode_frames", "frames/1/"), ("thumbnail", "thumbnail/")])
def test_a_slow_machine_asks_for_another_try(
    reader: Client, stored: Stored, monkeypatch: pytest.MonkeyPatch, task: str, end: str
) -> None:
    clip = stored()
    monkeypatch.setattr(pool, task, _too_slow)
    answer = reader.get(f"/api/v1/studies/{clip.study.uid}/clips/{clip.sop_uid}/{end}")
    assert (answer.status_code, answer.json()["code"], answer.headers["Retry-After"]) == (503, "busy", "5")
    clip.refresh_from_db()
    assert clip.decode_error == ""
