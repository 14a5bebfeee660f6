"""What a read can say, in which words, and when it counts as positive. Pure; `versions` knows which one is in force.

A version of the label schema is a JSON Schema (draft 2020-12) of the findings. Beside the standard's own words
(``title``, ``description``, ``default``, ``oneOf`` with ``const`` and ``title`` for answers in words) it knows
``x-key`` (the key that gives the field), ``x-when`` (a condition under which the form shows it) and ``x-asks`` (what
does not go together, and the question that is asked then). Versions that come with us lie in `shipped`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, TypedDict

from jsonschema import Draft202012Validator

from annotations.label_schema import conditions
from annotations.measurements import drawings

SHIPPED = Path(__file__).parent / "shipped"
SIDES = ("right", "left")
ROMAN = ("none", "I", "II", "III", "IV")
MAX_COMMENT = 10_000

Findings = dict[str, Any]
"""An answer, by field; which fields there are its version of the schema says."""
Messages = dict[str, list[str]]
"""What is wrong, by field, in sentences for who typed it."""
Rule = dict[str, Any]
"""The JSON Schema of one field."""


class Keyframe(TypedDict):
    """A frame that a reader marked."""

    sop_uid: str
    frame: Annotated[int, "counted from 1"]


class BadFindings(Exception):
    """``messages``: what is wrong, field by field, for the person who typed it."""

    def __init__(self, messages: Messages) -> None:
        super().__init__("; ".join(f"{field}: {' '.join(sentences)}" for field, sentences in messages.items()))
        self.messages = messages


@dataclass(frozen=True)
class LeftOut:
    """What an answer said that another version of the schema has no place for."""

    field: str
    title: str
    said: str
    """The answer in the words of the version that it was made with."""


@dataclass(frozen=True)
class Schema:
    """One version of the label schema."""

    name: str
    document: dict[str, Any]

    @property
    def title(self) -> str:
        return str(self.document["title"])

    @property
    def properties(self) -> dict[str, Rule]:
        """The fields in the order of the form."""
        properties: dict[str, Rule] = self.document["properties"]
        return properties

    @cached_property
    def _checks(self) -> dict[str, Any]:
        return {field: Draft202012Validator(rule) for field, rule in self.properties.items()}

    @property
    def empty(self) -> Findings:
        """An answer that says nothing; the caller's own to change."""
        defaults = {field: rule.get("default") for field, rule in self.properties.items()}
        copied: Findings = json.loads(json.dumps(defaults))
        return copied | {"schema": self.name}

    def options(self, field: str) -> list[Rule]:
        """The answers in words that a field can have: ``const`` and ``title``; none where it takes no words."""
        options: list[Rule] = self.properties[field].get("oneOf", [])
        return options

    def word(self, field: str, value: Any) -> str:
        """An answer in the words of this version; yes and no, numbers and texts as they are."""
        for option in self.options(field) if field in self.properties else ():
            if conditions.holds({"field": field, "is": [option["const"]]}, {field: value}):
                return str(option["title"])
        if isinstance(value, bool):
            return "yes" if value else "no"
        return str(len(value)) if isinstance(value, list) else "not said" if value is None else str(value)

    def label(self, field: str) -> str:
        """The title of a field; its name where this version has no such field."""
        return str(self.properties.get(field, {}).get("title", field))

    def fits(self, field: str, value: Any) -> bool:
        """Whether a field of this version takes this answer."""
        return field in self._checks and bool(self._checks[field].is_valid(value))

    def validate(self, findings: Any) -> Findings:
        """The findings with every field present; what was left out says nothing. Raises BadFindings."""
        if not isinstance(findings, dict):
            raise BadFindings({"findings": ["Findings are an object."]})
        unknown = (str(field) for field in findings if field not in self.properties)
        messages: Messages = {field: ["This schema has no such field."] for field in unknown}
        whole = {**self.empty, **{field: findings[field] for field in self.properties if field in findings}}
        for field in self.properties:
            if not self.fits(field, whole[field]):
                messages[field] = [self._expects(field)]
        messages |= drawings.messages(whole["drawings"])
        if messages:
            raise BadFindings(messages)
        plain = {field: _plain(value) for field, value in whole.items() if field != "drawings"}
        return {**plain, "drawings": drawings.plain(whole["drawings"])}

    def _expects(self, field: str) -> str:
        """What a field takes, for the person who sent something else."""
        rule = self.properties[field]
        if field == "keyframes":
            return f"Keyframes are at most {rule['maxItems']} pairs of sop_uid and frame, counted from 1."
        if self.options(field):
            values = (json.dumps(option["const"], ensure_ascii=False) for option in self.options(field))
            return f"{self.label(field)} is one of {', '.join(values)}."
        if "boolean" in _types(rule):
            return f"{self.label(field)} is true or false."
        bounds = {name: rule[name] for name in ("minimum", "maximum", "maxLength") if name in rule}
        limits = ", ".join(f"{name} {bound}" for name, bound in bounds.items())
        return f"{self.label(field)} is of the kind {' or '.join(_types(rule))}{f' ({limits})' if limits else ''}."

    def complete(self, findings: Any, definition: Definition) -> Findings:
        """Findings as they are committed: a grade on one side alone says that the other has none.

        Raises BadFindings where it remains unsaid whether they are positive, except in a non-diagnostic study.
        """
        whole = self.validate(findings)
        for side, other in (SIDES, SIDES[::-1]):
            if (whole[side] or 0) >= 1 and whole[other] is None:
                whole = {**whole, other: 0}
        ungraded = None in (whole["right"], whole["left"]) and definition.positive(whole) is not True
        if ungraded and whole["quality"] != "non_diagnostic":
            raise BadFindings({"findings": [_unsaid(whole)]})
        return whole

    def questions(self, findings: Findings) -> list[str]:
        """What does not go together. A reader may mean it: they are asked, and asked once."""
        return [entry["ask"] for entry in self.document.get("x-asks", []) if _contradicts(entry, findings)]

    def carry(self, findings: Findings, origin: Schema) -> tuple[Findings, list[LeftOut]]:
        """An answer to another version in the fields of this one, and what has no place here."""
        answers = {field: value for field, value in findings.items() if field != "schema"}
        carried = {field: value for field, value in answers.items() if self.fits(field, value)}
        left_out = [
            LeftOut(field, origin.label(field), origin.word(field, value))
            for field, value in answers.items()
            if field not in carried and value != origin.empty.get(field)
        ]
        return {**self.empty, **carried}, left_out


