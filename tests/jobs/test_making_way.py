"""Whoever runs training makes way for triage: `manage.py worker` and the thread of a Celery worker alike."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence

import pytest

from jobs.worker import NICE_OF_TRAINING, Worker


def niceness_of(queues: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> int:
    """Of the thread that works, once it has begun; a thread of its own, since it cannot be taken back."""
    monkeypatch.setattr("jobs.worker.Heartbeat.__enter__", lambda self: self)
    monkeypatch.setattr("jobs.worker.periodic.start_all", lambda queues: None)
    found: list[int] = []

    def work() -> None:
        worker = Worker(queues)
        worker.draining.set()
        worker.run(starting=True)
        found.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return found[0]


def test_a_worker_that_only_trains_is_nice_and_takes_half_of_the_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert niceness_of(["train"], monkeypatch) >= NICE_OF_TRAINING
    assert os.environ["OMP_NUM_THREADS"] == str(max(1, (os.cpu_count() or 2) // 2))


@pytest.mark.parametrize("queues", [["stat", "routine"], ["stat", "routine", "train"]])
def test_a_worker_that_triages_is_not(monkeypatch: pytest.MonkeyPatch, queues: list[str]) -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    assert niceness_of(queues, monkeypatch) == before
