"""Labels as CSV and as JSON. `docs/labels-json.md` documents the JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from typing import Any

from django.utils import timezone

from annotations.exchange.export_records import NOTICE, Export, Record

FORMAT, VERSION = "fontanelle-labels", 1
LEADING = ("study_uid", "patient_id", "reader", "context", "schema")
TRAILING = (
    "comment", "positive", "definition", "revision", "committed_at", "duration_ms", "flag_seen", "attention_seen",
    "label", "label_rule", "label_definition",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def safe(text: str) -> str:
    """A spreadsheet takes these for formulas; an apostrophe makes them text, and is taken off when they come back."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def cell(value: Any) -> str:
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
    revision, label = record.revision, record.label
    return {
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
        "label": label.positive if label else None,
        "label_rule": label.rule if label else "",
        "label_definition": label.definition if label else "",
    }


def to_json(export: Export) -> str:
    records = list(export.records())
    used = {record.revision.schema for record in records}
    whole = {
        "format": FORMAT,
        "version": VERSION,
        "notice": NOTICE,
        "made_at": timezone.now().isoformat(),
        "identified": export.identified,
        "schemas": {name: schema.document for name, schema in export.schemas.items() if name in used},
        "reads": [_read(record, export) for record in records],
        "labels": _labels(records),
    }
    return json.dumps(whole, ensure_ascii=False, indent=1)


def _read(record: Record, export: Export) -> dict[str, Any]:
    revision = record.revision
    about = {name: value for name, value in _about(record, export).items() if not name.startswith("label")}
    seen = [{**clip, "sop_uid": export.uid(clip["sop_uid"])} for clip in revision.coverage]
    return {"id": revision.pk, **about, "findings": record.findings, "coverage": seen, "device": revision.device}


def _labels(records: Iterable[Record]) -> list[dict[str, Any]]:
    told = {}
    for record in records:
        if record.label:
            told[record.study_uid] = {
                "study_uid": record.study_uid,
                "positive": record.label.positive,
                "rule": record.label.rule,
                "definition": record.label.definition,
                "reads": list(record.label.reads),
            }
    return list(told.values())
