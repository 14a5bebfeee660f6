"""The viewer: how soon the first picture is there, how fast clips load and play, what a tab weighs. CPU renderer."""

from __future__ import annotations

import gzip
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks import viewer_peer
from benchmarks.plain_tab import PlainTab, plain_tab
from benchmarks.rows import Row
from benchmarks.viewer_studies import write_study
from scripts import services
from tests.browser.conftest import FLAGS
from tests.browser.page_probes import Visit
from tests.services.stack import PASSWORD, ROOT, Stack, embedded

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
# Until nothing more has come for two seconds, as for a reader who looks at the pictures; half a minute at the most.
SETTLED = """() => new Promise((resolve) => {
  const began = performance.now(); let last = began;
  const watch = new PerformanceObserver(() => { last = performance.now(); });
  watch.observe({type: 'resource'});
  const look = () => { const now = performance.now();
    if (now - last < 2000 && now - began < 30000) return setTimeout(look, 50);
    watch.disconnect(); resolve(); };
  look(); })"""
# No bleeding on either side, committed, asked about clips not looked at or not: until what follows the commit is there.
COMMIT = """() => new Promise((resolve, reject) => {
  const press = (key) => document.body.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}));
  press('0'); press('Enter'); const began = performance.now();
  setTimeout(() => { if (document.querySelector('[data-question]')) press('Enter'); }, 300);
  const look = () => { if (document.querySelector('[data-reveal]')) return resolve();
    if (performance.now() - began > 20000) return reject(new Error('not committed'));
    setTimeout(look, 50); };
  look(); })"""
SIGN_IN = """([name, password]) => {
  const [who, word] = ['username', 'password'].map((field) => document.querySelector(`input[name=${field}]`));
  who.value = name; word.value = password; word.form.submit(); }"""
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


def single_clips() -> list[Row]:
    """One site without a scorer at work; what comes in later is not there while what came first is measured."""
    with tempfile.TemporaryDirectory() as folder, _quiet_site() as site, _browser() as browser:
        return [*_loading(browser, site, Path(folder)), *_cine(browser, site, Path(folder))]


def studies_in_a_row() -> list[Row]:
    """A site of which every study has 20 clips, so that whichever comes next is as large as the one before."""
    with tempfile.TemporaryDirectory() as folder, _quiet_site() as site:
        row = [write_study(Path(folder), clips=[12] * 20, number=at) for at in range(IN_A_ROW + 2 * RUNS)]
        site.manage("ingest", folder)
        with _browser() as browser:
            rows = _first_images(browser, site, row)
        return rows + _memory(site, row[-1])


def _quiet_site() -> AbstractContextManager[Stack]:
    return embedded(FONTANELLE_QUIET_SECONDS="100000")


@contextmanager
def _browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=services.ensure().chromium, args=FLAGS)
        yield browser
        browser.close()


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


def _first_images(browser: Browser, site: Stack, row: list[str]) -> list[Row]:
    """A click on a study that nobody has opened, in a browser that has nothing; then the next, loaded ahead."""
    cold, ahead = [], []
    for study in row[:RUNS]:
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


def _next_image(page: Page | PlainTab) -> float:
    """Commit what is open and go on; seconds to the next study's first picture."""
    page.evaluate(SETTLED)
    page.evaluate(COMMIT)
    page.evaluate(SETTLED)
    return float(page.evaluate(NEXT)) / 1000


def _loading(browser: Browser, site: Stack, folder: Path) -> list[Row]:
    """30 frames, from a server that has them decoded, in a browser that has nothing; through the peer; single steps."""
    thirty = write_study(folder, clips=[30], number=100)
    site.manage("ingest", str(folder / thirty))
    times, steps = [], []
    for run in range(RUNS + 1):
        with _reader(browser, site) as page:
            _open(page, thirty)
            seconds = float(page.evaluate(LOADED, 30)) / 1000
            if run:
                times.append(seconds)
            if run < RUNS:
                continue
            for _ in range(2):
                page.keyboard.press("Home")
                page.wait_for_timeout(500)
                steps += [float(page.evaluate(KEY)) for _ in range(29)]
    key = statistics.quantiles(steps, n=20)[-1]
    ours = statistics.median(times)
    theirs = statistics.median(viewer_peer.load_all(browser, next((folder / thirty).iterdir()), runs=RUNS))
    return [
        _row("load_30_frames", ours, "s", 0.4, against=viewer_peer.NAME, ratio=round(ours / theirs, 2)),
        _row("key_to_painted_p95", key, "ms", 50),
    ]


def _cine(browser: Browser, site: Stack, folder: Path) -> list[Row]:
    """Frames a second that were really shown, of 120 at 800 x 600; 3 % under the clip's own rate counts as held."""
    cine = {rate: write_study(folder, clips=[120], number=200 + rate, frame_ms=1000 / rate) for rate in (30, 60)}
    site.manage("ingest", str(folder))
    rows = []
    for rate, study in cine.items():
        with _reader(browser, site) as page:
            _open(page, study)
            page.evaluate(LOADED, 120)
            page.keyboard.press("Space")
            page.wait_for_timeout(4000)
            shown = float(page.locator("[data-pane=left]").get_attribute("data-fps-measured") or 0)
        rows.append(_row(f"cine_{rate}", shown, "fps", round(rate * 0.97, 1), least=True))
    return rows


def _memory(site: Stack, first: str) -> list[Row]:
    """What the tab's process holds after each of ten studies of up to 240 frames, read one after another."""
    held = []
    with plain_tab() as tab:
        tab.goto(f"{site.url}/accounts/login/?next=/studies/{first}/")
        tab.wait_for("input[name=password]")
        tab.evaluate(SIGN_IN, ["radiologist", PASSWORD])
        tab.wait_for("html[data-viewer-ready='true']")
        for _ in range(IN_A_ROW):
            tab.evaluate(SETTLED)
            held.append(tab.megabytes())
            _next_image(tab)
    growth = held[-1] / held[2] - 1
    return [
        _row("tab_memory_after_10", held[-1], "MB", 1024),
        _row("tab_memory_growth_3_to_10", growth * 100, "%", 10),
    ]


def bundle() -> list[Row]:
    """What a reader's browser fetches to read: every script and style of the reading room, gzipped."""
    manifest = json.loads((DIST / ".vite" / "manifest.json").read_text())
    files: set[str] = set()

    def collect(name: str) -> None:
        chunk = manifest[name]
        if chunk["file"] in files:
            return
        files.update([chunk["file"], *chunk.get("css", [])])
        for other in [*chunk.get("imports", []), *chunk.get("dynamicImports", [])]:
            collect(other)

    collect("src/entries/study.ts")
    size = sum(len(gzip.compress((DIST / file).read_bytes(), 9)) for file in files) / 1000
    return [_row("bundle_gzip", size, "kB", 900)]


MEASURES: tuple[Callable[[], list[Row]], ...] = (bundle, single_clips, studies_in_a_row)
