"""Pictures as DCMTK and OpenJPEG's own program decode them: they share no mistake with pydicom."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.encaps import generate_frames

from studies.sandbox import pool


def frames(path: Path, *options: str, folder: Path | None = None) -> list[np.ndarray]:
    """Every frame as dcmj2pnm shows it, uint8 [H, W] or [H, W, 3]; the test is skipped where DCMTK is not installed."""
    tool = shutil.which("dcmj2pnm")
    if tool is None:
        pytest.skip("DCMTK is not installed")
    folder = folder or path.parent / f"{path.stem}-dcmtk"
    folder.mkdir(exist_ok=True)
    subprocess.run([tool, "+Fa", "+fo", *options, str(path), str(folder / "f")], check=True, capture_output=True)
    files = sorted(folder.iterdir(), key=lambda file: int(file.stem.split(".")[-1]))
    return [np.asarray(Image.open(file)) for file in files]


def decoded(path: Path, tool: str) -> np.ndarray:
    """Every frame as dcmdjpeg, dcmdjpls or opj_decompress decodes it: values [N, H, W], or RGB [N, H, W, 3]."""
    if tool == "opj_decompress":
        return np.stack([_by_openjpeg(stream, path.with_suffix(".j2k")) for stream in _streams(path)])
    read = pydicom.dcmread(uncompressed(path, tool, path.with_suffix(".plain.dcm")))
    sides = (int(read.get("NumberOfFrames", 1)), read.Rows, read.Columns)
    values = np.frombuffer(read.PixelData, "<u2" if read.BitsAllocated == 16 else "u1")
    if read.SamplesPerPixel == 1:
        return values[: int(np.prod(sides))].reshape(sides)
    assert read.PhotometricInterpretation == "RGB"
    flat = values[: 3 * int(np.prod(sides))]
    planes = flat.reshape(sides[0], 3, *sides[1:]).transpose(0, 2, 3, 1)
    return planes if read.PlanarConfiguration else flat.reshape(*sides, 3)


def uncompressed(path: Path, tool: str, plain: Path) -> Path:
    """The file as DCMTK's program writes it, without compression."""
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    subprocess.run([tool, str(path), str(plain)], check=True, capture_output=True)
    return plain


def _streams(path: Path) -> list[bytes]:
    read = pydicom.dcmread(path)
    return list(generate_frames(read.PixelData, number_of_frames=int(read.NumberOfFrames)))


def _by_openjpeg(stream: bytes, path: Path) -> np.ndarray:
    if shutil.which("opj_decompress") is None:
        pytest.skip("opj_decompress is not installed")
    path.write_bytes(stream)
    picture = path.with_suffix(".png")
    subprocess.run(["opj_decompress", "-i", str(path), "-o", str(picture)], check=True, capture_output=True)
    return np.asarray(Image.open(picture))


def shown(path: Path, number: int = 1) -> np.ndarray:
    """One frame as a reader sees it."""
    ((_, _, data),) = pool.decode_frames(path, [number])
    return np.asarray(Image.open(io.BytesIO(data)))


def apart(ours: np.ndarray, theirs: np.ndarray) -> int:
    """The largest difference between two pictures; a grey one counts as one with equal colours."""
    one, other = (picture if picture.ndim == 3 else np.stack([picture] * 3, axis=-1) for picture in (ours, theirs))
    return int(np.abs(one.astype(int) - other.astype(int)).max())
