"""Families of files whose pixels are not compressed, RLE and deflated ones among them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from tests.studies.dicom.corpus.cells import (
    COLUMNS,
    FRAMES,
    ROWS,
    Array,
    Cell,
    file,
    in_bytes,
    noise,
    rgb_of,
    smooth,
    spread,
    words,
    ybr_of,
)

SYNTAXES = {
    "implicit": ImplicitVRLittleEndian,
    "explicit": ExplicitVRLittleEndian,
    "big-endian": ExplicitVRBigEndian,
    "deflated": DeflatedExplicitVRLittleEndian,
}
DEPTHS = ((8, 8), (8, 7), (8, 6), (16, 8), (16, 10), (16, 12), (16, 14), (16, 16))
_DEEP: dict[str, Any] = {"bits": (16, 12)}


def as_shown(values: Array, stored: int, *, signed: bool = False) -> Array:
    """Eight bits and fewer fill the screen's range as they stand; deeper and signed ones lie on one scale."""
    if stored <= 8 and not signed:
        return in_bytes(values / ((1 << stored) - 1))
    return spread(values)


def greys() -> Iterator[Cell]:
    for (name, syntax), bits, signed, frames in product(SYNTAXES.items(), DEPTHS, (False, True), FRAMES):
        values = noise(frames, ROWS, COLUMNS, bits=bits[1], signed=signed)
        data = _masked(values, bits[1])
        made = file(words(data, bits[0], syntax), values.shape, syntax=syntax, bits=bits, signed=signed)
        sign = "signed" if signed else "unsigned"
        yield Cell(
            f"{name} {bits[1]} in {bits[0]} {sign} x{frames}", made, as_shown(values, bits[1], signed=signed), None, 1
        )


def _masked(values: Array, stored: int) -> Array:
    """Of signed values, the bits that are stored."""
    return values & ((1 << stored) - 1)


def inverted_greys() -> Iterator[Cell]:
    for bits, signed, frames in product(DEPTHS[::2], (False, True), FRAMES):
        values = noise(frames, ROWS, COLUMNS, bits=bits[1], signed=signed)
        data = words(_masked(values, bits[1]), bits[0])
        made = file(data, values.shape, photometric="MONOCHROME1", bits=bits, signed=signed)
        truth = 255 - as_shown(values, bits[1], signed=signed)
        yield Cell(f"inverted {bits[1]} in {bits[0]} {signed} x{frames}", made, truth, None, 1)


def high_bits() -> Iterator[Cell]:
    """What lies above the bits that are stored is no part of the picture: overlays, or a sign written too far."""
    for (name, syntax), (allocated, stored), signed in product(
        SYNTAXES.items(), ((16, 12), (16, 10), (8, 7)), (False, True)
    ):
        values = noise(2, ROWS, COLUMNS, bits=stored, signed=signed)
        above = noise(2, ROWS, COLUMNS, bits=allocated - stored, seed=2) << stored
        data = words(_masked(values, stored) | above, allocated, syntax)
        made = file(data, values.shape, syntax=syntax, bits=(allocated, stored), signed=signed)
        yield Cell(f"{name} {stored} in {allocated} {signed}", made, as_shown(values, stored, signed=signed), None, 1)
    for name in ("explicit", "big-endian"):
        values = noise(2, ROWS, COLUMNS, bits=12)
        data = words(values << 4, 16, SYNTAXES[name])
        made = file(data, values.shape, syntax=SYNTAXES[name], **_DEEP, HighBit=15)
        yield Cell(f"{name} 12 in the high bits of 16", made, spread(values), None, 1)


def single_bits() -> Iterator[Cell]:
    sides = ((ROWS, COLUMNS), (11, 15))
    for name, (rows, columns), frames in product(("implicit", "explicit", "deflated"), sides, FRAMES):
        values = noise(frames, rows, columns, bits=1)
        data = np.packbits(values.astype(np.uint8).ravel(), bitorder="little").tobytes()
        made = file(data, values.shape, syntax=SYNTAXES[name], bits=(1, 1))
        yield Cell(f"{name} {columns}x{rows} x{frames}", made, (values * 255).astype(np.uint8))


def odd_lengths() -> Iterator[Cell]:
    for (name, syntax), frames, colour in product(SYNTAXES.items(), FRAMES, (False, True)):
        values = noise(frames, 11, 15, *((3,) if colour else ()))
        photometric = "RGB" if colour else "MONOCHROME2"
        made = file(words(values, 8), values.shape, syntax=syntax, photometric=photometric)
        yield Cell(f"{name} {photometric} x{frames}", made, values.astype(np.uint8))


