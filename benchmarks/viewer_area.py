"""The viewer: how soon the first picture is there, how fast clips load and play, what a tab weighs. CPU renderer."""

from __future__ import annotations

import gzip
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks import viewer_peer
from benchmarks.rows import Row
from benchmarks.viewer_studies import write_study
from scripts import services
from tests.browser.conftest import FLAGS
from tests.browser.eyes import Visit
from tests.services.stack import ROOT, Stack, embedded

COMMAND = "make bench AREA=viewer"
RUNS = 3
IN_A_ROW = 10
DIST = ROOT / "frontend" / "dist"
# From a key press to the next first picture: the page's own clock, read when the frame has been painted.
NEXT = """() => new Promise((resolve) => {
  const before = document.querySelector('[data-pane=left]'); const began = performance.now();
  document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true}));
  const look = () => { const now = document.querySelector('[data-pane=left]');
    const took = performance.now() - began;
    if ((now && now !== before && now.dataset.shown) || took > 20000) resolve(took);
    else requestAnimationFrame(look); };
  look(); })"""
KEY = """() => new Promise((resolve) => {
  const pane = document.querySelector('[data-pane=left]');
  const before = pane.dataset.shown; const began = performance.now();
  document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowRight', bubbles: true}));
  const done = () => requestAnimationFrame(() => resolve(performance.now() - began));
  const look = () => { if (pane.dataset.shown !== before) done(); else requestAnimationFrame(look); };
  look(); })"""
# With the first picture on the screen: from the request for the clip's second frame to the last one decoded.
LOADED = """(frames) => new Promise((resolve) => {
  const pane = document.querySelector('[data-pane=left]');
  const look = () => { if (Number(pane.dataset.loaded) < frames) return requestAnimationFrame(look);
    const sop = pane.dataset.sop;
    const mine = performance.getEntriesByType('resource').filter((e) => e.name.includes(`${sop}/frames/`));
    resolve(performance.now() - mine.map((e) => e.startTime).sort((a, b) => a - b)[1]); };
  look(); })"""


@dataclass(frozen=True)
class Studies:
    """By what they are for; ``row`` are opened one after another."""

    row: list[str]
    thirty: str
    thirty_file: Path
    cine: dict[int, str]


def on_one_site() -> list[Row]:
    """One site without a scorer at work, a browser for each measure, one after another."""
    with tempfile.TemporaryDirectory() as folder, embedded(FONTANELLE_QUIET_SECONDS="100000") as site:
        studies = _studies(site, Path(folder))
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=services.ensure().chromium, args=FLAGS)
            rows: list[Row] = []
            for measure in (_loading, _cine, _first_images, _memory):
                rows += measure(browser, site, studies)
            browser.close()
    return rows


def _studies(site: Stack, folder: Path) -> Studies:
    row = [write_study(folder, clips=[12] * 20, number=at) for at in range(IN_A_ROW + RUNS)]
    thirty = write_study(folder, clips=[30], number=100)
    cine = {rate: write_study(folder, clips=[120], number=200 + rate, frame_ms=1000 / rate) for rate in (30, 60)}
    site.manage("ingest", folder)
    return Studies(row, thirty, next((folder / thirty).iterdir()), cine)


@contextmanager
def _reader(browser: Browser, site: Stack) -> Iterator[Page]:
    visit = Visit(browser, site.url, name="bench")
    try:
        visit.sign_in("radiologist")
        yield visit.page
    finally:
        visit.close()


def _open(page: Page, study: str) -> None:
    page.goto(f"/studies/{study}/")
    page.locator("html[data-viewer-ready='true']").wait_for(timeout=60_000)


def _shown(page: Page) -> None:
    page.wait_for_function("() => document.querySelector('[data-pane=left]')?.dataset.shown", polling="raf")


def _row(name: str, value: float, unit: str, goal: float, *, least: bool = False, **more: object) -> Row:
    met = value >= goal if least else value <= goal
    return Row(f"viewer.{name}", round(value, 3), unit, f"{'≥' if least else '≤'} {goal:g}", met, COMMAND, **more)  # type: ignore[arg-type]  # against, ratio


def _first_images(browser: Browser, site: Stack, studies: Studies) -> list[Row]:
    """A click on a study that nobody has opened, in a browser that has nothing; then the next, loaded ahead."""
    cold, ahead = [], []
    for study in studies.row[:RUNS]:
        with _reader(browser, site) as page:
            page.goto("/")
            link = page.locator(f"a[href='/studies/{study}/']").first
            link.wait_for()
            began = time.monotonic()
            link.click()
            _shown(page)
            cold.append(time.monotonic() - began)
            ahead.append(_next_image(page))
    return [
        _row("first_image_cold", statistics.median(cold), "s", 1.0),
        _row("first_image_next", statistics.median(ahead), "s", 0.3),
    ]


