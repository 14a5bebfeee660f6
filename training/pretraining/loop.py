"""Trains a backbone: the loop, its checkpoints, and the learner that is told where blood (or a made-up bleed) lies.

A small bleed is a few pixels of a frame, so the loss names the place: a 1x1 convolution on the last feature map says
which cells show blood, a linear layer on the pooled embedding says whether the frame does. Both are thrown away.
`Pictures` holds frames whose truth is known; `training.pretraining.methods` makes its own from frames without any.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, interpolate

from common.atomic_file import replacing
from inference.core.manifest import ARCHITECTURES
from inference.core.network import backbone, to_input
from training.phantom.prepared_frames import ExamFrames, Floats

B = TypeVar("B")
STRIDE = 32
GRADE_MIX = (0.4, 0.25, 0.2, 0.15)
"""How often a batch's bleeding frames come from each grade: the small bleeds are the hard ones."""


@dataclass(frozen=True)
class Stage:
    """`steps` batches of windows of `crop` prepared pixels (0: whole frames), shown to the network at `side`."""

    steps: int
    crop: int
    side: int
    batch: int
    rate: float


@dataclass(frozen=True)
class Pictures:
    """Frames to draw batches from: bleeding ones by grade with the grade's share, and clear ones."""

    frames: NDArray[np.uint8]
    boxes: tuple[Floats, ...]
    bleeding: tuple[tuple[float, NDArray[np.int64]], ...]
    clear: NDArray[np.int64]


@dataclass(frozen=True)
class Batch:
    """`inputs` [B, 1, S, S]; `frame` [B] and `cells` [B, S/32, S/32] are 1 with blood, 0 without, -1 if in doubt."""

    inputs: Tensor
    frame: Tensor
    cells: Tensor


class Learner(nn.Module, Generic[B]):
    """A backbone with temporary outputs; `loss` of a batch is what training lowers."""

    def __init__(self, architecture: str) -> None:
        super().__init__()
        self.backbone = backbone(architecture)

    def loss(self, batch: B) -> Tensor:
        raise NotImplementedError


class BleedLearner(Learner[Batch]):
    """Told for each picture, and for each cell of it, whether it shows blood."""

    def __init__(self, architecture: str = "resnet50") -> None:
        super().__init__(architecture)
        dim = ARCHITECTURES[architecture]
        self.frame = nn.Linear(dim, 1)
        self.cell = nn.Conv2d(dim, 1, kernel_size=1)

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        features = feature_map(self.backbone, inputs)  # [B, D, s, s]
        pooled = features.mean(dim=(2, 3))  # [B, D]
        return self.frame(pooled).squeeze(1), self.cell(features).squeeze(1)  # [B], [B, s, s]

    def loss(self, batch: Batch) -> Tensor:
        frame, cells = self(batch.inputs)
        return _loss(frame, batch.frame) + _loss(cells, batch.cells)


def feature_map(net: nn.Module, inputs: Tensor) -> Tensor:
    """The last feature map of a ResNet, [B, D, s, s]."""
    features = net.maxpool(net.relu(net.bn1(net.conv1(inputs))))  # type: ignore[operator]  # modules, to torch's types maybe tensors
    for layer in (net.layer1, net.layer2, net.layer3, net.layer4):
        features = layer(features)  # type: ignore[operator]  # as above
    last: Tensor = features
    return last


def pictures(exams: Sequence[ExamFrames]) -> Pictures:
    """Pool the frames of examinations."""
    grades = np.concatenate([np.where(exam.keyframes, exam.grade, 0) for exam in exams])
    clear = np.concatenate([exam.clear for exam in exams])
    return Pictures(
        frames=np.concatenate([exam.frames for exam in exams]),
        boxes=tuple(boxes for exam in exams for boxes in exam.bleeds),
        bleeding=tuple(
            (share, frames)
            for grade, share in enumerate(GRADE_MIX, start=1)
            if len(frames := np.flatnonzero(grades == grade))
        ),
        clear=np.flatnonzero(clear),
    )


