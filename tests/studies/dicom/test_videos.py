"""Videos are played frame by frame as ffmpeg decodes them, counted, and scored where they are whole."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import HEVCMP51, MPEG2MPML, MPEG4HP41

from studies import frame_cache, reread
from studies.dicom import header, video
from studies.dicom.bounded_reader import open_dicom
from studies.ingest.results import IngestResult
from studies.models import Clip
from studies.sandbox import pool
from studies.sandbox.pool import SandboxError
from tests.studies.dicoms import dataset, encoded

Take = Callable[..., IngestResult]
Frames = NDArray[np.uint8]
pytestmark = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")
COUNT, ROWS, COLUMNS = 25, 96, 128
KINDS = {
    "MPEG-2, bare": (MPEG2MPML, "mpeg2video", "mpeg2video", "-q:v 2 -bf 2"),
    "MPEG-2, program stream": (MPEG2MPML, "mpeg2video", "vob", "-q:v 2"),
    "MPEG-2, transport stream": (MPEG2MPML, "mpeg2video", "mpegts", "-q:v 2"),
    "H.264, bare": (MPEG4HP41, "libx264", "h264", "-crf 12"),
    "H.264, transport stream": (MPEG4HP41, "libx264", "mpegts", "-crf 12"),
    "H.264, MP4 with its index last": (MPEG4HP41, "libx264", "mp4", "-crf 12"),
    "H.264, MP4 with its index first": (MPEG4HP41, "libx264", "mp4", "-crf 12 -movflags +faststart"),
    "H.265, bare": (HEVCMP51, "libx265", "hevc", "-crf 12 -x265-params log-level=none"),
    "H.265, MP4": (HEVCMP51, "libx265", "mp4", "-crf 12 -x265-params log-level=none"),
}


@cache
def _source() -> Frames:
    """Speckle under a bright square that moves with each frame: uint8 [T, H, W, 3], grey."""
    rng = np.random.default_rng(6)
    speckle = rng.integers(20, 90, (ROWS // 8, COLUMNS // 8), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
    frames = np.broadcast_to(speckle[None, :, :, None], (COUNT, ROWS, COLUMNS, 3)).copy()
    for at in range(COUNT):
        frames[at, 40:60, 4 * at : 4 * at + 16] = 220
    return frames


@cache
def _stream(kind: str) -> bytes:
    """The frames as that kind of video, by ffmpeg's command line."""
    _, codec, container, options = KINDS[kind]
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{COLUMNS}x{ROWS}", "-r", "25", "-i", "-"]
    with tempfile.TemporaryDirectory() as folder:
        made = [*raw, "-c:v", codec, "-pix_fmt", "yuv420p", *options.split(), "-f", container, f"{folder}/v"]
        subprocess.run(["ffmpeg", "-v", "error", *made], input=_source().tobytes(), check=True)
        return Path(folder, "v").read_bytes()


def _decoded(stream: bytes, folder: Path) -> Frames:
    """By ffmpeg's command line on the bare stream, with as many threads as it likes."""
    (folder / "stream").write_bytes(stream)
    output = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-vsync", "0", "-"]
    raw = subprocess.run(["ffmpeg", "-v", "error", "-i", folder / "stream", *output], capture_output=True, check=True)
    return np.frombuffer(raw.stdout, np.uint8).reshape(-1, ROWS, COLUMNS, 3)


def _file(kind: str, *, stream: bytes | None = None, pieces: int = 1, **facts: Any) -> bytes:
    data = _stream(kind) if stream is None else stream
    colour = {"SamplesPerPixel": 3, "PhotometricInterpretation": "YBR_PARTIAL_420", "PlanarConfiguration": 0}
    size = {"Rows": ROWS, "Columns": COLUMNS, "NumberOfFrames": COUNT}
    made = dataset(**{**colour, **size, **facts}, PixelData=encapsulate([data], fragments_per_frame=pieces))
    made["PixelData"].VR, made["PixelData"].is_undefined_length = "OB", True
    return encoded(made, syntax=KINDS[kind][0])


