"""Which studies a label would teach most, as arithmetic over vectors and counts. No Django."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Indices = NDArray[np.int64]

NEIGHBOURS = 10


def farthest_first(points: Vectors, covered: Vectors, *, n: int, rng: np.random.Generator) -> list[int]:
    """Greedy k-centre: of points [S, D], n that lie far from everything covered [C, D] and from one another.

    Ties and the first, where nothing is covered yet, are drawn. (Sener and Savarese, core-sets, arXiv 1708.00489.)
    """
    distance = np.full(len(points), np.inf, dtype=np.float32)  # to the nearest covered point, squared; [S]
    for start in range(0, len(covered), 256):
        distance = np.minimum(distance, _squared(points, covered[start : start + 256]).min(axis=1))
    if not len(covered):
        distance = rng.random(len(points), dtype=np.float32) + np.float32(1e30)
    chosen: list[int] = []
    for _ in range(min(n, len(points))):
        best = int(np.argmax(distance))
        chosen.append(best)
        distance = np.minimum(distance, _squared(points, points[best : best + 1])[:, 0])
        distance[best] = -1
    return chosen


def _squared(points: Vectors, others: Vectors) -> Vectors:
    """Squared distances [S, C]."""
    squared = (points**2).sum(axis=1)[:, None] + (others**2).sum(axis=1)[None] - 2 * points @ others.T
    clipped: Vectors = np.maximum(squared, 0)  # rounding may leave less than nothing
    return clipped


def standardised(points: Vectors) -> Vectors:
    """Each dimension with mean 0 and deviation 1, so that none rules distances by its unit."""
    deviation = points.std(axis=0)
    scaled: Vectors = (points - points.mean(axis=0)) / np.where(deviation > 1e-6, deviation, 1)
    return scaled


def split_share(points: Vectors, known: Vectors, split: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How many of the nearest known studies [K, D] readers split on [K], for each point; pulled towards the mean."""
    k = min(NEIGHBOURS, len(known))
    near = np.argpartition(_squared(points, known), k - 1, axis=1)[:, :k]  # [S, k]
    share: NDArray[np.float64] = (split[near].sum(axis=1) + split.mean()) / (k + 1)
    return share


def rarest_first(
    strata: Sequence[Hashable], labelled: Sequence[Hashable], *, n: int, rng: np.random.Generator
) -> list[int]:
    """n candidates, each from the stratum that has fewest labels by then; ties by fewest candidates, then drawn."""
    candidates: dict[Hashable, list[int]] = {}
    for at in rng.permutation(len(strata)):
        candidates.setdefault(strata[at], []).append(int(at))
    labels = {stratum: sum(known == stratum for known in labelled) for stratum in candidates}
    size = {stratum: len(members) for stratum, members in candidates.items()}
    chosen: list[int] = []
    while candidates and len(chosen) < n:
        stratum = min(candidates, key=lambda each: (labels[each], size[each]))
        chosen.append(candidates[stratum].pop())
        labels[stratum] += 1
        if not candidates[stratum]:
            del candidates[stratum]
    return chosen


def shuffled_in(chosen: Sequence[int], drawn: Sequence[int], rng: np.random.Generator) -> list[tuple[int, bool]]:
    """Both in one order, each in its own; true for those drawn at random. Their places tell nothing."""
    places = set(rng.permutation(len(chosen) + len(drawn))[: len(drawn)].tolist())
    first, second = iter(chosen), iter(drawn)
    return [(next(second), True) if at in places else (next(first), False) for at in range(len(chosen) + len(drawn))]
