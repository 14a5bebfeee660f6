"""The `paper` recipe on pictures: a pretrained ResNet-50 whose last block is fine-tuned with an attention head.

One recipe on every machine, for it is what froze neophantom-v1: 112 pixels, at most 8 frames, `EPOCHS` passes of
`BAGS_PER_EPOCH` class-balanced bags, the best epoch and both thresholds chosen on the same validation part. All but
the last block is frozen, so its output is computed once and kept.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, interpolate

from common.atomic_file import replacing
from inference.core.engine import fuse
from inference.core.frame_selection import ClipFacts, select_frames
from inference.core.network import GatedPool, to_input
from training.core.metrics import Floats, Labels, auroc, target_threshold, youden_threshold
from training.core.predictions import DELTA, TARGET
from training.phantom.neophantom import VIEWS

SIDE = 112
FRAMES = 8
EPOCHS = 6
BAGS_PER_EPOCH = 320
BATCH = 8
RATE = 4e-5
HEAD_RATE = 5e-4
DIM, HIDDEN = 2048, 128
Half = NDArray[np.float16]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class PaperFit:
    """One draw: the network of the epoch that validation chose, the thresholds that validation set, and its course."""

    network: PaperNetwork
    youden: float
    target: float
    pac: float
    validation_auroc: tuple[float, ...]
    best_epoch: int

    def save(self, path: Path) -> None:
        """One safetensors file, whole or not at all; all but the weights lies in its metadata."""
        facts = {
            "thresholds": [self.youden, self.target, self.pac],
            "validation_auroc": list(self.validation_auroc),
            "best_epoch": self.best_epoch,
        }
        tensors = {key: value.contiguous() for key, value in self.network.state_dict().items()}
        with replacing(path) as file:
            file.write(safetensors.torch.save(tensors, metadata={"facts": json.dumps(facts)}))


def load_paper(path: Path, backbone: nn.Module) -> PaperFit:
    """What `PaperFit.save` wrote."""
    network = PaperNetwork(backbone).to(memory_format=torch.channels_last)
    with safetensors.safe_open(path, framework="pt") as file:
        facts = json.loads(file.metadata()["facts"])
        network.load_state_dict({key: file.get_tensor(key) for key in file.keys()})  # noqa: SIM118 - not a mapping
    youden, target, pac = facts["thresholds"]
    return PaperFit(network, youden, target, pac, tuple(facts["validation_auroc"]), facts["best_epoch"])


def paper_frames(sweeps: int = FRAMES) -> Indices:
    """Places of the frames that the recipe sees among the cohort's sixteen: all stills, then evenly from each sweep."""
    lengths = [max(1, round(view.share * 8)) for view in VIEWS]
    facts = [ClipFacts(str(k), length, VIEWS[k].share == 0) for k, length in enumerate(lengths)]
    start = np.cumsum([0, *lengths])
    return np.array([start[int(key)] + frame - 1 for key, frame in select_frames(facts, sweeps)])


@torch.inference_mode()
def trunk_features(
    backbone: nn.Module, frames: NDArray[np.uint8], *, progress: Callable[[int, int], None] = lambda done, of: None
) -> Half:
    """What enters the last block: frames uint8 [M, N, S, S] -> float16 [M, 8, C, s, s] of the recipe's own frames."""
    chosen = frames[:, paper_frames()]  # [M, N, S, S]
    trunk = _trunk(fuse(backbone)).to(memory_format=torch.channels_last)
    features: list[Half] = []
    for done, bag in enumerate(chosen):
        shrunk = interpolate(to_input(torch.from_numpy(bag)), size=(SIDE, SIDE), mode="bilinear", antialias=True)
        features.append(trunk(shrunk.contiguous(memory_format=torch.channels_last)).to(torch.float16).numpy())
        progress(done + 1, len(chosen))
    return np.stack(features)


def _trunk(net: nn.Module) -> nn.Sequential:
    early = [net.conv1, net.bn1, net.relu, net.maxpool, net.layer1, net.layer2, net.layer3]
    return nn.Sequential(*early, *list(net.layer4.children())[:-1])  # type: ignore[union-attr,arg-type]  # modules


