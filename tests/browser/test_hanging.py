"""How a study hangs, and what there is where nothing can hang. One small site, without a scorer at work."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.page_probes import DESKTOP, RESULTS, Visit, brightness, violations
from tests.services import phantoms
from tests.services.stack import Stack, wait_until
from training.phantom.examination import PhantomExam

pytestmark = [
    pytest.mark.browser,
    pytest.mark.services,
    pytest.mark.timeout(600),
]
# The picture is as large as its place, the drawing lies over it.
FILLS = """(place) => {
    const [box, canvas] = [document.querySelector(place), document.querySelector(`${place} canvas.cornerstone-canvas`)];
    return canvas && canvas.clientWidth === box.clientWidth && canvas.clientHeight === box.clientHeight;
}"""


@pytest.fixture(scope="module")
def studies(quiet_site: Stack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An infant's study with its prior, and one of a single still."""
    folder = tmp_path_factory.mktemp("studies")
    later = phantoms.copied(phantoms.drawn(0))
    prior = phantoms.copied(_days_before(later, 7), clips=2)
    still = next(at for at, clip in enumerate(later.clips) if clip.still)
    lone = replace(phantoms.copied(later), clips=(phantoms.copied(later).clips[still],))
    for made in (prior, later, lone):
        quiet_site.manage("ingest", *phantoms.files(made, folder))
    return {"later": later.study_uid, "prior": prior.study_uid, "lone": lone.study_uid}


def _days_before(study: PhantomExam, days: int) -> PhantomExam:
    back = timedelta(days=days)
    clips = tuple(replace(clip, acquired_at=clip.acquired_at - back) for clip in study.clips)
    return replace(study, plan=replace(study.plan, scanned_at=study.plan.scanned_at - back), clips=clips)


@pytest.fixture(scope="module")
def visit(quiet_site: Stack, browser: Browser) -> Iterator[Visit]:
    reader = Visit(browser, quiet_site.url, name="hanging")
    reader.sign_in("radiologist")
    yield reader
    reader.close()


def _open(visit: Visit, study: str) -> Page:
    visit.page.goto(f"/studies/{study}/")
    visit.page.locator("html[data-viewer-ready='true']").wait_for(timeout=30_000)
    return visit.page


def test_it_opens_coronal_left_sagittal_right_and_the_prior_beneath_on_p(visit: Visit, studies: dict[str, str]) -> None:
    page = _open(visit, studies["later"])
    expect(page.locator("[data-pane='left'] .vp-head")).to_contain_text("COR")
    expect(page.locator("[data-pane='right'] .vp-head")).to_contain_text("SAG")
    page.keyboard.press("p")
    expect(page.locator("[data-pane='prior-1'][data-shown]")).to_be_visible()
    expect(page.locator("[data-pane='prior-1'] .vp-head")).to_contain_text("Prior, 7 days before")
    visit.check_accessible("prior")
    page.keyboard.press("p")
    expect(page.locator("[data-pane='prior-1']")).to_have_count(0)


@pytest.fixture(scope="module")
def drawn(quiet_site: Stack, studies: dict[str, str]) -> str:
    """The admin has read the prior, and drew a length on its first frame; what is said beside it."""
    admin, prior = quiet_site.sign_in("admin"), f"/api/v1/studies/{studies['prior']}/"
    clip = admin.json(prior)["clips"][0]
    middle = clip["columns"] / 2
    length = {"uid": "d1", "tool": "length", "sop_uid": clip["sop_uid"], "frame": 1, "preset": "vi", "side": "right"}
    points = [[middle - 60, clip["rows"] / 2], [middle, clip["rows"] / 2]]
    findings = {"right": 0, "left": 0, "drawings": [{**length, "points": points}]}
    body = {"findings": findings, "version": 0, "idempotency_key": "prior"}
    answer = admin.call("POST", f"{prior}reads/commit/", json=body)
    assert answer.status_code == 201, answer.text
    return str(admin.json(f"{prior}reads/")["mine"]["revisions"][-1]["findings"]["drawings"][0]["measured"]["value"])


def test_what_was_drawn_in_the_prior_is_shown_as_its_readers_and_cannot_be_taken_hold_of(
    visit: Visit, studies: dict[str, str], drawn: str
) -> None:
    page = _open(visit, studies["later"])
    page.keyboard.press("p")
    mark = page.locator("[data-pane='prior-1'] .marks.theirs .mark")
    expect(mark).to_have_attribute("data-value", drawn)
    expect(mark).to_have_accessible_name(re.compile(r"Ventricular index, right, [\d.]+ mm, Ruth Okafor, \d+ \w+"))
    expect(page.locator(".prior-film .drawn")).to_contain_text("1 drawing: ")
    visit.check_accessible("prior-drawings")
    line = page.locator("[data-pane='prior-1'] .mark .line").bounding_box()
    assert line is not None
    page.mouse.click(line["x"] + line["width"] / 2, line["y"] + line["height"] / 2)
    expect(page.locator("[data-pane='prior-1'] .handle")).to_have_count(0)
    expect(page.locator("[data-pane='left'] .mark")).to_have_count(0)


