"""An examination as it is scanned: which clips, in which order, and the frames of each."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from training.phantom.anatomy import Anatomy, anatomy
from training.phantom.constants import (
    DEFAULT_POSITIVE_FRACTION,
    DEFAULT_REFERENCE_DATE,
    RECIPE_VERSION,
    SIZES,
    Knobs,
    Size,
)
from training.phantom.devices import DEVICES, Box, Device, Geometry, geometry
from training.phantom.overlay import Caption, burn
from training.phantom.plan import Plan, plan, stream
from training.phantom.render import Blob, Frame, Plane, Shading, render, speckle

Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Keyframe:
    """Blood that one frame shows. `frame` counts from 1, `side` is `right` or `left`, the box is in pixels."""

    frame: int
    grade: int
    side: str
    box: Box


@dataclass(frozen=True)
class View:
    """One clip to scan: tilt from start to stop over a share of the sweep's frames (0: a still)."""

    name: str
    label: str
    kind: str
    start: float
    stop: float
    share: float


@dataclass(frozen=True)
class PhantomClip:
    """One SOP instance. `frames` are uint8 [T, H, W], or [T, H, W, 3] (RGB) for a colour screen."""

    sop_uid: str
    series_uid: str
    series_number: int
    view: View
    device: Device
    frames: Bytes
    region: Box
    mm_per_pixel: float
    acquired_at: datetime
    compressed: bool
    keyframes: tuple[Keyframe, ...]

    @property
    def still(self) -> bool:
        return self.view.share == 0


@dataclass(frozen=True)
class PhantomExam:
    """One examination: its plan (patient, dates, grades), the head it was made from, and its clips in order."""

    plan: Plan
    study_uid: str
    head: Anatomy
    device: Device
    clips: tuple[PhantomClip, ...]

    @property
    def grade_right(self) -> int:
        return self.plan.grade_right

    @property
    def grade_left(self) -> int:
        return self.plan.grade_left

    @property
    def positive(self) -> bool:
        return self.plan.positive


SWEEPS = (
    View("COR sweep", "COR", "coronal", 26, -40, 1.0),
    View("SAG midline", "SAG MID", "sagittal", -2.5, 2.5, 0.34),
    View("SAG right", "SAG RIGHT", "sagittal", -3, -34, 0.64),
    View("SAG left", "SAG LEFT", "sagittal", 3, 34, 0.64),
)
STILLS = (
    View("COR still Monro", "COR", "coronal", 2, 2, 0),
    View("COR still trigone", "COR", "coronal", -33, -33, 0),
    View("SAG still midline", "SAG MID", "sagittal", 0, 0, 0),
    View("COR still frontal horns", "COR", "coronal", 15, 15, 0),
)
MASTOID = View("MASTOID left", "MASTOID L", "mastoid", 0, 0, 0)
SIDES = {"R": "right", "L": "left"}


def exam(
    seed: int,
    index: int,
    *,
    positive_fraction: float = DEFAULT_POSITIVE_FRACTION,
    size: str = "full",
    reference_date: date | None = None,
    knobs: Knobs | None = None,
    grades: tuple[int, int] | None = None,
    device: int | None = None,
) -> PhantomExam:
    """Render the examination `index` of the cohort `seed`.

    It depends on the arguments alone, never on other examinations. `grades` (right, left) and `device` (0..3)
    replace what the cohort would have drawn; all else, speckle too, stays the same. Raises ValueError for an unknown
    size or a share outside 0..1.
    """
    if size not in SIZES:
        raise ValueError(f"size must be one of {', '.join(SIZES)}, not {size!r}")
    day, knobs = reference_date or date.fromisoformat(DEFAULT_REFERENCE_DATE), knobs or Knobs()
    planned = plan(
        seed=seed,
        index=index,
        positive_fraction=positive_fraction,
        reference_date=day,
        grades=grades,
        device=device,
    )
    return scanned(planned, size=size, knobs=knobs)


def scanned(planned: Plan, *, size: str, knobs: Knobs, views: Sequence[View] | None = None) -> PhantomExam:
    """Render a planned examination, by the views given or by those that its own protocol draws."""
    root = f"{RECIPE_VERSION}/{planned}/{size}/{knobs.name}"
    head = anatomy(planned, knobs)
    clips = _clips(planned, head, root=root, size=SIZES[size], knobs=knobs, views=views)
    return PhantomExam(planned, uid(root, "study"), head, DEVICES[planned.device], tuple(clips))


def uid(*key: object) -> str:
    """A UID of the 2.25 arc (from a UUID) that a key always gets."""
    digest = hashlib.sha256("/".join(map(str, key)).encode()).digest()
    return f"2.25.{int.from_bytes(digest[:16])}"


def _views(rng: np.random.Generator) -> list[View]:
    stills = list(STILLS[: int(rng.integers(2, 5))])
    return [*SWEEPS, *stills, *([MASTOID] if rng.random() < 0.25 else [])]


