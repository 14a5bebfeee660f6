"""Clips that are broken, tiny, huge or untimed: each says what is the matter, and the rest of the study can be read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect
from pydicom.uid import generate_uid

from tests.browser.calibration import region
from tests.browser.page_probes import Visit, brightness
from tests.services.stack import Stack, without_workers
from tests.studies.dicoms import clip, damaged

# A site of their own: other pages would load these studies ahead, and say so on the console.
pytestmark = [
    pytest.mark.browser,
    pytest.mark.services,
    pytest.mark.timeout(600),
]
STUDY, EMPTY = generate_uid(), generate_uid()
PIXEL = 180
DAMAGED, TINY, LONG, HUGE, STOPPED, UNTIMED, BEYOND, CUT = range(1, 9)


def _plain(frames: int, rows: int, columns: int, **facts: Any) -> bytes:
    ramp = np.arange(frames * rows * columns, dtype=np.uint32) % 251
    pixels = ramp.astype(np.uint8).tobytes()
    return clip(
        NumberOfFrames=frames, Rows=rows, Columns=columns, PixelData=pixels + b"\0" * (len(pixels) % 2), **facts
    )


def _clips() -> list[bytes]:
    def facts(number: int, name: str) -> dict[str, Any]:
        at = f"202601051015{number:02}"
        return {"StudyInstanceUID": STUDY, "SeriesDescription": f"COR {name}", "AcquisitionDateTime": at}

    beyond = [region((0, 0, 594, 413), (0.02, 0.02))]
    return [
        damaged(**facts(DAMAGED, "damaged")),
        clip(NumberOfFrames=1, Rows=1, Columns=1, PixelData=bytes([PIXEL, 0]), **facts(TINY, "tiny")),
        _plain(2000, 12, 16, **facts(LONG, "long")),
        _plain(1, 3072, 4096, **facts(HUGE, "huge")),
        _plain(5, 48, 64, **facts(STOPPED, "stopped"), FrameTime="0"),
        _plain(5, 48, 64, **facts(UNTIMED, "untimed"), FrameTime=None),
        _plain(1, 48, 64, **facts(BEYOND, "beyond"), SequenceOfUltrasoundRegions=beyond),
        clip(
            NumberOfFrames=10, Rows=48, Columns=64, PixelData=bytes([PIXEL]) * (48 * 64 * 11 // 2), **facts(CUT, "cut")
        ),
    ]


@pytest.fixture(scope="module")
def own_site() -> Iterator[Stack]:
    """A site of its own: elsewhere these studies would be loaded ahead of somebody's reading."""
    with without_workers(FONTANELLE_QUIET_SECONDS="100000") as stack:
        yield stack


