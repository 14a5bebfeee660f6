"""Between two studies: nothing changes that nobody changed, and nobody opens another infant unasked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.page_probes import DESKTOP, Visit
from tests.browser.walk import commit
from tests.services import phantoms
from tests.services.stack import Stack, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.services, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def studies(quiet_site: Stack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """By the infant's number a small study of each."""
    folder = tmp_path_factory.mktemp("day")
    made = {f"DAY-{number}": phantoms.copied(phantoms.drawn(0), clips=2) for number in range(1, 6)}
    for patient_id, study in made.items():
        quiet_site.manage("ingest", *phantoms.files(phantoms.of_another_infant(study, patient_id), folder))
    return {patient_id: study.study_uid for patient_id, study in made.items()}


@pytest.fixture(scope="module")
def visit(quiet_site: Stack, browser: Browser) -> Iterator[Visit]:
    reader = Visit(browser, quiet_site.url, name="reading-day")
    reader.sign_in("radiologist")
    yield reader
    reader.close()


def _open(visit: Visit, study: str) -> Page:
    visit.page.goto(f"/studies/{study}/")
    visit.page.locator("html[data-viewer-ready='true']").wait_for(timeout=30_000)
    return visit.page


@pytest.fixture(scope="module")
def read(visit: Visit, studies: dict[str, str]) -> str:
    """The first study, committed as negative by this reader."""
    page = _open(visit, studies["DAY-1"])
    page.keyboard.press("0")
    commit(page)
    expect(page.locator("[data-reveal]")).to_be_visible(timeout=20_000)
    return studies["DAY-1"]


def _state(site: Stack, study: str) -> tuple[str, int]:
    """Of its read, and how often it was committed."""
    read = f"SELECT r.id FROM annotations_read r JOIN studies_study s ON s.id = r.study_id WHERE s.uid = '{study}'"
    status = site.rows(f"SELECT status FROM annotations_read WHERE id IN ({read})")
    revisions = site.rows(f"SELECT count(*) FROM annotations_readrevision WHERE read_id IN ({read})")
    return str(status[0][0]), int(revisions[0][0])


def test_undo_on_a_fresh_study_names_the_other_infant_and_opens_it_only_when_told(
    visit: Visit, studies: dict[str, str], read: str, quiet_site: Stack
) -> None:
    page = _open(visit, studies["DAY-2"])
    page.keyboard.press("u")
    dialog = page.get_by_role("dialog", name=re.compile(r"^Open your read of DAY-1, day \d+\?$"))
    expect(dialog).to_contain_text("There is nothing to undo here")
    visit.check_accessible("earlier-question")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert page.url.endswith(f"/studies/{studies['DAY-2']}/")
    assert _state(quiet_site, read) == ("committed", 1)


def _open_again(visit: Visit, studies: dict[str, str]) -> Page:
    page = _open(visit, studies["DAY-2"])
    page.keyboard.press("u")
    page.get_by_role("button", name=re.compile("^Open DAY-1")).click()
    expect(page.locator("[data-reopened]")).to_be_visible(timeout=20_000)
    page.locator("html[data-viewer-ready='true']").wait_for(timeout=30_000)
    return page


@pytest.mark.parametrize("size", [(1440, 900), (1024, 768)], ids=lambda size: str(size[0]))
def test_a_read_that_is_opened_again_and_left_is_as_it_was(
    visit: Visit, studies: dict[str, str], read: str, quiet_site: Stack, size: tuple[int, int]
) -> None:
    visit.page.set_viewport_size({"width": size[0], "height": size[1]})
    page = _open_again(visit, studies)
    expect(page.get_by_text("Attention hidden until you commit")).to_be_visible()
    expect(page.get_by_text("research setting")).to_have_count(0)
    visit.picture(f"opened-again-{size[0]}")
    assert _state(quiet_site, read) == ("committed", 1)
    page.locator("[data-pane='left'] .hold").focus()
    page.keyboard.press("Escape")
    page.wait_for_url(lambda url: url.endswith("/"))
    assert _state(quiet_site, read) == ("committed", 1)
    page.set_viewport_size(DESKTOP)