def _clips(
    planned: Plan, head: Anatomy, *, root: str, size: Size, knobs: Knobs, views: Sequence[View] | None
) -> Iterator[PhantomClip]:
    rng = stream(planned.seed, "protocol", planned.index)
    device, clock = DEVICES[planned.device], planned.scanned_at
    grid, series = geometry(device, size), dict[str, int]()
    count = int(rng.integers(size.sweep[0], size.sweep[1] + 1))
    for number, view in enumerate(views or _views(rng), start=1):
        frames = _scan(planned, head, view=view, number=number, count=count, size=size, knobs=knobs)
        screens = np.stack([frame.screen for frame in frames])
        series_name = view.name.split(" still")[0] + (" still" if view.share == 0 else "")
        yield PhantomClip(
            sop_uid=uid(root, "clip", number),
            series_uid=uid(root, "series", series_name),
            series_number=series.setdefault(series_name, len(series) + 1),
            view=view,
            device=device,
            frames=burn(
                screens,
                planned=planned,
                device=device,
                grid=grid,
                label=view.label,
                clock=clock,
                caption=_caption(planned, number, grid, knobs),
            ),
            region=grid.region,
            mm_per_pixel=grid.mm_per_pixel,
            acquired_at=clock,
            compressed=device.compressed and not (device.colour and view.share == 0 and number % 2 == 0),
            keyframes=tuple(_keyframes(planned, frames)),
        )
        clock += timedelta(seconds=int(rng.integers(9, 41)), milliseconds=round(len(frames) * device.frame_ms))


def _caption(planned: Plan, number: int, grid: Geometry, knobs: Knobs) -> Caption | None:
    """Calipers and a word that somebody left in the sector, on any picture alike."""
    rng = stream(planned.seed, "caption", planned.index, number)
    if rng.random() >= knobs.caption_rate:
        return None
    start = grid.to_pixel(float(rng.uniform(-25, 25)), float(rng.uniform(20, 60)))
    length, turn = float(rng.uniform(6, 20)) / grid.mm_per_pixel, float(rng.uniform(0, np.pi))
    stop = start[0] + length * np.cos(turn), start[1] + length * np.sin(turn)
    text = f"{planned.patient_name.split('^')[0]} {length * grid.mm_per_pixel / 10:.2f} cm"
    return Caption(
        start, (float(stop[0]), float(stop[1])), text if rng.random() < 0.5 else "RT" if turn > 1.57 else "LT"
    )


def _keyframes(planned: Plan, frames: list[Frame]) -> Iterator[Keyframe]:
    grades = {"R": planned.grade_right, "L": planned.grade_left}
    for number, frame in enumerate(frames, start=1):
        for finding in frame.findings:
            yield Keyframe(number, grades[finding.side], SIDES[finding.side], finding.box)


def _scan(
    planned: Plan, head: Anatomy, *, view: View, number: int, count: int, size: Size, knobs: Knobs
) -> list[Frame]:
    """The frames of one view. Every draw is made whether used or not, so that a knob changes only what it names."""
    rng = stream(planned.seed, "scan", planned.index, number)
    length = max(1, round(view.share * count))
    tilts = _tilts(rng, view, length)
    slide = float(rng.normal(0, 0.6 * (1 + 2 * knobs.variety)))
    roll = float(rng.normal(0, 3 * (1 + 1.2 * knobs.variety)))
    shading = _shading(rng, knobs)
    odd = _oddities(rng, length, knobs)
    shape, device = (size.depth_samples, size.beams), DEVICES[planned.device]
    frames: list[Frame] = []
    scatterers = None
    for k, tilt in enumerate(tilts):
        step = abs(tilt - tilts[k - 1]) if k else 0.0
        scatterers = speckle(rng, shape, scatterers, step)
        noise = speckle(rng, shape, None, 0.0)
        if frames and k == odd.repeated:
            frames.append(frames[-1])
            continue
        blob = odd.blob if k == odd.blob_frame else None
        held = replace(shading, contact=k != odd.blank)
        plane = Plane(view.kind, float(tilt), slide, roll)
        frames.append(render(head, plane, scatterers, device=device, size=size, shading=held, noise=noise, blob=blob))
    return frames


def _tilts(rng: np.random.Generator, view: View, length: int) -> NDArray[np.float64]:
    """Tilt of each frame: an even sweep by an unsteady hand, sometimes from the far end."""
    start, stop = view.start + rng.normal(0, 1.2), view.stop + rng.normal(0, 1.2)
    wobble = np.cumsum(rng.normal(0, 0.25, length))
    tilts: NDArray[np.float64] = np.linspace(start, stop, length) + wobble - wobble.mean()
    return tilts


def _shading(rng: np.random.Generator, knobs: Knobs) -> Shading:
    return Shading(
        window_mm=float(rng.uniform(10, 16)),
        lean=float(rng.normal(0, 3)),
        gain_db=float(rng.normal(0, 1.2 * (1 + 1.5 * knobs.variety))),
        shadow_db=knobs.shadow_db * float(rng.uniform(0.5, 1.3)),
    )


@dataclass(frozen=True)
class _Oddities:
    repeated: int
    blob_frame: int
    blank: int
    blob: Blob


def _oddities(rng: np.random.Generator, length: int, knobs: Knobs) -> _Oddities:
    """A frozen frame, a frame without contact and a bright blob of one frame, or -1 where the clip has none."""
    chance = rng.random(3) if length > 1 else np.ones(3)
    rates = (knobs.repeat_rate, knobs.distractor_rate, knobs.blank_rate)
    frames = np.where(chance < rates, rng.integers(0, length, 3), -1)
    blob = Blob(
        u=float(rng.uniform(-22, 22)),
        v=float(rng.uniform(24, 52)),
        radius=float(rng.uniform(1.8, 3.5)),
        echo_db=float(rng.normal(knobs.bleed_db if knobs.blob_db is None else knobs.blob_db, knobs.bleed_sd_db)),
    )
    return _Oddities(int(frames[0]), int(frames[1]), int(frames[2]), blob)
