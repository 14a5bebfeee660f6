"""Children are restarted when they die and stopped when the supervisor is."""

from __future__ import annotations

import os
import sys
import threading
import time

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
    run(one, seconds=2.0)
    assert 2 <= one.deaths <= 3


def test_a_child_is_told_to_stop() -> None:
    one = child("import time; time.sleep(60)")
    began = time.monotonic()
    run(one, seconds=0.3)
    assert one.process is not None
    assert one.process.returncode == -15
    assert time.monotonic() - began < 10


def test_a_child_that_will_not_stop_is_killed_after_the_grace(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(supervisor, "GRACE_SECONDS", 0.5)
    one = child("import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)")
    run(one, seconds=0.6)
    assert one.process is not None
    assert one.process.returncode == -9
