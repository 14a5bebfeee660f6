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
ORDERED = ("quality",)
"""Fields in words whose order means something: from best to worst."""
Options = tuple[tuple[Any, str], ...]


@dataclass(frozen=True)
class Asked:
    """A question with the value that stands for each of its categories in a read's findings."""

    question: Question
    values: tuple[Any, ...]

    @cached_property
    def _codes(self) -> dict[tuple[type, Any], int]:
        return {(type(value), value): code for code, value in enumerate(self.values)}

    def code(self, value: Any) -> int:
        """The category of an answer; missing where it was not given."""
        return self._codes.get((type(value), value), MISSING)


@dataclass(frozen=True)
class Asking:
    """All questions of a schema and a definition, and which of them each version of the schema can answer."""

    schema: Schema
    definition: Definition
    every: Mapping[str, Schema] = field(default_factory=dict)

    @cached_property
    def asked(self) -> list[Asked]:
        """Positive or not, the worse side's grade, then the fields of the read that are answered in categories."""
        fields = [name for name in self.schema.properties if name != "uncertain" and self._options(self.schema, name)]
        grades = self._options(self.schema, SIDES[0])
        own = [self._of_field(name) for name in fields]
        verdict = _asked(POSITIVE, "Positive", ((False, "no"), (True, "yes")), ordinal=False)
        return [verdict, *([_asked(WORST, "Grade, worse side", grades, ordinal=True)] if grades else []), *own]

    @property
    def questions(self) -> list[Question]:
        return [one.question for one in self.asked]

    def named(self, name: str) -> Question:
        """Raises KeyError where there is none."""
        return {one.name: one for one in self.questions}[name]

    def codes(self, findings: Mapping[str, Any], *, schema: str, positive: bool | None) -> dict[str, int]:
        """An answer as codes; ``positive`` is the verdict by the definition that is asked for."""
        return {
            one.question.name: one.code(positive if one.question.name == POSITIVE else _value(one, findings))
            if self._answers(schema, one.question.name)
            else MISSING
            for one in self.asked
        }

    def _answers(self, schema: str, name: str) -> bool:
        if schema == self.schema.name or name == POSITIVE:
            return True
        return self._comparable.get((schema, name), False)

    @cached_property
    def _comparable(self) -> dict[tuple[str, str], bool]:
        """Whether a question means the same in another version of the schema."""
        return {
            (other.name, name): self._same(other, SIDES if name == WORST else (name,))
            for other in self.every.values()
            for name in [question.name for question in self.questions]
        }

    def _same(self, other: Schema, fields: tuple[str, ...]) -> bool:
        if set(fields) & set(SIDES) and _family(other.name) != _family(self.schema.name):
            return False
        return all(self._options(other, name) == self._options(self.schema, name) != () for name in fields)

    @staticmethod
    def _options(schema: Schema, name: str) -> Options:
        """The answers of a field in order, and their words; none where it is no choice."""
        rule = schema.properties.get(name, {})
        if rule.get("type") == "boolean":
            return ((False, "no"), (True, "yes"))
        options = rule.get("oneOf", [])
        return tuple((one["const"], str(one["title"])) for one in options if one["const"] is not None)

    def _of_field(self, name: str) -> Asked:
        options = self._options(self.schema, name)
        label = self.schema.label(name)
        graded = all(type(value) is int for value, _ in options)
        return _asked(
            name, f"Grade, {label.lower()}" if name in SIDES else label, options, ordinal=graded or name in ORDERED
        )


def _family(name: str) -> str:
    return name.rpartition("-")[0]


def _value(one: Asked, findings: Mapping[str, Any]) -> Any:
    if one.question.name != WORST:
        return findings.get(one.question.name)
    grades = [grade for side in SIDES if (grade := findings.get(side)) is not None]
    return max(grades) if grades else None


def _asked(name: str, label: str, options: Options, *, ordinal: bool) -> Asked:
    words = tuple(word for _, word in options)
    return Asked(
        Question(name, label, words, "ordinal" if ordinal else "nominal"), tuple(value for value, _ in options)
    )
