"""The whole header of a file, once, at ingest: what queries, metadata and frames are answered from ever after."""

from __future__ import annotations

import zlib
from dataclasses import replace
from pathlib import Path

from studies.dicom import content, dicom_json, frame_places, levels, pixel_layout
from studies.dicom.bounded_reader import DicomFile, Refused, open_dicom
from studies.dicom.facts import Content, Places, Whole

MOST_OF_A_LEVEL = 16 * 1024
_SPEED = 6


def read(path: Path, tags: list[int]) -> tuple[Whole, list[str]]:
    """(the whole header, warnings). Where only ``tags`` can be read safely it says no more than those."""
    try:
        opened = open_dicom(path)
        written = content.of(opened)
    except (Refused, MemoryError, RecursionError):
        return _partly(path, tags)
    except Exception:  # noqa: BLE001 - pydicom raises what it likes; what ingest needs was read without it
        return _partly(path, tags)
    return _described(opened, written, _places(opened))


def _partly(path: Path, tags: list[int]) -> tuple[Whole, list[str]]:
    opened = open_dicom(path, tags)
    whole, warnings = _described(opened, None, _places(opened))
    return {**whole, "elements": b""}, [*warnings, "Only a part of its header can be read: queries know no more."]


def _described(opened: DicomFile, written: Content | None, places: Places | None) -> tuple[Whole, list[str]]:
    elements = dicom_json.of(opened)
    whole: Whole = {
        "elements": zlib.compress(elements.text().encode(), _SPEED),
        "study": elements.picked(levels.study(), most=MOST_OF_A_LEVEL),
        "series": elements.picked(levels.series(), most=MOST_OF_A_LEVEL),
        "content": written,
        "places": places,
    }
    return whole, _warnings(elements.left_out)


def _warnings(left_out: list[str]) -> list[str]:
    if not left_out:
        return []
    return [f"{len(left_out)} elements of its header are too large or too deep for answers: {', '.join(left_out[:5])}."]


def _places(opened: DicomFile) -> Places | None:
    """With the warnings of the layout left where they were given first."""
    alone = replace(opened, warnings=[])
    try:
        return frame_places.of(alone, pixel_layout.check(alone))
    except Exception:  # noqa: BLE001 - frames are then found by decoding; the file itself is no worse for it
        return None
