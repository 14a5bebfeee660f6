"""Headers that leave out what one can know, or say what cannot be; and values too long for their type."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from studies.sandbox import pool
from tests.studies.dicom import second_decoder
from tests.studies.dicoms import COLUMNS, ROWS, clip, dataset, encoded, region

GREY = np.random.default_rng(6).integers(0, 256, (ROWS, COLUMNS), dtype=np.uint8)
LEFT_OUT = [("BitsStored",), ("PixelRepresentation",), ("BitsStored", "HighBit", "PixelRepresentation")]


def _write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("missing", LEFT_OUT, ids="+".join)
def test_eight_bits_are_shown_without_what_they_are_not_asked(tmp_path: Path, missing: tuple[str, ...]) -> None:
    data = clip(frames=1, PixelData=GREY.tobytes(), **dict.fromkeys(missing))
    path, whole = _write(tmp_path / "a.dcm", data), _write(tmp_path / "b.dcm", clip(frames=1, PixelData=GREY.tobytes()))
    (truth,) = second_decoder.frames(whole)
    assert second_decoder.apart(second_decoder.shown(path), truth) == 0
    said = " ".join(pool.read_header(path)["pixel_notes"])
    assert ("how many bits are stored: taken as 8" in said) == ("BitsStored" in missing)
    assert ("whether values have a sign" in said) == ("PixelRepresentation" in missing)


def test_colours_without_a_planar_configuration_lie_pixel_by_pixel(tmp_path: Path) -> None:
    pixels = np.random.default_rng(7).integers(0, 256, (ROWS, COLUMNS, 3), dtype=np.uint8)
    colour = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}
    path = _write(tmp_path / "a.dcm", clip(frames=1, PixelData=pixels.tobytes(), **colour))
    assert np.array_equal(second_decoder.shown(path), pixels)


@pytest.mark.parametrize("stored", [12, 65, 0])
def test_more_bits_stored_than_allocated_are_said_and_not_believed(tmp_path: Path, stored: int) -> None:
    path = _write(tmp_path / "a.dcm", clip(frames=1, PixelData=GREY.tobytes(), BitsStored=stored))
    assert np.array_equal(second_decoder.shown(path), GREY)
    assert pool.read_header(path)["warnings"] == [f"Its header says {stored} bits stored in 8: taken as 8."]


def _long(**facts: Any) -> Dataset:
    """5,000 tiny frames."""
    small: dict[str, Any] = {"Rows": 4, "Columns": 4, "PixelData": bytes(16 * 5000)}
    return dataset(frames=5000, **(small | facts))


@pytest.mark.filterwarnings("ignore:The value for the data element")
def test_a_list_of_frame_times_beyond_64_kb_is_read(tmp_path: Path) -> None:
    data = encoded(_long(FrameTime=None, FrameTimeVector=[0.0, *[33.3333333333] * 4999]))
    assert b"\x18\x00\x65\x10UN" in data
    times = pool.read_header(_write(tmp_path / "a.dcm", data))["frame_times_ms"]
    assert times is not None
    assert (len(times), round(times[-1] / 4999, 6)) == (5000, 33.333333)


def _region_of_unknown_type() -> bytes:
    """A sequence of one region and a private element that makes it long, as an element of unknown type.

    Inside it is implicit little-endian, as the standard has it.
    """
    filler = b"\x09\x00\x10\x10" + (70_000).to_bytes(4, "little") + bytes(70_000)
    item = filler + b"".join(_implicit(element) for element in region())
    sequence = b"\xfe\xff\x00\xe0" + len(item).to_bytes(4, "little") + item
    return b"\x18\x00\x11\x60UN\0\0" + len(sequence).to_bytes(4, "little") + sequence


def _implicit(element: DataElement) -> bytes:
    dtype = {"US": "<u2", "UL": "<u4", "SL": "<i4", "FD": "<f8"}[element.VR]
    data = np.array(element.value, dtype).tobytes()
    tag = element.tag.group.to_bytes(2, "little") + element.tag.element.to_bytes(2, "little")
    return tag + len(data).to_bytes(4, "little") + data


def test_regions_beyond_64_kb_are_read(tmp_path: Path) -> None:
    whole = clip()
    start = whole.index(b"\x20\x00\x0d\x00UI")
    path = _write(tmp_path / "a.dcm", whole[:start] + _region_of_unknown_type() + whole[start:])
    (area,) = pool.read_header(path)["regions"]
    assert (area["x1"], area["dx_cm"]) == (COLUMNS - 1, 0.02)
