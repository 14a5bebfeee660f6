"""Where in a frame the score came from: Grad-CAM (Selvaraju et al. 2017, arXiv 1610.02391) on the last convolution.

The logit explained is that of the whole bag, with every other frame as it was: so a map says what this frame added to
this study's score, through its attention as well as its content. It is neither a finding nor a place.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from inference.core.engine import Engine
from inference.core.network import to_input

METHOD = "grad-cam-1"


def heat_maps(
    engine: Engine, frames: NDArray[np.uint8], embeddings: NDArray[np.floating], places: Sequence[int]
) -> NDArray[np.float32]:
    """Attention x Grad-CAM of some frames of a bag.

    `frames` uint8 [K, S, S] are the prepared frames that stand at `places` (K) of the bag's `embeddings` [N, D].
    Returns float32 [K, h, w] between 0 and 1, one scale for all of them; all 0 where nothing raised the score.
    """
    if not len(frames) == len(places) == len(set(places)) or not all(0 <= at < len(embeddings) for at in places):
        raise ValueError("each frame needs a place of its own in the bag")
    if not len(frames):
        return np.zeros((0, 0, 0), np.float32)
    with torch.enable_grad():
        embedded, last = _embed(engine.backbone, to_input(torch.from_numpy(np.array(frames)).to(engine.device)))
        logit, attention = _pool(engine, embeddings, embedded, list(places))
        (slope,) = torch.autograd.grad(logit, last)  # [K, C, h, w]
    weights = slope.mean(dim=(2, 3), keepdim=True)  # [K, C, 1, 1]
    maps = torch.relu((weights * last).sum(dim=1)).detach()  # [K, h, w]
    maps = maps * attention.detach()[list(places)].reshape(-1, 1, 1)
    top = maps.max()
    scaled = maps / top if top > 0 else maps
    return scaled.float().cpu().numpy()


def _embed(backbone: nn.Module, frames: Tensor) -> tuple[Tensor, Tensor]:
    """Embeddings [K, D] of the input [K, 1, S, S], and the last convolution's output [K, C, h, w] behind them."""
    outputs: list[Tensor] = []

    def with_gradient(_module: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        outputs.append(output.detach().requires_grad_())
        return outputs[0]

    # Nothing before the last convolution needs a gradient, so none of it is kept in memory.
    backbone.requires_grad_(False)
    handle = backbone.get_submodule("layer4").register_forward_hook(with_gradient)
    try:
        embedded: Tensor = backbone(frames)
    finally:
        handle.remove()
    return embedded, outputs[0]


def _pool(
    engine: Engine, embeddings: NDArray[np.floating], embedded: Tensor, places: list[int]
) -> tuple[Tensor, Tensor]:
    """The bag's logit and attention [N] with the fresh embeddings in their places."""
    bag = torch.from_numpy(embeddings.astype(np.float32)).to(engine.device)  # [N, D]
    bag = bag.index_copy(0, torch.tensor(places, device=engine.device), embedded.float()).unsqueeze(0)
    mask = torch.ones(bag.shape[:2], dtype=torch.bool, device=engine.device)
    outputs = [head(bag, mask) for head in engine.heads]
    logit = torch.stack([output.logit for output in outputs]).mean()
    return logit, torch.stack([output.attention[0] for output in outputs]).mean(dim=0)
