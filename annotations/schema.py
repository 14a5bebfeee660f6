"""What a read can say, in which words, and when it counts as positive. Versioned: old reads keep their own version.

Findings "papile-1": a Papile grade per side (0 none, I to IV; None where nothing was said), parenchymal infarction
(PHI), cerebellar haemorrhage, other intracranial haemorrhage, cystic PVL, post-haemorrhagic ventricular dilatation,
quality, doubt, and the frames that show it. Grades after Papile as quoted by the AAP (doi 10.1542/peds.2020-029082).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from annotations import drawings

SCHEMA = "papile-1"
DEFINITION = "positive-1"
ROMAN = ("none", "I", "II", "III", "IV")
CEREBELLAR = ("none", "left", "right", "both", "not_assessed")
QUALITIES = ("good", "limited", "non_diagnostic")
MAX_KEYFRAMES = 100
MAX_COMMENT = 10_000

Findings = dict[str, Any]
Messages = dict[str, list[str]]

EMPTY: Findings = {
    "schema": SCHEMA,
    "right": None,
    "left": None,
    "phi": False,
    "cerebellar": "none",
    "other_ich": False,
    "pvl": False,
    "phvd": False,
    "quality": "good",
    "uncertain": False,
    "keyframes": [],
    "drawings": [],
}


class BadFindings(Exception):
    """``messages``: what is wrong, field by field, for the person who typed it."""

    def __init__(self, messages: Messages) -> None:
        super().__init__("; ".join(f"{field}: {' '.join(said)}" for field, said in messages.items()))
        self.messages = messages


def _grade(value: Any) -> str:
    right = value is None or (type(value) is int and 0 <= value < len(ROMAN))
    return "" if right else "A grade is 0, 1, 2, 3, 4, or nothing."


def _truth(value: Any) -> str:
    return "" if isinstance(value, bool) else "This is true or false."


def _one_of(*words: str) -> Callable[[Any], str]:
    return lambda value: "" if isinstance(value, str) and value in words else f"This is one of {', '.join(words)}."


def _is_keyframe(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == {"sop_uid", "frame"}
        and isinstance(value["sop_uid"], str)
        and len(value["sop_uid"]) <= 64
        and type(value["frame"]) is int
        and 1 <= value["frame"] <= 10**6
    )


def _keyframes(value: Any) -> str:
    right = isinstance(value, list) and len(value) <= MAX_KEYFRAMES and all(map(_is_keyframe, value))
    return "" if right else f"Keyframes are at most {MAX_KEYFRAMES} pairs of sop_uid and frame, counted from 1."


_FIELDS: dict[str, Callable[[Any], str]] = {
    "schema": _one_of(SCHEMA),
    "right": _grade,
    "left": _grade,
    "phi": _truth,
    "cerebellar": _one_of(*CEREBELLAR),
    "other_ich": _truth,
    "pvl": _truth,
    "phvd": _truth,
    "quality": _one_of(*QUALITIES),
    "uncertain": _truth,
    "keyframes": _keyframes,
    "drawings": lambda value: "",  # drawing by drawing and field by field, in validate()
}


def validate(findings: Any) -> Findings:
    """The findings with every field present; what was left out says nothing. Raises BadFindings."""
    if not isinstance(findings, dict):
        raise BadFindings({"findings": ["Findings are an object."]})
    messages: Messages = {str(field): ["This schema has no such field."] for field in findings if field not in _FIELDS}
    whole = {**EMPTY, **{field: findings[field] for field in _FIELDS if field in findings}}
    for field, check in _FIELDS.items():
        if wrong := check(whole[field]):
            messages[field] = [wrong]
    messages |= drawings.messages(whole["drawings"])
    if messages:
        raise BadFindings(messages)
    return {**whole, "drawings": drawings.plain(whole["drawings"])}


def _haemorrhage(findings: Findings) -> bool:
    return bool(
        (findings["right"] or 0) >= 1
        or (findings["left"] or 0) >= 1
        or findings["phi"]
        or findings["cerebellar"] in ("left", "right", "both")
        or findings["other_ich"]
    )


def positive(findings: Findings) -> bool | None:
    """Definition "positive-1": any grade from I, PHI, cerebellar or other intracranial haemorrhage. None: not said."""
    if _haemorrhage(findings):
        return True
    return None if None in (findings["right"], findings["left"]) else False


def complete(findings: Any) -> Findings:
    """Findings as they are committed: a grade on one side alone says that the other has none.

    Raises BadFindings where it remains unsaid whether there is a haemorrhage, except in a non-diagnostic study.
    """
    whole = validate(findings)
    for side, other in (("right", "left"), ("left", "right")):
        if (whole[side] or 0) >= 1 and whole[other] is None:
            whole = {**whole, other: 0}
    if positive(whole) is None and whole["quality"] != "non_diagnostic":
        raise BadFindings({"findings": [_unsaid(whole)]})
    return whole


def _unsaid(findings: Findings) -> str:
    if findings["right"] == findings["left"]:
        return "Say first whether there is a haemorrhage: 0 for none, or a side and its grade."
    missing = "right" if findings["right"] is None else "left"
    return f"The {missing} side has no grade yet: 0 says that both sides have none."


def summary(findings: Findings) -> str:
    """The grade in a word or two: ``none``, ``III left``, ``II bilat.``, ``III right, I left``, ``not said``."""
    right, left = findings.get("right"), findings.get("left")
    if right is None and left is None:
        return "haemorrhage" if _haemorrhage({**EMPTY, **findings}) else "not said"
    if right and left:
        return f"{ROMAN[right]} bilat." if right == left else f"{ROMAN[right]} right, {ROMAN[left]} left"
    if right or left:
        return f"{ROMAN[right]} right" if right else f"{ROMAN[left or 0]} left"
    return "haemorrhage" if _haemorrhage({**EMPTY, **findings}) else "none"
