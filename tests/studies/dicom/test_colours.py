"""Luma and colour differences in every coat, against what was encoded and against DCMTK where it can decode."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from openjpeg.utils import encode_array
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.pixels.processing import convert_color_space
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless, JPEGBaseline8Bit

from studies.sandbox import pool
from tests.studies.dicom import second_decoder
from tests.studies.dicoms import dataset, encoded

ROWS, COLUMNS = 48, 64
RED, BLUE = (220, 20, 20), (20, 40, 200)
RGB = np.zeros((ROWS, COLUMNS, 3), np.uint8)
RGB[:, : COLUMNS // 2], RGB[:, COLUMNS // 2 :] = RED, BLUE
YBR = convert_color_space(RGB, "RGB", "YBR_FULL")
# As in ITU-R BT.601: 219 steps of luma above 16, 224 of the differences about 128.
PARTIAL = np.rint((YBR - [0.0, 128, 128]) * [219 / 255, 224 / 255, 224 / 255] + [16, 128, 128]).astype(np.uint8)
LUMA = np.rint(RGB @ np.array([0.299, 0.587, 0.114]))


def _file(path: Path, data: bytes, photometric: str, syntax: str | None = None, **facts: Any) -> Path:
    colour = {"SamplesPerPixel": 3, "PlanarConfiguration": 0, "NumberOfFrames": 1, "Rows": ROWS, "Columns": COLUMNS}
    made = dataset(PhotometricInterpretation=photometric, PixelData=data, **(colour | facts))
    made["PixelData"].VR, made["PixelData"].is_undefined_length = "OB", syntax is not None
    path.write_bytes(encoded(made, syntax=syntax or ExplicitVRLittleEndian))
    return path


def _compressed(path: Path, stream: bytes, photometric: str, syntax: str) -> Path:
    return _file(path, encapsulate([stream]), photometric, syntax)


def _grey(path: Path) -> np.ndarray:
    ((_, shape, data),) = pool.decode_grey(path, [1])
    return np.frombuffer(data, np.uint8).reshape(shape)


def _is_as_encoded(path: Path, tolerance: int = 2) -> bool:
    """To the reader and to the model."""
    grey = np.abs(_grey(path).astype(int) - LUMA).max()
    return second_decoder.apart(second_decoder.shown(path), RGB) <= tolerance and grey <= tolerance


def _shared(ybr: np.ndarray, sampling: str, *, planar: bool) -> bytes:
    """One pair of differences for two pixels or for four."""
    tall = 2 if sampling == "420" else 1
    luma, blue, red = ybr[..., 0], ybr[::tall, ::2, 1], ybr[::tall, ::2, 2]
    if planar:
        return luma.tobytes() + blue.tobytes() + red.tobytes()
    return np.stack([luma[:, ::2], luma[:, 1::2], blue, red], axis=-1).tobytes()


@pytest.mark.parametrize("frames", [1, 3])
def test_pixels_as_long_as_whole_colours_are_taken_for_whole(tmp_path: Path, frames: int) -> None:
    path = _file(tmp_path / "a.dcm", YBR.tobytes() * frames, "YBR_FULL_422", NumberOfFrames=frames)
    header = pool.read_header(path)
    assert (header["pixels"]["frames"], len(header["warnings"])) == (frames, 1)
    assert second_decoder.apart(second_decoder.shown(path, frames), RGB) <= 2


@pytest.mark.parametrize(
    ("photometric", "planar"),
    [("YBR_FULL_422", 0), ("YBR_FULL_422", 1), ("YBR_PARTIAL_422", 0), ("YBR_PARTIAL_422", 1), ("YBR_PARTIAL_420", 1)],
)
def test_shared_colours_are_written_out(tmp_path: Path, photometric: str, planar: int) -> None:
    values = PARTIAL if "PARTIAL" in photometric else YBR
    data = _shared(values, photometric[-3:], planar=bool(planar))
    path = _file(tmp_path / "a.dcm", data, photometric, PlanarConfiguration=planar)
    assert pool.read_header(path)["pixels"]["flaw"] == ""
    assert _is_as_encoded(path)


@pytest.mark.parametrize(("planar", "read"), [(True, "so"), (False, "pixel by pixel")])
def test_halved_colours_said_to_lie_in_planes_are_read_as_they_lie(tmp_path: Path, *, planar: bool, read: str) -> None:
    data = _shared(YBR, "422", planar=planar)
    path = _file(tmp_path / "a.dcm", data, "YBR_FULL_422", PlanarConfiguration=1)
    assert f"read {read}, as its first frame suggests" in " ".join(pool.read_header(path)["pixel_notes"])
    assert _is_as_encoded(path)


@pytest.mark.parametrize("photometric", ["YBR_FULL_422", "YBR_PARTIAL_422"])
def test_shared_colours_look_as_in_dcmtk(tmp_path: Path, photometric: str) -> None:
    data = _shared(PARTIAL if "PARTIAL" in photometric else YBR, "422", planar=False)
    path = _file(tmp_path / "a.dcm", data, photometric)
    (truth,) = second_decoder.frames(path)
    assert second_decoder.apart(second_decoder.shown(path), truth) <= 2


@pytest.mark.parametrize(("photometric", "facts"), [("YBR_PARTIAL_420", {}), ("YBR_FULL_422", {"Columns": 63})])
def test_colours_shared_in_an_order_that_nobody_knows_are_said(
    tmp_path: Path, photometric: str, facts: dict[str, Any]
) -> None:
    path = _file(tmp_path / "a.dcm", bytes(ROWS * COLUMNS * 2), photometric, **facts)
    pixels = pool.read_header(path)["pixels"]
    assert (pixels["flaw"], photometric in pixels["flaw_reason"]) == ("undecodable", True)


@pytest.mark.parametrize("photometric", ["YBR_FULL", "YBR_FULL_422", "RGB", "YBR_RCT"])
def test_jpeg_2000_that_transforms_colours_is_not_transformed_twice(tmp_path: Path, photometric: str) -> None:
    stream = bytes(encode_array(RGB, photometric_interpretation=1, use_mct=True, codec_format=0))
    path = _compressed(tmp_path / "a.dcm", stream, photometric, JPEG2000Lossless)
    assert _is_as_encoded(path, tolerance=0)
    assert bool(pool.read_header(path)["warnings"]) == photometric.startswith("YBR_FULL")


def test_jpeg_2000_of_luma_and_differences_is_made_rgb(tmp_path: Path) -> None:
    stream = bytes(encode_array(YBR, photometric_interpretation=0, use_mct=False, codec_format=0))
    assert _is_as_encoded(_compressed(tmp_path / "a.dcm", stream, "YBR_FULL", JPEG2000Lossless))


def _jpeg(*, rgb: bool) -> bytes:
    """A JPEG without a JFIF marker whose Adobe marker says how its colours are meant."""
    out = io.BytesIO()
    Image.fromarray(RGB).save(out, "JPEG", quality=98, subsampling=0, keep_rgb=rgb)
    data = out.getvalue()
    if not rgb:
        body = data[4 + int.from_bytes(data[4:6]) :]
        return data[:2] + b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x01" + body
    tables = data.index(b"\xff\xc0")
    numbered = bytearray(data)
    for at, step in ((tables + 10, 3), (data.index(b"\xff\xda") + 5, 2)):
        numbered[at : at + 3 * step : step] = b"\1\2\3"
    return bytes(numbered)


@pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL", "YBR_FULL_422"])
@pytest.mark.parametrize("rgb", [True, False])
def test_a_jpeg_is_shown_as_its_adobe_marker_says(tmp_path: Path, photometric: str, *, rgb: bool) -> None:
    path = _compressed(tmp_path / "a.dcm", _jpeg(rgb=rgb), photometric, JPEGBaseline8Bit)
    assert _is_as_encoded(path, tolerance=6)
    assert bool(pool.read_header(path)["warnings"]) == (rgb == photometric.startswith("YBR"))


@pytest.mark.parametrize(("rgb", "photometric"), [(True, "RGB"), (False, "YBR_FULL"), (False, "YBR_FULL_422")])
def test_a_jpeg_that_agrees_with_its_header_looks_as_in_dcmtk(tmp_path: Path, photometric: str, *, rgb: bool) -> None:
    path = _compressed(tmp_path / "a.dcm", _jpeg(rgb=rgb), photometric, JPEGBaseline8Bit)
    (truth,) = second_decoder.frames(path)
    assert second_decoder.apart(second_decoder.shown(path), truth) <= 2
