"""The model head: echo in dB at any point, from soft implicit shapes.

Axes in mm: x to the patient's left, y forwards, z down from the fontanelle. Shapes are drawn for a head of about 34
weeks and scaled. Paired structures are computed once on |x|, with the parameters of the side that a point lies on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.phantom.constants import Knobs
from training.phantom.plan import Plan, stream

Floats = NDArray[np.floating[Any]]

# The ventricle is a C around the thalamus. Along it, by angle (0 front, 90 top, 180 back, 270 temporal horn):
# distance from the midline, half-width, half-thickness (mm) and tilt of the width axis (degrees).
_ARC = np.array([0, 15, 45, 75, 100, 140, 180, 215, 250, 290, 300, 359])
_PROFILE = {
    "off": (8, 8, 8.0, 8.0, 9.0, 13, 17.5, 20, 22, 23, 23, 8),
    "width": (0.3, 0.5, 6.2, 6.6, 6.4, 6, 5.0, 3.8, 3.2, 0.5, 0.3, 0.3),
    "thick": (0.05, 0.3, 1.9, 1.7, 1.6, 2.3, 3.8, 2.6, 1.6, 0.3, 0.05, 0.05),
    "tilt": (50, 50, 42, 30, 24, 25, 42, 60, 30, 0, 0, 50),
    "choroid": (0.01, 0.01, 0.01, 0.01, 0.5, 1.5, 3.0, 2.4, 0.9, 0.01, 0.01, 0.01),
}
_LUT = {name: np.interp(np.arange(360), _ARC, values).astype(np.float32) for name, values in _PROFILE.items()}


@dataclass(frozen=True)
class Side:
    """One half of the head."""

    ventricle: float
    """Thickness of the ventricle against the normal one."""
    width: float
    grade: int
    fill: float
    """Share of the ventricle's height that clot takes; 0 for none."""
    reach: float
    """How far clot runs back along the ventricle, degrees of its C."""
    matrix_mm: float
    """Mean radius of the germinal matrix bleed; 0 for none."""
    infarct_mm: float
    bleed_db: float
    flare_db: float
    choroid: float
    groove_db: float = 5.0
    """Echo of the caudothalamic groove above its surroundings: the natural mimic of a germinal matrix bleed."""
    groove: float = 1.0
    """Its size against the usual."""


@dataclass(frozen=True)
class Anatomy:
    """One infant's head at one examination."""

    scale: float
    breadth: float
    """Breadth against length: below 1 for the long heads of preterm infants."""
    left: Side
    right: Side
    septum: float
    """Half-width of the cavum septi pellucidi, mm."""
    sulci: float
    """How far folding has come, 0..1."""
    phases: tuple[float, ...]
    choroid_db: float
    skull_db: float


@dataclass(frozen=True)
class Tissue:
    """What lies at the points of a beam grid, each [samples, beams]."""

    echo_db: Floats
    fluid: Floats
    brain: Floats
    """1 within the skull."""
    bone: Floats
    """Depth below the inner skull in mm, negative within the brain."""
    crisp: Floats
    """Thin sheets that reflect as one, 0..1."""
    bleed_right: Floats
    bleed_left: Floats


def anatomy(plan: Plan, knobs: Knobs) -> Anatomy:
    """Draw the head of a planned examination; scans of one patient share all but growth and grade."""
    rng = stream(plan.seed, "anatomy", plan.patient_number)
    weeks = plan.postmenstrual_weeks
    mimic = rng.random() < knobs.mimic_rate
    plexus, flare = (1.25, 4.5) if mimic else (1.0, 1.5)
    sides = {name: _healthy(rng, plexus=plexus, flare=flare) for name in ("right", "left")}
    if knobs.variety:
        odd = stream(plan.seed, "variety", plan.patient_number)
        sides = {name: _strayed(side, odd, knobs.variety) for name, side in sides.items()}
    return Anatomy(
        scale=float(np.clip(0.86 + 0.013 * (weeks - 26) + rng.normal(0, 0.015), 0.84, 1.08)),
        breadth=float(np.clip(rng.normal(0.97, 0.035), 0.88, 1.05)),
        left=_bleeding(sides["left"], plan.grade_left, rng=stream(plan.seed, "left", plan.patient_number), knobs=knobs),
        right=_bleeding(
            sides["right"], plan.grade_right, rng=stream(plan.seed, "right", plan.patient_number), knobs=knobs
        ),
        septum=float(np.clip(rng.normal(2.6, 0.6) - 0.12 * (weeks - 30), 0.8, 4.0)),
        sulci=float(np.clip((weeks - 23) / 12, 0.15, 1.0)),
        phases=tuple(rng.uniform(0, 2 * np.pi, 16).tolist()),
        choroid_db=float(rng.normal(9.0, 1.2)),
        skull_db=float(rng.normal(33.0, 1.5)),
    )


