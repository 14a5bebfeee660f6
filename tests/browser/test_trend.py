"""A measure over days of life: before the commit the browser's numbers, after it the server's; and centiles."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from pydicom.uid import generate_uid

from tests.browser.calibration import region
from tests.browser.page_probes import Visit
from tests.services.stack import Stack, without_workers
from tests.studies.dicoms import clip

# A site of its own, for its centile tables.
pytestmark = [
    pytest.mark.browser,
    pytest.mark.services,
    pytest.mark.timeout(600),
]
STUDY, PRIOR = generate_uid(), generate_uid()
ROWS, COLUMNS = 300, 400
# Round numbers that nobody could take for a published table.
TABLE = {"measure": "vi", "source": "made up for a test", "by": "postmenstrual_age_weeks", "centiles": [3, 50, 97]}
RISING = [[24, 2, 4, 6], [28, 3, 5, 7], [40, 6, 8, 10]]
CROSSING = [[24, 2, 4, 3], [28, 3, 5, 4]]


@pytest.fixture(scope="module")
def own_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder: Path = tmp_path_factory.mktemp("centiles")
    (folder / "vi.json").write_text(json.dumps({**TABLE, "rows": RISING}))
    (folder / "crossing.json").write_text(json.dumps({**TABLE, "rows": CROSSING}))
    with without_workers(FONTANELLE_QUIET_SECONDS="100000", FONTANELLE_CENTILES=str(folder)) as stack:
        yield stack


def _clip(study: str, date: str) -> bytes:
    facts: dict[str, Any] = {"Rows": ROWS, "Columns": COLUMNS, "PixelData": bytes([90]) * ROWS * COLUMNS}
    scaled = [region((0, 0, COLUMNS - 1, ROWS - 1), (0.01, 0.01))]
    return clip(StudyInstanceUID=study, StudyDate=date, NumberOfFrames=1, SequenceOfUltrasoundRegions=scaled, **facts)


def _commit(site: Stack, study: str, widths: dict[str, int]) -> None:
    reader, address = site.sign_in("radiologist"), f"/api/v1/studies/{study}/"
    sop = reader.json(address)["clips"][0]["sop_uid"]
    drawings = [
        {
            "uid": f"d{side}",
            "tool": "length",
            "sop_uid": sop,
            "frame": 1,
            "preset": "vi",
            "side": side,
            "points": points,
        }
        for side, points in ((side, [[50, 50], [50 + width, 50]]) for side, width in widths.items())
    ]
    findings = {"right": 0, "left": 0, "drawings": drawings}
    body = {"findings": findings, "version": 0, "idempotency_key": study}
    answer = reader.call("POST", f"{address}reads/commit/", json=body)
    assert answer.status_code == 201, answer.text


@pytest.fixture(scope="module")
def visit(own_site: Stack, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    """An infant of 26 weeks on its day 4; on its day 2 both ventricular indices were 4 mm."""
    folder = tmp_path_factory.mktemp("trend")
    for number, (study, date) in enumerate(((PRIOR, "20260103"), (STUDY, "20260105"))):
        (folder / f"{number}.dcm").write_bytes(_clip(study, date))
    own_site.manage("ingest", folder)
    admin = own_site.sign_in("admin")
    infant = admin.json(f"/api/v1/studies/{STUDY}/")["patient"]["url"]
    told = admin.call("PATCH", f"/api/v1{infant}", json={"gestational_age_days": 7 * 26})
    assert told.status_code == 200, told.text
    _commit(own_site, PRIOR, {"right": 40, "left": 40})
    reader = Visit(browser, own_site.url, name="trend")
    reader.sign_in("radiologist")
    yield reader
    reader.close()


def _open(visit: Visit) -> Page:
    visit.page.goto(f"/studies/{STUDY}/")
    visit.page.locator("html[data-viewer-ready='true']").wait_for(timeout=30_000)
    visit.page.get_by_label("What the timeline shows").select_option("vi")
    return visit.page


def _row(page: Page, day: int) -> Locator:
    return page.locator(".serial tbody tr").filter(has=page.get_by_role("cell", name=str(day), exact=True))


def test_a_curve_of_centiles_is_drawn_between_the_rows_of_its_table(visit: Visit) -> None:
    page = _open(visit)
    expect(page.locator(".serial svg .curve")).to_have_count(3)
    for name in ("p3", "p50", "p97"):
        expect(page.locator(".serial svg")).to_contain_text(name)
    expect(page.locator(".serial")).to_contain_text("centiles: made up for a test")


def test_a_table_whose_curves_cross_is_named_with_the_reason(visit: Visit) -> None:
    said = "The table crossing.json is not used: In row 1 p97 lies below p50: its curves cross."
    expect(_open(visit).locator(".serial")).to_contain_text(said)


def test_after_the_commit_and_a_reload_the_servers_numbers_count(visit: Visit) -> None:
    page = _open(visit)
    page.locator("[data-pane='left'] .pix").focus()
    for key in ("r", "5"):
        page.keyboard.press(key)
    screen = page.locator("[data-pane='left'] .screen").bounding_box()
    assert screen is not None
    x, y = screen["x"] + screen["width"] / 2, screen["y"] + screen["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 80, y, steps=4)
    page.mouse.up()
    expect(_row(page, 4)).to_contain_text("not committed")
    expect(_row(page, 4)).not_to_contain_text(re.compile("p97|since"))
    expect(_row(page, 2).first).to_contain_text("between p3 and p50")
    visit.check_accessible("open")
    page.locator("[data-pane='left'] .pix").focus()
    for key in ("r", "0", "l", "0", "Enter"):
        page.keyboard.press(key)
    page.locator("main[data-phase='done']").wait_for(timeout=20_000)
    for _ in ("at once", "after a reload"):
        expect(page.get_by_label("What the timeline shows")).to_have_value("vi")
        expect(_row(page, 4)).to_contain_text("Imke Moreau")
        expect(page.locator(".serial")).not_to_contain_text("not committed")
        expect(page.locator(".serial svg .dot.open")).to_have_count(0)
        expect(_row(page, 4)).to_contain_text("above p97")
        expect(_row(page, 4)).to_contain_text(re.compile(r"\+[\d.]+ mm since day 2"))
        page = _open(visit)
    visit.check_accessible("committed")
    visit.check_nothing_broke()
