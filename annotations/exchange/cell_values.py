"""What a cell of a sheet says in the words of a schema: a number, an answer's own value or its title, yes or no."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

from annotations.label_schema.schema import ROMAN, Schema

_FORMULA = re.compile(r"[=@\t\r]|[+-](?![\d.])")
_YES = {"true", "yes", "y", "1", "x"}
_NO = {"false", "no", "n", "0"}


class BadCell(Exception):
    """The message says what the cell holds and what it could hold."""


def unquoted(text: str) -> str:
    """Without the apostrophe that keeps a text from being taken for a formula. Raises BadCell for a formula."""
    if text.startswith("'"):
        return text[1:]
    if _FORMULA.match(text):
        raise BadCell(f"holds a formula ({text[:40]}), not an answer: save the sheet with values in place of formulas")
    return text


class Words:
    """Cells in the words of one schema, each asked once."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.fields = {
            **{schema.label(name).lower(): name for name in schema.properties},
            **{n: n for n in schema.properties},
        }
        self.value = lru_cache(20_000)(self._value)

    def _value(self, field: str, text: str) -> Any:
        """Raises BadCell."""
        if field in ("keyframes", "drawings"):
            return self._listed(text)
        plain = unquoted(text)
        if self.schema.options(field):
            return self._option(field, plain)
        rule = self.schema.properties[field]
        if rule.get("type") == "boolean":
            return self._truth(field, plain)
        return plain if rule.get("type") == "string" else self._number(plain)

    def _listed(self, text: str) -> Any:
        try:
            return json.loads(text)
        except ValueError:
            raise BadCell("holds no list as our exports write it") from None

    def _option(self, field: str, plain: str) -> Any:
        """By value ("3", "not_assessed"), by title ("III", "not assessed"); grades by Roman numerals too."""
        for option in self.schema.options(field):
            const = option["const"]
            names = {json.dumps(const), str(const), str(option["title"])}
            if isinstance(const, int) and not isinstance(const, bool) and const < len(ROMAN):
                names |= {ROMAN[const], f"{const}.0"}
            if plain.casefold() in {name.casefold() for name in names}:
                return const
        titles = ", ".join(str(option["title"]) for option in self.schema.options(field))
        raise BadCell(f"holds {plain[:40]!r}, which is none of {titles}")

    def _truth(self, field: str, plain: str) -> bool:
        if plain.casefold() not in _YES | _NO:
            raise BadCell(f"holds {plain[:40]!r}, which is neither yes nor no")
        return plain.casefold() in _YES

    def _number(self, plain: str) -> float | int:
        try:
            return int(plain) if re.fullmatch(r"-?\d+", plain) else float(plain)
        except ValueError:
            raise BadCell(f"holds {plain[:40]!r}, which is no number") from None
