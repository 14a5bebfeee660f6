"""Children are restarted when they die and stopped when the supervisor is."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import pytest

from jobs import supervisor
from jobs.supervisor import Child, supervise


def child(program: str) -> Child:
    return Child("a child", [sys.executable, "-c", program], dict(os.environ))


def run(one: Child, *, seconds: float) -> None:
    stopping = threading.Event()
    threading.Timer(seconds, stopping.set).start()
    supervise([one], stopping)


def test_a_child_that_dies_is_started_again_and_waits_longer_each_time() -> None:
    one = child("")
    waits = []
    for _ in range(3):
        one.start_at = 0.0  # as if it had waited
        one.look()
        assert one.process is not None
        one.process.wait()
        one.look()
        waits.append(one.start_at - time.monotonic())
    assert waits == [pytest.approx(wait, abs=0.9) for wait in (1, 2, 4)]


def test_a_child_is_told_to_stop() -> None:
    one = child("import time; time.sleep(60)")
    began = time.monotonic()
    run(one, seconds=0.3)
    assert one.process is not None
    assert one.process.returncode == -15
    assert time.monotonic() - began < 10


def test_a_child_that_will_not_stop_is_killed_after_the_grace(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(supervisor, "GRACE_SECONDS", 0.5)
    deaf = tmp_path / "deaf"
    ignore = "import pathlib, signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    one = child(f"{ignore} pathlib.Path({str(deaf)!r}).touch(); time.sleep(60)")
    one.look()
    while not deaf.exists():
        time.sleep(0.01)
    run(one, seconds=0)
    assert one.process is not None
    assert one.process.returncode == -9
