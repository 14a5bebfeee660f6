"""Celery's two tasks. They carry no work of their own: the job table does.

`celery -A config worker -Q stat,routine -B --pool solo` triages, `celery -A config worker -Q train --pool solo` trains.
"""

from __future__ import annotations

import time
from typing import Any

from celery import Celery, Task, current_app
from celery.signals import worker_ready, worker_shutting_down
from django.db import close_old_connections

from jobs import periodic
from jobs.celery_wake import WAKE, wake
from jobs.models import Queue
from jobs.queue import claimable
from jobs.worker import Worker

TICK = "jobs.tick"
NUDGE_SECONDS = 5.0
_TICK_EVERY = 1.0

current_app.conf.update(
    beat_schedule={
        TICK: {"task": TICK, "schedule": _TICK_EVERY, "options": {"queue": Queue.ROUTINE.value, "expires": 5}}
    },
    beat_scheduler="jobs.celery_beat:MemoryScheduler",
    broker_connection_retry_on_startup=True,
    task_default_queue=Queue.ROUTINE.value,
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
)

_workers: dict[tuple[str, ...], Worker] = {}
_nudged: dict[str, float] = {}


def _served(app: Celery) -> tuple[str, ...]:
    """The queues that this Celery worker was started with."""
    consumed = set(app.amqp.queues.consume_from)
    return tuple(queue.value for queue in Queue if queue.value in consumed)


def _worker(queues: tuple[str, ...]) -> Worker:
    return _workers.setdefault(queues, Worker(queues))


@worker_ready.connect
def _start(sender: Any = None, **_: Any) -> None:
    periodic.start_all(_served(sender.app))


@worker_shutting_down.connect
def _drain(**_: Any) -> None:
    for worker in _workers.values():
        worker.draining.set()


def _work(task: Task[..., Any]) -> int:
    close_old_connections()
    try:
        return _worker(_served(task.app)).run(once=True)
    finally:
        close_old_connections()


@current_app.task(name=WAKE, bind=True)
def wake_task(self: Task[..., Any]) -> int:
    """Do what waits in this worker's queues, the most urgent first, until nothing does; the number of jobs."""
    return _work(self)


@current_app.task(name=TICK, bind=True)
def tick_task(self: Task[..., Any]) -> int:
    """The same every second, whether or not a hint arrived, and a hint again to the workers of the other queues."""
    for queue in claimable(set(Queue.values) - set(_served(self.app))):
        if time.monotonic() - _nudged.get(queue, -NUDGE_SECONDS) >= NUDGE_SECONDS:
            _nudged[queue] = time.monotonic()
            wake(queue)
    return _work(self)
