"""Small and large screens, the whole screen, and two fingers: one small study, without a scorer at work."""

from __future__ import annotations

from collections.abc import Iterator
from math import hypot
from pathlib import Path

import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect

from tests.browser.page_probes import Visit
from tests.services import phantoms
from tests.services.stack import Stack

pytestmark = [
    pytest.mark.browser,
    pytest.mark.services,
    pytest.mark.timeout(600),
]
LAYOUT = Path(__file__).with_name("layout.js").read_text()
# Of a drawing that is selected, and of one that is not.
ENDS = "[data-pane='left'] .marks :is(.dot, .end)"
THERE = """([ends, x, y]) => {
    const { left, width, top, height } = document.querySelector(ends).getBoundingClientRect();
    return Math.hypot(left + width / 2 - x, top + height / 2 - y) < 1.5;
}"""
Spot = tuple[float, float]


@pytest.fixture(scope="module")
def study(quiet_site: Stack, tmp_path_factory: pytest.TempPathFactory) -> str:
    made = phantoms.copied(phantoms.drawn(1), clips=3)
    quiet_site.manage("ingest", *phantoms.files(made, tmp_path_factory.mktemp("screens")))
    return made.study_uid


@pytest.fixture(scope="module")
def visit(quiet_site: Stack, browser: Browser) -> Iterator[Visit]:
    reader = Visit(browser, quiet_site.url, name="screens", has_touch=True)
    reader.sign_in("radiologist")
    yield reader
    reader.close()


@pytest.fixture
def page(visit: Visit, study: str) -> Iterator[Page]:
    visit.page.goto(f"/studies/{study}/")
    visit.page.locator("html[data-viewer-ready='true']").wait_for(timeout=30_000)
    expect(visit.page.locator("[data-pane='left'][data-shown='1']")).to_be_visible()
    yield visit.page
    # Left before its draft has arrived, the study tells the next page 409, which is dealt with there.
    visit.page.wait_for_function("() => document.querySelector('main')?.dataset.draft !== 'here'")


@pytest.mark.usefixtures("study")
def test_no_page_of_the_admin_is_wider_than_a_small_screen(quiet_site: Stack, browser: Browser) -> None:
    admin = Visit(browser, quiet_site.url, name="screens-admin")
    admin.sign_in("admin")
    admin.page.wait_for_load_state("networkidle")
    admin.page.set_viewport_size({"width": 1024, "height": 768})
    links = admin.page.locator("nav.nav a").all()
    for address in [link.get_attribute("href") or "" for link in links]:
        admin.page.goto(address)
        admin.page.wait_for_load_state("networkidle")
        wide = (
            "() => [...document.querySelectorAll('main, main > *')].map((each) => each.getBoundingClientRect().right)"
        )
        assert max(admin.page.evaluate(wide)) <= 1024, address
    admin.close()


@pytest.mark.parametrize("size", [(1024, 768), (1440, 900), (3840, 2160)], ids=lambda size: str(size[0]))
def test_no_text_lies_over_another_or_is_cut_off(visit: Visit, page: Page, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    assert page.evaluate(LAYOUT) == []
    page.keyboard.press("v")
    page.keyboard.press("Enter")
    expect(page.locator(".dock [data-row]").last).to_be_visible()
    assert page.evaluate(LAYOUT) == []
    visit.picture(str(size[0]))
    _wipe(page)
    page.set_viewport_size({"width": 1440, "height": 900})


def test_on_the_whole_screen_the_keys_work_and_the_commit_comes_back_to_ask(page: Page) -> None:
    page.keyboard.press("f")
    page.wait_for_function("document.fullscreenElement?.classList.contains('stage')")
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-pane='left']")).to_have_attribute("data-shown", "2")
    page.keyboard.press("0")
    page.keyboard.press("Enter")
    page.wait_for_function("document.fullscreenElement === null")
    expect(page.locator("[data-question]")).to_contain_text("not opened")
    page.keyboard.press("u")


