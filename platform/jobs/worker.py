"""The loop that does jobs: claims one, beats while it runs, ends it, and looks for the next."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
import traceback
import uuid
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection

from jobs import handlers, isolated_process, periodic, queue
from jobs.clock import database_now
from jobs.job_context import Cancelled, Draining, JobContext
from jobs.models import Job, WorkerHeartbeat
from jobs.transitions import Lost

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.05
TICK_SECONDS = 1.0
PRESENCE_SECONDS = 4.0
ERROR_LENGTH = 4000
EXIT_HUNG = 70


def worker_name() -> str:
    """Names one start of one process: a number that the system hands out again must not look like the same worker."""
    return f"{socket.gethostname()[:60]}:{os.getpid()}:{uuid.uuid4().hex[:6]}"


class Pulse:
    """A thread that says that the worker lives and extends the lease of the job that it is doing."""

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
        self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def say_goodbye(self) -> None:
        """A worker that stops on purpose is not waited for."""
        with suppress(DatabaseError):
            WorkerHeartbeat.objects.filter(worker=self.worker).delete()

    def watch(self, job: Job | None, limit_seconds: float | None = None) -> None:
        """From now on beat for this job, or for none."""
        with self._lock:
            self._job = job
            self._deadline = None if limit_seconds is None else time.monotonic() + limit_seconds
            self.lost.clear()

    def show_presence(self) -> None:
        """A process that serves no queue, since it was started for one job, is nobody's sign of life."""
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


class Worker:
    """Serves some queues in this process, one job at a time."""

    def __init__(self, queues: Sequence[str]) -> None:
        self.name = worker_name()
        self.queues = tuple(queues)
        self.draining = threading.Event()
        self.pulse = Pulse(self.name, queues)
        self._ticked = 0.0

    def run(self, *, once: bool = False, starting: bool = False) -> int:
        """Work until told to drain, or with ``once`` until nothing waits. The number of jobs that were run.

        ``starting``: this process is a worker for good, and prepares itself before its first job.
        """
        done = 0
        with self.pulse:
            if starting:
                periodic.start_all(self.queues)
            while not self.draining.is_set():
                try:
                    worked = self.step()
                except DatabaseError:
                    self._wait_for_database()
                    continue
                done += worked
                if once and not worked:
                    break
                if not worked:
                    self.draining.wait(POLL_SECONDS)
        return done

    def step(self) -> bool:
        """Tick if it is time, then do one job. False if none waits."""
        if time.monotonic() - self._ticked >= TICK_SECONDS:
            self._ticked = time.monotonic()
            periodic.run_all()
        job = queue.claim(self.queues, self.name)
        if job is None:
            return False
        if job.alone:
            self._delegate(job)
        else:
            self.perform(job)
        return True

    def _delegate(self, job: Job) -> None:
        """A job that a worker died over goes to a process of its own."""
        self.pulse.watch(job)
        try:
            isolated_process.run(job, self.draining)
        except isolated_process.Died as death:
            logger.warning("job %s (%s), run alone: %s", job.pk, job.kind, death)
            words = str(death)
            self._end(job, lambda held: queue.fail(held, words))
        finally:
            self.pulse.watch(None)

    def perform_alone(self, job: Job) -> None:
        """In a process that was started for this job only."""
        with self.pulse:
            self.perform(job)

    def perform(self, job: Job) -> None:
        """Run one claimed job and end it, whatever becomes of its handler."""
        context = JobContext(job, draining=self.draining, lost=self.pulse.lost)
        try:
            handler = handlers.find(job.kind)
            self.pulse.watch(job, handler.limit_seconds)
            handler(context)
            if not context.finished:
                context.finish(lambda: None)
        except Lost:
            logger.warning("job %s (%s) was taken away while it ran; its result was not written", job.pk, job.kind)
        except Cancelled:
            self._end(job, queue.stop)
        except Draining:
            self._end(job, queue.release)
        except Exception as error:
            logger.exception("job %s (%s) failed, attempt %s", job.pk, job.kind, job.attempts)
            words = "".join(traceback.format_exception_only(error)).strip()[:ERROR_LENGTH]
            self._end(job, lambda held: queue.fail(held, words))
        finally:
            self.pulse.watch(None)

    def _end(self, job: Job, how: queue.Ending) -> None:
        try:
            how(job)
        except Lost:
            logger.warning("job %s (%s) was taken away before it could be put down", job.pk, job.kind)

    def _wait_for_database(self) -> None:
        logger.warning("the database does not answer; trying again in a second", exc_info=True)
        close_old_connections()
        self.draining.wait(1.0)