def colours() -> Iterator[Cell]:
    for (name, syntax), photometric, planar, frames in product(SYNTAXES.items(), ("RGB", "YBR_FULL"), (0, 1), FRAMES):
        values = noise(frames, ROWS, COLUMNS, 3)
        data = values.transpose(0, 3, 1, 2) if planar else values
        made = file(words(data, 8), values.shape, syntax=syntax, photometric=photometric, PlanarConfiguration=planar)
        yield _colour_cell(f"{name} {photometric} planar {planar} x{frames}", made, values, photometric)
    for name, stored, planar in product(("explicit", "big-endian"), (10, 12, 16), (0, 1)):
        values = noise(2, ROWS, COLUMNS, 3, bits=stored)
        data = values.transpose(0, 3, 1, 2) if planar else values
        syntax = SYNTAXES[name]
        facts: dict[str, Any] = {"syntax": syntax, "bits": (16, stored), "PlanarConfiguration": planar}
        made = file(words(data, 16, syntax), values.shape, photometric="RGB", **facts)
        yield Cell(f"{name} RGB {stored} in 16 planar {planar}", made, (values >> stored - 8).astype(np.uint8))


def _colour_cell(name: str, made: bytes, values: Array, photometric: str) -> Cell:
    if photometric == "RGB":
        return Cell(name, made, values.astype(np.uint8))
    return Cell(name, made, rgb_of(values), values[..., 0], tolerance=1)


def halved_colours() -> Iterator[Cell]:
    """4:2:2 lies as two of luma and one of each difference; PS3.3 has no other order (C.7.6.3.1.2)."""
    for (name, syntax), frames in product(SYNTAXES.items(), FRAMES):
        values = noise(frames, ROWS, COLUMNS, 3)
        values[:, :, 1::2, 1:] = values[:, :, ::2, 1:]
        luma, blue, red = values[..., 0], values[:, :, ::2, 1], values[:, :, ::2, 2]
        data = np.stack([luma[:, :, ::2], luma[:, :, 1::2], blue, red], axis=-1)
        made = file(words(data, 8), values.shape, syntax=syntax, photometric="YBR_FULL_422")
        yield _colour_cell(f"{name} 4:2:2 x{frames}", made, values, "YBR_FULL")
        made = file(words(values, 8), values.shape, syntax=syntax, photometric="YBR_FULL_422")
        whole = _colour_cell(f"{name} whole under 4:2:2 x{frames}", made, values, "YBR_FULL")
        yield Cell(whole.name, made, whole.shown, whole.grey, 1, "said", "colours of their own")


def odd_photometrics() -> Iterator[Cell]:
    """Retired, unknown, missing ones, and ones that cannot be true of the samples."""
    for photometric, samples in (("ARGB", 4), ("CMYK", 4), ("HSV", 3), ("YBR_SOMETHING", 3), ("CIELAB", 3)):
        values = noise(1, ROWS, COLUMNS, samples)
        made = file(words(values, 8), values.shape, photometric=photometric)
        yield Cell(f"{photometric} of {samples}", made, verdict="kept", word=photometric)
    grey, rgb = noise(2, ROWS, COLUMNS), noise(2, ROWS, COLUMNS, 3)
    of_one: tuple[str | None, ...] = (None, "RGB", "YBR_FULL", "GREY")
    for named in of_one:
        made = file(words(grey, 8), grey.shape, photometric=named)
        yield Cell(f"{named} of 1 sample", made, grey.astype(np.uint8), verdict="said", word="one sample")
    of_three: tuple[str | None, ...] = (None, "MONOCHROME2", "PALETTE COLOR")
    for named in of_three:
        made = file(words(rgb, 8), rgb.shape, photometric=named)
        yield Cell(f"{named} of 3 samples", made, rgb.astype(np.uint8), verdict="said", word="three samples")
    for written in ("rgb", "Monochrome2", "MONOCHROME2 "):
        values = rgb if written == "rgb" else grey
        yield Cell(
            f"written {written!r}", file(words(values, 8), values.shape, photometric=written), values.astype(np.uint8)
        )


def windows() -> Iterator[Cell]:
    shapes = ("", "LINEAR", "LINEAR_EXACT", "SIGMOID")
    for shape, stored, signed, slope in product(shapes, (12, 16), (False, True), (None, 2.5)):
        values = noise(2, ROWS, COLUMNS, bits=stored, signed=signed)
        centre, width = (-300.0, 900.0) if signed else (1800.0, 1500.0)
        facts: dict[str, Any] = {"VOILUTFunction": shape or None, "WindowCenter": centre, "WindowWidth": width}
        if slope:
            facts |= {"RescaleSlope": slope, "RescaleIntercept": -100}
        data = words(_masked(values, stored), 16)
        for photometric in ("MONOCHROME2", "MONOCHROME1"):
            made = file(data, values.shape, bits=(16, stored), signed=signed, photometric=photometric, **facts)
            truth = windowed(values * (slope or 1) - (100 if slope else 0), centre, width, shape)
            name = f"{shape or 'none'} {stored} {signed} {slope} {photometric}"
            yield Cell(name, made, truth if photometric == "MONOCHROME2" else 255 - truth, None, 1)


