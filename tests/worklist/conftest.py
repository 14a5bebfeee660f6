"""The AI is up, unless a test says otherwise."""

from __future__ import annotations

import pytest

from inference import current_scores


@pytest.fixture(autouse=True)
def _ai_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current_scores, "ai_state", lambda: {"state": "ok", "message": ""})
