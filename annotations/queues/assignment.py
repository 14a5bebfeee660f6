"""Label queues: which items a reader has, which comes next, how far it is."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role, has_role
from annotations.models import Blinding, Context, LabelQueue, QueueItem, Read, ReadRevision, ReadStatus, Skip

LABEL_ROLES = (Role.ANNOTATOR, Role.ADJUDICATOR)
SHUFFLE_PRIME = 2**31 - 1
_PACE_WINDOW = timedelta(hours=1)


def queues_of(user: User) -> QuerySet[LabelQueue]:
    """Active queues that this person labels: those that name them, or name nobody and their role is to label."""
    labels = has_role(user, *LABEL_ROLES)
    named = Q(pk__in=LabelQueue.readers.through.objects.filter(user_id=user.pk).values("labelqueue_id"))
    open_to_all = ~Q(pk__in=LabelQueue.readers.through.objects.values("labelqueue_id"))
    return LabelQueue.objects.filter(named | open_to_all if labels else named, active=True)


def readers_of(queue: LabelQueue) -> QuerySet[User]:
    """The people who label it."""
    active = User.objects.filter(is_active=True)
    named = active.filter(pk__in=queue.readers.values("pk"))
    return named if queue.readers.exists() else active.filter(role__in=LABEL_ROLES)


def _own(user: User) -> QuerySet[Read]:
    """This person's answers in queues, drafts too."""
    return Read.objects.filter(reader=user, context=Context.QUEUE, item__isnull=False)


def answered(user: User) -> QuerySet[Any]:
    """The keys of the items that this person has committed."""
    return _own(user).filter(status=ReadStatus.COMMITTED).values("item")


def _occupying() -> QuerySet[Read]:
    """Reads that take a place at an item: committed ones, and those that somebody opened lately and did not skip."""
    lately = timezone.now() - timedelta(minutes=settings.CLAIM_MINUTES)
    reads = Read.objects.filter(context=Context.QUEUE, item__isnull=False)
    skipped = Skip.objects.filter(item=OuterRef("item"), reader=OuterRef("reader"))
    begun = Q(opened_at__gte=lately) & ~Exists(skipped)
    return reads.filter(Q(status=ReadStatus.COMMITTED) | begun)


def items_of(user: User) -> QuerySet[QueueItem]:
    """The items that this person has: those they answered or began, and those that still need a reader.

    A repeat goes with its first round from the beginning, so that a total never tells that something comes again.
    """
    present = QueueItem.objects.filter(queue__in=queues_of(user), study__deleted_at__isnull=True)
    items = present.annotate(first=Coalesce("repeat_of_id", "pk"))
    for_everybody = Q(gold__isnull=False) | Q(queue__trainee=True)
    free = ~Q(first__in=_full_without(user))
    return items.filter(Q(first__in=_own(user).values("item")) | for_everybody | free).select_related("queue", "study")


def _full_without(user: User) -> QuerySet[Any]:
    """The keys of the items that others fill. Counted over reads, of which there are few, not over items."""
    others = _occupying().exclude(reader=user).order_by().values("item").annotate(readers=Count("pk"))
    return others.filter(readers__gte=F("item__queue__readers_per_study") + F("item__extra_readers")).values("item")


def openable(user: User) -> QuerySet[QueueItem]:
    """Those that may be on the screen: a repeat only after its first round."""
    return items_of(user).filter(Q(repeat_of__isnull=True) | Q(repeat_of__in=answered(user)))


def uncommitted(user: User) -> QuerySet[QueueItem]:
    """Items that this person has still to answer, repeats that are yet to come among them."""
    return items_of(user).exclude(pk__in=answered(user))


def hidden(user: User) -> QuerySet[QueueItem]:
    """Items of which this person may know neither the AI's answer nor another reader's."""
    return items_of(user).filter(~Q(pk__in=answered(user)) | Q(queue__blinding=Blinding.CLOSED))


def sees_others(user: User, item: QueueItem) -> bool:
    """Whether this person may know what others said of an item that they have answered."""
    return not hidden(user).filter(study=item.study_id).exists()


def next_item(user: User, *, queue: LabelQueue | None = None, excluding: int | None = None) -> QueueItem | None:
    """The next one to answer: queue by queue, the nearest deadline first; then what is left of all queues.

    ``excluding``: the key of an item that it must not be.
    """
    queues = queues_of(user).order_by(F("deadline").asc(nulls_last=True), "pk") if queue is None else [queue]
    unanswered = [(each, _in_turn(user, each).exclude(pk=excluding)) for each in queues]
    for each, items in unanswered:
        due: QueueItem | None = items.filter(_due(user, each), skipped_at__isnull=True).first()
        if due is not None:
            return due
    return _left_over([items for _, items in unanswered])


def _left_over(queues: list[QuerySet[Any]]) -> QueueItem | None:
    """Of items that were skipped or are not due yet: what was skipped longest ago, else a repeat before its time."""
    items = [item for left in queues for item in (left.filter(skipped_at__isnull=False).first(), left.first())]
    return min(filter(None, items), key=lambda item: (item.skipped_at is None, item.skipped_at), default=None)


def _in_turn(user: User, queue: LabelQueue) -> QuerySet[Any]:
    """What this reader has yet to answer of a queue, in their order; ``skipped_at``: when they last skipped it."""
    skipped = Skip.objects.filter(item=OuterRef("pk"), reader=user).order_by("-at").values("at")[:1]
    items = openable(user).filter(queue=queue).exclude(pk__in=answered(user))
    items = items.annotate(skipped_at=Subquery(skipped), turn=_turn(user, queue))
    return items.order_by(F("skipped_at").asc(nulls_first=True), "turn", "pk")


def _turn(user: User, queue: LabelQueue) -> Any:
    """The expression that this reader's order goes by.

    Where a queue is shuffled, its items' random keys times a factor of the reader's own, modulo a prime.
    """
    if not queue.shuffled:
        return F("position")
    seeded = hashlib.blake2b(f"{queue.seed}:{user.pk}".encode(), digest_size=8).digest()
    factor = 1 + int.from_bytes(seeded) % (SHUFFLE_PRIME - 1)
    product = ExpressionWrapper(F("shuffle_key") * Value(factor), output_field=BigIntegerField())
    return ExpressionWrapper(product % Value(SHUFFLE_PRIME), output_field=BigIntegerField())


def _due(user: User, queue: LabelQueue) -> Q:
    """Anything that is no repeat, and repeats whose first round lies far enough back."""
    done = _own(user).filter(item__queue=queue, status=ReadStatus.COMMITTED).order_by("-opened_at")
    last = list(done.values_list("opened_at", flat=True)[queue.repeat_gap : queue.repeat_gap + 1])
    first = Q(repeat_of__isnull=True)
    return first | Q(repeat_of__in=done.filter(opened_at__lte=last[0]).values("item")) if last else first


@dataclass(frozen=True)
class Progress:
    """``done`` of ``total`` items are answered."""

    done: int
    total: int

    @property
    def position(self) -> int:
        """The number of the next item, counted from 1."""
        return min(self.done + 1, self.total)


def progress(user: User, queue: LabelQueue) -> Progress:
    """How many of the queue's items this person has, and has answered."""
    done = Case(When(pk__in=answered(user), then=Value(1)))
    counts = items_of(user).filter(queue=queue).aggregate(total=Count("pk"), done=Count(done))
    return Progress(done=counts["done"], total=counts["total"])


def pace_per_hour(user: User) -> float | None:
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


def skip(item: QueueItem, user: User, reason: str) -> Skip:
    return Skip.objects.create(item=item, reader=user, reason=reason)
