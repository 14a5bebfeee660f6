"""Four devices that do not exist, and the geometry of their pictures."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from training.phantom.constants import Size

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Device:
    """A look: probe, beam, display and screen layout. Lengths in mm, angles in degrees."""

    model: str
    serial: str
    software: str
    probe: str
    radius: float
    """Radius of the (virtual) convex face."""
    field: float
    depth: float
    axial: float
    """Axial blur, standard deviation."""
    lateral: float
    """Lateral blur, standard deviation in degrees."""
    compound: float
    """Share of speckle reduction, 0..1."""
    dynamic_range: float
    gamma: float
    gain: float
    frame_ms: float
    bar: str
    """Side of the grey bar, `left` or `right`."""
    text: str
    """Layout of the burned-in text: `wide`, `corner` or `below`."""
    tint: tuple[float, float, float]
    colour: bool
    compressed: bool


DEVICES = (
    Device("Aurora P1", "FPW-A-0107", "3.2.0", "C8-3n", 16.0, 100.0, 92.0, 0.17, 0.52, 0.42, 60.0, 0.95, 0.0, 38.0,
           "left", "wide", (1.0, 1.0, 1.0), False, True),
    Device("Borealis S4", "FPW-B-0412", "11.0.4", "10V", 34.0, 74.0, 96.0, 0.20, 0.42, 0.55, 56.0, 1.05, 0.5, 45.0,
           "left", "corner", (0.94, 0.98, 1.0), True, True),
    Device("Cirrus Mini", "FPW-C-0033", "1.8.1", "P7", 9.0, 108.0, 88.0, 0.25, 0.72, 0.28, 52.0, 0.90, 1.5, 55.0,
           "right", "below", (1.0, 1.0, 1.0), False, False),
    Device("Dune 9", "FPW-D-0219", "6.5.2", "MC9-4", 22.0, 90.0, 100.0, 0.18, 0.50, 0.50, 62.0, 1.12, 0.0, 33.0,
           "right", "wide", (1.0, 0.97, 0.90), True, True),
)  # fmt: skip


class Box(NamedTuple):
    """Pixel box: columns x0..x1 and rows y0..y1, both ends inside."""

    x0: int
    y0: int
    x1: int
    y1: int


@dataclass(frozen=True)
class Geometry:
    """The beam grid of a device and its place on a screen.

    Points of the scan plane are (u, v) in mm: u to the right of the screen, v down from the middle of the probe's
    face. `source` and `weight` hold, for each pixel of the sector, the four neighbouring grid samples.
    """

    size: Size
    region: Box
    mm_per_pixel: float
    origin: tuple[float, float]
    """Column and row of (u, v) = (0, 0)."""
    rho: Floats
    theta: Floats
    u: Floats
    v: Floats
    pixels: NDArray[np.int64]
    source: NDArray[np.int32]
    weight: Floats

    @property
    def sample_mm(self) -> float:
        return float(self.rho[1] - self.rho[0])

    def to_pixel(self, u: float, v: float) -> tuple[float, float]:
        """Column and row of a point of the scan plane."""
        return self.origin[0] + u / self.mm_per_pixel, self.origin[1] + v / self.mm_per_pixel

    def to_screen(self, grid: Floats) -> Floats:
        """Scan-convert a beam grid [samples, beams] to a screen [height, width], 0 outside the sector."""
        flat = grid.ravel()
        value = np.zeros(self.pixels.size, dtype=np.float32)
        steps = (0, 1, grid.shape[1], grid.shape[1] + 1)
        for step, weight in zip(steps, self.weight, strict=True):
            value += weight * flat[self.source + step]
        screen = np.zeros(self.size.height * self.size.width, dtype=np.float32)
        screen[self.pixels] = value
        return screen.reshape(self.size.height, self.size.width)


def layout(device: Device, size: Size) -> Box:
    """The box of the ultrasound region; text, bar and scale stay outside it."""
    width, height = size.width, size.height
    top = {"wide": 0.075, "corner": 0.105, "below": 0.03}[device.text]
    bottom = {"wide": 0.03, "corner": 0.03, "below": 0.115}[device.text]
    return Box(round(0.10 * width), round(top * height), round(0.90 * width) - 1, round((1 - bottom) * height) - 1)


@lru_cache(maxsize=8)
def geometry(device: Device, size: Size) -> Geometry:
    """Grid, calibration and scan-conversion map; kept for each device and size."""
    region = layout(device, size)
    half = math.radians(device.field / 2)
    sagitta = device.radius * (1 - math.cos(half))
    mm_per_pixel = (device.depth + sagitta) / (region.y1 - region.y0)
    origin = ((region.x0 + region.x1) / 2, region.y0 + sagitta / mm_per_pixel)
    rho = np.linspace(device.radius, device.radius + device.depth, size.depth_samples, dtype=np.float32)
    theta = np.linspace(-half, half, size.beams, dtype=np.float32)
    u = rho[:, None] * np.sin(theta)
    v = rho[:, None] * np.cos(theta) - np.float32(device.radius)
    pixels, source, weight = _conversion(region, origin, mm_per_pixel, device.radius, rho, theta, size.width)
    return Geometry(size, region, mm_per_pixel, origin, rho, theta, u, v, pixels, source, weight)


def _conversion(
    region: Box, origin: tuple[float, float], mm: float, radius: float, rho: Floats, theta: Floats, width: int
) -> tuple[NDArray[np.int64], NDArray[np.int32], Floats]:
    rows, columns = np.mgrid[region.y0 : region.y1 + 1, region.x0 : region.x1 + 1]
    u, v = (columns - origin[0]) * mm, (rows - origin[1]) * mm + radius
    i = (np.hypot(u, v) - rho[0]) / (rho[1] - rho[0])
    j = (np.arctan2(u, v) - theta[0]) / (theta[1] - theta[0])
    inside = (i >= 0) & (i <= rho.size - 1) & (j >= 0) & (j <= theta.size - 1)
    i, j = i[inside], j[inside]
    i0, j0 = np.minimum(i.astype(np.int32), rho.size - 2), np.minimum(j.astype(np.int32), theta.size - 2)
    a, b = i - i0, j - j0
    weight = np.stack([(1 - a) * (1 - b), (1 - a) * b, a * (1 - b), a * b]).astype(np.float32)
    return (rows * width + columns)[inside], (i0 * theta.size + j0).astype(np.int32), weight
