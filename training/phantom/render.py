"""From a head and a scan plane to a grey picture: speckle, beam, shadows and display.

The speckle is Field II's recipe made cheap: complex Gaussian scatterers times the anatomy, blurred by the beam.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d  # type: ignore[attr-defined]  # exported dynamically

from training.phantom.anatomy import Anatomy, Floats, Tissue, soft, tissue
from training.phantom.constants import Size
from training.phantom.devices import Box, Device, Geometry, geometry

Bytes = NDArray[np.uint8]
SPECKLE_DEGREES = 2.2
"""Tilt over which speckle forgets itself."""
LEAST_BLEED_MM2 = 8.0
"""Blood shown in a frame below which it is no keyframe."""


@dataclass(frozen=True)
class Plane:
    """One scan plane through the fontanelle: `coronal`, `sagittal` or `mastoid`, tilted by an angle in degrees."""

    kind: str
    tilt: float
    slide: float = 0.0
    """Shift of the probe along the face, mm."""
    roll: float = 0.0
    """Turn of the head in the picture, degrees."""


@dataclass(frozen=True)
class Shading:
    """How one clip was held: window of the fontanelle, gain and the side shadows."""

    window_mm: float
    lean: float
    gain_db: float
    shadow_db: float
    contact: bool = True
    """False for a frame with the probe lifted."""


@dataclass(frozen=True)
class Blob:
    """A bright spot of one frame that is no bleed: its place in the plane (mm), radius and echo."""

    u: float
    v: float
    radius: float
    echo_db: float


@dataclass(frozen=True)
class Finding:
    """Blood of one side as one frame shows it; the box is in pixels of the screen."""

    side: str
    box: Box


@dataclass(frozen=True)
class Frame:
    """A rendered plane: screen [height, width] in 0..1 and what it shows of each bleed."""

    screen: Floats
    findings: tuple[Finding, ...]


def place(plane: Plane, u: Floats, v: Floats) -> tuple[Floats, Floats, Floats]:
    """Points of the head for points (u, v) of a plane, all mm.

    Coronal: the patient's right is on the screen's left, positive tilt looks forwards. Sagittal: forwards is on the
    screen's left, positive tilt looks to the patient's left. Mastoid: axial through the posterior fossa from the left.
    """
    turn, angle = math.radians(plane.roll), math.radians(plane.tilt)
    u, v = u * math.cos(turn) + v * math.sin(turn), v * math.cos(turn) - u * math.sin(turn)
    across, down = v * np.float32(math.sin(angle)), v * np.float32(math.cos(angle))
    if plane.kind == "coronal":
        return u + np.float32(plane.slide), across, down
    if plane.kind == "sagittal":
        return across, np.float32(plane.slide) - u, down
    return np.float32(26) - v, np.float32(-24) - u, np.float32(58) + across


def speckle(
    rng: np.random.Generator, shape: tuple[int, int], previous: NDArray[np.complex64] | None, step: float
) -> NDArray[np.complex64]:
    """The next frame's scatterers, correlated with the last by the tilt `step` in degrees."""
    fresh = rng.standard_normal((*shape, 2), dtype=np.float32).view(np.complex64)[..., 0] * np.float32(math.sqrt(0.5))
    if previous is None:
        return fresh
    correlation = math.exp(-step * step / (2 * SPECKLE_DEGREES**2))
    return np.float32(correlation) * previous + np.float32(math.sqrt(1 - correlation * correlation)) * fresh


def render(
    head: Anatomy,
    plane: Plane,
    scatterers: NDArray[np.complex64],
    *,
    device: Device,
    size: Size,
    shading: Shading,
    noise: NDArray[np.complex64],
    blob: Blob | None = None,
) -> Frame:
    """Render one plane; `scatterers` and `noise` are [samples, beams] of the geometry's grid."""
    grid = geometry(device, size)
    seen = tissue(head, *place(plane, grid.u, grid.v))
    loss = _loss(seen, grid, shading)
    echo = seen.echo_db + _interfaces(seen, grid.sample_mm) - loss
    if blob is not None:
        echo = np.maximum(echo, _spot(blob, grid))
    amplitude = np.exp(echo * np.float32(math.log(10) / 20))
    strength = np.float32(0.72) + np.float32(0.32) * np.square(np.abs(scatterers))
    field = (scatterers * strength + np.float32(1.1) * seen.crisp) * amplitude
    envelope = _beam(field, device, grid)
    hiss = _beam(noise, device, grid) * np.float32(10 ** (-38 / 20)) * np.exp(0.012 * (grid.rho - grid.rho[0]))[:, None]
    level = _compound(10 * np.log10(np.square(envelope) + np.square(hiss) + 1e-7), device, grid)
    return Frame(grid.to_screen(_display(level, grid, device, shading)), _findings(seen, loss, grid))


