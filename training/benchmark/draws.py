"""Seeded 70:15:15 draws of patients, as the paper has them, and the labels that are exchanged in fitting data."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.core.splits import Groups, Labels, assert_no_leak

Indices = NDArray[np.int64]
DRAWS = 5
BLOCK = np.array([0] * 14 + [1] * 3 + [2] * 3)
"""Of twenty groups in a row, fourteen are fitted on, three validate, three test."""
SHARES = (0.70, 0.15)
EXCHANGED = 6


@dataclass(frozen=True)
class Draw:
    """Infants to fit on, to validate on, to test on, as indices."""

    number: int
    train: Indices
    validation: Indices
    test: Indices

    @property
    def development(self) -> Indices:
        """All that is not test: 85 %."""
        return np.sort(np.concatenate([self.train, self.validation]))


def draw(grade: Labels, groups: Groups, *, number: int, seed: int = 0) -> Draw:
    """Draw NUMBER: groups whole (twins), each grade spread evenly over the parts. Raises Leak, never by chance."""
    rng = np.random.default_rng((seed, number))
    names, index = np.unique(groups, return_inverse=True)
    worst = np.zeros(len(names), dtype=np.int64)
    np.maximum.at(worst, index, grade)
    order = np.lexsort((rng.random(len(names)), worst))  # by grade, by chance within it
    blocks = -(-len(names) // len(BLOCK))
    part = np.empty(len(names), dtype=np.int64)
    part[order] = np.concatenate([rng.permutation(BLOCK) for _ in range(blocks)])[: len(names)]
    alone = np.bincount(index)[index] == 1
    where = part[index]
    for label in (grade > 0, grade == 0):
        _settle(where, label, label & alone, rng)
    assert_no_leak(where, groups)
    return Draw(number, *(np.flatnonzero(where == part_number) for part_number in range(3)))


def _settle(where: Indices, label: NDArray[np.bool_], movable: NDArray[np.bool_], rng: np.random.Generator) -> None:
    """Move infants without a twin, where twins left one part too large, until the label is shared as `SHARES` says."""
    total = int(label.sum())
    fitted, validated = math.floor(SHARES[0] * total), round(SHARES[1] * total)
    goal_sizes = np.array([fitted, validated, total - fitted - validated])
    for _ in range(len(where)):
        excess = np.bincount(where[label], minlength=3) - goal_sizes
        if not excess.any():
            return
        source, goal = int(excess.argmax()), int(excess.argmin())
        where[rng.choice(np.flatnonzero(movable & (where == source)))] = goal


def exchanged(y: Labels, train: Indices, *, seed: int) -> Labels:
    """The labels that fitting sees: six positives and six negatives of the fitting part have each other's."""
    rng = np.random.default_rng((seed, 77))
    noisy = y.copy()
    for label in (0, 1):
        chosen = rng.choice(train[y[train] == label], EXCHANGED, replace=False)
        noisy[chosen] = 1 - label
    return noisy
