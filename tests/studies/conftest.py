from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from studies.ingest.pipeline import Intake
from studies.ingest.results import IngestResult, Sender
from studies.models import Clip
from tests.studies.dicoms import clip as clip_bytes

Take = Callable[..., IngestResult]


@pytest.fixture(autouse=True)
def own_folders(settings: Settings, tmp_path: Path) -> None:
    """Storage and caches of this test alone."""
    settings.STORAGE_URL = f"file://{tmp_path}/storage"
    settings.WORK_FOLDER = tmp_path / "work"


@pytest.fixture
def take(db: None) -> Take:
    """Take bytes in, as a file of that name."""

    def taken(data: bytes, name: str = "a.dcm") -> IngestResult:
        intake = Intake(Sender("test"))
        intake.add(name, [data])
        return intake.finish()[0]

    return taken


@pytest.fixture
def stored(take: Take) -> Callable[..., Clip]:
    """A clip that came in."""

    def clip_of(**facts: Any) -> Clip:
        result = take(clip_bytes(**facts))
        assert result.outcome in ("stored", "parked"), result
        return Clip.objects.select_related("study__patient").get(sop_uid=result.sop_uid)

    return clip_of