def train(
    learner: Learner[B],
    draw: Callable[[Stage, np.random.Generator], B],
    stages: Sequence[Stage],
    *,
    seed: int,
    checkpoint: Path | None = None,
    checkpoint_every: int = 50,
    progress: Callable[[int, float], None] = lambda step, loss: None,
) -> nn.Module:
    """Train a learner and return its backbone in evaluation mode.

    Each step draws from its own generator (seed, step), so a run that goes on from a checkpoint sees what it would
    have seen. `progress` hears the step and the loss.
    """
    learner = learner.to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(learner.parameters(), lr=1e-3, weight_decay=0.02, fused=True)
    done = _restore(checkpoint, learner, optimiser)
    for step, stage, rate in _schedule(stages):
        if step < done:
            continue
        batch = draw(stage, np.random.default_rng((seed, step)))
        progress(step, _step(learner, optimiser, batch, rate=rate))
        if checkpoint and (step + 1) % checkpoint_every == 0:
            _write_checkpoint(checkpoint, learner, optimiser, step + 1)
    return learner.backbone.eval()


def train_backbone(
    shown: Pictures,
    stages: Sequence[Stage],
    *,
    seed: int,
    architecture: str = "resnet50",
    checkpoint: Path | None = None,
    checkpoint_every: int = 50,
    progress: Callable[[int, float], None] = lambda step, loss: None,
    start: nn.Module | None = None,
) -> nn.Module:
    """Train a backbone on pictures whose truth is known, from random weights or those of another, `start`."""
    torch.manual_seed(seed)
    learner = BleedLearner(architecture)
    if start is not None:
        learner.backbone.load_state_dict(start.state_dict())
    return train(
        learner,
        partial(draw, shown),
        stages,
        seed=seed,
        checkpoint=checkpoint,
        checkpoint_every=checkpoint_every,
        progress=progress,
    )


def _schedule(stages: Sequence[Stage]) -> Iterator[tuple[int, Stage, float]]:
    """Every step with its learning rate: in each stage a short rise, then a cosine to nearly nothing."""
    step = 0
    for stage in stages:
        for place in range(stage.steps):
            rise = min(1.0, (place + 1) / (0.08 * stage.steps + 1))
            fall = 0.5 * (1 + math.cos(math.pi * place / stage.steps))
            yield step, stage, stage.rate * rise * (0.02 + 0.98 * fall)
            step += 1


def _step(learner: Learner[B], optimiser: torch.optim.Optimizer, batch: B, *, rate: float) -> float:
    learner.train()
    for group in optimiser.param_groups:
        group["lr"] = rate
    loss = learner.loss(batch)
    optimiser.zero_grad(set_to_none=True)
    torch.autograd.backward(loss)
    nn.utils.clip_grad_norm_(learner.parameters(), 5.0)
    optimiser.step()
    return float(loss.item())


def _loss(logits: Tensor, target: Tensor) -> Tensor:
    """Binary cross-entropy over the places that are sure."""
    sure = target >= 0
    return binary_cross_entropy_with_logits(logits[sure], target[sure])


def draw(shown: Pictures, stage: Stage, rng: np.random.Generator) -> Batch:
    """Half a batch with blood, the grades alike often; half without."""
    drawn = [_one(shown, stage, bleeding=place % 2 == 0, rng=rng) for place in range(stage.batch)]
    inputs = torch.cat([example.inputs for example in drawn]).contiguous(memory_format=torch.channels_last)
    return Batch(
        inputs, torch.cat([example.frame for example in drawn]), torch.cat([example.cells for example in drawn])
    )


