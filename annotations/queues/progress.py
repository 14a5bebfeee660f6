"""How far label queues are, for the people who made them: who has answered how many, never what was said."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Q, Sum
from django.utils import timezone

from accounts.models import User
from annotations.models import Context, LabelQueue, QueueItem, Read, ReadRevision, ReadStatus, Skip
from annotations.queues import assignment

_PACE_OVER = timedelta(days=7)


def every() -> list[dict[str, Any]]:
    """All queues, active ones first and of those the newest; five queries however many there are."""
    items = _items()
    done = _reads(Q())
    lately = _reads(Q(revisions__committed_at__gte=timezone.now() - _PACE_OVER))
    listed = LabelQueue.objects.select_related("created_by").prefetch_related("readers").order_by("-active", "-pk")
    everybody = User.objects.filter(role__in=assignment.LABEL_ROLES, is_active=True).count()
    return [
        _told(queue, items.get(queue.pk, {}), done.get(queue.pk, 0), lately.get(queue.pk, 0), everybody)
        for queue in listed
    ]


def _items() -> dict[int, dict[str, Any]]:
    rows = QueueItem.objects.order_by().values("queue").annotate(
        studies=Count("pk", filter=Q(repeat_of__isnull=True, gold__isnull=True)),
        gold=Count("pk", filter=Q(repeat_of__isnull=True, gold__isnull=False)),
        repeats=Count("pk", filter=Q(repeat_of__isnull=False)),
        extra=Sum("extra_readers"),
    )  # fmt: skip
    return {row["queue"]: dict(row) for row in rows}


def _reads(wanted: Q) -> dict[int, int]:
    committed = Read.objects.filter(wanted, context=Context.QUEUE, status=ReadStatus.COMMITTED, item__isnull=False)
    rows = committed.order_by().values("item__queue").annotate(reads=Count("pk", distinct=True))
    return dict(rows.values_list("item__queue", "reads"))


def _told(queue: LabelQueue, items: dict[str, Any], done: int, lately: int, everybody: int) -> dict[str, Any]:
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
        "blinding": queue.blinding,
        "rule": queue.rule,
        "shuffled": queue.shuffled,
        "seed": queue.seed,
        "readers_per_study": queue.readers_per_study,
        "repeat_gap": queue.repeat_gap,
        "readers": readers,
        "open_to_all": not named,
        "studies": items.get("studies", 0),
        "gold": items.get("gold", 0),
        "repeats": items.get("repeats", 0),
        "reads_needed": needed,
        "reads_done": min(done, needed),
        "deadline": queue.deadline,
        **_outlook(queue.deadline, left, lately),
    }


def _needed(queue: LabelQueue, items: dict[str, Any], readers: int) -> int:
    studies, gold, repeats, extra = (int(items.get(name) or 0) for name in ("studies", "gold", "repeats", "extra"))
    if queue.trainee:
        return (studies + gold + repeats) * readers
    return (studies + repeats) * queue.readers_per_study + extra + gold * readers


def _outlook(deadline: datetime | None, left: int, lately: int) -> dict[str, Any]:
    """When it will be done if the last week's pace holds, and whether that is late."""
    now = timezone.now()
    ends = now + _PACE_OVER * (left / lately) if left and lately and left / lately < 1000 else None
    overdue = bool(deadline and left and deadline < now)
    return {"expected_end": ends, "overdue": overdue, "late": overdue or bool(deadline and ends and ends > deadline)}


def one(queue: LabelQueue) -> dict[str, Any]:
    """One queue with what it was made from and its readers."""
    found = next(told for told in every() if told["id"] == queue.pk)
    people = _people(queue)
    named = set(queue.readers.values_list("username", flat=True))
    return {
        **found,
        "made_from": queue.made_from,
        "people": [{**person, "named": person["username"] in named} for person in people],
    }


def _people(queue: LabelQueue) -> list[dict[str, Any]]:
    """Those who label it and those who did: answered, skipped, seconds for one, the last time."""
    now = list(assignment.readers_of(queue))
    reads = Read.objects.filter(item__queue=queue, context=Context.QUEUE)
    before = User.objects.filter(pk__in=reads.values("reader")).exclude(pk__in=[person.pk for person in now])
    skips = dict(Skip.objects.filter(item__queue=queue).values_list("reader").annotate(Count("pk")))
    facts = _facts(queue)
    return [
        {
            "username": person.username,
            "display": person.display,
            "role": person.role,
            "labels_now": person in now,
            "done": facts.get(person.pk, {}).get("done", 0),
            "total": assignment.progress(person, queue).total if queue.active and person in now else None,
            "skipped": skips.get(person.pk, 0),
            "median_seconds": facts.get(person.pk, {}).get("median"),
            "last": facts.get(person.pk, {}).get("last"),
        }
        for person in [*now, *before]
    ]


def _facts(queue: LabelQueue) -> dict[int, dict[str, Any]]:
    revisions = ReadRevision.objects.filter(read__item__queue=queue, read__context=Context.QUEUE)
    committed = revisions.filter(read__status=ReadStatus.COMMITTED)
    rows = committed.order_by().values("read__reader").annotate(
        done=Count("read", distinct=True), last=Max("committed_at")
    )  # fmt: skip
    took: dict[int, list[int]] = {}
    for reader, milliseconds in committed.filter(number=1).values_list("read__reader", "duration_ms"):
        took.setdefault(reader, []).append(milliseconds)
    return {row["read__reader"]: {**row, "median": _median(took.get(row["read__reader"], []))} for row in rows}


def _median(milliseconds: list[int]) -> float | None:
    ordered = sorted(milliseconds)
    return round(ordered[len(ordered) // 2] / 1000, 1) if ordered else None
