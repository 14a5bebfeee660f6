"""What a search asks for: which attributes must match, which are answered, which page (PS3.18, 8.3.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from studies.dicomweb.keys import BadQuery, Key, key_of
from studies.dicomweb.matching import Condition, condition

MOST = 1000
MOST_KEYS = 64
_RESERVED = {
    "includefield",
    "limit",
    "offset",
    "fuzzymatching",
    "multiplevaluematching",
    "emptyvaluematching",
    "accept",
}
_SWITCH = {"": False, "false": False, "true": True}


@dataclass(frozen=True)
class Asked:
    """``shown``: tags that the query names; ``everything``: includefield=all; ``limit`` results from ``offset``."""

    conditions: list[Condition] = field(default_factory=list)
    shown: frozenset[str] = frozenset()
    everything: bool = False
    limit: int = MOST
    offset: int = 0
    keys: list[str] = field(default_factory=list)


def asked(query: Mapping[str, Sequence[str]]) -> Asked:
    """The query of an address, by name all values that it gives. Raises BadQuery."""
    fuzzy = _switch(query, "fuzzymatching")
    for name in ("multiplevaluematching", "emptyvaluematching"):
        _switch(query, name)
    named = {name: values for name, values in query.items() if name not in _RESERVED}
    if len(named) > MOST_KEYS:
        raise BadQuery(f"A query may name {MOST_KEYS} attributes.")
    keys = [(key_of(name), values) for name, values in named.items()]
    included, everything = _included(query.get("includefield", ()))
    conditions = [condition(key, values, fuzzy=fuzzy) for key, values in keys]
    return Asked(
        conditions=[each for each in conditions if each is not None],
        shown=frozenset(key.path[0] for key in [*(key for key, _ in keys), *included]),
        everything=everything,
        limit=min(_count(query, "limit", default=MOST, least=1), MOST),
        offset=_count(query, "offset", default=0, least=0),
        keys=[name[:60] for name in named],
    )


def _included(given: Sequence[str]) -> tuple[list[Key], bool]:
    names = [name.strip() for value in given for name in value.split(",") if name.strip()]
    return [key_of(name) for name in names if name != "all"], "all" in names


def _last(query: Mapping[str, Sequence[str]], name: str) -> str:
    given = query.get(name)
    return given[-1] if given else ""


def _switch(query: Mapping[str, Sequence[str]], name: str) -> bool:
    text = _last(query, name).lower()
    if text not in _SWITCH:
        raise BadQuery(f"{name} is true or false.")
    return _SWITCH[text]


def _count(query: Mapping[str, Sequence[str]], name: str, *, default: int, least: int) -> int:
    text = _last(query, name)
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or int(text[:12]) < least:
        raise BadQuery(f"{name} is a whole number from {least}.")
    return int(text[:12])