def _healthy(rng: np.random.Generator, *, plexus: float, flare: float) -> Side:
    thickness = float(np.exp(rng.normal(0.0, 0.18)))
    return Side(
        ventricle=thickness,
        width=1.0,
        grade=0,
        fill=0.0,
        reach=0.0,
        matrix_mm=0.0,
        infarct_mm=0.0,
        bleed_db=0.0,
        flare_db=max(0.0, float(rng.normal(flare, 1.0))),
        choroid=plexus * float(rng.uniform(0.85, 1.1)),
    )


def _strayed(side: Side, rng: np.random.Generator, variety: float) -> Side:
    """The same half further from the ordinary: wide or slit ventricles, bright grooves, bulky plexuses, no blood."""
    wide = float(rng.uniform(1.5, 2.8)) if rng.random() < 0.10 * variety else 1.0
    return replace(
        side,
        ventricle=float(np.clip(side.ventricle * np.exp(rng.normal(0, 0.3 * variety)) * wide, 0.3, 3.2)),
        width=1.0 + (0.25 if wide > 1 else 0.0) * float(rng.random()),
        flare_db=side.flare_db + abs(float(rng.normal(0, 2.0))) * variety,
        choroid=side.choroid * float(np.exp(rng.normal(0, 0.2 * variety))),
        groove_db=5.0 + abs(float(rng.normal(0, 4.0))) * variety,
        groove=1.0 + float(rng.uniform(0, 1.2)) * variety,
    )


def _bleeding(side: Side, grade: int, *, rng: np.random.Generator, knobs: Knobs) -> Side:
    """The same half with a bleed of Papile's grade: blood, and in III and IV a wider ventricle."""
    contrast = float(rng.normal(knobs.bleed_db, knobs.bleed_sd_db))
    radius = float(rng.uniform(2.6, 4.0))
    stretch = float(rng.uniform(0.9, 1.15))
    if grade == 0:
        return side
    thick, wide, fill, reach, infarct = {
        1: (1.0, 1.0, 0.0, 0.0, 0.0),
        2: (1.35, 1.0, 0.6, 125.0, 0.0),
        3: (3.0, 1.3, 0.78, 165.0, 0.0),
        4: (2.3, 1.2, 0.65, 150.0, 9.0),
    }[grade]
    return replace(
        side,
        ventricle=max(side.ventricle, 0.9) * thick * (stretch if grade > 2 else 1.0),
        width=wide,
        grade=grade,
        fill=fill,
        reach=reach,
        matrix_mm=radius if grade in (1, 4) else 0.7 * radius,
        infarct_mm=infarct * stretch,
        bleed_db=contrast,
    )


def soft(distance: Floats, width: float = 0.35) -> Floats:
    """1 within a shape, 0 outside, with an edge of about `width` mm."""
    t: Floats = np.clip(0.5 - distance / np.float32(3 * width), 0, 1)
    smooth: Floats = t * t * (3 - 2 * t)
    return smooth


def _bump(t: Floats) -> Floats:
    return np.exp(-t * t)


def _ellipsoid(
    points: tuple[Floats, Floats, Floats], centre: tuple[float, float, float], axes: tuple[float, float, float]
) -> Floats:
    """About the distance in mm to an ellipsoid's surface, negative inside."""
    total = np.zeros_like(points[0])
    for p, c, a in zip(points, centre, axes, strict=True):
        total += np.square((p - np.float32(c)) / np.float32(a))
    return (np.sqrt(total) - 1) * np.float32(min(axes))


