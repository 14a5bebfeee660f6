"""The rows that queries are answered from, kept when a file comes in, or filled in afterwards for older files.

One row for each study and for each series, as its first instance has them, and one for each instance.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from studies.dicom.clocks import clock, day
from studies.dicom.facts import Content, Header, Whole
from studies.models import Clip, InstanceHeader, Series, StudyHeader
from studies.search import folded

Json = Mapping[str, Any]


def add(clips: Sequence[Clip], headers: Sequence[Header]) -> None:
    """Keep the headers of clips that are in the database. In the caller's transaction, which holds their studies."""
    known = [(clip, header["whole"]) for clip, header in zip(clips, headers, strict=True)]
    studies = {clip.study_id: _study_row(clip, whole) for clip, whole in reversed(known)}
    StudyHeader.objects.bulk_create(studies.values(), ignore_conflicts=True)
    keys = _series_keys(known)
    rows = [_instance_row(clip, whole, keys[clip.study_id, clip.series_uid]) for clip, whole in known]
    names = ["series", "elements", "content", "places"]
    InstanceHeader.objects.bulk_create(rows, update_conflicts=True, unique_fields=["clip"], update_fields=names)


def _series_keys(known: Sequence[tuple[Clip, Whole]]) -> dict[tuple[int, str], int]:
    series = {(clip.study_id, clip.series_uid): _series_row(clip, whole) for clip, whole in reversed(known)}
    Series.objects.bulk_create(series.values(), ignore_conflicts=True)
    rows = Series.objects.filter(study__in={key for key, _ in series}, uid__in={uid for _, uid in series})
    return {(study, uid): pk for study, uid, pk in rows.values_list("study_id", "uid", "pk")}


def _study_row(clip: Clip, whole: Whole) -> StudyHeader:
    elements = whole["study"]
    groups = [folded(group) for group in name_groups(elements.get("00100010"))]
    return StudyHeader(
        study_id=clip.study_id,
        date=date_of(first(elements, "00080020")),
        time=time_of(first(elements, "00080030")),
        accession=first(elements, "00080050")[:64],
        number=first(elements, "00200010")[:64],
        description=first(elements, "00081030")[:128],
        patient_id=first(elements, "00100020")[:64],
        issuer=first(elements, "00100021")[:64],
        name=groups[0][:324],
        name_ideographic=groups[1][:324],
        name_phonetic=groups[2][:324],
        name_words=words_of(groups),
        birth_date=date_of(first(elements, "00100030")),
        sex=first(elements, "00100040")[:16],
        elements=elements,
    )


def _series_row(clip: Clip, whole: Whole) -> Series:
    elements = whole["series"]
    return Series(
        study_id=clip.study_id,
        uid=clip.series_uid,
        number=clip.series_number,
        modality=clip.modality,
        description=first(elements, "0008103E")[:128],
        body_part=first(elements, "00180015")[:64],
        started_on=date_of(first(elements, "00400244")),
        started_at=time_of(first(elements, "00400245")),
        elements=elements,
    )


def _instance_row(clip: Clip, whole: Whole, series: int) -> InstanceHeader:
    return InstanceHeader(
        clip_id=clip.pk,
        series_id=series,
        elements=whole["elements"],
        content=whole["content"],
        places=whole["places"],
    )


def content_of(digest: str) -> Content | None:
    """What was kept of the content of a stored file."""
    kept: Content | None = InstanceHeader.objects.filter(clip__digest=digest).values_list("content", flat=True).first()
    return kept


def first(elements: Json, tag: str) -> str:
    """The first value of an element as text; empty where there is none."""
    values = elements.get(tag, {}).get("Value") or [""]
    return "" if values[0] is None or isinstance(values[0], dict) else str(values[0]).strip()


def name_groups(element: Json | None) -> tuple[str, str, str]:
    """Alphabetic, ideographic and phonetic group of the first name, without the carets that only end it."""
    values = (element or {}).get("Value") or [{}]
    name = values[0] if isinstance(values[0], dict) else {}
    alphabetic, ideographic, phonetic = (
        str(name.get(group) or "").rstrip("^ ") for group in ("Alphabetic", "Ideographic", "Phonetic")
    )
    return alphabetic, ideographic, phonetic


def words_of(groups: Iterable[str]) -> str:
    """Every word of folded names, each behind a space: so that one can be sought by its beginning."""
    return "".join(f" {word}" for group in groups for word in group.replace("^", " ").split())


def date_of(text: str) -> str:
    """YYYYMMDD; empty for what is no date."""
    found = day(text)
    return f"{found:%Y%m%d}" if found else ""


def time_of(text: str) -> str:
    """HHMMSS.FFFFFF; empty for what is no time."""
    found = clock(text)
    return f"{found:%H%M%S.%f}" if found else ""
