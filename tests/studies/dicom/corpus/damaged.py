"""Families of files that are cut, damaged, or have lengths and syntaxes that cannot be shown: kept, with a reason."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from tests.studies.dicom.corpus import encoders
from tests.studies.dicom.corpus.cells import Array, Cell, compressed, file, noise, smooth, words
from tests.studies.dicom.corpus.native import as_shown

ROWS, COLUMNS = 48, 64
_EOI = b"\xff\xd9"


def _streams() -> Iterator[tuple[str, list[bytes], Array, dict[str, Any]]]:
    """(syntax, frames, what they show, facts)"""
    values, deep = noise(2, ROWS, COLUMNS), noise(2, ROWS, COLUMNS, bits=12)
    picture = np.random.default_rng(4).integers(90, 130, (2, ROWS, COLUMNS)).astype(np.uint8)
    twelve: dict[str, Any] = {"bits": (16, 12)}
    yield JPEGBaseline8Bit, [encoders.jpeg(frame) for frame in picture], picture, {}
    yield (
        JPEGExtended12Bit,
        [encoders.extended(frame.astype(int) << 4) for frame in picture],
        picture.astype(int) << 4,
        twelve,
    )
    yield JPEGLosslessSV1, [encoders.lossless(frame, 8) for frame in values], values, {}
    yield JPEGLosslessSV1, [encoders.lossless(frame, 12) for frame in deep], deep, twelve
    yield JPEGLSLossless, [encoders.jls(frame, 8) for frame in values], values, {}
    yield JPEGLSLossless, [encoders.jls(frame, 12) for frame in deep], deep, twelve
    yield JPEG2000Lossless, [encoders.j2k(frame, 8) for frame in values], values, {}
    yield JPEG2000Lossless, [encoders.j2k(frame, 12) for frame in deep], deep, twelve
    yield HTJ2KLossless, [encoders.htj2k(frame, 8) for frame in values], values, {}
    yield RLELossless, [encoders.rle(frame, 8) for frame in values], values, {}


def _open_ended(stream: bytes) -> bytes:
    """The only part of the only tile does not say how long it is."""
    at = stream.index(b"\xff\x90") + 6
    return stream[:at] + bytes(4) + stream[at + 4 :]


def cut_frames() -> Iterator[Cell]:
    """The second frame ends early: in front of its end marker, in the middle, or in the middle with an end marker."""
    for (syntax, streams, shown, facts), where in product(_streams(), (0.5, 0.9)):
        part = streams[1][: int(len(streams[1]) * where)]
        for ending in (b"", _EOI):
            made = compressed([streams[0], part + ending], shown.shape, syntax, **facts)
            yield Cell(f"{syntax} {facts} {where} {ending!r}", made, verdict="kept", word="rame 2")


def unended_frames() -> Iterator[Cell]:
    """Everything is there but the end marker, or there is more behind it: the picture is whole."""
    for syntax, streams, values, facts in _streams():
        stored = 12 if facts else 8
        shown = as_shown(values, stored)
        for name, endings in {"padded": b"\0\0", "with garbage": b"\xff\xff\0abcdefgh"}.items():
            made = compressed([stream + endings for stream in streams], shown.shape, syntax, **facts)
            yield Cell(f"{syntax} {facts} {name}", made, shown, None, 5)
        if streams[0].endswith(_EOI):
            made = compressed([stream[:-2] for stream in streams], shown.shape, syntax, **facts)
            yield Cell(f"{syntax} {facts} without an end", made, shown, None, 5, "said", "end marker")
    values = noise(2, ROWS, COLUMNS)
    streams = [_open_ended(encoders.j2k(frame, 8)) for frame in values]
    for name, ending in {"padded": b"\0\0", "with garbage": b"\xff\xff\0abcdefgh"}.items():
        made = compressed([stream + ending for stream in streams], values.shape, JPEG2000Lossless)
        yield Cell(f"open-ended and {name}", made, values.astype(np.uint8))
    made = compressed([stream[: len(stream) // 2] for stream in streams], values.shape, JPEG2000Lossless)
    yield Cell("open-ended and cut", made, verdict="kept", word="rame 1")


def restart_markers() -> Iterator[Cell]:
    picture = smooth(2, rows=ROWS, columns=COLUMNS)
    streams = [encoders.jpeg(frame, restart_marker_blocks=2) for frame in picture]
    yield Cell("in order", compressed(streams, picture.shape, JPEGBaseline8Bit), picture, None, 3)
    swapped = streams[1].replace(b"\xff\xd1", b"\xff\xd5", 1)
    yield Cell(
        "out of order",
        compressed([streams[0], swapped], picture.shape, JPEGBaseline8Bit),
        verdict="kept",
        word="rame 2",
    )
    start, end = streams[1].index(b"\xff\xd2"), streams[1].index(b"\xff\xd4")
    gap = streams[1][:start] + streams[1][end:]
    yield Cell(
        "one is gone", compressed([streams[0], gap], picture.shape, JPEGBaseline8Bit), verdict="kept", word="rame 2"
    )


def run_lengths() -> Iterator[Cell]:
    values = noise(2, ROWS, COLUMNS)
    for name, rows in (("short", ROWS // 2), ("long", ROWS + 4)):
        other = encoders.rle(noise(rows, COLUMNS), 8)
        made = compressed([encoders.rle(values[0], 8), other], values.shape, RLELossless)
        yield Cell(f"a segment too {name}", made, verdict="kept", word="rame 2")


def lengths() -> Iterator[Cell]:
    """Lengths of the pixel element that cannot be."""
    values = noise(2, ROWS, COLUMNS)
    for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian):
        data = words(values, 8)
        made = file(data, values.shape, syntax=syntax)
        order = ">" if syntax == ExplicitVRBigEndian else "<"
        at = len(made) - len(data) - 4
        for length in (0xFFFFFFFE, len(data) + 1000, len(data) - 1000, 0):
            changed = made[:at] + struct.pack(f"{order}L", length) + made[at + 4 :]
            name = f"{syntax} {length}"
            if length > len(data):
                yield Cell(name, changed, values.astype(np.uint8), verdict="said", word="bytes")
            else:
                yield Cell(name, changed, verdict="kept", word="bytes")
    made = compressed([encoders.rle(values[0], 8)], (1, ROWS, COLUMNS), RLELossless)
    made = made.replace(b"OB\0\0\xff\xff\xff\xff", b"OB\0\0\xfe\xff\xff\xff")
    yield Cell("of fragments", made, values[:1].astype(np.uint8), verdict="said", word="fragments")


def deflated() -> Iterator[Cell]:
    values = noise(2, ROWS, COLUMNS)
    made = file(words(values, 8), values.shape, syntax=DeflatedExplicitVRLittleEndian)
    yield Cell("whole", made, values.astype(np.uint8))
    yield Cell("padded", made + b"\0", values.astype(np.uint8))
    yield Cell("cut in its pixels", made[:-1000], verdict="kept", word="deflated data end")
    yield Cell("cut in front of its pixels", made[:500], verdict="kept", word="deflated data end")


def unshown() -> Iterator[Cell]:
    """Syntaxes that nobody decodes here: video, and those that came later."""
    videos = {f"1.2.840.10008.1.2.4.{number}": "video" for number in range(100, 109)}
    later = {
        "1.2.840.10008.1.2.4.110": "XL",
        "1.2.840.10008.1.2.4.112": "XL",
        "1.2.840.10008.1.2.8.1": "Deflated Image Frame",
        "1.2.826.0.1.3680043.2.1": "private",
    }
    referenced = {"1.2.840.10008.1.2.4.94": "JPIP"}
    for syntax, word in (videos | later | referenced).items():
        # A name of equal length, for those that the writer does not know.
        made = compressed([bytes(range(200))], (25, ROWS, COLUMNS), "1.2.840.10008.1.2.4.100")
        yield Cell(
            syntax,
            made.replace(b"1.2.840.10008.1.2.4.100\0", syntax.ljust(24, "\0").encode()),
            verdict="kept",
            word=word,
        )
    stream = encoders.jpeg(smooth(1)[0])
    made = file(stream + b"\0" * (len(stream) % 2), (1, ROWS, COLUMNS))
    yield Cell("JPEG under an uncompressed syntax", made, verdict="kept", word="compressed")


FAMILIES = {
    "cut frames": cut_frames,
    "frames without an end": unended_frames,
    "restart markers": restart_markers,
    "run lengths": run_lengths,
    "impossible lengths": lengths,
    "damaged deflate": deflated,
    "syntaxes that are not shown": unshown,
}
