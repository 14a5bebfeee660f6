"""An export as a file: its name, its media type and its bytes.

A web process loads pydicom only when somebody asks for DICOM out of it, and then it writes what we made ourselves; what
others sent is read in sandbox workers alone.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from annotations.exchange.coco import to_coco
from annotations.exchange.csv_json import to_csv, to_json
from annotations.exchange.export_records import NOTICE, Export

Form = Literal["csv", "json", "coco", "sr", "seg"]


@dataclass(frozen=True)
class ExportFile:
    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True)
class _Writer:
    """How a form is written: the end of the file's name, its media type, its bytes."""

    name: str
    media_type: str
    write: Callable[[Export], bytes]


def _reports(export: Export) -> Iterator[tuple[str, bytes]]:
    from annotations.exchange.dicom_common import as_bytes
    from annotations.exchange.dicom_sr import to_report

    clips = export.clips()
    for record in export.records():
        made = to_report(record, export, clips)
        yield f"{record.study_uid}/{made.SOPInstanceUID}.dcm", as_bytes(made)


def _segmentations(export: Export) -> Iterator[tuple[str, bytes]]:
    from annotations.exchange.dicom_common import as_bytes
    from annotations.exchange.dicom_seg import to_segmentations

    clips = export.clips()
    for record in export.records():
        for made in to_segmentations(record, export, clips):
            yield f"{record.study_uid}/{made.SOPInstanceUID}.dcm", as_bytes(made)


_BOM = b"\xef\xbb\xbf"  # without it Excel takes UTF-8 for the code page of the machine


def _zipped(members: Iterator[tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", f"Labels of Fontanelle. {NOTICE}. Nothing here is verified.\n")
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


_WRITERS: dict[Form, _Writer] = {
    "csv": _Writer("labels.csv", "text/csv; charset=utf-8", lambda export: _BOM + to_csv(export).encode()),
    "json": _Writer("labels.json", "application/json", lambda export: to_json(export).encode()),
    "coco": _Writer("regions-coco.json", "application/json", lambda export: to_coco(export).encode()),
    "sr": _Writer("reports-sr.zip", "application/zip", lambda export: _zipped(_reports(export))),
    "seg": _Writer("masks-seg.zip", "application/zip", lambda export: _zipped(_segmentations(export))),
}
FORMS = tuple(_WRITERS)


def write(form: Form, export: Export) -> ExportFile:
    writer = _WRITERS[form]
    return ExportFile(f"research-use-only-{writer.name}", writer.media_type, writer.write(export))