class _Canvas:
    """Echo at a set of points while it is drawn, structure by structure, back to front."""

    def __init__(self, head: Anatomy, x: Floats, y: Floats, z: Floats) -> None:
        scale = np.float32(1 / head.scale)
        self.head = head
        self.x, self.y, self.z = x * scale / np.float32(head.breadth), y * scale * np.float32(head.breadth), z * scale
        self.side_x = np.abs(self.x)
        self.left = self.x > 0
        self.mirrored = (self.side_x, self.y, self.z)
        self.noise = self._wander()
        self.inside = _skull_distance(self.side_x, self.y, self.z)
        self.echo = np.zeros_like(self.x)
        self.fluid = np.zeros_like(self.x)
        self.crisp = np.zeros_like(self.x)
        self.bleed = np.zeros_like(self.x)
        self.cut = self._cut()
        self._arc()

    def per_side(self, name: str) -> Floats:
        left, right = getattr(self.head.left, name), getattr(self.head.right, name)
        if left == right:
            return np.float32(left)  # type: ignore[return-value]  # one number serves both sides
        return np.where(self.left, np.float32(left), np.float32(right))

    def paint(self, mask: Floats, level: float | Floats) -> None:
        self.echo += mask * (level - self.echo)

    def line(self, distance: Floats, *, width: float, gain: float, where: Floats | float = 1.0) -> None:
        """A thin bright sheet."""
        sheet = _bump(distance / np.float32(width)) * where
        self.echo += np.float32(gain) * sheet
        np.maximum(self.crisp, sheet, out=self.crisp)

    def wet(self, mask: Floats) -> None:
        np.maximum(self.fluid, mask, out=self.fluid)

    def _wander(self) -> Floats:
        """Smooth noise of about unit size, 8 mm and longer."""
        p = self.head.phases
        a = np.sin(0.42 * self.x + p[0] + 1.4 * np.sin(0.23 * self.z + p[1]))
        b = np.sin(0.36 * self.y + p[2] + 1.2 * np.sin(0.27 * self.x + p[3]))
        c = np.sin(0.40 * self.z + p[4] + 1.3 * np.sin(0.21 * self.y + p[5]))
        return np.asarray((a + b + c) * 0.6, dtype=np.float32)

    def _cut(self) -> Floats:
        """How squarely the plane cuts the midline: 1 coronal, 0 sagittal."""
        rest = np.hypot(np.gradient(self.z, axis=1), np.gradient(self.y, axis=1))
        squareness: Floats = np.clip(np.abs(np.gradient(self.x, axis=1)) / (rest + np.float32(0.05)), 0, 1)
        return squareness

    def _arc(self) -> None:
        """Coordinates of the ventricle's C: along (degrees), across (`p` its width, `q` its thickness, up is out)."""
        dy, dz = (self.y + 4) / 22, (45 - self.z) / 14
        angle = np.degrees(np.arctan2(dz, dy)).astype(np.int32) % 360
        out = (np.hypot(dy, dz) - 1) * np.float32(16)
        tilt = np.radians(_LUT["tilt"][angle])
        off = self.side_x - _LUT["off"][angle]
        self.angle = angle
        self.p = off * np.cos(tilt) + out * np.sin(tilt)
        bend = np.float32(0.035) * np.square(self.p) * (angle < 110)
        self.q = out * np.cos(tilt) - off * np.sin(tilt) + bend
        self.half = _LUT["thick"][angle] * self.per_side("ventricle")
        self.across = self.p / (_LUT["width"][angle] * self.per_side("width"))


def _skull_distance(side_x: Floats, y: Floats, z: Floats) -> Floats:
    """Depth within the skull in mm, negative outside: a vault over a stepped base."""
    vault = -_ellipsoid((side_x, y, z), (0, -8, 39), (38, 50, 42))
    lateral = np.clip((side_x - 5) / 13, 0, 1)
    front = 52 - 0.32 * (y - 8) - 3 * _bump((side_x - 17) / 9) + 2 * _bump(side_x / 4)
    middle = 58 + 9 * lateral - 0.035 * np.square(y - 1) * lateral
    ahead = soft(9 - y, 3)
    floor = ahead * front + (1 - ahead) * middle - z
    clivus = (-4 - 9 * lateral - 0.5 * (z - 57) - y) * 0.85
    inside: Floats = np.minimum(vault, np.maximum(floor, clivus))
    return inside


