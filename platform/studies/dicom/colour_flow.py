"""Whether a frame shows colour Doppler: from its pixels, with the header as help.

Flow is coloured, a picture under a tinted map is too, and so are bars, logos and what is written on a screen. Flow has
colours that the map has not, lies within the two-dimensional region, is wider than a line and has grey tissue around.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
from PIL import Image
from pydicom.uid import JPEGBaseline8Bit

from studies.dicom import pixels, regions
from studies.dicom.facts import Region

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Box = tuple[int, int, int, int]
"""x0, y0, x1, y1 in pixels, the last two inclusive."""

_SHORT_SIDE = 240
"""Pixels of the shorter side to which large frames are halved or quartered."""
_FINE = 200
"""Pixels of the shorter side from which on a vessel is wider than what JPEG makes of the colours of a letter."""
_BRIGHT = 16
"""Luma below which a colour says nothing."""
_TINT = 0.08
"""Distance from grey, in Cb and Cr, by luma, from which on a pixel is tinted."""
_COLOURED = 28
"""Distance from the colours of the map."""
_TINTED_SHARE = 0.7
"""Of the pixels that show something: the whole picture is tinted by its map, and not a part of it by flow."""
_PICTURE_RANGE = 12
"""Of luma, from which on what is shown is a picture that a map may tint."""
_LEVELS = 8
_TISSUE = 6
"""Luma of what is no empty background."""
_FILLED = 0.87
"""Of a square of colour: a speckled one has a few grey pixels."""
_REACH, _TISSUE_SHARE = 8, 0.2
"""Pixels beside flow where tissue lies, and how much of a square there: on three sides of four."""
_MARGIN = 0.1
_LEAST_PIXELS, _LEAST_SHARE = 9, 0.0001


def frames_with_flow(path: Path, numbers: Sequence[int]) -> Iterator[tuple[int, bool]]:
    """(frame, whether it shows colour Doppler) for each of ``numbers``; a frame that cannot be decoded is left out.

    Raises Refused where the file has none that can be.
    """
    source = pixels.open_source(path)
    areas = regions.of_clip(source.opened.dataset, source.shape, source.opened)
    for number in numbers:
        decoded = _small(source, number)
        if decoded is not None:
            frame, step = decoded
            boxes, expected = _boxes(areas, number, step)
            wide = 5 if step == 1 and min(frame.shape[:2]) >= _FINE else 3
            yield number, shows_flow(frame, boxes, expected=expected, wider_than=wide)


def shows_flow(
    frame: npt.NDArray[np.uint8], boxes: Sequence[Box] = (), *, expected: bool = False, wider_than: int = 3
) -> bool:
    """Of uint8 [H, W] or RGB [H, W, 3]; ``boxes``: the two-dimensional regions, none: the frame without its margins.

    ``expected``: a region says that it shows flow, which is then believed in an empty background too. ``wider_than``:
    pixels across of the least square of colour that is no line or letter.
    """
    if frame.ndim == 2:
        return False
    luma, chroma = _luma_and_chroma(frame)
    coloured = (luma > _BRIGHT) & (_from_map(luma, chroma) > _COLOURED)
    if not coloured.any():
        return False
    flow = _around(coloured, wider_than) > _FILLED
    if not expected:
        flow &= _sides_with_tissue((luma > _TISSUE) & ~coloured) >= 3
    parts = [flow[max(0, y0) : y1 + 1, max(0, x0) : x1 + 1] for x0, y0, x1, y1 in boxes or [_middle(frame)]]
    return any(part.sum() >= max(_LEAST_PIXELS, _LEAST_SHARE * part.size) for part in parts)


def _sides_with_tissue(grey: Mask) -> npt.NDArray[np.int_]:
    """Of the four sides of each pixel [H, W], how many have tissue beside: grey that is wider than letters are."""
    share = np.pad(_around(_around(grey, 3) > 0.75, 2 * _REACH - 1), _REACH)
    height, width = grey.shape
    corners = [(0, _REACH), (2 * _REACH, _REACH), (_REACH, 0), (_REACH, 2 * _REACH)]
    sides = [share[y : y + height, x : x + width] > _TISSUE_SHARE for y, x in corners]
    count: npt.NDArray[np.int_] = np.sum(sides, axis=0)
    return count


def _middle(frame: npt.NDArray[np.uint8]) -> Box:
    """Without the margins, where screens have coloured bars, logos and buttons."""
    height, width = frame.shape[:2]
    down, across = round(_MARGIN * height), round(_MARGIN * width)
    return across, down, width - 1 - across, height - 1 - down


def _luma_and_chroma(part: npt.NDArray[np.uint8]) -> tuple[Floats, Floats]:
    """Y [H, W], and Cb and Cr around zero [H, W, 2] (ITU-R BT.601)."""
    rgb = part.astype(np.float32)
    luma: Floats = rgb @ np.array([0.299, 0.587, 0.114], np.float32)
    return luma, np.stack([(rgb[..., 2] - luma) / 1.772, (rgb[..., 0] - luma) / 1.402], axis=-1)


def _from_map(luma: Floats, chroma: Floats) -> Floats:
    """How far each pixel's colour [H, W] is from those of the map: from grey, or from the tint of a tinted one."""
    strength: Floats = np.hypot(chroma[..., 0], chroma[..., 1])
    shown = luma > _TISSUE
    if not shown.any() or np.ptp(np.quantile(luma[shown], (0.1, 0.9))) < _PICTURE_RANGE:
        return strength
    if (strength > np.maximum(2, _TINT * luma))[shown].mean() < _TINTED_SHARE:
        return strength
    bright = luma > _BRIGHT
    curve = _tint(luma[bright], chroma[bright])
    nearest: Floats = np.min([_from_line(chroma, a, b) for a, b in pairwise(curve)], axis=0)
    return nearest


