"""Pictures of which only some rectangles are shown; every other pixel is black before anything leaves the sandbox."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import Image

from studies.dicom import pixels
from studies.dicom.bounded_reader import Refused

Window = Sequence[int]
"""x0, y0, x1, y1 (pixels from 0, both ends in), first and last frame; 0 and 0 for every frame."""


def blanked(picture: pixels.Colour, windows: Sequence[Window], number: int) -> pixels.Colour:
    """The picture of a frame, [H, W] or [H, W, 3], black outside the windows of that frame."""
    shown = np.zeros_like(picture)
    for x0, y0, x1, y1, first, last in windows:
        if first == 0 or first <= number <= last:
            inside = (slice(max(y0, 0), y1 + 1), slice(max(x0, 0), x1 + 1))
            shown[inside] = picture[inside]
    return shown


def display(
    path: Path, frames: Sequence[int], windows: Sequence[Window], seconds: float
) -> Iterator[tuple[int, str, bytes]]:
    """(frame, content type, PNG): the first of ``frames`` always, others until ``seconds`` have passed.

    Never the device's own bytes. Raises Refused.
    """
    source = pixels.open_source(path)
    deadline = time.monotonic() + seconds
    for index, number in enumerate(frames):
        if index and time.monotonic() > deadline:
            return
        if not 1 <= number <= source.shape.frames:
            raise Refused("no_such_frame", f"The clip has {source.shape.frames} frames.")
        out = io.BytesIO()
        shown = blanked(pixels.colour_frame(source, number), windows, number)
        Image.fromarray(shown).save(out, "PNG", compress_level=1)
        yield number, pixels.PNG, out.getvalue()


def thumbnail(path: Path, side: int, windows: Sequence[Window]) -> bytes:
    """Like ``pixels.thumbnail``, black outside the windows. Raises Refused."""
    source = pixels.open_source(path)
    image = Image.fromarray(_first_decodable(source, windows))
    image.thumbnail((side, side), Image.Resampling.BOX)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=80)
    return out.getvalue()


def _first_decodable(source: pixels.Source, windows: Sequence[Window]) -> pixels.Colour:
    *others, final = (source.shape.frames + 1) // 2, 1, source.shape.frames
    for number in others:
        with suppress(Exception):  # whatever a decoder raises
            return blanked(pixels.colour_frame(source, number), windows, number)
    return blanked(pixels.colour_frame(source, final), windows, final)
