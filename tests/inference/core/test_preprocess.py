"""What the network sees of a frame."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from inference.core.preprocess import INPUT_SIZE, prepare, shown_box


def _sector() -> NDArray[np.uint8]:
    """Noise in the middle of a black screen, with a bright bar at its right edge."""
    frame = np.zeros((300, 400), dtype=np.uint8)
    frame[60:220, 100:260] = np.random.default_rng(0).integers(30, 255, (160, 160))
    frame[50:150, 390:395] = 255
    return frame


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 300), st.integers(1, 300), st.booleans(), st.integers(0, 99))
def test_any_frame_becomes_a_square(height: int, width: int, colour: bool, seed: int) -> None:
    shape = (height, width, 3) if colour else (height, width)
    frame = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    prepared = prepare(frame, (5, 5, 100, 100))
    assert prepared.shape == (INPUT_SIZE, INPUT_SIZE)
    assert prepared.dtype == np.uint8


def test_a_region_keeps_the_bar_beside_it_out() -> None:
    assert shown_box(_sector(), (0, 0, 350, 299)) == (100, 60, 259, 219)


def test_only_what_shows_tissue_is_kept() -> None:
    expected = prepare(_sector()[60:220, 100:260])
    assert np.array_equal(prepare(_sector(), (0, 0, 350, 299)), expected)


def test_a_blank_frame_keeps_its_region() -> None:
    assert shown_box(np.zeros((100, 200), dtype=np.uint8), (10, 20, 110, 90)) == (10, 20, 110, 90)


@pytest.mark.parametrize("box", [(500, 0, 600, 10), (20, 20, 10, 10), (-9, -9, -1, -1)])
def test_a_box_without_pixels_is_ignored(box: tuple[int, int, int, int]) -> None:
    assert np.array_equal(prepare(_sector(), box), prepare(_sector()))


def test_a_box_is_cut_to_the_frame() -> None:
    assert np.array_equal(prepare(_sector(), (-50, -50, 9999, 9999)), prepare(_sector()))


def test_grey_stored_as_colour_is_the_same_picture() -> None:
    frame = _sector()
    assert np.array_equal(prepare(np.stack([frame] * 3, axis=2)), prepare(frame))


def test_a_wide_picture_is_padded_above_and_below() -> None:
    prepared = prepare(np.full((100, 200), 200, dtype=np.uint8))
    assert prepared[: INPUT_SIZE // 4 - 1].max() == 0
    assert prepared[INPUT_SIZE // 2].min() == 200


@pytest.mark.parametrize("frame", [np.zeros((4, 4)), np.zeros((4, 4, 4), np.uint8), np.zeros((0, 4), np.uint8)])
def test_anything_but_a_frame_is_refused(frame: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match="frame"):
        prepare(frame)
