"""A site in pieces, so that each piece can be killed alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.kills import Killer
from tests.services.stack import Stack, pieces


@pytest.fixture(scope="session")
def site() -> Iterator[Stack]:
    with pieces() as stack:
        yield stack


@pytest.fixture
def killer(site: Stack, tmp_path: Path) -> Killer:
    return Killer(site, tmp_path, seed=0)
