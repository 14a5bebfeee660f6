"""Questions about who an infant is, answered and taken back as an admin would, with the keyboard alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.page_probes import Visit
from tests.services.stack import Stack
from tests.studies.dicoms import clip

pytestmark = [pytest.mark.browser, pytest.mark.services, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def admin(quiet_site: Stack, browser: Browser) -> Iterator[Visit]:
    visit = Visit(browser, quiet_site.url, name="identity-walk")
    visit.sign_in("admin")
    yield visit
    visit.close()


@pytest.fixture
def page(admin: Visit) -> Iterator[Page]:
    yield admin.page
    admin.check_nothing_broke()


@pytest.fixture
def number() -> str:
    return f"N{uuid4().hex[:8]}"


def _ingest(site: Stack, folder: Path, *infants: dict[str, Any]) -> None:
    for index, facts in enumerate(infants):
        (folder / f"{index}.dcm").write_bytes(clip(**facts))
    site.manage("ingest", str(folder))


def _two_hospitals(number: str) -> list[dict[str, Any]]:
    """A girl and a boy under one number, who are called as nobody else on this site is."""
    girl = {"PatientID": number, "PatientName": f"{number}N^Anna{number}", "PatientSex": "F"}
    boy = {"PatientID": number, "PatientName": f"{number}S^Ben{number}", "PatientSex": "M"}
    return [girl, boy | {"PatientBirthDate": "20251212"}]


def test_a_clash_is_said_in_the_list_merged_and_parted_again(
    admin: Visit, page: Page, quiet_site: Stack, number: str, tmp_path: Path
) -> None:
    _ingest(quiet_site, tmp_path, *_two_hospitals(number))
    page.goto(f"/?q={number}")
    expect(page.locator("#wl-rows tr[data-uid]").first).to_contain_text("one number, two infants")
    page.locator("#wl-rows tr[data-uid]").first.click()
    page.get_by_role("link", name="Answer the question").click()
    card = page.locator("[data-question]")
    expect(card).to_contain_text(f"{number}S, Ben{number}")
    admin.check_accessible("identity")
    page.keyboard.press("1")
    page.get_by_label("Reason").fill("one infant, written otherwise")
    page.get_by_role("dialog").get_by_role("button", name="Merge").click()
    expect(page.locator("#banners")).to_contain_text("1 study went over")
    expect(page.get_by_text("No question matches")).to_be_visible()
    page.keyboard.press("u")
    expect(page.locator("#banners")).to_contain_text(f"Undone: 1 study is with {number} again")
    expect(card).to_have_count(1)


def test_what_is_kept_apart_leaves_the_list_and_comes_back(
    page: Page, quiet_site: Stack, number: str, tmp_path: Path
) -> None:
    _ingest(quiet_site, tmp_path, *_two_hospitals(number))
    page.goto(f"/identity/?q={number}")
    expect(page.locator("[data-question]")).to_have_count(1)
    page.keyboard.press("0")
    page.get_by_label("Reason").fill("two hospitals")
    page.get_by_role("dialog").get_by_role("button", name="Keep apart").click()
    expect(page.locator("[data-question]")).to_have_count(0)
    page.keyboard.press("u")
    expect(page.locator("[data-question]")).to_have_count(1)


def test_twins_are_asked_about_before_they_become_one(
    admin: Visit, page: Page, quiet_site: Stack, number: str, tmp_path: Path
) -> None:
    anna, berta = ({"PatientID": f"{number}{n}", "PatientName": f"{number}^{n}"} for n in ("Anna", "Berta"))
    _ingest(quiet_site, tmp_path, anna, berta)
    page.goto(f"/identity/?q={number}")
    expect(page.locator("[data-question]")).to_have_count(1)
    page.keyboard.press("2")
    page.get_by_label("Reason").fill("none")
    page.get_by_role("dialog").get_by_role("button", name="Merge").click()
    expect(page.get_by_role("dialog")).to_contain_text("may be twins")
    page.get_by_role("button", name="Keep them apart").click()
    expect(page.locator("[data-question]")).to_have_count(1)
    # The browser's console repeats the refusal that asks.
    admin.broken[:] = [each for each in admin.broken if "409" not in each]


def test_a_name_that_came_later_is_taken_over_and_taken_back(
    page: Page, quiet_site: Stack, number: str, tmp_path: Path
) -> None:
    baby = {"PatientID": number, "PatientName": "Baby of^Schmidt"}
    _ingest(quiet_site, tmp_path, baby, baby | {"PatientName": "Schmidt^Zoe"})
    page.goto(f"/identity/?q={number}")
    expect(page.locator("[data-question]")).to_have_count(1)
    page.keyboard.press("1")
    page.get_by_role("dialog").get_by_role("button", name="Take over").click()
    expect(page.locator("#banners")).to_contain_text("Taken over: name")
    page.keyboard.press("u")
    expect(page.locator("[data-question]")).to_contain_text("Baby of, Schmidt")
