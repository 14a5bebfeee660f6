"""Frames as pictures for people, as DICOMweb asks for them: windowed, cut and scaled (PS3.18, 8.3.5)."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from studies.dicom import greys, pixels
from studies.dicom.facts import Look
from studies.dicom.greys import Window

NOTICE = "Research use only"


def rendered(path: Path, numbers: Sequence[int], look: Look) -> Iterator[bytes]:
    """Each of the frames as a JPEG or PNG of eight bits; raises Refused."""
    source = pixels.open_source(path)
    for number in pixels.checked(numbers, source):
        image = Image.fromarray(_windowed(source, number, look))
        yield _encoded(_seen(image, look), look)


def _windowed(source: pixels.Source, number: int, look: Look) -> pixels.Colour:
    """Colours have no window: they are shown as they are."""
    if look["window"] is None or source.shape.samples != 1 or source.shape.photometric == "PALETTE COLOR":
        return pixels.colour_frame(source, number)
    array, photometric = source.decoded(number)
    centre, width, shape = look["window"]
    grey = Window(centre, width, shape).apply(greys.meant(array, source.opened))
    return np.ascontiguousarray(255 - grey if photometric == "MONOCHROME1" else grey)


def _seen(image: Image.Image, look: Look) -> Image.Image:
    if look["viewport"] is None:
        return image
    width, height, left, top, wide, high = look["viewport"]
    wide, high = wide or image.width - left, high or image.height - top
    box = (round(left), round(top), round(left + abs(wide)), round(top + abs(high)))
    part = image.crop((max(0, box[0]), max(0, box[1]), min(image.width, box[2]), min(image.height, box[3])))
    if wide < 0:
        part = part.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if high < 0:
        part = part.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    scale = min(width / part.width, height / part.height)
    size = max(1, round(part.width * scale)), max(1, round(part.height * scale))
    return part.resize(size, Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.BILINEAR)


def _encoded(image: Image.Image, look: Look) -> bytes:
    out = io.BytesIO()
    options: dict[str, Any] = {"quality": look["quality"], "comment": NOTICE}
    if look["kind"] == pixels.PNG:
        text = PngInfo()
        text.add_text("Comment", NOTICE)
        options = {"compress_level": 1, "pnginfo": text}
    image.save(out, "PNG" if look["kind"] == pixels.PNG else "JPEG", **options)
    return out.getvalue()
