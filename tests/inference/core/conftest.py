"""The core knows no Django: no folders, no queue and no caches to set aside."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def machine() -> None:
    """In place of the one for the rooms around the core."""
