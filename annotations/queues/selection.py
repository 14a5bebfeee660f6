"""Which studies go into a queue: by a filter, by a list, or by a strategy."""

from __future__ import annotations

import csv
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from django.db.models import Exists, OuterRef, Q, QuerySet

from annotations.models import QueueItem, Read, ReadStatus
from annotations.queues import assignment, sampling_strategies
from studies import access
from studies.models import Clip, Study

MAX_LINES = 100_000
LABELLED = ("any", "nobody", "once")
_UID = re.compile(r"[0-9.]{1,64}")
_UID_COLUMNS = ("study_uid", "uid", "studyinstanceuid", "study instance uid")
_FORMULA = ("=", "+", "-", "@")


@dataclass(frozen=True)
class Pick:
    """A chosen study. ``why`` leaks nothing, ``reason`` is the whole one."""

    study: int
    why: str
    reason: str = ""


@dataclass(frozen=True)
class Refused:
    """A line of a list that names no study, and why."""

    line: int
    text: str
    reason: str


class BadChoice(Exception):
    """What was asked for makes no sense; ``str()`` says why, and nothing was made. ``refused``: line by line."""

    def __init__(self, said: str, refused: Sequence[Refused] = ()) -> None:
        super().__init__(said)
        self.refused = list(refused)


@dataclass
class Choice:
    """What was found, in order."""

    picks: list[Pick] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


# ---------- by filter ----------


@dataclass(frozen=True)
class Filter:
    """Studies with pictures. Ages in weeks and days of life are those at the time of the examination."""

    acquired_from: date | None = None
    acquired_to: date | None = None
    weeks_from: int | None = None
    weeks_to: int | None = None
    device: str = ""
    words: str = ""
    labelled: str = "nobody"
    mastoid: bool | None = None
    queued: bool = False


def filtered(wanted: Filter) -> QuerySet[Study]:
    """The studies in the order in which they came."""
    found = access.every_study().filter(Exists(Clip.objects.filter(study=OuterRef("pk"), frames__gt=0)))
    found = found.filter(_when(wanted) & _whose(wanted) & _read_by(wanted))
    if not wanted.queued:
        found = found.exclude(pk__in=QueueItem.objects.filter(queue__active=True).values("study"))
    if wanted.device:
        of_device = Q(device__icontains=wanted.device) | Q(manufacturer__icontains=wanted.device)
        found = found.filter(Exists(Clip.objects.filter(of_device, study=OuterRef("pk"))))
    if wanted.mastoid is not None:
        seen = Exists(Clip.objects.filter(study=OuterRef("pk"), view="mastoid", frames__gt=0))
        found = found.filter(seen if wanted.mastoid else ~seen)
    return found.order_by("first_image_at", "pk")


def _when(wanted: Filter) -> Q:
    asked = Q()
    if wanted.acquired_from:
        asked &= Q(acquired_at__date__gte=wanted.acquired_from)
    if wanted.acquired_to:
        asked &= Q(acquired_at__date__lte=wanted.acquired_to)
    return asked


def _whose(wanted: Filter) -> Q:
    """Gestational age at birth in whole weeks, both ends included; infants of unknown age are in neither."""
    asked = Q()
    if wanted.weeks_from is not None:
        asked &= Q(patient__gestational_age_days__gte=7 * wanted.weeks_from)
    if wanted.weeks_to is not None:
        asked &= Q(patient__gestational_age_days__lt=7 * (wanted.weeks_to + 1))
    for word in wanted.words.split():
        text = Q(description__icontains=word) | Q(patient__patient_id__icontains=word)
        asked &= text | Q(accession__icontains=word)
    return asked


def _read_by(wanted: Filter) -> Q:
    committed = Read.objects.filter(status=ReadStatus.COMMITTED, study=OuterRef("pk"))
    if wanted.labelled == "nobody":
        return Q(~Exists(committed))
    if wanted.labelled == "once":
        twice = committed.order_by().values("study", "reader").distinct()
        return Q(Exists(committed)) & Q(~Exists(twice[1:2]))
    return Q()


