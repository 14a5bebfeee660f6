"""Conditions on findings, as data: what counts as positive, what does not go together, which field stands in the form.

``{"field": F, "is": [...]}`` and ``{"field": F, "at_least": n}`` look at one field; ``{"all": [...]}`` and
``{"any": [...]}`` join conditions. A field that the findings do not have meets nothing.
`frontend/src/reading/conditions.ts` says the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

Condition = dict[str, Any]
_DEEPEST = 5


def holds(condition: Condition, findings: Mapping[str, Any]) -> bool:
    if "all" in condition:
        return all(holds(part, findings) for part in condition["all"])
    if "any" in condition:
        return any(holds(part, findings) for part in condition["any"])
    if condition["field"] not in findings:
        return False
    value = findings[condition["field"]]
    if "at_least" in condition:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= condition["at_least"]
    return any(_same(value, word) for word in condition["is"])


def _same(a: Any, b: Any) -> bool:
    """JSON's equality: true is not 1."""
    return bool(a == b) and isinstance(a, bool) == isinstance(b, bool)


def fields(condition: Condition) -> Iterator[str]:
    """The fields that a condition looks at."""
    for part in (*condition.get("all", ()), *condition.get("any", ())):
        yield from fields(part)
    if "field" in condition:
        yield condition["field"]


def wrong(condition: Any, known: Collection[str], depth: int = 0) -> str:
    """What is wrong with a condition that somebody wrote; empty where nothing is."""
    if not isinstance(condition, dict) or depth > _DEEPEST:
        return 'A condition is an object: {"field": …, "is": [...]} or {"field": …, "at_least": n}, or "all" or "any".'
    keys = set(condition)
    if keys in ({"all"}, {"any"}):
        return _joined(next(iter(condition.values())), known, depth)
    if keys not in ({"field", "is"}, {"field", "at_least"}):
        return f'A condition has "field" and either "is" or "at_least", not {", ".join(sorted(map(str, keys)))}.'
    if not isinstance(condition["field"], str) or condition["field"] not in known:
        return f"No field of the schema is called {condition['field']!r}."
    return _compared(condition)


def _joined(parts: Any, known: Collection[str], depth: int) -> str:
    if not isinstance(parts, list) or not parts:
        return '"all" and "any" hold a list of conditions.'
    return next(filter(None, (wrong(part, known, depth + 1) for part in parts)), "")


def _compared(condition: Condition) -> str:
    if "at_least" in condition:
        number = isinstance(condition["at_least"], (int, float)) and not isinstance(condition["at_least"], bool)
        return "" if number else '"at_least" is a number.'
    return "" if isinstance(condition["is"], list) and condition["is"] else '"is" holds a list of values.'
