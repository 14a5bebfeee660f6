"""Headers as they were kept, with the addresses of their large values filled in."""

from __future__ import annotations

import json
import zlib
from typing import Any

from studies.dicomweb import addresses
from studies.models import Clip

Deflated = bytes | memoryview | None
_RELATIVE = b'"BulkDataURI":"bulkdata/'
"""Inside a text of the header its quotes would stand behind backslashes."""


def text(clip: Clip, deflated: Deflated, study: str) -> bytes:
    """DICOM JSON of a clip of ``study``: the whole header, or what the database knows where none was kept."""
    if not deflated:
        return json.dumps(_short(clip, study), separators=(",", ":")).encode()
    address = addresses.of_instance(study, clip.series_uid, clip.sop_uid)
    return zlib.decompress(deflated).replace(_RELATIVE, f'"BulkDataURI":"{address}/bulkdata/'.encode())


def elements(clip: Clip, deflated: Deflated, study: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text(clip, deflated, study))
    return found


def _short(clip: Clip, study: str) -> dict[str, Any]:
    facts = {
        "00080016": ("UI", clip.sop_class),
        "00080018": ("UI", clip.sop_uid),
        "00080060": ("CS", clip.modality),
        "0020000D": ("UI", study),
        "0020000E": ("UI", clip.series_uid),
        "00200011": ("IS", clip.series_number),
        "00200013": ("IS", clip.instance_number),
        "00280008": ("IS", clip.frames or None),
        "00280010": ("US", clip.rows or None),
        "00280011": ("US", clip.columns or None),
    }
    return {tag: {"vr": vr, "Value": [value]} for tag, (vr, value) in facts.items() if value not in (None, "")}
