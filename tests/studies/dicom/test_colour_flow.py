"""Colour Doppler is told from grey pictures with bars, logos, tinted maps and writing, each planted into phantoms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from studies.sandbox import pool
from tests.studies.dicoms import clip as small_clip
from tests.studies.dicoms import region as small_region
from training.phantom import PhantomExam, exam
from training.phantom.dicom import dataset
from training.phantom.examination import PhantomClip

Frame = NDArray[np.uint8]
Plant = Callable[[Frame, "Spot"], Frame]
Spot = tuple[int, int]
"""The middle of the tissue, x and y."""
RED, BLUE, ORANGE, DARK = (230, 40, 10), (30, 70, 240), (250, 150, 20), (110, 10, 0)


@cache
def _phantom() -> tuple[PhantomExam, PhantomClip]:
    """A clip of a device with a colour screen."""
    made = exam(5, 1, size="small")
    return made, made.clips[0]


def _grey(frame: Frame) -> Frame:
    grey: Frame = frame.min(axis=2, keepdims=True).repeat(3, axis=2)
    return grey


def _tinted(*tint: float) -> Plant:
    return lambda frame, _: np.rint(_grey(frame) * np.array(tint)).astype(np.uint8)


def _two_hues(frame: Frame, _: Spot) -> Frame:
    """A map from black over red and yellow to white."""
    luma = _grey(frame)[..., 0].astype(float)
    mapped: Frame = np.clip(np.stack([luma * 1.6, luma * 1.6 - 130, luma * 2 - 260], axis=-1), 0, 255).astype(np.uint8)
    return mapped


def _bar(frame: Frame, _: Spot) -> Frame:
    """A scale of velocities at the edge of the screen, outside the region."""
    planted = frame.copy()
    ramp = np.linspace(255, 0, 120, dtype=np.uint8)
    planted[60:180, -26:-10] = np.stack([ramp, np.zeros_like(ramp), ramp[::-1]], axis=-1)[:, None]
    return planted


def _logo(frame: Frame, _: Spot) -> Frame:
    planted = frame.copy()
    planted[:30, :90] = (40, 60, 140)
    return planted


def _written(frame: Frame, spot: Spot) -> Frame:
    image = Image.fromarray(frame)
    draw = ImageDraw.Draw(image)
    draw.text(spot, "LT COR 1.06 cm", fill=(255, 230, 0))
    draw.line((spot[0] - 60, spot[1], spot[0] + 60, spot[1] + 40), fill=(0, 255, 0), width=1)
    return np.asarray(image)


def _flow(*colours: tuple[int, int, int], radius: int = 14, under: Plant | None = None) -> Plant:
    def planted(frame: Frame, spot: Spot) -> Frame:
        image = Image.fromarray(under(frame, spot) if under else frame)
        draw = ImageDraw.Draw(image)
        for at, colour in enumerate(colours):
            x, y = spot[0] + 3 * radius * at, spot[1]
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
        return np.asarray(image)

    return planted


def _speckled(frame: Frame, spot: Spot) -> Frame:
    """Turbulence: grains of every velocity, and some of none."""
    planted, (x, y) = frame.copy(), spot
    velocities = np.array([RED, BLUE, ORANGE, DARK, (20, 200, 220), RED, BLUE, ORANGE, (250, 250, 120), (90, 90, 90)])
    grains = np.random.default_rng(1).integers(0, len(velocities), (6, 8))
    planted[y - 12 : y + 12, x - 16 : x + 16] = velocities[grains].repeat(4, 0).repeat(4, 1)
    return planted


GREY: dict[str, Plant] = {
    "as the device shows it": lambda frame, _: frame,
    "a sepia map": _tinted(1.0, 0.85, 0.6),
    "a strongly blue map": _tinted(0.3, 0.5, 1.0),
    "a map of two hues": _two_hues,
    "a coloured bar": _bar,
    "a coloured logo": _logo,
    "coloured writing in the picture": _written,
}
SHOWN: dict[str, Plant] = {
    "red": _flow(RED),
    "red and blue": _flow(RED, BLUE),
    "slow": _flow(DARK),
    "power": _flow(ORANGE),
    "speckled": _speckled,
    "a small vessel": _flow(BLUE, radius=6),
    "much of the picture": _flow(RED, BLUE, radius=45),
    "over a sepia map": _flow(BLUE, under=_tinted(1.0, 0.85, 0.6)),
    "over a blue map": _flow(RED, under=_tinted(0.3, 0.5, 1.0)),
}


def _spot(made: PhantomClip) -> Spot:
    box = made.region
    return (box.x0 + box.x1) // 2, (box.y0 + box.y1) // 2


def _saw(path: Path, plants: list[Plant], *, compressed: bool = False, regions: bool = True) -> list[bool]:
    """Whether flow is seen in frames with these planted."""
    made, clip = _phantom()
    frames = np.stack([plant(clip.frames[at], _spot(clip)) for at, plant in enumerate(plants)])
    file = dataset(made, replace(clip, frames=frames, compressed=compressed), number=1)
    if not regions:
        del file.SequenceOfUltrasoundRegions
    file.save_as(path, enforce_file_format=True)
    return list(pool.frames_with_flow(path, range(1, len(plants) + 1)).values())


@pytest.mark.parametrize("regions", [True, False], ids=["regions", "no regions"])
@pytest.mark.parametrize("compressed", [True, False], ids=["jpeg", "native"])
@pytest.mark.parametrize("name", GREY)
def test_a_grey_picture_is_no_doppler(tmp_path: Path, name: str, *, compressed: bool, regions: bool) -> None:
    assert _saw(tmp_path / "a.dcm", [GREY[name]], compressed=compressed, regions=regions) == [False]


@pytest.mark.parametrize("regions", [True, False], ids=["regions", "no regions"])
@pytest.mark.parametrize("compressed", [True, False], ids=["jpeg", "native"])
@pytest.mark.parametrize("name", SHOWN)
def test_flow_is_seen(tmp_path: Path, name: str, *, compressed: bool, regions: bool) -> None:
    assert _saw(tmp_path / "a.dcm", [SHOWN[name]], compressed=compressed, regions=regions) == [True]


def test_each_frame_is_judged_by_itself(tmp_path: Path) -> None:
    plants = [GREY["a coloured bar"], SHOWN["red"], GREY["a sepia map"], SHOWN["power"]]
    assert _saw(tmp_path / "a.dcm", plants) == [False, True, False, True]


def _file(path: Path, **facts: Any) -> Path:
    path.write_bytes(small_clip(**facts))
    return path


def test_a_grey_clip_whose_header_says_colour_is_no_doppler(tmp_path: Path) -> None:
    flow = small_region()
    flow.RegionDataType = 2
    path = _file(tmp_path / "a.dcm", UltrasoundColorDataPresent=1, SequenceOfUltrasoundRegions=[flow])
    assert pool.frames_with_flow(path, [1, 2]) == {1: False, 2: False}


@pytest.mark.parametrize(("kind", "expected"), [(1, False), (2, True)])
def test_flow_in_an_empty_picture_is_believed_where_the_region_says_flow(
    tmp_path: Path, kind: int, *, expected: bool
) -> None:
    pixels = np.zeros((2, 24, 32, 3), np.uint8)
    pixels[:, 8:18, 10:24] = RED
    area = small_region()
    area.RegionDataType = kind
    colour = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 0}
    path = _file(tmp_path / "a.dcm", PixelData=pixels.tobytes(), SequenceOfUltrasoundRegions=[area], **colour)
    assert pool.frames_with_flow(path, [1]) == {1: expected}
