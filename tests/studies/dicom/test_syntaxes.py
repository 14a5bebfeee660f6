"""Pixels that nothing here decodes: kept, and named for what they are."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import (
    HEVCMP51,
    MPEG2MPML,
    MPEG4HP41,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from studies.ingest.results import IngestResult
from studies.models import Clip
from studies.sandbox import pool
from studies.sandbox.pool import SandboxError
from tests.studies.dicoms import COLUMNS, ROWS, clip, dataset, encoded

Take = Callable[..., IngestResult]
VIDEOS = {
    MPEG2MPML: "MPEG2 Main Profile / Main Level",
    MPEG4HP41: "MPEG-4 AVC/H.264 High Profile / Level 4.1",
    HEVCMP51: "HEVC/H.265 Main Profile / Level 5.1",
    "1.2.840.10008.1.2.4.102.1": "Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.1",
}
OTHERS = {
    "1.2.840.10008.1.2.4.110": "JPEG XL Lossless",
    "1.2.840.10008.1.2.4.112": "JPEG XL",
    "1.2.840.113619.5.2": "a private transfer syntax (1.2.840.113619.5.2)",
    "1.2.840.10008.1.2.4.999": "an unknown transfer syntax (1.2.840.10008.1.2.4.999)",
}


def _under(syntax: str) -> bytes:
    """25 frames in one fragment. What pydicom writes for explicit little-endian data, under another name."""
    made = dataset(frames=25, PixelData=encapsulate([b"\0\0\1\xb3" + bytes(200)]))
    made["PixelData"].VR, made["PixelData"].is_undefined_length = "OB", True
    known = encoded(made, syntax=MPEG2MPML)
    name = syntax.encode() + b"\0" * (len(syntax) % 2)
    old = MPEG2MPML.encode() + b"\0" * (len(MPEG2MPML) % 2)
    before, after = known.split(b"\x02\x00\x10\x00UI" + len(old).to_bytes(2, "little") + old)
    return before + b"\x02\x00\x10\x00UI" + len(name).to_bytes(2, "little") + name + after


@pytest.mark.parametrize("syntax", VIDEOS)
def test_a_video_is_kept_and_named(take: Take, syntax: str) -> None:
    result = take(_under(syntax))
    assert (result.outcome, result.code) == ("parked", "undecodable")
    assert result.reason.startswith(f"It is a video ({VIDEOS[syntax]})")
    assert "kept, but neither played nor scored" in result.reason


@pytest.mark.parametrize("syntax", OTHERS)
def test_a_syntax_that_nothing_decodes_is_kept_and_named(take: Take, syntax: str) -> None:
    result = take(_under(syntax))
    assert (result.outcome, result.code) == ("parked", "undecodable")
    assert result.reason == f"Its pixels are encoded as {OTHERS[syntax]}, which cannot be decoded here."
    assert Clip.objects.get().decode_error == result.reason


def test_a_private_syntax_that_hides_the_identifiers_is_refused(take: Take) -> None:
    whole = _under("1.2.840.113619.5.2")
    start = whole.index(b"\x08\x00\x16\x00")
    result = take(whole[:start] + bytes(byte ^ 0x5A for byte in whole[start:]))
    assert (result.outcome, result.code) == ("refused", "unknown_syntax")


def _jpegs(count: int) -> bytes:
    out = io.BytesIO()
    pixels = np.random.default_rng(4).integers(0, 256, (ROWS, COLUMNS), dtype=np.uint8)
    Image.fromarray(pixels).save(out, "JPEG", quality=60)
    return (out.getvalue() + b"\0" * (out.tell() % 2)) * count


def _said_compressed(path: Path, data: bytes) -> bool:
    path.write_bytes(data)
    pixels = pool.read_header(path)["pixels"]
    with pytest.raises(SandboxError, match="says that its pixels are not compressed, but they are"):
        list(pool.decode_frames(path, [1]))
    return pixels["flaw"] == "undecodable"


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize("frames", [1, 2, 5])
def test_compressed_bytes_under_an_uncompressed_syntax_are_not_shown(tmp_path: Path, syntax: str, frames: int) -> None:
    """Shorter than the header's frames, or longer."""
    made = dataset(frames=frames, PixelData=_jpegs(3))
    made["PixelData"].VR = "OB"
    assert _said_compressed(tmp_path / "a.dcm", encoded(made, syntax=syntax))


def test_fragments_under_an_uncompressed_syntax_are_not_shown(tmp_path: Path) -> None:
    data = _under(ExplicitVRLittleEndian)
    assert _said_compressed(tmp_path / "a.dcm", data)


def test_uncompressed_pixels_that_happen_to_begin_so_are_shown(tmp_path: Path) -> None:
    pixels = b"\xff\xd8\xff\xe0" + bytes(2 * ROWS * COLUMNS - 4)
    (tmp_path / "a.dcm").write_bytes(clip(PixelData=pixels))
    assert pool.read_header(tmp_path / "a.dcm")["pixels"]["flaw"] == ""
