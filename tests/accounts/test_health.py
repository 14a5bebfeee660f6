"""Alive and ready."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts import health
from jobs.heartbeat import Heartbeat


@pytest.fixture(autouse=True)
def _storage(settings: Any, tmp_path: Path) -> None:
    settings.STORAGE_URL = f"file://{tmp_path}"


def test_alive_without_a_database() -> None:
    assert Client().get("/healthz").json() == {"status": "ok"}


@pytest.mark.django_db
def test_ready() -> None:
    Heartbeat("a worker", ["stat", "routine"]).show_presence()
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")


@pytest.mark.django_db
def test_without_a_worker_of_triage_it_serves_and_says_so() -> None:
    Heartbeat("a trainer", ["train"]).show_presence()
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["parts"]["workers"] == "down"


@pytest.mark.django_db
def test_without_its_broker_it_serves_and_says_so(settings: Any) -> None:
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()["parts"]["broker"]) == (200, "down")


@pytest.mark.django_db
def test_not_ready_without_storage_and_says_no_path(settings: Any, tmp_path: Path) -> None:
    settings.STORAGE_URL = f"file://{tmp_path}/secret-place"
    (tmp_path / "secret-place").write_text("a file where the folder should be")
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()["parts"]["storage"]) == (503, "down")
    assert "secret-place" not in answer.content.decode()


@pytest.mark.django_db
def test_a_room_adds_its_own_check(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> None:
        raise OSError("unreachable")

    monkeypatch.setitem(health._checks, "bucket", fails)
    assert Client().get("/readyz").json()["parts"]["bucket"] == "down"