def _next_image(page: Page) -> float:
    """Commit what is open and go on; seconds to the next study's first picture."""
    _settle(page)
    page.keyboard.press("0")
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)
    if page.locator("[data-question]").count():
        page.keyboard.press("Enter")
    page.locator("[data-reveal]").wait_for(timeout=20_000)
    _settle(page)
    return float(page.evaluate(NEXT)) / 1000


def _settle(page: Page) -> None:
    """Until nothing more has been loaded for a second, as for a reader who looks at the pictures."""
    count, deadline = -1, time.monotonic() + 30
    while time.monotonic() < deadline:
        now = int(page.evaluate("performance.getEntriesByType('resource').length"))
        if now == count:
            return
        count = now
        page.wait_for_timeout(1000)


def _loading(browser: Browser, site: Stack, studies: Studies) -> list[Row]:
    """30 frames, from a server that has them decoded, in a browser that has nothing; through the peer; single steps."""
    times, steps = [], []
    for run in range(RUNS + 1):
        with _reader(browser, site) as page:
            _open(page, studies.thirty)
            seconds = float(page.evaluate(LOADED, 30)) / 1000
            if run:
                times.append(seconds)
            else:
                for _ in range(2):
                    page.keyboard.press("Home")
                    page.wait_for_timeout(500)
                    steps += [float(page.evaluate(KEY)) for _ in range(29)]
    key = statistics.quantiles(steps, n=20)[-1]
    ours = statistics.median(times)
    theirs = statistics.median(viewer_peer.load_all(browser, studies.thirty_file, runs=RUNS))
    return [
        _row("load_30_frames", ours, "s", 0.4, against=viewer_peer.NAME, ratio=round(ours / theirs, 2)),
        _row("key_to_painted_p95", key, "ms", 50),
    ]


def _cine(browser: Browser, site: Stack, studies: Studies) -> list[Row]:
    """Frames a second that were really shown, of 120 at 800 x 600; 3 % under the clip's own rate counts as held."""
    rows = []
    for rate, study in studies.cine.items():
        with _reader(browser, site) as page:
            _open(page, study)
            page.evaluate(LOADED, 120)
            page.keyboard.press("Space")
            page.wait_for_timeout(4000)
            shown = float(page.locator("[data-pane=left]").get_attribute("data-fps-measured") or 0)
        rows.append(_row(f"cine_{rate}", shown, "fps", round(rate * 0.97, 1), least=True))
    return rows


def _memory(browser: Browser, site: Stack, studies: Studies) -> list[Row]:
    """What the tab's process holds after each of ten studies of up to 240 frames, read one after another."""
    held = []
    with _reader(browser, site) as page:
        _open(page, studies.row[-1])
        tab = _heaviest_renderer()
        inspector = page.context.new_cdp_session(page)
        for _ in range(IN_A_ROW):
            _settle(page)
            inspector.send("HeapProfiler.collectGarbage")
            held.append(_megabytes(tab))
            _next_image(page)
    growth = held[-1] / max(held[2], 1) - 1
    return [
        _row("tab_memory_after_10", held[-1], "MB", 1024),
        _row("tab_memory_growth_3_to_10", growth * 100, "%", 10),
    ]


def _heaviest_renderer() -> int:
    """The process of the tab: of the renderers that this process's own Chromium has, the one that holds most."""
    parents, renderers = {}, []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes()
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if b"--type=renderer" in words:
            renderers.append(int(folder.name))

    def ours(pid: int) -> bool:
        while pid > 1 and pid != os.getpid():
            pid = parents.get(pid, 0)
        return pid == os.getpid()

    return max(filter(ours, renderers), key=_megabytes)


def _megabytes(pid: int) -> float:
    """Its proportional share of memory (PSS)."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def bundle() -> list[Row]:
    """What a reader's browser fetches to read: every script and style of the reading room, gzipped."""
    manifest = json.loads((DIST / ".vite" / "manifest.json").read_text())
    wanted: set[str] = set()

    def collect(name: str) -> None:
        chunk = manifest[name]
        if chunk["file"] in wanted:
            return
        wanted.update([chunk["file"], *chunk.get("css", [])])
        for other in [*chunk.get("imports", []), *chunk.get("dynamicImports", [])]:
            collect(other)

    collect("src/entries/study.ts")
    size = sum(len(gzip.compress((DIST / file).read_bytes(), 9)) for file in wanted) / 1000
    return [_row("bundle_gzip", size, "kB", 900)]


MEASURES: tuple[Callable[[], list[Row]], ...] = (bundle, on_one_site)
