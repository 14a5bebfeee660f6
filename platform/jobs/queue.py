"""Asking for work, claiming it, and ending it exactly once.

At least one execution, exactly one result: a claim hands out a token, and only the holder of the job's present token
may write its result, in the same transaction that marks the job done.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet

from jobs import handlers
from jobs.celery_wake import wake
from jobs.clock import database_now
from jobs.models import Job, JobStatus, Queue
from jobs.transitions import Lost, Step, move

logger = logging.getLogger(__name__)

Ending = Callable[[Job], None]

ENDED = (JobStatus.DONE, JobStatus.QUARANTINED, JobStatus.CANCELLED)
BACKOFF = timedelta(seconds=2)
"""Before the second attempt; four times as long before each further one."""
MOST_DEATHS = 20
"""Of whole workers, over one job that was run alone: by then something is wrong that waiting does not mend."""
_URGENCY = {queue.value: position for position, queue in enumerate(Queue)}


def enqueue(
    kind: str,
    *,
    key: str,
    payload: dict[str, Any],
    queue: Queue = Queue.ROUTINE,
    rank: int = 0,
    run_after: datetime | None = None,
    reopen: bool = False,
) -> Job:
    """Ask for a piece of work in the caller's transaction, which must be open: the job exists if the change does.

    The same (kind, key) is one row. Asking again makes a queued one more urgent if need be, and reopens one that has
    ended only with ``reopen``. Celery, if there is one, is woken after the commit; losing that loses nothing.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("enqueue a job inside the transaction that makes it necessary")
    due = run_after or database_now()
    values = {"payload": payload, "queue": queue, "rank": rank, "run_after": due, "created_at": due}
    job, created = Job.objects.get_or_create(kind=kind, key=key, defaults=values)
    if not created:
        _ask_again(job, queue=queue, rank=rank, due=due, payload=payload if reopen else None)
    transaction.on_commit(lambda: wake(job.queue), robust=True)
    return job


def _ask_again(job: Job, *, queue: Queue, rank: int, due: datetime, payload: dict[str, Any] | None) -> None:
    if job.status == JobStatus.QUEUED and (_URGENCY[queue], rank) < (_URGENCY[job.queue], job.rank):
        Job.objects.filter(pk=job.pk, status=JobStatus.QUEUED).update(queue=queue, rank=rank)
        job.queue, job.rank = queue, rank
    if payload is None or job.status not in ENDED:
        return
    reset: dict[str, Any] = {"attempts": 0, "alone": False, "deaths": 0, "error": "", "progress": {}}
    reset |= {"cancel_requested": False, "finished_at": None}
    move(job, Step.REOPEN, payload=payload, queue=queue, rank=rank, run_after=due, **reset)
    job.refresh_from_db()


def _claimable(queue: str, now: datetime) -> QuerySet[Job]:
    rows = Job.objects.filter(queue=queue, status=JobStatus.QUEUED, run_after__lte=now)
    return rows.order_by("rank", "run_after", "id")


def claimable(queues: Iterable[str]) -> list[str]:
    """Those of the queues in which a job waits to be started, the most urgent first."""
    now = database_now()
    return [queue for queue in sorted(queues, key=_URGENCY.__getitem__) if _claimable(queue, now).exists()]


def claim(queues: Iterable[str], worker: str) -> Job | None:
    """Take the most urgent job that waits, count the attempt, and lease it; None if nothing waits.

    SQLite's transaction holds the write lock from its start; PostgreSQL's skips rows that another worker holds.
    The look before the transaction keeps an idle worker from taking SQLite's lock over and over.
    """
    for queue in claimable(queues):
        with transaction.atomic():
            now = database_now()
            rows = _claimable(queue, now)
            if connection.features.has_select_for_update_skip_locked:
                rows = rows.select_for_update(skip_locked=True)
            job = rows.first()
            if job is not None:
                _lease(job, worker=worker, now=now)
                _tell_claimed(job)
                return job
    return None


def _lease(job: Job, *, worker: str, now: datetime) -> None:
    leased: dict[str, Any] = {
        "token": uuid.uuid4(),
        "worker": worker,
        "lease_until": now + settings.JOB_LEASE,
        "started_at": now,
    }
    move(job, Step.CLAIM, claim=job.token, attempts=job.attempts + 1, **leased)
    job.refresh_from_db()


def _tell_claimed(job: Job) -> None:
    """A job of a kind that this worker does not know fails when it is run, with the reason."""
    if job.kind in handlers.registered():
        handlers.find(job.kind).claimed(job)


def _running(job: Job) -> QuerySet[Job]:
    """The row of a job while the claim that ``job`` carries is the present one."""
    return Job.objects.filter(pk=job.pk, status=JobStatus.RUNNING, token=job.token)