def _seen(page: Page, pane: str) -> int:
    """Per cent of the frames of the clip that hangs there."""
    sop = page.locator(f"[data-pane='{pane}']").get_attribute("data-sop")
    return int(page.locator(f".film [data-sop='{sop}']").get_attribute("data-seen") or 0)


def test_nothing_plays_by_itself_and_only_the_view_at_work_is_seen(visit: Visit, studies: dict[str, str]) -> None:
    visit.page.emulate_media(reduced_motion="no-preference")
    page = _open(visit, studies["later"])
    expect(page.locator("[data-pane='right'][data-shown='1']")).to_be_visible()
    page.wait_for_timeout(2000)
    for pane in ("left", "right"):
        expect(page.locator(f"[data-pane='{pane}']")).to_have_attribute("data-playing", "false")
    assert (_seen(page, "left") > 0, _seen(page, "right")) == (True, 0)
    page.locator("[data-pane='right'] .hold").focus()
    wait_until(lambda: _seen(page, "right") > 0, seconds=5, what="the right view is at work")
    expect(page.get_by_text("clips not opened or seen only in part")).to_be_visible()
    visit.picture("nothing-plays")
    page.set_viewport_size({"width": 1024, "height": 768})
    visit.picture("nothing-plays-1024")
    page.set_viewport_size(DESKTOP)
    page.emulate_media(reduced_motion="reduce")


def test_the_tour_that_was_asked_for_ends_with_any_key(visit: Visit, studies: dict[str, str]) -> None:
    page = _open(visit, studies["later"])
    page.keyboard.press("Shift+F2")
    expect(page.locator("[data-pane='left']")).to_have_attribute("data-playing", "true")
    page.keyboard.press("v")
    expect(page.locator("[data-pane='left']")).to_have_attribute("data-playing", "false")
    clip = page.locator("[data-pane='left']").get_attribute("data-clip")
    page.wait_for_timeout(1500)
    assert page.locator("[data-pane='left']").get_attribute("data-clip") == clip
    page.keyboard.press("v")


def test_overlays_that_are_off_stay_off_in_a_view_that_comes_later(
    visit: Visit, studies: dict[str, str], drawn: str
) -> None:
    page = _open(visit, studies["later"])
    page.keyboard.press("F8")
    page.keyboard.press("p")
    expect(page.locator(".prior-film .drawn")).to_contain_text("1 drawing: ")
    expect(page.locator("[data-pane='prior-1'][data-shown]")).to_be_visible()
    expect(page.locator("[data-pane='prior-1'] .mark")).to_have_count(0)
    page.keyboard.press("F8")
    expect(page.locator("[data-pane='prior-1'] .mark")).to_have_count(1)


def test_a_label_queue_asks_for_nothing_that_others_drew(
    quiet_site: Stack, browser: Browser, studies: dict[str, str], drawn: str
) -> None:
    both = f"{studies['later']}\n{studies['prior']}"
    queue = {"name": "Both", "source": "list", "uids": both, "shuffled": False, "readers_per_study": 1}
    readers = {"readers": ["annotator"]}
    made = quiet_site.sign_in("admin").call("POST", "/api/v1/queues/", json=queue | readers)
    assert made.status_code == 201, made.text
    reader = Visit(browser, quiet_site.url, name="hanging-queue")
    reader.sign_in("annotator")
    page = reader.page
    page.goto("/label/")
    page.locator("html[data-viewer-ready='true']").wait_for(timeout=30_000)
    page.keyboard.press("p")
    expect(page.locator("[data-pane='prior-1'][data-shown]")).to_be_visible()
    expect(page.locator(".theirs, .drawn:visible")).to_have_count(0)
    reader.picture("prior")
    assert [url for url, _ in reader.answers if "/drawings/" in url] == []
    reader.check_nothing_broke()
    reader.close()


def test_the_pictures_stay_where_they_are_when_the_timeline_comes_late(visit: Visit, studies: dict[str, str]) -> None:
    held: list[Route] = []
    visit.page.route("**/timeline/", lambda route: held.append(route))
    with visit.page.expect_request("**/timeline/"):
        page = _open(visit, studies["later"])
    expect(page.get_by_text("Looking for this infant's other studies")).to_be_visible()
    before = page.locator("[data-pane='left'] .screen").bounding_box()
    held[0].continue_()
    expect(page.get_by_role("heading", name="3 studies of this infant")).to_be_visible()
    assert page.locator("[data-pane='left'] .screen").bounding_box() == before
    visit.picture("timeline")
    page.unroute_all()


