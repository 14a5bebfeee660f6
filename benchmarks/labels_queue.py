"""Label queues of 10,000 studies: how long one takes to make, how soon the next study is there, how fast drafts are
kept.

The site holds 10,000 studies without pictures for the queue's size and a few with pictures for the screen.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from benchmarks.rows import Row
from benchmarks.viewer_studies import write_study
from scripts import services
from tests.browser.conftest import FLAGS
from tests.browser.page_probes import Visit
from tests.services.stack import Client, Stack, embedded

COMMAND = "make bench AREA=labels"
STUDIES = 10_000
ON_SCREEN = 6
DRAFTS = 100
COMMITS = 20
SEED = f"""
from datetime import timedelta
from django.utils import timezone
from studies.models import Clip, Patient, Study
now = timezone.now()
infants = Patient.objects.bulk_create([Patient(patient_id=f"B-{{n}}", gestational_age_days=168 + n % 100)
                                       for n in range({STUDIES})], batch_size=2000)
times = [now - timedelta(minutes={STUDIES} - n) for n in range({STUDIES})]
made = Study.objects.bulk_create([Study(uid=f"2.25.7{{n:09}}", patient=p, original_patient=p, first_image_at=at,
    last_image_at=at, acquired_at=at) for n, (p, at) in enumerate(zip(infants, times))], batch_size=2000)
Clip.objects.bulk_create([Clip(study=s, sop_uid=f"{{s.uid}}.1", sop_class="1.2.3", series_uid=s.uid, frames=1,
    transfer_syntax="1.2", digest=f"{{n:064}}", size=1, received_at=now) for n, s in enumerate(made)], batch_size=2000)
"""
# From Enter to the next study's first picture, by the page's own clock; a question about coverage is answered by Enter.
PANE = "document.querySelector('[data-grid=study] [data-pane]')"
NEXT = f"""() => new Promise((resolve) => {{
  const before = {PANE}.dataset.sop; const began = performance.now(); let answered = false;
  const press = (key) => document.body.dispatchEvent(new KeyboardEvent('keydown', {{key, bubbles: true}}));
  press('Enter');
  const look = () => {{ const now = {PANE};
    if (!answered && document.querySelector('[data-question]')) {{ answered = true; press('Enter'); }}
    const took = performance.now() - began;
    if ((now && now.dataset.sop !== before && now.dataset.shown) || took > 20000) resolve(took);
    else requestAnimationFrame(look); }};
  look(); }})"""


def queues_of_ten_thousand() -> list[Row]:
    """One site, one thing after another."""
    with tempfile.TemporaryDirectory() as folder, embedded(FONTANELLE_QUIET_SECONDS="100000") as site:
        for number in range(ON_SCREEN):
            write_study(Path(folder), clips=[12] * 4, number=number)
        site.manage("ingest", folder)
        screen_seconds = _screen(site)
        site.manage("shell", "-v", "0", "-c", SEED)
        creation_seconds = [_make(site.sign_in("admin")) for _ in range(3)]
        annotator = site.sign_in("annotator")
        commit_seconds, draft_seconds = _commits(annotator), _drafts(annotator)
    return [
        _row("queue_creation", statistics.median(creation_seconds), "s", 5.0),
        _row("commit_to_next", screen_seconds, "s", 0.3),
        _row("commit_to_next_server_p95", _p95(commit_seconds), "s", 0.3),
        _row("autosave_p95", _p95(draft_seconds), "s", 1.0),
    ]


def _row(name: str, value: float, unit: str, goal: float) -> Row:
    return Row(f"labels.{name}", round(value, 3), unit, f"≤ {goal:g}", value <= goal, COMMAND)


def _p95(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=20)[-1]


def _timed(client: Client, method: str, path: str, body: Any = None) -> tuple[float, Any]:
    began = time.monotonic()
    answer = client.call(method, path, json=body) if body is not None else client.call(method, path)
    took = time.monotonic() - began
    assert answer.ok, f"{path}: {answer.status_code} {answer.text[:300]}"
    return took, answer.json()


def _make(admin: Client) -> float:
    """A shuffled queue with repeats, of everything that nobody has read."""
    body = {"name": "Ten thousand", "source": "filter", "filter": {"queued": True}, "repeats": 0.05, "shuffled": True}
    took, made = _timed(admin, "POST", "/api/v1/queues/", body)
    assert made["studies"] >= STUDIES, made
    return took


def _where(item: dict[str, Any]) -> str:
    return f"context=queue&item={item['id']}"


def _body(item: dict[str, Any], version: int, **more: Any) -> dict[str, Any]:
    findings = {"right": 0, "left": 0, "quality": ("good", "limited")[version % 2]}
    return {"context": "queue", "item": item["id"], "findings": findings, "version": version, "comment": "", **more}


def _next(client: Client) -> dict[str, Any]:
    item: dict[str, Any] = client.json("/api/v1/label-queue/")["item"]
    return item


def _commits(client: Client) -> list[float]:
    """A commit and everything that the page asks before it can show the next study, one after another."""
    seconds = []
    item = _next(client)
    for number in range(COMMITS):
        body = _body(item, 0, idempotency_key=f"bench-{number}")
        took, answer = _timed(client, "POST", f"/api/v1/studies/{item['study_uid']}/reads/commit/", body)
        item = answer["queue"]["item"]
        study, _ = _timed(client, "GET", f"/api/v1/studies/{item['study_uid']}/")
        reads, _ = _timed(client, "GET", f"/api/v1/studies/{item['study_uid']}/reads/?{_where(item)}")
        seconds.append(took + study + reads)
    return seconds


def _drafts(client: Client) -> list[float]:
    """Keeping a draft, as the page does half a second after a key."""
    item = _next(client)
    url = f"/api/v1/studies/{item['study_uid']}/reads/draft/"
    return [_timed(client, "PUT", url, _body(item, version))[0] for version in range(DRAFTS)]


def _screen(site: Stack) -> float:
    """Enter to the next study's first picture, in a browser; the median of a queue's first studies."""
    site.manage("make_queue", "On the screen", "--readers", "1", "--reader", "annotator2")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=services.ensure().chromium, args=FLAGS)
        visit = Visit(browser, site.url, name="bench")
        visit.sign_in("annotator2")
        visit.page.goto("/label/")
        seconds = [_turn(visit.page) for _ in range(ON_SCREEN - 1)]
        browser.close()
    return statistics.median(seconds)


def _turn(page: Page) -> float:
    page.wait_for_function(f"() => {PANE}?.dataset.shown", polling="raf")
    page.wait_for_timeout(1500)
    page.keyboard.press("0")
    page.wait_for_timeout(700)
    return float(page.evaluate(NEXT)) / 1000
