"""QIDO-RS: studies, series and instances that match, from the rows of the catalogue. No file is opened.

Each search is one query for its rows and, for studies and series, one for what is counted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db.models import Count, Exists, Model, OuterRef, Q, QuerySet

from accounts.audit import Subject
from studies import access
from studies.dicomweb import addresses, metadata
from studies.dicomweb.asked import Asked
from studies.dicomweb.keys import CLASSES_IN_STUDY, MODALITIES_IN_STUDY, BadQuery, Level
from studies.dicomweb.matching import Between, Condition
from studies.models import Clip, InstanceHeader, Series, StudyHeader

Item = dict[str, Any]

_DATE, _TIME = "00080020", "00080030"
_STUDY_COLUMNS = {
    _DATE: "date",
    _TIME: "time",
    "00080050": "accession",
    "00200010": "number",
    "00081030": "description",
    "00100010": "name",
    "00100020": "patient_id",
    "00100021": "issuer",
    "00100030": "birth_date",
    "00100040": "sex",
    "0020000D": "study__uid",
}
_SERIES_COLUMNS = {
    "00080060": "modality",
    "0008103E": "description",
    "00180015": "body_part",
    "0020000E": "uid",
    "00200011": "number",
    "00400244": "started_on",
    "00400245": "started_at",
}
_INSTANCE_COLUMNS = {
    "00080016": "clip__sop_class",
    "00080018": "clip__sop_uid",
    "00200013": "clip__instance_number",
}
_REQUIRED: dict[Level, dict[str, str]] = {
    Level.STUDY: {
        "00080020": "DA",
        "00080030": "TM",
        "00080050": "SH",
        "00080090": "PN",
        "00100010": "PN",
        "00100020": "LO",
        "00100030": "DA",
        "00100040": "CS",
        "00200010": "SH",
        "00081030": "LO",
    },
    Level.SERIES: {
        "00080060": "CS",
        "0008103E": "LO",
        "00180015": "CS",
        "00200011": "IS",
    },
    Level.INSTANCE: {"00200013": "IS"},
}
"""Answered even where the file has nothing. Ours beside those of PS3.18: descriptions and the body part."""
_WHERE_THERE: dict[Level, frozenset[str]] = {
    Level.STUDY: frozenset({"00080005", "00080201", "00100021"}),
    Level.SERIES: frozenset({"00080005", "00080201", "00400244", "00400245", "00400275"}),
    Level.INSTANCE: frozenset({"00080005", "00080008", "00280008", "00280010", "00280011", "00280100"}),
}


@dataclass(frozen=True)
class Found:
    """One page. ``more``: others follow it; ``subjects``: whom it names, and by which study."""

    items: list[Item]
    more: bool
    subjects: list[Subject]


@dataclass(frozen=True)
class _Rows:
    """A level's rows, and how to come from them to the rows of those above.

    ``order`` of all of them is one that an index has; ``nested``: of those below one address; ``columns``: those read.
    """

    level: Level
    model: type[Model]
    order: tuple[str, ...]
    nested: tuple[str, ...]
    columns: tuple[str, ...]
    study: str
    header: str
    series: str
    elements: Callable[[Any], Item]


def _instance_elements(row: InstanceHeader) -> Item:
    return metadata.elements(row.clip, row.elements, row.clip.study.uid)


_OF_CLIP = (
    "sop_uid",
    "sop_class",
    "series_uid",
    "series_number",
    "instance_number",
    "modality",
    "transfer_syntax",
    "frames",
    "rows",
    "columns",
)
_LEVELS = {
    Level.STUDY: _Rows(
        Level.STUDY, StudyHeader, ("-date", "-time", "-study"), ("-date", "-time", "-study"),
        ("elements", "study__uid", "study__patient__patient_id"), "study", "", "", lambda row: row.elements,
    ),
    Level.SERIES: _Rows(
        Level.SERIES, Series, ("pk",), ("number", "pk"),
        ("elements", "uid", "study__uid", "study__patient__patient_id", "study__header__elements"),
        "study", "study__header__", "", lambda row: row.elements,
    ),
    Level.INSTANCE: _Rows(
        Level.INSTANCE, InstanceHeader, ("pk",), ("series__number", "series", "clip__instance_number", "pk"),
        ("elements", *(f"clip__{name}" for name in _OF_CLIP), "clip__study__uid", "clip__study__patient__patient_id",
         "series__elements", "series__study__header__elements"),
        "clip__study", "series__study__header__", "series__", _instance_elements,
    ),
}  # fmt: skip


def search(user: access.Person, level: Level, asked: Asked, *, study: str = "", series: str = "") -> Found:
    """One page of what the person may see; ``study`` and ``series`` as the address names them. Raises BadQuery."""
    rows = _LEVELS[level]
    queryset = _visible(user, rows)
    if study:
        queryset = queryset.filter(**{f"{rows.study}__uid": study})
    if series:
        queryset = queryset.filter(**{f"{rows.series}uid": series})
    by_hand: list[Condition] = []
    for each in asked.conditions:
        wanted = _q(each, rows, asked)
        if wanted is None:
            by_hand.append(each)
        else:
            queryset = queryset.filter(wanted)
    related = {column.rpartition("__")[0] for column in rows.columns if "__" in column}
    queryset = queryset.select_related(*related).only(*rows.columns)
    page = list(_page(queryset.order_by(*(rows.nested if study else rows.order)), rows, by_hand, asked))
    named = {Level.STUDY: bool(study), Level.SERIES: bool(series)}
    told = [each for each in Level if each <= level and not named.get(each)]
    described = _described(page[: asked.limit], rows, asked, told)
    return Found(described, len(page) > asked.limit, _subjects(page[: asked.limit], rows))


def _visible(user: access.Person, rows: _Rows) -> QuerySet[Any]:
    queryset = access.visible_rows(user, rows.model._default_manager.all(), rows.study)
    if rows.level == Level.INSTANCE:
        return queryset.filter(clip__deleted_at__isnull=True)
    if rows.level == Level.SERIES:
        return queryset.filter(
            Exists(InstanceHeader.objects.filter(series=OuterRef("pk"), clip__deleted_at__isnull=True))
        )
    return queryset


def _has_instances() -> Exists:
    return Exists(InstanceHeader.objects.filter(series=OuterRef("pk"), clip__deleted_at__isnull=True))


def _q(wanted: Condition, rows: _Rows, asked: Asked) -> Q | None:
    """None where no column has the attribute. Raises BadQuery for one of a level below."""
    tag = wanted.key.path[0] if len(wanted.key.path) == 1 else ""
    if tag in (MODALITIES_IN_STUDY, CLASSES_IN_STUDY):
        column = "modality" if tag == MODALITIES_IN_STUDY else "sop_class"
        of_study = Clip.objects.filter(wanted.q(column), study=OuterRef(rows.study)).order_by()
        return Q(Exists(of_study))
    if wanted.key.level > rows.level:
        return _below(wanted, rows, tag)
    if tag in (_DATE, _TIME) and (together := _moments(asked)) is not None:
        return together(rows.header)
    if wanted.key.level == Level.STUDY and tag in _STUDY_COLUMNS:
        column = f"{rows.study}__uid" if tag == "0020000D" else rows.header + _STUDY_COLUMNS[tag]
        return wanted.q(column)
    if wanted.key.level == Level.SERIES and tag in _SERIES_COLUMNS:
        return wanted.q(rows.series + _SERIES_COLUMNS[tag])
    return wanted.q(_INSTANCE_COLUMNS[tag]) if tag in _INSTANCE_COLUMNS else None


def _below(wanted: Condition, rows: _Rows, tag: str) -> Q:
    """An attribute of the series, asked of studies: any of their series may have it."""
    if wanted.key.level == Level.SERIES and tag in _SERIES_COLUMNS:
        column = wanted.q(_SERIES_COLUMNS[tag])
        return Q(Exists(Series.objects.filter(column, _has_instances(), study=OuterRef(rows.study))))
    level = "series" if wanted.key.level == Level.SERIES else "instances"
    raise BadQuery(f"{wanted.key.name[:60]} is no attribute of this level: search for {level}.")


def _moments(asked: Asked) -> Callable[[str], Q] | None:
    """Two ranges, of dates and of times, are one range of moments (PS3.4, C.2.2.2.5)."""
    ranges = {
        each.key.path[0]: each.terms[0]
        for each in asked.conditions
        if each.key.path[0] in (_DATE, _TIME) and len(each.terms) == 1
    }
    days, times = ranges.get(_DATE), ranges.get(_TIME)
    if not isinstance(days, Between) or not isinstance(times, Between) or days.first == days.last:
        return None

    def between(header: str) -> Q:
        day, time = f"{header}date", f"{header}time"
        after = Q(**{f"{day}__gt": days.first}) | Q(**{day: days.first, f"{time}__gte": times.first})
        before = Q(**{f"{day}__lt": days.last}) | Q(**{day: days.last, f"{time}__lte": times.last})
        return after & before & ~Q(**{day: ""})

    return between


def _page(queryset: QuerySet[Any], rows: _Rows, by_hand: Sequence[Condition], asked: Asked) -> Iterator[Any]:
    """One more than the page has, to know whether others follow."""
    end = asked.offset + asked.limit + 1
    if not by_hand:
        return iter(queryset[asked.offset : end])
    fitting = (row for row in queryset.iterator(chunk_size=500) if _fits(row, rows, by_hand))
    return islice(fitting, asked.offset, end)


def _fits(row: Any, rows: _Rows, by_hand: Sequence[Condition]) -> bool:
    return all(each.holds(_of_level(row, rows, each.key.level)) for each in by_hand)


def _study_of(row: Any, rows: _Rows) -> Any:
    return row.clip.study if rows.level == Level.INSTANCE else row.study


def _of_level(row: Any, rows: _Rows, level: Level) -> Item:
    if level == rows.level:
        return rows.elements(row)
    if level == Level.SERIES:
        found: Item = row.series.elements
        return found
    above: Item = row.series.study.header.elements if rows.level == Level.INSTANCE else row.study.header.elements
    return above


def _subjects(page: Sequence[Any], rows: _Rows) -> list[Subject]:
    studies = {_study_of(row, rows) for row in page}
    return sorted((study.patient.patient_id, study.uid) for study in studies)


def _described(page: Sequence[Any], rows: _Rows, asked: Asked, told: Sequence[Level]) -> list[Item]:
    counts = _Counts([_study_of(row, rows).pk for row in page]) if rows.level != Level.INSTANCE else _Counts([])
    return [dict(sorted(_item(row, rows, asked, counts, told).items())) for row in page]


class _Counts:
    """Modalities, classes, series and instances of studies, in one query."""

    def __init__(self, studies: Sequence[int]) -> None:
        self.by_study: dict[int, list[tuple[str, str, str, int]]] = defaultdict(list)
        if studies:
            present = Clip.objects.filter(study__in=studies).order_by()
            groups = present.values_list("study_id", "series_uid", "modality", "sop_class").annotate(Count("pk"))
            for study, series, modality, sop_class, count in groups:
                self.by_study[study].append((series, modality, sop_class, count))


def _item(row: Any, rows: _Rows, asked: Asked, counts: _Counts, told: Sequence[Level]) -> Item:
    """``told``: the levels that the address does not name already; of the others only what was asked for."""
    study = _study_of(row, rows)
    item: Item = {}
    for level in (each for each in Level if each in told or (each < rows.level and asked.shown)):
        item |= _chosen(_of_level(row, rows, level), level, asked, required=level in told)
    item |= {"0020000D": _value("UI", study.uid), "00080056": _value("CS", "ONLINE")}
    if rows.level == Level.STUDY:
        return item | _of_study(study, asked, counts)
    if rows.level == Level.SERIES:
        return item | _of_series(row, study, counts)
    return item | _of_instance(row, study)


def _chosen(elements: Mapping[str, Any], level: Level, asked: Asked, *, required: bool) -> Item:
    """Those of the level that every answer has, and those that were asked for."""
    if asked.everything and required:
        return dict(elements)
    always = _REQUIRED[level] if required else {}
    names = {*always, *(_WHERE_THERE[level] if required else ()), *asked.shown}
    chosen = {tag: elements[tag] for tag in names if tag in elements}
    return {**{tag: {"vr": vr} for tag, vr in always.items()}, **chosen}


def _value(vr: str, *values: Any) -> Item:
    return {"vr": vr, "Value": list(values)} if values else {"vr": vr}


def _of_study(study: Any, asked: Asked, counts: _Counts) -> Item:
    found = counts.by_study[study.pk]
    classes = sorted({sop_class for _, _, sop_class, _ in found})
    shown = asked.everything or CLASSES_IN_STUDY in asked.shown
    return {
        "00081190": _value("UR", addresses.of_study(study.uid)),
        MODALITIES_IN_STUDY: _value("CS", *sorted({modality for _, modality, _, _ in found if modality})),
        **({CLASSES_IN_STUDY: _value("UI", *classes)} if shown else {}),
        "00201206": _value("IS", len({series for series, _, _, _ in found})),
        "00201208": _value("IS", sum(count for *_, count in found)),
    }


def _of_series(row: Series, study: Any, counts: _Counts) -> Item:
    here = [count for series, _, _, count in counts.by_study[study.pk] if series == row.uid]
    return {
        "00081190": _value("UR", addresses.of_series(study.uid, row.uid)),
        "0020000E": _value("UI", row.uid),
        "00201209": _value("IS", sum(here)),
    }


def _of_instance(row: InstanceHeader, study: Any) -> Item:
    clip = row.clip
    return {
        "00080016": _value("UI", clip.sop_class),
        "00080018": _value("UI", clip.sop_uid),
        "00081190": _value("UR", addresses.of_instance(study.uid, clip.series_uid, clip.sop_uid)),
        "00083002": _value("UI", clip.transfer_syntax),
        "0020000E": _value("UI", clip.series_uid),
    }
