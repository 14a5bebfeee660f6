"""Every frame as pydicom decodes it (palettes as DCMTK does), which the files bundled with it allow to check."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit

from studies.sandbox import pool
from studies.sandbox.pool import SandboxError
from tests.studies.dicom import second_decoder
from tests.studies.dicoms import BUNDLED, clip, dataset, encoded

warnings.filterwarnings("ignore", module="pydicom")
SHARED = os.environ.get("FONTANELLE_SHARED_DATA", "")
BUNDLED_NAMES = [
    "ExplVR_BigEnd.dcm", "examples_jpeg2k.dcm", "examples_palette.dcm", "examples_rgb_color.dcm",
    "examples_ybr_color.dcm", "GDCMJ2K_TextGBR.dcm", "SC_jpeg_no_color_transform.dcm", "SC_rgb_dcmtk_+eb+cr.dcm",
    "SC_rgb_dcmtk_+eb+cy+n1.dcm", "SC_rgb_dcmtk_+eb+cy+np.dcm", "SC_rgb_gdcm_KY.dcm", "SC_rgb_jpeg_gdcm.dcm",
    "SC_rgb_rle_2frame.dcm", "SC_rgb_small_odd_big_endian.dcm", "SC_ybr_full_422_uncompressed.dcm", "image_dfl.dcm",
    "SC_rgb_jls_lossy_sample.dcm", "SC_rgb_jpeg_lossy_gdcm.dcm",
]  # fmt: skip
FILES = [BUNDLED / name for name in BUNDLED_NAMES]
FILES += sorted(Path(SHARED, "dicom", "ultrasound").glob("*.dcm")) if SHARED else []


def _truth(path: Path) -> np.ndarray:
    """uint8 [N, H, W] or [N, H, W, 3]"""
    read = pydicom.dcmread(path)
    if read.PhotometricInterpretation == "PALETTE COLOR":
        # pydicom reads the words of a big-endian file's table as little-endian ones, and makes it black.
        with tempfile.TemporaryDirectory() as folder:
            return np.stack(second_decoder.frames(path, folder=Path(folder)))
    pixels = read.pixel_array
    return pixels if int(read.get("NumberOfFrames", 1)) > 1 else pixels[None]


def _shown(path: Path, frame: int) -> tuple[np.ndarray, str]:
    ((_, kind, data),) = pool.decode_frames(path, [frame])
    return np.asarray(Image.open(io.BytesIO(data))), kind


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_frame_is_shown_as_it_is(path: Path) -> None:
    for number, truth in enumerate(_truth(path), 1):
        shown, kind = _shown(path, number)
        allowed = 2 if kind == "image/jpeg" else 0
        assert np.abs(shown.astype(int) - truth.astype(int)).max() <= allowed, f"frame {number}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_model_gets_the_luma_of_each_frame(path: Path) -> None:
    truth = _truth(path)[-1]
    luma = truth if truth.ndim == 2 else np.rint(truth @ np.array([0.299, 0.587, 0.114]))
    ((_, shape, data),) = pool.decode_grey(path, [len(_truth(path))])
    grey = np.frombuffer(data, np.uint8).reshape(shape)
    assert np.abs(grey.astype(int) - luma.astype(int)).mean() < 1.5


def test_a_baseline_jpeg_is_passed_through_byte_for_byte() -> None:
    path = BUNDLED / "examples_ybr_color.dcm"
    ((_, kind, data),) = pool.decode_frames(path, [30])
    assert kind == "image/jpeg"
    assert data in path.read_bytes()


def test_a_jpeg_whose_colours_a_browser_would_mistake_is_decoded() -> None:
    ((_, kind, _),) = pool.decode_frames(BUNDLED / "SC_jpeg_no_color_transform.dcm", [1])
    assert kind == "image/png"


def _write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_monochrome1_is_inverted(tmp_path: Path) -> None:
    made = dataset(frames=1, PhotometricInterpretation="MONOCHROME1")
    shown, _ = _shown(_write(tmp_path / "a.dcm", encoded(made)), 1)
    assert (shown.tobytes()) == bytes(255 - value for value in made.PixelData)


def _deep(**facts: object) -> bytes:
    values = np.arange(24 * 32, dtype=np.uint16) * 5
    deep = {"BitsAllocated": 16, "BitsStored": 12, "HighBit": 11, "PixelData": values.tobytes(), "NumberOfFrames": 1}
    return clip(**deep, **facts)


def test_deep_pixels_are_spread_over_eight_bits(tmp_path: Path) -> None:
    shown, _ = _shown(_write(tmp_path / "a.dcm", _deep()), 1)
    assert (shown.min(), shown.max()) == (0, 255)


def test_deep_pixels_go_through_their_window(tmp_path: Path) -> None:
    shown, _ = _shown(_write(tmp_path / "a.dcm", _deep(WindowCenter=500, WindowWidth=100)), 1)
    assert (shown == 0).sum() + (shown == 255).sum() > 700


def test_frames_ahead_come_along_while_there_is_time(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.dcm", clip(frames=5))
    assert [number for number, _, _ in pool.decode_frames(path, range(2, 6), seconds=10)] == [2, 3, 4, 5]
    assert len(list(pool.decode_frames(path, range(2, 6), seconds=0))) == 1


@pytest.mark.parametrize("frame", [0, 3, -1, 10**9])
def test_a_frame_that_is_not_there_is_said(tmp_path: Path, frame: int) -> None:
    with pytest.raises(SandboxError, match="has 2 frames"):
        list(pool.decode_frames(_write(tmp_path / "a.dcm", clip()), [frame]))


def test_pixels_that_cannot_be_decoded_are_said_plainly() -> None:
    with pytest.raises(SandboxError, match=r"The picture inside frame 1 has \d+ x \d+ pixels: not shown"):
        list(pool.decode_frames(BUNDLED / "JPEG2000-embedded-sequence-delimiter.dcm", [1]))


def test_twelve_bits_of_lossy_jpeg_are_decoded_as_in_dcmtk(tmp_path: Path) -> None:
    """A file of its own that DCMTK decoded goes the same way to the screen."""
    plain = second_decoder.uncompressed(BUNDLED / "JPEG-lossy.dcm", "dcmdjpeg", tmp_path / "plain.dcm")
    assert np.array_equal(_shown(BUNDLED / "JPEG-lossy.dcm", 1)[0], _shown(plain, 1)[0])


def test_damage_inside_a_compressed_frame_stays_in_its_child(tmp_path: Path) -> None:
    data = bytearray((BUNDLED / "examples_jpeg2k.dcm").read_bytes())
    data[-60000:-59000] = bytes(1000)
    data[-150400:-150000] = bytes(400)
    path = _write(tmp_path / "a.dcm", bytes(data))
    with contextlib.suppress(SandboxError):
        list(pool.decode_frames(path, [1]))
    assert pool.read_header(path)["pixels"]["frames"] == 1


def test_a_thumbnail_is_small(tmp_path: Path) -> None:
    picture = Image.open(io.BytesIO(pool.thumbnail(BUNDLED / "examples_palette.dcm", 256)))
    assert (picture.format, max(picture.size)) == ("JPEG", 256)


DEEP: dict[str, Any] = {"BitsAllocated": 16, "BitsStored": 12, "HighBit": 11}
COLOUR: dict[str, Any] = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 1}
KINDS: dict[str, dict[str, Any]] = {
    "grey": {},
    "deep": DEEP,
    "colour": COLOUR,
    "halved": COLOUR | {"PhotometricInterpretation": "YBR_FULL_422"},
}


def _cut(kind: str, frames: float, *, declared: bool) -> tuple[bytes, bytes]:
    """Ten frames of which only so many are there, whether or not the pixel element says so; and what was to be seen."""
    facts = KINDS[kind] | ({"PlanarConfiguration": 0} if kind == "halved" else {})
    each = 24 * 32 * {"grey": 1, "deep": 2, "colour": 3, "halved": 2}[kind]
    pixels = np.random.default_rng(3).integers(0, 16, 10 * each, dtype=np.uint8).tobytes()
    whole = encoded(dataset(frames=10, PixelData=pixels, **facts))
    there = int(frames * each) // 2 * 2
    short = encoded(dataset(frames=10, PixelData=pixels[:there], **facts)) if declared else whole[: there - 10 * each]
    return short, whole


@pytest.mark.parametrize("declared", [True, False], ids=["short-element", "short-file"])
@pytest.mark.parametrize("kind", KINDS)
def test_of_a_clip_that_ends_early_the_whole_frames_are_shown(tmp_path: Path, kind: str, *, declared: bool) -> None:
    short, whole = _cut(kind, 5.5, declared=declared)
    path, truth = _write(tmp_path / "short.dcm", short), _write(tmp_path / "whole.dcm", whole)
    for number in range(1, 6):
        assert np.array_equal(_shown(path, number)[0], _shown(truth, number)[0])
    for number in range(6, 11):
        with pytest.raises(SandboxError, match=r"The file ends before this frame does\. Incomplete: 5 of 10 frames"):
            list(pool.decode_frames(path, [number]))


@pytest.mark.parametrize("there", [0, 0.9])
def test_of_a_clip_without_a_whole_frame_none_is_shown(tmp_path: Path, there: float) -> None:
    path = _write(tmp_path / "a.dcm", _cut("grey", there, declared=True)[0])
    with pytest.raises(SandboxError, match="Incomplete: no frame is whole"):
        list(pool.decode_frames(path, [1]))


def test_a_clip_that_ends_early_has_a_thumbnail_of_what_is_there(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.dcm", _cut("grey", 1.5, declared=False)[0])
    assert Image.open(io.BytesIO(pool.thumbnail(path, 64))).format == "JPEG"


def _picture(seed: int, kind: str) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (24, 32), dtype=np.uint8)).save(out, kind, no_jp2=True)
    return out.getvalue()


def _compressed(syntax: str, frames: list[bytes], *, offsets: bool, count: int = 4) -> bytes:
    made = dataset(frames=count, PixelData=encapsulate(frames, has_bot=offsets))
    made["PixelData"].VR = "OB"
    made["PixelData"].is_undefined_length = True
    return encoded(made, syntax=syntax)


CODECS = {"jpeg": (JPEGBaseline8Bit, "JPEG"), "jpeg2000": (JPEG2000Lossless, "JPEG2000")}


@pytest.mark.parametrize("offsets", [True, False], ids=["table", "no-table"])
@pytest.mark.parametrize("codec", CODECS)
def test_of_a_compressed_clip_that_ends_early_the_whole_frames_are_shown(
    tmp_path: Path, codec: str, *, offsets: bool
) -> None:
    syntax, kind = CODECS[codec]
    frames = [_picture(seed, kind) for seed in range(4)]
    whole = _compressed(syntax, frames, offsets=offsets)
    cut = whole.index(frames[2]) + len(frames[2]) // 2
    path, truth = _write(tmp_path / "short.dcm", whole[:cut]), _write(tmp_path / "whole.dcm", whole)
    for number in (1, 2):
        assert np.array_equal(_shown(path, number)[0], _shown(truth, number)[0])
        assert list(pool.decode_grey(path, [number])) == list(pool.decode_grey(truth, [number]))
    for number in (3, 4):
        with pytest.raises(SandboxError, match=r"ends before this frame does\. Incomplete: 2 of 4 frames"):
            list(pool.decode_frames(path, [number]))


def test_a_compressed_clip_that_lacks_its_end_mark_alone_is_shown_whole(tmp_path: Path) -> None:
    whole = _compressed(JPEGBaseline8Bit, [_picture(seed, "JPEG") for seed in range(4)], offsets=True)
    path = _write(tmp_path / "a.dcm", whole[:-8])
    assert len(list(pool.decode_frames(path, range(1, 5), seconds=10))) == 4


def test_of_a_frame_in_pieces_that_is_cut_nothing_is_shown(tmp_path: Path) -> None:
    """Its first piece begins a picture, and is none."""
    picture = _picture(1, "JPEG")
    middle = len(picture) // 4 * 2
    whole = _compressed(JPEGBaseline8Bit, [picture[:middle], picture[middle:]], offsets=False, count=1)
    path = _write(tmp_path / "a.dcm", whole[: whole.index(picture[middle : middle + 40]) + 20])
    with pytest.raises(SandboxError, match="Incomplete"):
        list(pool.decode_frames(path, [1]))


def test_of_rle_frames_that_end_early_the_whole_ones_are_shown(tmp_path: Path) -> None:
    data = (BUNDLED / "SC_rgb_rle_2frame.dcm").read_bytes()
    path = _write(tmp_path / "a.dcm", data[:-200])
    assert np.array_equal(_shown(path, 1)[0], _truth(BUNDLED / "SC_rgb_rle_2frame.dcm")[0])
    with pytest.raises(SandboxError, match="1 of 2 frames"):
        list(pool.decode_frames(path, [2]))
