"""From stored clips to embeddings, through a cache by content. Only workers import this: it needs torch.

A clip's embeddings depend on its bytes, the preprocessing and the backbone alone, so a new head, a new revision or a
retraining never decodes or embeds the same frame twice.
"""

from __future__ import annotations

import contextlib
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from common.atomic_file import replacing
from inference.colour_frames import choose_frames, left_out
from inference.core.engine import Engine
from inference.core.preprocess import Box, prepare
from inference.messages import FLOW
from studies import decoding
from studies.frame_cache import FrameError, grey_frames
from studies.models import Clip
from studies.sandbox.pool import SandboxError

Embedding = NDArray[np.float16]
TISSUE = "2d"


class TryAgain(Exception):
    """A clip could not be decoded for a reason that may pass; the attempt counts and the job is tried again."""


@dataclass
class EmbeddedStudy:
    """The selected frames of a study that could be decoded, in the order of its clips.

    ``embeddings`` float16 [N, D]; ``frames`` N pairs (sop_uid, frame from 1); ``failures`` sop_uid -> reason;
    ``flow`` sop_uid -> how many frames are left out for their colour Doppler.
    """

    embeddings: Embedding
    frames: list[tuple[str, int]]
    failures: dict[str, str] = field(default_factory=dict)
    flow: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    cached: int = 0

    def reasons(self) -> list[str]:
        """Why frames are missing."""
        return [*self.failures.values(), *([FLOW] if self.flow else [])]


@dataclass
class _Timer:
    """Seconds spent in named stages."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        began = perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + perf_counter() - began


def embed_clips(
    clips: Sequence[Clip],
    engine: Engine,
    *,
    patient: bool = False,
    between: Callable[[], None] = lambda: None,
) -> EmbeddedStudy:
    """Embed the frames that the engine's model would look at.

    A clip that cannot be decoded is left out with its reason. ``patient``: if that may pass, raise TryAgain instead.
    ``between`` runs before each clip, and may raise to stop.
    """
    timer = _Timer()
    with timer.stage("look"):
        chosen = choose_frames(clips, engine.manifest.frame_budget, between=between)
    study = EmbeddedStudy(np.zeros((0, engine.manifest.embedding_dim), np.float16), [])
    study.seconds, study.flow = timer.seconds, left_out(clips)
    parts: list[Embedding] = []
    for clip in clips:
        between()
        numbers = chosen.get(clip.sop_uid, [])
        try:
            embedded, cached = _embed_clip(clip, numbers, engine, timer)
        except FrameError as error:
            _raise_if_passing(error, patient=patient)
            study.failures[clip.sop_uid] = error.reason
            continue
        parts.append(embedded)
        study.cached += cached
        study.frames += [(clip.sop_uid, number) for number in numbers]
    if parts:
        study.embeddings = np.concatenate(parts)
    return study


def _raise_if_passing(error: FrameError, *, patient: bool) -> None:
    passing = isinstance(error.__cause__, SandboxError) and not error.__cause__.lasting
    if passing and patient:
        raise TryAgain(error.reason) from error


def _embed_clip(clip: Clip, numbers: list[int], engine: Engine, timer: _Timer) -> tuple[Embedding, int]:
    """Embeddings [n, D] of the numbered frames, and how many of them the cache had."""
    path = cache_path(clip.digest, engine)
    known = _read(path)
    missing = [number for number in numbers if number not in known]
    if missing:
        with timer.stage("decode"):
            greys = grey_frames(clip, missing)
        with timer.stage("prepare"):
            box = tissue_box(clip.regions)
            prepared = np.stack([prepare(grey, box) for grey in greys])  # [n, S, S]
        with timer.stage("embed"):
            fresh = engine.embed(prepared)  # [n, D]
        known |= dict(zip(missing, fresh, strict=True))
        _write(path, known)
    if not numbers:
        return np.zeros((0, engine.manifest.embedding_dim), np.float16), 0
    return np.stack([known[number] for number in numbers]), len(numbers) - len(missing)


def seen_frame(clip: Clip, number: int) -> tuple[NDArray[np.uint8], Box | None]:
    """One frame in grey [H, W], and the region of it that the network is shown; raises FrameError."""
    (grey,) = grey_frames(clip, [number])
    return grey, tissue_box(clip.regions)


def tissue_box(regions: Sequence[dict[str, object]]) -> Box | None:
    """The largest two-dimensional ultrasound region of a clip as (x0, y0, x1, y1), if it has one that is sound."""
    boxes = [
        (int(str(r["x0"])), int(str(r["y0"])), int(str(r["x1"])), int(str(r["y1"])))
        for r in regions
        if r.get("type") == TISSUE and r.get("inside", True)
    ]
    return max(boxes, key=lambda box: (box[2] - box[0]) * (box[3] - box[1]), default=None)


def cache_path(clip_digest: str, engine: Engine) -> Path:
    """Where a clip's embeddings are kept.

    The way of decoding is part of the name, so that none is scored of pixels that are now others, and the compute type,
    since bfloat16 differs in its bits.
    """
    work: Path = settings.WORK_FOLDER
    compute = f"{str(engine.dtype).removeprefix('torch.')}-{engine.device.type}"
    kind = f"{engine.manifest.preprocessing}-{compute}-d{decoding.VERSION}"
    return work / "embeddings" / engine.manifest.backbone_digest / kind / clip_digest[:2] / f"{clip_digest}.npz"


def _read(path: Path) -> dict[int, Embedding]:
    """What the cache has for a clip; a file that is torn or from elsewhere counts as nothing."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return dict(zip(file["frames"].tolist(), file["embeddings"], strict=True))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, EOFError):
        return {}


def _write(path: Path, known: dict[int, Embedding]) -> None:
    """Whole or not at all. A cache that cannot be written is only slower."""
    numbers = sorted(known)
    with contextlib.suppress(OSError), replacing(path) as file:
        np.savez(file, frames=np.array(numbers), embeddings=np.stack([known[n] for n in numbers]))
