"""Families of files whose pixels are numbers of colours in a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np
from pydicom.uid import JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless, RLELossless

from tests.studies.dicom.corpus import encoders
from tests.studies.dicom.corpus.cells import COLUMNS, FRAMES, ROWS, Array, Cell, compressed, file, noise, words
from tests.studies.dicom.corpus.native import SYNTAXES

_RAMP = np.arange(256)
_COLOURS = {"Red": _RAMP, "Green": 255 - _RAMP, "Blue": 128 + _RAMP // 2}
# bits that the descriptor names, what an entry is multiplied by, bytes to an entry
_KINDS = {"full": (16, 257, 2), "padded": (8, 1, 2), "full as 8": (8, 257, 2), "low": (16, 1, 2), "bytes": (8, 1, 1)}
_KINDS |= {"ten": (10, 4, 2), "twelve": (12, 16, 2)}


def _elements(
    kind: str, first: int = 0, *, big: bool = False, colours: dict[str, Array] | None = None
) -> dict[str, Any]:
    bits, scale, width = _KINDS[kind]
    elements: dict[str, Any] = {}
    for name, table in (colours or _COLOURS).items():
        data = (table * scale).astype("<u2" if width == 2 else "u1").tobytes()
        held = np.frombuffer(data, "<u2").astype(">u2" if big else "<u2").tobytes()
        elements[f"{name}PaletteColorLookupTableDescriptor"] = [len(table) % 65536, first, bits]
        elements[f"{name}PaletteColorLookupTableData"] = held
    return elements


def _seen(values: Array, colours: dict[str, Array] | None = None, first: int = 0) -> Array:
    """PS3.3, C.7.6.3.1.5: what is before the first entry has its colour, what is after the last the last one's."""
    tables = (colours or _COLOURS).values()
    return np.stack([table[np.clip(values - first, 0, len(table) - 1)] for table in tables], axis=-1).astype(np.uint8)


def plain() -> Iterator[Cell]:
    for (name, syntax), kind, frames in product(SYNTAXES.items(), _KINDS, FRAMES):
        values = noise(frames, ROWS, COLUMNS)
        elements = _elements(kind, big=name == "big-endian")
        made = file(words(values, 8), values.shape, syntax=syntax, photometric="PALETTE COLOR", **elements)
        yield _palette_cell(f"{name} {kind} x{frames}", made, _seen(values), kind)


def _palette_cell(name: str, made: bytes, shown: Array, kind: str) -> Cell:
    """Tables that are not as their descriptor says are named."""
    if kind in ("padded", "full as 8", "low"):
        return Cell(name, made, shown, verdict="said", word="Its palette")
    return Cell(name, made, shown)


def shifted() -> Iterator[Cell]:
    """Tables that begin elsewhere, that are short, and that serve deeper or signed pixels."""
    short = {name: table[:100] for name, table in _COLOURS.items()}
    for (name, syntax), first in product(SYNTAXES.items(), (0, 60)):
        values = noise(2, ROWS, COLUMNS)
        elements = _elements("full", first, big=name == "big-endian", colours=short)
        made = file(words(values, 8), values.shape, syntax=syntax, photometric="PALETTE COLOR", **elements)
        yield Cell(f"{name} 100 entries from {first}", made, _seen(values, short, first))
    long = {name: np.repeat(table, 16) for name, table in _COLOURS.items()}
    for name, syntax in SYNTAXES.items():
        values = noise(2, ROWS, COLUMNS, bits=12)
        elements = _elements("full", big=name == "big-endian", colours=long)
        facts: dict[str, Any] = {"syntax": syntax, "bits": (16, 12), "photometric": "PALETTE COLOR", **elements}
        yield Cell(f"{name} 4096 entries", file(words(values, 16, syntax), values.shape, **facts), _seen(values, long))
        signed = noise(2, ROWS, COLUMNS, signed=True)
        elements = _elements("full", -128, big=name == "big-endian")
        facts = {"syntax": syntax, "signed": True, "photometric": "PALETTE COLOR", **elements}
        made = file(words(signed & 0xFF, 8), signed.shape, **facts)
        yield Cell(f"{name} signed", made, _seen(signed, first=-128))


def segmented() -> Iterator[Cell]:
    """A run of one and a straight line to the end (PS3.3, C.7.9.2)."""
    lines = {"Red": [0, 1, 0, 1, 255, 65535], "Green": [0, 1, 65535, 1, 255, 0], "Blue": [0, 1, 0, 1, 255, 65535]}
    for (name, syntax), frames in product(SYNTAXES.items(), FRAMES):
        values = noise(frames, ROWS, COLUMNS)
        elements: dict[str, Any] = {}
        for channel, codes in lines.items():
            elements[f"{channel}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
            elements[f"Segmented{channel}PaletteColorLookupTableData"] = words(np.array(codes), 16, syntax)
        made = file(words(values, 8), values.shape, syntax=syntax, photometric="PALETTE COLOR", **elements)
        yield Cell(f"{name} x{frames}", made, np.stack([values, 255 - values, values], axis=-1).astype(np.uint8))


def packed() -> Iterator[Cell]:
    """Numbers of colours in lossless frames."""
    encoding: dict[str, Callable[[Array, int], bytes]] = {
        RLELossless: encoders.rle,
        JPEGLosslessSV1: encoders.lossless,
        JPEGLSLossless: encoders.jls,
        JPEG2000Lossless: encoders.j2k,
    }
    for (syntax, encode), kind in product(encoding.items(), ("full", "bytes", "low")):
        values = noise(2, ROWS, COLUMNS)
        streams = [encode(frame, 8) for frame in values]
        made = compressed(streams, values.shape, syntax, photometric="PALETTE COLOR", **_elements(kind))
        yield _palette_cell(f"{syntax} {kind}", made, _seen(values), kind)


def missing() -> Iterator[Cell]:
    values = noise(2, ROWS, COLUMNS)
    made = file(words(values, 8), values.shape, photometric="PALETTE COLOR")
    yield Cell("no table", made, verdict="kept", word="table")
    elements = {name: value for name, value in _elements("full").items() if not name.endswith("Data")}
    made = file(words(values, 8), values.shape, photometric="PALETTE COLOR", **elements)
    yield Cell("no entries", made, verdict="kept", word="table")
    elements = {name: value for name, value in _elements("full").items() if "Green" not in name and "Blue" not in name}
    made = file(words(values, 8), values.shape, photometric="PALETTE COLOR", **elements)
    yield Cell("no green and blue", made, verdict="kept", word="table")


FAMILIES = {
    "palettes": plain,
    "shifted palettes": shifted,
    "segmented palettes": segmented,
    "compressed palettes": packed,
    "missing palettes": missing,
}
