"""Infant facts from a CSV file: each row is judged alone, and a trial run changes nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from django.core.exceptions import ValidationError
from django.db import transaction

from common.sheets import BadFile, Line, csv_lines
from studies.models import Patient, Sex
from studies.patients.identity import change_facts
from studies.patients.payloads import ImportedRow

MAX_BYTES = 8 * 1024**2
MAX_ROWS = 20_000
_AGE = re.compile(r"(\d{2})\s*(?:[+w]\s*(\d)\s*(?:/7|d)?)?", re.IGNORECASE)
_SEXES = {"f": Sex.FEMALE, "female": Sex.FEMALE, "m": Sex.MALE, "male": Sex.MALE, "o": Sex.OTHER, "other": Sex.OTHER}
_Outcome = Literal["changed", "unchanged", "refused"]


@dataclass
class Row:
    """A line of the file and what became of it."""

    line: int
    patient_id: str
    outcome: _Outcome = "unchanged"
    reason: str = ""
    changes: dict[str, str | int] = field(default_factory=dict)

    def as_json(self) -> ImportedRow:
        return {
            "line": self.line,
            "patient_id": self.patient_id,
            "outcome": self.outcome,
            "reason": self.reason,
            "changes": self.changes,
        }


def whole_number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValidationError(f"{text!r} is not a whole number.") from None


def age_in_days(text: str) -> int:
    """``27+2`` (weeks and days) or ``27``."""
    match = _AGE.fullmatch(text)
    if match is None or int(match[2] or 0) > 6:
        raise ValidationError(f"{text!r} is not a gestational age such as 27+2.")
    return 7 * int(match[1]) + int(match[2] or 0)


def weeks_in_days(text: str) -> int:
    """Decimal weeks."""
    try:
        return round(7 * float(text))
    except (ValueError, OverflowError):
        raise ValidationError(f"{text!r} is not a number of weeks.") from None


def sex(text: str) -> str:
    if text.lower() not in _SEXES:
        raise ValidationError(f"{text!r} is not F, M or O.")
    return _SEXES[text.lower()]


def day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValidationError(f"{text!r} is not a date such as 2026-01-31.") from None


COLUMNS: dict[str, tuple[str, Callable[[str], str | int | date]]] = {
    "gestational_age": ("gestational_age_days", age_in_days),
    "gestational_age_days": ("gestational_age_days", whole_number),
    "gestational_age_weeks": ("gestational_age_days", weeks_in_days),
    "birth_weight_g": ("birth_weight_g", whole_number),
    "birth_date": ("birth_date", day),
    "sex": ("sex", sex),
    "twin_group": ("twin_group", str),
}


_FIELDS: dict[str, Any] = {name: Patient._meta.get_field(name) for name, _ in COLUMNS.values()}


@transaction.atomic
def import_rows(data: bytes, *, dry_run: bool) -> list[Row]:
    """Judge every row, and unless it is a trial change what the good ones say; raises BadFile."""
    rows = []
    seen: dict[tuple[str, str], int] = {}
    for line, cells, problem in _lines(data):
        row = Row(line, cells.get("patient_id", "")[:64])
        rows.append(row)
        if problem:
            row.outcome, row.reason = "refused", problem
            continue
        _import_row(row, cells, seen, dry_run=dry_run)
    return rows


def _import_row(row: Row, cells: dict[str, str], seen: dict[tuple[str, str], int], *, dry_run: bool) -> None:
    try:
        patient = _patient(row.patient_id, cells.get("issuer", ""))
        earlier = seen.setdefault((patient.patient_id, patient.issuer), row.line)
        if earlier != row.line:
            raise ValidationError(f"Line {earlier} is about the same patient.")
        facts = _facts(cells)
        for name, value in facts.items():
            _FIELDS[name].clean(value, patient)
    except ValidationError as error:
        row.outcome, row.reason = "refused", " ".join(error.messages)
        return
    changes = {name: value for name, value in facts.items() if getattr(patient, name) != value}
    row.changes = {name: value.isoformat() if isinstance(value, date) else value for name, value in changes.items()}
    row.outcome = "changed" if changes else "unchanged"
    if changes and not dry_run:
        change_facts(patient, changes)


def _patient(identifier: str, issuer: str) -> Patient:
    if not identifier:
        raise ValidationError("The patient_id is empty.")
    named = Patient.objects.filter(patient_id=identifier)
    found = {patient.final() for patient in (named.filter(issuer=issuer) if issuer else named)}
    matches = [patient for patient in found if patient.studies.exists()] or list(found)
    if not matches:
        raise ValidationError(f"No patient has the identifier {identifier}.")
    if len(matches) > 1:
        advice = "change them one by one" if issuer else "add a column issuer"
        raise ValidationError(f"Several patients have the identifier {identifier}: {advice}.")
    return matches[0]


def _facts(cells: dict[str, str]) -> dict[str, str | int | date]:
    """What the row says; an empty cell says nothing."""
    return {name: read(cells[column]) for column, (name, read) in COLUMNS.items() if cells.get(column)}


def _lines(data: bytes) -> Iterator[Line]:
    """The rows of the file. Raises BadFile, also in the middle where there are too many."""
    found = csv_lines(data, max_bytes=MAX_BYTES, column=lambda name: name.strip().lower(), check=_check_columns)
    for count, line in enumerate(found, 1):
        if count > MAX_ROWS:
            raise BadFile(f"The file has more than {MAX_ROWS:,} rows: split it.")
        yield line


def _check_columns(columns: list[str]) -> None:
    if "patient_id" not in columns:
        raise BadFile("The first line must name the columns, and one of them must be patient_id.")
    if not set(columns) & set(COLUMNS):
        raise BadFile(f"None of the columns holds a fact. Known ones: {', '.join(COLUMNS)}.")
