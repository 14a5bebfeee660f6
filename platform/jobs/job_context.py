"""What a handler sees of its job."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from jobs import queue
from jobs.models import Job, JobStatus
from jobs.transitions import Lost

LOOK_SECONDS = 0.5


class Cancelled(Exception):
    """A person asked to cancel the job; raised by the handler, which has nothing more to write."""


class Draining(Exception):
    """The worker was told to stop; the job goes back to the queue unharmed."""


class JobContext:
    """Handed to a handler. Everything that it writes as a result goes through ``finish``."""

    def __init__(self, job: Job, *, draining: threading.Event, lost: threading.Event) -> None:
        self.job = job
        self._draining = draining
        self._lost = lost
        self._looked = 0.0
        self._cancelled = False

    @property
    def payload(self) -> dict[str, Any]:
        payload: dict[str, Any] = self.job.payload
        return payload

    @property
    def finished(self) -> bool:
        return self.job.status == JobStatus.DONE

    def _check(self) -> None:
        if self._lost.is_set():
            raise Lost(f"job {self.job.pk} is no longer this worker's")
        if self._draining.is_set():
            raise Draining

    def progress(self, facts: dict[str, Any]) -> None:
        """Show how far it is. Raises Lost or Draining, which the handler lets pass."""
        self._check()
        queue.set_progress(self.job, facts)

    def cancelled(self) -> bool:
        """Whether somebody asked to cancel; cheap enough for inner loops. Raises Lost or Draining."""
        self._check()
        if not self._cancelled and time.monotonic() - self._looked >= LOOK_SECONDS:
            self._looked = time.monotonic()
            self._cancelled = Job.objects.filter(pk=self.job.pk, cancel_requested=True).exists()
        return self._cancelled

    def finish(self, apply: Callable[[], None]) -> None:
        """Write the result and mark the job done, in one transaction. Raises Lost, and then nothing was written."""
        queue.finish(self.job, apply)