def by_filter(wanted: Filter, *, why: str, count: int | None, seed: int) -> Choice:
    """All that pass, or so many of them drawn by the seed."""
    keys = list(filtered(wanted).values_list("pk", flat=True))
    if count is not None and count < len(keys):
        drawn = set(random.Random(seed).sample(range(len(keys)), count))  # noqa: S311 - repeatable, not secret
        keys = [key for at, key in enumerate(keys) if at in drawn]
    return Choice([Pick(key, why) for key in keys])


# ---------- by list ----------


def by_list(text: str, *, why: str) -> Choice:
    """UIDs one a line, or a CSV with a column ``study_uid``; every line that names no study is said with its reason."""
    lines = text.removeprefix("\ufeff").splitlines()
    if len(lines) > MAX_LINES:
        raise BadChoice(f"The list has {len(lines):,} lines; at most {MAX_LINES:,} are taken. Split it.")
    if "\x00" in text or "\ufffd" in text:
        raise BadChoice("The list is not UTF-8 text. Save it as UTF-8 and choose it again.")
    column, first = _header(lines)
    named: list[tuple[int, str]] = []
    for number, line in enumerate(lines[first:], first + 1):
        cell = _cell(line, column)
        if cell:
            named.append((number, cell))
    if not named:
        raise BadChoice("The list names no study.")
    return _known(named, why)


def _header(lines: Sequence[str]) -> tuple[int, int]:
    """(the column that holds the UID, the first line that does)."""
    names = [name.strip().lower() for name in _cells(lines[0])] if lines else []
    at = next((names.index(name) for name in _UID_COLUMNS if name in names), None)
    if at is None and len(names) > 1:
        raise BadChoice("The first line names no column study_uid.")
    return (0, 0) if at is None else (at, 1)


def _cells(line: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=max(",;\t", key=line.count)), [])
    except csv.Error:
        return [line]


def _cell(line: str, column: int) -> str:
    cells = _cells(line)
    return cells[column].strip() if column < len(cells) else ""


def _known(named: list[tuple[int, str]], why: str) -> Choice:
    wanted = {text for _, text in named if _UID.fullmatch(text)}
    keys: dict[str, int] = {}
    every = access.every_study().filter(Exists(Clip.objects.filter(study=OuterRef("pk"), frames__gt=0)))
    ordered = sorted(wanted)
    for at in range(0, len(ordered), 900):
        keys |= dict(every.filter(uid__in=ordered[at : at + 900]).values_list("uid", "pk"))
    choice = Choice()
    lines: dict[str, int] = {}
    for line, text in named:
        if reason := _wrong(text, text in keys, lines.get(text)):
            choice.refused.append(Refused(line, text[:80], reason))
            continue
        lines[text] = line
        choice.picks.append(Pick(keys[text], why))
    return choice


def _wrong(text: str, known: bool, earlier: int | None) -> str:
    if text.startswith(_FORMULA):
        return "This is a formula, not a study UID."
    if not _UID.fullmatch(text):
        return "A study UID is digits and dots, at most 64."
    if not known:
        return "No study with pictures has this UID."
    return f"Line {earlier} names the same study." if earlier else ""


# ---------- by strategy ----------


def strategy_list() -> list[dict[str, str]]:
    """Those that can be chosen, each with the sentence for who makes the queue."""
    every = sampling_strategies.STRATEGIES.values()
    return [{"name": each.name, "label": each.label, "explained": each.explained} for each in every]


def by_strategy(name: str, *, count: int, seed: int) -> Choice:
    """So many of the studies that nobody has read, the most worth labelling first. What a strategy gives as ``why``
    leaks neither AI nor readers; its ``reason`` may."""
    try:
        picks = sampling_strategies.picks(name, assignment.unlabelled(), count, seed)
    except sampling_strategies.CannotRank as error:
        raise BadChoice(str(error)) from error
    return Choice([Pick(pick.study.pk, pick.why[:200], pick.reason[:200]) for pick in picks])