def test_a_change_that_is_taken_back_leaves_the_read_committed(
    visit: Visit, studies: dict[str, str], read: str, quiet_site: Stack
) -> None:
    page = _open_again(visit, studies)
    page.keyboard.press("x")
    wait_until(lambda: _state(quiet_site, read) == ("draft", 1), seconds=10, what="a changed read is a draft")
    page.keyboard.press("u")
    expect(page.locator("main[data-draft='saved']")).to_be_visible()
    page.wait_for_timeout(800)
    page.keyboard.press("Escape")
    wait_until(lambda: _state(quiet_site, read) == ("committed", 1), seconds=10, what="it counts again")


def test_enter_on_a_read_that_is_opened_again_commits_it_once_more(
    visit: Visit, studies: dict[str, str], read: str, quiet_site: Stack
) -> None:
    page = _open_again(visit, studies)
    commit(page)
    expect(page.locator("[data-reveal]")).to_be_visible(timeout=20_000)
    assert _state(quiet_site, read) == ("committed", 2)
    # The browser reports that the first try was refused; the page went on by itself.
    assert len(visit.broken) == sum("409" in line for line in visit.broken)
    visit.broken.clear()


def _scored(route: Route) -> None:
    answer = route.fetch()
    late: dict[str, Any] = answer.json() | {"state": "scored", "flag": "suspected", "probability": 0.91}
    route.fulfill(json=late)


def test_a_committed_read_shows_what_the_model_said(visit: Visit, read: str) -> None:
    visit.page.route("**/score/", _scored)
    page = _open(visit, read)
    expect(page.locator("[data-reveal]")).to_contain_text("0.91")
    expect(page.locator("[data-reveal]")).not_to_contain_text("Has not scored")
    visit.check_accessible("committed")
    page.unroute_all()


@pytest.mark.parametrize("size", [(1440, 900), (1024, 768)], ids=lambda size: str(size[0]))
def test_the_list_goes_to_the_neighbour_of_a_study_that_another_reads_and_no_row_moves(
    visit: Visit, studies: dict[str, str], quiet_site: Stack, size: tuple[int, int]
) -> None:
    page = visit.page
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto("/")
    page.locator("#filter-text").fill("DAY-")  # other modules share the site: a long list scrolls to its selected row
    expect(page.locator("tr[data-uid]:not(:has-text('DAY-'))")).to_have_count(0)
    chosen = studies["DAY-3" if size[0] == 1440 else "DAY-4"]
    page.locator(f"tr[data-uid='{chosen}']").click(position={"x": 5, "y": 5})
    order = page.locator("tr[data-uid]").evaluate_all("rows => rows.map(row => row.dataset.uid)")
    below = order[order.index(chosen) + 1]
    first = page.locator("tr[data-uid]").first.bounding_box()
    _read_by_admin(quiet_site, chosen)
    expect(page.locator("[data-banner='gone']")).to_contain_text("read by Ruth Okafor")
    expect(page.locator("#say-polite")).to_contain_text("read by Ruth Okafor")
    expect(page.locator("tr.cur")).to_have_attribute("data-uid", below)
    assert page.locator("tr[data-uid]").first.bounding_box() == first
    visit.check_accessible(f"neighbour-{size[0]}")
    page.set_viewport_size(DESKTOP)


def _read_by_admin(site: Stack, study: str) -> None:
    body = {"findings": {"right": 0, "left": 0}, "version": 0, "idempotency_key": study[-40:]}
    answer = site.sign_in("admin").call("POST", f"/api/v1/studies/{study}/reads/commit/", json=body)
    assert answer.status_code == 201, answer.text


def test_nothing_broke(visit: Visit) -> None:
    visit.check_nothing_broke()
