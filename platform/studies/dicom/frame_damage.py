"""What compressed frames lack, as far as their markers tell without decoding: ends, restarts, tiles, segments of RLE.

Every frame is looked at when a file comes in, and what is found is a warning. Whether the picture is whole tells only
its decoder, which withholds one that is not.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from pydicom.uid import JPEG2000TransferSyntaxes, JPEGLSTransferSyntaxes, JPEGTransferSyntaxes, RLELossless

from studies.dicom import fragments, jpeg, jpeg2000
from studies.dicom.bounded_reader import DicomFile
from studies.dicom.pixel_layout import Layout

_MOST_BYTES = 512 * 1024**2
_NAMED = 5
_RESTART = re.compile(rb"\xff([\xd0-\xd7])")
_CUT = "the compressed data end early"
_NO_END = "the end marker is missing"
_DISORDER = "parts of the picture are missing or in the wrong order"


def say_what_is_missing(opened: DicomFile, layout: Layout) -> None:
    """Add a warning for each kind of damage, naming the frames."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for number, data in enumerate(_frames(opened, layout), 1):
        if why := _why(opened, data):
            found[why].append(number)
    for why, numbers in found.items():
        opened.warnings.append(f"{_which(numbers, layout.frames)}: {why}.")


def _frames(opened: DicomFile, layout: Layout) -> Iterator[bytes]:
    if layout.flaw not in ("", "truncated") or not opened.syntax.is_encapsulated:
        return
    pieces, _ = fragments.walk(opened)
    if sum(length for _, length in pieces) > _MOST_BYTES:
        return
    frames = [[piece] for piece in pieces] if len(pieces) == layout.frames else fragments.by_frame(opened)
    for parts in frames:
        yield fragments.read(opened, parts)


def _which(numbers: list[int], frames: int) -> str:
    if len(numbers) == frames > 1:
        return f"In each of its {frames} frames"
    listed = ", ".join(str(number) for number in numbers[:_NAMED])
    more = f" and {len(numbers) - _NAMED} more" if len(numbers) > _NAMED else ""
    return f"In frame{'s' * (len(numbers) > 1)} {listed}{more}"


def _why(opened: DicomFile, data: bytes) -> str:
    if opened.syntax == RLELossless:
        return "" if fragments.begins_rle(data) else _CUT
    if opened.syntax in JPEG2000TransferSyntaxes:
        return _CUT if jpeg2000.whole(data) is None else "" if jpeg2000.has_end(data) else _NO_END
    if opened.syntax in (*JPEGTransferSyntaxes, *JPEGLSTransferSyntaxes):
        return _why_jpeg(data)
    return ""


def _why_jpeg(data: bytes) -> str:
    found = jpeg.facts(data)
    if found is None:
        return "the compressed data do not begin as they should"
    if not jpeg.has_end(data, found):
        return _NO_END
    order = [match[1][0] & 7 for match in _RESTART.finditer(data[found.scan :])]
    return _DISORDER if order != [index % 8 for index in range(len(order))] else ""
