"""Whether the declared pixels make sense and are all there, found out without decoding or allocating any of them."""

from __future__ import annotations

import struct
from dataclasses import asdict, dataclass
from typing import Any, cast

from pydicom.dataset import Dataset
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import RLELossless

from studies.dicom.attributes import text, value
from studies.dicom.bounded_reader import UNDEFINED, DicomFile, Refused
from studies.dicom.facts import PixelFacts

MAX_FRAME_PIXELS = 64 * 1024**2
MAX_FRAMES = 20_000
_MAX_FRAGMENTS = 200_000
_OVERSTATED_FACTOR = 16
_OVERSTATED_BYTES = 64 * 1024**2
_ITEM, _END = 0xFFFEE000, 0xFFFEE0DD


@dataclass(frozen=True)
class Layout:
    """``rows`` x ``columns`` pixels of ``samples`` values in ``frames`` frames; ``flaw`` is empty when all is there.

    Of a flawed clip the first ``whole`` frames can still be decoded.
    """

    photometric: str = ""
    rows: int = 0
    columns: int = 0
    frames: int = 0
    samples: int = 1
    bits_allocated: int = 8
    bits_stored: int = 8
    flaw: str = ""
    flaw_reason: str = ""
    whole: int = 0

    def as_facts(self) -> PixelFacts:
        return cast(PixelFacts, asdict(self))


def check(opened: DicomFile) -> Layout:
    """The layout of the pixels; raises Refused for a header that no honest device writes."""
    if not opened.pixel_kind:
        return Layout(flaw="no_pixels", flaw_reason="It holds no image.")
    dataset = opened.dataset
    facts: dict[str, Any] = {
        "photometric": text(dataset, "PhotometricInterpretation", 16),
        "rows": _count(dataset, "Rows", 1, 65535),
        "columns": _count(dataset, "Columns", 1, 65535),
        "samples": _one_of(dataset, "SamplesPerPixel", {1, 3, 4}, 1),
        "bits_allocated": _one_of(dataset, "BitsAllocated", {1, 8, 16, 32, 64}, None),
        "frames": _frames(dataset),
    }
    stored = value(dataset, "BitsStored")
    facts["bits_stored"] = stored if isinstance(stored, int) and 0 < stored <= 64 else facts["bits_allocated"]
    if facts["rows"] * facts["columns"] > MAX_FRAME_PIXELS:
        raise Refused("too_large", f"It declares frames of {facts['columns']} x {facts['rows']} pixels: too large.")
    flaw, reason = _flaw(opened, Layout(**facts))
    whole = facts["frames"]
    if flaw:
        cut = flaw == "truncated" and not _syntax_flaw(opened)[0]
        whole = _whole_frames(opened, Layout(**facts)) if cut else 0
    return Layout(**facts, flaw=flaw, flaw_reason=reason, whole=whole)


def _count(dataset: Dataset, keyword: str, low: int, high: int) -> int:
    declared = value(dataset, keyword)
    if not isinstance(declared, int) or not low <= declared <= high:
        raise Refused("bad_image", f"Its {keyword} is {_shown(declared)}, not a number from {low} to {high}.")
    return int(declared)


def _one_of(dataset: Dataset, keyword: str, allowed: set[int], default: int | None) -> int:
    declared = value(dataset, keyword)
    if declared is None and default is not None:
        return default
    if not isinstance(declared, int) or declared not in allowed:
        raise Refused("bad_image", f"Its {keyword} is {_shown(declared)}, which no image has.")
    return int(declared)


def _frames(dataset: Dataset) -> int:
    declared = value(dataset, "NumberOfFrames")
    if declared is None:
        return 1
    try:
        frames = int(str(declared))
    except ValueError:
        frames = -1
    if frames == 0:
        return 1
    if not 0 < frames <= MAX_FRAMES:
        raise Refused("bad_image", f"Its NumberOfFrames is {_shown(declared)}, not a number from 1 to {MAX_FRAMES}.")
    return frames


def _shown(declared: object) -> str:
    return "missing" if declared is None else repr(declared)[:40]


def _flaw(opened: DicomFile, layout: Layout) -> tuple[str, str]:
    if opened.pixel_kind != "pixels":
        return "undecodable", "Its pixels are floating-point numbers, which are not shown."
    flaw = _encapsulated_flaw(opened, layout) if opened.pixel_length == UNDEFINED else _native_flaw(opened, layout)
    return flaw if flaw[0] else _syntax_flaw(opened)