@pytest.mark.parametrize("size", [(1440, 900), (1024, 768)])
def test_the_pictures_stay_where_they_are_when_the_sign_in_is_lost(
    visit: Visit, studies: dict[str, str], size: tuple[int, int]
) -> None:
    visit.page.set_viewport_size({"width": size[0], "height": size[1]})
    page = _open(visit, studies["later"])
    places = page.locator(".stage .cell, .stage .tools, .studybar").all()
    before: list[Any] = [place.bounding_box() or {} for place in places]
    visit.context.clear_cookies()
    page.keyboard.press("k")
    banner = page.locator("[data-banner]", has_text="You are signed out")
    expect(banner).to_be_visible()
    assert [place.bounding_box() for place in places] == before
    top = banner.evaluate("(shown) => shown.getBoundingClientRect().top")
    assert top >= max(box["y"] + box["height"] for box in before)
    visit.picture(f"signed-out-{size[0]}")
    visit.sign_in("radiologist")
    page.set_viewport_size(DESKTOP)
    visit.broken.clear()


def test_layouts_follow_a_key_and_views_move_by_key(visit: Visit, studies: dict[str, str]) -> None:
    page = _open(visit, studies["later"])
    page.keyboard.press("g")
    expect(page.locator("[data-grid='study']")).to_have_attribute("data-layout", "2x2")
    expect(page.locator("[data-grid='study'] [data-shown]")).to_have_count(4)
    page.keyboard.press("Control+Shift+ArrowRight")
    expect(page.locator("[data-grid='study'] [data-pane]").first).to_have_attribute("data-pane", "right")


def test_a_prior_that_cannot_be_had_leaves_the_study_readable(visit: Visit, studies: dict[str, str]) -> None:
    page = _open(visit, studies["later"])
    page.route(f"**/api/v1/studies/{studies['prior']}/", lambda route: route.fulfill(status=404, json={"detail": "x"}))
    page.keyboard.press("p")
    expect(page.get_by_text("The study that you read is not affected")).to_be_visible()
    page.unroute_all()
    visit.broken.clear()
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-pane='left']")).to_have_attribute("data-shown", "2")


def test_one_still_alone_is_shown_and_nothing_plays(visit: Visit, studies: dict[str, str]) -> None:
    page = _open(visit, studies["lone"])
    expect(page.locator("[data-pane='left'][data-shown='1']")).to_be_visible()
    expect(page.locator("[data-pane='right'] .cover")).to_contain_text("Nothing hangs here")
    page.keyboard.press("Space")
    expect(page.locator("[data-pane='left']")).to_have_attribute("data-playing", "false")


def test_a_frame_that_is_late_is_not_taken_for_the_one_before(visit: Visit, studies: dict[str, str]) -> None:
    visit.page.route(re.compile(r"/frames/(?!1/$)"), lambda _: None)
    page = _open(visit, studies["later"])
    marked = page.get_by_role("button", name=re.compile("clip 1, frame")).all()
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-pane='left'] .cover")).to_have_text("Frame 2 is on its way")
    page.keyboard.press("k")
    expect(page.locator("#say-assertive")).to_have_text("That frame is not on the screen: nothing was marked.")
    assert page.get_by_role("button", name=re.compile("clip 1, frame")).all() == marked
    page.keyboard.press("ArrowLeft")
    expect(page.locator("[data-pane='left'] .cover")).to_be_hidden()
    page.keyboard.press("ArrowRight")
    # What was held goes on.
    page.unroute_all()
    expect(page.locator("[data-pane='left']")).to_have_attribute("data-shown", "2")


def test_a_thumbnail_that_could_not_be_had_is_asked_for_again(visit: Visit, studies: dict[str, str]) -> None:
    away = iter([True])
    visit.page.route("**/thumbnail/", lambda route: route.abort() if next(away, False) else route.continue_())
    page = _open(visit, studies["later"])
    page.wait_for_function("() => [...document.querySelectorAll('.film canvas')].every((seen) => seen.width === 256)")
    for thumbnail in page.locator(".film canvas").all():
        thumbnail.scroll_into_view_if_needed()
        mean, spread = brightness(thumbnail)
        assert mean > 2
        assert spread > 8
    page.unroute_all()
    visit.broken.clear()


