"""What may become of a job, as data. Whatever is not in the table cannot happen."""

from __future__ import annotations

from enum import StrEnum
from typing import Any
from uuid import UUID

from jobs.models import Job, JobStatus


class Step(StrEnum):
    """What happens to a job."""

    CLAIM = "claim"
    FINISH = "finish"
    RETRY = "retry"
    RELEASE = "release"
    QUARANTINE = "quarantine"
    CANCEL = "cancel"
    REOPEN = "reopen"


TRANSITIONS: dict[tuple[JobStatus, Step], JobStatus] = {
    (JobStatus.QUEUED, Step.CLAIM): JobStatus.RUNNING,
    (JobStatus.QUEUED, Step.CANCEL): JobStatus.CANCELLED,
    (JobStatus.RUNNING, Step.FINISH): JobStatus.DONE,
    (JobStatus.RUNNING, Step.RETRY): JobStatus.QUEUED,
    (JobStatus.RUNNING, Step.RELEASE): JobStatus.QUEUED,
    (JobStatus.RUNNING, Step.QUARANTINE): JobStatus.QUARANTINED,
    (JobStatus.RUNNING, Step.CANCEL): JobStatus.CANCELLED,
    (JobStatus.DONE, Step.REOPEN): JobStatus.QUEUED,
    (JobStatus.QUARANTINED, Step.REOPEN): JobStatus.QUEUED,
    (JobStatus.CANCELLED, Step.REOPEN): JobStatus.QUEUED,
}


class NotAllowed(Exception):
    """The job's status does not allow this step."""


class Lost(Exception):
    """Another process moved the job first: this one's lease lapsed, or it was cancelled."""


def target(status: JobStatus, step: Step) -> JobStatus:
    """The status after a step. Raises NotAllowed for a pair that is not in the table."""
    try:
        return TRANSITIONS[(status, step)]
    except KeyError:
        raise NotAllowed(f"a {status} job cannot {step}") from None


def move(job: Job, step: Step, *, claim: UUID | None = None, **changes: Any) -> None:
    """Compare and set: one UPDATE that succeeds for one process only, in the caller's transaction.

    ``claim`` is the token of the claim that must still be the present one. Raises NotAllowed, or Lost if the row is no
    longer what ``job`` says; ``job`` itself is left as it is, since the transaction may yet roll back.
    """
    status = target(JobStatus(job.status), step)
    rows = Job.objects.filter(pk=job.pk, status=job.status)
    if claim is not None:
        rows = rows.filter(token=claim)
    if rows.update(status=status, **changes) != 1:
        raise Lost(f"job {job.pk} was moved by another process")
