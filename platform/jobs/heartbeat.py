"""What shows that a worker lives: its row in the database, and the lease of its job, both renewed by a thread."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import timedelta
from types import TracebackType
from typing import Self

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection

from jobs import queue
from jobs.clock import database_now
from jobs.models import Job, WorkerHeartbeat
from jobs.transitions import Lost

logger = logging.getLogger(__name__)

PRESENCE_SECONDS = 4.0
ALIVE_WITHIN = timedelta(seconds=15)
EXIT_HUNG = 70


def is_served(queues: Iterable[str]) -> bool:
    """Whether a worker of any of these queues said lately that it lives."""
    asked = set(queues)
    seen = WorkerHeartbeat.objects.filter(seen_at__gte=database_now() - ALIVE_WITHIN)
    return any(asked.intersection(served) for served in seen.values_list("queues", flat=True))


class Heartbeat:
    """A thread, while the context is open. ``lost`` is set once the job's lease is another worker's."""

    def __init__(self, worker: str, queues: Sequence[str]) -> None:
        self.worker = worker
        self.queues = list(queues)
        self.lost = threading.Event()
        self._lock = threading.Lock()
        self._job: Job | None = None
        self._deadline: float | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.show_presence()
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def remove_presence(self) -> None:
        """Delete the worker's row: one that ends on purpose is gone at once, not only when its row has grown old."""
        with suppress(DatabaseError):
            WorkerHeartbeat.objects.filter(worker=self.worker).delete()

    def watch(self, job: Job | None, limit_seconds: float | None = None) -> None:
        """From now on renew the lease of this job, or of none. After ``limit_seconds`` the process is ended."""
        with self._lock:
            self._job = job
            self._deadline = None if limit_seconds is None else time.monotonic() + limit_seconds
            self.lost.clear()

    @property
    def is_busy(self) -> bool:
        """Whether there is a job whose lease it renews."""
        return self._job is not None

    def put_back(self) -> None:
        """Give the watched job back to the queue, in the place of a handler that does not look whether to stop."""
        with self._lock, suppress(Lost):
            if self._job is not None:
                queue.release(self._job)

    def show_presence(self) -> None:
        """Write the worker's row. A process that was started for one job serves no queue and has no row."""
        if not self.queues:
            return
        now = database_now()
        facts = {"queues": self.queues, "seen_at": now}
        WorkerHeartbeat.objects.update_or_create(
            worker=self.worker, defaults=facts, create_defaults={**facts, "started_at": now}
        )

    def _run(self) -> None:
        interval = min(PRESENCE_SECONDS, settings.JOB_LEASE.total_seconds() / 3)
        while not self._stop.wait(interval):
            try:
                self._beat()
            except DatabaseError:
                logger.warning("the database did not take a heartbeat; the next one is tried", exc_info=True)
                close_old_connections()
        connection.close()

    def _beat(self) -> None:
        self.show_presence()
        with self._lock:
            if self._job is None or self.lost.is_set():
                return
            if self._deadline is not None and time.monotonic() > self._deadline:
                logger.error("job %s hangs; this worker ends itself so that the job is taken back", self._job.pk)
                os._exit(EXIT_HUNG)
            try:
                queue.heartbeat(self._job)
            except Lost:
                self.lost.set()
