"""What the pictures show: blood where the truth says, text outside the region, true millimetres."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.phantom import SIZES, Knobs, PhantomExam, exam
from training.phantom.devices import DEVICES, Device, geometry
from training.phantom.examination import SWEEPS, Bytes, Keyframe, PhantomClip
from training.phantom.overlay import burn

BLEED = (3, 1)


@pytest.fixture(scope="module")
def bleeding() -> PhantomExam:
    return exam(7, 3, size="small", grades=BLEED)


@pytest.fixture(scope="module")
def healthy() -> PhantomExam:
    return exam(7, 3, size="small", grades=(0, 0))


def _inside(clip: PhantomClip, key: Keyframe) -> Bytes:
    box = key.box
    patch: Bytes = clip.frames[key.frame - 1][box.y0 : box.y1 + 1, box.x0 : box.x1 + 1]
    return patch


def test_boxes_lie_inside_the_region(bleeding: PhantomExam) -> None:
    boxes = [(clip.region, key.box) for clip in bleeding.clips for key in clip.keyframes]
    assert boxes
    for region, box in boxes:
        assert region.x0 <= box.x0 < box.x1 <= region.x1
        assert region.y0 <= box.y0 < box.y1 <= region.y1


def test_boxes_are_brighter_than_the_same_head_without_blood(bleeding: PhantomExam, healthy: PhantomExam) -> None:
    pairs = zip(bleeding.clips, healthy.clips, strict=True)
    rises = [_inside(b, key).mean() - _inside(h, key).mean() for b, h in pairs for key in b.keyframes]
    assert min(rises) > 0
    assert np.mean(rises) > 20


def test_frames_without_blood_in_the_plane_are_untouched_by_a_lone_germinal_bleed(healthy: PhantomExam) -> None:
    lone = exam(7, 3, size="small", grades=(1, 0))
    marked = {key.frame for key in lone.clips[0].keyframes}
    farthest = len(lone.clips[0].frames) - 1
    assert farthest + 1 not in marked
    assert np.array_equal(lone.clips[0].frames[farthest], healthy.clips[0].frames[farthest])


@pytest.mark.parametrize("grade", [1, 2, 3, 4])
def test_every_grade_shows_in_the_coronal_sweep_and_on_its_own_side(grade: int) -> None:
    one = exam(9, 1, size="small", grades=(grade, 0))
    assert {(key.grade, key.side) for clip in one.clips for key in clip.keyframes} == {(grade, "right")}
    sweep = next(clip for clip in one.clips if clip.view is SWEEPS[0])
    middle = (sweep.region.x0 + sweep.region.x1) / 2
    assert sweep.keyframes
    assert all((key.box.x0 + key.box.x1) / 2 < middle for key in sweep.keyframes)


def test_no_blood_means_no_keyframes(healthy: PhantomExam) -> None:
    assert not any(clip.keyframes for clip in healthy.clips)
    assert not healthy.positive


@pytest.mark.parametrize("device", DEVICES, ids=lambda device: device.model)
@pytest.mark.parametrize("size", ["small", "full"])
def test_a_known_distance_maps_to_pixels(device: Device, size: str) -> None:
    grid = geometry(device, SIZES[size])
    rows, columns = np.mgrid[0 : grid.size.height, 0 : grid.size.width]
    seen, true = [], []
    for i, j in [(grid.rho.size // 4, grid.theta.size // 3), (3 * grid.rho.size // 4, grid.theta.size // 2)]:
        dot = np.zeros(grid.u.shape, dtype=np.float32)
        dot[i, j] = 1
        screen = grid.to_screen(dot)
        seen.append(np.array([(columns * screen).sum(), (rows * screen).sum()]) / screen.sum())
        true.append(np.array([grid.u[i, j], grid.v[i, j]]))
    pixels, millimetres = (float(np.linalg.norm(ends[1] - ends[0])) for ends in (seen, true))
    assert pixels == pytest.approx(millimetres / grid.mm_per_pixel, abs=1)
    assert seen[0] == pytest.approx(np.array(grid.to_pixel(*true[0])), abs=1)


@pytest.mark.parametrize("device", range(4))
@pytest.mark.parametrize("size", ["small", "full"])
def test_burned_in_text_stays_outside_the_region(device: int, size: str, healthy: PhantomExam) -> None:
    grid = geometry(DEVICES[device], SIZES[size])
    dark = np.zeros((1, grid.size.height, grid.size.width), dtype=np.float32)
    plan = replace(healthy.plan, patient_name="Phantom-Thorn^Clementine")
    screen = burn(dark, planned=plan, device=DEVICES[device], grid=grid, label="SAG RIGHT", clock=plan.scanned_at)[0]
    region = screen[grid.region.y0 : grid.region.y1 + 1, grid.region.x0 : grid.region.x1 + 1]
    assert screen.max() > 200
    assert region.max() == 0


def test_the_sector_stays_inside_the_region(healthy: PhantomExam) -> None:
    for device in DEVICES:
        grid = geometry(device, SIZES["full"])
        rows, columns = np.divmod(grid.pixels, grid.size.width)
        assert (columns.min(), rows.min()) >= (grid.region.x0, grid.region.y0)
        assert columns.max() <= grid.region.x1
        assert rows.max() <= grid.region.y1


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_distractors_come_as_often_as_their_knob_says(share: float, healthy: PhantomExam) -> None:
    with_blobs = exam(7, 3, size="small", grades=(0, 0), knobs=Knobs(distractor_rate=share, repeat_rate=0))
    same = exam(7, 3, size="small", grades=(0, 0), knobs=Knobs(distractor_rate=0, repeat_rate=0))
    sweeps = [(a, b) for a, b in zip(with_blobs.clips, same.clips, strict=True) if not a.still]
    changed = [sum(not np.array_equal(x, y) for x, y in zip(a.frames, b.frames, strict=True)) for a, b in sweeps]
    assert changed == [int(share)] * len(sweeps)


@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 2**31), index=st.integers(0, 5000))
def test_any_examination_has_its_sweeps_and_stills(seed: int, index: int) -> None:
    made = exam(seed, index, size="small")
    assert {view.name for view in SWEEPS} <= {clip.view.name for clip in made.clips}
    assert sum(clip.still for clip in made.clips) >= 2
    assert all(clip.frames.dtype == np.uint8 and clip.frames.max() > 150 for clip in made.clips)


def test_an_unknown_size_is_refused() -> None:
    with pytest.raises(ValueError, match="size must be one of small, cohort, full"):
        exam(1, 1, size="huge")
