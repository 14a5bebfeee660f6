"""The loop that does jobs: claims one, has it run, and looks for the next."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Sequence

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection

from jobs import isolated_process, periodic, queue
from jobs.heartbeat import Heartbeat
from jobs.models import Job, Queue
from jobs.runner import Runner, end

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.05
TICK_SECONDS = 1.0
DATABASE_RETRY_SECONDS = 1.0
RESTART_SECONDS = 1.0
PUT_BACK_SECONDS = 3.0
IDLE_GRACE_SECONDS = 5.0
NICE_OF_TRAINING = 10


def make_way_for_triage() -> None:
    """Training takes what triage leaves: this thread, the threads and the processes that it starts from now on.

    The thread limit must be set before torch is imported. A niceness that whoever started the process chose stays.
    """
    if os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) < NICE_OF_TRAINING:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE_OF_TRAINING)
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 2) // 2)))


def worker_name() -> str:
    """Names one start of one process: a number that the system hands out again must not look like the same worker."""
    return f"{socket.gethostname()[:60]}:{os.getpid()}:{uuid.uuid4().hex[:6]}"


class Worker:
    """Serves some queues in this process, one job at a time. Set ``draining`` to have it end after the present job,
    or ``drain`` it, and it ends within ``WORKER_GRACE_SECONDS``.

    Where nothing waits it looks again after ``idle_seconds``, or as soon as ``woken`` is set.
    """

    def __init__(self, queues: Sequence[str], *, idle_seconds: float = POLL_SECONDS) -> None:
        self.name = worker_name()
        self.queues = tuple(queues)
        self.idle_seconds = idle_seconds
        self.draining = threading.Event()
        self.woken = threading.Event()
        self.heartbeat = Heartbeat(self.name, queues)
        self.runner = Runner(self.heartbeat, self.draining)
        self._ticked = 0.0

    def run(self, *, once: bool = False, starting: bool = False) -> int:
        """Work until told to drain, or with ``once`` until nothing waits. The number of jobs that were run.

        ``starting``: this process is a worker for good, and prepares itself before its first job.
        """
        done = 0
        if starting and self.queues == (Queue.TRAIN,):
            make_way_for_triage()
        with self.heartbeat:
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
                    self._rest()
        return done

    def drain(self) -> None:
        """Told to stop: a job that looks puts itself back; one that does not is put back, and the process leaves."""
        if not self.draining.is_set():
            self.draining.set()
            self.woken.set()
            grace = settings.WORKER_GRACE_SECONDS if self.heartbeat.is_busy else IDLE_GRACE_SECONDS
            leaving = threading.Timer(grace, self._leave)
            leaving.daemon = True
            leaving.start()

    def _leave(self) -> None:
        logger.warning("the worker was told to stop and did not; it leaves, and a job that it has is put back")
        putting_back = threading.Thread(target=self._put_back, daemon=True)
        putting_back.start()
        putting_back.join(PUT_BACK_SECONDS)
        os._exit(0)

    def _put_back(self) -> None:
        self.heartbeat.put_back()
        self.heartbeat.remove_presence()

    def _rest(self) -> None:
        self.woken.wait(self.idle_seconds)
        self.woken.clear()

    def run_on(self) -> None:
        """Work until told to drain, whatever fails: for a thread, whose end nobody would notice."""
        while not self.draining.is_set():
            try:
                self.run(starting=True)
            except Exception:
                logger.exception("the worker's loop stopped; it begins again in a second")
                close_old_connections()
                self.draining.wait(RESTART_SECONDS)
        self.heartbeat.remove_presence()
        connection.close()

    def run_while(self, waiting: Callable[[], bool]) -> None:
        """Work as long as ``waiting`` holds, beside whatever other workers there are, then leave. For commands."""
        while waiting():
            self.run(once=True)
            self.draining.wait(2 * POLL_SECONDS)
        self.heartbeat.remove_presence()

    def step(self) -> bool:
        """Tick if it is time, then do one job. False if none waits."""
        if time.monotonic() - self._ticked >= TICK_SECONDS:
            self._ticked = time.monotonic()
            periodic.run_all()
        job = queue.claim(self.queues, self.name)
        if job is None:
            return False
        if job.alone:
            self._run_alone(job)
        else:
            self.runner.run(job)
        return True

    def _run_alone(self, job: Job) -> None:
        """A job that a worker died over goes to a process of its own; this one renews its lease meanwhile."""
        self.heartbeat.watch(job)
        try:
            isolated_process.run(job, self.draining)
        except isolated_process.Died as death:
            logger.warning("job %s (%s), run alone: %s", job.pk, job.kind, death)
            reason = str(death)
            end(job, lambda running: queue.fail(running, reason))
        finally:
            self.heartbeat.watch(None)

    def _wait_for_database(self) -> None:
        logger.warning("the database does not answer; trying again in a second", exc_info=True)
        close_old_connections()
        self.draining.wait(DATABASE_RETRY_SECONDS)
