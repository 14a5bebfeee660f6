"""Items whose readers differ by their queue's rule, and who decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Prefetch, Q, QuerySet
from django.db.models.functions import Greatest

from accounts.models import User
from accounts.roles import Role, has_role
from annotations.consensus import rules
from annotations.consensus.differences import Difference, Weight, all_differences
from annotations.models import Context, QueueItem, Read, ReadRevision, ReadStatus
from annotations.queues import assignment


@dataclass(frozen=True)
class Dispute:
    """An item whose readers differ."""

    item: QueueItem
    revisions: list[ReadRevision]
    differences: list[Difference]

    @property
    def weight(self) -> Weight:
        """That of its weightiest difference."""
        return self.differences[0].weight


def _committed_reads() -> Prefetch[Any]:
    reads = Read.objects.filter(context=Context.QUEUE, status=ReadStatus.COMMITTED).order_by("pk")
    return Prefetch("reads", reads.with_last_revision(), to_attr="answers")


def with_answers(items: QuerySet[QueueItem]) -> QuerySet[QueueItem]:
    """What ``dispute_of`` needs, in three queries however many there are."""
    return items.select_related("study__patient", "queue").prefetch_related(_committed_reads())


def answered_enough() -> QuerySet[QueueItem]:
    """Items of active queues that as many readers as they take, and at least two, have answered."""
    committed = Q(reads__context=Context.QUEUE, reads__status=ReadStatus.COMMITTED)
    items = QueueItem.objects.filter(
        queue__active=True,
        repeat_of__isnull=True,
        gold__isnull=True,
        queue__trainee=False,
        study__deleted_at__isnull=True,
    )
    items = items.annotate(answers_given=Count("reads", filter=committed))
    needed = Greatest(2, F("queue__readers_per_study") + F("extra_readers"))
    return items.filter(answers_given__gte=needed)


def decided() -> QuerySet[Read]:
    """The decisions that stand."""
    return Read.objects.filter(context=Context.ADJUDICATION, status=ReadStatus.COMMITTED)


def dispute_of(item: QueueItem) -> Dispute:
    """The latest answers of everybody who read the item."""
    answers: list[Read] = item.answers  # type: ignore[attr-defined]  # by Prefetch(to_attr=)
    revisions = [last for read in answers if (last := read.last_revision) is not None]
    return Dispute(item, revisions, all_differences([revision.findings for revision in revisions]))


def open_disputes(user: User) -> list[Dispute]:
    """What this person may decide and nobody has decided yet, the weightiest first."""
    items = may_decide(user).exclude(pk__in=decided().values("item"))
    disputes = [dispute for dispute in map(dispute_of, with_answers(items)) if dispute.differences]
    unsettled = (each for each in disputes if not rules.settled(each.item.queue.rule, each.revisions))
    return sorted(unsettled, key=lambda each: (-each.weight, each.item.position, each.item.pk))


def may_decide(user: User) -> QuerySet[QueueItem]:
    """Items that an adjudicator may open: those with their answers, their own decisions among them. Not one that they
    read themselves, nor one whose study they have yet to read in another queue."""
    if not has_role(user, Role.ADJUDICATOR, Role.ADMIN):
        return QueueItem.objects.none()
    own = Read.objects.filter(reader=user, context=Context.QUEUE, item__isnull=False).values("item")
    return answered_enough().exclude(pk__in=own).exclude(study__in=assignment.uncommitted(user).values("study"))


def url_of(item: QueueItem) -> str:
    return f"/adjudicate/{item.pk}/"