def windowed(values: Array, centre: float, width: float, shape: str) -> Array:
    """PS3.3, C.11.2.1.2 and C.11.2.1.3, with a range from 0 to 255."""
    if shape == "SIGMOID":
        return in_bytes(1 / (1 + np.exp(-4 * (values - centre) / width)))
    if shape == "LINEAR_EXACT":
        return in_bytes((values - centre) / width + 0.5)
    below, above = values <= centre - 0.5 - (width - 1) / 2, values > centre - 0.5 + (width - 1) / 2
    between = ((values - (centre - 0.5)) / max(width - 1, 1e-9) + 0.5) * 255
    grey: Array = np.rint(np.select([below, above], [0, 255], between)).astype(np.uint8)
    return grey


def sloppy_windows() -> Iterator[Cell]:
    values = noise(2, ROWS, COLUMNS, bits=12)
    data = words(values, 16)
    made = file(data, values.shape, **_DEEP, WindowCenter=2000, WindowWidth=1)
    yield Cell("width 1", made, windowed(values, 2000, 1, ""))
    made = file(data, values.shape, **_DEEP, WindowCenter=[2000, 100], WindowWidth=[1000, 50])
    yield Cell("two windows", made, windowed(values, 2000, 1000, ""), None, 1)
    for width in (0, 0.5, -20):
        made = file(data, values.shape, **_DEEP, WindowCenter=2000, WindowWidth=width)
        yield Cell(f"width {width}", made, spread(values), None, 1, "said", "window")
    made = file(data, values.shape, **_DEEP, WindowCenter=2000, WindowWidth=0.5, VOILUTFunction="LINEAR_EXACT")
    yield Cell("exact width 0.5", made, windowed(values, 2000, 0.5, "LINEAR_EXACT"), None, 1)
    made = file(data, values.shape, **_DEEP, WindowCenter=2000, WindowWidth=None)
    yield Cell("no width", made, spread(values), None, 1)
    made = file(data, values.shape, **_DEEP, RescaleSlope=0, RescaleIntercept=0)
    yield Cell("slope 0", made, spread(values), None, 1)
    shallow = noise(2, ROWS, COLUMNS)
    made = file(words(shallow, 8), shallow.shape, WindowCenter=60, WindowWidth=50)
    yield Cell("8 bits", made, shallow.astype(np.uint8), verdict="said", word="window")
    for centre, width in ((127.5, 255), (128, 256), (127, 256)):
        made = file(words(shallow, 8), shallow.shape, WindowCenter=centre, WindowWidth=width)
        yield Cell(f"8 bits, {centre}/{width}", made, shallow.astype(np.uint8))


def table(entries: Array, first: int, bits: int, *, big: bool = False) -> Dataset:
    """An item of a sequence of lookup tables, whose entries are written as words of the file."""
    item = Dataset()
    item.add_new("LUTDescriptor", "SS" if first < 0 else "US", [len(entries) % 65536, first, bits])
    item.add_new("LUTData", "OW", entries.astype(">u2" if big else "<u2").tobytes())
    return item


def looked_up(values: Array, entries: Array, first: int) -> Array:
    """PS3.3, C.11.2.1.1: values outside the table take its first or its last entry."""
    found: Array = entries[np.clip(np.rint(values).astype(int) - first, 0, len(entries) - 1)]
    return found


