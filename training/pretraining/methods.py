"""A backbone from unlabelled ultrasound, in one of two ways that need nobody's labels.

`anomaly`: bleeds that never were. Half of a batch's crops get a made-up bright patch (an echo lifted, or tissue of
another place laid over), the network says whether and where. After NSA (Schlueter et al. 2022, arXiv 2109.15222): what
the patch is called does not matter, that it does not belong there does.
`pairs`: two views of one video belong together, those of other videos do not: SimCLR (arXiv 2002.05709) with pairs
from within a video (IVPP, arXiv 2403.07715).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter  # type: ignore[attr-defined]  # exported dynamically
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, interpolate, normalize

from inference.core.manifest import ARCHITECTURES
from inference.core.network import to_input
from inference.core.preprocess import INPUT_SIZE, prepare
from inference.core.weights import save_backbone
from training.pretraining.loop import STRIDE, Batch, BleedLearner, Learner, Stage, cell_targets, cut, relight, train

Bytes = NDArray[np.uint8]
SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff"}
TISSUE = 40
"""Grey value from which a pixel counts as tissue: patches are laid where there is some."""
TEMPERATURE = 0.2


@dataclass(frozen=True)
class Unlabelled:
    """Prepared frames uint8 [F, S, S], and for each the number of the video that it is from, [F]."""

    frames: Bytes
    video: NDArray[np.int64]

    @property
    def digest(self) -> str:
        """SHA-256 of the frames: the name of exactly this set."""
        return hashlib.sha256(np.ascontiguousarray(self.frames).tobytes()).hexdigest()


def read_images(folder: Path, *, size: int = INPUT_SIZE) -> Unlabelled:
    """Every picture under a folder; those of one subfolder are one video. Raises ValueError if there are none."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not paths:
        raise ValueError(f"{folder} holds no picture ({', '.join(sorted(SUFFIXES))})")
    frames = [_read(path, size) for path in paths]
    _, video = np.unique([str(path.parent) for path in paths], return_inverse=True)
    return Unlabelled(np.stack(frames), video.astype(np.int64))


def _read(path: Path, size: int) -> Bytes:
    try:
        with Image.open(path) as image:
            return prepare(np.asarray(image.convert("RGB")), size=size)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} is not a picture that can be read: {error}") from error


