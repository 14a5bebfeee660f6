"""What agreement is measured on: the fields of a read as questions with categories, and its answers as their codes.

Questions are those of the schema in force. A read that was made with another version counts for a field whose answers
are the same there; a grade counts within its scheme alone, since a Volpe III is no Papile III.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from annotations.core.agreement import Question
from annotations.core.coefficients import MISSING
from annotations.label_schema.schema import SIDES, Definition, Schema

POSITIVE, WORST = "positive", "worst"
"""Questions that are no field: whether a read is positive by the definition, and the grade of the worse side."""
ORDERED = ("quality",)
"""Fields in words whose order means something: from best to worst."""
Options = tuple[tuple[Any, str], ...]
"""The answers that a field can have, each with its word."""


@dataclass(frozen=True)
class RatedVariable:
    """A question with the value that stands for each of its categories in a read's findings."""

    question: Question
    values: tuple[Any, ...]

    @property
    def name(self) -> str:
        return self.question.name

    @cached_property
    def _codes(self) -> dict[tuple[type, Any], int]:
        return {(type(value), value): code for code, value in enumerate(self.values)}

    def code(self, value: Any) -> int:
        """The category of an answer; missing where it was not given."""
        return self._codes.get((type(value), value), MISSING)


@dataclass(frozen=True)
class RatedVariables:
    """All rated variables of a schema and a definition, and which of them each version of the schema can answer.

    ``versions``: every version of the schema by name.
    """

    schema: Schema
    definition: Definition
    versions: Mapping[str, Schema] = field(default_factory=dict)

    @cached_property
    def variables(self) -> list[RatedVariable]:
        """Positive or not, the worse side's grade, then the fields of the read that are answered in categories."""
        fields = [name for name in self.schema.properties if name != "uncertain" and _options(self.schema, name)]
        grades = _options(self.schema, SIDES[0])
        verdict = _variable(POSITIVE, "Positive", ((False, "no"), (True, "yes")), ordinal=False)
        worst = [_variable(WORST, "Grade, worse side", grades, ordinal=True)] if grades else []
        return [verdict, *worst, *(_of_field(self.schema, name) for name in fields)]

    @property
    def questions(self) -> list[Question]:
        return [variable.question for variable in self.variables]

    def question(self, name: str) -> Question:
        """Raises KeyError where there is none."""
        return {question.name: question for question in self.questions}[name]

    def codes(self, findings: Mapping[str, Any], *, schema: str, positive: bool | None) -> dict[str, int]:
        """The code of each variable in findings made with the version ``schema``; MISSING where it does not say.

        ``positive`` is the verdict by the definition that is in force.
        """
        return {
            variable.name: variable.code(_value(variable.name, findings, positive))
            if self._answers(schema, variable.name)
            else MISSING
            for variable in self.variables
        }

    def _answers(self, schema: str, name: str) -> bool:
        if schema == self.schema.name or name == POSITIVE:
            return True
        return self._comparable.get((schema, name), False)

    @cached_property
    def _comparable(self) -> dict[tuple[str, str], bool]:
        """By version and variable: whether it means the same there."""
        return {
            (other.name, variable.name): self._same(other, SIDES if variable.name == WORST else (variable.name,))
            for other in self.versions.values()
            for variable in self.variables
        }

    def _same(self, other: Schema, fields: tuple[str, ...]) -> bool:
        if set(fields) & set(SIDES) and _family(other.name) != _family(self.schema.name):
            return False
        return all(_options(other, name) == _options(self.schema, name) != () for name in fields)


def _options(schema: Schema, name: str) -> Options:
    """The answers of a field in order, and their words; none where it is no choice."""
    rule = schema.properties.get(name, {})
    if rule.get("type") == "boolean":
        return ((False, "no"), (True, "yes"))
    options = rule.get("oneOf", [])
    return tuple((option["const"], str(option["title"])) for option in options if option["const"] is not None)


def _of_field(schema: Schema, name: str) -> RatedVariable:
    options, label = _options(schema, name), schema.label(name)
    graded = all(type(value) is int for value, _ in options)
    label = f"Grade, {label.lower()}" if name in SIDES else label
    return _variable(name, label, options, ordinal=graded or name in ORDERED)


def _family(name: str) -> str:
    return name.rpartition("-")[0]


def _value(name: str, findings: Mapping[str, Any], positive: bool | None) -> Any:
    """What findings say of a variable."""
    if name == POSITIVE:
        return positive
    if name != WORST:
        return findings.get(name)
    grades = [grade for side in SIDES if (grade := findings.get(side)) is not None]
    return max(grades) if grades else None


def _variable(name: str, label: str, options: Options, *, ordinal: bool) -> RatedVariable:
    words = tuple(word for _, word in options)
    question = Question(name, label, words, "ordinal" if ordinal else "nominal")
    return RatedVariable(question, tuple(value for value, _ in options))
