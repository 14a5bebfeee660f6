"""What DICOMweb hands out of a file and cannot take from it as it stands: decoded, recoded, a large value."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRLittleEndian

from studies.dicom import content, dicom_json, pixels
from studies.dicom.bounded_reader import UNDEFINED, DicomFile, Refused, open_dicom

_GONE = "The file holds no such value."


def encoded_frames(path: Path, numbers: Sequence[int]) -> list[bytes]:
    """Compressed frames as they are stored; raises Refused."""
    source = pixels.open_source(path)
    return [source.encoded(number) for number in pixels.checked(numbers, source)]


def native_frames(path: Path, numbers: Sequence[int]) -> Iterator[bytes]:
    """Uncompressed, little-endian, pixel by pixel; colours of compressed frames in RGB. Raises Refused."""
    source = pixels.open_source(path)
    for number in pixels.checked(numbers, source):
        if source.opened.syntax.is_encapsulated:
            yield _little(pixels.in_rgb(source, number)[0])
        else:
            yield _as_stored(source, number)


def _as_stored(source: pixels.Source, number: int) -> bytes:
    if source.shape.bits_allocated > 1 and not source.shape.sampling:
        return source.native(number)
    array, _ = source.decoded(number)
    if source.shape.planar and array.ndim == 3:
        array = array.transpose(2, 0, 1)
    return _little(array)


def _little(array: Any) -> bytes:
    little = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"), copy=False))
    return little.tobytes()


def value(path: Path, steps: Sequence[str]) -> bytes:
    """A value's bytes, little-endian; ``steps``: tags and, below sequences, numbers of items from 0. Raises Refused."""
    opened = open_dicom(path)
    dataset = opened.dataset
    for sequence, item in zip(steps[:-1:2], steps[1:-1:2], strict=True):
        dataset = _item(dataset, sequence, item)
    tag = Tag(int(steps[-1], 16))
    if tag not in dataset:
        raise Refused("no_such_value", _GONE)
    raw: Any = dataset.get_item(tag)
    if not isinstance(raw, RawDataElement):
        raise Refused("no_such_value", _GONE)
    data = bytes(raw.value or b"")
    width = content.SWAPPED.get(dicom_json.vr_of(tag, raw), 1)
    return data if opened.little_endian or width == 1 else dicom_json.reordered(data, width)


def _item(dataset: Dataset, tag: str, item: str) -> Dataset:
    try:
        items: Any = dataset[Tag(int(tag, 16))].value
        found = items[int(item)]
    except (KeyError, IndexError, TypeError):
        raise Refused("no_such_value", _GONE) from None
    if not isinstance(found, Dataset):
        raise Refused("no_such_value", _GONE)
    return found


def recoded(path: Path) -> bytes:
    """The whole file as Explicit VR Little Endian, its pixels uncompressed; raises Refused."""
    opened = open_dicom(path)
    dataset = opened.dataset
    if not opened.little_endian:
        dataset = _reordered(dataset)
    if opened.pixel_kind:
        _put_pixels(dataset, opened, path)
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta = meta
    out = io.BytesIO()
    dataset.save_as(out, implicit_vr=False, little_endian=True, enforce_file_format=True)
    return out.getvalue()


def _reordered(dataset: Dataset) -> Dataset:
    """With little-endian values: pydicom leaves binary ones of several bytes each, and the order of all, to others."""
    turned = Dataset()
    for element in dataset:
        if element.VR == "SQ":
            turned.add_new(element.tag, "SQ", [_reordered(item) for item in element.value or []])
        elif element.VR in dicom_json.SWAPPED and isinstance(element.value, bytes):
            value = dicom_json.reordered(element.value, dicom_json.SWAPPED[element.VR])
            turned.add_new(element.tag, element.VR, value)
        else:
            turned.add(element)
    return turned


def _put_pixels(dataset: Dataset, opened: DicomFile, path: Path) -> None:
    if opened.pixel_kind != "pixels":
        raise Refused("undecodable", "Its pixels are floating-point numbers.")
    if opened.pixel_length != UNDEFINED:
        opened.stream.seek(opened.pixel_start)
        data = opened.stream.read(opened.pixel_length)
        swapped = not opened.little_endian and opened.pixel_vr == "OW"
        data = dicom_json.reordered(data, 2) if swapped else data
    else:
        data = _decoded_pixels(dataset, path)
    deep = int(dataset.BitsAllocated) > 8
    dataset.add_new(0x7FE00010, "OW" if deep or opened.pixel_vr == "OW" else "OB", data + bytes(len(data) % 2))


def _decoded_pixels(dataset: Dataset, path: Path) -> bytes:
    """With the header saying what they are now: whole bytes, pixel by pixel, colours in RGB."""
    source = pixels.open_source(path)
    parts: list[bytes] = []
    array: Any = None
    photometric = source.shape.photometric
    for number in range(1, source.shape.frames + 1):
        array, photometric = pixels.in_rgb(source, number)
        parts.append(_little(array))
    dataset.PhotometricInterpretation = photometric
    dataset.BitsAllocated = 8 * array.dtype.itemsize
    dataset.BitsStored = min(source.shape.bits_stored, dataset.BitsAllocated)
    dataset.HighBit = dataset.BitsStored - 1
    if array.ndim == 3:
        dataset.PlanarConfiguration = 0
    return b"".join(parts)
