"""What may become of a training run, as data. Whatever is not in the table cannot happen."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from jobs.transitions import Lost, NotAllowed
from training.models import RunStatus, TrainingRun


class RunStep(StrEnum):
    """What happens to a run, always in the transaction in which the same happens to its job."""

    BEGIN = "begin"
    FINISH = "finish"
    FAIL = "fail"
    CANCEL = "cancel"


TRANSITIONS: dict[tuple[RunStatus, RunStep], RunStatus] = {
    (RunStatus.QUEUED, RunStep.BEGIN): RunStatus.RUNNING,
    (RunStatus.QUEUED, RunStep.CANCEL): RunStatus.CANCELLED,
    # The workers died before they could begin, and the job was put in quarantine.
    (RunStatus.QUEUED, RunStep.FAIL): RunStatus.FAILED,
    # The worker died or was stopped, and another one begins anew.
    (RunStatus.RUNNING, RunStep.BEGIN): RunStatus.RUNNING,
    (RunStatus.RUNNING, RunStep.FINISH): RunStatus.DONE,
    (RunStatus.RUNNING, RunStep.FAIL): RunStatus.FAILED,
    (RunStatus.RUNNING, RunStep.CANCEL): RunStatus.CANCELLED,
}
UNFINISHED = (RunStatus.QUEUED, RunStatus.RUNNING)


def target(status: RunStatus, step: RunStep) -> RunStatus:
    """The status after a step. Raises NotAllowed for a pair that is not in the table."""
    try:
        return TRANSITIONS[(status, step)]
    except KeyError:
        raise NotAllowed(f"a {status} run cannot {step}") from None


def move(run: TrainingRun, step: RunStep, **changes: Any) -> None:
    """Compare and set: one UPDATE that succeeds for one process only, in the caller's transaction.

    Raises NotAllowed, or Lost if the row is no longer what ``run`` says; ``run`` itself is left as it is, since the
    transaction may yet roll back.
    """
    status = target(RunStatus(run.status), step)
    if TrainingRun.objects.filter(pk=run.pk, status=run.status).update(status=status, **changes) != 1:
        raise Lost(f"run {run.pk} was moved by another process")
