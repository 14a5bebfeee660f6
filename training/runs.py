"""Starting, watching and cancelling training runs. No torch: the work itself is `training.train_job`."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts import audit
from inference.registry import champion
from jobs.models import Job, Queue
from jobs.queue import enqueue, request_cancel
from live.models import Audience
from live.publish import publish
from training.models import RunStatus, TrainingRun
from training.preflight import Preflight, preflight
from training.snapshots import freeze

TRAIN = "train"
GOING = (RunStatus.QUEUED, RunStatus.RUNNING)
NO_MODEL = "No model is installed, and retraining starts from the champion's backbone. Install one first."


class NotStarted(Exception):
    """No run was started; the message says why, and nothing was changed."""

    def __init__(self, reason: str, *, code: str, checked: Preflight | None = None) -> None:
        super().__init__(reason)
        self.code = code
        self.checked = checked


def start(*, user: Any, request: HttpRequest | None = None, seed: int = 0) -> TrainingRun:
    """Check, freeze a snapshot, and ask for the run, in one transaction. Raises NotStarted."""
    with transaction.atomic():
        if going := TrainingRun.objects.filter(status__in=GOING).first():
            raise NotStarted(f"Run {going.pk} is going on. Wait for it, or cancel it.", code="run_going")
        if champion() is None:
            raise NotStarted(NO_MODEL, code="no_model")
        checked = preflight(seed=seed)
        if not checked.ok:
            raise NotStarted(" ".join(checked.reasons), code="too_few", checked=checked)
        run = TrainingRun.objects.create(snapshot=freeze(checked), seed=seed, created_by=user)
        run.job = enqueue(TRAIN, key=f"run:{run.pk}", payload={"run": run.pk}, queue=Queue.TRAIN)
        run.save(update_fields=["job"])
        audit.record(request, "training_run.started", user=user, run=run.pk, snapshot=run.snapshot.digest)
        _tell(run)
    return run


def cancel(run: TrainingRun, *, user: Any, request: HttpRequest | None = None) -> bool:
    """Ask a run to stop; False if it had ended. The snapshot, all labels and the champion stay as they are."""
    with transaction.atomic():
        asked = run.job is not None and request_cancel(run.job)
        audit.record(request, "training_run.cancelled", user=user, run=run.pk, outcome="ok" if asked else "refused")
        _tell(run)
    run.refresh_from_db()
    return asked


def _tell(run: TrainingRun) -> None:
    publish("run", audience=Audience.ADMINS, run_id=run.pk)


def end(run: TrainingRun, status: RunStatus, *, error: str = "", **facts: Any) -> None:
    """Write what became of a run, in the transaction that ends its job."""
    run.status = status
    run.error = error
    run.finished_at = timezone.now()
    for name, value in facts.items():
        setattr(run, name, value)
    run.save(update_fields=["status", "error", "finished_at", *facts])
    _tell(run)


def on_cancel(job: Job) -> None:
    """The job was cancelled, waiting or running."""
    end(TrainingRun.objects.get(job=job), RunStatus.CANCELLED)


def on_quarantine(job: Job, error: str) -> None:
    """The job failed for the last time."""
    words = f"The run failed {job.attempts} times: {error}"
    end(TrainingRun.objects.get(job=job), RunStatus.FAILED, error=words)
