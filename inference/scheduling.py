"""Asking for scores: when a revision closes, when a model is promoted, by hand. No torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.db import transaction
from django.db.models import F, Max, QuerySet

from inference.models import ModelVersion, Score
from inference.registry import champion
from jobs.job_context import JobContext
from jobs.models import Job, Queue
from jobs.queue import enqueue
from studies.models import Priority, StudyRevision, StudyStatus

SCORE = "score"
EXPLAIN = "explain"
TRIAGE = "triage"
NEW, UNREAD_AGAIN, READ_AGAIN = 0, 1, 2
"""Ranks: a new examination never waits behind a re-scoring."""
_BATCH = 100


def request_score(
    revision: StudyRevision, model: ModelVersion, *, rank: int = NEW, reopen: bool = False, purpose: str = TRIAGE
) -> Job:
    """Ask for one model's answer to one revision, in the caller's transaction. STAT studies go to the front."""
    queue = Queue.STAT if revision.study.priority == Priority.STAT else Queue.ROUTINE
    payload = {"revision": revision.pk, "model": model.pk, "purpose": purpose}
    key = f"{revision.pk}:{model.digest}:{purpose}"
    return enqueue(SCORE, key=key, payload=payload, queue=queue, rank=rank, reopen=reopen)


def request_explanation(score: Score) -> Job:
    """Ask for the heat maps of a score, in the transaction that writes it: after every score that waits."""
    return enqueue(EXPLAIN, key=str(score.pk), payload={"score": score.pk}, rank=READ_AGAIN + 1, reopen=True)


def when_revision_closes(revision: StudyRevision) -> None:
    """Registered with studies: runs inside the closing transaction, so that the job exists if the revision does."""
    model = champion()
    if model is not None:
        request_score(revision, model)


def latest_revisions() -> QuerySet[StudyRevision]:
    """The last closed revision of every study."""
    newest = StudyRevision.objects.annotate(newest=Max("study__revisions__number"))
    return newest.filter(number=F("newest")).select_related("study")


def unscored_by(model: ModelVersion, revisions: QuerySet[StudyRevision]) -> QuerySet[StudyRevision]:
    """Those of the revisions that the model has not answered."""
    answered = Score.objects.filter(model=model, purpose=TRIAGE)
    return revisions.exclude(pk__in=answered.values("revision"))


def rescore(context: JobContext) -> None:
    """The handler of ``rescore``: ask for the champion's answer to every study, unread ones first."""
    model = ModelVersion.objects.get(pk=context.payload["model"])
    waiting = unscored_by(model, latest_revisions())
    unread = waiting.exclude(study__status=StudyStatus.READ).order_by("study__last_image_at")
    _request_all(context, unread, model=model, rank=UNREAD_AGAIN)
    read = waiting.filter(study__status=StudyStatus.READ).order_by("-study__last_image_at")
    _request_all(context, read, model=model, rank=READ_AGAIN)


def _request_all(context: JobContext, revisions: QuerySet[StudyRevision], *, model: ModelVersion, rank: int) -> None:
    """In short transactions, so that nothing else waits for the database."""
    for batch in _batches(revisions.values_list("pk", flat=True)):
        context.cancelled()
        with transaction.atomic():
            for revision in StudyRevision.objects.filter(pk__in=batch).select_related("study"):
                request_score(revision, model, rank=rank, reopen=True)


def _batches(keys: Iterable[int]) -> Iterator[list[int]]:
    every = list(keys)
    for start in range(0, len(every), _BATCH):
        yield every[start : start + _BATCH]
