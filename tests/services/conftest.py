"""The distributed site, once for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.services.stack import Stack, distributed


@pytest.fixture(scope="session")
def site() -> Iterator[Stack]:
    with distributed() as stack:
        yield stack
