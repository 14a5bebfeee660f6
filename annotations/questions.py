"""What agreement is measured on: the fields of a read as questions with categories, and its answers as their codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from annotations.core.agreement import Question
from annotations.core.coefficients import MISSING
from annotations.schema import ROMAN

YES_NO = ((False, "no"), (True, "yes"))
GRADES = tuple(enumerate(ROMAN))


@dataclass(frozen=True)
class Asked:
    """A question with the value that stands for each of its categories in a read's findings."""

    question: Question
    values: tuple[Any, ...]

    @cached_property
    def _codes(self) -> dict[tuple[type, Any], int]:
        return {(type(value), value): code for code, value in enumerate(self.values)}

    def code(self, findings: Mapping[str, Any], positive: bool | None) -> int:
        """The category of an answer; missing where it was not given, or in words of another schema."""
        value = _value(self.question.name, findings, positive)
        return self._codes.get((type(value), value), MISSING)


def _value(name: str, findings: Mapping[str, Any], positive: bool | None) -> Any:
    if name == "positive":
        return positive
    if name == "worst":
        grades = [grade for side in ("right", "left") if (grade := findings.get(side)) is not None]
        return max(grades) if grades else None
    if name == "pvl" and findings.get(name) is not None:  # yes or no once, since then a grade after de Vries
        return bool(findings[name])
    return findings.get(name)


def _asked(name: str, label: str, options: tuple[tuple[Any, str], ...], *, ordinal: bool = False) -> Asked:
    words = tuple(word for _, word in options)
    question = Question(name, label, words, "ordinal" if ordinal else "nominal")
    return Asked(question, tuple(value for value, _ in options))


def asked() -> list[Asked]:
    """Positive or not, the worse side's grade, then the fields of the read."""
    return [
        _asked("positive", "Haemorrhage", YES_NO),
        _asked("worst", "Grade, worse side", GRADES, ordinal=True),
        _asked("right", "Grade, right", GRADES, ordinal=True),
        _asked("left", "Grade, left", GRADES, ordinal=True),
        _asked("phi", "Parenchymal", YES_NO),
        _asked("cerebellar", "Cerebellar", CEREBELLAR),
        _asked("other_ich", "Other haemorrhage", YES_NO),
        _asked("pvl", "Cystic PVL", YES_NO),
        _asked("phvd", "PHVD", YES_NO),
        _asked("quality", "Quality", QUALITY, ordinal=True),
    ]


CEREBELLAR = (
    ("none", "none"), ("left", "left"), ("right", "right"), ("both", "both sides"), ("not_assessed", "not assessed"),
)  # fmt: skip
QUALITY = (("good", "good"), ("limited", "limited"), ("non_diagnostic", "non-diagnostic"))
