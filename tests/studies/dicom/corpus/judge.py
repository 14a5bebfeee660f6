"""Judging cells in one warm sandbox: what a person sees, what the model sees, and what is said about it."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image

from studies.sandbox import pool
from studies.sandbox.pool import SandboxError
from tests.studies.dicom import second_decoder
from tests.studies.dicom.corpus.cells import Array, Cell, luma
from tests.studies.dicom.corpus.native import as_shown

SECOND_TOLERANCE = 3
"""Of 256: decoders round their transforms, and interpolate colours that pixels share, each in its own way."""


@dataclass(frozen=True)
class Finding:
    """``said`` is every sentence about the pixels; ``apart`` the largest difference, None where nothing is shown."""

    said: str
    scorable: bool
    apart: int | None

    second: int = 0
    """The largest difference from what the second decoder shows."""

    def verdict(self, tolerance: int) -> str:
        if self.second > SECOND_TOLERANCE:
            return "wrong"
        if self.apart is None:
            return "kept" if self.said else "wrong"
        if self.apart > tolerance:
            return "wrong" if not self.said or self.scorable else "doubted"
        if not self.scorable:
            return "kept"
        return "said" if self.said else "right"


def find(cell: Cell, path: Path) -> Finding:
    """What the platform makes of the file."""
    path.write_bytes(cell.data)
    try:
        header = pool.read_header(path)
    except SandboxError as refusal:
        return Finding(refusal.reason, scorable=False, apart=None)
    pixels = header["pixels"]
    said = " ".join([*header["warnings"], pixels["flaw_reason"]]).strip()
    numbers = list(cell.only or range(1, pixels["frames"] + 1))
    try:
        pictures = [
            np.asarray(Image.open(io.BytesIO(data))) for _, _, data in pool.decode_frames(path, numbers, seconds=9)
        ]
        greys = [np.frombuffer(data, np.uint8).reshape(shape) for _, shape, data in pool.decode_grey(path, numbers)]
    except SandboxError as refusal:
        return Finding(f"{said} {refusal.reason}", scorable=False, apart=None)
    apart = _apart(cell, pictures, greys)
    second = _second(cell, path, pictures) if cell.second else 0
    return Finding(said, scorable=not pixels["flaw"], apart=apart, second=second)


def _second(cell: Cell, path: Path, pictures: list[Array]) -> int:
    others = second_decoder.decoded(path, cell.second)
    return max(_difference(ours, theirs) for ours, theirs in zip(pictures, as_pictures(others, path), strict=True))


def as_pictures(decoded: Array, path: Path) -> Array:
    """As the corpus says that values are shown; RGB is a picture already."""
    header = pydicom.dcmread(path, stop_before_pixels=True)
    if decoded.ndim == 4:
        return decoded
    shown = as_shown(decoded, header.BitsStored)
    return 255 - shown if header.PhotometricInterpretation == "MONOCHROME1" else shown


def _apart(cell: Cell, pictures: list[Array], greys: list[Array]) -> int:
    if cell.shown is None or len(pictures) != len(cell.shown):
        return 256
    expected = luma(cell.shown) if cell.grey is None else cell.grey
    seen = max(_difference(ours, truth) for ours, truth in zip(pictures, cell.shown, strict=True))
    return max(seen, *(_difference(ours, truth) for ours, truth in zip(greys, expected, strict=True)))


def _difference(ours: Array, truth: Array) -> int:
    if ours.shape != truth.shape:
        return 256
    return int(np.abs(ours.astype(int) - truth.astype(int)).max())


def judge(cells: Iterable[Cell], folder: Path) -> tuple[Counter[str], list[str]]:
    """How many cells came out how, and those that came out otherwise than they must."""
    counts: Counter[str] = Counter()
    surprises = []
    for index, cell in enumerate(cells):
        finding = find(cell, folder / f"{index}.dcm")
        verdict = finding.verdict(cell.tolerance)
        counts[verdict] += 1
        if verdict != cell.verdict or cell.word not in finding.said:
            apart = f"{finding.apart} and {finding.second} apart"
            surprises.append(f"{cell.name}: {verdict}, not {cell.verdict} ({apart}; {finding.said[:200]!r})")
    return counts, surprises
