"""A study's pictures as one short vector, from the embeddings that the workers keep. No torch, no decoding.

Only the machine that shares the workers' folder has them; elsewhere, and for studies that no model has seen, there is
no vector.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from inference.registry import champion
from studies import decoding
from studies.models import Clip

WIDTH = 128
_AT_ONCE = 500
Vector = NDArray[np.float32]


def vectors_of(studies: Iterable[int]) -> dict[int, Vector]:
    """The mean embedding of each study's clips under the champion's backbone, projected to [128], by study key."""
    model = champion()
    folders = _folders(str(model.manifest.get("backbone_digest", ""))) if model else []
    if not folders:
        return {}
    keys = list(studies)
    by_study: dict[int, list[Vector]] = {}
    for start in range(0, len(keys), _AT_ONCE):
        clips = Clip.objects.scorable().filter(study__in=keys[start : start + _AT_ONCE])
        for study, digest in clips.values_list("study_id", "digest"):
            mean = _mean_of(digest, folders)
            if mean is not None:
                by_study.setdefault(study, []).append(mean)
    return {study: _projected(np.mean(means, axis=0)) for study, means in by_study.items()}


def _folders(backbone: str) -> list[Path]:
    """Where this backbone's embeddings lie, one folder for each way of computing them, as pixels are decoded now."""
    work: Path = settings.WORK_FOLDER
    root = work / "embeddings" / backbone
    if not backbone or not root.is_dir():
        return []
    return sorted(path for path in root.iterdir() if path.is_dir() and path.name.endswith(f"-d{decoding.VERSION}"))


def _mean_of(digest: str, folders: Sequence[Path]) -> Vector | None:
    for folder in folders:
        try:
            with np.load(folder / digest[:2] / f"{digest}.npz", allow_pickle=False) as file:
                rows = np.asarray(file["embeddings"], dtype=np.float32)
        except (OSError, ValueError, KeyError, zipfile.BadZipFile, EOFError):
            continue
        if rows.ndim == 2 and len(rows) and np.isfinite(rows).all():
            mean: Vector = rows.mean(axis=0)
            return mean
    return None


def _projected(mean: Vector) -> Vector:
    """Distances are kept well enough by a fixed random projection, and 10,000 studies fit in a few megabytes."""
    short: Vector = mean @ _axes(len(mean))
    return short


@lru_cache(maxsize=2)
def _axes(dim: int) -> Vector:
    drawn = np.random.default_rng(0).standard_normal((dim, WIDTH), dtype=np.float32)
    return drawn / np.float32(np.sqrt(WIDTH))
