"""Reference labels: what training believes, by the site's rule, with where it comes from.

An adjudicated read wins. Else two or more readers of a queue who agree on positive make a label; readers who differ
make none until somebody decides. Else one read does: in a queue that asks for one reader, or from the reading room. A
read of a non-diagnostic study, or one that was reopened, counts for nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from annotations.models import Context, Read, ReadRevision, ReadStatus
from annotations.schema import DEFINITION
from studies.models import Study

ADJUDICATED, AGREEMENT, ONE_READER, READING_ROOM = "adjudicated", "agreement", "one_reader", "reading_room"


@dataclass(frozen=True)
class ReferenceLabel:
    """``reads``: the ids of the read revisions that made it; ``rule``: how."""

    study: Study
    positive: bool
    reads: tuple[int, ...]
    rule: str
    definition: str

    def as_json(self) -> dict[str, Any]:
        return {
            "study_uid": self.study.uid,
            "patient_id": self.study.patient.patient_id,
            "positive": self.positive,
            "reads": list(self.reads),
            "rule": self.rule,
            "definition": self.definition,
        }


def _counting() -> Iterable[ReadRevision]:
    """The last revision of every committed read."""
    reads = Read.objects.filter(status=ReadStatus.COMMITTED).order_by("study_id", "pk")
    reads = reads.select_related("study__patient", "item__queue").prefetch_related("revisions")
    for read in reads:
        revision = max(read.revisions.all(), key=lambda each: each.number)
        revision.read = read
        yield revision


def _diagnostic(revision: ReadRevision) -> bool:
    return revision.positive is not None and revision.findings.get("quality") != "non_diagnostic"


def _agreed(revisions: list[ReadRevision]) -> list[ReadRevision]:
    """All of them where they say the same, none where they differ."""
    return revisions if len({revision.positive for revision in revisions}) == 1 else []


def _believed(revisions: list[ReadRevision]) -> tuple[list[ReadRevision], str]:
    """The revisions that make one study's label and the rule, or none."""
    by_context: dict[str, list[ReadRevision]] = defaultdict(list)
    for revision in revisions:
        by_context[revision.read.context].append(revision)
    if decided := by_context[Context.ADJUDICATION]:
        last = max(decided, key=lambda revision: (revision.committed_at, revision.pk))
        return ([last] if _diagnostic(last) else []), ADJUDICATED
    answers = list(filter(_diagnostic, by_context[Context.QUEUE]))
    if len(answers) >= 2:
        return _agreed(answers), AGREEMENT
    if answers and answers[0].read.item is not None and answers[0].read.item.queue.readers_per_study == 1:
        return answers, ONE_READER
    return _agreed(list(filter(_diagnostic, by_context[Context.TRIAGE]))), READING_ROOM


def _label(revisions: list[ReadRevision]) -> ReferenceLabel | None:
    believed, rule = _believed(revisions)
    if not believed:
        return None
    first = believed[0]
    ids = tuple(revision.pk for revision in believed)
    return ReferenceLabel(first.read.study, bool(first.positive), ids, rule, DEFINITION)


def labels() -> list[ReferenceLabel]:
    """The reference label of every study that has one, in the order in which the studies came. Three queries."""
    of_study: dict[int, list[ReadRevision]] = defaultdict(list)
    for revision in _counting():
        of_study[revision.read.study_id].append(revision)
    found = (_label(revisions) for revisions in of_study.values())
    return [label for label in found if label is not None]