class PaperNetwork(nn.Module):
    """The last block, mean pooling over the picture, and gated attention over the frames (Ilse et al. 2018).

    What the block gives is standardised first: with so few positives the head learns nothing from channels that lie
    orders of magnitude apart.
    """

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.block: nn.Module = copy.deepcopy(list(backbone.layer4.children())[-1])  # type: ignore[union-attr]
        self.encode = nn.Sequential(nn.BatchNorm1d(DIM), nn.Linear(DIM, HIDDEN), nn.ReLU(), nn.Dropout(0.25))
        self.pool = GatedPool(HIDDEN)

    def forward(self, features: Tensor) -> Tensor:
        """Features [B, N, C, s, s] -> logit [B]."""
        flat = self.block(features.flatten(0, 1).contiguous(memory_format=torch.channels_last))  # [B N, C, s, s]
        frames = self.encode(flat.mean(dim=(2, 3))).unflatten(0, features.shape[:2])  # [B, N, H]
        mask = torch.ones(frames.shape[:2], dtype=torch.bool)
        logit: Tensor = self.pool(frames, mask).logit
        return logit

    def train(self, mode: bool = True) -> PaperNetwork:
        """The block's own batch normalisation keeps the statistics of pretraining: eight bags are too few for it."""
        super().train(mode)
        self.block.eval()
        return self


def fit_paper(
    features: Half,
    fit_y: Labels,
    true_y: Labels,
    *,
    backbone: nn.Module,
    train: Indices,
    validation: Indices,
    seed: int,
    progress: Callable[[int, float], None] = lambda epoch, value: None,
) -> PaperFit:
    """Fine-tune on `train` with `fit_y`; choose the epoch and the thresholds on `validation` by `true_y`."""
    torch.manual_seed(seed)
    network = PaperNetwork(backbone).to(memory_format=torch.channels_last)
    best: tuple[float, int, PaperNetwork] = (-math.inf, 0, network)
    course: list[float] = []
    for epoch in _epochs(network, features, fit_y, train, rng=np.random.default_rng((seed, 1))):
        value = auroc(true_y[validation], predict(network, features, validation))
        course.append(value)
        progress(epoch, value)
        if value > best[0]:
            best = value, epoch, copy.deepcopy(network)
    chosen = best[2]
    scores, y = predict(chosen, features, validation), true_y[validation]
    return PaperFit(
        network=chosen,
        youden=youden_threshold(y, scores),
        target=float(np.quantile(scores[y == 1], 1 - TARGET, method="lower")),
        pac=target_threshold(scores[y == 1], target=TARGET, delta=DELTA).threshold,
        validation_auroc=tuple(course),
        best_epoch=best[1],
    )


def _epochs(
    network: PaperNetwork, features: Half, y: Labels, train: Indices, *, rng: np.random.Generator
) -> Iterator[int]:
    parts = [
        {"params": network.block.parameters(), "lr": RATE},
        {"params": [*network.encode.parameters(), *network.pool.parameters()], "lr": HEAD_RATE},
    ]
    optimiser = torch.optim.AdamW(parts, weight_decay=0.01, fused=True)
    steps = EPOCHS * (BAGS_PER_EPOCH // BATCH)
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=[RATE, HEAD_RATE], total_steps=steps + 1, pct_start=0.2
    )
    for epoch in range(EPOCHS):
        network.train()
        for _ in range(BAGS_PER_EPOCH // BATCH):
            rows = _balanced(y, train, rng)
            logit = network(torch.from_numpy(features[rows]).float())  # [B]
            loss = binary_cross_entropy_with_logits(logit, torch.from_numpy(y[rows]).float())
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimiser.step()
            cycle.step()
        yield epoch


def _balanced(y: Labels, train: Indices, rng: np.random.Generator) -> Indices:
    """Half a batch from each class."""
    positive, negative = train[y[train] == 1], train[y[train] == 0]
    half = BATCH // 2
    return np.concatenate([rng.choice(positive, half), rng.choice(negative, BATCH - half)])


@torch.inference_mode()
def predict(network: PaperNetwork, features: Half, indices: Indices) -> Floats:
    """Logits of bags, float64 [B]."""
    network.eval()
    parts = [
        network(torch.from_numpy(features[rows]).float())
        for rows in np.array_split(indices, max(1, len(indices) // 16))
    ]
    logits: Floats = torch.cat(parts).double().numpy()
    return logits