def _shown(path: Path, numbers: list[int]) -> list[Frames]:
    frames = pool.decode_frames(path, numbers, seconds=60)
    return [np.asarray(Image.open(io.BytesIO(frame.data)).convert("RGB")) for frame in frames]


@pytest.mark.parametrize("kind", KINDS)
def test_every_frame_is_that_of_ffmpegs_own_command(tmp_path: Path, kind: str) -> None:
    (tmp_path / "a.dcm").write_bytes(_file(kind))
    shown = np.stack(_shown(tmp_path / "a.dcm", list(range(1, COUNT + 1))))
    assert np.array_equal(shown, _decoded(_stream(kind), tmp_path))
    assert np.abs(shown.astype(int) - _source()).mean() < 4


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_video_is_counted_and_scored(take: Take, kind: str) -> None:
    result = take(_file(kind))
    assert (result.outcome, result.reason) == ("stored", "")
    clip = Clip.objects.get()
    assert (clip.kind, clip.frames, clip.rows, clip.columns) == ("video", COUNT, ROWS, COLUMNS)
    assert (clip.scorable, clip.decode_error, clip.warnings) == (True, "", [])


def test_frames_come_in_any_order_and_in_grey(take: Take) -> None:
    take(_file("H.264, MP4 with its index last"))
    numbers = [20, 3, 25, 1]
    greys = frame_cache.grey_frames(Clip.objects.get(), numbers)
    columns = [slice(4 * number - 2, 4 * number + 10) for number in numbers]
    assert [int(grey[45:55, where].min()) for grey, where in zip(greys, columns, strict=True)] == pytest.approx(
        [220] * 4, abs=12
    )


def test_a_stream_in_several_fragments_is_one_video(tmp_path: Path) -> None:
    (tmp_path / "a.dcm").write_bytes(_file("H.264, bare", pieces=3))
    assert np.array_equal(_shown(tmp_path / "a.dcm", [1, 25])[1], _decoded(_stream("H.264, bare"), tmp_path)[24])


@pytest.mark.parametrize(("declared", "said"), [(20, "20 frames"), (None, "1 frame")])
def test_more_frames_than_the_header_counts_are_all_shown(take: Take, declared: int | None, said: str) -> None:
    assert take(_file("H.264, bare", NumberOfFrames=declared)).outcome == "stored"
    clip = Clip.objects.get()
    assert clip.frames == COUNT
    assert f"Its header counts {said}, its video holds {COUNT}: all of them are shown." in clip.warnings
    assert frame_cache.frame_bytes(clip, COUNT).content_type == "image/png"


def test_fewer_frames_than_the_header_counts_are_said_and_not_scored(take: Take) -> None:
    result = take(_file("MPEG-2, bare", NumberOfFrames=30))
    assert (result.outcome, result.code) == ("parked", "truncated")
    assert result.reason.startswith(f"Incomplete: {COUNT} of 30 frames of a video (MPEG2 Main Profile")
    clip = Clip.objects.get()
    assert frame_cache.frame_bytes(clip, COUNT).content_type == "image/png"
    with pytest.raises(frame_cache.FrameError, match="before this frame"):
        frame_cache.frame_bytes(clip, COUNT + 1)


