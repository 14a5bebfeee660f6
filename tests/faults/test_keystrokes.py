"""Nothing typed is lost: a short form of the kill run of `make soak`, each fault once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from scripts import services
from tests.browser.conftest import FLAGS
from tests.faults.keystrokes import FAULTS, NOTHING_LOST, Typist
from tests.faults.kills import Killer
from tests.services.stack import Stack

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]


@pytest.fixture
def typist(site: Stack, tmp_path: Path) -> Iterator[Typist]:
    study = Killer(site, tmp_path, seed=1).send_small()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=services.ensure().chromium, headless=True, args=FLAGS)
        reader = Typist(site, browser, study)
        yield reader
        reader.close()
        browser.close()


def test_what_is_typed_survives_each_fault_and_each_commit_counts_once(typist: Typist) -> None:
    for fault in FAULTS:
        typist.round(fault)
    assert typist.wrong == NOTHING_LOST
    assert typist.done == Counter(FAULTS)
