"""The unique identifiers of an instance: kept as they came. What is odd about them is said, what is none is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypedDict

from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset

from studies.dicom.attributes import clean, value
from studies.dicom.bounded_reader import Refused
from studies.dicom.uids import LENGTH, has_leading_zero, is_uid


class Identifiers(TypedDict):
    """Those of the data set, which count where the file header has others."""

    sop_uid: str
    study_uid: str
    series_uid: str
    sop_class: str


class _Kind(NamedTuple):
    keyword: str
    name: str
    without: str


_SOP = _Kind("SOPInstanceUID", "SOP Instance UID", "so it cannot be told from other files")
_STUDY = _Kind("StudyInstanceUID", "Study Instance UID", "so nothing says to which examination it belongs")
_SERIES = _Kind("SeriesInstanceUID", "Series Instance UID", "so nothing says with which images it was taken")
_CLASS = _Kind("SOPClassUID", "SOP Class UID", "so nothing says what it is")
_IN_HEADER = ((_SOP, "MediaStorageSOPInstanceUID"), (_CLASS, "MediaStorageSOPClassUID"))


def read(dataset: Dataset) -> tuple[Identifiers, list[str]]:
    """The identifiers, and a sentence for each thing that is odd about them. Raises Refused."""
    oddities = [said for kind in (_SOP, _STUDY, _SERIES) if (said := _padding(dataset, kind))]
    found: Identifiers = {
        "sop_uid": _uid(dataset, _SOP),
        "study_uid": _uid(dataset, _STUDY),
        "series_uid": _uid(dataset, _SERIES),
        "sop_class": _class(dataset, oddities),
    }
    oddities += [said for kind in (_SOP, _STUDY, _SERIES, _CLASS) if (said := _zeros(dataset, kind))]
    oddities += [said for kind, keyword in _IN_HEADER if (said := _contradiction(dataset, kind, keyword))]
    return found, oddities


def _uid(dataset: Dataset, kind: _Kind) -> str:
    raw = value(dataset, kind.keyword)
    if raw is None:
        raise Refused("missing_uid", f"It has no {kind.name}, {kind.without}. Have it exported again.")
    identifier = str(raw)
    if not is_uid(identifier):
        raise Refused("bad_uid", f"Its {kind.name} {_why_none(raw)}. Have it exported again.")
    return identifier


def _why_none(raw: object) -> str:
    if isinstance(raw, Sequence) and not isinstance(raw, str | bytes):
        return f"is {len(raw)} identifiers, and must be one"
    shown = clean(raw, 40)
    if len(str(raw)) > LENGTH:
        return f"is longer than the {LENGTH} characters that an identifier may have ({shown}…)"
    return f"is not a valid identifier, which is numbers with dots between them ({shown})"


def _class(dataset: Dataset, oddities: list[str]) -> str:
    stated = str(value(dataset.file_meta, "MediaStorageSOPClassUID") or "")
    if value(dataset, _CLASS.keyword) is None and is_uid(stated):
        oddities.append(f"It has no {_CLASS.name}: that of its file header counts ({stated}).")
        return stated
    return _uid(dataset, _CLASS)


def _padding(dataset: Dataset, kind: _Kind) -> str:
    """Asked of the bytes, before pydicom converts them: one NUL at the end is how an odd length is made even."""
    element: Any = dataset.get_item(tag_for_keyword(kind.keyword) or 0)
    if not isinstance(element, RawDataElement) or not isinstance(element.value, bytes):
        return ""
    plain = element.value.strip(b"\0 ")
    if not plain or element.value in (plain, plain + b"\0"):
        return ""
    return f"Its {kind.name} is padded with spaces or several NULs: it counts without."


def _zeros(dataset: Dataset, kind: _Kind) -> str:
    if not has_leading_zero(str(value(dataset, kind.keyword) or "")):
        return ""
    return f"A number in its {kind.name} begins with 0, which DICOM does not allow: it is kept and compared as it came."


def _contradiction(dataset: Dataset, kind: _Kind, keyword: str) -> str:
    here, header = (
        str(value(one, name) or "") for one, name in ((dataset, kind.keyword), (dataset.file_meta, keyword))
    )
    if not here or not header or here == header:
        return ""
    return f"Its file header names another {kind.name} ({clean(header, LENGTH)}): that of the data set counts."
