"""Running one claimed job: its handler, its heartbeat, and its end, whatever that is."""

from __future__ import annotations

import logging
import threading
import traceback

from jobs import handlers, queue
from jobs.heartbeat import Heartbeat
from jobs.job_context import Cancelled, Draining, JobContext
from jobs.models import Job
from jobs.transitions import Lost

logger = logging.getLogger(__name__)

ERROR_LENGTH = 4000


class Runner:
    """Runs jobs in this process. Once ``draining`` is set, a handler that looks puts its job back."""

    def __init__(self, heartbeat: Heartbeat, draining: threading.Event) -> None:
        self.heartbeat = heartbeat
        self.draining = draining

    def run(self, job: Job) -> None:
        """Run a claimed job's handler and end the job as it went: done, failed, cancelled or put back."""
        context = JobContext(job, draining=self.draining, lost=self.heartbeat.lost)
        try:
            self._handle(context)
        except Lost:
            logger.warning("job %s (%s) was taken away while it ran; its result was not written", job.pk, job.kind)
        except Cancelled:
            end(job, queue.stop)
        except Draining:
            end(job, queue.release)
        except Exception as error:
            logger.exception("job %s (%s) failed, attempt %s", job.pk, job.kind, job.attempts)
            reason = "".join(traceback.format_exception_only(error)).strip()[:ERROR_LENGTH]
            end(job, lambda running: queue.fail(running, reason))
        finally:
            self.heartbeat.watch(None)

    def _handle(self, context: JobContext) -> None:
        handler = handlers.find(context.job.kind)
        self.heartbeat.watch(context.job, handler.limit_seconds)
        handler(context)
        if not context.finished:
            context.finish(lambda: None)


def end(job: Job, ending: queue.Ending) -> None:
    """End a running job, unless another process has moved it in the meantime."""
    try:
        ending(job)
    except Lost:
        logger.warning("job %s (%s) was taken away before it could be ended", job.pk, job.kind)
