"""Committed reads as tables of codes: who answered what on which study. What the statistics are made of.

Between readers the first commit counts, since others' answers may be shown after it; one read for each reader and
study, and none by somebody who knew the AI's answer. What an adjudicator decided counts as it stands now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from django.db.models import Q

from accounts.models import User
from annotations.agreement.rated_variables import RatedVariables
from annotations.core.bootstrap import Codes
from annotations.core.coefficients import MISSING
from annotations.label_schema import versions
from annotations.models import BLIND, Context, ReadRevision
from annotations.queues.known_answers import KnownAnswer
from studies import access

_COLUMNS = (
    "read__study_id", "read__reader_id", "schema", "definition", "positive", "findings", "duration_ms",
    "read__item__gold", "read__item__queue__trainee",
)  # fmt: skip


class _Row(NamedTuple):
    """A committed revision by _COLUMNS. ``known``: the known answer to its study, if its item has one."""

    study: int
    reader: int
    schema: str
    definition: str
    positive: bool | None
    findings: dict[str, Any]
    duration_ms: int
    known: KnownAnswer | None
    trainee: bool


@dataclass(frozen=True)
class Rating:
    """One committed answer, its findings as codes by question."""

    study: int
    reader: int
    codes: Mapping[str, int]
    seconds: float
    """From opening to commit."""


@dataclass(frozen=True)
class Ratings:
    """The answers of one queue, or of all. Trainees are held against known answers alone."""

    variables: RatedVariables
    first: list[Rating]
    """Each reader's first answer to each study: what agreement is measured on."""
    repeats: list[Rating]
    """The same readers' later answers to the same studies."""
    adjudicated: dict[int, Mapping[str, int]]
    """By study: the codes of the decision that stands."""
    groups: dict[int, str]
    """By study: the infant, or the twins together."""
    names: dict[int, str]
    """By reader."""
    beside_known: list[tuple[Rating, Mapping[str, int]]] = field(default_factory=list)
    """Each answer to a study whose answer is known, with the codes of that answer."""
    unblinded: int = 0
    """Answers left out because their reader knew the AI's."""

    @cached_property
    def rows(self) -> dict[int, int]:
        """The row of each study in a table."""
        return {study: at for at, study in enumerate(sorted({rating.study for rating in self.first}))}

    @cached_property
    def columns(self) -> dict[int, int]:
        """The column of each reader, by name."""
        readers = sorted({rating.reader for rating in self.first}, key=lambda key: (self.names.get(key, ""), key))
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
        return self._filled(self.first, name)

    def truth(self, name: str) -> Codes:
        """What was adjudicated: [S]."""
        codes = [self.adjudicated.get(study, {}).get(name, MISSING) for study in self.studies]
        return np.array(codes, dtype=np.int64)

    def repeated(self, name: str) -> tuple[Codes, Codes]:
        """The first and the second answers of the same reader, each [S, R]; missing where there was no second."""
        return self.table(name), self._filled(reversed(self.repeats), name)

    def _filled(self, ratings: Iterable[Rating], name: str) -> Codes:
        """A table [S, R] of the ratings' codes; of two at one place the last."""
        table = np.full((len(self.studies), len(self.readers)), MISSING)
        for rating in ratings:
            table[self.rows[rating.study], self.columns[rating.reader]] = rating.codes[name]
        return table


def variables_in_force() -> RatedVariables:
    """Those of the schema and the definition in force."""
    now = versions.in_force()
    return RatedVariables(now.schema, now.definition, versions.all_schemas())


def load(*, queue: int | None = None, only: Q | None = None) -> Ratings:
    """The answers of one queue, or of all. ``only`` narrows the revisions further."""
    variables = variables_in_force()
    revisions = ReadRevision.objects.filter(number=1, read__context=Context.QUEUE).order_by("committed_at", "pk")
    if queue is not None:
        revisions = revisions.filter(read__item__queue=queue)
    if only is not None:
        revisions = revisions.filter(only)
    rows = [_Row(*row) for row in revisions.filter(BLIND).values_list(*_COLUMNS)]
    rated = [(row, _rating(row, variables)) for row in rows]
    first, repeats = _parted(rating for row, rating in rated if not row.trainee)
    return Ratings(
        variables=variables,
        first=first,
        repeats=repeats,
        adjudicated=_adjudicated(variables, queue=queue),
        groups=_groups({row.study for row in rows}),
        names=_names({row.reader for row in rows}),
        beside_known=_beside_known([(rating, row.known) for row, rating in rated if row.known], variables),
        unblinded=revisions.not_blind().count(),
    )


def _rating(row: _Row, variables: RatedVariables) -> Rating:
    positive = row.positive
    if row.definition != variables.definition.name:
        positive = variables.definition.positive(row.findings)
    codes = variables.codes(row.findings, schema=row.schema, positive=positive)
    return Rating(row.study, row.reader, codes, row.duration_ms / 1000)


def _parted(ratings: Iterable[Rating]) -> tuple[list[Rating], list[Rating]]:
    """(each reader's first answer to each study, the later ones), in the order of their commits."""
    seen: set[tuple[int, int]] = set()
    first: list[Rating] = []
    later: list[Rating] = []
    for rating in ratings:
        key = (rating.study, rating.reader)
        (later if key in seen else first).append(rating)
        seen.add(key)
    return first, later


def _beside_known(
    answered: Sequence[tuple[Rating, KnownAnswer]], variables: RatedVariables
) -> list[tuple[Rating, Mapping[str, int]]]:
    """Answers beside the known ones; none by somebody whose own read made it known."""
    sources = {revision for _, known in answered for revision in known["reads"]}
    reader_of = dict(ReadRevision.objects.filter(pk__in=sources).values_list("pk", "read__reader_id"))
    return [
        (rating, _known_codes(known, variables))
        for rating, known in answered
        if rating.reader not in {reader_of.get(revision) for revision in known["reads"]}
    ]


def _known_codes(known: KnownAnswer, variables: RatedVariables) -> dict[str, int]:
    """The codes of a known answer; where several reads made it, whether it is positive is all that is known."""
    findings = known["findings"] or {}
    schema = findings.get("schema", variables.schema.name)
    return variables.codes(findings, schema=schema, positive=known["positive"])


def _adjudicated(variables: RatedVariables, *, queue: int | None) -> dict[int, Mapping[str, int]]:
    """The last adjudicated answer of each study that stands."""
    revisions = ReadRevision.objects.counting().filter(read__context=Context.ADJUDICATION)
    revisions = revisions.filter(read__item__queue=queue) if queue is not None else revisions
    rows = (_Row(*row) for row in revisions.order_by("committed_at", "pk").values_list(*_COLUMNS))
    return {row.study: _rating(row, variables).codes for row in rows}


def _groups(studies: set[int]) -> dict[int, str]:
    rows = access.every_study().values_list("pk", "patient_id", "patient__twin_group")
    return {
        study: f"twins:{twins}" if twins else f"patient:{patient}"
        for study, patient, twins in rows.iterator()
        if study in studies
    }


def _names(readers: set[int]) -> dict[int, str]:
    return {user.pk: user.display for user in User.objects.filter(pk__in=readers)}
