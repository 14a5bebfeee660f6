"""Which studies go into a queue: by a filter, by a list, or by a strategy."""

from __future__ import annotations

import csv
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Annotated, Literal, TypedDict, get_args

from django.db.models import Exists, OuterRef, Q, QuerySet

from annotations.models import Read, ReadStatus
from annotations.queues import candidates, sampling_strategies
from annotations.queues.picks import MAX_REASON, Pick
from studies import search
from studies.models import Clip, Study, View

MAX_LINES = 100_000
_AT_ONCE = 900
"""UIDs in one query."""
Labelled = Literal["any", "nobody", "once"]
LABELLED: tuple[Labelled, ...] = get_args(Labelled)
_UID = re.compile(r"[0-9.]{1,64}")
_UID_COLUMNS = ("study_uid", "uid", "studyinstanceuid", "study instance uid")
_FORMULA = ("=", "+", "-", "@")


class RefusedLine(TypedDict):
    """A line of a list that names no study that can be taken, and why."""

    line: Annotated[int, "counted from 1; 0 where no list was given"]
    text: str
    reason: str


class StrategyChoice(TypedDict):
    """A sampling strategy, for who makes a queue."""

    name: str
    label: str
    explained: str


class BadSelection(Exception):
    """Nothing can be selected so; ``str()`` says why, and nothing was made. ``refused``: line by line."""

    def __init__(self, message: str, refused: Sequence[RefusedLine] = ()) -> None:
        super().__init__(message)
        self.refused = list(refused)


@dataclass
class Selection:
    """The chosen studies in order, and the lines that named none."""

    picks: list[Pick] = field(default_factory=list)
    refused: list[RefusedLine] = field(default_factory=list)


# ---------- by filter ----------


@dataclass(frozen=True)
class StudyFilter:
    """Studies with pictures that meet every condition; an empty one is none."""

    acquired_from: date | None = None
    acquired_to: date | None = None
    """Included."""
    weeks_from: int | None = None
    weeks_to: int | None = None
    """Gestational age at birth in whole weeks, both ends included; infants of unknown age are in neither."""
    device: str = ""
    """Part of the maker's or the scanner's name."""
    words: str = ""
    """Each must occur, see `studies.search`."""
    labelled: Labelled = "nobody"
    """By how many readers."""
    mastoid: bool | None = None
    """Whether there is a view through the mastoid fontanelle."""
    queued: bool = False
    """Also those that an active queue holds."""


def passing(conditions: StudyFilter) -> QuerySet[Study]:
    """The studies in the order in which they came. Does not look at ``words``."""
    studies = candidates.with_pictures().filter(_when(conditions) & _aged(conditions) & _read_by(conditions.labelled))
    clips = Clip.objects.filter(study=OuterRef("pk"))
    if not conditions.queued:
        studies = studies.exclude(pk__in=candidates.in_active_queues().values("study"))
    if conditions.device:
        scanner = Q(device__icontains=conditions.device) | Q(manufacturer__icontains=conditions.device)
        studies = studies.filter(Exists(clips.filter(scanner)))
    if conditions.mastoid is not None:
        seen = Exists(clips.with_frames().filter(view=View.MASTOID))
        studies = studies.filter(seen if conditions.mastoid else ~seen)
    return studies.order_by("first_image_at", "pk")


def _when(conditions: StudyFilter) -> Q:
    acquired = Q()
    if conditions.acquired_from:
        acquired &= Q(acquired_at__date__gte=conditions.acquired_from)
    if conditions.acquired_to:
        acquired &= Q(acquired_at__date__lte=conditions.acquired_to)
    return acquired


def _aged(conditions: StudyFilter) -> Q:
    aged = Q()
    if conditions.weeks_from is not None:
        aged &= Q(patient__gestational_age_days__gte=7 * conditions.weeks_from)
    if conditions.weeks_to is not None:
        aged &= Q(patient__gestational_age_days__lt=7 * (conditions.weeks_to + 1))
    return aged


def _read_by(labelled: Labelled) -> Q:
    committed = Read.objects.filter(status=ReadStatus.COMMITTED, study=OuterRef("pk"))
    if labelled == "nobody":
        return Q(~Exists(committed))
    if labelled == "once":
        twice = committed.order_by().values("study", "reader").distinct()
        return Q(Exists(committed)) & Q(~Exists(twice[1:2]))
    return Q()


