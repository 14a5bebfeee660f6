"""Where each frame lies in a file, so that it is served by seeking and nobody parses the file again."""

from __future__ import annotations

from itertools import chain

from studies.dicom import fragments, pixel_layout, syntaxes
from studies.dicom.bounded_reader import UNDEFINED, BoundedReader, DicomFile
from studies.dicom.facts import Places
from studies.dicom.pixel_layout import Layout

MOST = 40_000


def of(opened: DicomFile, layout: Layout) -> Places | None:
    """None where they cannot be told from the bytes, or the bytes there are not those that a reader expects."""
    if not isinstance(opened.stream, BoundedReader) or opened.pixel_kind != "pixels":
        return None
    if opened.pixel_length == UNDEFINED:
        return _undecodable(opened, layout) if layout.flaw == "undecodable" else _encapsulated(opened, layout)
    return _native(opened, layout) if layout.whole else None


def _native(opened: DicomFile, layout: Layout) -> Places | None:
    length = pixel_layout.frame_bytes(layout)
    bits = layout.rows * layout.columns * layout.samples * layout.bits_allocated
    if bits % 8 or (not opened.little_endian and opened.pixel_vr != "OB"):
        return None
    return {"start": opened.pixel_start, "length": length, "frames": layout.whole, "parts": None}


def _undecodable(opened: DicomFile, layout: Layout) -> Places | None:
    """Frames of a syntax that others may know: a fragment for each, or all of them for one."""
    found, complete = fragments.walk(opened)
    said_native = syntaxes.is_known(opened.syntax) and not opened.syntax.is_encapsulated
    if not complete or said_native or not 0 < len(found) <= MOST:
        return None
    if len(found) == layout.frames:
        parts = [list(each) for each in found]
    elif layout.frames == 1:
        parts = [list(chain.from_iterable(found))]
    else:
        return None
    return {"start": 0, "length": 0, "frames": layout.frames, "parts": parts}


def _encapsulated(opened: DicomFile, layout: Layout) -> Places | None:
    found, _ = fragments.walk(opened)
    frames = [[each] for each in found]
    if len(found) != layout.frames or layout.regrouped:
        frames = fragments.by_frame(opened)
    if len(frames) < layout.whole or (len(frames) != layout.frames and not layout.flaw):
        return None
    if not layout.whole or sum(map(len, frames)) > MOST:
        return None
    parts = [list(chain.from_iterable(frame)) for frame in frames[: layout.whole]]
    return {"start": 0, "length": 0, "frames": layout.whole, "parts": parts}