def _syntax_flaw(opened: DicomFile) -> tuple[str, str]:
    try:
        decodable = get_decoder(opened.syntax).is_available
    except NotImplementedError:
        decodable = False
    if decodable:
        return "", ""
    return "undecodable", f"Its pixels are encoded as {opened.syntax.name}, which cannot be decoded here."


def _native_flaw(opened: DicomFile, layout: Layout) -> tuple[str, str]:
    if opened.syntax.is_encapsulated:
        return "undecodable", "Its header says compressed, its pixels are not."
    present = _pixel_bytes(opened)
    declared = (_frame_bits(layout) * layout.frames + 7) // 8
    if declared > _OVERSTATED_BYTES and declared > _OVERSTATED_FACTOR * max(present, 1):
        raise Refused("too_large", f"It declares {declared // 1024**2} MB of pixels and holds {present // 1024} kB.")
    if present < declared:
        whole = _whole_frames(opened, layout)
        there = f"{whole} of {layout.frames} frames are whole" if whole else "no frame is whole"
        return "truncated", f"Incomplete: {there} ({present} of {declared} bytes of pixels are there)."
    return "", ""


def _pixel_bytes(opened: DicomFile) -> int:
    return max(0, min(opened.pixel_length, opened.stream_size - opened.pixel_start))


def _whole_frames(opened: DicomFile, layout: Layout) -> int:
    """Of a clip that is cut: how many frames from the first are all there, beyond doubt."""
    if opened.pixel_length == UNDEFINED:
        return min(layout.frames, len(single_frames(opened)))
    return min(layout.frames, _pixel_bytes(opened) * 8 // _frame_bits(layout))


def _frame_bits(layout: Layout) -> int:
    bits = layout.rows * layout.columns * layout.samples * layout.bits_allocated
    return max(1, bits * 2 // 3) if layout.photometric == "YBR_FULL_422" else bits


def _encapsulated_flaw(opened: DicomFile, layout: Layout) -> tuple[str, str]:
    fragments, complete = _walk_fragments(opened)
    if len(fragments) < layout.frames:
        return "truncated", f"Incomplete: {len(fragments)} of {layout.frames} frames are there."
    if not complete:
        return "truncated", "Incomplete: the file ends inside its pixels."
    return "", ""


def single_frames(opened: DicomFile) -> list[tuple[int, int]]:
    """Where the fragments of a clip that is cut lie, and how long they are, if each of them is one whole frame.

    Offset tables tell of frames that are gone. RLE has one fragment for each frame; of the others each must be an image
    from its first bytes to its last, and none is believed where one is not.
    """
    fragments, _ = _walk_fragments(opened)
    if opened.syntax == RLELossless or all(_is_image(opened, *fragment) for fragment in fragments):
        return fragments
    return []


def _is_image(opened: DicomFile, start: int, length: int) -> bool:
    """It begins as JPEG, JPEG-LS or JPEG 2000 does, and ends as all of them do."""
    opened.stream.seek(start)
    first = opened.stream.read(2)
    opened.stream.seek(start + max(0, length - 4))
    return first in (b"\xff\xd8", b"\xff\x4f") and b"\xff\xd9" in opened.stream.read(min(length, 4))


def _walk_fragments(opened: DicomFile) -> tuple[list[tuple[int, int]], bool]:
    """(fragments that are wholly there, whether the sequence ends as it should); the offset table is not one."""
    stream, at = opened.stream, opened.pixel_start
    order = "<" if opened.syntax.is_little_endian else ">"
    items: list[tuple[int, int]] = []
    for _ in range(_MAX_FRAGMENTS + 1):
        stream.seek(at)
        head = stream.read(8)
        if len(head) < 8:
            return items[1:], False
        group, element, length = struct.unpack(f"{order}HHL", head)
        at += 8 + length
        tag = group << 16 | element
        if tag == _END:
            return items[1:], True
        if tag != _ITEM or at > opened.stream_size:
            return items[1:], False
        items.append((at - length, length))
    raise Refused("too_large", f"Its pixels come in more than {_MAX_FRAGMENTS} pieces.")
