"""What a compressed frame says of its picture, JPEG, JPEG-LS and JPEG 2000 alike."""

from __future__ import annotations

from dataclasses import dataclass

from studies.dicom import jpeg, jpeg2000


@dataclass(frozen=True)
class Picture:
    rows: int
    columns: int
    samples: int
    bits: int


def picture(data: bytes) -> Picture | None:
    """None where the frame does not say."""
    if data[:2] == jpeg.SOI:
        found = jpeg.facts(data)
        return Picture(found.rows, found.columns, len(found.components), found.precision) if found else None
    said = jpeg2000.picture(data)
    return Picture(*said) if said else None


def depth(data: bytes) -> int:
    """Bits of a sample; 0 where the frame does not say."""
    held = picture(data)
    return held.bits if held else 0
