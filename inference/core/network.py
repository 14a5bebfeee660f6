"""The network: a one-channel ResNet that embeds frames, and heads that pool a bag of embeddings into one logit.

Shapes: M bags, N frames in a bag, D embedding, W projection, H hidden.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, pairwise
from typing import NamedTuple

import torch
import torchvision
from torch import Tensor, nn

from inference.core.manifest import ARCHITECTURES

WIDTH, HIDDEN = 128, 64
DROPOUT = 0.25
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


def head(
    kind: str,
    dim: int,
    *,
    width: int = WIDTH,
    hidden: int = HIDDEN,
    layers: Sequence[int] = (),
    dropout: float = DROPOUT,
) -> BagHead:
    """A head of a named kind (one of `HEAD_KINDS`) over embeddings of `dim`; raises ValueError for any other kind.

    `width` W is that of the projection, `hidden` H that of the encoder's last layer; `layers` are the widths of further
    ones before it. `dropout` is the share of encoder outputs that training sets to 0.
    """
    if kind not in _POOLS:
        raise ValueError(f"head kind {kind!r} is not one of {sorted(_POOLS)}")
    return BagHead(_POOLS[kind](hidden), dim=dim, widths=(width, *layers, hidden), dropout=dropout)


class BagHead(nn.Module):
    """Projection (fixed once fitted), encoder, pooling: what every kind of head shares.

    `forward(bags [M, N, D], mask [M, N] bool)` takes any content in the masked places, even NaN. A bag without a real
    frame gives a finite logit and no attention.
    """

    def __init__(self, pool: Pool, *, dim: int, widths: Sequence[int], dropout: float) -> None:
        super().__init__()
        self.project = nn.Linear(dim, widths[0])
        layers = ((nn.Linear(*pair), nn.ReLU(), nn.Dropout(dropout)) for pair in pairwise(widths))
        self.encode = nn.Sequential(*chain.from_iterable(layers))
        self.pool = pool

    def forward(self, bags: Tensor, mask: Tensor) -> BagOutput:
        return self.classify(self.project(real(bags, mask)), mask)  # [M], [M, N]

    @torch.no_grad()
    def shift(self, centre: float, spread: float) -> None:
        """Change the last layer so that every logit becomes (logit - centre) / spread."""
        for layer in self.pool.last():
            layer.weight.div_(spread)
            layer.bias.sub_(centre).div_(spread)

    def classify(self, projected: Tensor, mask: Tensor) -> BagOutput:
        """The head after its projection: [M, N, W] -> logit and attention. Training runs this part alone."""
        output: BagOutput = self.pool(self.encode(projected), mask)  # [M], [M, N]
        return output


class Pool(nn.Module):
    """Turns encoded frames [M, N, H] into one logit for each bag."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.score = nn.Linear(hidden, 1)

    def last(self) -> tuple[nn.Linear, ...]:
        """The linear layers whose outputs make the logit, each a share of it."""
        return (self.score,)

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


class DualStreamPool(Pool):
    """DSMIL (Li et al. 2021, arXiv 2011.08939): the strongest frame, and all frames by their likeness to it."""

    def __init__(self, hidden: int) -> None:
        super().__init__(hidden)
        self.query = nn.Linear(hidden, hidden, bias=False)
        self.value = nn.Linear(hidden, hidden)
        self.bag = nn.Linear(hidden, 1)

    def last(self) -> tuple[nn.Linear, ...]:
        return self.score, self.bag

    def forward(self, encoded: Tensor, mask: Tensor) -> BagOutput:
        scores = self.score(encoded).squeeze(-1)  # [M, N]
        best = scores.masked_fill(~mask, -torch.inf).argmax(dim=1, keepdim=True)  # [M, 1]
        queries = self.query(encoded)  # [M, N, H]
        critical = queries.take_along_dim(best.unsqueeze(-1), dim=1)  # [M, 1, H]
        likeness = (queries * critical).sum(dim=-1) / encoded.shape[-1] ** 0.5  # [M, N]
        attention = masked_softmax(likeness, mask)  # [M, N]
        bag = torch.einsum("mn,mnh->mh", attention, self.value(encoded))  # [M, H]
        strongest = torch.where(mask.any(dim=1), scores.take_along_dim(best, dim=1).squeeze(1), 0)  # [M]
        return BagOutput((strongest + self.bag(bag).squeeze(-1)) / 2, attention)