def tissue(head: Anatomy, x: Floats, y: Floats, z: Floats) -> Tissue:
    """Echo (dB above brain tissue) and masks at points [samples, beams] in mm."""
    canvas = _Canvas(head, x, y, z)
    for draw in (_parenchyma, _cortex, _midline, _deep_grey, _posterior_fossa, _ventricles, _flare, _bleeds, _skull):
        draw(canvas)
    brain = soft(-canvas.inside, 0.5)
    seen = canvas.bleed * brain
    return Tissue(
        echo_db=canvas.echo,
        fluid=canvas.fluid,
        brain=brain,
        bone=-canvas.inside,
        crisp=canvas.crisp,
        bleed_right=np.where(canvas.left, 0, seen).astype(np.float32),
        bleed_left=np.where(canvas.left, seen, 0).astype(np.float32),
    )


def _parenchyma(c: _Canvas) -> None:
    p = c.head.phases
    c.echo += 1.3 * c.noise + 1.4 * np.sin(0.55 * c.x + 1.1 * np.sin(0.35 * c.z) + 0.2 * c.y)
    fine = np.sin(1.15 * c.x + 2 * np.sin(0.37 * c.z + p[13])) * np.sin(1.3 * c.z + 1.7 * np.sin(0.41 * c.y + p[14]))
    c.echo += 1.3 * fine * np.sin(0.9 * c.y + 1.5 * np.sin(0.33 * c.x + p[15])) + 1.0 * fine
    c.echo -= 3.0 * soft(c.inside - 6, 2) + 4.0 * soft(26 - c.side_x, 4)
    temporal = soft(15 - c.side_x, 3) * soft(50 - c.z + 2 * c.noise, 3) * soft(c.y - 16, 3) * soft(-20 - c.y, 3)
    c.echo -= 6.0 * temporal


def _cortex(c: _Canvas) -> None:
    """Sulci: broken, wandering bright sheets in the outer brain, more of them with age."""
    p = c.head.phases
    shell = soft(c.inside - 15, 3) * soft(1.2 - c.inside, 0.8)
    first = np.sin(0.42 * c.y + 0.30 * c.z + 1.1 * np.sin(0.17 * c.x + p[6]) + 0.9 * np.sin(0.20 * c.z + p[7]))
    second = np.sin(0.40 * c.side_x - 0.33 * c.z + 1.0 * np.sin(0.19 * c.y + p[8]) + 0.8 * np.sin(0.23 * c.x + p[9]))
    broken = np.clip(0.35 + 1.1 * c.noise, 0, 1)
    c.line(first, width=0.16, gain=10 * c.head.sulci, where=shell * broken)
    c.line(second, width=0.16, gain=10 * c.head.sulci, where=shell * (1 - broken))
    inner = soft(np.abs(c.side_x - 27) - 7, 2) * soft(np.abs(c.y + 1) - 17, 2) * soft(np.abs(c.z - 45) - 9, 2)
    sylvian = c.z - 45 - 0.012 * np.square(c.side_x - 22) * np.sign(0.4 - c.noise) - 1.6 * c.noise
    c.line(sylvian, width=0.6, gain=8, where=inner)
    insula = c.side_x - 22 - 0.025 * np.square(c.z - 44) - 1.1 * c.noise
    c.line(insula, width=0.6, gain=6, where=inner * soft(-0.4 - c.noise, 1))