def _contradicts(entry: Rule, findings: Findings) -> bool:
    """Whether findings meet the condition of an entry of ``x-asks``."""
    return conditions.holds({part: entry[part] for part in ("all", "any") if part in entry}, findings)


def _types(rule: Rule) -> list[str]:
    types = rule.get("type", [])
    return [types] if isinstance(types, str) else list(types)


def _plain(value: Any) -> Any:
    """JSON Schema takes 1.0 for 1; we keep one spelling."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list) else value


def _unsaid(findings: Findings) -> str:
    if findings["right"] == findings["left"]:
        return "Say first whether there is a haemorrhage: 0 for none, or a side and its grade."
    missing = "right" if findings["right"] is None else "left"
    return f"The {missing} side has no grade yet: 0 says that both sides have none."


@dataclass(frozen=True)
class Definition:
    """One version of what "positive" means: any of the conditions in ``rule["any"]``."""

    name: str
    rule: Rule

    @property
    def title(self) -> str:
        return str(self.rule["title"])

    def positive(self, findings: Mapping[str, Any]) -> bool | None:
        """None: what it depends on was not said."""
        if any(conditions.holds(condition, findings) for condition in self.rule["any"]):
            return True
        fields = {field for condition in self.rule["any"] for field in conditions.fields(condition)}
        return None if any(field in findings and findings[field] is None for field in fields) else False


def shipped() -> dict[str, dict[str, Any]]:
    """What comes with us, by name: schemas and definitions."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(SHIPPED.glob("*.json"))}


def summary(findings: Findings) -> str:
    """The grade in a word or two: ``none``, ``III left``, ``II bilat.``, ``III right, I left``, ``not said``."""
    right, left = findings.get("right"), findings.get("left")
    if right is None and left is None:
        return "haemorrhage" if _elsewhere(findings) else "not said"
    if right and left:
        return f"{ROMAN[right]} bilat." if right == left else f"{ROMAN[right]} right, {ROMAN[left]} left"
    if right or left:
        return f"{ROMAN[right]} right" if right else f"{ROMAN[left or 0]} left"
    return "haemorrhage" if _elsewhere(findings) else "none"


def _elsewhere(findings: Findings) -> bool:
    """Whether there is a haemorrhage that has no grade."""
    cerebellar = findings.get("cerebellar") in ("left", "right", "both")
    return bool(findings.get("phi") or findings.get("other_ich") or cerebellar)
