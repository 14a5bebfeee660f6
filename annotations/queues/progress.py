"""How far label queues are, for the people who made them: who has answered how many, never what was said."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, TypedDict, cast

from django.db.models import Count, Max, Q, Sum
from django.utils import timezone

from accounts.models import User
from annotations.models import Context, LabelQueue, QueueItem, Read, ReadRevision, ReadStatus, Skip
from annotations.queues import assignment
from annotations.queues.builder import QueueRequest

_PACE_OVER = timedelta(days=7)
_FARTHEST = 1000
"""Weeks beyond which no end is foretold."""


class Outlook(TypedDict):
    """When a queue will be done if the last week's pace holds."""

    expected_end: Annotated[datetime | None, "None where nothing was done in the last week, or nothing is left"]
    overdue: bool
    """The deadline has passed and something is left."""
    late: bool
    """Overdue, or the expected end lies behind the deadline."""


class QueueProgress(Outlook):
    """A queue and how far it is."""

    id: int
    url: str
    name: str
    active: bool
    created_at: datetime
    created_by: str | None
    source: str
    trainee: bool
    identified: Annotated[bool, "readers see who the infant is, and whole pictures"]
    whole_pictures: Annotated[bool, "pictures that name no ultrasound region are shown to them too"]
    blinding: str
    rule: str
    shuffled: bool
    seed: int
    readers_per_study: int
    repeat_gap: Annotated[int, "items"]
    readers: Annotated[int, "people who label it"]
    open_to_all: Annotated[bool, "it names no readers: all annotators and adjudicators label it"]
    studies: Annotated[int, "items that are neither gold nor repeats"]
    gold: Annotated[int, "items whose answer is known"]
    repeats: Annotated[int, "items that repeat a study"]
    reads_needed: int
    reads_done: int
    deadline: datetime | None


class ReaderProgress(TypedDict):
    """One reader of a queue."""

    username: str
    display: str
    role: str
    labels_now: Annotated[bool, "they still label it"]
    done: Annotated[int, "items"]
    total: Annotated[int | None, "items that they have; None where they do not label it now"]
    skipped: Annotated[int, "times"]
    median_seconds: Annotated[float | None, "s from opening to commit"]
    last: Annotated[datetime | None, "their last commit"]
    named: Annotated[bool, "the queue names them"]


class QueueDetail(QueueProgress):
    """One queue with what was asked for when it was made, and its readers."""

    made_from: QueueRequest
    people: list[ReaderProgress]


class _ItemCounts(TypedDict):
    studies: int
    gold: int
    repeats: int
    extra: Annotated[int, "readers asked for because somebody was uncertain"]


class _ReaderFacts(TypedDict):
    done: int
    median: float | None
    last: datetime | None


_NO_ITEMS: _ItemCounts = {"studies": 0, "gold": 0, "repeats": 0, "extra": 0}
_NO_READS: _ReaderFacts = {"done": 0, "median": None, "last": None}


def all_queues() -> list[QueueProgress]:
    """All queues, active ones first and of those the newest; five queries however many there are."""
    items = _item_counts()
    done = _reads(Q())
    lately = _reads(Q(revisions__committed_at__gte=timezone.now() - _PACE_OVER))
    queues = LabelQueue.objects.select_related("created_by").prefetch_related("readers").order_by("-active", "-pk")
    everybody = User.objects.filter(role__in=assignment.LABEL_ROLES, is_active=True).count()
    return [
        _progress(queue, items.get(queue.pk, _NO_ITEMS), done.get(queue.pk, 0), lately.get(queue.pk, 0), everybody)
        for queue in queues
    ]


def _item_counts() -> dict[int, _ItemCounts]:
    rows = QueueItem.objects.order_by().values("queue").annotate(
        studies=Count("pk", filter=Q(repeat_of__isnull=True, gold__isnull=True)),
        known=Count("pk", filter=Q(repeat_of__isnull=True, gold__isnull=False)),
        repeats=Count("pk", filter=Q(repeat_of__isnull=False)),
        extra=Sum("extra_readers"),
    )  # fmt: skip
    return {
        row["queue"]: {
            "studies": row["studies"], "gold": row["known"], "repeats": row["repeats"], "extra": row["extra"] or 0,
        }
        for row in rows
    }  # fmt: skip


def _reads(condition: Q) -> dict[int, int]:
    """By queue: the committed reads that meet the condition."""
    committed = Read.objects.filter(condition, context=Context.QUEUE, status=ReadStatus.COMMITTED, item__isnull=False)
    rows = committed.order_by().values("item__queue").annotate(reads=Count("pk", distinct=True))
    return dict(rows.values_list("item__queue", "reads"))