def _tint(luma: Floats, chroma: Floats) -> list[Floats]:
    """The tint by rising luma, from grey on: the median of each level."""
    levels = np.quantile(luma, np.linspace(0, 1, _LEVELS + 1))
    parts = [chroma[(luma >= low) & (luma <= high)] for low, high in pairwise(levels)]
    return [np.zeros(2, np.float32), *(np.median(part, axis=0).astype(np.float32) for part in parts if len(part))]


def _from_line(points: Floats, a: Floats, b: Floats) -> Floats:
    """Distance of each point [H, W, 2] from the line between two."""
    along = b - a
    share = np.clip((points - a) @ along / max(float(along @ along), 1e-6), 0, 1)
    rest = points - a - share[..., None] * along
    distance: Floats = np.hypot(rest[..., 0], rest[..., 1])
    return distance


def _around(mask: Mask, side: int) -> Floats:
    """The share of the pixels [H, W] that are set in the square around each; beyond the edge there are none."""
    half = side // 2
    sums = np.pad(mask, half + 1).astype(np.float32).cumsum(0).cumsum(1)
    sums = sums[:-1, :-1]
    total = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    share: Floats = total / np.float32(side**2)
    return share


def _small(source: pixels.Source, number: int) -> tuple[npt.NDArray[np.uint8], int] | None:
    """A frame in colour, and by how much it is smaller than the clip's; None where it cannot be decoded."""
    step = 1
    while min(source.shape.rows, source.shape.columns) // (2 * step) >= _SHORT_SIDE and step < 4:
        step *= 2
    try:
        if source.opened.syntax == JPEGBaseline8Bit and source.shape.photometric.startswith("YBR"):
            return _small_jpeg(source, number, step), step
        return pixels.colour_frame(source, number)[::step, ::step], step
    except (MemoryError, RecursionError):
        raise
    except Exception:  # noqa: BLE001 - whatever a decoder raises: who shows or scores the frame says so
        return None


def _small_jpeg(source: pixels.Source, number: int, step: int) -> npt.NDArray[np.uint8]:
    size = source.shape.columns // step, source.shape.rows // step
    with Image.open(io.BytesIO(source.encoded(number)), formats=["JPEG"]) as image:
        image.draft("RGB", size)
        return np.asarray(image.convert("RGB"), dtype=np.uint8)


def _boxes(areas: list[Region], number: int, step: int) -> tuple[list[Box], bool]:
    """(the two-dimensional regions of a frame in its smaller pixels, False); those of flow and True where it has any.

    Ultrasound Color Data Present is no help: devices set it for a blue logo too.
    """
    own = [area for area in areas if (run := area.get("frames")) and run[0] <= number <= run[1]]
    here = own or [area for area in areas if not area.get("frames")]
    pictures = [area for area in here if area["type"] == "2d"]
    flows = [area for area in pictures if area.get("flow")]
    boxes = [tuple(area[edge] // step for edge in ("x0", "y0", "x1", "y1")) for area in flows or pictures]
    return cast(list[Box], boxes), bool(flows)
