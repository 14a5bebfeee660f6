"""A cell of the corpus: one file that the standard permits or a device writes, and what must come of it.

What is right is never asked of our own decoders: it is the array that the file was made from, carried through the
arithmetic of PS3.3 (C.7.6.3 and C.11.2) as it is written down here, or the picture of another decoder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian

from tests.studies.dicoms import dataset, encoded

Array = npt.NDArray[Any]
Verdict = Literal["right", "said", "kept"]
ROWS, COLUMNS = 12, 16
FRAMES = (1, 3)
_LUMA = np.array([0.299, 0.587, 0.114])


@dataclass(frozen=True)
class Cell:
    """``shown`` is the picture of each frame, [N, H, W] or [N, H, W, 3] of 8 bits, None where none may be shown.

    ``grey`` is what the model sees, from ``shown`` unless it is given. ``verdict``: ``right`` is the picture without a
    word, ``said`` the picture with a warning, ``kept`` no picture with a reason; the sentence holds ``word``.
    """

    name: str
    data: bytes
    shown: Array | None = None
    grey: Array | None = None
    tolerance: int = 0
    verdict: Verdict = "right"
    word: str = ""
    only: Sequence[int] = field(default_factory=tuple)
    """Frames that are judged, counted from 1; empty for all."""
    second: str = ""
    """The program that decodes it as well, where it is lossy: dcmdjpeg, dcmdjpls or opj_decompress."""


Family = Callable[[], Iterator[Cell]]


def luma(shown: Array) -> Array:
    """[N, H, W] of what is shown."""
    return shown if shown.ndim == 3 else np.rint(shown @ _LUMA)


def in_bytes(share: Array) -> Array:
    """Of 0 to 1, 8 bits."""
    grey: Array = np.rint(np.clip(share, 0, 1) * 255).astype(np.uint8)
    return grey


def spread(values: Array) -> Array:
    """From black at the clip's least value to white at its largest."""
    low, high = float(values.min()), float(values.max())
    return in_bytes((values - low) / (high - low))


def rgb_of(ybr: Array) -> Array:
    """PS3.3, C.7.6.3.1.2, YBR_FULL, solved for R, G and B."""
    y, blue, red = (ybr[..., index].astype(float) - (128 if index else 0) for index in range(3))
    planes = y + 1.402 * red, y - 0.344136 * blue - 0.714136 * red, y + 1.772 * blue
    return np.rint(np.clip(np.stack(planes, axis=-1), 0, 255)).astype(np.uint8)


def ybr_of(rgb: Array) -> Array:
    """PS3.3, C.7.6.3.1.2, YBR_FULL."""
    red, green, blue = (rgb[..., index].astype(float) for index in range(3))
    planes = (
        0.299 * red + 0.587 * green + 0.114 * blue,
        -0.1687 * red - 0.3313 * green + 0.5 * blue + 128,
        0.5 * red - 0.4187 * green - 0.0813 * blue + 128,
    )
    return np.rint(np.clip(np.stack(planes, axis=-1), 0, 255)).astype(np.uint8)


def noise(*shape: int, bits: int = 8, signed: bool = False, seed: int = 1) -> Array:
    """Values over the whole range of so many bits, its ends among them."""
    low, high = (-(1 << bits - 1), 1 << bits - 1) if signed else (0, 1 << bits)
    values: Array = np.random.default_rng(seed).integers(low, high, shape)
    values.flat[0], values.flat[1] = low, high - 1
    return values


def smooth(frames: int, *, colour: bool = False, rows: int = ROWS, columns: int = COLUMNS) -> Array:
    """A slope that lossy encoders keep, another one in each frame; of 8 bits."""
    n, y, x = np.mgrid[:frames, :rows, :columns]
    grey: Array = 40 + 8 * x + 4 * y + 16 * n
    if not colour:
        return grey.astype(np.uint8)
    return np.stack([grey, 220 - 5 * x - 6 * y, 60 + 10 * y + 12 * n], axis=-1).astype(np.uint8)


def words(values: Array, allocated: int, syntax: str = ExplicitVRLittleEndian) -> bytes:
    """Values as the file holds them, in its byte order."""
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    return values.astype(f"{order}u{allocated // 8}").tobytes()


def file(
    pixels: bytes,
    shape: Sequence[int],
    *,
    syntax: str = ExplicitVRLittleEndian,
    photometric: str | None = "MONOCHROME2",
    bits: tuple[int, int] = (8, 8),
    signed: bool = False,
    **facts: Any,
) -> bytes:
    """A file whose uncompressed pixels have that shape, [N, H, W] or [N, H, W, 3]."""
    return encoded(_dataset(pixels, shape, photometric=photometric, bits=bits, signed=signed, **facts), syntax=syntax)


def _dataset(
    pixels: bytes,
    shape: Sequence[int],
    *,
    photometric: str | None,
    bits: tuple[int, int],
    signed: bool,
    vr: str = "",
    extra: Dataset | None = None,
    **facts: Any,
) -> Dataset:
    samples = shape[3] if len(shape) == 4 else 1
    elements = {
        "NumberOfFrames": shape[0],
        "Rows": shape[1],
        "Columns": shape[2],
        "SamplesPerPixel": samples,
        "PlanarConfiguration": 0 if samples > 1 else None,
        "PhotometricInterpretation": photometric,
        "BitsAllocated": bits[0],
        "BitsStored": bits[1],
        "HighBit": bits[1] - 1,
        "PixelRepresentation": int(signed),
        "PixelData": pixels,
    }
    made = dataset(**(elements | facts))
    made["PixelData"].VR = vr or ("OB" if bits[0] <= 8 else "OW")
    made.update(extra or {})
    return made


Tables = Literal["basic", "none", "extended", "fragments", "fragments-basic"]


def compressed(
    streams: Sequence[bytes], shape: Sequence[int], syntax: str, *, tables: Tables = "basic", **facts: Any
) -> bytes:
    """A file of compressed frames, with the offset tables that are asked for; ``fragments``: two for each frame."""
    plain: dict[str, Any] = {"photometric": "MONOCHROME2", "bits": (8, 8), "signed": False}
    made = _dataset(b"", shape, **(plain | facts))
    pieces = 2 if tables.startswith("fragments") else 1
    if tables == "extended":
        made.PixelData, offsets, lengths = encapsulate_extended(list(streams))
        made.ExtendedOffsetTable, made.ExtendedOffsetTableLengths = offsets, lengths
    else:
        made.PixelData = encapsulate(list(streams), fragments_per_frame=pieces, has_bot=tables.endswith("basic"))
    made["PixelData"].VR, made["PixelData"].is_undefined_length = "OB", True
    return encoded(made, syntax=syntax)
