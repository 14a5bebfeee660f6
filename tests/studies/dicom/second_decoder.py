"""Pictures as DCMTK decodes them: it shares no codec and no mistake with pydicom."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

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


def shown(path: Path, number: int = 1) -> np.ndarray:
    """One frame as a reader sees it."""
    ((_, _, data),) = pool.decode_frames(path, [number])
    return np.asarray(Image.open(io.BytesIO(data)))


def apart(ours: np.ndarray, theirs: np.ndarray) -> int:
    """The largest difference between two pictures; a grey one counts as one with equal colours."""
    one, other = (picture if picture.ndim == 3 else np.stack([picture] * 3, axis=-1) for picture in (ours, theirs))
    return int(np.abs(one.astype(int) - other.astype(int)).max())
