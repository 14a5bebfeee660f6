"""Fits a head on cached embeddings: a fixed linear projection, then a small network, a few hundred steps.

Everything is drawn from the seed: the same bags, indices and seed give the same head on the same machine.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, softplus

from inference.core.network import WIDTH, BagHead, BagOutput, head
from training.core.bags import Bags, Embeddings
from training.core.metrics import Floats, Labels

Indices = NDArray[np.int64]
MOST_INSTANCES = 6000
"""Instances that the principal axes are found on; more of them change the axes little and cost seconds."""


@dataclass(frozen=True)
class Fit:
    """How a head is fitted: a fixed number of steps, AdamW with a one-cycle rate, an exponential mean of the weights.

    Steps, not epochs, so that a small cohort is fitted as long as a large one.

    `logit_adjustment` adds log(positives / negatives) to the logits while training (Menon et al., arXiv 2007.07314),
    so that the head ranks instead of learning how rare haemorrhage is; calibration puts the prior back.

    Where readers marked keyframes, `attention_weight` weighs how far attention is from them (supervised attention,
    SAMIL, arXiv 2306.00003) and `frame_weight` how badly the head's own frame scores tell them from clear frames.
    """

    kind: str = "gated"
    steps: int = 240
    batch: int = 32
    rate: float = 2e-3
    weight_decay: float = 0.05
    ema: float = 0.97
    logit_adjustment: bool = True
    attention_weight: float = 0.3
    frame_weight: float = 0.5


@dataclass(frozen=True)
class Projection:
    """Standardise, then turn to the principal axes: `weight` [W, D], `bias` [W]."""

    weight: Tensor
    bias: Tensor


@dataclass(frozen=True)
class Projected:
    """All bags after the projection, padded: `values` [M, N, W], `mask` [M, N] true for real frames.

    `marks` [M, N] is 1 for a keyframe, 0 for a frame known to be clear, -1 for one without a target; None:
    nobody marked any.
    """

    values: Tensor
    mask: Tensor
    marks: Tensor | None = None


def fit_projection(embeddings: Sequence[Embeddings], indices: Indices, *, width: int = WIDTH) -> Projection:
    """Find the projection on the bags named by `indices` alone; labels are not looked at.

    Axes keep their relative size and have a mean square of 1 together. Dimensions that never vary get no weight.
    """
    rows = np.concatenate([embeddings[index] for index in indices]).astype(np.float32)  # [sum n, D]
    sample = torch.from_numpy(rows[:: max(1, len(rows) // MOST_INSTANCES)])
    mean, sd = sample.mean(dim=0), sample.std(dim=0, correction=0)  # [D]
    scale = torch.where(sd > 1e-6, 1 / sd.clamp_min(1e-6), 0)
    standard = (sample - mean) * scale
    rank = min(width, *standard.shape)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        _, sizes, axes = torch.pca_lowrank(standard, q=rank, center=False, niter=2)  # [q], [D, q]
    spread = (sizes.square().mean() / len(standard)).sqrt().clamp_min(1e-6)
    weight = torch.zeros(width, rows.shape[1])
    weight[:rank] = axes.T * scale / spread
    return Projection(weight, -(weight @ mean))


def project(
    embeddings: Sequence[Embeddings], projection: Projection, marks: Sequence[NDArray[np.int8]] | None = None
) -> Projected:
    """Project all bags; a bag without frames is all padding."""
    sizes = [len(bag) for bag in embeddings]
    rows = torch.from_numpy(np.concatenate(embeddings).astype(np.float32)) @ projection.weight.T + projection.bias
    mask = torch.arange(max(1, *sizes)) < torch.tensor(sizes).unsqueeze(1)  # [M, N]
    values = torch.zeros(*mask.shape, rows.shape[1])
    values[mask] = rows
    return Projected(values, mask, None if marks is None else _padded(marks, mask))


def _padded(marks: Sequence[NDArray[np.int8]], mask: Tensor) -> Tensor:
    padded = torch.full(mask.shape, -1, dtype=torch.int8)
    padded[mask] = torch.from_numpy(np.concatenate(marks))
    return padded


def frame_targets(bags: Bags) -> list[NDArray[np.int8]] | None:
    """The target of each frame, int8 [n_i] of each bag: 1 blood, 0 clear, -1 none; None if nobody marked a keyframe.

    By the labels that fitting sees: all frames of a study labelled negative are clear. In a study labelled positive
    only marked frames have a target; one whose label was exchanged has none, since its reader marked no frame.
    """
    if bags.keyframes is None or not any((marks == 1).any() for marks in bags.keyframes):
        return None
    return [
        np.zeros_like(marks) if not label else marks if truth else np.full_like(marks, -1)
        for marks, label, truth in zip(bags.keyframes, bags.fitted_on, bags.y, strict=True)
    ]


def fit_head(
    data: Projected,
    y: Labels,
    indices: Indices,
    *,
    projection: Projection,
    fit: Fit,
    seed: int,
    tick: Callable[[], None] = lambda: None,
    choose: Callable[[BagHead], float] | None = None,
) -> BagHead:
    """Fit one head on the bags named by `indices`; `tick` is called after each epoch and may raise to stop.

    Without `choose` this is the exponential mean of the weights after the last epoch. With it, it is the head of the
    epoch that `choose` scores highest, as in papers that pick a checkpoint on a validation set.
    """
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = new_head(projection, fit.kind)
        shadow = copy.deepcopy(network)
        best, best_value = shadow, -np.inf
        for _ in _epochs(network, shadow, data=data, y=y, indices=indices, fit=fit):
            tick()
            if choose and (value := choose(network.eval())) > best_value:
                best, best_value = copy.deepcopy(network), value
    return (best if choose else shadow).eval()


def new_head(projection: Projection, kind: str) -> BagHead:
    """A head of a kind on a projection, its weights drawn from torch's generator."""
    network = head(kind, projection.weight.shape[1], width=projection.weight.shape[0])
    network.project.weight.data.copy_(projection.weight)
    network.project.bias.data.copy_(projection.bias)
    return network