def _midline(c: _Canvas) -> None:
    """Falx, corpus callosum, cingulate sulcus, cavum, third ventricle and the cisterns below them."""
    p = c.head.phases
    droop = c.z - 0.022 * np.square(c.side_x)
    arch = (np.hypot((c.y + 3) / 23, np.minimum(droop - 42, 0) / 14) - 1) * 15
    upper = soft(c.z - 44, 1)
    near = soft(c.side_x - 8, 2)
    c.paint(soft(np.abs(arch - 1.4) - 1.2) * upper * near, -5.0)
    c.line(arch - 3.1, width=0.55, gain=10, where=upper * near)
    c.line(arch, width=0.5, gain=6, where=upper * near)
    medial = soft(c.side_x - 6.5, 1.5) * upper * soft(4.5 - arch, 1)
    turn = np.where(c.left, np.float32(p[12]), np.float32(p[11]))
    cingulate = arch - 9.5 - 1.4 * np.sin(0.33 * c.y + turn) - 0.35 * c.side_x
    c.line(cingulate, width=0.5, gain=9, where=medial * soft(np.abs(c.y) - 28, 2))
    folds = np.sin(0.50 * c.y + 0.55 * c.z + 0.30 * c.side_x + turn + 0.9 * np.sin(0.25 * c.y + p[10]))
    c.line(folds, width=0.2, gain=8 * c.head.sulci, where=medial * soft(10 - arch, 1) * np.clip(0.4 + c.noise, 0, 1))
    _falx(c, arch, upper)
    cavum = _ellipsoid(c.mirrored, (0, 7, 35.5), (c.head.septum, 9, 4))
    c.paint(soft(cavum), -26)
    c.wet(soft(cavum))
    third = _ellipsoid(c.mirrored, (0, -2, 46), (0.9, 7, 5))
    c.paint(soft(third, 0.25), -14)
    c.echo += 7 * _bump(np.maximum(_ellipsoid(c.mirrored, (0, 4, 54), (9, 4, 2.5)) - 0.6 * c.noise, 0) / 1.5)
    c.echo += 7 * _bump(np.maximum(_ellipsoid(c.mirrored, (0, -17, 51), (11, 4, 2)) - 0.6 * c.noise, 0) / 1.5)


def _falx(c: _Canvas, arch: Floats, upper: Floats) -> None:
    """A sheet that shines where the plane cuts it; a plane that lies in it sees brain beside it."""
    p = c.head.phases
    sheet = c.x - 0.5 * np.sin(0.3 * c.z + p[12]) - 0.3 * np.sin(0.8 * c.z + p[9])
    above = np.maximum(soft(3.3 - arch) * upper, soft(c.y + 30, 2) * soft(c.z - 56, 2)) * soft(5 - c.z, 1)
    c.line(sheet, width=0.5, gain=10, where=above * c.cut * np.clip(0.75 + 0.35 * c.noise, 0.2, 1))


def _deep_grey(c: _Canvas) -> None:
    thalamus = _ellipsoid(c.mirrored, (9.5, -6, 44), (8.2, 13, 9.2))
    c.paint(0.7 * soft(thalamus, 1.0), 0.5 + 0.9 * c.noise)
    rim = soft(c.y + 5, 3) * soft(np.abs(c.side_x - 9.5) - 4, 1.5) * (1 - 0.85 * c.cut)
    c.line(thalamus - 0.2, width=0.6, gain=7, where=rim)
    caudate = _ellipsoid(c.mirrored, (10.5, 13, 39.5), (4.5, 9, 4.5))
    c.paint(0.7 * soft(caudate, 1.2), 1.5)
    size = c.per_side("groove")
    groove = np.sqrt(np.square((c.side_x - 7) / 1.2) + np.square((c.y - 3) / 2.5) + np.square((c.z - 35) / 0.8)) - size
    c.echo += c.per_side("groove_db") * soft(0.8 * groove, 0.6)


def _posterior_fossa(c: _Canvas) -> None:
    """Tentorium, cerebellum with a bright vermis, fourth ventricle, cisterna magna, brain stem."""
    cerebellum = _ellipsoid(c.mirrored, (0, -27, 66), (22, 13, 12.5))
    stem = _ellipsoid(c.mirrored, (0, -6, 62), (8, 7, 15))
    c.paint(soft(stem, 0.8), -2.0)
    c.echo += 5 * _bump((c.y + 2 - 0.15 * (c.z - 60)) / 3) * soft(stem, 0.8)
    folia = 2.5 * np.sin(2.0 * cerebellum + 0.8 * np.sin(0.5 * c.y))
    c.paint(soft(cerebellum, 0.5), -1.0 + folia + 8 * _bump(c.side_x / 4.5))
    roof = soft(c.z - 63, 2) * (1 - 0.6 * c.cut) * np.clip(0.7 + 0.4 * c.noise, 0, 1)
    c.line(cerebellum - 0.8 + 0.5 * c.noise, width=0.7, gain=10, where=roof)
    fourth = _ellipsoid(c.mirrored, (0, -15.5, 66), (3, 2.6, 4))
    magna = soft(-cerebellum + 0.8) * soft(68 - c.z, 2) * soft(c.y + 22, 2)
    for wet in (soft(fourth), 0.8 * magna):
        c.paint(wet, -20)


