"""The demo is told to stop: after the grace nothing that it started lives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.supervisor import GRACE_SECONDS
from tests.services.stack import ROOT, free_port, wait_until

pytestmark = [pytest.mark.services, pytest.mark.timeout(300)]
BUSY_SECONDS = 5.0
"""Long enough for helpers to set themselves up, and to fail at it."""
SMALL = ["--unread=60", "--queue=0", "--history=0", "--processes=2"]


def _parents() -> dict[int, int]:
    """Parent by process, of all that live; what has ended and waits to be collected lives no more."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state not in "ZX":
            found[int(stat.parent.name)] = int(parent)
    return found


def _below(root: int) -> set[int]:
    parents, found = _parents(), {root}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {root}


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def _at_work(root: int) -> set[int]:
    """What runs below the demo, once the site is up and the feeder has others generate."""
    found = _below(root)
    commands = [_command(pid) for pid in found]
    parts = ("--feed", "uvicorn", "--queues stat,routine", "--queues train")
    helpers = sum("spawn_main" in command for command in commands)
    return found if helpers == 2 and all(part in " ".join(commands) for part in parts) else set()


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, "FONTANELLE_VAR": str(tmp_path), "LOG_LEVEL": "WARNING"}
    with (tmp_path / "log").open("wb") as log:
        command = [sys.executable, str(ROOT / "manage.py"), "demo", "--port", str(free_port()), *SMALL]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def started(demo: subprocess.Popen[bytes]) -> set[int]:
    """Every process of the demo, in the middle of its work."""
    wait_until(lambda: _at_work(demo.pid), seconds=150, what="everything is at work")
    time.sleep(BUSY_SECONDS)
    return _at_work(demo.pid)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_nothing_of_the_demo_outlives_its_grace(
    demo: subprocess.Popen[bytes], started: set[int], number: signal.Signals
) -> None:
    assert started
    began = time.monotonic()
    demo.send_signal(number)
    assert demo.wait(GRACE_SECONDS + 5) == 0
    assert time.monotonic() - began < GRACE_SECONDS + 2
    assert {_command(pid) for pid in started & _parents().keys()} - {""} == set()


def test_what_a_killed_demo_started_ends_too(demo: subprocess.Popen[bytes], started: set[int]) -> None:
    demo.kill()
    demo.wait()
    wait_until(lambda: not started & _parents().keys(), seconds=GRACE_SECONDS + 5, what="all of it has ended")


def test_the_feeder_alone_ends_at_once(tmp_path: Path) -> None:
    environment = {**os.environ, "FONTANELLE_VAR": str(tmp_path), "LOG_LEVEL": "WARNING"}
    manage = [sys.executable, str(ROOT / "manage.py")]
    subprocess.run([*manage, "demo", "--prepare"], env=environment, check=True, stdout=subprocess.DEVNULL)
    feeder = subprocess.Popen([*manage, "demo", "--feed", *SMALL], env=environment)
    wait_until(lambda: len(_below(feeder.pid)) >= 3, seconds=60, what="it has helpers")
    time.sleep(BUSY_SECONDS)
    started = _below(feeder.pid)
    assert feeder.poll() is None
    feeder.send_signal(signal.SIGINT)
    assert feeder.wait(10) == 0
    wait_until(lambda: not started & _parents().keys(), seconds=10, what="its processes have ended")
