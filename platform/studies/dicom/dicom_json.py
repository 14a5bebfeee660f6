"""A header as the DICOM JSON Model (PS3.18, annex F), with caps: what goes beyond them is left out, and said.

Values above ``BULK_BYTES``, and all pixels, are ``BulkDataURI``, relative to the instance: ``bulkdata/7FE00010``,
``bulkdata/00081140/0/00081155`` inside the first item of a sequence. Names have all their groups.
"""

from __future__ import annotations

import base64
import json
import math
from dataclasses import dataclass, field
from typing import Any

from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag

from studies.dicom.bounded_reader import UNDEFINED, DicomFile

Json = dict[str, Any]

BULK_BYTES = 16 * 1024
MAX_BYTES = 8 * 1024**2
MAX_ELEMENTS = 100_000
MAX_DEPTH = 16
BULK = "bulkdata/"
CHARACTER_SET = "00080005"
_PIXELS = {"pixels": "7FE00010", "float": "7FE00008", "double": "7FE00009"}
_PIXEL_VR = {"pixels": "OW", "float": "OF", "double": "OD"}
SWAPPED = {"OW": 2, "OL": 4, "OF": 4, "OD": 8, "OV": 8}
"""Bytes of one value, by kind of binary value that depends on the order of bytes."""
_TEXTS = {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT"}
_UTF8 = {"vr": "CS", "Value": ["ISO_IR 192"]}


class TooMuch(Exception):
    """The element nests too deeply or holds too many others."""


@dataclass
class Whole:
    """``elements`` by tag, each as JSON text, in order; ``left_out``: the tags that went beyond the caps."""

    elements: dict[str, str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def text(self) -> str:
        return "{" + ",".join(f'"{tag}":{value}' for tag, value in self.elements.items()) + "}"

    def picked(self, tags: frozenset[str], *, most: int) -> Json:
        """Those of ``tags`` that are there and no longer than ``most`` characters."""
        here = self.elements.items()
        return {tag: json.loads(value) for tag, value in here if tag in tags and len(value) <= most}


def of(opened: DicomFile) -> Whole:
    """The header of a file. Where there is no room for all, plain elements of the standard come first, then its
    sequences, then what is private."""
    writer = _Writer(swapped=not opened.little_endian)
    whole, room = Whole(), MAX_BYTES
    for tag in sorted(opened.dataset.keys(), key=lambda each: _precedence(opened.dataset, each)):
        if tag.group <= 2 or tag.element == 0:
            continue
        text = writer.top(opened.dataset, tag)
        if text is None or len(text) > room:
            whole.left_out.append(key(tag))
            continue
        room -= len(text)
        whole.elements[key(tag)] = text
    _say_pixels(opened, whole)
    whole.elements = dict(sorted(whole.elements.items()))
    return whole


def _precedence(dataset: Dataset, tag: BaseTag) -> tuple[int, bool, int]:
    return tag.group % 2, vr_of(tag, dataset.get_item(tag)) == "SQ", int(tag)


def key(tag: BaseTag) -> str:
    return f"{int(tag):08X}"


def _say_pixels(opened: DicomFile, whole: Whole) -> None:
    if CHARACTER_SET in whole.elements:
        whole.elements[CHARACTER_SET] = json.dumps(_UTF8)
    if opened.pixel_kind:
        tag = _PIXELS[opened.pixel_kind]
        vr = "OB" if opened.pixel_length == UNDEFINED else opened.pixel_vr or _PIXEL_VR[opened.pixel_kind]
        whole.elements[tag] = _dumped({"vr": vr, "BulkDataURI": BULK + tag})


def _dumped(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


@dataclass
class _Writer:
    swapped: bool
    left: int = MAX_ELEMENTS

    def top(self, dataset: Dataset, tag: BaseTag) -> str | None:
        """None: it goes beyond the caps, or makes no sense at all."""
        try:
            return _dumped(self._element(dataset, tag, key(tag), 0))
        except (TooMuch, RecursionError):
            return None
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001 - pydicom converts on access and raises what it likes
            return None

    def _element(self, dataset: Dataset, tag: BaseTag, path: str, depth: int) -> Json:
        self.left -= 1
        if self.left < 0 or depth > MAX_DEPTH:
            raise TooMuch
        raw: Any = dataset.get_item(tag)
        vr = vr_of(tag, raw)
        if vr != "SQ" and isinstance(raw, RawDataElement) and len(raw.value or b"") > BULK_BYTES:
            return {"vr": vr, "BulkDataURI": BULK + path}
        element = _converted(dataset, tag)
        if element is None:
            return _unconverted(vr, raw)
        if element.VR == "SQ":
            items = [self._item(item, f"{path}/{number}", depth) for number, item in enumerate(element.value or [])]
            return {"vr": "SQ", "Value": items} if items else {"vr": "SQ"}
        return self._leaf(element)

    def _item(self, item: Dataset, path: str, depth: int) -> Json:
        tags = [tag for tag in sorted(item.keys()) if tag.element != 0]
        return {key(tag): self._element(item, tag, f"{path}/{key(tag)}", depth + 1) for tag in tags}

    def _leaf(self, element: DataElement) -> Json:
        if self.swapped and element.VR in SWAPPED and isinstance(element.value, bytes):
            value = reordered(element.value, SWAPPED[element.VR])
            return {"vr": element.VR, "InlineBinary": base64.b64encode(value).decode()}
        try:
            made = element.to_json_dict(None, 0)
        except (MemoryError, RecursionError):
            raise
        except Exception:  # noqa: BLE001 - text where a number should be, which the model may pass on as text
            values = element.value if isinstance(element.value, list | MultiValue) else [element.value]
            made = {"vr": element.VR, "Value": [str(each) for each in values]}
        if "Value" in made:
            made["Value"] = [_plain(each) for each in made["Value"]]
        return made


def vr_of(tag: BaseTag, raw: RawDataElement | DataElement) -> str:
    """As the file says, else as the dictionary."""
    if raw.VR and raw.VR != "UN":
        return str(raw.VR)
    known = dictionary_VR(tag) if dictionary_has_tag(tag) else "UN"
    return known[:2]


def _converted(dataset: Dataset, tag: BaseTag) -> DataElement | None:
    try:
        return dataset[tag]
    except (MemoryError, RecursionError):
        raise
    except Exception:  # noqa: BLE001 - pydicom converts on access and raises what it likes
        return None


def _unconverted(vr: str, raw: Any) -> Json:
    """What the bytes are, where they are no value of their kind."""
    value = bytes(raw.value or b"") if isinstance(raw, RawDataElement) else b""
    if vr in _TEXTS - {"PN"}:
        return {"vr": vr, "Value": [_plain(part) for part in value.decode("utf-8", "replace").split("\\")]}
    return {"vr": "UN", "InlineBinary": base64.b64encode(value).decode()}


def reordered(value: bytes, width: int) -> bytes:
    """The bytes of each value of ``width`` bytes the other way round."""
    return b"".join(value[at : at + width][::-1] for at in range(0, len(value), width))


def _plain(value: Any) -> Any:
    """A value that any JSON and any database takes; null where it is empty."""
    if isinstance(value, dict):
        return {name: text for name, each in value.items() if (text := _plain(each)) is not None}
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "inf" if value > 0 else "-inf"
    if isinstance(value, int | float) or value is None:
        return value
    text = str(value).replace("\0", "").encode("utf-8", "replace").decode()
    return text or None
