"""What a JPEG stream says of itself (ISO/IEC 10918-1, annex B), and decoding one without guessing at its colours."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import simplejpeg

from studies.dicom.bounded_reader import Refused

SOI, EOI = b"\xff\xd8", b"\xff\xd9"
_SOF = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}
_BASELINE, _SEQUENTIAL, _PROGRESSIVE = 0xC0, 0xC1, 0xC2
_LOSSLESS = {0xC3, 0xC7, 0xCB, 0xCF}
_SOS, _APP0, _APP14, _COMMENT = 0xDA, 0xE0, 0xEE, 0xFE
_APPLICATION = range(0xE0, 0xF0)
_ADOBE = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00"
_PADDED = re.compile(r"(\d+) extraneous bytes before marker 0xd9")
_PADDING = 8
_WHY = {
    "premature end": "its data end before the picture does",
    "bad huffman code": "its data are damaged",
    "restart marker": "parts of it are missing or in the wrong order",
}


@dataclass(frozen=True)
class Facts:
    """Of the first frame header. ``components``: (name, horizontal, vertical sampling); ``adobe``: its transform."""

    process: int
    precision: int
    rows: int
    columns: int
    components: tuple[tuple[int, int, int], ...]
    jfif: bool
    adobe: int | None
    scan: int
    """Where the first scan begins."""

    @property
    def lossless(self) -> bool:
        return self.process in _LOSSLESS

    @property
    def baseline(self) -> bool:
        return self.process == _BASELINE and self.precision == 8

    @property
    def of_eight_bits(self) -> bool:
        """Grey or of three components, of a process that libjpeg-turbo decodes."""
        known = self.process in (_BASELINE, _SEQUENTIAL, _PROGRESSIVE)
        return known and self.precision == 8 and len(self.components) in (1, 3)

    @cached_property
    def colours(self) -> str:
        """RGB or YBR_FULL where the stream says, as libjpeg and every browser take it; empty where it does not.

        Components that share pixels are luma and differences, whatever else is missing.
        """
        if len(self.components) != 3:
            return ""
        if self.jfif:
            return "YBR_FULL"
        if self.adobe is not None:
            return "YBR_FULL" if self.adobe == 1 else "RGB"
        if bytes(name for name, _, _ in self.components) in (b"RGB", b"rgb"):
            return "RGB"
        return "YBR_FULL" if len({tuple(sampling) for _, *sampling in self.components}) > 1 else ""


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """(marker, its start, the end of its segment) up to the first scan; fill bytes are left out."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        if data[at + 1] == 0xFF:
            at += 1
            continue
        end = at + 2 + max(2, int.from_bytes(data[at + 2 : at + 4]))
        yield data[at + 1], at, end
        if data[at + 1] == _SOS:
            return
        at = end


def facts(data: bytes) -> Facts | None:
    """None where there is no frame header followed by a scan."""
    if data[:2] != SOI:
        return None
    jfif, adobe, frame = False, None, b""
    for marker, start, end in _segments(data):
        body = data[start + 4 : end]
        jfif = jfif or (marker == _APP0 and body[:5] == b"JFIF\0")
        if marker == _APP14 and body[:5] == b"Adobe" and len(body) >= 12:
            adobe = body[11]
        if marker in _SOF:
            frame = frame or bytes([marker]) + body
        if marker == _SOS and frame:
            return _facts(frame, jfif=jfif, adobe=adobe, scan=start)
    return None


def _facts(frame: bytes, *, jfif: bool, adobe: int | None, scan: int) -> Facts | None:
    if len(frame) < 7 or len(frame) < 7 + 3 * frame[6]:
        return None
    process, precision, rows, columns, count = struct.unpack(">BBHHB", frame[:7])
    each = (frame[7 + 3 * index : 10 + 3 * index] for index in range(count))
    components = tuple((name, sampling >> 4, sampling & 15) for name, sampling, _ in each)
    return Facts(process, precision, rows, columns, components, jfif, adobe, scan)


def has_end(data: bytes, found: Facts) -> bool:
    """The marker cannot be part of what is encoded; what follows it is nobody's."""
    return data.find(EOI, found.scan) >= 0


def plain(data: bytes, found: Facts, *, transform: int = 0) -> bytes:
    """The stream with an end, and without application data: of three components a decoder undoes that transform."""
    kept = [data[start:end] for marker, start, end in _segments(data[: found.scan + 4]) if not _is_aside(marker)]
    body = b"".join(kept[:-1]) + data[found.scan :]
    adobe = _ADOBE + bytes([transform]) if len(found.components) == 3 else b""
    whole = SOI + adobe + body
    return whole if has_end(data, found) else whole + EOI


def _is_aside(marker: int) -> bool:
    return marker in _APPLICATION or marker == _COMMENT


def decode(data: bytes, found: Facts, *, luma: bool = False) -> npt.NDArray[np.uint8]:
    """The components as they are coded, [H, W] or [H, W, 3], or (``luma``) the first alone, of YCbCr or of grey.

    Raises Refused where libjpeg-turbo had to make up a part of the picture.
    """
    grey = luma or len(found.components) == 1
    stream = plain(data, found, transform=int(luma))
    decoded = _strictly(stream, "GRAY" if grey else "RGB")
    return decoded[..., 0] if grey else decoded


def check(data: bytes, found: Facts) -> None:
    """Raises Refused where ``decode`` would, in a fraction of its time."""
    _strictly(plain(data, found, transform=1), "GRAY", min_height=1, min_width=1, min_factor=8)


def _strictly(stream: bytes, colours: str, **options: Any) -> npt.NDArray[np.uint8]:
    try:
        return cast(npt.NDArray[np.uint8], simplejpeg.decode_jpeg(stream, colours, **options))
    except ValueError as error:
        if not is_padding(str(error)):
            raise Refused("undecodable", why_damaged(str(error))) from error
        return cast(npt.NDArray[np.uint8], simplejpeg.decode_jpeg(stream, colours, strict=False, **options))


def is_padding(complaint: str) -> bool:
    """A few bytes that fill up what is encoded, in front of its end."""
    match = _PADDED.search(complaint)
    return match is not None and int(match[1]) <= _PADDING


def why_damaged(complaint: str) -> str:
    """libjpeg's words as a sentence."""
    why = next((reason for words, reason in _WHY.items() if words in complaint.lower()), "its data are damaged")
    return f"A frame is damaged: {why}. It is not shown."
