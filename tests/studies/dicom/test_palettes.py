"""Palette pictures whose tables lie in words of either byte order, and fill them or not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian

from studies.sandbox import pool
from studies.sandbox.pool import SandboxError
from tests.studies.dicom import second_decoder
from tests.studies.dicoms import COLUMNS, ROWS, dataset, encoded

INDEX = np.random.default_rng(8).integers(0, 256, (ROWS, COLUMNS), dtype=np.uint8)
RAMP = np.arange(256)
COLOURS = {"Red": RAMP, "Green": 255 - RAMP, "Blue": 255 - RAMP // 2}
TRUTH = np.stack([table[INDEX] for table in COLOURS.values()], axis=-1)
SYNTAXES = {"little": ExplicitVRLittleEndian, "big": ExplicitVRBigEndian}
# bits that the descriptor names, what an entry is multiplied by, bytes to an entry
TABLES = {"full": (16, 257, 2), "padded": (8, 1, 2), "full-as-8": (8, 257, 2), "low": (16, 1, 2), "bytes": (8, 1, 1)}
TABLES |= {"ten": (16, 4, 2), "twelve": (16, 16, 2)}
BLACK_IN_DCMTK = {"low", "ten", "twelve"}


def _in_words(entries: np.ndarray, width: int, order: str) -> bytes:
    """As the words of a file: two 8-bit entries share one, the first in its lower byte."""
    data = entries.astype("<u2" if width == 2 else "u1").tobytes()
    return np.frombuffer(data, "<u2").astype("<u2" if order == "little" else ">u2").tobytes()


def _palette(order: str, tables: dict[str, bytes], bits: int, *, prefix: str = "", first: int = 0) -> bytes:
    made = dataset(frames=1, PhotometricInterpretation="PALETTE COLOR", PixelData=INDEX.tobytes())
    made["PixelData"].VR = "OB"
    for name, data in tables.items():
        setattr(made, f"{name}PaletteColorLookupTableDescriptor", [256, first, bits])
        _set(made, f"{prefix}{name}PaletteColorLookupTableData", data)
    return encoded(made, syntax=SYNTAXES[order])


def _set(made: Dataset, keyword: str, data: bytes) -> None:
    setattr(made, keyword, data)
    made[keyword].VR = "OW"


def _plain(order: str, kind: str) -> bytes:
    bits, scale, width = TABLES[kind]
    tables = {name: _in_words(table * scale, width, order) for name, table in COLOURS.items()}
    return _palette(order, tables, bits)


def _write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("order", SYNTAXES)
@pytest.mark.parametrize("kind", TABLES)
def test_a_palette_is_shown_by_what_its_table_holds(tmp_path: Path, kind: str, order: str) -> None:
    shown = second_decoder.shown(_write(tmp_path / "a.dcm", _plain(order, kind)))
    assert np.array_equal(shown, TRUTH)


@pytest.mark.parametrize("order", SYNTAXES)
@pytest.mark.parametrize("kind", sorted(set(TABLES) - BLACK_IN_DCMTK))
def test_a_palette_looks_the_same_in_dcmtk(tmp_path: Path, kind: str, order: str) -> None:
    path = _write(tmp_path / "a.dcm", _plain(order, kind))
    (truth,) = second_decoder.frames(path)
    assert second_decoder.apart(second_decoder.shown(path), truth) == 0


@pytest.mark.parametrize("order", SYNTAXES)
def test_a_table_in_segments_is_written_out(tmp_path: Path, order: str) -> None:
    """A run of one, a straight line to the end; the last channel a line, of which a copy would be the same."""
    lines = {"Red": [0, 1, 0, 1, 255, 65535], "Green": [0, 1, 65535, 1, 255, 0], "Blue": [0, 1, 0, 1, 255, 65535]}
    tables = {name: _in_words(np.array(codes), 2, order) for name, codes in lines.items()}
    shown = second_decoder.shown(_write(tmp_path / "a.dcm", _palette(order, tables, 16, prefix="Segmented")))
    assert np.array_equal(shown, np.stack([INDEX, 255 - INDEX, INDEX], axis=-1))


def test_segments_that_refer_to_earlier_ones_are_copied(tmp_path: Path) -> None:
    """128 entries up to 254 in steps of two, then the same line again, twice the first segment."""
    codes = [0, 2, 0, 512, 0, 126, *range(1024, 65536, 512), 2, 2, 0, 0]
    tables = dict.fromkeys(COLOURS, _in_words(np.array(codes), 2, "little"))
    shown = second_decoder.shown(_write(tmp_path / "a.dcm", _palette("little", tables, 16, prefix="Segmented")))
    assert np.array_equal(shown[..., 0], INDEX % 128 * 2)


def test_indices_before_the_first_entry_have_its_colour(tmp_path: Path) -> None:
    tables = {name: _in_words(table * 257, 2, "little") for name, table in COLOURS.items()}
    shown = second_decoder.shown(_write(tmp_path / "a.dcm", _palette("little", tables, 16, first=100)))
    assert np.array_equal(shown[..., 0], np.maximum(INDEX.astype(int) - 100, 0))


def test_a_palette_without_a_table_is_said(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.dcm", _palette("little", {}, 16))
    with pytest.raises(SandboxError, match="a table that does not say"):
        list(pool.decode_frames(path, [1]))