@pytest.mark.parametrize("kind", ["MPEG-2, bare", "H.264, bare", "H.265, bare", "H.264, transport stream"])
def test_a_video_that_is_cut_or_damaged_is_never_scored(take: Take, kind: str) -> None:
    stream = bytearray(_stream(kind))
    for at in range(len(stream) // 3, len(stream) * 2 // 3, 7):
        stream[at] ^= 0x55
    assert take(_file(kind, stream=bytes(stream))).outcome == "parked"
    assert not Clip.objects.get().scorable


@pytest.mark.parametrize("kind", ["MPEG-2, bare", "MPEG-2, transport stream", "H.264, bare"])
def test_damage_that_takes_no_frame_away_is_said(take: Take, kind: str) -> None:
    """Bytes that belong to no start code are changed: every frame still comes out, some of them wrong."""
    stream = bytearray(_stream(kind))
    for at in range(len(stream) // 2, len(stream) - 40, 61):
        if not {0, 255} & {*stream[at - 6 : at + 7]}:
            stream[at] ^= 0x15
    result = take(_file(kind, stream=bytes(stream)))
    assert (result.outcome, Clip.objects.get().frames) == ("parked", COUNT)
    assert result.reason.endswith("with damage: shown as far as it can be, not scored.")


def test_a_video_that_is_none_is_named(take: Take) -> None:
    result = take(_file("H.264, bare", stream=b"\0\0\0\1" + bytes(400)))
    assert (result.outcome, result.code) == ("parked", "undecodable")
    assert "that ffmpeg cannot decode" in result.reason


def test_another_size_than_the_headers_is_said_and_shown(take: Take) -> None:
    take(_file("H.264, bare", Rows=ROWS * 2))
    clip = Clip.objects.get()
    assert (clip.rows, clip.columns) == (ROWS, COLUMNS)
    assert any(f"its video {COLUMNS} x {ROWS}" in warning for warning in clip.warnings)


PLAYLIST = "#EXTM3U\n#EXTINF:1,\nfile:{0}\n#EXT-X-ENDLIST\n"
CONCAT = "ffconcat version 1.0\nfile '{0}'\n"


@pytest.mark.parametrize("text", [PLAYLIST, CONCAT])
def test_a_video_names_no_other_file(take: Take, tmp_path: Path, text: str) -> None:
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(_stream("H.264, MP4 with its index first"))
    result = take(_file("H.264, bare", stream=text.format(secret).encode()))
    assert (result.outcome, result.code) == ("parked", "undecodable")


def test_without_ffmpeg_a_video_is_kept_and_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.dcm"
    path.write_bytes(_file("H.264, bare"))
    monkeypatch.setattr(video, "program", lambda: "")
    facts = header.read(path)["pixels"]
    assert (facts["flaw"], facts["frames"], facts["whole"]) == ("undecodable", COUNT, 0)
    assert facts["flaw_reason"].endswith("kept, but neither played nor scored here. " + video.INSTALL)


def test_a_video_too_long_to_be_checked_is_shown_and_not_scored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.dcm"
    path.write_bytes(_file("H.264, bare"))
    monkeypatch.setattr(video, "_COUNT_SECONDS", 0)
    facts = header.read(path)["pixels"]
    assert (facts["flaw"], facts["frames"], facts["whole"]) == ("truncated", COUNT, COUNT)
    assert "too long to be checked" in facts["flaw_reason"]


def test_ffmpeg_is_told_the_container_and_where_in_the_file_the_stream_lies(tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    path.write_bytes(_file("H.264, bare"))
    forced, container, _, address = video._input(open_dicom(path))
    start, end = re.findall(r"(?:start|end),(\d+)", address)
    assert (forced, container) == ("-f", "h264")
    assert path.read_bytes()[int(start) : int(end)].rstrip(b"\0") == _stream("H.264, bare").rstrip(b"\0")


def test_a_video_that_came_before_ffmpeg_is_played_once_it_is_read_again(take: Take) -> None:
    take(_file("H.264, bare"))
    lacking = {"scorable": False, "parked_reason": "no ffmpeg", "decode_error": "no ffmpeg"}
    Clip.objects.update(**lacking)
    clip = Clip.objects.get()
    assert reread.compared(clip.study, {clip: reread.header_of(clip)}).clips[clip] == {
        "scorable": True,
        "parked_reason": "",
        "decode_error": "",
    }


def test_ffmpeg_ends_with_the_worker_that_started_it(tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    path.write_bytes(_file("H.264, bare"))
    with pytest.raises(SandboxError):
        list(pool.decode_frames(path, [COUNT + 5]))
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(path) not in running
