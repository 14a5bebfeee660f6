"""Label queues: which items a reader has, which comes next, how far it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role, has_role
from annotations.models import Context, LabelQueue, QueueItem, Read, ReadRevision, ReadStatus, Skip
from studies import access
from studies.models import Study

_PACE_WINDOW = timedelta(hours=1)


def queues_of(user: Any) -> QuerySet[LabelQueue]:
    """Active queues that this person labels: those that name them, or name nobody and they label for a living."""
    labels = has_role(user, Role.ANNOTATOR, Role.ADJUDICATOR)
    named = Q(pk__in=LabelQueue.readers.through.objects.filter(user_id=user.pk).values("labelqueue_id"))
    open_to_all = ~Q(pk__in=LabelQueue.readers.through.objects.values("labelqueue_id"))
    return LabelQueue.objects.filter(named | open_to_all if labels else named, active=True)


def _holding() -> QuerySet[Read]:
    """Reads that take a place at an item: committed ones, and those that somebody opened lately and did not skip."""
    lately = timezone.now() - timedelta(minutes=settings.CLAIM_MINUTES)
    reads = Read.objects.filter(context=Context.QUEUE, item__isnull=False)
    skipped = Skip.objects.filter(item=OuterRef("item"), reader=OuterRef("reader"))
    begun = Q(opened_at__gte=lately) & ~Exists(skipped)
    return reads.filter(Q(status=ReadStatus.COMMITTED) | begun)


def items_of(user: Any) -> QuerySet[QueueItem]:
    """The items that this person has: those they answered or began, and those that still need a reader."""
    others = _holding().filter(item=OuterRef("pk")).exclude(reader=user)
    taken = others.order_by().values("item").annotate(readers=Count("pk")).values("readers")
    own = Read.objects.filter(reader=user, context=Context.QUEUE, item__isnull=False).values("item")
    items = QueueItem.objects.filter(queue__in=queues_of(user)).annotate(taken=Coalesce(Subquery(taken), Value(0)))
    return items.filter(Q(pk__in=own) | Q(taken__lt=F("queue__readers_per_study"))).select_related("queue", "study")


def uncommitted(user: Any) -> QuerySet[QueueItem]:
    """Items that this person has still to answer."""
    answered = Read.objects.filter(
        reader=user, context=Context.QUEUE, item__isnull=False, status=ReadStatus.COMMITTED
    ).values("item")
    return items_of(user).exclude(pk__in=answered)


def next_item(user: Any, *, queue: LabelQueue | None = None) -> QueueItem | None:
    """The next one to answer: in the queue's order, those that were skipped last, the longest skipped first."""
    waiting = uncommitted(user) if queue is None else uncommitted(user).filter(queue=queue)
    skipped = Skip.objects.filter(item=OuterRef("pk"), reader=user).order_by("-at").values("at")[:1]
    in_turn = waiting.annotate(skipped_at=Subquery(skipped))
    return in_turn.order_by(F("skipped_at").asc(nulls_first=True), "queue_id", "position", "pk").first()


@dataclass(frozen=True)
class Progress:
    """``position`` is the number of the next item, counted from 1; ``done`` of ``total`` are answered."""

    done: int
    total: int

    @property
    def position(self) -> int:
        return min(self.done + 1, self.total)


def progress(user: Any, queue: LabelQueue) -> Progress:
    total = items_of(user).filter(queue=queue).count()
    return Progress(done=total - uncommitted(user).filter(queue=queue).count(), total=total)


def pace_per_hour(user: Any) -> float | None:
    """Commits in the last hour of work, None before there are three."""
    since = timezone.now() - _PACE_WINDOW
    recent = ReadRevision.objects.filter(read__reader=user, read__context=Context.QUEUE, committed_at__gte=since)
    times = list(recent.order_by("committed_at").values_list("committed_at", flat=True))
    if len(times) < 3:
        return None
    span = max((times[-1] - times[0]).total_seconds(), 1.0)
    return round((len(times) - 1) * 3600 / span, 1)


def url_of(item: QueueItem) -> str:
    return f"/label/{item.pk}/"


def skip(item: QueueItem, user: Any, reason: str) -> Skip:
    return Skip.objects.create(item=item, reader=user, reason=reason)


@transaction.atomic
def make(
    name: str, studies: QuerySet[Study], *, readers_per_study: int = 2, readers: list[User] | None = None, why: str = ""
) -> LabelQueue:
    """A new queue of these studies in the order in which they came."""
    queue = LabelQueue.objects.create(name=name, readers_per_study=readers_per_study)
    queue.readers.set(readers or [])
    QueueItem.objects.bulk_create(
        QueueItem(queue=queue, study=study, position=position, why=why)
        for position, study in enumerate(studies.order_by("first_image_at", "pk"), 1)
    )
    return queue


def unlabelled() -> QuerySet[Study]:
    """Studies with pictures that nobody has read and no active queue holds."""
    committed = Read.objects.filter(status=ReadStatus.COMMITTED).values("study")
    queued = QueueItem.objects.filter(queue__active=True).values("study")
    pictured = access.every_study().filter(clips__frames__gt=0).distinct()
    return pictured.exclude(pk__in=committed).exclude(pk__in=queued)
