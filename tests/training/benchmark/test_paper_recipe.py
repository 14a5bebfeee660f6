"""The paper's recipe on pictures, and how the contrast was found that froze the cohort."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from inference.core.network import backbone, to_input
from training.benchmark import contrast_search, paper_recipe
from training.benchmark.paper_recipe import (
    FRAMES,
    PaperFit,
    PaperNetwork,
    fit_paper,
    load_paper,
    paper_frames,
    predict,
    trunk_features,
)

TEST = np.arange(14, 20)


@pytest.fixture(scope="module")
def resnet() -> nn.Module:
    torch.manual_seed(0)
    return backbone().eval()


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paper_recipe, "EPOCHS", 2)
    monkeypatch.setattr(paper_recipe, "BAGS_PER_EPOCH", 40)


def _told_apart(rng: np.random.Generator) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Twenty bags of two frames; the positive ones have a channel lit."""
    y = np.tile([0, 1], 10)
    features = rng.normal(0, 0.1, (20, 2, 2048, 2, 2)).astype(np.float16)
    features[y == 1, :, :64] += 2
    return features, y.astype(np.int64)


def test_the_recipe_sees_both_stills_and_some_of_each_sweep() -> None:
    seen = paper_frames()
    assert len(seen) == FRAMES
    assert {14, 15} <= set(seen.tolist())
    assert all(any(low <= place < high for place in seen) for low, high in ((0, 8), (8, 11), (11, 14)))


def test_the_trunk_ends_before_the_last_block(resnet: nn.Module) -> None:
    """Trunk and last block together are the whole network."""
    frames = np.random.default_rng(0).integers(0, 255, (1, 16, 128, 128), dtype=np.uint8)
    features = trunk_features(resnet, frames)
    assert features.shape == (1, FRAMES, 2048, 4, 4)
    block = PaperNetwork(resnet).eval().block
    pooled = block(torch.from_numpy(features[0]).float()).mean(dim=(2, 3))
    small = torch.nn.functional.interpolate(
        to_input(torch.from_numpy(frames[0, paper_frames()])), size=112, mode="bilinear", antialias=True
    )
    assert torch.allclose(pooled, resnet(small), rtol=0.02, atol=0.02)


def test_what_can_be_told_apart_is_learned(resnet: nn.Module, short: None) -> None:
    """Over five seeds the classes lie 1.2 to 1.5 apart; without learning, from -.03 to .08."""
    features, y = _told_apart(np.random.default_rng(1))
    found = predict(_fit(resnet, features, y).network, features, TEST)
    assert found[1::2].min() > found[::2].max() + 0.5


def test_the_same_seed_fits_the_same(resnet: nn.Module, short: None) -> None:
    features, y = _told_apart(np.random.default_rng(2))
    first, again = (predict(_fit(resnet, features, y).network, features, TEST) for _ in range(2))
    assert np.array_equal(first, again)


def test_a_kept_fit_answers_as_it_did(resnet: nn.Module, short: None, tmp_path: Path) -> None:
    features, y = _told_apart(np.random.default_rng(5))
    found = _fit(resnet, features, y)
    found.save(tmp_path / "fit.safetensors")
    again = load_paper(tmp_path / "fit.safetensors", resnet)
    assert np.array_equal(predict(again.network, features, TEST), predict(found.network, features, TEST))
    assert (again.target, again.pac, again.best_epoch) == (found.target, found.pac, found.best_epoch)


def test_the_thresholds_come_from_the_validation_part(resnet: nn.Module, short: None) -> None:
    """At its target threshold the recipe finds nine in ten of the positives that chose it."""
    features, y = _told_apart(np.random.default_rng(3))
    found = _fit(resnet, features, y)
    assert found.target <= found.youden
    assert 0 <= found.best_epoch < len(found.validation_auroc) == 2


def _fit(resnet: nn.Module, features: Any, y: Any) -> PaperFit:
    return fit_paper(features, y, y, backbone=resnet, train=np.arange(8), validation=np.arange(8, 14), seed=0)


def test_predictions_do_not_depend_on_the_neighbours(resnet: nn.Module) -> None:
    features, _ = _told_apart(np.random.default_rng(4))
    torch.manual_seed(4)
    network = PaperNetwork(resnet)
    together, alone = predict(network, features, np.arange(20)), predict(network, features, np.array([3]))
    assert together[3] == pytest.approx(alone[0], rel=1e-4, abs=1e-5)  # a logit near nought is no smaller sum


def test_the_search_goes_straight_to_where_the_goal_is_met() -> None:
    """On a straight line from .5 at 0 dB to 1 at 10 dB the goal of .72 lies at 4.4 dB; half decibels are tried."""
    rows = list(contrast_search.close_in(lambda db: {"bleed_db": db, "mean": 0.5 + 0.05 * db}, low=0, high=10))
    assert [row["bleed_db"] for row in rows] == [0, 10, 4.5]


@pytest.mark.parametrize("width", [0.3, 0.8, 3.0])
def test_the_search_ends_though_no_level_meets_the_goal(width: float) -> None:
    """A step from far below the goal to far above it."""
    rows = list(
        contrast_search.close_in(lambda db: {"bleed_db": db, "mean": 0.5 if db < 1 else 0.9}, low=0.9, high=0.9 + width)
    )
    assert len(rows) <= 2 + width / contrast_search.STEP_DB
