"""What an adjudicator has besides the pictures: the answers compared, a thread, unblinding on record."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypedDict

from accounts.models import User
from annotations.adjudication import disputes
from annotations.consensus import rules
from annotations.consensus.differences import ComparedField, compared
from annotations.models import Context, QueueItem, Read, ReadRevision, Unblinding
from annotations.queues import assignment
from inference import current_scores
from inference.payloads import StudyScore
from studies import disclosure


class RemarkPayload(TypedDict):
    """What somebody said about an item."""

    id: int
    at: datetime
    text: str
    mine: Annotated[bool, "it is one's own"]
    author: Annotated[str, "Reader 1, Reader 2 … for the readers of the item, the name of everybody else"]


class UnblindedItem(TypedDict):
    """What an adjudicator asked to see before the decision, on record."""

    at: datetime
    reason: str
    readers: Annotated[list[str], "their names, in the order of their answers"]
    score: StudyScore


class DiscussionPayload(TypedDict):
    """The answers to an item side by side, and what was said about them."""

    rows: Annotated[list[ComparedField], "what differs first"]
    readers: Annotated[list[str], "Reader 1, Reader 2 …"]
    rule: Annotated[str, "the queue's rule, with its version"]
    settled: Annotated[bool, "the readers agree by that rule"]
    remarks: list[RemarkPayload]
    unblinded: UnblindedItem | None


def discussed_item(user: User, pk: int) -> QueueItem | None:
    """An item, if this person may talk about it: one that they may decide, or one that they answered, once everybody
    has, if they may know what others said. Asks about this item alone: a queue has thousands."""
    item = QueueItem.objects.filter(pk=pk).select_related("study", "queue").first()
    if item is None or disputes.may_decide(user).filter(pk=pk).exists():
        return item
    own = assignment.openable(user).filter(pk=pk, pk__in=assignment.answered(user)).exists()
    open_to_all = own and disputes.answered_enough().filter(pk=pk).exists()
    return item if open_to_all and not assignment.hidden(user).filter(study=item.study_id).exists() else None


def discussion(item: QueueItem, user: User) -> DiscussionPayload:
    """As this person, who may talk about the item, sees it."""
    revisions = _revisions(item)
    return {
        "rows": compared([revision.findings for revision in revisions]),
        "readers": [f"Reader {number}" for number in range(1, len(revisions) + 1)],
        "rule": rules.version_of(item.queue.rule),
        "settled": rules.settled(item.queue.rule, revisions),
        "remarks": _remarks(item, user),
        "unblinded": _unblinded(item, user),
    }


def _revisions(item: QueueItem) -> list[ReadRevision]:
    return disputes.dispute_of(disputes.with_answers(QueueItem.objects.filter(pk=item.pk)).get()).revisions


def _numbers(item: QueueItem) -> dict[int, str]:
    """Readers as Reader 1, 2 … in the order that every other answer of the API has."""
    return {revision.read.reader_id: f"Reader {at}" for at, revision in enumerate(_revisions(item), 1)}


def _remarks(item: QueueItem, user: User) -> list[RemarkPayload]:
    """Readers stay numbers for one another and for who decides; one's own name is one's own."""
    numbers = _numbers(item)
    return [
        {
            "id": remark.pk,
            "at": remark.at,
            "text": remark.text,
            "mine": remark.author_id == user.pk,
            "author": numbers.get(remark.author_id) or remark.author.display,
        }
        for remark in item.remarks.select_related("author")
    ]


def _unblinded(item: QueueItem, user: User) -> UnblindedItem | None:
    """The readers' names and the AI's answer, for an adjudicator who asked for them on record."""
    unblinding = Unblinding.objects.filter(item=item, user=user).first()
    if unblinding is None:
        return None
    score = current_scores.score_payload(item.study, with_attention=True, with_history=False)
    if not disclosure.to(user, item.study).identity:
        score["scored_at"] = None
    numbers = _numbers(item)
    people = User.objects.in_bulk(list(numbers))
    return {
        "at": unblinding.at,
        "reason": unblinding.reason,
        "readers": [people[pk].display for pk in numbers],
        "score": score,
    }


def other_participants(item: QueueItem, user: User) -> set[int]:
    """Keys of the readers of an item, of those who said something about it and of who decided. Not one's own."""
    reads = Read.objects.filter(item=item, context__in=[Context.QUEUE, Context.ADJUDICATION])
    authors = item.remarks.values_list("author_id", flat=True)
    return {*reads.values_list("reader_id", flat=True), *authors} - {user.pk}
