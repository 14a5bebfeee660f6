"""Committed reads as tables of codes: who answered what on which study. What the statistics are made of.

Between readers the first commit counts, since others' answers may be shown after it; one read for each reader and
study, and none by somebody who knew the AI's answer. What an adjudicator decided counts as it stands now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from django.db.models import Q

from accounts.models import User
from annotations.agreement.rated_variables import Asking
from annotations.core.bootstrap import Codes
from annotations.core.coefficients import MISSING
from annotations.label_schema import versions
from annotations.models import Context, ReadRevision
from studies import access

_FIELDS = (
    "read__study_id", "read__reader_id", "schema", "definition", "positive", "findings", "duration_ms",
)  # fmt: skip
_GOLD = ("read__item__gold", "read__item__queue__trainee")


@dataclass(frozen=True)
class Answer:
    """One committed answer, its findings as codes by question."""

    study: int
    reader: int
    codes: Mapping[str, int]
    seconds: float


@dataclass(frozen=True)
class Gathered:
    """``asking``: the questions; ``first``: the answers that agreement is measured on; ``again``: the same readers'
    later ones of the same studies, ``decided`` the adjudicated ones by study, ``known`` each answer to a study whose
    answer is known, beside that answer, and ``unblinded`` counts what was left out. Trainees are held against known
    answers alone."""

    asking: Asking
    first: list[Answer]
    again: list[Answer]
    decided: dict[int, Mapping[str, int]]
    groups: dict[int, str]
    names: dict[int, str]
    known: list[tuple[Answer, Mapping[str, int]]] = field(default_factory=list)
    unblinded: int = 0

    @cached_property
    def rows(self) -> dict[int, int]:
        """The row of each study in a table."""
        return {study: at for at, study in enumerate(sorted({answer.study for answer in self.first}))}

    @cached_property
    def columns(self) -> dict[int, int]:
        """The column of each reader, by name."""
        readers = sorted({answer.reader for answer in self.first}, key=lambda key: (self.names.get(key, ""), key))
        return {reader: at for at, reader in enumerate(readers)}

    @property
    def studies(self) -> list[int]:
        return list(self.rows)

    @property
    def readers(self) -> list[int]:
        return list(self.columns)

    @property
    def patients(self) -> list[str]:
        """Whose study each row is: the infant, or the twins together."""
        return [self.groups[study] for study in self.studies]

    def table(self, name: str) -> Codes:
        """The first answers to a question: [S, R]."""
        found = np.full((len(self.studies), len(self.readers)), MISSING)
        for answer in self.first:
            found[self.rows[answer.study], self.columns[answer.reader]] = answer.codes[name]
        return found

    def truth(self, name: str) -> Codes:
        """What was adjudicated: [S]."""
        return np.array([self.decided.get(study, {}).get(name, MISSING) for study in self.studies], dtype=np.int64)

    def repeated(self, name: str) -> tuple[Codes, Codes]:
        """The first and the second answers of the same reader, each [S, R]; missing where there was no second."""
        second = np.full((len(self.studies), len(self.readers)), MISSING)
        for answer in reversed(self.again):
            second[self.rows[answer.study], self.columns[answer.reader]] = answer.codes[name]
        return self.table(name), second


def asking() -> Asking:
    """The questions of the schema and the definition in force."""
    now = versions.in_force()
    return Asking(now.schema, now.definition, versions.all_schemas())


def gather(*, queue: int | None = None, only: Q | None = None) -> Gathered:
    """The answers of one queue, or of all. ``only`` narrows the revisions further."""
    asked = asking()
    rows = ReadRevision.objects.filter(number=1, read__context=Context.QUEUE).order_by("committed_at", "pk")
    if queue is not None:
        rows = rows.filter(read__item__queue=queue)
    if only is not None:
        rows = rows.filter(only)
    blind = Q(flag_seen="", attention_seen=False)
    told = [(_answer(row[:-2], asked), *row[-2:]) for row in rows.filter(blind).values_list(*_FIELDS, *_GOLD)]
    first, again = _parted(answer for answer, _, trainee in told if not trainee)
    return Gathered(
        asking=asked,
        first=first,
        again=again,
        decided=_decided(asked, queue=queue),
        groups=_groups({answer.study for answer, _, _ in told}),
        names=_names({answer.reader for answer, _, _ in told}),
        known=_against_known([(answer, gold) for answer, gold, _ in told if gold], asked),
        unblinded=rows.exclude(blind).count(),
    )


def _answer(row: Sequence[Any], asked: Asking) -> Answer:
    study, reader, schema, definition, positive, findings, duration_ms = row
    if definition != asked.definition.name:
        positive = asked.definition.positive(findings)
    return Answer(study, reader, asked.codes(findings, schema=schema, positive=positive), duration_ms / 1000)


def _parted(answers: Iterable[Answer]) -> tuple[list[Answer], list[Answer]]:
    """(each reader's first answer to each study, the later ones), in the order of their commits."""
    seen: set[tuple[int, int]] = set()
    first: list[Answer] = []
    again: list[Answer] = []
    for answer in answers:
        key = (answer.study, answer.reader)
        (again if key in seen else first).append(answer)
        seen.add(key)
    return first, again


def _against_known(
    told: Sequence[tuple[Answer, Mapping[str, Any]]], asked: Asking
) -> list[tuple[Answer, Mapping[str, int]]]:
    """Answers beside the known ones; none by somebody whose own read made it known."""
    made_by = dict(
        ReadRevision.objects.filter(pk__in={pk for _, gold in told for pk in gold.get("reads", [])}).values_list(
            "pk", "read__reader_id"
        )
    )
    return [
        (answer, _known(gold, asked))
        for answer, gold in told
        if answer.reader not in {made_by.get(pk) for pk in gold.get("reads", [])}
    ]


def _known(gold: Mapping[str, Any], asked: Asking) -> dict[str, int]:
    """The codes of a known answer; where several reads made it, whether it is positive is all that is known."""
    findings = gold.get("findings") or {}
    schema = findings.get("schema", asked.schema.name)
    return asked.codes(findings, schema=schema, positive=gold.get("positive"))


def _decided(asked: Asking, *, queue: int | None) -> dict[int, Mapping[str, int]]:
    """The last adjudicated answer of each study that stands."""
    rows = ReadRevision.objects.counting().filter(read__context=Context.ADJUDICATION).order_by("committed_at", "pk")
    rows = rows.filter(read__item__queue=queue) if queue is not None else rows
    return {row[0]: _answer(row, asked).codes for row in rows.values_list(*_FIELDS)}


def _groups(studies: set[int]) -> dict[int, str]:
    rows = access.every_study().values_list("pk", "patient_id", "patient__twin_group")
    return {
        study: f"twins:{twins}" if twins else f"patient:{patient}"
        for study, patient, twins in rows.iterator()
        if study in studies
    }


def _names(readers: set[int]) -> dict[int, str]:
    return {user.pk: user.display for user in User.objects.filter(pk__in=readers)}
