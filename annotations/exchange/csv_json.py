"""Labels as CSV and as JSON. `docs/labels-json.md` documents the JSON."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable
from typing import Annotated, Any, TypedDict

from django.utils import timezone

from annotations.consensus.reference_labels import LabelRule
from annotations.exchange.as_sent import as_sent
from annotations.exchange.export_records import NOTICE, Export, Record
from annotations.label_schema.schema import Findings
from annotations.reads.exposures import AiShown

FORMAT, VERSION = "fontanelle-labels", 1
LEADING = ("study_uid", "patient_id", "reader", "context", "schema")
AS_SENT = ("issuer", "patient_name", "study_date", "study_time", "utc_offset")
"""What the study's own files call infant and study; empty without identifiers."""
TRAILING = (
    "comment", "positive", "definition", "revision", "committed_at", "duration_ms", "flag_seen", "attention_seen",
    "blind", "label", "label_rule", "label_definition", *AS_SENT,
)  # fmt: skip
_FORMULA = re.compile(r"[=@\t\r]|[+-](?!\d+$)")


def safe(text: str) -> str:
    """A spreadsheet takes these for formulas; an apostrophe makes them text, and is taken off when they come back.

    A signed number, such as an offset from UTC, is none.
    """
    return f"'{text}" if _FORMULA.match(text) else text


def cell(value: Any) -> str:
    """A value as a cell: nothing for null and for an empty list, JSON for lists and objects."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")) if value else ""
    return safe(value) if isinstance(value, str) else str(value)


def to_csv(export: Export) -> str:
    """A row for each read, a column for each field of any version."""
    fields = dict.fromkeys(name for schema in export.schemas.values() for name in schema.properties if name != "schema")
    text = io.StringIO()
    writer = csv.DictWriter(text, [*LEADING, *fields, *TRAILING], lineterminator="\r\n", restval="")
    writer.writeheader()
    for record in export.records():
        writer.writerow({name: cell(value) for name, value in {**record.findings, **_about(record, export)}.items()})
    return text.getvalue()


def _about(record: Record, export: Export) -> dict[str, Any]:
    """What a row of the CSV says besides the findings: the columns of LEADING and TRAILING."""
    label = record.label
    row = {
        **_read(record, export),
        "label": label.positive if label else None,
        "label_rule": label.rule if label else "",
        "label_definition": label.definition if label else "",
    }
    return {column: row[column] for column in (*LEADING, *TRAILING)}


class AsSentExport(TypedDict):
    """What the study's own files call infant and study, as they write it; empty without identifiers."""

    issuer: Annotated[str, "Issuer of Patient ID"]
    patient_name: Annotated[str, "DICOM person name: groups between =, components between ^"]
    study_date: Annotated[str, "YYYYMMDD"]
    study_time: Annotated[str, "HHMMSS, in the device's own zone"]
    utc_offset: Annotated[str, "+HHMM, -HHMM or empty"]


def _as_sent(record: Record, export: Export) -> AsSentExport:
    said = as_sent(record.study) if export.identified else None
    return {
        "issuer": said["issuer"] if said else "",
        "patient_name": said["name"] if said else "",
        "study_date": said["study_date"] if said else "",
        "study_time": said["study_time"] if said else "",
        "utc_offset": said["utc_offset"] if said else "",
    }


class ReadExport(AsSentExport):
    """A committed read in the JSON export."""

    id: int
    study_uid: str
    patient_id: str
    reader: str
    context: str
    schema: str
    comment: str
    positive: bool | None
    definition: str
    revision: Annotated[int, "counted from 1"]
    committed_at: Annotated[str | None, "ISO 8601; None without identifiers"]
    duration_ms: Annotated[int, "ms from opening to commit"]
    flag_seen: str
    attention_seen: bool
    blind: Annotated[bool, "the reader had been shown nothing of the AI's answer"]
    ai_shown: Annotated[list[AiShown] | None, "what they had been shown, and where; null where that was not kept"]
    findings: Findings
    coverage: Annotated[list[dict[str, Any]], "what of each clip was on the screen, and for how long (ms)"]
    device: dict[str, Any]


class LabelExport(TypedDict):
    """A reference label in the JSON export."""

    study_uid: str
    positive: bool
    rule: LabelRule
    definition: str
    reads: Annotated[list[int], "ids of the read revisions that made it"]


class LabelsDocument(TypedDict):
    """The JSON export."""

    format: str
    version: int
    notice: str
    made_at: Annotated[str, "ISO 8601"]
    identified: Annotated[bool, "with the infants' own identifiers and texts that people typed"]
    schemas: Annotated[dict[str, dict[str, Any]], "by name, the JSON Schemas that the reads were made with"]
    reads: list[ReadExport]
    labels: list[LabelExport]


def to_json(export: Export) -> str:
    """Reads, the schemas that they were made with, and reference labels."""
    records = list(export.records())
    used = {record.revision.schema for record in records}
    document: LabelsDocument = {
        "format": FORMAT,
        "version": VERSION,
        "notice": NOTICE,
        "made_at": timezone.now().isoformat(),
        "identified": export.identified,
        "schemas": {name: schema.document for name, schema in export.schemas.items() if name in used},
        "reads": [_read(record, export) for record in records],
        "labels": _labels(records, export),
    }
    return json.dumps(document, ensure_ascii=False, indent=1)


def _read(record: Record, export: Export) -> ReadExport:
    revision = record.revision
    return {
        "id": export.revision(revision.pk),
        "study_uid": record.study_uid,
        "patient_id": record.patient_id,
        "reader": record.reader,
        "context": revision.read.context,
        "schema": revision.schema,
        "comment": record.comment,
        "positive": revision.positive,
        "definition": revision.definition,
        "revision": revision.number,
        "committed_at": revision.committed_at.isoformat() if export.identified else None,
        "duration_ms": revision.duration_ms,
        "flag_seen": revision.flag_seen,
        "attention_seen": revision.attention_seen,
        "blind": revision.is_blind,
        "ai_shown": _ai_shown(record, export),
        "findings": record.findings,
        "coverage": [{**clip, "sop_uid": export.uid(clip["sop_uid"])} for clip in revision.coverage],
        "device": revision.device,
        **_as_sent(record, export),
    }


def _ai_shown(record: Record, export: Export) -> list[AiShown] | None:
    """Without the times where no dates leave."""
    shown: list[AiShown] | None = record.revision.ai_shown
    if shown is None or export.identified:
        return shown
    return [{**each, "at": None} for each in shown]


def _labels(records: Iterable[Record], export: Export) -> list[LabelExport]:
    """The reference labels of the records' studies, each once."""
    labels: dict[str, LabelExport] = {}
    for record in records:
        if record.label:
            labels[record.study_uid] = {
                "study_uid": record.study_uid,
                "positive": record.label.positive,
                "rule": record.label.rule,
                "definition": record.label.definition,
                "reads": [export.revision(pk) for pk in record.label.reads],
            }
    return list(labels.values())
