"""Small DICOM files made for one test each."""

from __future__ import annotations

import io
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pydicom.data.data_manager import DATA_ROOT
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, JPEGBaseline8Bit, generate_uid

BUNDLED = Path(DATA_ROOT) / "test_files"
ULTRASOUND = "1.2.840.10008.5.1.4.1.1.3.1"
ROWS, COLUMNS = 24, 32


def dataset(*, frames: int = 2, seed: int = 0, **facts: Any) -> Dataset:
    """A grey ultrasound clip; ``facts`` replace elements by keyword, None removes one."""
    pixels = np.random.default_rng(seed).integers(0, 256, (frames, ROWS, COLUMNS), dtype=np.uint8)
    made = Dataset()
    elements = {
        "SOPClassUID": ULTRASOUND,
        "SOPInstanceUID": generate_uid(),
        "StudyInstanceUID": generate_uid(),
        "SeriesInstanceUID": generate_uid(),
        "Modality": "US",
        "PatientID": "P1",
        "PatientName": "Test^Infant",
        "PatientBirthDate": "20260101",
        "StudyDate": "20260105",
        "StudyTime": "101500",
        "SeriesDescription": "COR sweep",
        "FrameTime": "40",
        "NumberOfFrames": frames,
        "Rows": ROWS,
        "Columns": COLUMNS,
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": 8,
        "BitsStored": 8,
        "HighBit": 7,
        "PixelRepresentation": 0,
        "PixelData": pixels.tobytes(),
    } | facts
    for keyword, value in elements.items():
        if value is not None:
            setattr(made, keyword, value)
    return made


def encoded(made: Dataset, *, syntax: str = ExplicitVRLittleEndian, preamble: bytes = bytes(128)) -> bytes:
    """The file's bytes."""
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = UID(syntax)
    made.file_meta.MediaStorageSOPClassUID = made.get("SOPClassUID", ULTRASOUND)
    made.file_meta.MediaStorageSOPInstanceUID = made.get("SOPInstanceUID", "1.2")
    made.preamble = preamble
    out = io.BytesIO()
    made.save_as(out, enforce_file_format=True)
    return out.getvalue()


def clip(**facts: Any) -> bytes:
    """The bytes of an ordinary clip."""
    return encoded(dataset(**facts))


def _jpeg(seed: int) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (48, 64), dtype=np.uint8)).save(out, "JPEG")
    return out.getvalue()


def damaged(**facts: Any) -> bytes:
    """Four JPEG frames, of which the second is none."""
    frames = [_jpeg(1), b"\xff\xd8 this is no picture \xff\xd9", _jpeg(3), _jpeg(4)]
    made = dataset(frames=4, Rows=48, Columns=64, PixelData=encapsulate(frames), **facts)
    made["PixelData"].VR = "OB"
    made["PixelData"].is_undefined_length = True
    return encoded(made, syntax=JPEGBaseline8Bit)


def region(*, x1: int = COLUMNS - 1, units: int = 3) -> Dataset:
    item = Dataset()
    item.RegionSpatialFormat = 1
    item.RegionDataType = 1
    item.RegionLocationMinX0 = 2
    item.RegionLocationMinY0 = 3
    item.RegionLocationMaxX1 = x1
    item.RegionLocationMaxY1 = ROWS - 1
    item.PhysicalUnitsXDirection = units
    item.PhysicalUnitsYDirection = units
    item.PhysicalDeltaX = 0.02
    item.PhysicalDeltaY = 0.03
    return item


def deflated_bomb(size: int) -> bytes:
    """A header in front of ``size`` zeros, deflated a thousandfold."""
    start = encoded(Dataset(), syntax=DeflatedExplicitVRLittleEndian)
    head = start[: start.index(b"1.2.840.10008.1.2.1.99") + 22]
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    element = b"\x09\x00\x10\x10OB\x00\x00" + size.to_bytes(4, "little")
    return head + packer.compress(element + bytes(size)) + packer.flush()


def nested_sequences(depth: int) -> bytes:
    """A clip in front of whose pixels sequences lie in sequences."""
    whole = clip()
    start = whole.index(b"\x10\x00\x10\x00PN")
    opening = b"\x09\x00\x10\x00SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    return whole[:start] + opening * depth + whole[start:]


def form(files: Sequence[tuple[str, bytes]], *, paths: Sequence[str] = ()) -> tuple[bytes, str]:
    """A form of files, as a browser sends it: (body, content type)."""
    lines = []
    for name, data in files:
        head = f'Content-Disposition: form-data; name="files"; filename="{name}"\r\nContent-Type: application/dicom'
        lines.append(head.encode() + b"\r\n\r\n" + data)
    lines += [f'Content-Disposition: form-data; name="paths"\r\n\r\n{path}'.encode() for path in paths]
    return _multipart(lines), "multipart/form-data; boundary=XYZ"


def related(instances: Sequence[bytes]) -> tuple[bytes, str]:
    """A STOW-RS body: (body, content type)."""
    lines = [b"Content-Type: application/dicom\r\n\r\n" + data for data in instances]
    return _multipart(lines), 'multipart/related; type="application/dicom"; boundary=XYZ'


def _multipart(parts: Sequence[bytes]) -> bytes:
    return b"".join(b"--XYZ\r\n" + part + b"\r\n" for part in parts) + b"--XYZ--\r\n"