def heartbeat(job: Job) -> None:
    """Extend the lease. Raises Lost when it is no longer this claim's to extend."""
    if _running(job).update(lease_until=database_now() + settings.JOB_LEASE) != 1:
        raise Lost(f"job {job.pk} is no longer this worker's")


def set_progress(job: Job, progress: dict[str, Any]) -> None:
    """Show how far a running job is. Raises Lost."""
    if _running(job).update(progress=progress) != 1:
        raise Lost(f"job {job.pk} is no longer this worker's")


def finish(job: Job, apply: Callable[[], None]) -> None:
    """Mark the job done and write its result, in one transaction. Raises Lost, and then nothing was written.

    The row is taken first: from there on no sweep and no other claim can come between the check and the result.
    """
    _end(job, Step.FINISH, then=apply)


def stop(job: Job) -> None:
    """End a running job that somebody asked to cancel. Raises Lost."""
    _end(job, Step.CANCEL, then=lambda: handlers.find(job.kind).cancelled(job))


def quarantine(job: Job, error: str) -> None:
    """End a job that must not be tried again, and run its handler's callback with the reason. Raises Lost."""
    _end(job, Step.QUARANTINE, then=lambda: _call_back(job, error), error=error)


def _call_back(job: Job, error: str) -> None:
    """A job of a kind that this worker does not know has no callback."""
    if job.kind in handlers.registered():
        handlers.find(job.kind).quarantined(job, error)


def _end(job: Job, step: Step, *, then: Callable[[], None], error: str = "") -> None:
    with transaction.atomic():
        move(job, step, claim=job.token, lease_until=None, finished_at=database_now(), error=error)
        then()
    job.refresh_from_db()


def release(job: Job, **changes: Any) -> None:
    """Put a running job back unharmed, as a worker does that is told to stop: the attempt does not count."""
    with transaction.atomic():
        uncounted: dict[str, Any] = {"attempts": max(0, job.attempts - 1), "lease_until": None}
        move(job, Step.RELEASE, claim=job.token, run_after=database_now(), **uncounted, **changes)
        transaction.on_commit(lambda: wake(job.queue), robust=True)
    job.refresh_from_db()


def fail(job: Job, error: str, **changes: Any) -> None:
    """One attempt failed: try again after a while, or quarantine the job after the last. Raises Lost."""
    if job.attempts >= settings.JOB_MAX_ATTEMPTS:
        quarantine(job, error)
        return
    with transaction.atomic():
        due = database_now() + BACKOFF * 4 ** (job.attempts - 1)
        move(job, Step.RETRY, claim=job.token, lease_until=None, run_after=due, error=error, **changes)
    job.refresh_from_db()


def sweep() -> int:
    """Take back the jobs of workers that died; the number of them. Safe in several workers at once."""
    lapsed = list(Job.objects.filter(status=JobStatus.RUNNING, lease_until__lt=database_now())[:100])
    return sum(_take_back(job) for job in lapsed)


def _take_back(job: Job) -> bool:
    error = f"The worker {job.worker} stopped without a word during attempt {job.attempts}."
    try:
        with transaction.atomic():
            # A heartbeat may have come between the look and the lock: the lease is looked at again under it.
            if not Job.objects.filter(pk=job.pk, token=job.token, lease_until__lt=database_now()).exists():
                return False
            _after_death(job, error)
    except Lost:
        return False
    logger.warning("job %s (%s) was taken back. %s", job.pk, job.kind, error)
    return True


def _after_death(job: Job, error: str) -> None:
    """What becomes of a job whose worker died.

    The first time the attempt counts, and from then on the job is run alone. A whole worker that dies although the job
    was alone died of something else: the attempt does not count, so that random kills never quarantine a job.
    """
    if job.cancel_requested:
        stop(job)
    elif job.deaths >= MOST_DEATHS:
        quarantine(job, error)
    elif job.alone:
        release(job, deaths=job.deaths + 1, error=error)
    else:
        fail(job, error, alone=True, deaths=job.deaths + 1)


def request_cancel(job: Job) -> bool:
    """Cancel a job: at once if it waits or its handler says so, else at its next look. False if it had ended."""
    with transaction.atomic():
        requested = Job.objects.filter(pk=job.pk).exclude(status__in=ENDED).update(cancel_requested=True)
        job.refresh_from_db()
        if job.status == JobStatus.QUEUED:
            move(job, Step.CANCEL, finished_at=database_now())
            handlers.find(job.kind).cancelled(job)
        elif job.status == JobStatus.RUNNING and handlers.find(job.kind).cancel_at_once:
            stop(job)
    job.refresh_from_db()
    return bool(requested)
