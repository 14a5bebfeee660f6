"""One compressed frame as the values that were encoded, or the reason why they cannot be trusted."""

from __future__ import annotations

import io
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID, JPEG2000TransferSyntaxes, JPEGLossless, JPEGLSTransferSyntaxes, RLELossless

from studies.dicom import compressed, jpeg, jpeg2000
from studies.dicom.bounded_reader import Refused

Values = npt.NDArray[Any]
_STDERR, _HEARD = 2, 64 * 1024
_JPEG_LS = 0xF7
_CORRUPT = re.compile(r"(Corrupt JPEG data|Premature end)[^\n]*")
_SURPLUS = re.compile(r"non-conformant padding - (\d+) vs\. (\d+) bytes")
_CUT = "A frame is damaged: its data end before the picture does. It is not shown."
_TOO_LONG = "A frame is damaged: it holds more than its rows and columns. It is not shown."


def frame(data: bytes, syntax: UID, options: dict[str, Any]) -> Values:
    """[H, W] or [H, W, 3], with the samples as they are coded; a component transform of JPEG 2000 is undone.

    Raises Refused where a decoder had to make something up, and whatever decoders raise.
    """
    _check_picture(data, options)
    found = jpeg.facts(data)
    if found is not None and found.process != _JPEG_LS:
        return _jpeg(data, found, syntax, options)
    if syntax in JPEG2000TransferSyntaxes:
        data = _whole(data)
    elif syntax in JPEGLSTransferSyntaxes and jpeg.EOI not in data[-4:]:
        return _jpeg_ls_without_end(data, syntax, options)
    return _by_pydicom(data, syntax, options)


def _check_picture(data: bytes, options: dict[str, Any]) -> None:
    """Decoders differ in what they make of a frame of another size or other samples, and some end their process."""
    held = compressed.picture(data)
    if held is None:
        return
    if (held.rows, held.columns) != (options["rows"], options["columns"]):
        raise Refused("undecodable", f"The picture inside a frame has {held.columns} x {held.rows} pixels: not shown.")
    if held.samples != options["samples_per_pixel"]:
        raise Refused("undecodable", f"The picture inside a frame has {held.samples} samples to a pixel: not shown.")


def _jpeg_ls_without_end(data: bytes, syntax: UID, options: dict[str, Any]) -> Values:
    """Its decoder takes nothing in front of the end that it has not encoded: not the byte that makes lengths even."""
    try:
        return _by_pydicom(data + jpeg.EOI, syntax, options)
    except RuntimeError:
        return _by_pydicom(data.removesuffix(b"\0") + jpeg.EOI, syntax, options)


def _whole(data: bytes) -> bytes:
    whole = jpeg2000.whole(data)
    if whole is None:
        raise Refused("undecodable", _CUT)
    return whole


def _jpeg(data: bytes, found: jpeg.Facts, syntax: UID, options: dict[str, Any]) -> Values:
    if found.of_eight_bits:
        return jpeg.decode(data, found)
    # pydicom refuses twelve bits under the name of the lossy syntax; GDCM decodes by what the stream says.
    return _by_pydicom(jpeg.plain(data, found), syntax if found.precision == 8 else JPEGLossless, options)


def _by_pydicom(data: bytes, syntax: UID, options: dict[str, Any]) -> Values:
    """The frame in a file of its own: the tables of the real one tell of frames that are gone, or know of no others."""
    alone = {**options, "number_of_frames": 1, "transfer_syntax_uid": syntax}
    alone.pop("extended_offsets", None)
    if len(data) % 2:
        data += b"\0"
    with _complaints() as complaints, warnings.catch_warnings(record=True) as surplus:
        warnings.simplefilter("always")
        array, _ = get_decoder(syntax).as_array(io.BytesIO(encapsulate([data])), index=0, raw=True, **alone)
    complaint = _CORRUPT.search(complaints[0])
    if complaint and not jpeg.is_padding(complaint[0]):
        raise Refused("undecodable", jpeg.why_damaged(complaint[0]))
    if syntax == RLELossless and any(_is_surplus(str(each.message), array) for each in surplus):
        raise Refused("undecodable", _TOO_LONG)
    return array


def _is_surplus(message: str, array: Values) -> bool:
    """More than a row beyond the picture: its sides are others than the header says."""
    match = _SURPLUS.search(message)
    return match is not None and int(match[1]) - int(match[2]) >= array.shape[1]


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """What decoders written in C write to standard error, of which GDCM tells nothing else."""
    heard: list[str] = []
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    before = os.dup(_STDERR)
    os.dup2(writing, _STDERR)
    try:
        yield heard
    finally:
        os.dup2(before, _STDERR)
        os.close(before)
        os.close(writing)
        heard.append(_read(reading))
        os.close(reading)


def _read(reading: int) -> str:
    try:
        return os.read(reading, _HEARD).decode("ascii", "replace")
    except BlockingIOError:
        return ""


def stored(array: Values, *, shift: int, bits: int, signed: bool) -> Values:
    """The bits that are stored of each value, whatever else its word holds, with their sign."""
    width = 8 * array.dtype.itemsize
    if shift == 0 and bits == width:
        return array
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    left = (array.view(np.dtype(f"u{array.dtype.itemsize}")) << (width - bits - shift)).view(
        np.dtype(f"{'i' if signed else 'u'}{array.dtype.itemsize}")
    )
    return left >> (width - bits)
