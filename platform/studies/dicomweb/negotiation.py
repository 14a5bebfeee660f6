"""What a client takes, as its Accept header says (RFC 9110, 12.5.1; PS3.18, 8.7): media types, syntaxes, preferences.

``multipart/related; type="application/dicom"; transfer-syntax=*`` is a range of parts of that type. Some clients put
the transfer syntax inside the quotes of ``type``; both are understood.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from rest_framework import exceptions
from rest_framework.request import Request

ANY = "*"
MOST_RANGES = 50
_SPLIT = re.compile(r'(?:[^,"]|"[^"]*"?)+')
_PARAMETER = re.compile(r';\s*([^=;\s]+)\s*=\s*("[^"]*"?|[^;]*)')


class NotAcceptable(exceptions.NotAcceptable):
    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)


@dataclass(frozen=True)
class Range:
    """``kind`` may end in ``*``. ``multipart``: None where a client did not say, and takes either."""

    kind: str
    multipart: bool | None
    syntax: str
    quality: float

    def takes(self, kind: str, syntax: str = "") -> bool:
        """``syntax`` is empty for what has none."""
        return fnmatchcase(kind, self.kind) and (not syntax or self.syntax in ("", ANY, syntax))


@dataclass(frozen=True)
class Accepted:
    """The ranges that a client takes, the best first."""

    ranges: Sequence[Range]
    asked: str

    def best(self, kinds: Sequence[str]) -> str:
        """The first of ``kinds`` that suits the best range, for what has no syntax; raises NotAcceptable."""
        for each in self.ranges:
            for kind in kinds:
                if not each.multipart and each.takes(kind):
                    return kind
        raise self.refusal(kinds)

    def refusal(self, kinds: Sequence[str]) -> NotAcceptable:
        asked = re.sub(r"[^\x20-\x7e]", "?", self.asked)[:120]
        return NotAcceptable(f"This is answered as {' or '.join(kinds)}, not as {asked}.")


def accepted(request: Request) -> Accepted:
    """By the query's ``accept`` where the address has one: a browser cannot set the header."""
    text = request.query_params.get("accept") or request.headers.get("Accept", "") or "*/*"
    ranges = [made for part in _SPLIT.findall(text)[:MOST_RANGES] if (made := _range(part.strip())) is not None]
    return Accepted(sorted(ranges, key=lambda each: -each.quality), text)


def _range(text: str) -> Range | None:
    """None for what is no range, or one that the client rules out."""
    kind = text.partition(";")[0].strip().lower()
    parameters = {name.lower(): value.strip().strip('"') for name, value in _PARAMETER.findall(text)}
    quality = _quality(parameters.get("q", ""))
    if "/" not in kind or quality <= 0:
        return None
    multipart = True if kind == "multipart/related" else None if kind == "*/*" else False
    if multipart:
        inner, _, rest = parameters.get("type", "*/*").partition(";")
        parameters = {**dict(_PARAMETER.findall(f";{rest}")), **parameters}
        kind = inner.strip().lower() or "*/*"
    return Range(kind, multipart, parameters.get("transfer-syntax", "").strip('" '), quality)


def _quality(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0) if text else 1.0
    except ValueError:
        return 1.0
