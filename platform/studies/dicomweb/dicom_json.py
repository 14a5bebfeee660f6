"""The DICOM JSON Model (PS3.18, annex F) as DICOMweb answers it."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

DICOM_JSON, JSON = "application/dicom+json", "application/json"


class DicomElement(TypedDict):
    """One element; ``Value`` is missing where it is empty, large values are behind ``BulkDataURI``."""

    vr: str
    Value: NotRequired[list[Any]]
    InlineBinary: NotRequired[str]
    BulkDataURI: NotRequired[str]


DicomJson = dict[str, DicomElement]
"""Elements by tag, eight hexadecimal digits."""
