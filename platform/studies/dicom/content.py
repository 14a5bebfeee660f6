"""What an instance says, apart from how it is written: two files of one content are one image that came twice.

The file meta group, lengths, paddings, the encoding of elements, texts and pixels belong to the route a file took.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydicom.charset import convert_encodings, decode_bytes
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from studies.dicom import pixels, syntaxes
from studies.dicom.bounded_reader import DicomFile, Refused, open_dicom
from studies.dicom.facts import Content

_CHUNK = 1024**2
_PADDING = b" \0"
_TEXTS = {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT"}
_OF_ANY_SCRIPT = {"LO", "LT", "PN", "SH", "ST", "UC", "UT"}
_ENDS_OF_WORDS = set(b"\\^=\n\r\t\f")
_CHARACTER_SET, _PLANAR_CONFIGURATION, _PHOTOMETRIC = 0x00080005, 0x00280006, 0x00280004
_RGB_IN_JPEG_2000 = {b"YBR_RCT": b"RGB"}
SWAPPED = {"US": 2, "SS": 2, "OW": 2, "AT": 2, "UL": 4, "SL": 4, "FL": 4, "OF": 4, "OL": 4, "FD": 8, "OD": 8}


def read(path: Path, *, decoded: bool) -> Content:
    """``decoded``: the pixels that a decoder gives, equal for every lossless way of writing them. Raises Refused."""
    return of(open_dicom(path), _decoded(path) if decoded else None)


def of(opened: DicomFile, image_bytes: Iterator[bytes] | None = None) -> Content:
    """Of a file that was just opened: values that somebody has looked at are no longer as they are written."""
    data_set, image = hashlib.sha256(), hashlib.sha256()
    swapped = syntaxes.is_known(opened.syntax) and not opened.syntax.is_little_endian
    for part in _parts(opened.dataset, swapped=swapped):
        data_set.update(part)
    for part in _written(opened) if image_bytes is None else image_bytes:
        image.update(part)
    plain = syntaxes.is_known(opened.syntax) and not swapped and not opened.syntax.is_encapsulated
    encoding = "native" if plain else str(opened.syntax)
    return {"data_set": data_set.hexdigest(), "pixels": image.hexdigest(), "encoding": encoding}


def _parts(dataset: Dataset, *, swapped: bool, encodings: Sequence[str] = ()) -> Iterator[bytes]:
    """Every element with its length, so that no two data sets run together into the same bytes.

    ``encodings`` are those of the data set around this one, which may name its own.
    """
    # First of all: pydicom reads other elements on the way to a sequence, and no longer gives them as they are written.
    written: list[tuple[BaseTag, Any]] = [(tag, dataset.get_item(tag)) for tag in sorted(dataset.keys())]
    encodings = _encodings(dataset) or encodings
    for tag, element in written:
        if tag.element == 0 or tag in (_PLANAR_CONFIGURATION, _CHARACTER_SET):
            continue
        yield f"{int(tag):08x}".encode()
        if _is_sequence(tag, element):
            yield from _items(dataset, tag, swapped=swapped, encodings=encodings)
        else:
            value = _in_unicode(tag, _value(tag, element, swapped=swapped), encodings)
            yield f":{len(value)}:".encode()
            yield value


def _is_sequence(tag: BaseTag, element: RawDataElement | DataElement) -> bool:
    if element.VR in (None, "UN"):
        return dictionary_has_tag(tag) and dictionary_VR(tag) == "SQ"
    return element.VR == "SQ"


def _value(tag: BaseTag, element: RawDataElement | DataElement, *, swapped: bool) -> bytes:
    """The bytes of the value, little-endian, without padding. pydicom converts an empty one of unknown VR at once."""
    if isinstance(element, DataElement):
        return b"" if element.is_empty else repr(element.value).encode()
    value = bytes(element.value or b"")
    width = SWAPPED.get(element.VR or "", 1) if swapped else 1
    if width > 1:
        value = b"".join(value[at : at + width][::-1] for at in range(0, len(value), width))
    if dictionary_has_tag(tag) and dictionary_VR(tag) in _TEXTS:
        value = value.rstrip(_PADDING)
    return _RGB_IN_JPEG_2000.get(value, value) if tag == _PHOTOMETRIC else value


def _encodings(dataset: Dataset) -> list[str]:
    """Python's names of those that the data set says its texts have."""
    named = dataset.get("SpecificCharacterSet")
    return convert_encodings(named) if named else []


def _in_unicode(tag: BaseTag, value: bytes, encodings: Sequence[str]) -> bytes:
    """A text as UTF-8, where it can be read as it says it is written: a router may write it otherwise."""
    if not encodings or (value.isascii() and b"\x1b" not in value):
        return value
    if not dictionary_has_tag(tag) or dictionary_VR(tag) not in _OF_ANY_SCRIPT:
        return value
    try:
        text = decode_bytes(value, encodings, _ENDS_OF_WORDS)
    except (LookupError, UnicodeError):
        return value
    return value if "\ufffd" in text else text.encode()


def _items(dataset: Dataset, tag: BaseTag, *, swapped: bool, encodings: Sequence[str]) -> Iterator[bytes]:
    for item in dataset[tag].value or []:
        yield b"("
        yield from _parts(item, swapped=swapped, encodings=encodings)
        yield b")"


def _written(opened: DicomFile) -> Iterator[bytes]:
    if not opened.pixel_kind:
        return
    opened.stream.seek(opened.pixel_start)
    while chunk := opened.stream.read(_CHUNK):
        yield chunk


def _decoded(path: Path) -> Iterator[bytes]:
    source = pixels.open_source(path)
    if source.shape.flaw:
        raise Refused(source.shape.flaw, source.shape.flaw_reason)
    for number in range(1, source.shape.frames + 1):
        array, _ = source.decoded(number)
        yield f"{array.shape}{array.dtype.kind}{array.dtype.itemsize}".encode()
        yield array.astype(array.dtype.newbyteorder("<")).tobytes()
