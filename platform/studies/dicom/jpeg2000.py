"""What a JPEG 2000 codestream says of itself (ISO/IEC 15444-1, annex A), and whether all of it is there."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_BOX = b"jp2c"
_SIZ, _SOC, _COD, _SOT, _EOC = 0xFF51, 0xFF4F, 0xFF52, 0xFF90, b"\xff\xd9"


def _start(data: bytes) -> int:
    """Of the codestream, which may lie in the boxes of a file; -1 where there is none."""
    at = data.find(_BOX) + len(_BOX) if data[4:8] == b"jP  " else 0
    return at if int.from_bytes(data[at : at + 2]) == _SOC else -1


def _main_header(data: bytes, at: int) -> Iterator[tuple[int, int]]:
    """(marker, where it is) up to the first tile part, which is the last of them."""
    at += 2
    while at + 4 <= len(data):
        marker, length = int.from_bytes(data[at : at + 2]), int.from_bytes(data[at + 2 : at + 4])
        yield marker, at
        if marker == _SOT or length < 2:
            return
        at += 2 + length


def transforms(data: bytes) -> bool | None:
    """Whether it has a component transform, which a decoder undoes whatever the header says; None: no codestream."""
    start = _start(data)
    if start < 0:
        return None
    where = next((at for marker, at in _main_header(data, start) if marker == _COD), None)
    return None if where is None or where + 9 > len(data) else data[where + 8] == 1


def picture(data: bytes) -> tuple[int, int, int, int] | None:
    """(rows, columns, samples, bits of the first of these) by the first marker segment, SIZ; None where it is not."""
    start = _start(data)
    size = data[start + 4 : start + 43]
    if start < 0 or len(size) < 39 or int.from_bytes(data[start + 2 : start + 4]) != _SIZ:
        return None
    right, bottom, left, top = struct.unpack(">4L", size[4:20])
    (samples,) = struct.unpack(">H", size[36:38])
    return bottom - top, right - left, samples, (size[38] & 0x7F) + 1


def whole(data: bytes) -> bytes | None:
    """The frame with an end, and nothing behind it; None where it ends early.

    A part of a tile says how long it is. One that leaves that open (0) goes on to the marker that ends the codestream,
    which no encoded data can hold.
    """
    end = _end(data)
    if end is None or end > len(data):
        return None
    return data if data[4:8] == b"jP  " else data[:end] + _EOC


def _end(data: bytes) -> int | None:
    """Where the last part of a tile ends, in or behind the data."""
    start = _start(data)
    at = next((at for marker, at in _main_header(data, start) if marker == _SOT), -1) if start >= 0 else -1
    if at < 0:
        return None
    while int.from_bytes(data[at : at + 2]) == _SOT and at + 12 <= len(data):
        length = int.from_bytes(data[at + 6 : at + 10])
        if length == 0:
            end = data.find(_EOC, at + 12)
            return None if end < 0 else end
        at += max(length, 12)
    return at


def has_end(data: bytes) -> bool:
    """Whether the codestream is followed by the marker that ends it."""
    end = _end(data)
    return end is not None and data[end : end + 2] == _EOC