def _epochs(
    network: BagHead, shadow: BagHead, *, data: Projected, y: Labels, indices: Indices, fit: Fit
) -> Iterator[None]:
    """Train, yielding after each epoch; `shadow` follows as an exponential mean."""
    goal = torch.from_numpy(y).float()
    prior = _prior(y[indices]) if fit.logit_adjustment else 0.0
    parts: list[Tensor] = [*network.encode.parameters(), *network.pool.parameters()]
    followers: list[Tensor] = [*shadow.encode.parameters(), *shadow.pool.parameters()]
    optimiser = torch.optim.AdamW(parts, lr=fit.rate, weight_decay=fit.weight_decay, fused=True)
    epochs = -(-fit.steps // -(-len(indices) // fit.batch))
    steps = epochs * -(-len(indices) // fit.batch)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=fit.rate, total_steps=steps + 1, pct_start=0.2)
    done = 0
    for _ in range(epochs):
        network.train()
        for rows in torch.split(torch.from_numpy(indices)[torch.randperm(len(indices))], fit.batch):
            encoded = network.encode(data.values[rows])  # [B, N, H]
            output: BagOutput = network.pool(encoded, data.mask[rows])
            loss = binary_cross_entropy_with_logits(output.logit + prior, goal[rows])
            if data.marks is not None:
                loss = loss + _keyframe_loss(network, encoded, output.attention, data.marks[rows], fit=fit)
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
            cycle.step()
            done += 1
            _follow(followers, parts, decay=min(fit.ema, done / (done + 9)))
        yield


def _keyframe_loss(network: BagHead, encoded: Tensor, attention: Tensor, marks: Tensor, *, fit: Fit) -> Tensor:
    """What marked frames add to the loss: attention that lies elsewhere, and frame scores that miss them."""
    key, clear = marks == 1, marks == 0  # [B, N]
    marked = key.any(dim=1)  # [B]
    goal = key.float() / key.sum(dim=1, keepdim=True).clamp_min(1)  # [B, N]
    elsewhere = -(goal * torch.log(attention.clamp_min(1e-6))).sum(dim=1)[marked].sum() / marked.sum().clamp_min(1)
    scores = network.pool.score(encoded).squeeze(-1)  # [B, N]
    missed = softplus(-scores[key]).sum() / key.sum().clamp_min(1)
    false_alarms = softplus(scores[clear]).sum() / clear.sum().clamp_min(1)
    return fit.attention_weight * elsewhere + fit.frame_weight * (missed + false_alarms) / 2


def _prior(y: Labels) -> float:
    positives = float(y.sum())
    return float(np.log((positives + 0.5) / (len(y) - positives + 0.5)))


@torch.no_grad()
def _follow(followers: list[Tensor], parts: list[Tensor], *, decay: float) -> None:
    torch._foreach_lerp_(followers, parts, 1 - decay)


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch on one thread: heads are so small that a second one only waits, on a busy machine for seconds."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@torch.inference_mode()
def outputs(network: BagHead, data: Projected, indices: Indices) -> BagOutput:
    """Logit [B] and attention [B, N] of the bags named by `indices`; the data are projected already."""
    rows = torch.from_numpy(indices)
    return network.classify(data.values[rows], data.mask[rows])


def mean_logits(members: Sequence[BagHead], data: Projected, indices: Indices) -> Floats:
    """The mean logit of several heads with the same projection, float64 [B]."""
    stacked = torch.stack([outputs(member, data, indices).logit for member in members])  # [K, B]
    logits: Floats = stacked.double().mean(dim=0).numpy()
    return logits
