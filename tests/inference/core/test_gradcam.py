"""Where in a frame the score came from."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from inference.core.engine import Engine
from inference.core.gradcam import heat_maps
from inference.core.network import BagOutput
from inference.core.preprocess import prepare, seen_square
from inference.core.weights import read_model
from tests.inference.core.tiny_model import write_tiny


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    folder: Path = tmp_path_factory.mktemp("explain") / "model"
    write_tiny(folder)
    return Engine(read_model(folder), "cpu")


@pytest.fixture(scope="module")
def frames() -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (4, 128, 128), dtype=np.uint8)


def test_maps_share_one_scale_from_nought_to_one(engine: Engine, frames: NDArray[np.uint8]) -> None:
    maps = heat_maps(engine, frames[:3], engine.embed(frames), [0, 1, 2])
    assert (maps.shape, str(maps.dtype)) == ((3, 4, 4), "float32")
    assert maps.min() >= 0
    assert float(maps.max()) in (0.0, 1.0)


class SumHead(nn.Module):
    """A head whose logit is the sum of all embeddings, with attention that grows along the bag."""

    def forward(self, bag: torch.Tensor, mask: torch.Tensor) -> BagOutput:
        weights = torch.arange(1.0, bag.shape[1] + 1) / sum(range(1, bag.shape[1] + 1))
        return BagOutput(bag.sum(dim=(1, 2)), weights.unsqueeze(0))


def test_a_map_is_attention_times_grad_cam(engine: Engine, frames: NDArray[np.uint8]) -> None:
    """Where every channel raises the logit alike, the map is the channels' sum, weighted by the frame's attention."""
    plain = copy.copy(engine)
    plain.heads = (SumHead(),)  # type: ignore[assignment]  # all that is asked of a head
    last: list[torch.Tensor] = []
    hook = engine.backbone.get_submodule("layer4").register_forward_hook(lambda _m, _i, out: last.append(out))
    embeddings = engine.embed(frames)
    hook.remove()
    sums = last[0][:2].float().sum(dim=1).numpy() * np.array([0.1, 0.2])[:, None, None]  # [2, h, w]
    maps = heat_maps(plain, frames[:2], embeddings, [0, 1])
    assert np.allclose(maps, sums / sums.max(), atol=0.02)


def test_a_frame_without_a_place_is_refused(engine: Engine, frames: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match="place"):
        heat_maps(engine, frames[:2], engine.embed(frames), [0, 9])


def test_no_frames_give_no_maps(engine: Engine, frames: NDArray[np.uint8]) -> None:
    assert len(heat_maps(engine, frames[:0], engine.embed(frames), [])) == 0


def test_explaining_leaves_the_score_as_it_was(engine: Engine, frames: NDArray[np.uint8]) -> None:
    before = engine.score(engine.embed(frames)).logit
    heat_maps(engine, frames[:1], engine.embed(frames), [2])
    assert engine.score(engine.embed(frames)).logit == before


def test_the_square_is_what_the_network_saw() -> None:
    grey = np.zeros((100, 200), np.uint8)
    grey[10:90, 60:100] = 200
    x, y, side = seen_square(grey)
    assert (x, y, side) == (40, 10, 80)
    assert prepare(grey, size=80).tolist() == grey[y : y + side, x : x + side].tolist()
