"""Colours of palette pixels (PS3.3, C.7.6.3.1.5, C.7.6.3.1.6 and C.7.9.2), by what the tables hold.

Devices disagree with their own descriptors: 16-bit words hold no more than 255 or 4095, or 16 bits where 8 are said.
The largest entry tells how much of them is meant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from studies.dicom import lookup
from studies.dicom.attributes import value
from studies.dicom.bounded_reader import DicomFile, Refused
from studies.dicom.lookup import Entries

_OTHER_DEPTH = "Its palette says {} bits to a colour, its entries have {}: read so, in the file's byte order."
_IN_WORDS = "Its palette has entries of 8 bits in words of 16: read by their length, in the file's byte order."
_SHORT = "Its palette has fewer entries than it says: numbers beyond them have the last one's colour."
_CHANNELS = ("Red", "Green", "Blue")
_MOST = 65536
_DISCRETE, _LINEAR, _INDIRECT = 0, 1, 2


@dataclass(frozen=True)
class _Descriptor:
    """``count`` entries of ``bits``, of which the first is that of pixel value ``first``."""

    count: int
    first: int
    bits: int


def apply(pixels: npt.NDArray[Any], opened: DicomFile) -> npt.NDArray[np.uint8]:
    """RGB [H, W, 3] of palette pixels [H, W]; raises Refused where there is no table."""
    described = [_descriptor(opened.dataset, name) for name in _CHANNELS]
    tables = [_table(opened, name, facts) for name, facts in zip(_CHANNELS, described, strict=True)]
    shift = _bits_held(max(int(table.max()) for table in tables), described[0].bits) - 8
    planes = [
        lookup.looked_up(pixels, table >> shift, facts.first) for table, facts in zip(tables, described, strict=True)
    ]
    return np.stack(planes, axis=-1).astype(np.uint8)


def _bits_held(largest: int, bits: int) -> int:
    """How wide the entries are: the declared width where they keep to it and use it, else as wide as the largest needs.

    10 and 12 bits are widths of devices; a table of 16 whose brightest entry is under a tenth of white is none.
    """
    widths = (8, bits) if 8 < bits < 16 else (8, 10, 12)
    return next((width for width in widths if largest < 1 << width), 16)


def _descriptor(dataset: Dataset, name: str) -> _Descriptor:
    parts = value(dataset, f"{name}PaletteColorLookupTableDescriptor")
    if parts is None:
        parts = value(dataset, "RedPaletteColorLookupTableDescriptor")
    try:
        count, first, bits = (int(part) for part in parts)
    except (TypeError, ValueError) as error:
        raise Refused("undecodable", "Its colours come from a table that does not say what it holds.") from error
    signed = bool(value(dataset, "PixelRepresentation"))
    return _Descriptor(count % _MOST or _MOST, first - _MOST if signed and first >= _MOST // 2 else first, bits)


def _table(opened: DicomFile, name: str, facts: _Descriptor) -> Entries:
    plain = value(opened.dataset, f"{name}PaletteColorLookupTableData")
    if plain is not None:
        table = lookup.entries(opened, plain, count=facts.count, bits=facts.bits)
    else:
        table = _segmented(opened, name, facts)
    if not len(table):
        raise Refused("undecodable", "Its colours come from a table that is missing.")
    return table


def _segmented(opened: DicomFile, name: str, facts: _Descriptor) -> Entries:
    data = value(opened.dataset, f"Segmented{name}PaletteColorLookupTableData")
    if data is None:
        return np.zeros(0, np.int64)
    widths = (True, False) if facts.bits > 8 else (False, True)
    data = data if isinstance(data, bytes) else lookup.words(opened, np.atleast_1d(data))
    tables = [_expanded(lookup.numbers(opened, data, wide=wide).tolist(), wide=wide) for wide in widths]
    return next((table for table in tables if len(table) == facts.count), tables[0])


def _expanded(codes: list[int], *, wide: bool) -> Entries:
    """The entries of a segmented table: runs written out, straight lines, and copies of earlier segments."""
    entries: list[int] = []
    at = 0
    while at + 1 < len(codes) and len(entries) < _MOST and codes[at] <= _INDIRECT:
        if codes[at] == _INDIRECT:
            _copy(codes, at, entries, wide=wide)
            at += 4
        else:
            at = _append(codes, at, entries)
    return np.array(entries[:_MOST], np.int64)


def _append(codes: list[int], at: int, entries: list[int]) -> int:
    """Add the run or the line that starts there; where the next segment starts."""
    kind, count = codes[at], codes[at + 1]
    if kind == _DISCRETE:
        entries += codes[at + 2 : at + 2 + count]
        return at + 2 + count
    if at + 2 < len(codes):
        start = entries[-1] if entries else 0
        entries += np.rint(np.linspace(start, codes[at + 2], count + 1)[1:]).astype(int).tolist()
    return at + 3


def _copy(codes: list[int], at: int, entries: list[int], *, wide: bool) -> None:
    """Add the segments that start at a byte offset, given in two halves of an entry's width each."""
    low, high = [*codes[at + 2 : at + 4], 0, 0][:2]
    start = (low | high << 16) // 2 if wide else low | high << 8
    for _ in range(codes[at + 1]):
        if start + 1 >= len(codes) or codes[start] >= _INDIRECT or len(entries) >= _MOST:
            return
        start = _append(codes, start, entries)


def why_not(opened: DicomFile) -> str:
    """A sentence where the tables cannot colour anything; empty where they can."""
    try:
        for name in _CHANNELS:
            _table(opened, name, _descriptor(opened.dataset, name))
    except Refused as refusal:
        return refusal.reason
    return ""


def say_what_is_decided(opened: DicomFile) -> None:
    """A warning for each way in which the tables are not as they say."""
    described = [_descriptor(opened.dataset, name) for name in _CHANNELS]
    tables = [_table(opened, name, facts) for name, facts in zip(_CHANNELS, described, strict=True)]
    bits, held = described[0].bits, _bits_held(max(int(table.max()) for table in tables), described[0].bits)
    if held != bits:
        opened.warnings.append(_OTHER_DEPTH.format(bits, held))
    elif bits == 8 and _lies_in_words(opened, described[0]):
        opened.warnings.append(_IN_WORDS)
    if any(len(table) < facts.count for table, facts in zip(tables, described, strict=True)):
        opened.warnings.append(_SHORT)


def _lies_in_words(opened: DicomFile, facts: _Descriptor) -> bool:
    data = value(opened.dataset, "RedPaletteColorLookupTableData")
    return isinstance(data, bytes) and lookup.is_wide(data, count=facts.count, bits=facts.bits)