def tables() -> Iterator[Cell]:
    for (name, syntax), bits, count in product(SYNTAXES.items(), (8, 12, 16), (256, 4096)):
        values = noise(2, ROWS, COLUMNS, bits=12)
        first = 100 if count == 256 else 0
        entries = np.rint(np.linspace(0, 1, count) ** 2 * ((1 << bits) - 1)).astype(int)
        item = table(entries, first, bits, big=name == "big-endian")
        made = file(words(values, 16, syntax), values.shape, syntax=syntax, **_DEEP, VOILUTSequence=[item])
        truth = in_bytes(looked_up(values, entries, first) / ((1 << bits) - 1))
        yield Cell(f"{name} VOI {bits} {count}", made, truth, None, 1)
        if bits == 8:
            pairs = entries[::2] | entries[1::2] << 8
            item.LUTData = pairs.astype(">u2" if name == "big-endian" else "<u2").tobytes()
            made = file(words(values, 16, syntax), values.shape, syntax=syntax, **_DEEP, VOILUTSequence=[item])
            yield Cell(f"{name} VOI {bits} {count}, two in a word", made, truth, None, 1)
    for name, syntax in SYNTAXES.items():
        values = noise(2, ROWS, COLUMNS, bits=12)
        entries = np.rint(np.sqrt(np.arange(4096) / 4095) * 65535).astype(int)
        item = table(entries, 0, 16, big=name == "big-endian")
        item.ModalityLUTType = "US"
        facts: dict[str, Any] = {"syntax": syntax, **_DEEP, "ModalityLUTSequence": [item]}
        made = file(words(values, 16, syntax), values.shape, **facts)
        meant = looked_up(values, entries, 0)
        yield Cell(f"{name} modality", made, spread(meant), None, 1)
        made = file(words(values, 16, syntax), values.shape, **facts, WindowCenter=30000, WindowWidth=20000)
        yield Cell(f"{name} modality and window", made, windowed(meant, 30000, 20000, ""), None, 1)


def paddings() -> Iterator[Cell]:
    """Padding says nothing of the picture: it is outside the scale of the others (PS3.3, C.7.5.1.1.2)."""
    for name, signed, limit in product(("explicit", "big-endian"), (False, True), (None, 40)):
        syntax = SYNTAXES[name]
        values = noise(2, ROWS, COLUMNS, bits=11, seed=3) + 500
        padding = -30000 if signed else 0
        padded = values.copy()
        padded[:, :2] = padding
        if limit:
            padded[:, 0] = padding + limit
        facts: dict[str, Any] = {
            "PixelPaddingValue": padding,
            "PixelPaddingRangeLimit": padding + limit if limit else None,
        }
        made = file(
            words(padded & 0xFFFF, 16, syntax), values.shape, syntax=syntax, bits=(16, 16), signed=signed, **facts
        )
        kept = np.delete(padded, [0, 1], axis=1)
        low, high = kept.min(), kept.max()
        yield Cell(f"{name} {signed} {limit}", made, in_bytes((padded - low) / (high - low)), None, 1)


def sloppy_headers() -> Iterator[Cell]:
    values = noise(2, ROWS, COLUMNS)
    data, shown = words(values, 8), values.astype(np.uint8)
    yield Cell("no Bits Stored", file(data, values.shape, BitsStored=None), shown, verdict="said", word="taken as 8")
    yield Cell("no High Bit", file(data, values.shape, HighBit=None), shown)
    made = file(data, values.shape, PixelRepresentation=None)
    yield Cell("no Pixel Representation", made, shown, verdict="said", word="taken as without")
    yield Cell("12 of 8 bits", file(data, values.shape, BitsStored=12), shown, verdict="said", word="bits stored")
    yield Cell("no Samples", file(data, values.shape, SamplesPerPixel=None), shown)
    rgb = noise(2, ROWS, COLUMNS, 3)
    made = file(words(rgb, 8), rgb.shape, photometric="RGB", PlanarConfiguration=None)
    yield Cell("RGB without planar", made, rgb.astype(np.uint8))
    made = file(data + bytes(2), values.shape)
    yield Cell("a word too long", made, shown, verdict="said", word="2 bytes more")
    for count in (1, None, 0):
        made = file(data, values.shape, NumberOfFrames=count)
        yield Cell(f"{count} frames over two", made, shown, verdict="said", word="all of them")
    three = noise(3, ROWS, COLUMNS)
    made = file(words(three[:2], 8), three.shape)
    yield Cell("two of three frames", made, three[:2].astype(np.uint8), verdict="kept", word="2 of 3", only=(1, 2))


def oversized() -> Iterator[Cell]:
    """32 bits, and floating point, which is named."""
    values = noise(2, ROWS, COLUMNS, bits=20)
    for name in ("explicit", "big-endian", "implicit", "deflated"):
        made = file(words(values, 32, SYNTAXES[name]), values.shape, syntax=SYNTAXES[name], bits=(32, 20))
        yield Cell(f"{name} 20 in 32", made, spread(values), None, 1)


FAMILIES = {
    "greys": greys,
    "inverted greys": inverted_greys,
    "high bits": high_bits,
    "single bits": single_bits,
    "odd lengths": odd_lengths,
    "colours": colours,
    "halved colours": halved_colours,
    "odd photometrics": odd_photometrics,
    "windows": windows,
    "sloppy windows": sloppy_windows,
    "lookup tables": tables,
    "paddings": paddings,
    "sloppy headers": sloppy_headers,
    "32 bits": oversized,
}

__all__ = ["FAMILIES", "smooth", "ybr_of"]
