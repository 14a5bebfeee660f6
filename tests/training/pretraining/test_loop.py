"""Training a backbone on frames whose truth is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from training.phantom.prepared_frames import ExamFrames, Request, exam_frames, load_exams, save_exams
from training.pretraining.loop import Pictures, Stage, cell_targets, draw, pictures, train_backbone

CROPS = Stage(steps=2, crop=64, side=64, batch=4, rate=1e-3)
WHOLE = Stage(steps=2, crop=0, side=128, batch=2, rate=1e-3)


@pytest.fixture(scope="module")
def exams() -> list[ExamFrames]:
    return [exam_frames(Request(7, 0, grades=grades), budget=12) for grades in ((4, 0), (0, 0))]


@pytest.fixture(scope="module")
def shown(exams: list[ExamFrames]) -> Pictures:
    return pictures(exams)


def test_frames_come_as_the_engine_chooses_them(exams: list[ExamFrames]) -> None:
    assert all(exam.frames.shape == (12, 128, 128) for exam in exams)
    assert [exam.positive for exam in exams] == [True, False]
    assert exams[0].keyframes.any()
    assert not exams[1].keyframes.any()


def test_boxes_lie_where_the_blood_is_bright(exams: list[ExamFrames]) -> None:
    """A grade IV bleed is brighter than the same place in the healthy twin of the examination."""
    bleeding, healthy = exams
    brighter = []
    for place, boxes in enumerate(bleeding.bleeds):
        for x0, y0, x1, y1 in boxes.round().astype(int):
            inside = np.s_[place, y0 : y1 + 1, x0 : x1 + 1]
            brighter.append(bleeding.frames[inside].mean() - healthy.frames[inside].mean())
    assert np.mean(brighter) > 15


def test_examinations_read_back_as_they_were_kept(exams: list[ExamFrames], tmp_path: Path) -> None:
    save_exams(tmp_path / "exams.npz", exams)
    again = load_exams(tmp_path / "exams.npz")
    assert all(np.array_equal(one.frames, two.frames) for one, two in zip(exams, again, strict=True))
    assert [len(boxes) for exam in again for boxes in exam.bleeds] == [len(b) for exam in exams for b in exam.bleeds]


def test_a_cell_with_the_bleed_is_one_and_the_others_are_nought() -> None:
    boxes = np.array([[40, 8, 48, 16]], dtype=np.float32)
    assert cell_targets(boxes, side=64, cells=2).tolist() == [[0, 1], [0, 0]]


def test_a_cell_with_a_corner_of_the_bleed_is_in_doubt() -> None:
    boxes = np.array([[30, 8, 40, 16]], dtype=np.float32)
    assert cell_targets(boxes, side=64, cells=2).tolist() == [[-1, 1], [0, 0]]


@pytest.mark.parametrize("stage", [CROPS, WHOLE])
def test_half_a_batch_shows_blood(shown: Pictures, stage: Stage) -> None:
    batch = draw(shown, stage, np.random.default_rng(0))
    assert batch.inputs.shape == (stage.batch, 1, stage.side, stage.side)
    assert (batch.frame[1::2] == 0).all()
    assert (batch.frame[0::2] != 0).any()
    assert (batch.cells[batch.frame == 0] == 0).all()


def test_training_goes_on_from_a_checkpoint_as_if_it_had_not_stopped(shown: Pictures, tmp_path: Path) -> None:
    stages = [Stage(steps=3, crop=64, side=32, batch=4, rate=1e-3)]
    straight = train_backbone(shown, stages, seed=1, architecture="resnet18")

    def stop(step: int, loss: float) -> None:
        if step == 2:
            raise KeyboardInterrupt

    path = tmp_path / "checkpoint.safetensors"
    with pytest.raises(KeyboardInterrupt):
        train_backbone(
            shown, stages, seed=1, architecture="resnet18", checkpoint=path, checkpoint_every=2, progress=stop
        )
    resumed = train_backbone(shown, stages, seed=1, architecture="resnet18", checkpoint=path)
    expected = straight.state_dict()
    assert all(torch.allclose(value, expected[key], atol=1e-5) for key, value in resumed.state_dict().items())


def test_training_changes_the_first_and_the_last_layer(shown: Pictures) -> None:
    first = train_backbone(shown, [], seed=1, architecture="resnet18").state_dict()
    after = train_backbone(shown, [CROPS, WHOLE], seed=1, architecture="resnet18").state_dict()
    assert not torch.equal(first["conv1.weight"], after["conv1.weight"])
    assert not torch.equal(first["layer4.1.conv2.weight"], after["layer4.1.conv2.weight"])