def _progress(queue: LabelQueue, items: _ItemCounts, done: int, lately: int, everybody: int) -> QueueProgress:
    """``done`` reads, ``lately`` of them within a week; ``everybody``: people who label where nobody is named."""
    named = len(queue.readers.all())
    readers = named or everybody
    needed = _needed(queue, items, readers)
    left = max(0, needed - done)
    return {
        "id": queue.pk,
        "url": f"/label/queues/{queue.pk}/",
        "name": queue.name,
        "active": queue.active,
        "created_at": queue.created_at,
        "created_by": queue.created_by.display if queue.created_by else None,
        "source": queue.source,
        "trainee": queue.trainee,
        "identified": queue.identified,
        "whole_pictures": queue.whole_pictures,
        "blinding": queue.blinding,
        "rule": queue.rule,
        "shuffled": queue.shuffled,
        "seed": queue.seed,
        "readers_per_study": queue.readers_per_study,
        "repeat_gap": queue.repeat_gap,
        "readers": readers,
        "open_to_all": not named,
        "studies": items["studies"],
        "gold": items["gold"],
        "repeats": items["repeats"],
        "reads_needed": needed,
        "reads_done": min(done, needed),
        "deadline": queue.deadline,
        **_outlook(queue.deadline, left, lately),
    }


def _needed(queue: LabelQueue, items: _ItemCounts, readers: int) -> int:
    """Reads until the queue is done: everybody answers gold items, and every item where trainees label."""
    if queue.trainee:
        return (items["studies"] + items["gold"] + items["repeats"]) * readers
    by_some = (items["studies"] + items["repeats"]) * queue.readers_per_study
    return by_some + items["extra"] + items["gold"] * readers


def _outlook(deadline: datetime | None, left: int, lately: int) -> Outlook:
    now = timezone.now()
    foretold = left and lately and left / lately < _FARTHEST
    ends = now + _PACE_OVER * (left / lately) if foretold else None
    overdue = bool(deadline and left and deadline < now)
    return {"expected_end": ends, "overdue": overdue, "late": overdue or bool(deadline and ends and ends > deadline)}


def detail(queue: LabelQueue) -> QueueDetail:
    """One queue with what it was made from and its readers."""
    progress = next(each for each in all_queues() if each["id"] == queue.pk)
    return {**progress, "made_from": cast(QueueRequest, queue.made_from), "people": _people(queue)}


def _people(queue: LabelQueue) -> list[ReaderProgress]:
    """Those who label it and those who did."""
    now = list(assignment.readers_of(queue))
    reads = Read.objects.filter(item__queue=queue, context=Context.QUEUE)
    before = User.objects.filter(pk__in=reads.values("reader")).exclude(pk__in=[person.pk for person in now])
    skips = dict(Skip.objects.filter(item__queue=queue).values_list("reader").annotate(Count("pk")))
    named = set(queue.readers.values_list("pk", flat=True))
    facts = _facts(queue)
    return [
        {
            "username": person.username,
            "display": person.display,
            "role": person.role,
            "labels_now": person in now,
            "done": facts.get(person.pk, _NO_READS)["done"],
            "total": assignment.progress(person, queue).total if queue.active and person in now else None,
            "skipped": skips.get(person.pk, 0),
            "median_seconds": facts.get(person.pk, _NO_READS)["median"],
            "last": facts.get(person.pk, _NO_READS)["last"],
            "named": person.pk in named,
        }
        for person in [*now, *before]
    ]


def _facts(queue: LabelQueue) -> dict[int, _ReaderFacts]:
    """By reader: what they have answered, the median time of their first commits, and the last commit."""
    revisions = ReadRevision.objects.filter(read__item__queue=queue, read__context=Context.QUEUE)
    committed = revisions.filter(read__status=ReadStatus.COMMITTED)
    rows = committed.order_by().values("read__reader").annotate(
        done=Count("read", distinct=True), last=Max("committed_at")
    )  # fmt: skip
    durations: dict[int, list[int]] = {}
    for reader, milliseconds in committed.filter(number=1).values_list("read__reader", "duration_ms"):
        durations.setdefault(reader, []).append(milliseconds)
    return {
        row["read__reader"]: {
            "done": row["done"], "median": _median(durations.get(row["read__reader"], [])), "last": row["last"],
        }
        for row in rows
    }  # fmt: skip


def _median(milliseconds: list[int]) -> float | None:
    """In seconds."""
    ordered = sorted(milliseconds)
    return round(ordered[len(ordered) // 2] / 1000, 1) if ordered else None