def test_the_film_comes_back_from_a_second_window_that_is_closed(visit: Visit, studies: dict[str, str]) -> None:
    page = _open(visit, studies["later"])
    clips = page.locator("main .film .clip")
    count = clips.count()
    with page.expect_popup() as opened:
        page.keyboard.press("F2")
    expect(clips).to_have_count(0)
    boxes: list[Any] = [page.locator(part).bounding_box() or {} for part in (".stage", ".panel")]
    assert [round(box["x"]) for box in boxes] == [0, round(DESKTOP["width"] - boxes[1]["width"])]
    assert round(boxes[0]["width"]) == round(boxes[1]["x"])
    visit.picture("second-main")
    opened.value.locator(".clip").nth(2).click()
    expect(page.locator("[data-pane='left']")).to_have_attribute("data-clip", "3")
    opened.value.close()
    expect(clips).to_have_count(count)


def test_a_prior_in_a_second_window_fills_it_whatever_its_size_and_theme(
    visit: Visit, studies: dict[str, str], drawn: str
) -> None:
    page = _open(visit, studies["later"])
    page.get_by_role("button", name="theme").click()
    page.keyboard.press("p")
    expect(page.locator("[data-pane='prior-1'] .mark")).to_have_count(1)
    page.locator("[data-pane='left'] .pix").focus()
    with page.expect_popup() as opened:
        page.keyboard.press("F2")
    second = opened.value
    for width, height in ((1440, 900), (1024, 768)):
        second.set_viewport_size({"width": width, "height": height})
        second.wait_for_function(FILLS, arg="[data-pane='prior-1'] .screen")
        second.screenshot(path=RESULTS / f"hanging-second-{width}.png")
    assert violations(second) == []
    page.get_by_role("button", name="theme").click()
    expect(second.locator("html")).to_have_attribute("data-theme", "dark")
    assert violations(second) == []
    second.close()
    page.wait_for_function(FILLS, arg="[data-pane='prior-1'] .screen")


@pytest.mark.parametrize("size", [(1440, 900), (1024, 768)], ids=lambda size: str(size[0]))
def test_the_timeline_can_be_enlarged_on_any_screen(
    visit: Visit, studies: dict[str, str], size: tuple[int, int]
) -> None:
    visit.page.set_viewport_size({"width": size[0], "height": size[1]})
    page = _open(visit, studies["later"])
    expect(page.get_by_role("heading", name="studies of this infant")).to_be_visible()
    before = page.locator("[data-pane='left'] .screen").bounding_box()
    page.keyboard.press("F4")
    dialog = page.get_by_role("dialog", name="Timeline")
    expect(dialog.get_by_role("img", name="Grade per side")).to_be_visible()
    expect(dialog.get_by_role("row")).to_have_count(4)
    visit.check_accessible(f"timeline-{size[0]}")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.locator("[data-pane='left'] .hold")).to_be_focused()
    assert page.locator("[data-pane='left'] .screen").bounding_box() == before
    page.set_viewport_size(DESKTOP)


def test_a_timeline_that_is_put_away_stays_away_until_it_is_brought_back(visit: Visit, studies: dict[str, str]) -> None:
    def height() -> float:
        box = visit.page.locator("[data-pane='left'] .screen").bounding_box()
        return box["height"] if box else 0

    page = _open(visit, studies["later"])
    expect(page.get_by_role("heading", name="studies of this infant")).to_be_visible()
    low = height()
    page.keyboard.press("Shift+F4")
    high = height()
    assert high > low + 80
    visit.check_accessible("timeline-away")
    page = _open(visit, studies["later"])
    assert height() == high
    page.get_by_role("button", name="Bring back").click()
    assert height() == low


def test_the_film_says_on_a_small_screen_what_was_not_seen(visit: Visit, studies: dict[str, str]) -> None:
    visit.page.set_viewport_size({"width": 1024, "height": 768})
    page = _open(visit, studies["later"])
    expect(page.locator(".film").get_by_text("not seen").first).to_be_visible()
    visit.picture("film-1024")
    page.set_viewport_size(DESKTOP)


def test_a_key_that_is_taken_is_refused_and_a_free_one_counts(visit: Visit, studies: dict[str, str]) -> None:
    page = _open(visit, studies["later"])
    page.keyboard.press("?")
    page.get_by_label("Change the key for: Layout").click()
    page.keyboard.press("k")
    expect(page.get_by_role("dialog")).to_contain_text("That key is taken")
    page.keyboard.press("F3")
    expect(page.get_by_role("dialog")).to_contain_text("Layout has a new key")
    visit.check_accessible("keys")
    page.keyboard.press("Escape")
    page.keyboard.press("F3")
    expect(page.locator("[data-grid='study']")).to_have_attribute("data-layout", "2x2")


def test_nothing_broke(visit: Visit) -> None:
    visit.check_nothing_broke()
