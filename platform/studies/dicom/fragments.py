"""The fragments of compressed pixels: where they lie in the file, and which of them make one frame."""

from __future__ import annotations

import re
import struct
from itertools import pairwise

from pydicom.uid import RLELossless

from studies.dicom.bounded_reader import DicomFile, Refused

Fragment = tuple[int, int]
"""(first byte in the file, length)"""

_MAX_FRAGMENTS = 200_000
_STACKED_BYTES = 256 * 1024**2
_ITEM, _END = 0xFFFEE000, 0xFFFEE0DD
_STARTS = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP  ")
_NEXT_IMAGE = re.compile(rb"\xff\xd9\x00{0,3}(?=\xff\xd8\xff|\xff\x4f\xff\x51)")
_RLE_HEADER = struct.Struct("<16L")


def walk(opened: DicomFile) -> tuple[list[Fragment], bool]:
    """(fragments that are wholly there, whether the sequence ends as it should); the offset table is not one."""
    stream, at = opened.stream, opened.pixel_start
    order = "<" if opened.little_endian else ">"
    items: list[Fragment] = []
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


def by_frame(opened: DicomFile) -> list[list[Fragment]]:
    """The fragments of each frame, as their own bytes say: a new frame begins wherever an image does.

    Neither the offset tables nor the number of frames in the header is asked.
    """
    found, _ = walk(opened)
    fragments = _unstacked(opened, *found[0]) if len(found) == 1 else found
    frames: list[list[Fragment]] = []
    for fragment in fragments:
        if _begins_image(opened, *fragment):
            frames.append([fragment])
        elif frames:
            frames[-1].append(fragment)
    return frames


def single_frames(opened: DicomFile) -> list[Fragment]:
    """The fragments of a clip that is cut, if each of them is one whole frame.

    Offset tables tell of frames that are gone. RLE has one fragment for each frame; of the others each must be an image
    from its first bytes to its last, and none is believed where one is not.
    """
    fragments, _ = walk(opened)
    if opened.syntax == RLELossless or all(_is_image(opened, *fragment) for fragment in fragments):
        return fragments
    return []


def read(opened: DicomFile, parts: list[Fragment]) -> bytes:
    """The bytes of fragments, one after another."""
    return b"".join(_bytes(opened, start, length) for start, length in parts)


def _bytes(opened: DicomFile, start: int, length: int) -> bytes:
    opened.stream.seek(start)
    return opened.stream.read(length)


def _unstacked(opened: DicomFile, start: int, length: int) -> list[Fragment]:
    """The images that lie one behind the other in a single fragment; where one ends, the next must begin."""
    if opened.syntax == RLELossless or length > _STACKED_BYTES:
        return [(start, length)]
    ends = [match.end() for match in _NEXT_IMAGE.finditer(_bytes(opened, start, length))]
    edges = [0, *ends, length]
    return [(start + low, high - low) for low, high in pairwise(edges)]


def begins_compressed(opened: DicomFile, start: int, length: int) -> bool:
    """The bytes there are the start of a JPEG, JPEG-LS or JPEG 2000 image, or of a sequence of fragments."""
    head = _bytes(opened, start, min(length, 12))
    return head.startswith(_STARTS) or begins_item(opened, start, length)


def begins_item(opened: DicomFile, start: int, length: int) -> bool:
    """A sequence of fragments starts there."""
    return _bytes(opened, start, min(length, 4)) == b"\xfe\xff\x00\xe0"


def _begins_image(opened: DicomFile, start: int, length: int) -> bool:
    head = _bytes(opened, start, min(length, _RLE_HEADER.size))
    return begins_rle(head, length) if opened.syntax == RLELossless else head.startswith(_STARTS)


def begins_rle(head: bytes, length: int | None = None) -> bool:
    """A table of 1 to 15 segments, of which the first follows at once and each other one later (PS3.5, G.5)."""
    if len(head) < _RLE_HEADER.size:
        return False
    length = len(head) if length is None else length
    count, *offsets = _RLE_HEADER.unpack(head[: _RLE_HEADER.size])
    used = offsets[:count]
    return 1 <= count <= 15 and used[0] == _RLE_HEADER.size and used == sorted(used) and used[-1] < length


def _is_image(opened: DicomFile, start: int, length: int) -> bool:
    """It begins as JPEG, JPEG-LS or JPEG 2000 does, and ends as all of them do."""
    first = _bytes(opened, start, 2)
    return first in (b"\xff\xd8", b"\xff\x4f") and b"\xff\xd9" in _bytes(opened, start + max(0, length - 4), 4)
