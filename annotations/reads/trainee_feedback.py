"""What a trainee sees after a commit: where the answer differs from the one that is known."""

from __future__ import annotations

from typing import Annotated, TypedDict

from annotations.consensus.differences import LABELS, Level, differences, level, word
from annotations.label_schema.schema import Findings, Keyframe
from annotations.models import Context, QueueItem, Read, ReadStatus
from annotations.queues.known_answers import KnownAnswer


class FeedbackDifference(TypedDict):
    """A field in which an answer differs from the known one."""

    field: str
    label: str
    level: Annotated[Level, "how much it weighs"]
    yours: Annotated[str, "the reader's answer in words"]
    known: Annotated[str, "the known answer in words"]


class TraineeFeedback(TypedDict):
    """A trainee's answer beside the one that is known."""

    right: Annotated[bool, "the verdict, positive or not, is the known one"]
    positive: Annotated[bool, "the known verdict"]
    rule: Annotated[str, "how the known answer was made, as in reference labels"]
    differences: Annotated[list[FeedbackDifference], "by weight; none where the known findings are not known"]
    keyframes: Annotated[list[Keyframe], "where the known answer points to"]


def feedback(read: Read) -> TraineeFeedback | None:
    """None outside trainee queues, before the commit, and where the item has no known answer."""
    known = _known_answer(read.item) if _is_trainee_answer(read) else None
    answer = read.last_revision if known else None
    if known is None or answer is None:
        return None
    findings = known["findings"]
    return {
        "right": answer.positive == known["positive"],
        "positive": known["positive"],
        "rule": known["rule"],
        "differences": _differences(answer.findings, findings) if findings else [],
        "keyframes": findings.get("keyframes", []) if findings else [],
    }


def _is_trainee_answer(read: Read) -> bool:
    if read.context != Context.QUEUE or read.status != ReadStatus.COMMITTED:
        return False
    return read.item is not None and read.item.queue.trainee


def _known_answer(item: QueueItem | None) -> KnownAnswer | None:
    """A repeat has the known answer of the item that it repeats."""
    known: KnownAnswer | None = (item.repeat_of or item).gold if item else None
    return known


def _differences(answer: Findings, known: Findings) -> list[FeedbackDifference]:
    return [
        {
            "field": difference.field,
            "label": LABELS[difference.field],
            "level": level(difference.weight),
            "yours": word(difference.field, answer[difference.field]),
            "known": word(difference.field, known[difference.field]),
        }
        for difference in differences(answer, known)
    ]
