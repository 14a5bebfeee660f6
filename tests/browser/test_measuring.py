"""Known lengths, areas and angles, drawn by mouse over marks that are found in the pixels on the screen.

In both renderers. A mark's place is taken from a screenshot, the number from the page: neither knows of the other.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from math import hypot
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, FloatRect, Page, expect, sync_playwright

from scripts import services
from tests.browser.calibration import CALIBRATIONS, COLUMNS, MARKS, Calibration, write
from tests.browser.conftest import FLAGS
from tests.browser.page_probes import DESKTOP, Visit
from tests.services.stack import Stack, wait_until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.services,
    pytest.mark.timeout(600),
]
GL = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
RENDERERS = {"cpu": FLAGS, "gpu": [flag for flag in FLAGS if flag not in ("--disable-gpu", "--disable-3d-apis")] + GL}
WHITE = 170
SCALED = [at for at, each in enumerate(CALIBRATIONS, 1) if each.scale]
Spots = list[tuple[float, float]]


@pytest.fixture(scope="module")
def study(quiet_site: Stack, tmp_path_factory: pytest.TempPathFactory) -> str:
    uid, files = write(tmp_path_factory.mktemp("calibration"))
    quiet_site.manage("ingest", *files)
    return uid


@pytest.fixture(scope="module", params=RENDERERS)
def visit(request: pytest.FixtureRequest, quiet_site: Stack, study: str) -> Iterator[Visit]:
    """The study in one view, in one of the renderers."""
    with sync_playwright() as playwright:
        path, flags = services.ensure().chromium, RENDERERS[request.param]
        browser: Browser = playwright.chromium.launch(executable_path=path, headless=True, args=flags)
        reader = Visit(browser, quiet_site.url, name=f"measuring-{request.param}")
        reader.page.add_init_script(f"localStorage.setItem('fontanelle.rendering', '{request.param}')")
        reader.sign_in("radiologist")
        reader.page.goto(f"/studies/{study}/")
        reader.page.locator("html[data-viewer-ready='true']").wait_for(timeout=60_000)
        expect(reader.page.locator("html")).to_have_attribute("data-rendering", request.param)
        reader.page.get_by_label("Layout").select_option("1x1")
        yield reader
        browser.close()


@pytest.fixture(autouse=True)
def nothing_drawn(visit: Visit) -> None:
    """What a test before this one left behind is gone."""
    page = visit.page
    if page.locator("[data-pane='left'] .marks .on").count():
        page.keyboard.press("Escape")
    while page.locator("[data-drawn] button").count():
        page.locator("[data-drawn] button").first.click()
        page.locator("[data-pane='left'] .pix").focus()
        page.keyboard.press("Delete")


def _hang(page: Page, number: int) -> None:
    page.locator(".film .clip").nth(number - 1).click()
    page.locator(f"[data-pane='left'][data-clip='{number}'][data-shown='1']").wait_for()
    page.wait_for_timeout(80)


def _spots(page: Page) -> Spots:
    """The middles of the white marks, in pixels of the page, from the left."""
    picture = page.locator("[data-pane='left'] .screen")
    box = picture.bounding_box()
    assert box is not None
    seen = np.asarray(Image.open(io.BytesIO(picture.screenshot())).convert("L"), dtype=float)
    # Neither the ring around what has the focus nor the marks of sides and turns are part of the picture.
    seen[:4] = seen[-4:] = seen[:, :4] = seen[:, -4:] = 0
    for part in page.locator("[data-pane='left'] :is(.way, .side):visible").all():
        other = part.bounding_box() or box
        x, y = round(other["x"] - box["x"]), round(other["y"] - box["y"])
        seen[max(0, y - 1) : y + round(other["height"]) + 1, max(0, x - 1) : x + round(other["width"]) + 1] = 0
    bright = np.argwhere(seen > WHITE)
    found: list[list[Any]] = []
    for y, x in bright:
        near = next((spot for spot in found if hypot(*(np.mean(spot, axis=0)[:2] - (y, x))) < 12), None)
        near.append((y, x)) if near is not None else found.append([(y, x)])
    return sorted((box["x"] + np.mean(s, axis=0)[1] + 0.5, box["y"] + np.mean(s, axis=0)[0] + 0.5) for s in found)


def _three(page: Page) -> Spots:
    """Once the picture is drawn: software WebGL takes its time."""
    return wait_until(lambda: found if len(found := _spots(page)) == len(MARKS) else None, seconds=10, what="marks")


def _marked(page: Page, calibration: Calibration) -> Spots:
    """The marks on the screen in the order of the calibration; a wiped picture shows nothing else that is white."""
    spots = _three(page)
    rank = np.argsort(np.argsort([x for x, _ in calibration.marks]))
    return [spots[at] for at in rank]


def _drag(page: Page, *places: tuple[float, float]) -> None:
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=2)
    page.mouse.up()


def _draw(page: Page, tool: str, spots: Spots) -> tuple[float, str]:
    """Draw with a tool over the marks; the number and its unit."""
    first, second, third = spots
    page.get_by_role("button", name=tool, exact=True).click()
    if tool == "Freehand":
        _drag(page, first, second, third)
    else:
        _drag(page, first, second)
    if tool == "Angle":
        page.mouse.click(*third)
    mark = page.locator("[data-pane='left'] .marks .mark.on")
    return float(mark.get_attribute("data-value") or "nan"), str(mark.get_attribute("data-unit"))


def _wipe(page: Page) -> None:
    page.keyboard.press("Delete")
    expect(page.locator("[data-pane='left'] .marks .mark")).to_have_count(0)


def _scale(page: Page, calibration: Calibration) -> float:
    """Pixels of the page to one of the picture."""
    spots, points = _marked(page, calibration), calibration.points
    return abs(spots[2][0] - spots[0][0]) / abs(points[2][0] - points[0][0])


def _check_length(page: Page, calibration: Calibration) -> None:
    """Draw between the first two marks; the number is right to half a pixel or half a percent."""
    spots = _marked(page, calibration)
    page.keyboard.press("m")
    _drag(page, *spots[:2])
    mark = page.locator("[data-pane='left'] .marks .mark.on")
    value = float(mark.get_attribute("data-value") or "nan")
    half_a_pixel = 5 * max(calibration.scale or ())
    assert value == pytest.approx(calibration.length_mm, abs=max(half_a_pixel, 0.005 * calibration.length_mm))


@pytest.mark.parametrize("number", SCALED, ids=[CALIBRATIONS[at - 1].name for at in SCALED])
def test_a_length_is_right_to_half_a_pixel_or_half_a_percent(visit: Visit, number: int) -> None:
    page, calibration = visit.page, CALIBRATIONS[number - 1]
    _hang(page, number)
    _check_length(page, calibration)
    _wipe(page)


@pytest.mark.parametrize(
    ("tool", "truth", "unit"),
    [
        ("Box", "box_cm2", "cm²"),
        ("Ellipse", "ellipse_cm2", "cm²"),
        ("Angle", "angle_degrees", "°"),
        ("Freehand", "triangle_cm2", "cm²"),
    ],
)
def test_areas_and_angles_are_right_where_x_and_y_scale_differently(
    visit: Visit, tool: str, truth: str, unit: str
) -> None:
    page, calibration = visit.page, CALIBRATIONS[1]
    _hang(page, 2)
    spots = _marked(page, calibration)
    if not page.get_by_role("toolbar", name="Drawing tools").is_visible():
        page.keyboard.press("v")
        page.wait_for_timeout(100)
        spots = _marked(page, calibration)
    value, named = _draw(page, tool, spots)
    assert named == unit
    # Half a pixel at each end of a side of some hundred pixels.
    assert value == pytest.approx(getattr(calibration, truth), rel=0.01)
    _wipe(page)
    page.keyboard.press("v")


@pytest.mark.parametrize(("number", "why"), [(11, "the file states no scale"), (12, "beyond the image")])
def test_what_has_no_scale_is_kept_and_said_to_be_uncalibrated(visit: Visit, number: int, why: str) -> None:
    page = visit.page
    _hang(page, number)
    spots = _marked(page, CALIBRATIONS[number - 1])
    page.keyboard.press("m")
    _drag(page, *spots[:2])
    mark = page.locator("[data-pane='left'] .marks .mark.on")
    expect(mark).to_have_attribute("data-value", "")
    expect(mark.locator(".says")).to_contain_text("uncalibrated")
    expect(mark.locator("title")).to_contain_text(why)
    _wipe(page)


def test_points_lie_where_the_marks_are_not_half_a_pixel_beside_them(visit: Visit) -> None:
    """A length does not know of a shift that both of its ends have."""
    page, calibration = visit.page, CALIBRATIONS[0]
    _hang(page, 1)
    spots = _marked(page, calibration)
    page.keyboard.press("m")
    _drag(page, *spots[:2])
    for handle, truth in zip(page.locator("[data-pane='left'] .handle").all(), calibration.points[:2], strict=True):
        said = re.search(r"x ([\d.]+), y ([\d.]+)\.", handle.get_attribute("aria-label") or "")
        assert said is not None
        assert [float(each) for each in said.groups()] == pytest.approx(truth, abs=0.3)
    _wipe(page)


def test_a_resistive_index_is_read_off_a_doppler_trace(visit: Visit) -> None:
    page = visit.page
    _hang(page, 13)
    spots = _marked(page, CALIBRATIONS[12])
    page.keyboard.press("9")
    _drag(page, *spots[:2])
    mark = page.locator("[data-pane='left'] .marks .mark.on")
    assert float(mark.get_attribute("data-value") or "nan") == pytest.approx(2 / 3, abs=0.01)
    expect(mark.locator(".says")).to_contain_text("RI 0.6")
    _wipe(page)


def test_points_in_two_regions_have_no_number(visit: Visit) -> None:
    page = visit.page
    _hang(page, 3)
    first, _, third = _marked(page, CALIBRATIONS[2])
    beyond = third[0] + 150 * _scale(page, CALIBRATIONS[2])
    page.keyboard.press("m")
    _drag(page, first, (beyond, third[1]))
    mark = page.locator("[data-pane='left'] .marks .mark.on")
    expect(mark.locator("title")).to_contain_text("the points lie in two regions")
    _wipe(page)


def test_zoomed_turned_and_flipped_it_is_the_same_length_and_the_marks_turn_too(visit: Visit) -> None:
    page, calibration = visit.page, CALIBRATIONS[1]
    _hang(page, 2)
    for key in ("F7", "Shift+F7", "+"):
        page.keyboard.press(key)
        page.wait_for_timeout(150)
    spots = _three(page)
    truths = [_apart(calibration, a, b) for a, b in ((0, 1), (1, 2), (0, 2))]
    for a, b in ((0, 1), (1, 2), (0, 2)):
        page.keyboard.press("m")
        _drag(page, spots[a], spots[b])
        mark = page.locator("[data-pane='left'] .marks .mark.on")
        value = float(mark.get_attribute("data-value") or "nan")
        assert min(abs(value - truth) for truth in truths) < 0.15
        _wipe(page)
    expect(page.locator("[data-pane='left'] .way")).to_have_text("Flipped left to right, turned 270°")
    visit.picture("turned")
    page.keyboard.press("z")
    expect(page.locator("[data-pane='left'] .way")).to_be_hidden()


def test_names_and_numbers_of_neighbours_lie_beside_each_other(visit: Visit) -> None:
    """As the browser set them, not as they were planned; in the corner of the picture, where they must turn inwards."""
    page = visit.page
    _hang(page, 1)
    box = page.locator("[data-pane='left'] .screen").bounding_box()
    assert box is not None
    right, lower = box["x"] + box["width"] - 8, box["y"] + box["height"] - 8
    for row in range(6):
        page.keyboard.press("m")
        _drag(page, (right - 60, lower - 6 * row), (right, lower - 7 * row))
    marks = page.locator("[data-pane='left'] .marks .says")
    expect(marks).to_have_count(6)
    visit.picture("crowded")
    texts = [each.bounding_box() or box for each in marks.all()]
    assert [(a, b) for at, a in enumerate(texts) for b in texts[at + 1 :] if _overlap(a, b)] == []
    outside = [
        each for each in texts if each["x"] + each["width"] > right + 8 or each["y"] + each["height"] > lower + 8
    ]
    assert outside == []


def _overlap(a: FloatRect, b: FloatRect) -> bool:
    across = a["x"] < b["x"] + b["width"] and b["x"] < a["x"] + a["width"]
    return across and a["y"] < b["y"] + b["height"] and b["y"] < a["y"] + a["height"]


def test_a_4k_screen_measures_the_same(visit: Visit) -> None:
    page, calibration = visit.page, CALIBRATIONS[1]
    page.set_viewport_size({"width": 3840, "height": 2160})
    _hang(page, 2)
    _check_length(page, calibration)
    visit.picture("4k")
    _wipe(page)
    page.set_viewport_size(DESKTOP)


def _apart(calibration: Calibration, a: int, b: int) -> float:
    assert calibration.scale is not None
    (ax, ay), (bx, by) = calibration.points[a], calibration.points[b]
    return 10 * hypot(calibration.scale[0] * (bx - ax), calibration.scale[1] * (by - ay))


def test_by_keyboard_alone_a_length_is_placed_typed_moved_undone_and_survives_a_reload(visit: Visit) -> None:
    page = visit.page
    _hang(page, 1)
    page.keyboard.press("v")
    expect(page.get_by_role("button", name="Length", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    field = page.get_by_label("Length, point 1 of 2, x")
    expect(field).to_be_focused()
    for name, value in (
        ("point 1 of 2, x", 60.5),
        ("point 1 of 2, y", 80.5),
        ("point 2 of 2, x", 160.5),
        ("point 2 of 2, y", 80.5),
    ):
        expect(page.get_by_label(f"Length, {name}")).to_be_focused()
        page.keyboard.type(str(value))
        page.keyboard.press("Tab")
    expect(page.get_by_label("Text of Length")).to_be_focused()
    page.keyboard.type("falx")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Delete Length")).to_be_focused()
    row = page.locator(".dock [data-row]")
    expect(row).to_contain_text("20.0 mm")
    visit.check_accessible("drawings")
    page.locator("[data-pane='left'] .handle").nth(1).focus()
    page.keyboard.press("Shift+ArrowRight")
    expect(row).to_contain_text("22.0 mm")
    page.keyboard.press("Control+z")
    expect(row).to_contain_text("20.0 mm")
    page.keyboard.press("Control+Shift+z")
    expect(row).to_contain_text("22.0 mm")
    expect(page.locator("main")).to_have_attribute("data-draft", "saved")
    page.reload()
    page.locator("html[data-viewer-ready='true']").wait_for(timeout=60_000)
    expect(page.locator("[data-drawn]")).to_contain_text("Length 22.0 mm")
    page.get_by_label("Layout").select_option("1x1")


def test_deleting_a_row_by_keyboard_leaves_the_focus_on_the_next_one(visit: Visit) -> None:
    page = visit.page
    _hang(page, 1)
    page.keyboard.press("v")
    for tool in ("Length", "Point"):
        page.get_by_role("button", name=tool, exact=True).focus()
        page.keyboard.press("Enter")
    page.get_by_role("button", name="Delete Length").press("Enter")
    expect(page.get_by_role("button", name="Delete Point")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Length", exact=True)).to_be_focused()
    page.keyboard.press("v")


def test_nothing_broke(visit: Visit) -> None:
    assert max(x for x, _ in MARKS) < COLUMNS
    visit.check_nothing_broke()
