"""Reference labels: what training believes, by the site's rule, with where it comes from.

An adjudicated read wins. Else two or more readers of a queue who agree on positive make a label, or more than half of
them where the queue's rule is the majority; readers who differ make none until somebody decides. Else one read does:
in a queue that asks for one reader, or from the reading room; else what was imported, where it agrees. A read of a
non-diagnostic study, one that was reopened, a repeat, an answer to a gold study and a trainee's count for nothing.
``consensus`` names the queue's rule with its version, ``settled`` whether it is met: a label can be sure of positive
while the grade waits for an adjudicator. What counts as positive is asked of the definition that is in force now;
what a read said stays as it was said.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal, TypedDict

from django.db.models import Q

from annotations.consensus import rules
from annotations.label_schema import versions
from annotations.label_schema.schema import Definition
from annotations.models import Context, ReadRevision, Rule, makes_labels
from studies.models import Study

LabelRule = Literal["adjudicated", "agreement", "one_reader", "reading_room", "imported"]
"""How reads made a label."""


class ReferenceLabelPayload(TypedDict):
    """A reference label as JSON."""

    study_uid: str
    patient_id: Annotated[str, "empty for who may not know whose study it is"]
    positive: bool
    reads: Annotated[list[int], "keys of the read revisions that made it"]
    rule: LabelRule
    definition: Annotated[str, "which version of positive"]
    consensus: Annotated[str, "the queue's rule and its version; empty where no queue's agreement made it"]
    settled: Annotated[bool, "that rule is met"]


@dataclass(frozen=True)
class ReferenceLabel:
    """What training believes of a study."""

    study: Study
    positive: bool
    reads: tuple[int, ...]
    """Keys of the read revisions that made it."""
    rule: LabelRule
    definition: str
    consensus: str = ""
    settled: bool = True

    def as_json(self) -> ReferenceLabelPayload:
        return {
            "study_uid": self.study.uid,
            "patient_id": self.study.patient.patient_id,
            "positive": self.positive,
            "reads": list(self.reads),
            "rule": self.rule,
            "definition": self.definition,
            "consensus": self.consensus,
            "settled": self.settled,
        }


def _counting(definition: Definition) -> Iterable[ReadRevision]:
    """The last revision of every committed read, positive or not by this definition."""
    labelling = Q(read__item__isnull=True) | makes_labels("read__item__")
    revisions = ReadRevision.objects.counting().filter(labelling).order_by("read__study_id", "read_id")
    for revision in revisions.select_related("read__study__patient", "read__item__queue"):
        if revision.definition != definition.name:
            revision.positive = definition.positive(revision.findings)
        yield revision


def _diagnostic(revision: ReadRevision) -> bool:
    return revision.positive is not None and revision.findings.get("quality") != "non_diagnostic"


def _agreed(revisions: list[ReadRevision]) -> list[ReadRevision]:
    """All of them where they say the same, none where they differ."""
    return revisions if len({revision.positive for revision in revisions}) == 1 else []


def _in_queue(answers: list[ReadRevision]) -> list[ReadRevision]:
    """By the rule of the queue that was answered last: all of them, or those of the majority."""
    if _queue_rule(answers) != Rule.MAJORITY:
        return _agreed(answers)
    verdict = rules.majority([answer.positive for answer in answers])
    return [answer for answer in answers if answer.positive == verdict]


def _queue_rule(answers: list[ReadRevision]) -> str:
    item = answers[-1].read.item
    return item.queue.rule if item is not None else ""


def _sources(revisions: list[ReadRevision]) -> tuple[list[ReadRevision], LabelRule]:
    """Of a study's revisions those that make its label, none where it has none, and how they do."""
    by_context: dict[str, list[ReadRevision]] = defaultdict(list)
    for revision in revisions:
        by_context[revision.read.context].append(revision)
    if decisions := by_context[Context.ADJUDICATION]:
        last = max(decisions, key=lambda revision: (revision.committed_at, revision.pk))
        return ([last] if _diagnostic(last) else []), "adjudicated"
    answers = list(filter(_diagnostic, by_context[Context.QUEUE]))
    if len(answers) >= 2:
        return _in_queue(answers), "agreement"
    if answers and answers[0].read.item is not None and answers[0].read.item.needed == 1:
        return answers, "one_reader"
    if in_reading_room := list(filter(_diagnostic, by_context[Context.TRIAGE])):
        return _agreed(in_reading_room), "reading_room"
    return _agreed(list(filter(_diagnostic, by_context[Context.IMPORT]))), "imported"


def _label(revisions: list[ReadRevision], definition: Definition) -> ReferenceLabel | None:
    sources, rule = _sources(revisions)
    if not sources:
        return None
    queue_rule = _queue_rule(sources) if rule == "agreement" else ""
    return ReferenceLabel(
        sources[0].read.study,
        bool(sources[0].positive),
        tuple(revision.pk for revision in sources),
        rule,
        definition.name,
        consensus=rules.version_of(queue_rule) if queue_rule else "",
        settled=not queue_rule or rules.settled(queue_rule, sources),
    )


def labels() -> list[ReferenceLabel]:
    """The reference label of every study that has one, in the order in which the studies came."""
    definition = versions.in_force().definition
    of_study: dict[int, list[ReadRevision]] = defaultdict(list)
    for revision in _counting(definition):
        of_study[revision.read.study_id].append(revision)
    return [label for revisions in of_study.values() if (label := _label(revisions, definition)) is not None]
