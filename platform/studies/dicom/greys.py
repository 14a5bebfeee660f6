"""Deep greys on a screen of eight bits: by the file's window (PS3.3, C.11.2.1.2 and C.11.2.1.3), else on one scale."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from studies.dicom import lookup
from studies.dicom.attributes import number, text, value
from studies.dicom.bounded_reader import DicomFile
from studies.dicom.facts import WindowShape
from studies.dicom.pixel_layout import Layout

Values = npt.NDArray[np.float64]
Grey = npt.NDArray[np.uint8]
_WHITE = 255
_WORD = 65536
_AS_STORED = "Its window (centre {:g}, width {:g}) is not applied: greys of eight bits are shown as stored."
_IGNORED = "Its {} is not applied: what a device shows may look otherwise."
_OVERLAY = "It has an overlay, which is not shown."
_FIRST_FOR_ALL = "Its frames have windows of their own: that of the first is applied to all."
_BY_FRAME, _GROUPS = ("FrameVOILUTSequence", "PixelValueTransformationSequence"), 1000
OVERLAY_ROWS = 0x60000010
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
        return self.shape != "SIGMOID" and abs(self.centre - 128) <= 1 and abs(self.width - 256) <= 2

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
    held = _group(dataset, "FrameVOILUTSequence")
    centre, width = number(held, "WindowCenter"), number(held, "WindowWidth")
    if centre is None or width is None:
        return None
    shape = text(held, "VOILUTFunction", 16).upper()
    return Window(centre, width, cast(WindowShape, shape) if shape in ("LINEAR_EXACT", "SIGMOID") else "LINEAR")


def _group(dataset: Dataset, keyword: str) -> Dataset:
    """Where an enhanced object has these elements, for all frames or for the first; elsewhere they are the file's."""
    for groups in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        items = value(dataset, groups)
        held = value(items[0], keyword) if items else None
        if held:
            first: Dataset = held[0]
            return first
    return dataset


def _differs_by_frame(dataset: Dataset, keyword: str) -> bool:
    groups = value(dataset, "PerFrameFunctionalGroupsSequence") or []
    held = [value(group, keyword) for group in islice(groups, _GROUPS)]
    return any(each != held[0] for each in held)


def say_what_is_not_applied(opened: DicomFile, layout: Layout) -> None:
    """A warning for each element of the header that the picture does not follow."""
    if opened.dataset.get(OVERLAY_ROWS) is not None:
        opened.warnings.append(_OVERLAY)
    if not layout.photometric.startswith("MONOCHROME"):
        return
    window = window_of(opened.dataset)
    as_stored = is_as_stored(layout.bits_stored, opened)
    if window and not window.usable:
        opened.warnings.append(_UNUSABLE.format(window.width))
    elif window and as_stored and not window.keeps_bytes:
        opened.warnings.append(_AS_STORED.format(window.centre, window.width))
    if not as_stored and any(_differs_by_frame(opened.dataset, keyword) for keyword in _BY_FRAME):
        opened.warnings.append(_FIRST_FOR_ALL)
    opened.warnings.extend(_IGNORED.format(name) for name in _ignored(opened.dataset, layout, as_stored=as_stored))


def is_as_stored(bits: int, opened: DicomFile) -> bool:
    """Eight bits and fewer without a sign go to the screen as they are; one bit is black or white either way."""
    return 1 < bits <= 8 and value(opened.dataset, "PixelRepresentation") != 1


def _ignored(dataset: Dataset, layout: Layout, *, as_stored: bool) -> Iterator[str]:
    if as_stored and value(dataset, "ModalityLUTSequence"):
        yield "modality table"
    if as_stored and value(dataset, "VOILUTSequence"):
        yield "table of greys"
    if as_stored and (number(dataset, "RescaleSlope") or 1) < 0:
        yield "rescaling, which turns black and white about,"
    if layout.photometric == "MONOCHROME2" and text(dataset, "PresentationLUTShape", 16).upper() == "INVERSE":
        yield "inverse presentation"
    if text(dataset, "PixelPresentation", 16).upper() in ("COLOR", "MIXED"):
        yield "palette for some of its greys"


def meant(array: npt.NDArray[Any], opened: DicomFile) -> Values:
    """What the stored values stand for: by the modality's table or its slope, which is 1 where it is none."""
    if (table := _table(opened, "ModalityLUTSequence")) is not None:
        return lookup.looked_up(array, table.entries, table.first).astype(np.float64)
    dataset = _group(opened.dataset, "PixelValueTransformationSequence")
    slope, intercept = number(dataset, "RescaleSlope") or 1.0, number(dataset, "RescaleIntercept") or 0.0
    return array.astype(np.float64) * slope + intercept


@dataclass(frozen=True)
class _Table:
    """``first`` is the value of the first entry, ``top`` the largest entry that there could be."""

    entries: lookup.Entries
    first: int
    top: int


def _table(opened: DicomFile, keyword: str) -> _Table | None:
    """The first of a sequence of tables, None where there is none, or an empty one."""
    tables = value(opened.dataset, keyword)
    descriptor = value(tables[0], "LUTDescriptor") if tables else None
    data = value(tables[0], "LUTData") if tables else None
    if not descriptor or len(descriptor) != 3 or not data:
        return None
    count, first, bits = (int(part) for part in descriptor)
    entries = lookup.entries(opened, data, count=count % _WORD or _WORD, bits=bits)
    if not len(entries):
        return None
    signed = value(opened.dataset, "PixelRepresentation") == 1 or (number(opened.dataset, "RescaleIntercept") or 0) < 0
    first = first - _WORD if signed and first >= _WORD // 2 else first
    top = (1 << bits) - 1
    return _Table(entries, first, top if entries.max() <= top else _WORD - 1)


def table_applied(values: Values, opened: DicomFile) -> Grey | None:
    """Greys by the file's own table, None where it has none, or an empty one."""
    table = _table(opened, "VOILUTSequence")
    return None if table is None else _in_bytes(lookup.looked_up(values, table.entries, table.first) / table.top)


def is_padding(array: npt.NDArray[Any], opened: DicomFile) -> npt.NDArray[np.bool_]:
    """Where stored values only fill the rectangle (PS3.3, C.7.5.1.1.2): they say nothing of the others' scale."""
    padding = _stored_number(array, opened, "PixelPaddingValue")
    if padding is None:
        return np.zeros(array.shape, bool)
    limit = _stored_number(array, opened, "PixelPaddingRangeLimit")
    low, high = sorted((padding, padding if limit is None else limit))
    inside: npt.NDArray[np.bool_] = (array >= low) & (array <= high)
    return inside


def _stored_number(array: npt.NDArray[Any], opened: DicomFile, keyword: str) -> int | None:
    """As the pixels are stored: some write a negative one as if it had no sign."""
    stated = value(opened.dataset, keyword)
    if not isinstance(stated, int):
        return None
    signed = np.issubdtype(array.dtype, np.signedinteger)
    return stated - (1 << 8 * array.dtype.itemsize) if signed and stated > np.iinfo(array.dtype).max else stated


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