@pytest.fixture(scope="module")
def studies(own_site: Stack, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder: Path = tmp_path_factory.mktemp("bad")
    for number, data in enumerate(_clips(), 1):
        (folder / f"{number}.dcm").write_bytes(data)
    (folder / "empty.dcm").write_bytes(clip(StudyInstanceUID=EMPTY, PatientID="P2", PixelData=None))
    own_site.manage("ingest", folder, check=False)


@pytest.fixture(scope="module")
def visit(own_site: Stack, studies: None, browser: Browser) -> Iterator[Visit]:
    reader = Visit(browser, own_site.url, name="bad-input")
    reader.sign_in("radiologist")
    reader.page.goto(f"/studies/{STUDY}/")
    reader.page.locator("html[data-viewer-ready='true']").wait_for(timeout=60_000)
    reader.page.get_by_label("Layout").select_option("1x1")
    yield reader
    reader.close()


def _hang(page: Page, number: int) -> Any:
    page.locator(".film .clip").nth(number - 1).click()
    pane = page.locator("[data-pane='left']")
    expect(pane).to_have_attribute("data-clip", str(number))
    return pane


def test_a_frame_that_cannot_be_decoded_says_why_and_the_others_are_shown(visit: Visit) -> None:
    pane = _hang(visit.page, DAMAGED)
    expect(pane).to_have_attribute("data-shown", "1")
    visit.page.keyboard.press("ArrowRight")
    expect(pane.locator(".cover")).to_contain_text("Frame 2 cannot be shown")
    expect(pane.locator(".cover .dim").first).not_to_be_empty()
    visit.picture("damaged")
    visit.page.keyboard.press("ArrowRight")
    expect(pane).to_have_attribute("data-shown", "3")
    expect(pane.locator(".cover")).to_be_hidden()


def test_a_clip_with_a_damaged_frame_plays(visit: Visit) -> None:
    pane = _hang(visit.page, DAMAGED)
    visit.page.keyboard.press("Space")
    for frame in ("3", "4", "1"):
        pane.and_(visit.page.locator(f"[data-shown='{frame}']")).wait_for(timeout=30_000)
    visit.page.keyboard.press("Space")


def test_of_a_clip_that_ends_early_the_whole_frames_are_shown_and_the_others_say_why(visit: Visit) -> None:
    pane = _hang(visit.page, CUT)
    for _ in range(4):
        visit.page.keyboard.press("ArrowRight")
    expect(pane).to_have_attribute("data-shown", "5")
    expect(pane.locator(".cover")).to_be_hidden()
    visit.page.keyboard.press("ArrowRight")
    expect(pane.locator(".cover")).to_contain_text("Frame 6 cannot be shown")
    expect(pane.locator(".cover")).to_contain_text("The file ends before this frame does.")
    visit.picture("cut")
    visit.page.keyboard.press("Space")
    pane.and_(visit.page.locator("[data-shown='2']")).wait_for(timeout=30_000)
    visit.page.keyboard.press("Space")


def test_a_picture_of_one_pixel_is_shown(visit: Visit) -> None:
    pane = _hang(visit.page, TINY)
    expect(pane).to_have_attribute("data-shown", "1")
    visit.picture("one-pixel")
    mean, _ = brightness(pane.locator("canvas").first)
    assert mean > PIXEL / 4  # it fills the height of a wide pane


def test_two_thousand_frames_can_be_gone_through(visit: Visit) -> None:
    pane = _hang(visit.page, LONG)
    visit.page.keyboard.press("End")
    expect(pane).to_have_attribute("data-shown", "2000", timeout=20_000)
    visit.picture("two-thousand")


def test_a_picture_of_4096_by_3072_is_shown(visit: Visit) -> None:
    expect(_hang(visit.page, HUGE)).to_have_attribute("data-shown", "1", timeout=30_000)
    visit.picture("huge")


@pytest.mark.parametrize(
    ("number", "why"), [(STOPPED, "the file's frame time of 0 ms cannot be true"), (UNTIMED, "the file states none")]
)
def test_a_clip_without_a_frame_time_plays_at_a_rate_that_is_said_to_be_assumed(
    visit: Visit, number: int, why: str
) -> None:
    pane = _hang(visit.page, number)
    readout = visit.page.locator("[data-cine='left'] .fr")
    expect(readout).to_contain_text("24 fps assumed")
    expect(readout).to_have_attribute("title", f"Frame rate assumed: {why}")
    visit.page.keyboard.press("Space")
    expect(pane).to_have_attribute("data-playing", "true")
    pane.and_(visit.page.locator("[data-shown='4']")).wait_for(timeout=30_000)
    visit.page.keyboard.press("Space")
    visit.picture(f"untimed-{number}")


def test_regions_beyond_the_image_give_no_distances(visit: Visit) -> None:
    pane = _hang(visit.page, BEYOND)
    expect(pane.locator(".calibration")).to_contain_text("uncalibrated: no distances")
    visit.picture("beyond")


def _open_empty(visit: Visit) -> None:
    visit.page.goto(f"/studies/{EMPTY}/")
    expect(visit.page.locator(".no-pictures")).to_contain_text("This study has no pictures", timeout=30_000)


def test_a_study_without_pictures_says_so(visit: Visit) -> None:
    _open_empty(visit)
    expect(visit.page.locator("[data-pane='left'] .cover .why")).to_contain_text("This clip cannot be shown")
    visit.picture("no-pictures")


def test_a_study_without_pictures_is_not_called_negative_unasked(visit: Visit) -> None:
    _open_empty(visit)
    visit.page.keyboard.press("0")
    visit.page.keyboard.press("Enter")
    expect(visit.page.locator("[data-question]")).to_contain_text("This study has no pictures, yet it is graded.")
    visit.check_accessible("no-pictures-graded")


def test_nothing_broke(visit: Visit) -> None:
    """The server refuses the one frame with its reason; the browser writes that down as an error of its own."""
    unexpected = [line for line in visit.broken if "422" not in line]
    assert unexpected == []
    assert visit.inaccessible == []
