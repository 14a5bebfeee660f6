"""What stands on the screen, pixel by pixel, against what pydicom decodes: one CSS pixel for each of the picture's."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright
from pydicom.pixels.processing import apply_color_lut
from pydicom.uid import generate_uid

from scripts import services
from tests.browser.page_probes import Visit
from tests.browser.test_measuring import RENDERERS
from tests.services.stack import Stack, wait_until
from tests.studies.dicoms import BUNDLED

pytestmark = [
    pytest.mark.browser,
    pytest.mark.services,
    pytest.mark.timeout(600),
]
NAMES = ("examples_palette.dcm", "examples_ybr_color.dcm", "SC_rgb_rle_2frame.dcm", "ExplVR_BigEnd.dcm")
SHARED = os.environ.get("FONTANELLE_SHARED_DATA", "")
FILES = [BUNDLED / name for name in NAMES]
FILES += sorted(Path(SHARED, "dicom", "ultrasound").glob("*.dcm")) if SHARED else []
SIZE = """([width, height]) => {
  const box = document.querySelector("[data-pane='left'] .screen");
  const set = {position: "fixed", left: "150px", top: "100px",
               width: `${width}px`, height: `${height}px`, zIndex: "999"};
  Object.assign(box.style, set);
}"""


@pytest.fixture(scope="module")
def copies(quiet_site: Stack, tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Any]:
    """Each file as a study of its own: several of them share their identifiers."""
    folder = tmp_path_factory.mktemp("copies")
    found = {}
    for number, path in enumerate(FILES):
        found[path] = pydicom.dcmread(path)
        found[path].SOPInstanceUID = found[path].file_meta.MediaStorageSOPInstanceUID = generate_uid()
        found[path].StudyInstanceUID = generate_uid()
        found[path].save_as(folder / f"{number}.dcm")
    quiet_site.manage("ingest", folder)
    return found


@pytest.fixture(scope="module", params=RENDERERS)
def visit(request: pytest.FixtureRequest, quiet_site: Stack) -> Iterator[Visit]:
    with sync_playwright() as playwright:
        path, flags = services.ensure().chromium, RENDERERS[request.param]
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=flags)
        reader = Visit(browser, quiet_site.url, name=f"pixels-{request.param}")
        reader.page.set_viewport_size({"width": 1400, "height": 1100})
        reader.page.add_init_script(f"localStorage.setItem('fontanelle.rendering', '{request.param}')")
        reader.sign_in("radiologist")
        yield reader
        browser.close()


def _truth(read: Any, frame: int) -> np.ndarray:
    """uint8 [H, W, 3]"""
    pixels = read.pixel_array
    if int(read.get("NumberOfFrames", 1)) > 1:
        pixels = pixels[frame - 1]
    if read.PhotometricInterpretation == "PALETTE COLOR":
        pixels = (apply_color_lut(pixels, read) >> 8).astype(np.uint8)
    return pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)


def _on_screen(page: Page, columns: int, rows: int) -> np.ndarray:
    """The picture at one to one, where nothing lies over it."""
    page.evaluate(SIZE, [columns, rows])
    page.wait_for_timeout(150)
    page.keyboard.press("z")
    page.wait_for_timeout(250)
    shot = page.screenshot(clip={"x": 150, "y": 100, "width": columns, "height": rows})
    return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_screen_shows_what_pydicom_decodes(visit: Visit, copies: dict[Path, Any], path: Path) -> None:
    read = copies[path]
    page = visit.page
    page.goto(f"/studies/{read.StudyInstanceUID}/")
    page.locator("html[data-viewer-ready='true']").wait_for(timeout=60_000)
    page.get_by_label("Layout").select_option("1x1")
    page.locator(f".film .clip[data-sop='{read.SOPInstanceUID}']").click()
    pane = page.locator("[data-pane='left']")
    expect(pane).to_have_attribute("data-sop", read.SOPInstanceUID)
    page.keyboard.press("End")
    expect(pane).to_have_attribute("data-shown", str(int(read.get("NumberOfFrames", 1) or 1)))
    truth = _truth(read, int(read.get("NumberOfFrames", 1) or 1)).astype(int)
    rows, columns = truth.shape[:2]
    jpeg = read.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.4.50"

    def close() -> bool:
        return bool(np.abs(_on_screen(page, columns, rows).astype(int) - truth).max() <= (1 if jpeg else 0))

    wait_until(close, seconds=4, what="the pixels of the file on the screen")
