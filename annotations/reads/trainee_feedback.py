"""What a trainee is told after a commit: where the answer differs from the one that is known."""

from __future__ import annotations

from typing import Any

from annotations.consensus.differences import LABELS, differences, level, word
from annotations.models import Context, Read, ReadStatus


def feedback(read: Read) -> dict[str, Any] | None:
    """None outside trainee queues and before the commit. Differences by weight; none where findings are not known."""
    item = read.item
    if item is None or read.context != Context.QUEUE or read.status != ReadStatus.COMMITTED or not item.queue.trainee:
        return None
    key = (item.repeat_of or item).gold
    last = read.last_revision
    if not key or last is None:
        return None
    known = key["findings"]
    found = differences(last.findings, known) if known else []
    return {
        "right": last.positive == key["positive"],
        "positive": key["positive"],
        "rule": key["rule"],
        "differences": [
            {
                "field": each.field,
                "label": LABELS[each.field],
                "level": level(each.weight),
                "yours": word(each.field, last.findings[each.field]),
                "known": word(each.field, known[each.field]),
            }
            for each in found
        ],
        "keyframes": known.get("keyframes", []) if known else [],
    }
