"""When the readers of an item agree. Rules are versioned: ``clinical-1`` will always mean what it does now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from annotations.consensus.differences import MIDDLE, all_differences
from annotations.models import ReadRevision, Rule

VERSION = 1


def version_of(rule: str) -> str:
    """The rule's name with its version, as labels carry it: ``clinical-1``."""
    return f"{rule}-{VERSION}"


def settled(rule: str, revisions: Sequence[ReadRevision]) -> bool:
    """Whether these answers to one item need nobody to decide between them."""
    verdicts = [revision.positive for revision in revisions]
    if rule == Rule.MAJORITY:
        return majority(verdicts) is not None
    if len(set(verdicts)) != 1:
        return False
    if rule == Rule.VERDICT:
        return True
    differences = all_differences([revision.findings for revision in revisions])
    return not differences or (rule == Rule.CLINICAL and differences[0].weight < MIDDLE)


def majority(verdicts: Sequence[bool | None]) -> bool | None:
    """What more than half of them say; None where no verdict has more than half."""
    verdict, times = Counter(verdicts).most_common(1)[0] if verdicts else (None, 0)
    return verdict if 2 * times > len(verdicts) else None