def _ventricles(c: _Canvas) -> None:
    distance = (np.hypot(c.across, c.q / c.half) - 1) * c.half
    lumen = soft(distance, 0.3)
    horn = _ellipsoid(c.mirrored, (14.5, -36, 46), (2.3, 9, 3))
    lumen = np.maximum(lumen, soft(horn / 1.0))
    c.paint(lumen, -28)
    c.wet(lumen)
    size = _LUT["choroid"][c.angle] * c.per_side("choroid")
    plexus = (np.hypot(c.p / (2.2 * size + 0.6), (c.q + 0.25 * c.half) / size) - 1) * size
    mask = soft(plexus + 0.25 * c.noise, 0.4) * (size > 0.3)
    c.paint(mask, c.head.choroid_db)
    c.fluid *= 1 - mask


def _flare(c: _Canvas) -> None:
    """The blush of white matter behind the trigone: the natural mimic of a parenchymal bleed."""
    blush = _bump(_ellipsoid(c.mirrored, (18, -31, 33), (7, 9, 8)).clip(0) / 4)
    c.echo += blush * c.per_side("flare_db") * (1 - c.fluid)


def _bleeds(c: _Canvas) -> None:
    """Blood by grade: germinal matrix, clot at the bottom of the ventricle, parenchyma beside the frontal horn."""
    if c.head.left.grade == c.head.right.grade == 0:
        return
    rough = 0.9 * c.noise
    radius = c.per_side("matrix_mm")
    matrix = (
        np.sqrt(np.square(c.side_x - 7) + 0.7 * np.square(c.y - 2) + 1.4 * np.square(c.z - 35.2)) - radius + 0.3 * rough
    ) * (radius > 0) + 9.0 * (radius == 0)
    surface = c.q - c.half * (2 * c.per_side("fill") - 1) - 0.4 * rough
    # The clot's ends are ragged; a degree along the C is about a quarter of a mm.
    run = soft((np.abs(c.angle - 30 - c.per_side("reach") / 2) - c.per_side("reach") / 2) / 4 + 1.5 * rough, 1.5) * (
        c.per_side("fill") > 0
    )
    lumen = soft((np.hypot(c.across, c.q / c.half) - 1) * c.half, 0.3)
    clot = soft(surface, 0.4) * lumen * run
    size = c.per_side("infarct_mm")
    fan = np.sqrt(np.square(c.side_x - 20) + 0.6 * np.square(c.y - 5) + np.square(c.z - 29)) - size + 1.8 * rough
    infarct = soft(fan, 1.0) * (size > 0)
    c.bleed = np.maximum(np.maximum(soft(matrix), clot), infarct)
    c.paint(c.bleed, c.per_side("bleed_db") + 1.0 * c.noise)
    c.fluid *= 1 - c.bleed


def _skull(c: _Canvas) -> None:
    """Bone shines and fades outwards; scalp lies over the fontanelle."""
    outside = soft(c.inside, 0.5)
    patchy = np.sin(0.16 * c.x + 0.11 * c.y + c.head.phases[0]) * np.sin(0.13 * c.y - 0.1 * c.z + c.head.phases[1])
    glow = c.head.skull_db + 4.2 * np.minimum(c.inside, 0) + 3.0 * c.noise + 3.5 * patchy
    scalp = soft(c.z - 5, 2)
    c.paint(outside, np.maximum(glow, -4 + 5 * c.noise) * (1 - scalp) + 3 * scalp)
    c.fluid *= 1 - outside
