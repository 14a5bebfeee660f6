"""Families of files whose frames are other than their header says, and of elements that pictures do not follow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from tests.studies.dicom.corpus import encoders
from tests.studies.dicom.corpus.cells import (
    COLUMNS,
    ROWS,
    Array,
    Cell,
    compressed,
    file,
    noise,
    rgb_of,
    smooth,
    spread,
    words,
)
from tests.studies.dicom.corpus.native import table, windowed

Encode = Callable[[Array, int], bytes]
_ENCODERS: dict[str, Encode] = {
    JPEGLosslessSV1: encoders.lossless,
    JPEGLSLossless: encoders.jls,
    JPEG2000Lossless: encoders.j2k,
}


def depths() -> Iterator[Cell]:
    """Frames of fewer bits than the header says are those values; of more, they are not cut to what it says."""
    for (syntax, encode), held in product(_ENCODERS.items(), (8, 10)):
        values = noise(2, ROWS, COLUMNS, bits=held)
        made = compressed([encode(frame, held) for frame in values], values.shape, syntax, bits=(16, 12))
        yield Cell(f"{syntax} {held} under 12", made, spread(values), None, 1)
    for syntax, encode in _ENCODERS.items():
        values = noise(2, ROWS, COLUMNS, bits=12)
        made = compressed([encode(frame, 16) for frame in values], values.shape, syntax, bits=(16, 12))
        yield Cell(f"{syntax} 12 in 16", made, spread(values), None, 1)
        made = compressed([encode(frame, 12) for frame in values], values.shape, syntax, bits=(8, 8))
        yield Cell(f"{syntax} 12 under 8", made, spread(values), None, 1, "said", "12 bits")
        made = compressed([encode(frame, 12) for frame in values], values.shape, syntax, bits=(16, 8))
        yield Cell(f"{syntax} 12 under 8 in 16", made, spread(values), None, 1, "said", "12 bits")
    picture = smooth(2)
    made = compressed([encoders.jpeg(frame) for frame in picture], picture.shape, JPEGBaseline8Bit, bits=(16, 12))
    yield Cell("baseline under 12", made, picture, None, 3, "said", "8 bits")


def sides() -> Iterator[Cell]:
    """Frames of another size, or of other samples."""
    encoding: dict[str, Encode] = {**_ENCODERS, JPEGBaseline8Bit: lambda frame, _: encoders.jpeg(frame)}
    others = ((ROWS, COLUMNS * 2), (ROWS * 2, COLUMNS), (COLUMNS, ROWS))
    for (syntax, encode), (rows, columns) in product(encoding.items(), others):
        picture = smooth(1, rows=rows, columns=columns)
        made = compressed([encode(picture[0], 8)], (1, ROWS, COLUMNS), syntax)
        yield Cell(f"{syntax} {columns}x{rows}", made, verdict="kept", word="rame")
    colour, grey = smooth(1, colour=True), smooth(1)
    for name in (JPEGLosslessSV1, JPEGLSLossless):
        made = compressed([_ENCODERS[name](colour[0], 8)], grey.shape, name)
        yield Cell(f"{name} colours under grey", made, verdict="kept", word="samples")
    made = compressed([encoders.jpeg(colour[0])], grey.shape, JPEGBaseline8Bit)
    yield Cell("baseline colours under grey", made, verdict="kept", word="rame")
    made = compressed([encoders.jpeg(grey[0])], colour.shape, JPEGBaseline8Bit, photometric="YBR_FULL_422")
    yield Cell("baseline grey under colours", made, verdict="kept", word="rame")


def offsets() -> Iterator[Cell]:
    """Offset tables that point elsewhere: the fragments themselves tell where frames begin."""
    values = noise(3, ROWS, COLUMNS)
    encoding: dict[str, Encode] = {**_ENCODERS, RLELossless: encoders.rle}
    for syntax, encode in encoding.items():
        streams = [encode(frame, 8) for frame in values]
        made = compressed(streams, values.shape, syntax)
        at = made.index(b"\xfe\xff\x00\xe0\x0c\0\0\0") + 8
        right = np.frombuffer(made[at : at + 12], "<u4")
        for name, wrong in {"shifted": right + 2, "of the file": right + at, "zero": right * 0}.items():
            changed = made[:at] + wrong.astype("<u4").tobytes() + made[at + 12 :]
            yield Cell(f"{syntax} {name}", changed, values.astype(np.uint8))


def swapped_words() -> Iterator[Cell]:
    """Bytes that lie in the words of a big-endian file (PS3.5, 8.1.1): one sample to a pixel, and three."""
    for colour, photometric in ((False, "MONOCHROME2"), (True, "RGB"), (True, "YBR_FULL")):
        values = noise(2, ROWS, COLUMNS, *((3,) if colour else ()))
        data = np.frombuffer(words(values, 8), "<u2").astype(">u2").tobytes()
        facts: dict[str, Any] = {"syntax": ExplicitVRBigEndian, "photometric": photometric, "vr": "OW"}
        shown = rgb_of(values) if photometric == "YBR_FULL" else values.astype(np.uint8)
        grey = values[..., 0] if photometric == "YBR_FULL" else None
        yield Cell(f"big-endian {photometric}", file(data, values.shape, **facts), shown, grey, 1)
    values = noise(2, ROWS, COLUMNS)
    for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian):
        yield Cell(
            f"{syntax} in words", file(words(values, 8), values.shape, syntax=syntax, vr="OW"), values.astype(np.uint8)
        )


def not_followed() -> Iterator[Cell]:
    """Elements that change greys of eight bits, which are shown as stored, are named; so are overlays."""
    values = noise(2, ROWS, COLUMNS)
    data, shown = words(values, 8), values.astype(np.uint8)
    inverted = table(np.arange(255, -1, -1), 0, 8)
    inverted_modality = table(np.arange(255, -1, -1), 0, 8)
    inverted_modality.ModalityLUTType = "US"
    supplemental: dict[str, Any] = {
        f"{name}PaletteColorLookupTable{part}": value
        for name in ("Red", "Green", "Blue")
        for part, value in (("Descriptor", [16, 200, 16]), ("Data", bytes(32)))
    }
    cases: dict[str, dict[str, Any]] = {
        "VOI table": {"VOILUTSequence": [inverted]},
        "modality table": {"ModalityLUTSequence": [inverted_modality]},
        "negative slope": {"RescaleSlope": -1, "RescaleIntercept": 255},
        "inverse presentation": {"PresentationLUTShape": "INVERSE"},
        "supplemental palette": supplemental | {"PixelPresentation": "COLOR"},
    }
    for name, facts in cases.items():
        yield Cell(name, file(data, values.shape, **facts), shown, verdict="said", word="not applied")
    yield Cell("overlay", _overlaid(data, values), shown, verdict="said", word="overlay")
    yield Cell("palette for nothing", file(data, values.shape, **supplemental), shown)
    yield Cell("slope of one", file(data, values.shape, RescaleSlope=1, RescaleIntercept=0), shown)
    made = file(data, values.shape, photometric="MONOCHROME1", PresentationLUTShape="INVERSE")
    yield Cell("inverse of inverted greys", made, 255 - shown)


def _overlaid(data: bytes, values: Array) -> bytes:
    overlay = Dataset()
    overlay.add_new(0x60000010, "US", ROWS)
    overlay.add_new(0x60000011, "US", COLUMNS)
    overlay.add_new(0x60003000, "OW", bytes(ROWS * COLUMNS // 8))
    return file(data, values.shape, extra=overlay)


def grouped_windows() -> Iterator[Cell]:
    """An enhanced object has window and rescaling in its functional groups, for all frames or for each."""
    values = noise(2, ROWS, COLUMNS, bits=12)
    for shape, shared in product(("LINEAR", "LINEAR_EXACT"), (True, False)):
        groups = [_group(1800, 1500, shape)] if shared else [_group(1800, 1500, shape)] * 2
        facts: dict[str, Any] = {("Shared" if shared else "PerFrame") + "FunctionalGroupsSequence": groups}
        made = file(words(values, 16), values.shape, bits=(16, 12), **facts)
        yield Cell(f"{shape} {shared}", made, windowed(values * 2 - 100, 1800, 1500, shape), None, 1)
    groups = [_group(1800, 1500, "LINEAR"), _group(900, 1500, "LINEAR")]
    made = file(words(values, 16), values.shape, bits=(16, 12), PerFrameFunctionalGroupsSequence=groups)
    truth = windowed(values * 2 - 100, 1800, 1500, "LINEAR")
    yield Cell("of their own", made, truth, None, 1, "said", "windows of their own")


def _group(centre: float, width: float, shape: str) -> Dataset:
    window, scale, group = Dataset(), Dataset(), Dataset()
    window.WindowCenter, window.WindowWidth, window.VOILUTFunction = centre, width, shape
    scale.RescaleSlope, scale.RescaleIntercept, scale.RescaleType = 2, -100, "US"
    group.FrameVOILUTSequence, group.PixelValueTransformationSequence = [window], [scale]
    return group


def left_transforms() -> Iterator[Cell]:
    """The name of a JPEG 2000 transform over pixels that have none: a converter decoded them and left the header."""
    values = noise(2, ROWS, COLUMNS, 3)
    shown = values.astype(np.uint8)
    encoding: dict[str, Encode] = {RLELossless: encoders.rle, JPEG2000Lossless: encoders.j2k}
    for photometric in ("YBR_RCT", "YBR_ICT"):
        facts: dict[str, Any] = {"photometric": photometric}
        yield Cell(
            f"plain {photometric}", file(words(values, 8), values.shape, **facts), shown, None, 0, "said", "YBR_"
        )
        for syntax, encode in encoding.items():
            made = compressed([encode(frame, 8) for frame in values], values.shape, syntax, **facts)
            yield Cell(f"{syntax} {photometric}", made, shown, None, 0, "said", photometric)


FAMILIES = {
    "grouped windows": grouped_windows,
    "left transforms": left_transforms,
    "contradicted depths": depths,
    "contradicted sides": sides,
    "wrong offsets": offsets,
    "bytes in words": swapped_words,
    "elements that are not followed": not_followed,
}
