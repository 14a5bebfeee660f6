"""Starting, watching and cancelling training runs. No torch: the work itself is `training.train_job`."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts import audit
from accounts.models import User
from inference.registry import champion
from jobs.models import Job, Queue
from jobs.queue import enqueue, request_cancel
from live.models import Audience
from live.publish import publish
from training import fold_places
from training.models import TrainingRun
from training.preflight import Preflight, going_on, preflight, unfinished_run
from training.snapshots import freeze
from training.transitions import RunStep, move

TRAIN = "train"
NO_MODEL = "No model is installed, and retraining starts from the champion's backbone. Install one first."


class NotStarted(Exception):
    """No run was started; the message says why, and nothing was changed."""

    def __init__(self, reason: str, *, code: str, preflight: Preflight | None = None) -> None:
        super().__init__(reason)
        self.code = code
        self.preflight = preflight


def start(*, user: User | None, request: HttpRequest | None = None, seed: int = 0) -> TrainingRun:
    """Check, freeze a snapshot, and ask for the run, in one transaction. Raises NotStarted."""
    with transaction.atomic():
        if unfinished := unfinished_run():
            raise NotStarted(going_on(unfinished), code="run_going")
        if champion() is None:
            raise NotStarted(NO_MODEL, code="no_model")
        plan = preflight()
        if not plan.ok:
            raise NotStarted(" ".join(plan.reasons), code="too_few", preflight=plan)
        fold_places.keep(plan.rows)
        run = TrainingRun.objects.create(snapshot=freeze(plan), seed=seed, prevalence=plan.prevalence, created_by=user)
        run.job = enqueue(TRAIN, key=f"run:{run.pk}", payload={"run": run.pk}, queue=Queue.TRAIN)
        run.save(update_fields=["job"])
        audit.record(request, "training_run.started", user=user, run=run.pk, snapshot=run.snapshot.digest)
        publish_change(run)
    return run


def cancel(run: TrainingRun, *, user: User | None, request: HttpRequest | None = None) -> bool:
    """Ask a run to stop; False if it had ended. The snapshot, all labels and the champion stay as they are."""
    with transaction.atomic():
        cancellable = run.job is not None and request_cancel(run.job)
        audit.record(
            request, "training_run.cancelled", user=user, run=run.pk, outcome="ok" if cancellable else "refused"
        )
        publish_change(run)
    run.refresh_from_db()
    return cancellable


def publish_change(run: TrainingRun) -> None:
    """Tell the admins' open pages, in the caller's transaction, that the run is not what it was."""
    publish("run", audience=Audience.ADMINS, run_id=run.pk)


def begin(run: TrainingRun) -> None:
    """A worker works on it now, for the first time or again. Raises Lost or NotAllowed, and nothing was written."""
    with transaction.atomic():
        move(run, RunStep.BEGIN, started_at=timezone.now())
        publish_change(run)
    run.refresh_from_db(fields=["status", "started_at"])


def end(run: TrainingRun, step: RunStep, *, error: str = "", **result: Any) -> None:
    """Write what became of a run, in the transaction that ends its job. Raises Lost or NotAllowed."""
    move(run, step, error=error, finished_at=timezone.now(), **result)
    publish_change(run)


def on_claim(job: Job) -> None:
    """A worker has the job. It says so before it loads the libraries, which takes a while."""
    run = TrainingRun.objects.filter(job=job).first()
    if run is not None:
        begin(run)


def on_cancel(job: Job) -> None:
    """The job was cancelled, waiting or running."""
    end(TrainingRun.objects.get(job=job), RunStep.CANCEL)


def on_quarantine(job: Job, error: str) -> None:
    """The job failed for the last time."""
    words = f"The run failed {job.attempts} times: {error}"
    end(TrainingRun.objects.get(job=job), RunStep.FAIL, error=words)
