"""Deep greys on a screen of eight bits: by the file's window (PS3.3, C.11.2.1.2 and C.11.2.1.3), else on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_modality_lut, apply_voi

from studies.dicom.attributes import number, text, value
from studies.dicom.bounded_reader import DicomFile
from studies.dicom.facts import WindowShape
from studies.dicom.pixel_layout import Layout

Values = npt.NDArray[np.float64]
Grey = npt.NDArray[np.uint8]
_WHITE = 255
_AS_STORED = "Its window (centre {:g}, width {:g}) is not applied: greys of eight bits are shown as stored."
_UNUSABLE = "Its window has a width of {:g}, which means nothing: it is not applied."


@dataclass(frozen=True)
class Window:
    """Which values become black and white, and how those between them spread."""

    centre: float
    width: float
    shape: WindowShape = "LINEAR"

    @property
    def usable(self) -> bool:
        return self.width >= 1 if self.shape == "LINEAR" else self.width > 0

    @property
    def keeps_bytes(self) -> bool:
        """Eight bits come out as they went in, but for rounding."""
        return self.shape != "SIGMOID" and abs(self.centre - 128) <= 1 and abs(self.width - 256) <= 1

    def apply(self, values: Values) -> Grey:
        mapped = {"LINEAR": self._linear, "LINEAR_EXACT": self._exact, "SIGMOID": self._sigmoid}
        share: Values = mapped[self.shape](values)
        return _in_bytes(share)

    def _linear(self, values: Values) -> Values:
        if self.width == 1:
            return (values > self.centre - 0.5).astype(np.float64)
        return (values - (self.centre - 0.5)) / (self.width - 1) + 0.5

    def _exact(self, values: Values) -> Values:
        return (values - self.centre) / self.width + 0.5

    def _sigmoid(self, values: Values) -> Values:
        with np.errstate(over="ignore"):
            return 1 / (1 + np.exp(-4 * (values - self.centre) / self.width))


def window_of(dataset: Dataset) -> Window | None:
    """The first one that the file has, usable or not."""
    centre, width = number(dataset, "WindowCenter"), number(dataset, "WindowWidth")
    if centre is None or width is None:
        return None
    shape = text(dataset, "VOILUTFunction", 16).upper()
    return Window(centre, width, cast(WindowShape, shape) if shape in ("LINEAR_EXACT", "SIGMOID") else "LINEAR")


def say_what_is_not_applied(opened: DicomFile, layout: Layout) -> None:
    """A warning where the file has a window that the picture does not follow."""
    window = window_of(opened.dataset)
    if window is None or not layout.photometric.startswith("MONOCHROME"):
        return
    if not window.usable:
        opened.warnings.append(_UNUSABLE.format(window.width))
    elif layout.bits_stored <= 8 and not window.keeps_bytes:
        opened.warnings.append(_AS_STORED.format(window.centre, window.width))


def meant(array: npt.NDArray[Any], dataset: Dataset) -> Values:
    """What the stored values stand for: by the modality's table or its slope, which is 1 where it is none."""
    if _table_descriptor(dataset, "ModalityLUTSequence"):
        return np.asarray(apply_modality_lut(array, dataset), np.float64)
    slope, intercept = number(dataset, "RescaleSlope") or 1.0, number(dataset, "RescaleIntercept") or 0.0
    return array.astype(np.float64) * slope + intercept


def _table_descriptor(dataset: Dataset, keyword: str) -> Sequence[int] | None:
    """Of the first table of a sequence, None where there is none, or an empty one."""
    tables = value(dataset, keyword)
    descriptor: Sequence[int] | None = value(tables[0], "LUTDescriptor") if tables else None
    return descriptor if descriptor and len(descriptor) == 3 and value(tables[0], "LUTData") else None


def table_applied(values: Values, array: npt.NDArray[Any], dataset: Dataset) -> Grey | None:
    """Greys by the file's own table, None where it has none, or an empty one."""
    descriptor = _table_descriptor(dataset, "VOILUTSequence")
    if descriptor is None:
        return None
    whole = np.rint(values).astype(array.dtype if np.issubdtype(array.dtype, np.integer) else np.int32)
    out = np.asarray(apply_voi(whole, dataset), np.float64)
    top = (1 << int(descriptor[2])) - 1
    return _in_bytes(out / top)


def spread(values: Values, scale: tuple[float, float]) -> Grey:
    """From black at the scale's least value to white at its largest."""
    low, high = scale
    share = (values - low) / (high - low) if high > low else np.zeros_like(values)
    return _in_bytes(share)


def _in_bytes(share: Values) -> Grey:
    grey: Grey = np.rint(np.clip(share, 0, 1) * _WHITE).astype(np.uint8)
    return grey


def sampled(frames: int, most: int) -> Sequence[int]:
    """Numbers of at most so many frames, evenly from the first to the last."""
    return sorted({int(number) for number in np.linspace(1, frames, min(frames, max(most, 2))).round()})