# ── anomaly ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def draw_anomalies(shown: Unlabelled, stage: Stage, rng: np.random.Generator) -> Batch:
    """Half a batch with a made-up bleed; the other half are the same crops without it."""
    drawn = [example for _ in range(stage.batch // 2) for example in _twice(shown, stage, rng)]
    inputs = torch.cat([example.inputs for example in drawn]).contiguous(memory_format=torch.channels_last)
    return Batch(
        inputs, torch.cat([example.frame for example in drawn]), torch.cat([example.cells for example in drawn])
    )


def _twice(shown: Unlabelled, stage: Stage, rng: np.random.Generator) -> tuple[Batch, Batch]:
    frame = shown.frames[int(rng.integers(len(shown.frames)))]
    crop = _window(frame, stage, rng)  # [s, s]
    donor = _window(shown.frames[int(rng.integers(len(shown.frames)))], stage, rng)
    spoilt, mask = lay_patch(crop, donor[: len(crop), : len(crop)] if len(donor) >= len(crop) else crop, rng)
    return _example(spoilt, mask, stage, rng), _example(crop, np.zeros_like(mask), stage, rng)


def _window(frame: Bytes, stage: Stage, rng: np.random.Generator) -> Bytes:
    """A crop from the middle, where the picture is, or the whole frame shifted a little."""
    whole = frame.shape[0]
    if not stage.crop:
        side = int(whole * rng.uniform(0.94, 1.06))
        x, y = rng.normal((whole - side) / 2, 3, 2)
        return cut(frame, int(x), int(y), side)
    side = int(stage.crop * rng.uniform(0.85, 1.15))
    x, y = rng.normal((0.5 - 0.5 * side / whole) * whole, 0.17 * whole, 2)
    return cut(frame, int(x), int(y), side)


def lay_patch(crop: Bytes, donor: Bytes, rng: np.random.Generator) -> tuple[Bytes, NDArray[np.bool_]]:
    """A crop [s, s] with a bright patch that does not belong there, and where it lies, bool [s, s]."""
    soft = _blob(crop, rng)  # [s, s] in 0..1
    lift = float(rng.uniform(14, 70))
    base = crop.astype(np.float32)
    if rng.random() < 0.5:
        over = base + lift * (0.35 + 0.65 * base / max(float(base.mean()), 1.0)).clip(0, 1.6)
    else:
        tissue = donor.astype(np.float32)
        over = np.maximum(base, tissue * (0.6 + 0.4 * rng.random())) + lift * 0.8
    laid = base + soft * (over - base)
    return laid.clip(0, 255).astype(np.uint8), soft > 0.5


def _blob(crop: Bytes, rng: np.random.Generator) -> NDArray[np.float32]:
    """A ragged, soft-edged blob of 2 to 11 pixels' radius that lies on tissue where it can."""
    side = crop.shape[0]
    rows, columns = np.nonzero(crop > TISSUE)
    inner = (np.abs(rows - side / 2) < 0.36 * side) & (np.abs(columns - side / 2) < 0.36 * side)
    rows, columns = rows[inner], columns[inner]
    place = int(rng.integers(len(rows))) if len(rows) else 0
    cy, cx = (rows[place], columns[place]) if len(rows) else (side // 2, side // 2)
    radius, stretch, turn = (
        float(np.exp(rng.uniform(np.log(2.2), np.log(11)))),
        rng.uniform(0.4, 1.0),
        rng.uniform(0, np.pi),
    )
    y, x = np.mgrid[:side, :side] - np.array([cy, cx])[:, None, None]
    u, v = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    rough = gaussian_filter(rng.standard_normal((side, side)), 2.5) * 2.5 * 2.5
    distance = np.hypot(u, v / stretch) - radius + rough * 0.35 * radius
    blob: NDArray[np.float32] = np.clip(0.5 - distance / 1.6, 0, 1).astype(np.float32)
    return blob


def _example(crop: Bytes, mask: NDArray[np.bool_], stage: Stage, rng: np.random.Generator) -> Batch:
    inputs = to_input(torch.from_numpy(crop).unsqueeze(0))  # [1, 1, s, s]
    if crop.shape[0] != stage.side:
        inputs = interpolate(inputs, size=(stage.side, stage.side), mode="bilinear", antialias=True)
    cells = cell_targets(_boxes(mask, stage.side), side=stage.side, cells=-(-stage.side // STRIDE))  # [s/32, s/32]
    if rng.random() < 0.5:
        inputs, cells = inputs.flip(3), cells[:, ::-1].copy()
    return Batch(relight(inputs, rng), torch.tensor([float(mask.any())]), torch.from_numpy(cells).unsqueeze(0))


def _boxes(mask: NDArray[np.bool_], side: int) -> NDArray[np.float32]:
    """The box of a mask in the pixels of a window of `side`, [0 or 1, 4]."""
    if not mask.any():
        return np.zeros((0, 4), dtype=np.float32)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    box = np.array([[columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]], dtype=np.float32)
    return box * np.float32(side / mask.shape[0])


# ── pairs ────────────────────────────────────────────────────────────────────────────────────────────────────────────


class PairLearner(Learner[Tensor]):
    """The backbone and SimCLR's projection; a batch is [2 B, 1, S, S], views 2k and 2k+1 belong together."""

    def __init__(self, architecture: str = "resnet50") -> None:
        super().__init__(architecture)
        dim = ARCHITECTURES[architecture]
        self.projection = nn.Sequential(nn.Linear(dim, 256), nn.ReLU(), nn.Linear(256, 128))

    def loss(self, batch: Tensor) -> Tensor:
        views = normalize(self.projection(self.backbone(batch)), dim=1)  # [2 B, 128]
        likeness = views @ views.T / TEMPERATURE  # [2 B, 2 B]
        likeness.fill_diagonal_(-torch.inf)
        partner = torch.arange(len(views)) ^ 1
        return cross_entropy(likeness, partner)


def draw_pairs(shown: Unlabelled, stage: Stage, rng: np.random.Generator) -> Tensor:
    """Views of two frames of each of B videos."""
    videos = np.unique(shown.video)
    chosen = rng.choice(videos, size=stage.batch, replace=len(videos) < stage.batch)
    views = []
    for video in chosen:
        members = np.flatnonzero(shown.video == video)
        views += [_view(shown.frames[int(rng.choice(members))], stage, rng) for _ in range(2)]
    return torch.cat(views).contiguous(memory_format=torch.channels_last)


def _view(frame: Bytes, stage: Stage, rng: np.random.Generator) -> Tensor:
    side = int(frame.shape[0] * rng.uniform(0.55, 1.0))
    x, y = rng.integers(0, frame.shape[0] - side + 1, 2)
    inputs = to_input(torch.from_numpy(cut(frame, int(x), int(y), side)).unsqueeze(0))  # [1, 1, side, side]
    inputs = interpolate(inputs, size=(stage.side, stage.side), mode="bilinear", antialias=True)
    return relight(inputs.flip(3) if rng.random() < 0.5 else inputs, rng)


# ── the command ──────────────────────────────────────────────────────────────────────────────────────────────────────

METHODS: dict[str, tuple[Stage, ...]] = {
    "anomaly": (
        Stage(steps=900, crop=64, side=64, batch=24, rate=1e-3),
        Stage(steps=120, crop=0, side=INPUT_SIZE, batch=12, rate=4e-4),
    ),
    "pairs": (Stage(steps=150, crop=0, side=96, batch=20, rate=1e-3),),
}


def pretrain(
    shown: Unlabelled,
    *,
    method: str,
    seed: int,
    stages: Sequence[Stage] | None = None,
    architecture: str = "resnet50",
    checkpoint: Path | None = None,
    progress: Callable[[int, float], None] = lambda step, loss: None,
) -> nn.Module:
    """A backbone from random weights and unlabelled frames; the same seed on the same machine gives the same."""
    torch.manual_seed(seed)
    stages = METHODS[method] if stages is None else stages
    if method == "pairs":
        return train(
            PairLearner(architecture),
            partial(draw_pairs, shown),
            stages,
            seed=seed,
            checkpoint=checkpoint,
            progress=progress,
        )
    return train(
        BleedLearner(architecture),
        partial(draw_anomalies, shown),
        stages,
        seed=seed,
        checkpoint=checkpoint,
        progress=progress,
    )


def main(argv: list[str]) -> int:
    """`python -m training pretrain`: 0, or 2 with one line of reason."""
    options = _parser().parse_args(argv)
    began = time.monotonic()
    try:
        shown = read_images(options.images)
        checkpoint = options.out.with_suffix(".checkpoint")
        options.out.parent.mkdir(parents=True, exist_ok=True)
        progress = ProgressLines(sum(stage.steps for stage in METHODS[options.method]), began)
        network = pretrain(shown, method=options.method, seed=options.seed, checkpoint=checkpoint, progress=progress)
    except (ValueError, OSError) as error:
        sys.stderr.write(f"pretrain: {error}. Nothing was written.\n")
        return 2
    save_backbone(options.out, network)
    record = {
        "method": options.method,
        "seed": options.seed,
        "images": len(shown.frames),
        "videos": len(np.unique(shown.video)),
        "digest": shown.digest,
        "seconds": round(time.monotonic() - began),
        "note": "Research use only.",
    }
    options.out.with_suffix(".json").write_text(json.dumps(record, indent=2) + "\n")
    checkpoint.unlink(missing_ok=True)
    sys.stdout.write(f"Wrote {options.out} from {len(shown.frames)} frames. Research use only.\n")
    return 0


class ProgressLines:
    """Writes a line every 25 steps."""

    def __init__(self, steps: int, began: float, out: Callable[[str], object] = sys.stdout.write) -> None:
        self.steps, self.began, self.out = steps, began, out
        self.recent: list[float] = []

    def __call__(self, step: int, loss: float) -> None:
        self.recent.append(loss)
        if (step + 1) % 25 == 0:
            seconds = time.monotonic() - self.began
            self.out(f"{seconds:7.0f} s  step {step + 1} of {self.steps}, loss {np.mean(self.recent[-25:]):.3f}\n")
            sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training pretrain", description=__doc__)
    parser.add_argument("--images", type=Path, required=True, help="folder of pictures; a subfolder is one video")
    parser.add_argument("--out", type=Path, required=True, help="the backbone, FILE.safetensors")
    parser.add_argument("--method", choices=sorted(METHODS), default="anomaly")
    parser.add_argument("--seed", type=int, default=0)
    return parser
