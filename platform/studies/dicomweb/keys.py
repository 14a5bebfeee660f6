"""Attributes as queries name them: by keyword or by tag, inside sequences with dots between (PS3.18, 8.3.4).

pydicom's dictionary is loaded with the first query, so that a web process starts without it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from rest_framework import exceptions

from studies.dicom import levels

_TAG = re.compile(r"[0-9A-Fa-f]{8}")
MOST_STEPS = 4
MODALITIES_IN_STUDY, CLASSES_IN_STUDY = "00080061", "00080062"
_COUNTED_OF_STUDY = frozenset({MODALITIES_IN_STUDY, CLASSES_IN_STUDY})


class BadQuery(exceptions.ParseError):
    """400, with a sentence."""

    default_code = "bad_query"


class Level(IntEnum):
    STUDY = 1
    SERIES = 2
    INSTANCE = 3


@dataclass(frozen=True)
class Key:
    """``path``: tags from the outermost sequence to the attribute itself, which is of the kind ``vr``."""

    name: str
    path: tuple[str, ...]
    vr: str
    level: Level


@lru_cache(maxsize=4096)
def key_of(name: str) -> Key:
    """Raises BadQuery for what is no attribute."""
    steps = name.split(".")
    tags = tuple(_tag(step, name) for step in steps[:MOST_STEPS])
    if len(steps) > MOST_STEPS:
        raise BadQuery(f"{name[:60]!r} goes deeper than {MOST_STEPS} attributes.")
    kinds = [_kind(tag) for tag in tags]
    if any(kind != "SQ" for kind in kinds[:-1]):
        raise BadQuery(f"{name[:60]!r} looks inside an attribute that is no sequence.")
    return Key(name, tags, kinds[-1], _level(tags[0]))


def _tag(step: str, name: str) -> str:
    from pydicom.datadict import tag_for_keyword

    if _TAG.fullmatch(step):
        return step.upper()
    tag = tag_for_keyword(step)
    if tag is None:
        raise BadQuery(
            f"There is no attribute {name[:60]!r}. Name it by its keyword or its tag (8 hexadecimal digits)."
        )
    return f"{tag:08X}"


def _kind(tag: str) -> str:
    from pydicom.datadict import dictionary_has_tag, dictionary_VR

    number = int(tag, 16)
    return dictionary_VR(number)[:2] if dictionary_has_tag(number) else "UN"


def _level(tag: str) -> Level:
    if tag in levels.study() or tag in _COUNTED_OF_STUDY:
        return Level.STUDY
    return Level.SERIES if tag in levels.series() else Level.INSTANCE