def _beam(field: NDArray[np.complex64], device: Device, grid: Geometry) -> Floats:
    """Envelope after the beam's blur, scaled so that plain speckle keeps unit power."""
    axial = device.axial / grid.sample_mm
    lateral = math.radians(device.lateral) / float(grid.theta[1] - grid.theta[0])
    blurred = gaussian_filter1d(gaussian_filter1d(field, axial, axis=0), lateral, axis=1)
    power = _power(axial) * _power(lateral)
    return np.asarray(np.abs(blurred) / np.float32(math.sqrt(power)), dtype=np.float32)


def _compound(level: Floats, device: Device, grid: Geometry) -> Floats:
    """The device's speckle reduction: part of the level is averaged over neighbours."""
    smooth = gaussian_filter1d(gaussian_filter1d(level, 1.4 * device.axial / grid.sample_mm, axis=0), 1.2, axis=1)
    calm: Floats = level + np.float32(device.compound) * (smooth - level)
    return calm


def _power(sigma: float) -> float:
    """Power that unit white noise keeps through a sampled Gaussian blur."""
    kernel = gaussian_filter1d(np.eye(1, 61, 30)[0], sigma)
    return float(np.square(kernel).sum())


def _interfaces(seen: Tissue, step: float) -> Floats:
    """Mirror-like walls of fluid and bone, bright where the beam meets them squarely, dB."""
    wall = np.abs(np.gradient(seen.fluid, step, axis=0))
    facing = np.clip(np.abs(np.gradient(seen.bone, step, axis=0)), 0, 1)
    return 20 * np.minimum(wall, 0.9) - 22 * (1 - facing) * (1 - seen.brain)


def _loss(seen: Tissue, grid: Geometry, shading: Shading) -> Floats:
    """Shadow behind bone and beside the fontanelle, gain behind fluid, dB."""
    depth = grid.rho - grid.rho[0]
    bone = (1 - seen.brain) * (depth > 12)[:, None]
    behind = np.cumsum(bone, axis=0) * np.float32(grid.sample_mm)
    through = np.cumsum(seen.fluid, axis=0) * np.float32(grid.sample_mm)
    edge = np.abs(grid.u - shading.lean) - shading.window_mm - 0.35 * depth[:, None]
    near = soft(-edge, 5) * np.exp(-np.square((depth - 14) / 16))[:, None]
    far = soft(-(edge - 6), 8)
    lifted = 0 if shading.contact else 5 * np.minimum(depth, 12)[:, None]
    loss: Floats = 1.1 * behind - 0.12 * through + shading.shadow_db * (near + 0.6 * far) + lifted
    return loss


def _spot(blob: Blob, grid: Geometry) -> Floats:
    distance = np.hypot(grid.u - blob.u, grid.v - blob.v) - blob.radius
    return np.where(distance < 0, np.float32(blob.echo_db), np.float32(-90))


def _display(level: Floats, grid: Geometry, device: Device, shading: Shading) -> Floats:
    """Depth gain, near-field reverberation, log compression and gamma; 0..1."""
    depth = (grid.rho - grid.rho[0])[:, None]
    reverberation = 18 * np.exp(-np.square(depth / 2.0)) + 9 * np.exp(-np.square((depth - 3.8) / 0.5))
    reverberation -= 5 * np.exp(-np.square((depth - 10) / 6))
    gained = level + reverberation - 0.05 * (depth - 40) + device.gain + shading.gain_db
    linear = (gained + 0.62 * device.dynamic_range) / device.dynamic_range
    return np.asarray(np.clip(linear - 0.26, 0, 1) ** device.gamma, dtype=np.float32)


def _findings(seen: Tissue, loss: Floats, grid: Geometry) -> tuple[Finding, ...]:
    """Boxes around the blood that the frame really shows."""
    findings = []
    for side, mask in (("R", seen.bleed_right), ("L", seen.bleed_left)):
        if not mask.any():
            continue
        shown = grid.to_screen(mask * (loss < 14)) > 0.5
        if shown.sum() * grid.mm_per_pixel**2 >= LEAST_BLEED_MM2:
            rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
            findings.append(Finding(side, Box(int(columns[0]), int(rows[0]), int(columns[-1]), int(rows[-1]))))
    return tuple(findings)
