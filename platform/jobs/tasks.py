"""A Celery worker as a worker of the job table: it does what the table holds whether or not the broker answers.

`celery -A config worker -Q stat,routine --pool solo` triages, `celery -A config worker -Q train --pool solo` trains.
The jobs are done by a thread that looks into the table every second. Celery carries no work: a hint that arrives
through the broker only has that thread look at once.
"""

from __future__ import annotations

import threading
from typing import Any

from celery import Celery, current_app
from celery.signals import celeryd_after_setup, worker_shutdown, worker_shutting_down

from jobs.celery_wake import WAKE
from jobs.models import Queue
from jobs.worker import Worker

LOOK_SECONDS = 1.0

current_app.conf.update(
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,  # for ever: the table is worked through meanwhile
    task_default_queue=Queue.ROUTINE.value,
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
)

_running: list[tuple[Worker, threading.Thread]] = []


def _served(app: Celery) -> tuple[str, ...]:
    """The queues that this Celery worker was started with."""
    consumed = set(app.amqp.queues.consume_from)
    return tuple(queue.value for queue in Queue if queue.value in consumed)


@celeryd_after_setup.connect
def _start(instance: Any = None, **_: Any) -> None:
    """Before Celery first looks for its broker, which it may never find."""
    worker = Worker(_served(instance.app), idle_seconds=LOOK_SECONDS)
    thread = threading.Thread(target=worker.run_on, name="jobs")
    _running.append((worker, thread))
    thread.start()


@worker_shutting_down.connect
def _drain(**_: Any) -> None:
    for worker, _thread in _running:
        worker.drain()


@worker_shutdown.connect
def _wait(**_: Any) -> None:
    for _worker, thread in _running:
        thread.join()


@current_app.task(name=WAKE)
def wake_task() -> None:
    """Have the job table looked into at once."""
    for worker, _ in _running:
        worker.woken.set()
