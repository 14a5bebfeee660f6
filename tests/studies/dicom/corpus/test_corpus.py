"""More than 400 files as the standard permits or devices write them: the right picture, or a word that it is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.studies.dicom.corpus import contradictory, damaged, encapsulated, native, palettes
from tests.studies.dicom.corpus.judge import judge

FAMILIES = native.FAMILIES | palettes.FAMILIES | encapsulated.FAMILIES
FAMILIES |= contradictory.FAMILIES | damaged.FAMILIES
CELLS = {
    "greys": 128,
    "inverted greys": 16,
    "high bits": 26,
    "single bits": 12,
    "odd lengths": 16,
    "colours": 44,
    "halved colours": 16,
    "odd photometrics": 15,
    "windows": 64,
    "sloppy windows": 12,
    "lookup tables": 40,
    "paddings": 8,
    "sloppy headers": 11,
    "32 bits": 4,
    "RLE": 27,
    "lossless JPEG": 66,
    "JPEG-LS": 29,
    "JPEG 2000": 57,
    "high-throughput JPEG 2000": 22,
    "baseline JPEG": 69,
    "extended JPEG": 10,
    "offset tables": 46,
    "palettes": 56,
    "shifted palettes": 16,
    "segmented palettes": 8,
    "compressed palettes": 12,
    "missing palettes": 3,
    "grouped windows": 5,
    "left transforms": 6,
    "contradicted depths": 16,
    "contradicted sides": 16,
    "wrong offsets": 12,
    "bytes in words": 5,
    "elements that are not followed": 9,
    "cut frames": 40,
    "frames without an end": 32,
    "restart markers": 3,
    "run lengths": 2,
    "impossible lengths": 13,
    "damaged deflate": 4,
    "syntaxes that are not shown": 15,
}
"""How many each family has."""


@pytest.mark.parametrize("family", FAMILIES)
def test_every_cell_comes_out_as_it_must(
    family: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    counts, surprises = judge(FAMILIES[family](), tmp_path)
    record_property("cells", dict(counts))
    assert surprises == []
    assert (counts["wrong"], counts["doubted"], counts.total()) == (0, 0, CELLS[family])


def test_the_corpus_is_large_enough() -> None:
    assert sum(CELLS.values()) >= 400