def _one(shown: Pictures, stage: Stage, *, bleeding: bool, rng: np.random.Generator) -> Batch:
    index = int(rng.choice(_pool(shown, rng) if bleeding else shown.clear))
    boxes = shown.boxes[index]
    x, y, side = _window(boxes, stage, frame_side=shown.frames.shape[1], rng=rng)
    boxes = (boxes - (x, y, x, y)) * (stage.side / side)
    crop = cut(shown.frames[index], x, y, side)
    inputs = to_input(torch.from_numpy(crop).unsqueeze(0))  # [1, 1, side, side]
    if side != stage.side:
        inputs = interpolate(inputs, size=(stage.side, stage.side), mode="bilinear", antialias=True)
    cells = cell_targets(boxes, side=stage.side, cells=-(-stage.side // STRIDE))  # [s, s]
    if rng.random() < 0.5:
        inputs, cells = inputs.flip(3), cells[:, ::-1].copy()
    frame = float(cells.max()) if len(boxes) else 0.0
    return Batch(relight(inputs, rng), torch.tensor([frame]), torch.from_numpy(cells).unsqueeze(0))


def _pool(shown: Pictures, rng: np.random.Generator) -> NDArray[np.int64]:
    shares = np.array([share for share, _ in shown.bleeding])
    return shown.bleeding[int(rng.choice(len(shares), p=shares / shares.sum()))][1]


def _window(boxes: Floats, stage: Stage, *, frame_side: int, rng: np.random.Generator) -> tuple[int, int, int]:
    """Left, top and side of the window: around a bleed, or where one would lie; a whole frame only shifts."""
    if not stage.crop:
        side = int(frame_side * rng.uniform(0.94, 1.06))
        x, y = rng.normal((frame_side - side) / 2, 3, 2)
        return int(x), int(y), side
    side = int(stage.crop * rng.uniform(0.85, 1.15))
    if len(boxes):
        box = boxes[rng.integers(len(boxes))]
        centre = (box[:2] + box[2:]) / 2
    else:
        centre = rng.normal(frame_side * 0.48, frame_side * 0.14, 2)
    x, y = centre - side / 2 + rng.uniform(-0.36, 0.36, 2) * side
    return int(x), int(y), side


def cut(frame: NDArray[np.uint8], x: int, y: int, side: int) -> NDArray[np.uint8]:
    """The window of a frame, black where it leaves it."""
    canvas = np.zeros((side, side), dtype=np.uint8)
    height, width = frame.shape
    x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + side, width), min(y + side, height)
    if x0 < x1 and y0 < y1:
        canvas[y0 - y : y1 - y, x0 - x : x1 - x] = frame[y0:y1, x0:x1]
    return canvas


def cell_targets(boxes: Floats, *, side: int, cells: int) -> Floats:
    """Blood per cell of a window [cells, cells]: 1 with a third of a box in it, 0 with none, -1 between."""
    target = np.zeros((cells, cells), dtype=np.float32)
    edges = np.arange(cells + 1) * (side / cells)
    for x0, y0, x1, y1 in boxes:
        wide = np.clip(np.minimum(x1, edges[1:]) - np.maximum(x0, edges[:-1]), 0, None)  # [cells]
        tall = np.clip(np.minimum(y1, edges[1:]) - np.maximum(y0, edges[:-1]), 0, None)  # [cells]
        area = np.outer(tall, wide)  # [cells, cells]
        share = np.maximum(area / max((x1 - x0) * (y1 - y0), 1e-6), 2 * area / (side / cells) ** 2)
        target = np.where((target < 1) & (share > 0), np.where(share >= 0.33, 1, -1), target)
    return target.astype(np.float32)


def relight(inputs: Tensor, rng: np.random.Generator) -> Tensor:
    """Another gain and dynamic range, and a little noise."""
    noise = torch.from_numpy(rng.normal(0, 0.08, inputs.shape).astype(np.float32))
    lit: Tensor = inputs * float(rng.uniform(0.8, 1.25)) + float(rng.uniform(-0.15, 0.15)) + noise
    return lit


def _write_checkpoint(path: Path, learner: Learner[Any], optimiser: torch.optim.Optimizer, step: int) -> None:
    tensors = {f"model.{key}": value.contiguous() for key, value in learner.state_dict().items()}
    for number, state in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{number}.{key}": torch.as_tensor(value).contiguous() for key, value in state.items()}
    with replacing(path) as file:
        file.write(safetensors.torch.save(tensors, metadata={"step": str(step)}))


def _laid_out_like(weight: Tensor, value: Tensor) -> Tensor:
    """The fused optimiser walks weight and moments in one stride, so they must lie in memory alike."""
    return torch.empty_like(weight).copy_(value) if value.shape == weight.shape else value


def _restore(path: Path | None, learner: Learner[Any], optimiser: torch.optim.Optimizer) -> int:
    """Go on from a checkpoint if there is one; returns how many steps are done."""
    if path is None or not path.exists():
        return 0
    with safetensors.safe_open(path, framework="pt") as file:
        step = int(file.metadata()["step"])
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a mapping
    learner.load_state_dict({key[6:]: value for key, value in tensors.items() if key.startswith("model.")})
    state: dict[int, dict[str, Tensor]] = {}
    weights = list(learner.parameters())
    for key, value in tensors.items():
        if key.startswith("optimiser."):
            _, number, name = key.split(".", 2)
            state.setdefault(int(number), {})[name] = _laid_out_like(weights[int(number)], value)
    optimiser.load_state_dict(optimiser.state_dict() | {"state": state})
    return step
