"""The main job: from a clean clone to the first score, what the web process weighs, how long people wait."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

from benchmarks.rows import Row
from scripts import services
from tests.browser.conftest import FLAGS
from tests.browser.page_probes import Visit
from tests.services.stack import PASSWORD, ROOT, Client, Stack, embedded, free_port, healthy, wait_until
from training.phantom.dicom import write_exam
from training.phantom.examination import PhantomExam, exam

COMMAND = "make bench AREA=main"


def clone_to_first_score() -> list[Row]:
    """A clone of this commit, `make demo`, and the clock until a study has its first score."""
    with tempfile.TemporaryDirectory() as folder, _demo(Path(folder)) as (url, began):
        wait_until(lambda: healthy(url), seconds=600, what="the demo answers")
        reader = Client(url, "radiologist")
        wait_until(lambda: _scored(reader), seconds=600, what="the first score")
        seconds = time.monotonic() - began
    cached = "no peer; packages come from uv's and npm's caches where those have them"
    return [Row("main.clone_to_first_score", round(seconds, 1), "s", "≤ 240", seconds <= 240, COMMAND, against=cached)]


@contextmanager
def _demo(folder: Path) -> Iterator[tuple[str, float]]:
    port, began = free_port(), time.monotonic()
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder / "clone")], check=True)
    environment = {**os.environ, "PORT": str(port), "DEMO_PASSWORD": PASSWORD}
    with (folder / "log").open("wb") as log:
        demo = subprocess.Popen(
            ["make", "demo"], cwd=folder / "clone", env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        yield f"http://127.0.0.1:{port}", began
    finally:
        os.killpg(demo.pid, signal.SIGINT)
        demo.wait(60)


def _scored(reader: Client) -> bool:
    rows = reader.json("/api/v1/worklist/?filter=all")["results"]
    return any(row["flag"] in {"suspected", "not_suspected"} for row in rows)


def on_one_site() -> list[Row]:
    """What can be measured on one running site, one after another, so that nothing disturbs anything."""
    with tempfile.TemporaryDirectory() as folder, embedded(OMP_NUM_THREADS="2") as site:
        scored, baseline = _score_48_frames(site, Path(folder))
        first = _first_image(site, Path(folder))
        memory = _web_memory(site)
    ratio = scored / baseline
    return [
        Row("main.first_image", round(first, 3), "s", "≤ 1.5", first <= 1.5, COMMAND),
        Row("main.web_memory", round(memory), "MB", "≤ 250", memory <= 250, COMMAND),
        Row(
            "main.score_48_frames",
            round(scored, 2),
            "s",
            "stated",
            True,
            COMMAND,
            against=f"pydicom + fp32 loop, one frame at a time: {baseline:.2f} s",
            ratio=round(ratio, 2),
        ),
    ]


def web_imports_torch() -> list[Row]:
    """Whether an interpreter that loaded the web application has torch in it."""
    program = "import sys, config.asgi; print(int('torch' in sys.modules))"
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'platform'}{os.pathsep}{ROOT}"}
    environment["DJANGO_SETTINGS_MODULE"] = "config.settings"
    printed = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    ).stdout
    imported = int(printed.split()[-1])
    return [Row("main.web_imports_torch", imported, "", "0", imported == 0, COMMAND)]


def _ingest(site: Stack, drawn: PhantomExam, folder: Path) -> Path:
    """Take an examination in and wait for its score; the first of its files."""
    files = write_exam(drawn, folder)
    site.manage("ingest", "--wait", *files)
    reader = site.sign_in("radiologist")
    page = f"/api/v1/studies/{drawn.study_uid}/score/"
    wait_until(lambda: reader.json(page)["state"] in {"scored", "not_analysed"}, seconds=120, what="a score")
    return files[0]


def _one_sweep(drawn: PhantomExam, *, frames: int) -> PhantomExam:
    """The examination's first clip alone, repeated or cut to so many frames."""
    sweep = drawn.clips[0]
    times = -(-frames // len(sweep.frames))
    repeated = np.concatenate([sweep.frames] * times)[:frames]
    return replace(drawn, clips=(replace(sweep, frames=repeated, keyframes=()),))


def _stills(drawn: PhantomExam, *, images: int) -> PhantomExam:
    """An examination of single images: frames of its sweeps, one object each."""
    still = next(clip for clip in drawn.clips if clip.still)
    frames = np.concatenate([clip.frames for clip in drawn.clips if not clip.still])[:images]
    clips = [
        replace(still, sop_uid=f"{drawn.study_uid}.{number}", frames=frame[None], keyframes=())
        for number, frame in enumerate(frames, start=1)
    ]
    return replace(drawn, clips=tuple(clips))


def _score_48_frames(site: Stack, folder: Path) -> tuple[float, float]:
    """Seconds of the job, claim to committed result, and of the plain loop over the same file; both are warm."""
    _ingest(site, exam(1, 0, size="small"), folder)
    file = _ingest(site, _one_sweep(exam(1, 1), frames=48), folder)
    query = (
        "from jobs.models import Job; job = Job.objects.filter(kind='score', status='done').latest('finished_at'); "
        "print((job.finished_at - job.started_at).total_seconds())"
    )
    ours = float(site.manage("shell", "-v", "0", "-c", query).split()[-1])
    loop = [sys.executable, "-m", "benchmarks.plain_loop", str(file)]
    printed = subprocess.run(loop, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return ours, float(printed.split()[-1])


def _first_image(site: Stack, folder: Path) -> float:
    """Seconds from the click on a study of 20 images to its first pixels, in a browser that never saw it."""
    drawn = _stills(exam(1, 2), images=20)
    _ingest(site, drawn, folder)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=services.ensure().chromium, args=FLAGS)
        visit = Visit(chromium, site.url, name="bench")
        visit.sign_in("radiologist")
        link = visit.page.locator(f"a[href='/studies/{drawn.study_uid}/']").first
        link.wait_for()
        began = time.monotonic()
        link.click()
        wait_until(visit.sees_an_image, seconds=30, what="the first image")
        return time.monotonic() - began


def _web_memory(site: Stack) -> float:
    """Most memory that the web process ever held in this session, MB."""
    serve = site.processes["serve"].running
    assert serve is not None
    children = Path(f"/proc/{serve.pid}/task/{serve.pid}/children").read_text().split()
    web = next(pid for pid in children if "uvicorn" in Path(f"/proc/{pid}/cmdline").read_text())
    peak = next(line for line in Path(f"/proc/{web}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(peak.split()[1]) / 1024


MEASURES: tuple[Callable[[], list[Row]], ...] = (web_imports_torch, on_one_site, clone_to_first_score)
