"""Answers that are known of a study before somebody labels it: what a reader, or a trainee, is held against.

An item that has one is called gold (`QueueItem.gold`): everybody answers it, and no label is made from it.
"""

from __future__ import annotations

from typing import Annotated, TypedDict

from annotations.consensus import reference_labels
from annotations.label_schema.schema import Findings
from annotations.models import ReadRevision


class KnownAnswer(TypedDict):
    """A study's reference label as it was when its queue was made."""

    positive: bool
    findings: Annotated[Findings | None, "None where several answers made the label: they agree on positive alone"]
    reads: Annotated[list[int], "keys of the read revisions that made it"]
    rule: str
    """How they made it, as in `reference_labels`."""
    definition: str
    """Which version of positive they were judged by."""


def known_answers() -> dict[int, KnownAnswer]:
    """By study: its reference label as an answer to compare with."""
    labels = reference_labels.labels()
    single = [label.reads[0] for label in labels if len(label.reads) == 1]
    findings = dict(ReadRevision.objects.filter(pk__in=single).values_list("pk", "findings")) if single else {}
    return {
        label.study.pk: {
            "positive": label.positive,
            "findings": findings.get(label.reads[0]),
            "reads": list(label.reads),
            "rule": label.rule,
            "definition": label.definition,
        }
        for label in labels
    }
