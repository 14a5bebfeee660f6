"""A real Chromium, and the two sites that it walks through."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from scripts import services
from tests.services.stack import Stack, distributed, embedded, without_workers

FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-gpu",
    "--disable-3d-apis",
]
SITES = {"embedded": embedded, "distributed": distributed}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Playwright keeps an event loop running as long as it lives: no longer than its module, or async tests fail."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=services.ensure().chromium, headless=True, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module", params=SITES)
def site(request: pytest.FixtureRequest) -> Iterator[Stack]:
    with SITES[request.param]() as stack:
        yield stack


@pytest.fixture(scope="session")
def quiet_site() -> Iterator[Stack]:
    """For modules that look at pictures: no study is ever closed or scored. Those of a process share it."""
    with without_workers(FONTANELLE_QUIET_SECONDS="100000") as stack:
        yield stack
