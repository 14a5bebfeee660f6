"""Entries of lookup tables as devices write them (PS3.3, C.7.6.3.1.6, C.11.1.1 and C.11.2.1.1).

Devices disagree with their own descriptors: 8-bit entries lie in 16-bit words or two in each, and words of a big-endian
file are big-endian. The length of a table tells how wide its entries lie.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from studies.dicom.bounded_reader import DicomFile

Entries = npt.NDArray[np.int64]
_WORD = 65536


def entries(opened: DicomFile, data: Any, *, count: int, bits: int) -> Entries:
    """At most ``count`` entries."""
    if not isinstance(data, bytes):
        data = words(opened, np.atleast_1d(data))
    return numbers(opened, data, wide=is_wide(data, count=count, bits=bits))[:count]


def words(opened: DicomFile, values: Iterable[Any]) -> bytes:
    """Numbers as the words of the file that they were."""
    return (np.array([int(each) for each in values], np.int64) % _WORD).astype(_order(opened)).tobytes()


def is_wide(data: bytes, *, count: int, bits: int) -> bool:
    """Two bytes to an entry, by the table's length; where that fits neither, by what the descriptor says."""
    if len(data) >= 2 * count:
        return True
    return bits > 8 and len(data) not in (count, count + 1)


def numbers(opened: DicomFile, data: bytes, *, wide: bool) -> Entries:
    """The entries as written, in the file's byte order. Bytes that fill words are turned with them."""
    held = np.frombuffer(data[: len(data) // 2 * 2], _order(opened))
    return held.astype(np.int64) if wide else held.astype("<u2").view(np.uint8).astype(np.int64)


def _order(opened: DicomFile) -> str:
    return "<u2" if opened.little_endian else ">u2"


def looked_up(values: npt.NDArray[Any], table: Entries, first: int) -> Entries:
    """The entry of each value; values outside the table have its first or its last one."""
    found: Entries = table[np.clip(np.rint(values).astype(np.int64) - first, 0, len(table) - 1)]
    return found
