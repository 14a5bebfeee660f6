"""Opening a DICOM file with every size capped before anything is allocated or inflated."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian

from studies.dicom import syntaxes
from studies.dicom.uids import is_uid

MAGIC_AT = 128
INFLATE_CAP = 512 * 1024**2
INFLATE_FREELY = 64 * 1024**2
INFLATE_RATIO = 100
UNDEFINED = 0xFFFFFFFF
_DEFLATED_CUT = "Incomplete: its deflated data end early"
_FIRST_GROUPS = (b"\x08\x00", b"\x00\x08", b"\x02\x00")
_FIRST_ELEMENTS = {bytes(pair) for low in range(0x20) for pair in ((low, 0), (0, low))}
_PIXEL_TAGS = {0x7FE00010: "pixels", 0x7FE00008: "float", 0x7FE00009: "double"}


class Refused(Exception):
    """This file is not stored, or this frame not shown: ``reason`` is for a person, ``code`` for a program."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class BoundedReader(io.BufferedReader):
    """A file that allocates no more for a read than it still holds, whatever length a header claims."""

    def __init__(self, path: Path) -> None:
        super().__init__(io.FileIO(path))
        self._size = path.stat().st_size

    def read(self, size: int | None = -1, /) -> bytes:
        left = max(0, self._size - self.tell())
        return super().read(left if size is None or size < 0 else min(size, left))


@dataclass
class DicomFile:
    """A data set up to its pixels, and where those lie in ``stream``; ``pixel_kind`` is empty when it holds none."""

    dataset: Dataset
    stream: BinaryIO
    syntax: UID
    little_endian: bool = True
    pixel_kind: str = ""
    pixel_vr: str | None = None
    pixel_start: int = 0
    pixel_length: int = 0
    stream_size: int = 0
    warnings: list[str] = field(default_factory=list)


def open_dicom(path: Path, tags: Sequence[int] | None = None) -> DicomFile:
    """Read the data set of a Part 10 file (only ``tags``, if given) without its pixels; raises Refused."""
    stream: BinaryIO = BoundedReader(path)
    _check_magic(stream)
    meta = read_dataset(stream, is_implicit_VR=False, is_little_endian=True, stop_when=_after_meta)
    syntax = _syntax(meta)
    whole = True
    if syntax == DeflatedExplicitVRLittleEndian:
        stream, whole = _inflate(stream)
    known = syntaxes.is_known(syntax)
    elements: list[BaseTag | int] | None = None if tags is None else [BaseTag(tag) for tag in tags]
    dataset = read_dataset(
        stream,
        is_implicit_VR=known and syntax.is_implicit_VR,
        is_little_endian=not known or syntax.is_little_endian,
        stop_when=_at_pixels,
        specific_tags=elements,
    )
    dataset.file_meta = meta  # type: ignore[assignment]  # pydicom takes a plain Dataset
    if not known and "SOPInstanceUID" not in dataset:
        raise Refused("unknown_syntax", f"It is encoded in {syntaxes.name(syntax)}, and cannot be read here.")
    opened = DicomFile(dataset, stream, syntax, little_endian=not known or syntax.is_little_endian)
    _find_pixels(opened)
    if not whole:
        _say_deflated_is_cut(opened)
    return opened


def _say_deflated_is_cut(opened: DicomFile) -> None:
    if not opened.pixel_kind:
        raise Refused("damaged", f"{_DEFLATED_CUT}, in front of its pixels.")
    opened.warnings.append(f"{_DEFLATED_CUT}, inside its pixels.")


def _check_magic(stream: BinaryIO) -> None:
    head = stream.read(MAGIC_AT + 4)
    if not head:
        raise Refused("empty", "The file is empty.")
    if head[MAGIC_AT:] == b"DICM":
        return
    if head[:4] == b"DICM" or (head[:2] in _FIRST_GROUPS and head[2:4] in _FIRST_ELEMENTS):
        raise Refused(
            "no_preamble",
            "It looks like a DICOM data set, but the file header (128 bytes, then DICM) is missing. "
            "Export it again as a DICOM file.",
        )
    raise Refused("not_dicom", "This is not a DICOM file.")


def _after_meta(tag: BaseTag, vr: str | None, length: int) -> bool:
    return tag.group != 2


def _at_pixels(tag: BaseTag, vr: str | None, length: int) -> bool:
    return int(tag) in _PIXEL_TAGS


def _syntax(meta: Dataset) -> UID:
    value = str(meta.get("TransferSyntaxUID", "") or "")
    if not value:
        raise Refused("no_syntax", "Its file header does not say how the data are encoded (no transfer syntax).")
    if not is_uid(value):
        raise Refused("unknown_syntax", f"Its transfer syntax is no identifier ({value[:64]!r}).")
    return UID(value)


def _inflate(stream: BinaryIO) -> tuple[BinaryIO, bool]:
    """The data, and whether they end as they should."""
    packed = stream.read()
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    cap = min(INFLATE_CAP, max(INFLATE_FREELY, INFLATE_RATIO * len(packed)))
    try:
        data = inflater.decompress(packed, cap + 1)
    except zlib.error as error:
        raise Refused("damaged", "Its deflated data are damaged.") from error
    if len(data) > cap:
        raise Refused("too_large", f"It inflates to more than {cap // 1024**2} MB from {len(packed) // 1024} kB.")
    return io.BytesIO(data), inflater.eof


def _find_pixels(opened: DicomFile) -> None:
    """Where the pixel element's value starts and how long it says it is."""
    stream = opened.stream
    at = stream.tell()
    stream.seek(0, io.SEEK_END)
    opened.stream_size = stream.tell()
    stream.seek(at)
    implicit = bool(opened.dataset.original_encoding[0])
    order = "<" if opened.little_endian else ">"
    head = stream.read(8 if implicit else 12)
    if len(head) < (8 if implicit else 12):
        return
    group, element = struct.unpack(f"{order}HH", head[:4])
    opened.pixel_kind = _PIXEL_TAGS.get(group << 16 | element, "")
    opened.pixel_vr = None if implicit else head[4:6].decode("ascii", "replace")
    (opened.pixel_length,) = struct.unpack(f"{order}L", head[-4:])
    opened.pixel_start = stream.tell()
