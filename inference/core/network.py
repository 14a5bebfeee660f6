"""The network: a one-channel ResNet that embeds frames, and heads that pool a bag of embeddings into one logit.

Shapes: M bags, N frames in a bag, D embedding, W projection, H hidden.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torchvision
from torch import Tensor, nn

from inference.core.manifest import ARCHITECTURES

WIDTH, HIDDEN = 128, 64
PIXEL_MEAN, PIXEL_SD = 0.2, 0.2
"""Rough mean and spread of grey values in B-mode; part of preprocessing "p1"."""


class BagOutput(NamedTuple):
    """`logit` [M]; `attention` [M, N], which sums to 1 over a bag's real frames and is exactly 0 elsewhere."""

    logit: Tensor
    attention: Tensor


def backbone(architecture: str = "resnet50") -> nn.Module:
    """A torchvision ResNet with a one-channel stem and no classifier: float [B, 1, S, S] -> [B, D]."""
    if architecture not in ARCHITECTURES:
        raise ValueError(f"architecture {architecture!r} is not one of {sorted(ARCHITECTURES)}")
    network: nn.Module = getattr(torchvision.models, architecture)(weights=None)
    network.conv1 = nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False)
    network.fc = nn.Identity()
    return network


def to_input(frames: Tensor) -> Tensor:
    """Prepared frames uint8 [B, S, S] as the backbone's input float32 [B, 1, S, S], channels last."""
    scaled = (frames.float() / 255 - PIXEL_MEAN) / PIXEL_SD  # [B, S, S]
    return scaled.unsqueeze(1).contiguous(memory_format=torch.channels_last)  # [B, 1, S, S]


def head(kind: str, dim: int, *, width: int = WIDTH, hidden: int = HIDDEN) -> BagHead:
    """A head of a named kind over embeddings of `dim`; raises ValueError for a kind that there is not."""
    if kind not in _POOLS:
        raise ValueError(f"head kind {kind!r} is not one of {sorted(_POOLS)}")
    return BagHead(_POOLS[kind](hidden), dim=dim, width=width, hidden=hidden)


class BagHead(nn.Module):
    """Projection (fixed once fitted), encoder, pooling: what every kind of head shares.

    `forward(bags [M, N, D], mask [M, N] bool)` takes any content in the masked places, even NaN. A bag without a real
    frame gives a finite logit and no attention.
    """

    def __init__(self, pool: Pool, *, dim: int, width: int = WIDTH, hidden: int = HIDDEN) -> None:
        super().__init__()
        self.project = nn.Linear(dim, width)
        self.encode = nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Dropout(0.25))
        self.pool = pool

    def forward(self, bags: Tensor, mask: Tensor) -> BagOutput:
        return self.classify(self.project(real(bags, mask)), mask)  # [M], [M, N]

    def classify(self, projected: Tensor, mask: Tensor) -> BagOutput:
        """The head after its projection: [M, N, W] -> logit and attention. Training runs this part alone."""
        output: BagOutput = self.pool(self.encode(projected), mask)  # [M], [M, N]
        return output


class Pool(nn.Module):
    """Turns encoded frames [M, N, H] into one logit for each bag."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.score = nn.Linear(hidden, 1)

    def pooled(self, encoded: Tensor, attention: Tensor) -> BagOutput:
        """The logit of the attention-weighted mean."""
        bag = torch.einsum("mn,mnh->mh", attention, encoded)  # [M, H]
        return BagOutput(self.score(bag).squeeze(-1), attention)  # [M], [M, N]


class MeanPool(Pool):
    """Every real frame counts alike."""

    def forward(self, encoded: Tensor, mask: Tensor) -> BagOutput:
        return self.pooled(encoded, masked_softmax(torch.zeros_like(encoded[..., 0]), mask))


class MaxPool(Pool):
    """The frame with the highest logit decides; equal frames share the attention."""

    def forward(self, encoded: Tensor, mask: Tensor) -> BagOutput:
        scores = self.score(encoded).squeeze(-1).masked_fill(~mask, -torch.inf)  # [M, N]
        best = scores.amax(dim=1, keepdim=True)  # [M, 1]
        winners = ((scores == best) & mask).to(encoded.dtype)  # [M, N]
        attention = winners / winners.sum(dim=1, keepdim=True).clamp_min(1)  # [M, N]
        return self.pooled(encoded, attention)


class AttentionPool(Pool):
    """Attention of Ilse et al. 2018 (arXiv 1802.04712), equation 8."""

    def __init__(self, hidden: int) -> None:
        super().__init__(hidden)
        self.content = nn.Linear(hidden, hidden)
        self.weigh = nn.Linear(hidden, 1)

    def forward(self, encoded: Tensor, mask: Tensor) -> BagOutput:
        scores = self.weigh(self.gated(encoded)).squeeze(-1)  # [M, N]
        return self.pooled(encoded, masked_softmax(scores, mask))

    def gated(self, encoded: Tensor) -> Tensor:
        return torch.tanh(self.content(encoded))  # [M, N, H]


class GatedPool(AttentionPool):
    """Gated attention, equation 9 of the same paper."""

    def __init__(self, hidden: int) -> None:
        super().__init__(hidden)
        self.gate = nn.Linear(hidden, hidden)

    def gated(self, encoded: Tensor) -> Tensor:
        return torch.tanh(self.content(encoded)) * torch.sigmoid(self.gate(encoded))  # [M, N, H]


_POOLS: dict[str, type[Pool]] = {"gated": GatedPool, "abmil": AttentionPool, "mean": MeanPool, "max": MaxPool}


def real(bags: Tensor, mask: Tensor) -> Tensor:
    """The bags [M, N, D] with zeros in the places [M, N] that hold no frame."""
    return torch.where(mask.unsqueeze(-1), bags, torch.zeros((), dtype=bags.dtype, device=bags.device))  # [M, N, D]


def masked_softmax(scores: Tensor, mask: Tensor) -> Tensor:
    """Softmax over the real places of each row [M, N]; exactly 0 elsewhere, and all 0 for a row without any."""
    floor = torch.finfo(scores.dtype).min
    top = scores.masked_fill(~mask, floor).amax(dim=1, keepdim=True)  # [M, 1]
    weights = torch.exp((scores - top).masked_fill(~mask, -torch.inf))  # [M, N]
    return weights / weights.sum(dim=1, keepdim=True).clamp_min(torch.finfo(scores.dtype).tiny)  # [M, N]
