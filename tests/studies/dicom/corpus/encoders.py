"""Compressed frames by encoders that share nothing with the platform's decoders but the standards."""

from __future__ import annotations

import io
from typing import Any

import imagecodecs
import numpy as np
from jpeg_ls.CharLS import encode as encode_jpeg_ls
from PIL import Image

from tests.studies.dicom.corpus.cells import Array

SOI, EOI = b"\xff\xd8", b"\xff\xd9"
_JFIF = b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"


def container(values: Array, stored: int) -> Array:
    return values.astype(np.uint8 if stored <= 8 else np.uint16)


def jpeg(picture: Array, *, sampling: str = "4:4:4", marker: str = "JFIF", **options: Any) -> bytes:
    """Baseline JPEG of a grey or an RGB picture; ``marker``: JFIF, Adobe, or none. Colours are coded as YCbCr."""
    out = io.BytesIO()
    colour = {"subsampling": sampling} if picture.ndim == 3 else {}
    Image.fromarray(picture).save(out, "JPEG", quality=98, **colour, **options)
    return marked(out.getvalue(), marker, transform=1)


def rgb_jpeg(picture: Array, *, marker: str = "Adobe", named: bool = False) -> bytes:
    """Baseline JPEG whose components are R, G and B; ``named`` so, or numbered 1 to 3."""
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "JPEG", quality=98, subsampling=0, keep_rgb=True)
    return _named(marked(out.getvalue(), marker, transform=0), b"RGB" if named else b"\1\2\3")


def _named(stream: bytes, names: bytes) -> bytes:
    """With other names of the three components, in the frame header and in that of the scan."""
    data = bytearray(stream)
    frame = data.index(b"\xff\xc0") if b"\xff\xc0" in data else data.index(b"\xff\xc3")
    for at, step in ((frame + 10, 3), (data.index(b"\xff\xda") + 5, 2)):
        data[at : at + 3 * step : step] = names
    return bytes(data)


def marked(stream: bytes, marker: str, *, transform: int) -> bytes:
    """With that application marker alone, whatever the encoder wrote."""
    at = 2
    while stream[at] == 0xFF and 0xE0 <= stream[at + 1] <= 0xEF:
        at += 2 + int.from_bytes(stream[at + 2 : at + 4])
    adobe = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00" + bytes([transform])
    return SOI + {"JFIF": _JFIF, "Adobe": adobe, "none": b""}[marker] + stream[at:]


def extended(picture: Array) -> bytes:
    """Process 4: 12 bits, lossy."""
    return bytes(imagecodecs.jpeg8_encode(picture.astype(np.uint16), level=98, bitspersample=12))


def lossless(values: Array, stored: int, predictor: int = 1, *, marker: str = "none") -> bytes:
    """Process 14, by one of its seven predictors; three components are coded as they are."""
    colour: dict[str, Any] = {"colorspace": "RGB", "outcolorspace": "RGB"} if values.ndim == 3 else {}
    options: dict[str, Any] = {"lossless": True, "predictor": predictor, "bitspersample": stored}
    stream = bytes(imagecodecs.jpeg8_encode(container(values, stored), **options, **colour))
    return _named(marked(stream, marker, transform=0), b"\1\2\3") if values.ndim == 3 else stream


def jls(values: Array, stored: int, near: int = 0, interleave: int | None = None) -> bytes:
    return bytes(encode_jpeg_ls(container(values, stored), near, interleave).tobytes())


def j2k(values: Array, stored: int, *, boxed: bool = False, **options: Any) -> bytes:
    """JPEG 2000: a plain codestream, or one in the boxes of a JP2 file."""
    plain: dict[str, Any] = {"level": 0, "reversible": True, "mct": False} | options
    return bytes(
        imagecodecs.jpeg2k_encode(
            container(values, stored), bitspersample=stored, codecformat="jp2" if boxed else "j2k", **plain
        )
    )


def pillow_j2k(values: Array, **options: Any) -> bytes:
    """By Pillow, which writes tiles, layers and every order of progression."""
    out = io.BytesIO()
    Image.fromarray(container(values, 8)).save(out, "JPEG2000", no_jp2=True, irreversible=False, **options)
    return out.getvalue()


def htj2k(values: Array, stored: int, **options: Any) -> bytes:
    return bytes(imagecodecs.htj2k_encode(container(values, stored), **({"reversible": True} | options)))


def rle(values: Array, allocated: int) -> bytes:
    """PS3.5, annex G: a segment for each byte of each sample, the most significant first, of literal and other runs."""
    planes = values.reshape(*values.shape[:2], -1).transpose(2, 0, 1)
    width = allocated // 8
    segments = [
        _packed_rows((plane >> 8 * (width - 1 - byte)) & 0xFF)
        for plane in planes.astype(np.int64)
        for byte in range(width)
    ]
    offsets = np.cumsum([64, *(len(segment) for segment in segments[:-1])])
    head = np.zeros(16, "<u4")
    head[0], head[1 : 1 + len(segments)] = len(segments), offsets
    return head.tobytes() + b"".join(segments)


def _packed_rows(plane: Array) -> bytes:
    data = b"".join(_packed(bytes(row.astype(np.uint8))) for row in plane)
    return data + b"\0" * (len(data) % 2)


def _packed(row: bytes) -> bytes:
    """The first value as a run of its equals, the others as literals."""
    same = len(row) - len(row.lstrip(row[:1]))
    start = bytes([257 - same, row[0]]) if same > 1 else b""
    rest = row[same if same > 1 else 0 :]
    return start + (bytes([len(rest) - 1]) + rest if rest else b"")
