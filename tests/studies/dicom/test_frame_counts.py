"""Files whose pixels hold more frames than the header counts."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless, JPEGBaseline8Bit, RLELossless

from studies.dicom.facts import Header
from studies.ingest.results import IngestResult
from studies.models import Clip
from studies.sandbox import pool
from tests.studies.dicom import second_decoder
from tests.studies.dicoms import COLUMNS, ROWS, clip, dataset, encoded

FRAMES = np.random.default_rng(5).integers(0, 256, (5, ROWS, COLUMNS), dtype=np.uint8)
CODECS = {"jpeg": (JPEGBaseline8Bit, "JPEG"), "jpeg2000": (JPEG2000Lossless, "JPEG2000")}


def _picture(pixels: np.ndarray, kind: str) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind, no_jp2=True)
    return out.getvalue()


def _compressed(made: Dataset, syntax: str, data: bytes, *, counted: int | None) -> bytes:
    made.PixelData = data
    made["PixelData"].VR, made["PixelData"].is_undefined_length = "OB", True
    _count(made, counted)
    return encoded(made, syntax=syntax)


def _count(made: Dataset, counted: int | None) -> None:
    made.NumberOfFrames = counted
    if counted is None:
        del made.NumberOfFrames


def _five(codec: str, counted: int | None, *, table: bool = False) -> bytes:
    """Five frames under a header that counts so many."""
    made = dataset(frames=5, PixelData=FRAMES.tobytes())
    if codec == "native":
        _count(made, counted)
        return encoded(made, syntax=ExplicitVRLittleEndian)
    if codec == "rle":
        made.file_meta = FileMetaDataset()
        made.compress(RLELossless, FRAMES, generate_instance_uid=False, encapsulate_ext=False)
        return _compressed(made, RLELossless, made.PixelData, counted=counted)
    syntax, kind = CODECS[codec]
    data = encapsulate([_picture(frame, kind) for frame in FRAMES], has_bot=table)
    return _compressed(made, syntax, data, counted=counted)


def _write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("counted", [1, None, 3])
@pytest.mark.parametrize("codec", ["native", "jpeg", "rle"])
def test_frames_that_the_header_does_not_count_are_shown(tmp_path: Path, codec: str, counted: int | None) -> None:
    path = _write(tmp_path / "a.dcm", _five(codec, counted))
    truth = second_decoder.frames(_write(tmp_path / "truth.dcm", _five(codec, 5)))
    assert pool.read_header(path)["pixels"]["frames"] == len(truth) == 5
    for number, frame in enumerate(truth, 1):
        assert second_decoder.apart(second_decoder.shown(path, number), frame) <= 2


@pytest.mark.parametrize("table", [True, False])
@pytest.mark.parametrize("codec", CODECS)
def test_the_model_sees_what_the_header_does_not_count(tmp_path: Path, codec: str, *, table: bool) -> None:
    path = _write(tmp_path / "a.dcm", _five(codec, 2, table=table))
    truth = _write(tmp_path / "truth.dcm", _five(codec, 5))
    assert list(pool.decode_grey(path, range(1, 6))) == list(pool.decode_grey(truth, range(1, 6)))


@pytest.mark.parametrize("codec", ["native", "jpeg", "rle"])
def test_frames_that_the_header_does_not_count_are_said(take: Callable[..., IngestResult], codec: str) -> None:
    assert take(_five(codec, 3)).outcome == "stored"
    assert Clip.objects.get().warnings == ["Its header counts 3 frames, its pixels hold 5: all of them are shown."]


def _surplus() -> bytes:
    """Two frames counted, three and a half there."""
    return clip(frames=2, PixelData=FRAMES.tobytes()[: 7 * ROWS * COLUMNS // 2])


def test_a_surplus_that_is_no_whole_frame_is_not_scored(take: Callable[..., IngestResult]) -> None:
    result = take(_surplus())
    assert (result.outcome, result.code) == ("parked", "miscounted")
    assert "more than the 2 frames that its header counts" in Clip.objects.get().decode_error


def test_bytes_that_are_no_frame_are_said(tmp_path: Path) -> None:
    made = dataset(frames=2, PixelData=FRAMES[:2].tobytes() + bytes(ROWS * COLUMNS // 2))
    header = _header(tmp_path, encoded(made, syntax=ExplicitVRLittleEndian))
    assert f"Its pixels hold {ROWS * COLUMNS // 2} bytes more than its 2 frames: not shown." in header["pixel_notes"]
    assert (header["pixels"]["frames"], header["pixels"]["flaw"]) == (2, "")


def test_frames_before_a_surplus_are_shown(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.dcm", _surplus())
    assert np.array_equal(second_decoder.shown(path, 2), FRAMES[1])


def _header(tmp_path: Path, data: bytes) -> Header:
    return pool.read_header(_write(tmp_path / "a.dcm", data))


def test_the_byte_that_makes_a_length_even_is_no_frame(tmp_path: Path) -> None:
    made = dataset(frames=1, Rows=1, Columns=1, PixelData=b"\x07\x00")
    header = _header(tmp_path, encoded(made))
    assert (header["pixels"]["frames"], header["pixels"]["flaw"], header["warnings"]) == (1, "", [])


def test_a_frame_in_pieces_is_one_frame(tmp_path: Path) -> None:
    picture = _picture(FRAMES[0], "JPEG")
    data = encapsulate([picture], fragments_per_frame=3, has_bot=False)
    path = _write(tmp_path / "a.dcm", _compressed(dataset(frames=1), JPEGBaseline8Bit, data, counted=1))
    assert pool.read_header(path)["warnings"] == []
    assert np.array_equal(second_decoder.shown(path), np.asarray(Image.open(io.BytesIO(picture))))


@pytest.mark.parametrize("counted", [1, 5])
def test_frames_one_behind_the_other_in_a_single_fragment_are_shown(tmp_path: Path, counted: int) -> None:
    pictures = [_picture(frame, "JPEG") for frame in FRAMES]
    data = encapsulate([b"".join(pictures)], has_bot=False)
    path = _write(tmp_path / "a.dcm", _compressed(dataset(frames=1), JPEGBaseline8Bit, data, counted=counted))
    assert pool.read_header(path)["pixels"]["frames"] == 5
    assert np.array_equal(second_decoder.shown(path, 5), np.asarray(Image.open(io.BytesIO(pictures[4]))))
