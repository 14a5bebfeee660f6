"""Bags of embeddings: one study each, with its label and the group that must stay together."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common.atomic_file import replacing
from training.core.report_shapes import LEAST_UNBIASED

Embeddings = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Bags:
    """M studies: `embeddings` a list of [n_i, D], `y` int [M] (0 or 1), `groups` str [M] (patient, twins joined),
    `uids` str [M]. A bag may be empty. Raises ValueError if the parts do not fit together.

    `fit_y` int [M] are the labels that fitting sees where they differ from `y`, which all measures and rules go by.
    `keyframes` holds for each bag int8 [n_i]: 1 where a reader marked the frame, 0 where it is known not to show
    blood, -1 where nobody said. `unbiased` [M] marks studies that came as those to come do, in a row or drawn at
    random: where only some are, all are fitted on, and these alone calibrate, set thresholds and are reported on.
    """

    embeddings: list[Embeddings]
    y: NDArray[np.int64]
    groups: NDArray[np.str_]
    uids: NDArray[np.str_]
    fit_y: NDArray[np.int64] | None = None
    keyframes: list[NDArray[np.int8]] | None = None
    unbiased: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        counts = {len(self.embeddings), len(self.y), len(self.groups), len(self.uids)}
        if len(counts) != 1:
            raise ValueError(f"embeddings, y, groups and uids have different lengths: {sorted(counts)}")
        if not set(np.unique(self.y).tolist()) <= {0, 1}:
            raise ValueError("labels are 0 or 1")
        if len({bag.shape[1] for bag in self.embeddings}) > 1:
            raise ValueError("bags have embeddings of different dimensions")
        if len(np.unique(self.uids)) != len(self.uids):
            raise ValueError("two bags have the same uid")
        if self.fit_y is not None and (len(self.fit_y) != len(self.y) or not set(self.fit_y.tolist()) <= {0, 1}):
            raise ValueError("the labels that fitting sees are 0 or 1, one for each bag")
        if self.unbiased is not None and self.unbiased.shape != self.y.shape:
            raise ValueError("whether a bag is unbiased is said once for each bag")
        if self.keyframes is not None and [len(marks) for marks in self.keyframes] != [len(b) for b in self.embeddings]:
            raise ValueError("keyframes do not fit the frames of their bags")

    def __len__(self) -> int:
        return len(self.y)

    @property
    def dim(self) -> int:
        """D, the dimension of the embeddings."""
        return int(self.embeddings[0].shape[1])

    @property
    def fitted_on(self) -> NDArray[np.int64]:
        """The labels that fitting sees, [M]."""
        return self.y if self.fit_y is None else self.fit_y

    @property
    def counted(self) -> NDArray[np.bool_]:
        """Which bags calibrate, set thresholds and are reported on, [M]: the unbiased ones, or all."""
        every = np.ones(len(self), dtype=bool)
        return every if self.unbiased is None or not self.promises else self.unbiased

    @property
    def promises(self) -> bool:
        """Whether a promise can be made: enough infants of both kinds came as those to come do."""
        return self.unbiased is None or all(count >= LEAST_UNBIASED for count in self._unbiased_infants())

    def _unbiased_infants(self) -> tuple[int, int]:
        """Positive and negative ones."""
        assert self.unbiased is not None
        positive, negative = (self.groups[self.unbiased & (self.y == label)] for label in (1, 0))
        return len(np.unique(positive)), len(np.unique(negative))

    @property
    def digest(self) -> str:
        """SHA-256 over labels, groups, keyframes and every embedding: the name of exactly this set."""
        digest = hashlib.sha256()
        for uid, group, label, bag in zip(self.uids, self.groups, self.y, self.embeddings, strict=True):
            digest.update(f"{uid}\0{group}\0{label}\0{bag.shape}\0{bag.dtype}\n".encode())
            digest.update(np.ascontiguousarray(bag).tobytes())
        if self.fit_y is not None:
            digest.update(b"\0fit_y\n" + self.fit_y.tobytes())
        for marks in self.keyframes or ():
            digest.update(b"\0keyframes\n" + marks.tobytes())
        if self.unbiased is not None:
            digest.update(b"\0unbiased\n" + self.unbiased.tobytes())
        return digest.hexdigest()

    def save(self, path: Path) -> None:
        """Write one npz, whole or not at all.

        It holds `instances` [sum n, D], `bag_index` [sum n], `y`, `groups`, `uids`, perhaps `fit_y` [M] and `keyframes`
        [sum n].
        """
        sizes = [len(bag) for bag in self.embeddings]
        extras: dict[str, Any] = {}
        if self.fit_y is not None:
            extras["fit_y"] = self.fit_y
        if self.keyframes is not None:
            extras["keyframes"] = np.concatenate(self.keyframes)
        with replacing(path) as file:
            np.savez(
                file,
                instances=np.concatenate(self.embeddings),
                bag_index=np.repeat(np.arange(len(self)), sizes),
                y=self.y,
                groups=self.groups,
                uids=self.uids,
                **extras,
            )


def make_bags(
    embeddings: Sequence[Embeddings], y: Sequence[int], *, groups: Sequence[str], uids: Sequence[str]
) -> Bags:
    """Bags from plain sequences."""
    return Bags(list(embeddings), np.array(y, dtype=np.int64), np.array(groups, dtype=str), np.array(uids, dtype=str))


def load(path: Path) -> Bags:
    """Read bags from npz; without `groups` each bag is a group of its own. Raises ValueError for any other file."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {key: file[key] for key in file.files}
    if missing := {"instances", "bag_index", "y"} - arrays.keys():
        raise ValueError(f"{path.name} lacks {', '.join(sorted(missing))}")
    y = arrays["y"].astype(np.int64)
    index = arrays["bag_index"]
    if arrays["instances"].ndim != 2 or len(arrays["instances"]) != len(index):
        raise ValueError(f"{path.name}: instances are [n, D] and bag_index [n]")
    if not (finite := np.isfinite(arrays["instances"]).all(axis=1)).all():
        row = int(np.argmin(finite))
        raise ValueError(f"{path.name}: instance {row}, of bag {index[row]}, holds a number that is not finite")
    names = np.array([f"bag-{number:05d}" for number in range(len(y))])
    return Bags(
        embeddings=[arrays["instances"][index == number] for number in range(len(y))],
        y=y,
        groups=arrays.get("groups", names),
        uids=arrays.get("uids", names),
        fit_y=arrays.get("fit_y"),
        keyframes=[arrays["keyframes"][index == number] for number in range(len(y))] if "keyframes" in arrays else None,
    )


def load_train_masks(path: Path) -> NDArray[np.bool_] | None:
    """The file's own splits, bool [repeats, folds, M], true where a bag is trained on; None if it has none."""
    with np.load(path, allow_pickle=False) as file:
        return file["train_masks"].astype(bool) if "train_masks" in file.files else None
