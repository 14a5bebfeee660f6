"""What a cell of a sheet says in the words of a schema: a number, an answer's own value or its title, yes or no."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

from annotations.label_schema.schema import ROMAN, Rule, Schema

_FORMULA = re.compile(r"[=@\t\r]|[+-](?![\d.])")
_YES = {"true", "yes", "y", "1", "x"}
_NO = {"false", "no", "n", "0"}
_CACHED = 20_000
_SHOWN = 40
"""Characters of a cell that a message repeats."""


class BadCell(Exception):
    """The message says what the cell holds and what it could hold; it goes on from the name of the column."""


def unquoted(text: str) -> str:
    """Without the apostrophe that keeps a text from being taken for a formula. Raises BadCell for a formula."""
    if text.startswith("'"):
        return text[1:]
    if _FORMULA.match(text):
        raise BadCell(
            f"holds a formula ({text[:_SHOWN]}), not an answer: save the sheet with values in place of formulas"
        )
    return text


class CellReader:
    """Cells as answers in one version of the schema."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        names = schema.properties
        self.fields = {**{schema.label(name).lower(): name for name in names}, **{name: name for name in names}}
        """The fields by what a column may be called: their titles in small letters, and their names."""
        self.value = lru_cache(_CACHED)(self._value)
        """What a cell of a field says; the same cell is read once. Raises BadCell."""

    def _value(self, field: str, text: str) -> Any:
        if field in ("keyframes", "drawings"):
            return _list(text)
        plain = unquoted(text)
        if options := self.schema.options(field):
            return _option(options, plain)
        rule = self.schema.properties[field]
        if rule.get("type") == "boolean":
            return _truth(plain)
        return plain if rule.get("type") == "string" else _number(plain)


def _list(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise BadCell("holds no list as our exports write it") from None


def _option(options: list[Rule], plain: str) -> Any:
    """By value ("3", "not_assessed"), by title ("III", "not assessed"); grades by Roman numerals too."""
    for option in options:
        if plain.casefold() in {name.casefold() for name in _names(option)}:
            return option["const"]
    titles = ", ".join(str(option["title"]) for option in options)
    raise BadCell(f"holds {plain[:_SHOWN]!r}, which is none of {titles}")


def _names(option: Rule) -> set[str]:
    const = option["const"]
    names = {json.dumps(const), str(const), str(option["title"])}
    if isinstance(const, int) and not isinstance(const, bool) and const < len(ROMAN):
        names |= {ROMAN[const], f"{const}.0"}
    return names


def _truth(plain: str) -> bool:
    if plain.casefold() not in _YES | _NO:
        raise BadCell(f"holds {plain[:_SHOWN]!r}, which is neither yes nor no")
    return plain.casefold() in _YES


def _number(plain: str) -> float | int:
    try:
        return int(plain) if re.fullmatch(r"-?\d+", plain) else float(plain)
    except ValueError:
        raise BadCell(f"holds {plain[:_SHOWN]!r}, which is no number") from None
