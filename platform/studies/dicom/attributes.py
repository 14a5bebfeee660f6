"""Single values of a data set that may hold anything. One that makes no sense is None, or empty text."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from unicodedata import category

from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag
from pydicom.valuerep import STR_VR, VR
from pydicom.values import convert_value

from studies.dicom.birth_dates import birth_doubt
from studies.dicom.clocks import Written, clock, day, now, zone

_DAYS = {"D": 1, "W": 7, "M": 30, "Y": 365}


def value(dataset: Dataset, keyword: str) -> Any:
    """The raw value, None where it is absent, empty or cannot be read."""
    try:
        raw = _long_value(dataset, keyword, dataset.get(keyword))
    except (RecursionError, MemoryError):
        raise
    except Exception:  # noqa: BLE001 - pydicom converts on access and raises what it likes
        return None
    return None if raw is None or raw == "" else raw


def _long_value(dataset: Dataset, keyword: str, raw: Any) -> Any:
    """A value of its known type, where 64 kB made its writer call the type unknown (PS3.5, 6.2.2, note 3).

    What is inside such an element is little-endian with implicit types, whatever the file is.
    """
    tag = tag_for_keyword(keyword)
    if not isinstance(raw, bytes) or tag is None or dataset[tag].VR != VR.UN:
        return raw
    known = dictionary_VR(tag)
    if known not in STR_VR and known not in (VR.DS, VR.IS, VR.SQ):
        return raw
    element = RawDataElement(BaseTag(tag), known, len(raw), raw, 0, is_implicit_VR=True, is_little_endian=True)
    return convert_value(known, element)


def clean(text: object, length: int) -> str:
    """Printable text of at most ``length`` characters that any database takes."""
    plain = str(text).encode("utf-8", "replace").decode("utf-8", "replace")
    return " ".join("".join(c if c.isprintable() else " " for c in plain[: 4 * length]).split())[:length]


def text(dataset: Dataset, keyword: str, length: int = 64) -> str:
    """Printable text of at most ``length`` characters, several values joined; empty where there is none."""
    raw = value(dataset, keyword)
    if isinstance(raw, Sequence) and not isinstance(raw, str | bytes):
        raw = " ".join(str(part) for part in list(raw)[:8])
    return "" if raw is None else clean(raw, length)


def number(dataset: Dataset, keyword: str) -> float | None:
    """A finite number, the first if there are several."""
    raw = value(dataset, keyword)
    if isinstance(raw, Sequence) and not isinstance(raw, str | bytes):
        raw = raw[0] if len(raw) else None
    try:
        result = float(raw)
    except (TypeError, ValueError, OverflowError):
        return None
    return result if math.isfinite(result) else None


def whole(dataset: Dataset, keyword: str) -> int | None:
    """An integer that a database column holds."""
    result = number(dataset, keyword)
    return int(result) if result is not None and abs(result) < 2**31 else None


def as_written(dataset: Dataset, keyword: str, length: int = 64) -> str:
    """The text as it came, several values with their backslashes; without its padding and what no text holds."""
    raw = value(dataset, keyword)
    if isinstance(raw, Sequence) and not isinstance(raw, str | bytes):
        raw = "\\".join(str(part) for part in list(raw)[:8])
    text = "" if raw is None else str(raw)[: 4 * length]
    return "".join(letter for letter in text if category(letter) not in ("Cc", "Cs"))[:length].rstrip()


def pair(dataset: Dataset, date_keyword: str, time_keyword: str) -> Written | None:
    """A date and the time beside it."""
    on = day(text(dataset, date_keyword))
    return None if on is None else Written(on, clock(text(dataset, time_keyword)))


def stamp(dataset: Dataset, keyword: str) -> Written | None:
    """A DT value, whose offset is its own."""
    match = re.match(r"([0-9]{8})([0-9]{2,6}(?:\.[0-9]+)?)?([+-][0-9]{4})?", text(dataset, keyword))
    on = day(match[1]) if match else None
    return Written(on, clock(match[2] or ""), zone(match[3] or "")) if match and on else None


def birth_date(dataset: Dataset, examined: datetime | None, warnings: list[str]) -> tuple[str | None, bool]:
    """(ISO date or None, whether it is counted back from an age in days). What cannot be true becomes a warning."""
    stated = day(text(dataset, "PatientBirthDate"))
    age = re.fullmatch(r"(\d{1,3})([DWMY])", text(dataset, "PatientAge"))
    if stated is not None:
        doubt = birth_doubt(stated, (examined or now()).date())
        if not doubt:
            if age is not None and examined is not None and not _agree(stated, age, examined.date()):
                warnings.append(f"Its birth date {stated} and its patient age {age[0]} cannot both be true.")
            return stated.isoformat(), False
        warnings.append(doubt)
    if age is None or examined is None or age[2] != "D":
        return None, False
    return (examined.date() - timedelta(days=int(age[1]))).isoformat(), True


def _agree(born: date, age: re.Match[str], examined: date) -> bool:
    """Within one unit of the age and a day."""
    unit = _DAYS[age[2]]
    return abs((examined - born).days - unit * int(age[1])) <= unit * 1.1 + 1
