"""The reading order: a pure function of what is known about each waiting study.

Clinical priority first. Within it: studies at or near the site's waiting cap, then suspected ones by probability, then
those unscored or not analysed, then those not suspected; the last two by longest wait. When the AI is down its answers
are left out, and clinical priority and waiting time alone decide. (``design.md``, reading order.)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

Band = Literal["priority", "near_limit", "suspected", "unscored", "not_suspected", "read"]
"""The headings of the list."""

_PRIORITIES = {"stat": 0, "urgent": 1, "routine": 2}
_ROUTINE = _PRIORITIES["routine"]


class Tier(IntEnum):
    """Where a study stands within its clinical priority."""

    NEAR_LIMIT = 0
    SUSPECTED = 1
    UNSCORED = 2
    NOT_SUSPECTED = 3


_BANDS: dict[Tier, Band] = {
    Tier.NEAR_LIMIT: "near_limit",
    Tier.SUSPECTED: "suspected",
    Tier.UNSCORED: "unscored",
    Tier.NOT_SUSPECTED: "not_suspected",
}


@dataclass(frozen=True, slots=True)
class Waiting:
    """A study that waits to be read. ``flag`` is None until scored, and for a reader who is blinded to it."""

    key: int
    priority: str
    waited_seconds: float
    flag: str | None = None
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """What the site promises, and whether the AI has a say."""

    cap_seconds: float
    near_seconds: float
    ai: bool = True


SortKey = tuple[int, int, float, float, int]


def tier(study: Waiting, policy: Policy) -> Tier:
    if study.waited_seconds >= policy.cap_seconds - policy.near_seconds:
        return Tier.NEAR_LIMIT
    if not policy.ai:
        return Tier.UNSCORED
    if study.flag == "suspected":
        return Tier.SUSPECTED
    return Tier.NOT_SUSPECTED if study.flag == "not_suspected" else Tier.UNSCORED


def sort_key(study: Waiting, policy: Policy) -> SortKey:
    """Smallest first. ``key`` ends it, so that no two studies tie and the order never flickers."""
    place = tier(study, policy)
    likeliest = -(study.probability or 0.0) if place is Tier.SUSPECTED else 0.0
    return (_PRIORITIES[study.priority], place, likeliest, -study.waited_seconds, study.key)


def order(studies: Iterable[Waiting], policy: Policy) -> list[Waiting]:
    """The reading order."""
    return sorted(studies, key=lambda study: sort_key(study, policy))


def band(study: Waiting, policy: Policy) -> Band:
    """The heading under which the list shows it."""
    if _PRIORITIES[study.priority] < _ROUTINE:
        return "priority"
    return _BANDS[tier(study, policy)]