class Fingers:
    """Fingers on the first picture; places are pixels from its middle."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.session: CDPSession = page.context.new_cdp_session(page)
        box = page.locator("[data-pane='left'] .screen").bounding_box()
        assert box is not None
        self.middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    def _send(self, kind: str, spots: list[Spot]) -> None:
        x, y = self.middle
        points = [{"x": x + dx, "y": y + dy, "id": number} for number, (dx, dy) in enumerate(spots)]
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def move(self, before: list[Spot], after: list[Spot]) -> None:
        """From these places to those, one finger for each."""
        for number in range(len(before)):
            self._send("touchStart", before[: number + 1])
        for step in range(1, 9):
            way = [
                (a + (c - a) * step / 8, b + (d - b) * step / 8) for (a, b), (c, d) in zip(before, after, strict=True)
            ]
            self._send("touchMove", way)
        self._send("touchEnd", [])

    def handles(self) -> list[Spot]:
        """Where the ends of what is drawn are, from the middle."""
        found = self.page.locator(ENDS).all()
        boxes = [box for each in found if (box := each.bounding_box())]
        return [(b["x"] + b["width"] / 2 - self.middle[0], b["y"] + b["height"] / 2 - self.middle[1]) for b in boxes]

    def settled(self, first: Spot) -> list[Spot]:
        """The ends, once the first of them is there."""
        x, y = first[0] + self.middle[0], first[1] + self.middle[1]
        self.page.wait_for_function(THERE, arg=[ENDS, x, y])
        return self.handles()


@pytest.fixture
def fingers(page: Page) -> Iterator[Fingers]:
    """A length in the middle of the picture shows where the picture lies."""
    page.keyboard.press("v")
    page.keyboard.press("Enter")
    expect(page.locator("[data-pane='left'] .handle")).to_have_count(2)
    yield Fingers(page)
    _wipe(page)


def _wipe(page: Page) -> None:
    """Nothing is drawn any more."""
    rows = page.locator(".dock [data-row]")
    while count := rows.count():
        page.locator(".dock").get_by_role("button", name="Delete").first.click()
        expect(rows).to_have_count(count - 1)


def test_two_fingers_apart_make_the_picture_larger_about_their_middle(fingers: Fingers) -> None:
    before = fingers.handles()
    fingers.move([(-40, 60), (40, 60)], [(-80, 60), (80, 60)])
    wanted = [(2 * x, 60 + 2 * (y - 60)) for x, y in before]
    assert fingers.settled(wanted[0]) == [pytest.approx(each, abs=1.5) for each in wanted]


def test_two_fingers_side_by_side_move_the_picture(fingers: Fingers) -> None:
    before = fingers.handles()
    fingers.move([(-40, 60), (40, 60)], [(-10, 40), (70, 40)])
    wanted = [(x + 30, y - 20) for x, y in before]
    assert fingers.settled(wanted[0]) == [pytest.approx(each, abs=1.5) for each in wanted]


def test_one_finger_with_a_tool_draws_and_without_changes_the_greys(fingers: Fingers) -> None:
    page = fingers.page
    page.locator("[data-pane='left'] .pix").focus()
    page.keyboard.press("m")
    fingers.move([(-50, -60)], [(30, -60)])
    expect(page.locator("[data-pane='left'] .mark")).to_have_count(2)
    (ax, ay), (bx, by) = fingers.handles()[-2:]
    assert hypot(bx - ax, by - ay) == pytest.approx(80, abs=1.5)
    window = page.get_by_label("Window and level")
    expect(window).to_have_value("0")
    fingers.move([(-90, -90)], [(-20, -90)])
    expect(window).not_to_have_value("0")
    expect(page.locator("[data-pane='left'] .mark")).to_have_count(2)


def test_nothing_broke(visit: Visit) -> None:
    visit.check_nothing_broke()


# The side marks above and below a turned picture, and what is said of its turns: left, top, right, bottom.
SIDES = """() => [...document.querySelectorAll("[data-pane='left'] :is(.side, .way):not([hidden])")].map((each) => {
    const { left, top, right, bottom } = each.getBoundingClientRect();
    return [each.className, left, top, right, bottom];
})"""


@pytest.mark.parametrize("size", [(1024, 768), (1440, 900)], ids=lambda size: str(size[0]))
@pytest.mark.parametrize("layout", ["1x2", "3x3"])
def test_no_notice_lies_over_the_mark_of_a_side(visit: Visit, page: Page, size: tuple[int, int], layout: str) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.get_by_label("Layout", exact=True).select_option(layout)
    page.locator("[data-pane='left'] .pix").focus()
    page.keyboard.press("z")
    page.keyboard.press("Shift+F7")
    for _ in range(2):
        page.keyboard.press("F7")
        (way,), marks = _of(page, "way"), _of(page, "side")
        assert len(marks) == 2
        for mark in marks:
            assert mark[2] <= way[0] or mark[0] >= way[2] or mark[3] <= way[1] or mark[1] >= way[3], (way, mark)
        visit.picture(f"sides-{size[0]}-{layout}")
        page.keyboard.press("F7")
    page.keyboard.press("z")
    page.set_viewport_size({"width": 1440, "height": 900})


def _of(page: Page, kind: str) -> list[list[float]]:
    return [place for name, *place in page.evaluate(SIDES) if name.split()[0] == kind]


def test_a_gamma_is_said_below_the_pictures_and_moves_none(visit: Visit, page: Page) -> None:
    page.set_viewport_size({"width": 1024, "height": 768})
    before = page.locator("[data-pane='left'] .screen").bounding_box()
    page.keyboard.press("PageUp")
    expect(page.locator(".tools .gamma")).to_be_visible()
    assert page.locator("[data-pane='left'] .screen").bounding_box() == before
    assert page.evaluate(LAYOUT) == []
    visit.picture("gamma")
    page.keyboard.press("z")
    page.set_viewport_size({"width": 1440, "height": 900})


def test_a_second_escape_leaves_the_tool_and_not_the_study(page: Page) -> None:
    address = page.url
    page.keyboard.press("m")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.wait_for_timeout(700)
    assert page.url == address
    page.keyboard.press("Escape")
    page.wait_for_url(lambda url: url != address)