def by_filter(conditions: StudyFilter, *, why: str, count: int | None, seed: int) -> Selection:
    """All that pass, or so many of them drawn by the seed."""
    studies = passing(conditions)
    keys = list(studies.values_list("pk", flat=True))
    if conditions.words.strip():
        matching = search.matching(studies, conditions.words)
        keys = [key for key in keys if key in matching]
    if count is not None and count < len(keys):
        drawn = set(random.Random(seed).sample(range(len(keys)), count))  # noqa: S311 - repeatable, not secret
        keys = [key for at, key in enumerate(keys) if at in drawn]
    return Selection([Pick(key, why) for key in keys])


# ---------- by list ----------


def by_list(text: str, *, why: str) -> Selection:
    """UIDs one a line, or a CSV with a column ``study_uid``; every line that names no study has its reason.

    Raises BadSelection where the list as a whole makes no sense.
    """
    lines = re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff").rstrip("\r\n"))
    if len(lines) > MAX_LINES:
        raise BadSelection(f"The list has {len(lines):,} lines; at most {MAX_LINES:,} are taken. Split it.")
    if "\x00" in text or "\ufffd" in text:
        raise BadSelection("The list is not UTF-8 text. Save it as UTF-8 and choose it again.")
    column, first = _header(lines)
    named: list[tuple[int, str]] = []
    for number, line in enumerate(lines[first:], first + 1):
        cell = _cell(line, column)
        if cell:
            named.append((number, cell))
    if not named:
        raise BadSelection("The list names no study.")
    return _known(named, why)


def _header(lines: Sequence[str]) -> tuple[int, int]:
    """(the column that holds the UID, the first line that does)."""
    names = [name.strip().lower() for name in _cells(lines[0])] if lines else []
    at = next((names.index(name) for name in _UID_COLUMNS if name in names), None)
    if at is None and len(names) > 1:
        raise BadSelection("The first line names no column study_uid.")
    return (0, 0) if at is None else (at, 1)


def _cells(line: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=max(",;\t", key=line.count)), [])
    except csv.Error:
        return [line]


def _cell(line: str, column: int) -> str:
    cells = _cells(line)
    return cells[column].strip() if column < len(cells) else ""


def _known(named: list[tuple[int, str]], why: str) -> Selection:
    """The studies that lines, by number and text, name."""
    keys = _keys({text for _, text in named if _UID.fullmatch(text)})
    selection = Selection()
    line_of: dict[str, int] = {}
    for line, text in named:
        if reason := _wrong(text, text in keys, line_of.get(text)):
            selection.refused.append({"line": line, "text": text[:80], "reason": reason})
            continue
        line_of[text] = line
        selection.picks.append(Pick(keys[text], why))
    return selection


def _keys(uids: set[str]) -> dict[str, int]:
    """The keys of those studies with pictures that have one of these UIDs."""
    ordered, keys = sorted(uids), dict[str, int]()
    for start in range(0, len(ordered), _AT_ONCE):
        batch = candidates.with_pictures().filter(uid__in=ordered[start : start + _AT_ONCE])
        keys |= dict(batch.values_list("uid", "pk"))
    return keys


def _wrong(text: str, known: bool, earlier: int | None) -> str:
    if text.startswith(_FORMULA):
        return "This is a formula, not a study UID."
    if not _UID.fullmatch(text):
        return "A study UID is digits and dots, at most 64."
    if not known:
        return "No study with pictures has this UID."
    return f"Line {earlier} names the same study." if earlier else ""


# ---------- by strategy ----------


def strategy_list() -> list[StrategyChoice]:
    """Those that can be chosen, each with the sentence for who makes the queue."""
    return [
        {"name": strategy.name, "label": strategy.label, "explained": strategy.explained}
        for strategy in sampling_strategies.STRATEGIES.values()
    ]


def by_strategy(name: str, *, count: int, seed: int) -> Selection:
    """So many of the studies that nobody has read, the most worth labelling first. Raises BadSelection."""
    try:
        picks = sampling_strategies.picks(name, candidates.unlabelled(), count, seed)
    except sampling_strategies.CannotRank as error:
        raise BadSelection(str(error)) from error
    return Selection([replace(pick, why=pick.why[:MAX_REASON], reason=pick.reason[:MAX_REASON]) for pick in picks])
