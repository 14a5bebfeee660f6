"""Where two answers differ, and how much that weighs clinically: II against III before I against 0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Annotated, Any, Literal, TypedDict

from annotations.label_schema.schema import ROMAN, Findings

LABELS = {
    "right": "Right grade",
    "left": "Left grade",
    "phi": "Parenchymal",
    "cerebellar": "Cerebellar",
    "other_ich": "Other haemorrhage",
    "pvl": "Cystic PVL",
    "phvd": "PHVD",
    "quality": "Quality",
}
Weight = Annotated[int, "clinical weight of a difference, 0 to 100; what it orders by, no unit"]
Level = Literal["high", "mid", "low"]
HIGH, MIDDLE = 80, 40
"""The weights from which a difference is of high and of middle level."""

# What a disagreement between two grades of one side weighs: II against III decides whether a bleed is severe.
_GRADES = {
    (2, 3): 100, (1, 3): 96, (0, 3): 95, (2, 4): 94, (1, 4): 93, (0, 4): 92, (3, 4): 85,
    (0, 2): 60, (1, 2): 45, (0, 1): 20,
}  # fmt: skip
_PRESENCE = {"phi": 88, "cerebellar": 55, "other_ich": 52, "phvd": 50, "pvl": 45}
_SIDE_SWAPPED = 82


@dataclass(frozen=True)
class Difference:
    """Two readers' answers to one field."""

    field: str
    weight: Weight


class ComparedField(TypedDict):
    """What several readers answered to one field."""

    field: str
    label: str
    differs: bool
    level: Annotated[Level | Literal[""], "of its weightiest difference; empty where there is none"]
    values: Annotated[list[str], "each reader's answer in words, in the order of the readers"]


def _grade_weight(a: int | None, b: int | None) -> Weight:
    low, high = sorted((a or 0, b or 0))
    return _GRADES.get((low, high), 0)


def _presence_weight(field: str, a: Any, b: Any) -> Weight:
    if field == "cerebellar" and {a, b} <= {"none", "not_assessed"}:
        return 10
    return _PRESENCE[field]


def _quality_weight(a: str, b: str) -> Weight:
    return 30 if "non_diagnostic" in (a, b) else 10


def _weigh(field: str, a: Any, b: Any) -> Weight:
    if field in ("right", "left"):
        return _grade_weight(a, b)
    return _quality_weight(a, b) if field == "quality" else _presence_weight(field, a, b)


def differences(a: Findings, b: Findings) -> list[Difference]:
    """Where two reads differ, the weightiest first. Keyframes, doubt and comments are no difference."""
    weights = {
        field: _weigh(field, a[field], b[field])
        for field in LABELS
        if field in a and field in b and _differs(field, a, b)
    }
    if (a["right"] or 0, a["left"] or 0) == (b["left"] or 0, b["right"] or 0):
        weights |= {side: max(weights[side], _SIDE_SWAPPED) for side in ("right", "left") if side in weights}
    return _weightiest_first(weights)


def _weightiest_first(weights: dict[str, Weight]) -> list[Difference]:
    return sorted((Difference(field, weight) for field, weight in weights.items()), key=lambda each: -each.weight)


def _differs(field: str, a: Findings, b: Findings) -> bool:
    if field in ("right", "left"):
        return bool((a[field] or 0) != (b[field] or 0))
    return bool(a[field] != b[field])


def all_differences(reads: Sequence[Findings]) -> list[Difference]:
    """The weightiest difference per field among any two of the reads."""
    heaviest: dict[str, Weight] = {}
    for a, b in combinations(reads, 2):
        for difference in differences(a, b):
            heaviest[difference.field] = max(difference.weight, heaviest.get(difference.field, 0))
    return _weightiest_first(heaviest)


def level(weight: Weight) -> Level:
    return "high" if weight >= HIGH else "mid" if weight >= MIDDLE else "low"


def word(field: str, value: Any) -> str:
    """An answer to a field as people say it."""
    if value is None:
        return "not said"
    if field in ("right", "left", "pvl") and not isinstance(value, bool):
        return ROMAN[value]
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value).replace("_", " ")


def compared(answers: Sequence[Findings]) -> list[ComparedField]:
    """Field by field: what differs, the weightiest first, then what does not in the order of LABELS."""
    weights = {difference.field: difference.weight for difference in all_differences(answers)}
    fields = [*weights, *(field for field in LABELS if field not in weights)]
    return [
        {
            "field": field,
            "label": LABELS[field],
            "differs": field in weights,
            "level": level(weights[field]) if field in weights else "",
            "values": [word(field, answer.get(field)) for answer in answers],
        }
        for field in fields
    ]
