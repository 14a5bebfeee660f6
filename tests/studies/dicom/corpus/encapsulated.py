"""Families of files whose pixels are compressed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
from pydicom.uid import (
    JPEG2000,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from tests.studies.dicom.corpus import encoders
from tests.studies.dicom.corpus.cells import (
    COLUMNS,
    FRAMES,
    ROWS,
    Array,
    Cell,
    Tables,
    compressed,
    noise,
    rgb_of,
    smooth,
    spread,
    ybr_of,
)
from tests.studies.dicom.corpus.native import as_shown

HTJ2K = "1.2.840.10008.1.2.4.203"
DEPTHS = ((8, 8), (16, 10), (16, 12), (16, 16))
TABLES: tuple[Tables, ...] = ("basic", "none", "extended", "fragments", "fragments-basic")


def _masked(values: Array, stored: int) -> Array:
    return values & ((1 << stored) - 1)


def rle() -> Iterator[Cell]:
    for bits, signed, frames in product(((8, 8), (16, 8), (16, 12), (16, 16)), (False, True), FRAMES):
        values = noise(frames, ROWS, COLUMNS, bits=bits[1], signed=signed)
        streams = [encoders.rle(frame, bits[0]) for frame in _masked(values, bits[1])]
        made = compressed(streams, values.shape, RLELossless, bits=bits, signed=signed)
        truth = as_shown(values, bits[1], signed=signed)
        yield Cell(f"{bits[1]} in {bits[0]} {signed} x{frames}", made, truth, None, 1)
    for photometric, planar, frames in product(("RGB", "YBR_FULL"), (0, 1), FRAMES):
        values = noise(frames, ROWS, COLUMNS, 3)
        streams = [encoders.rle(frame, 8) for frame in values]
        made = compressed(streams, values.shape, RLELossless, photometric=photometric, PlanarConfiguration=planar)
        yield _colour(f"{photometric} {planar} x{frames}", made, values, photometric)
    values = noise(2, ROWS, COLUMNS, 3, bits=16)
    streams = [encoders.rle(frame, 16) for frame in values]
    made = compressed(streams, values.shape, RLELossless, photometric="RGB", bits=(16, 16))
    yield Cell("RGB of 16 bits", made, (values >> 8).astype(np.uint8))
    for tables in ("none", "extended"):
        values = noise(3, 11, 15)
        streams = [encoders.rle(frame, 8) for frame in values]
        made = compressed(streams, values.shape, RLELossless, tables=tables)
        yield Cell(f"15x11 {tables}", made, values.astype(np.uint8))


def _colour(name: str, made: bytes, values: Array, photometric: str) -> Cell:
    if photometric.startswith("YBR_FULL"):
        return Cell(name, made, rgb_of(values), values[..., 0], tolerance=1)
    return Cell(name, made, values.astype(np.uint8))


def lossless_jpeg() -> Iterator[Cell]:
    cases = [(JPEGLosslessSV1, 1), *((JPEGLossless, predictor) for predictor in (1, 2, 4, 7))]
    for (syntax, predictor), bits, frames in product(cases, ((8, 8), (16, 10), (16, 12), (16, 16)), FRAMES):
        values = noise(frames, ROWS, COLUMNS, bits=bits[1])
        streams = [encoders.lossless(frame, bits[1], predictor) for frame in values]
        made = compressed(streams, values.shape, syntax, bits=bits)
        yield Cell(f"{syntax} {predictor} {bits[1]} x{frames}", made, as_shown(values, bits[1]), None, 1)
    markers = ("none", "JFIF", "Adobe")
    for photometric, syntax, planar, marker in product(
        ("RGB", "YBR_FULL"), (JPEGLosslessSV1, JPEGLossless), (0, 1), markers
    ):
        values = noise(2, ROWS, COLUMNS, 3)
        streams = [encoders.lossless(frame, 8, marker=marker) for frame in values]
        made = compressed(streams, values.shape, syntax, photometric=photometric, PlanarConfiguration=planar)
        cell = _colour(f"{syntax} {photometric} planar {planar} {marker}", made, values, photometric)
        # The standard has the header decide; a marker that says otherwise is named.
        contradicted = (marker, photometric) in (("Adobe", "YBR_FULL"), ("JFIF", "RGB"))
        yield replace(cell, verdict="said", word="as the header says") if contradicted else cell
    for stored in (12, 16):
        values = noise(2, ROWS, COLUMNS, bits=stored, signed=True)
        streams = [encoders.lossless(frame, stored) for frame in _masked(values, stored)]
        made = compressed(streams, values.shape, JPEGLosslessSV1, bits=(16, stored), signed=True)
        yield Cell(f"signed {stored}", made, spread(values), None, 1)


def jpeg_ls() -> Iterator[Cell]:
    for bits, frames in product(((8, 8), (8, 7), (8, 6), *DEPTHS[1:]), FRAMES):
        values = noise(frames, ROWS, COLUMNS, bits=bits[1])
        streams = [encoders.jls(frame, bits[1]) for frame in values]
        made = compressed(streams, values.shape, JPEGLSLossless, bits=bits)
        yield Cell(f"{bits[1]} x{frames}", made, as_shown(values, bits[1]), None, 1)
    for photometric, planar, interleave in product(("RGB", "YBR_FULL"), (0, 1), (0, 1, 2)):
        values = noise(2, ROWS, COLUMNS, 3)
        # Without interleaving the encoder takes one plane after another.
        laid = values.transpose(0, 3, 1, 2) if interleave == 0 else values
        streams = [encoders.jls(frame, 8, 0, interleave) for frame in laid]
        made = compressed(streams, values.shape, JPEGLSLossless, photometric=photometric, PlanarConfiguration=planar)
        yield _colour(f"{photometric} planar {planar} interleaved {interleave}", made, values, photometric)
    for near, bits in product((1, 3), ((8, 8), (16, 12))):
        values = noise(2, ROWS, COLUMNS, bits=bits[1])
        streams = [encoders.jls(frame, bits[1], near) for frame in values]
        made = compressed(streams, values.shape, JPEGLSNearLossless, bits=bits)
        yield Cell(f"near {near} {bits[1]}", made, as_shown(values, bits[1]), None, near + 1, second="dcmdjpls")
    values = noise(2, ROWS, COLUMNS, bits=12, signed=True)
    streams = [encoders.jls(frame, 12) for frame in _masked(values, 12)]
    yield Cell(
        "signed 12",
        compressed(streams, values.shape, JPEGLSLossless, bits=(16, 12), signed=True),
        spread(values),
        None,
        1,
    )


def jpeg_2000() -> Iterator[Cell]:
    for bits, boxed, frames in product(((8, 8), (8, 6), *DEPTHS[1:]), (False, True), FRAMES):
        values = noise(frames, ROWS, COLUMNS, bits=bits[1])
        streams = [encoders.j2k(frame, bits[1], boxed=boxed) for frame in values]
        made = compressed(streams, values.shape, JPEG2000Lossless, bits=bits)
        yield Cell(f"{bits[1]} {boxed} x{frames}", made, as_shown(values, bits[1]), None, 1)
    colours = (
        ("RGB", False),
        ("YBR_RCT", True),
        ("YBR_FULL", False),
        ("RGB", True),
        ("YBR_FULL", True),
        ("YBR_FULL_422", True),
    )
    for (photometric, transformed), boxed, frames in product(colours, (False, True), FRAMES):
        values = noise(frames, ROWS, COLUMNS, 3)
        streams = [encoders.j2k(frame, 8, boxed=boxed, mct=transformed) for frame in values]
        made = compressed(streams, values.shape, JPEG2000Lossless, photometric=photometric)
        name = f"{photometric} transformed {transformed} {boxed} x{frames}"
        contradicted = transformed and photometric.startswith("YBR_FULL")
        cell = _colour(name, made, values, "RGB" if transformed else photometric)
        yield Cell(name, made, cell.shown, cell.grey, cell.tolerance, "said" if contradicted else "right")
    for photometric, bits in product(("MONOCHROME2", "RGB", "YBR_ICT"), ((8, 8), (16, 12))):
        colour = photometric != "MONOCHROME2"
        if colour and bits[0] == 16:
            continue
        picture = smooth(2, colour=colour)
        values = picture.astype(int) << bits[1] - 8
        options: dict[str, Any] = {"level": 55, "reversible": False, "mct": photometric == "YBR_ICT"}
        streams = [encoders.j2k(frame, bits[1], **options) for frame in values]
        made = compressed(streams, values.shape, JPEG2000, photometric=photometric, bits=bits)
        truth = picture if bits[1] == 8 else spread(values)
        second = "opj_decompress" if bits[1] == 8 else ""
        yield Cell(f"lossy {photometric} {bits[1]}", made, truth, None, 5, second=second)
    for stored in (12, 16):
        values = noise(2, ROWS, COLUMNS, bits=stored, signed=True)
        streams = [encoders.j2k(frame, stored) for frame in _masked(values, stored)]
        made = compressed(streams, values.shape, JPEG2000Lossless, bits=(16, stored), signed=True)
        yield Cell(f"signed {stored} in an unsigned stream", made, spread(values), None, 1)
    values = noise(1, 40, 40)
    cases: dict[str, dict[str, Any]] = {
        "tiles": {"tile_size": (16, 16)},
        "tiles and layers": {"tile_size": (32, 16), "quality_layers": [20, 5, 0]},
        **{order: {"progression": order, "num_resolutions": 3} for order in ("LRCP", "RLCP", "RPCL", "PCRL", "CPRL")},
    }
    for name, case in cases.items():
        stream = encoders.pillow_j2k(values[0], **case)
        yield Cell(name, compressed([stream], values.shape, JPEG2000Lossless), values.astype(np.uint8))


def high_throughput() -> Iterator[Cell]:
    for syntax, bits, frames in product(
        (HTJ2KLossless, HTJ2KLosslessRPCL, HTJ2K), ((8, 8), (16, 12), (16, 16)), FRAMES
    ):
        values = noise(frames, ROWS, COLUMNS, bits=bits[1])
        streams = [encoders.htj2k(frame, bits[1]) for frame in values]
        made = compressed(streams, values.shape, syntax, bits=bits)
        yield Cell(f"{syntax} {bits[1]} x{frames}", made, as_shown(values, bits[1]), None, 1)
    for syntax, photometric in product((HTJ2KLossless, HTJ2K), ("RGB", "YBR_RCT")):
        values = noise(2, ROWS, COLUMNS, 3)
        streams = [encoders.htj2k(frame, 8, rgb=photometric == "YBR_RCT") for frame in values]
        made = compressed(streams, values.shape, syntax, photometric=photometric)
        yield Cell(f"{syntax} {photometric}", made, values.astype(np.uint8))


def baseline_jpeg() -> Iterator[Cell]:
    cases = product(("4:4:4", "4:2:2", "4:2:0"), ("JFIF", "Adobe", "none"), ("YBR_FULL_422", "YBR_FULL", "RGB"), FRAMES)
    for sampling, marker, photometric, frames in cases:
        if (sampling, marker, photometric) == ("4:4:4", "none", "RGB"):
            continue  # nothing tells that the header is wrong
        picture = smooth(frames, colour=True)
        streams = [encoders.jpeg(frame, sampling=sampling, marker=marker) for frame in picture]
        made = compressed(streams, picture.shape, JPEGBaseline8Bit, photometric=photometric)
        name = f"{sampling} {marker} {photometric} x{frames}"
        if photometric == "RGB":
            yield Cell(name, made, picture, None, 10, "said", "YBR_FULL")
        else:
            yield Cell(name, made, picture, None, 10, second="dcmdjpeg")
    for marker, named, photometric in product(("Adobe", "none"), (False, True), ("RGB", "YBR_FULL")):
        picture = smooth(2, colour=True)
        streams = [encoders.rgb_jpeg(frame, marker=marker, named=named) for frame in picture]
        made = compressed(streams, picture.shape, JPEGBaseline8Bit, photometric=photometric)
        known = marker == "Adobe" or named or photometric == "RGB"
        if known:
            yield Cell(
                f"RGB {marker} {named} {photometric}",
                made,
                picture,
                None,
                6,
                "right" if photometric == "RGB" else "said",
            )
    for photometric, marker, frames in product(("MONOCHROME2", "MONOCHROME1"), ("JFIF", "none"), FRAMES):
        picture = smooth(frames)
        streams = [encoders.jpeg(frame, marker=marker) for frame in picture]
        made = compressed(streams, picture.shape, JPEGBaseline8Bit, photometric=photometric)
        yield Cell(
            f"{photometric} {marker} x{frames}",
            made,
            picture if photometric[-1] == "2" else 255 - picture,
            None,
            3,
            second="dcmdjpeg",
        )
    others: dict[str, dict[str, Any]] = {"progressive": {"progressive": True}, "restarts": {"restart_marker_blocks": 1}}
    for name, options in others.items():
        picture = smooth(2, colour=True)
        streams = [encoders.jpeg(frame, **options) for frame in picture]
        made = compressed(streams, picture.shape, JPEGBaseline8Bit, photometric="YBR_FULL")
        yield Cell(name, made, picture, None, 6, second="dcmdjpeg")


def extended_jpeg() -> Iterator[Cell]:
    for frames, photometric in product(FRAMES, ("MONOCHROME2", "MONOCHROME1")):
        values = smooth(frames).astype(int) << 4
        streams = [encoders.extended(frame) for frame in values]
        made = compressed(streams, values.shape, JPEGExtended12Bit, bits=(16, 12), photometric=photometric)
        truth = spread(values)
        yield Cell(
            f"12 {photometric} x{frames}",
            made,
            truth if photometric[-1] == "2" else 255 - truth,
            None,
            3,
            second="dcmdjpeg",
        )
        picture = smooth(frames)
        made = compressed(
            [encoders.jpeg(frame) for frame in picture], picture.shape, JPEGExtended12Bit, photometric=photometric
        )
        yield Cell(
            f"8 {photometric} x{frames}",
            made,
            picture if photometric[-1] == "2" else 255 - picture,
            None,
            3,
            second="dcmdjpeg",
        )
    picture = smooth(2, colour=True)
    for marker in ("JFIF", "none"):
        streams = [encoders.jpeg(frame, marker=marker) for frame in picture]
        made = compressed(streams, picture.shape, JPEGExtended12Bit, photometric="YBR_FULL")
        yield Cell(f"8 YBR_FULL {marker}", made, picture, None, 6, second="dcmdjpeg")


def offset_tables() -> Iterator[Cell]:
    values, picture = noise(3, ROWS, COLUMNS), smooth(3)
    kinds = {
        JPEGBaseline8Bit: [encoders.jpeg(frame) for frame in picture],
        JPEGLosslessSV1: [encoders.lossless(frame, 8) for frame in values],
        JPEGLSLossless: [encoders.jls(frame, 8) for frame in values],
        JPEG2000Lossless: [encoders.j2k(frame, 8) for frame in values],
        HTJ2KLossless: [encoders.htj2k(frame, 8) for frame in values],
        RLELossless: [encoders.rle(frame, 8) for frame in values],
    }
    for (syntax, streams), tables in product(kinds.items(), TABLES):
        if syntax == RLELossless and tables.startswith("fragments"):
            continue
        made = compressed(streams, values.shape, syntax, tables=tables)
        truth = picture if syntax == JPEGBaseline8Bit else values.astype(np.uint8)
        yield Cell(f"{syntax} {tables}", made, truth, None, 3)
    for syntax, streams in kinds.items():
        truth = picture if syntax == JPEGBaseline8Bit else values.astype(np.uint8)
        for count in (1, None):
            made = compressed(streams, values.shape, syntax, tables="none", NumberOfFrames=count)
            yield Cell(f"{syntax} counted {count}", made, truth, None, 3, "said", "all of them")
        padded = [stream + b"\0" * (2 - len(stream) % 2) for stream in streams]
        yield Cell(f"{syntax} padded", compressed(padded, values.shape, syntax), truth, None, 3)


FAMILIES = {
    "RLE": rle,
    "lossless JPEG": lossless_jpeg,
    "JPEG-LS": jpeg_ls,
    "JPEG 2000": jpeg_2000,
    "high-throughput JPEG 2000": high_throughput,
    "baseline JPEG": baseline_jpeg,
    "extended JPEG": extended_jpeg,
    "offset tables": offset_tables,
}

__all__ = ["FAMILIES", "ybr_of"]
