"""The device's screen around the sector: burned-in text, grey bar, depth scale, tint."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from training.phantom.devices import Device, Floats, Geometry
from training.phantom.plan import Plan

Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Caption:
    """Calipers from `start` to `stop` (column, row) and a text beside them."""

    start: tuple[float, float]
    stop: tuple[float, float]
    text: str


def burn(
    screens: Floats,
    *,
    planned: Plan,
    device: Device,
    grid: Geometry,
    label: str,
    clock: datetime,
    caption: Caption | None = None,
) -> Bytes:
    """Screens [T, H, W] in 0..1 with the overlay: uint8 [T, H, W], or [T, H, W, 3] on a colour device."""
    overlay = _overlay(planned, device, grid, label, clock)
    if caption is not None:
        _calipers(ImageDraw.Draw(overlay), caption, grid)
    grey = (screens * np.float32(255) + np.float32(0.5)).astype(np.uint8)
    if not device.colour:
        burnt: Bytes = np.maximum(grey, np.asarray(overlay.convert("L")))
        return burnt
    ramp = np.arange(256, dtype=np.float32)[:, None] * np.asarray(device.tint, dtype=np.float32)
    coloured: Bytes = np.maximum((ramp + 0.5).astype(np.uint8)[grey], np.asarray(overlay))
    return coloured


def _overlay(planned: Plan, device: Device, grid: Geometry, label: str, clock: datetime) -> Image.Image:
    image = Image.new("RGB", (grid.size.width, grid.size.height))
    draw = ImageDraw.Draw(image)
    _text(draw, planned, device, grid, label, clock)
    _bar(draw, device, grid)
    _scale(draw, device, grid)
    return image


def _calipers(draw: ImageDraw.ImageDraw, caption: Caption, grid: Geometry) -> None:
    for x, y in (caption.start, caption.stop):
        draw.line((x - 3, y, x + 3, y), fill=(235,) * 3)
        draw.line((x, y - 3, x, y + 3), fill=(235,) * 3)
    size = max(8, round(grid.size.height * 0.026))
    draw.text((caption.stop[0] + 5, caption.stop[1]), caption.text, font=_font(size), fill=(235,) * 3)


@lru_cache(maxsize=8)
def _font(pixels: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=pixels)


def _text(
    draw: ImageDraw.ImageDraw, planned: Plan, device: Device, grid: Geometry, label: str, clock: datetime
) -> None:
    """Name, number, date and settings, where this device puts them; never over the ultrasound region."""
    name = planned.patient_name.replace("^", ", ")
    stamp = clock.strftime("%d.%m.%Y  %H:%M:%S")
    settings = f"{device.probe}  {device.depth / 10:.1f} cm  MI 0.7  TIs 0.3"
    left, right = {
        "wide": ([f"{name}   {planned.patient_id}", f"{stamp}   {label}"], [device.model, settings]),
        "corner": ([name, planned.patient_id, label], [stamp, device.model, settings]),
        "below": ([f"{name}  {planned.patient_id}", f"{stamp}", label], ["PHANTOM", device.model, settings]),
    }[device.text]
    size = max(9, round(grid.size.height * 0.026))
    top = grid.region.y1 + 3 if device.text == "below" else 3
    bright, dim = ((235, 225, 120), (150, 190, 220)) if device.colour else ((220,) * 3, (170,) * 3)
    font, step = _font(size), round(size * 1.25)
    for line, text in enumerate(left):
        draw.text((6, top + line * step), text, font=font, fill=bright)
    for line, text in enumerate(right):
        draw.text((grid.size.width - 6, top + line * step), text, font=font, fill=dim, anchor="ra")


def _bar(draw: ImageDraw.ImageDraw, device: Device, grid: Geometry) -> None:
    height, width = round(0.26 * grid.size.height), round(0.02 * grid.size.width)
    x = 8 if device.bar == "left" else grid.size.width - 8 - width
    top = round(0.30 * grid.size.height)
    for row in range(height):
        value = 255 * (1 - row / height)
        colour = tuple(round(value * tint) for tint in device.tint)
        draw.line((x, top + row, x + width, top + row), fill=colour)


def _scale(draw: ImageDraw.ImageDraw, device: Device, grid: Geometry) -> None:
    """Ticks each half centimetre, numbered each second centimetre, and the focus mark."""
    x = grid.region.x1 + 8 if device.bar == "left" else grid.region.x0 - 8
    inward = 1 if device.bar == "left" else -1
    font = _font(max(8, round(grid.size.height * 0.022)))
    for half in range(int(device.depth // 5) + 1):
        row = grid.to_pixel(0, 5 * half)[1]
        length = 6 if half % 2 == 0 else 3
        draw.line((x, row, x + inward * length, row), fill=(200, 200, 200))
        if half and half % 4 == 0:
            text_x = x + inward * 12
            draw.text((text_x, row), str(half // 2), font=font, fill=(200,) * 3, anchor="lm" if inward > 0 else "rm")
    focus = grid.to_pixel(0, 0.5 * device.depth)[1]
    draw.polygon([(x, focus), (x + inward * 7, focus - 4), (x + inward * 7, focus + 4)], fill=(240, 240, 240))
