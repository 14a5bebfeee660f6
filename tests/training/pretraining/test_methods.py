"""A backbone from unlabelled pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from inference.core.weights import load_backbone
from training.pretraining.loop import Stage
from training.pretraining.methods import (
    METHODS,
    PairLearner,
    Unlabelled,
    draw_anomalies,
    draw_pairs,
    lay_patch,
    main,
    pretrain,
    read_images,
)

TINY = {
    "anomaly": [Stage(steps=2, crop=48, side=32, batch=4, rate=1e-3)],
    "pairs": [Stage(steps=2, crop=0, side=32, batch=3, rate=1e-3)],
}


@pytest.fixture
def shown() -> Unlabelled:
    rng = np.random.default_rng(0)
    return Unlabelled(rng.integers(30, 120, (6, 128, 128), dtype=np.uint8), np.repeat(np.arange(3), 2))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(1)
    for video in ("a", "b"):
        (tmp_path / "pictures" / video).mkdir(parents=True)
        for frame in range(2):
            picture = Image.fromarray(rng.integers(0, 255, (90, 120), dtype=np.uint8))
            picture.save(tmp_path / "pictures" / video / f"{frame}.png")
    return tmp_path / "pictures"


def test_a_made_up_bleed_is_bright_where_it_is_said_to_lie(shown: Unlabelled) -> None:
    crop = shown.frames[0][:64, :64]
    spoilt, mask = lay_patch(crop, crop, np.random.default_rng(2))
    assert mask.any()
    assert spoilt[mask].mean() > crop[mask].mean() + 5
    assert np.array_equal(spoilt[:2, :2], crop[:2, :2])


def test_half_a_batch_has_a_made_up_bleed(shown: Unlabelled) -> None:
    batch = draw_anomalies(shown, TINY["anomaly"][0], np.random.default_rng(3))
    assert batch.frame.tolist() == [1, 0, 1, 0]
    assert (batch.cells[1::2] == 0).all()


def test_a_pair_is_two_views_of_one_video(shown: Unlabelled) -> None:
    assert draw_pairs(shown, TINY["pairs"][0], np.random.default_rng(4)).shape == (6, 1, 32, 32)


def test_partners_that_look_alike_cost_less() -> None:
    torch.manual_seed(0)
    learner = PairLearner("resnet18").eval()
    pictures = torch.randn(3, 1, 32, 32)
    alike, strange = pictures.repeat_interleave(2, dim=0), pictures[[0, 1, 2, 0, 1, 2]]
    assert learner.loss(alike) < learner.loss(strange)


@pytest.mark.parametrize("method", sorted(METHODS))
def test_the_same_seed_gives_the_same_backbone(shown: Unlabelled, method: str) -> None:
    first, again = (
        pretrain(shown, method=method, seed=5, stages=TINY[method], architecture="resnet18").state_dict()
        for _ in range(2)
    )
    assert all(torch.equal(first[key], again[key]) for key in first)


def test_the_pictures_of_a_subfolder_are_one_video(folder: Path) -> None:
    shown = read_images(folder)
    assert shown.frames.shape == (4, 128, 128)
    assert shown.video.tolist() == [0, 0, 1, 1]


def test_the_command_leaves_a_backbone_that_loads(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METHODS, "pairs", tuple(TINY["pairs"]))
    out = folder.parent / "made" / "backbone.safetensors"
    assert main(["--images", str(folder), "--out", str(out), "--method", "pairs"]) == 0
    assert load_backbone(out)(torch.zeros(1, 1, 64, 64)).shape == (1, 2048)


@pytest.mark.parametrize("spoil", ["empty", "rubbish"])
def test_pictures_that_cannot_be_used_are_named(folder: Path, spoil: str, capsys: pytest.CaptureFixture[str]) -> None:
    source = folder.parent / "nothing" if spoil == "empty" else folder
    source.mkdir(exist_ok=True)
    if spoil == "rubbish":
        (folder / "a" / "0.png").write_bytes(b"no picture")
    assert main(["--images", str(source), "--out", str(folder.parent / "b.safetensors")]) == 2
    assert "Nothing was written" in capsys.readouterr().err
    assert not (folder.parent / "b.safetensors").exists()