class TransformerPool(Pool):
    """After TransMIL (Shao et al. 2021, arXiv 2106.00908): frames look at each other, then a class token at them.

    Without its encoding of places, since the frames of several clips have no common order; full attention, since bags
    are small. The class token sees frames only, so that a repeated study is the same study.
    """

    heads = 2

    def __init__(self, hidden: int) -> None:
        super().__init__(hidden)
        self.token = nn.Parameter(torch.randn(hidden) * 0.1)
        self.frame_query, self.token_query = (nn.Linear(hidden, hidden, bias=False) for _ in range(2))
        self.frame_key, self.token_key = (nn.Linear(hidden, hidden, bias=False) for _ in range(2))
        self.frame_value, self.token_value = (nn.Linear(hidden, hidden) for _ in range(2))
        self.norm = nn.LayerNorm(hidden)
        self.settle = nn.LayerNorm(hidden)

    def forward(self, encoded: Tensor, mask: Tensor) -> BagOutput:
        queries, keys, values = self.frame_query(encoded), self.frame_key(encoded), self.frame_value(encoded)
        among, _ = self._attend(queries, keys, values, mask)  # [M, N, H]
        frames = self.norm(encoded + among)  # [M, N, H]
        token = self.token_query(self.token).expand(len(encoded), 1, -1)  # [M, 1, H]
        seen, weights = self._attend(token, self.token_key(frames), self.token_value(frames), mask)  # [M, 1, H]
        bag = self.settle(self.token + seen.squeeze(1))  # [M, H]
        return BagOutput(self.score(bag).squeeze(-1), weights.squeeze(1))

    def _attend(self, queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Attention of queries [M, Q, H] over values [M, N, H]: the result [M, Q, H], and mean weights [M, Q, N]."""
        q, k, v = (part.reshape(*part.shape[:2], self.heads, -1) for part in (queries, keys, values))
        scores = torch.einsum("mqad,mnad->maqn", q, k) / q.shape[-1] ** 0.5  # [M, A, Q, N]
        shown = mask[:, None, None].expand_as(scores)
        weights = masked_softmax(scores.flatten(0, 2), shown.flatten(0, 2)).view_as(scores)  # [M, A, Q, N]
        return torch.einsum("maqn,mnad->mqad", weights, v).flatten(-2), weights.mean(dim=1)


class FontanellePool(GatedPool):
    """Three views of a study at once: the mean frame, the frames attended to, and its three most suspect frames.

    Attention is smoothed along the order of the frames (Sm, Castro-Macias et al. 2024, arXiv 2410.03276): a bleed
    persists over neighbouring frames, an artefact does not. A few Jacobi steps solve for scores that lie between each
    frame's own and its neighbours' mean; how much is learned.
    """

    steps = 4
    most = 3

    def __init__(self, hidden: int) -> None:
        super().__init__(hidden)
        self.mix = nn.Parameter(torch.zeros(()))
        self.bag = nn.Linear(2 * hidden + 1, 1)

    def last(self) -> tuple[nn.Linear, ...]:
        return (self.bag,)

    def forward(self, encoded: Tensor, mask: Tensor) -> BagOutput:
        even = masked_softmax(torch.zeros_like(encoded[..., 0]), mask)  # [M, N]
        attention = masked_softmax(self.smooth(self.weigh(self.gated(encoded)).squeeze(-1), mask), mask)  # [M, N]
        mean, attended = (torch.einsum("mn,mnh->mh", weights, encoded) for weights in (even, attention))  # [M, H]
        bag = torch.cat([mean, attended, self._strongest(encoded, mask)], dim=1)  # [M, 2 H + 1]
        return BagOutput(self.bag(bag).squeeze(-1), attention)

    def smooth(self, scores: Tensor, mask: Tensor) -> Tensor:
        """Scores [M, N] drawn towards those of the real frames before and after them."""
        share = torch.sigmoid(self.mix)
        real_frames = mask.to(scores.dtype)
        count = _neighbours(real_frames)  # [M, N]
        smoothed = scores
        for _ in range(self.steps):
            around = _neighbours(smoothed * real_frames) / count.clamp_min(1)  # [M, N]
            smoothed = torch.where(count > 0, (1 - share) * scores + share * around, scores)
        return smoothed

    def _strongest(self, encoded: Tensor, mask: Tensor) -> Tensor:
        """Mean logit of the three strongest real frames [M, 1], 0 without any."""
        scores = self.score(encoded).squeeze(-1).masked_fill(~mask, -torch.inf)  # [M, N]
        top = scores.topk(min(self.most, scores.shape[1]), dim=1).values  # [M, K]
        there = torch.isfinite(top)
        return torch.where(there, top, 0).sum(dim=1, keepdim=True) / there.sum(dim=1, keepdim=True).clamp_min(1)


def _neighbours(values: Tensor) -> Tensor:
    """The sum of the values before and after each place of a row [M, N]."""
    before, after = nn.functional.pad(values[:, :-1], (1, 0)), nn.functional.pad(values[:, 1:], (0, 1))
    return before + after


_POOLS: dict[str, type[Pool]] = {
    "fontanelle": FontanellePool,
    "gated": GatedPool,
    "abmil": AttentionPool,
    "mean": MeanPool,
    "max": MaxPool,
    "dsmil": DualStreamPool,
    "transmil": TransformerPool,
}


def real(bags: Tensor, mask: Tensor) -> Tensor:
    """The bags [M, N, D] with zeros in the places [M, N] that hold no frame."""
    return torch.where(mask.unsqueeze(-1), bags, torch.zeros((), dtype=bags.dtype, device=bags.device))  # [M, N, D]


def masked_softmax(scores: Tensor, mask: Tensor) -> Tensor:
    """Softmax over the real places of each row [M, N]; exactly 0 elsewhere, and all 0 for a row without any."""
    floor = torch.finfo(scores.dtype).min
    top = scores.masked_fill(~mask, floor).amax(dim=1, keepdim=True)  # [M, 1]
    weights = torch.exp((scores - top).masked_fill(~mask, -torch.inf))  # [M, N]
    return weights / weights.sum(dim=1, keepdim=True).clamp_min(torch.finfo(scores.dtype).tiny)  # [M, N]
