from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from inference import embedding_cache, engine_cache
from jobs import heartbeat, queue
from tests.inference import factories


@pytest.fixture(autouse=True)
def machine(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders of this test's own, pixels without files, retries without waiting, no engine of another test."""
    settings.MODELS_FOLDER = tmp_path / "models"
    settings.WORK_FOLDER = tmp_path / "work"
    settings.DEMO_MODEL_FOLDER = tmp_path / "demo"
    monkeypatch.setattr(embedding_cache, "grey_frames", factories.frames_of)
    monkeypatch.setattr(queue, "BACKOFF", timedelta(0))
    monkeypatch.setattr(engine_cache, "_engines", {})
    # The tests' database lives in memory, where a second thread of this process finds its tables locked.
    monkeypatch.setattr(heartbeat, "PRESENCE_SECONDS", 600.0)
    settings.JOB_LEASE = timedelta(hours=1)


@pytest.fixture
def model(db: None, tmp_path: Path) -> Any:
    """A champion."""
    return factories.installed(tmp_path / "first")
