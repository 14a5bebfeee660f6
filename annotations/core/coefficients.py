"""Coefficients of agreement as functions of sums over studies, a row for each bootstrap sample.

Ratings are codes [S, R] of S studies by R readers, 0 to q - 1, and -1 where a reader gave none. Sources: Cohen 1960
and 1968; Fleiss 1971 (a varying number of readers as in Gwet, Handbook of Inter-Rater Reliability, 4th ed., 2014);
Krippendorff, Computing Krippendorff's Alpha-Reliability, 2011; Gwet 2008 (AC1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from annotations.core.bootstrap import Codes, Floats, divided

Scale = Literal["nominal", "ordinal", "interval"]
Weights = Literal["none", "linear", "quadratic"]
MISSING = -1


@dataclass(frozen=True)
class Panel:
    """Sums over studies, a row for each sample [B], the sample itself first.

    ``twice``: studies with two ratings or more, ``once``: with one or more.
    ``agreeing`` [B]: shares of agreeing pairs; ``shares`` [B, q]: of each category; ``apart`` [B, q]: of pairs that
    part over whether it is this category; ``coincidences`` [B, q, q] after Krippendorff.
    """

    twice: Floats
    once: Floats
    agreeing: Floats
    shares: Floats
    apart: Floats
    coincidences: Floats


def counts(codes: Codes, categories: int) -> Floats:
    """How many readers gave each study each category: [S, q]."""
    return np.stack([(codes == category).sum(axis=1) for category in range(categories)], axis=1).astype(np.float64)


def panel_statistics(codes: Codes, categories: int) -> Floats:
    """What is summed over studies for all coefficients of a panel: [S, 3 + 2q + q²]."""
    n = counts(codes, categories)
    m = n.sum(axis=1, keepdims=True)  # [S, 1]
    once, twice = m >= 1, m >= 2
    pairs = np.where(twice, m * (m - 1), 1)
    agreeing = np.where(twice, (n * (n - 1)).sum(axis=1, keepdims=True) / pairs, 0)
    shares = np.where(once, n / np.maximum(m, 1), 0)
    apart = np.where(twice, 2 * n * (m - n) / pairs, 0)
    both = n[:, :, None] * n[:, None, :] - n[:, :, None] * np.eye(categories)
    coincidences = np.where(twice[:, :, None], both / np.maximum(m - 1, 1)[:, :, None], 0)
    flat = coincidences.reshape(len(n), categories**2)
    return np.concatenate([twice, once, agreeing, shares, apart, flat], axis=1).astype(np.float64)


def panel(sums: Floats, categories: int) -> Panel:
    """The parts of panel_statistics after they were summed [B, 3 + 2q + q²]."""
    q = categories
    matrix = sums[:, 3 + 2 * q :].reshape(-1, q, q)
    return Panel(sums[:, 0], sums[:, 1], sums[:, 2], sums[:, 3 : 3 + q], sums[:, 3 + q : 3 + 2 * q], matrix)


def observed(sums: Panel) -> Floats:
    """Share of pairs of readers that agree, averaged over studies."""
    return divided(sums.agreeing, sums.twice)


def _shares(sums: Panel) -> Floats:
    return sums.shares / np.maximum(sums.once, 1)[:, None]


def _beyond_chance(agreement: Floats, chance: Floats) -> Floats:
    return divided(agreement - chance, 1 - chance)


def fleiss(sums: Panel) -> Floats:
    """Fleiss' κ."""
    return _beyond_chance(observed(sums), (_shares(sums) ** 2).sum(axis=1))


def fleiss_of_category(sums: Panel, category: int) -> Floats:
    """Fleiss' κ of one category against all others."""
    share = _shares(sums)[:, category]
    agreement = 1 - divided(sums.apart[:, category], sums.twice)
    return _beyond_chance(agreement, share**2 + (1 - share) ** 2)


def ac1(sums: Panel) -> Floats:
    """Gwet's AC1, which does not fall with prevalence as κ does."""
    return _beyond_chance(observed(sums), _gwet_chance(_shares(sums)))


def _gwet_chance(shares: Floats) -> Floats:
    chance: Floats = (shares * (1 - shares)).sum(axis=-1) / (shares.shape[-1] - 1)
    return chance


def alpha(sums: Panel, scale: Scale) -> Floats:
    """Krippendorff's alpha; ratings that are missing are simply not there."""
    total = sums.coincidences.sum(axis=2)  # [B, q]
    apart = _distances(total, scale)
    seen = (sums.coincidences * apart).sum(axis=(1, 2))
    expected = (total[:, :, None] * total[:, None, :] * apart).sum(axis=(1, 2))
    return 1 - divided((total.sum(axis=1) - 1) * seen, expected)


def _distances(total: Floats, scale: Scale) -> Floats:
    """Squared distance of each two categories [B or 1, q, q]; on an ordinal scale by how many ratings lie between."""
    q = total.shape[1]
    if scale == "nominal":
        return 1 - np.eye(q)[None]
    if scale == "interval":
        return (np.subtract.outer(np.arange(q), np.arange(q))[None] ** 2).astype(np.float64)
    middle = np.cumsum(total, axis=1) - total / 2  # mean rank of each category, [B, q]
    ordinal: Floats = (middle[:, :, None] - middle[:, None, :]) ** 2
    return ordinal


def pair_statistics(first: Codes, second: Codes, categories: int) -> NDArray[np.bool_]:
    """One cell of a confusion matrix for each study that both rated: [S, q²], the first reader's category first."""
    cell = np.where((first >= 0) & (second >= 0), first * categories + second, MISSING)
    cells: NDArray[np.bool_] = cell[:, None] == np.arange(categories**2)
    return cells


def cohen(tables: Floats, weights: Weights = "none") -> Floats:
    """Cohen's κ of confusion matrices [B, q, q], weighted or not; nan where chance alone would agree as well."""
    n = tables.sum(axis=(1, 2))
    rows, columns = tables.sum(axis=2), tables.sum(axis=1)
    penalty = _penalties(tables.shape[1], weights)
    expected = divided((rows[:, :, None] * columns[:, None, :] * penalty).sum(axis=(1, 2)), n)
    return 1 - divided((tables * penalty).sum(axis=(1, 2)), expected)


def _penalties(categories: int, weights: Weights) -> Floats:
    apart = np.abs(np.subtract.outer(np.arange(categories), np.arange(categories))).astype(np.float64)
    return {"none": (apart > 0).astype(np.float64), "linear": apart, "quadratic": apart**2}[weights]


def pair_observed(tables: Floats) -> Floats:
    """Share of studies on which two readers agree."""
    return divided(np.trace(tables, axis1=1, axis2=2), tables.sum(axis=(1, 2)))


def pair_ac1(tables: Floats) -> Floats:
    """Gwet's AC1 of two readers."""
    n = np.maximum(tables.sum(axis=(1, 2)), 1)[:, None]
    shares = (tables.sum(axis=2) + tables.sum(axis=1)) / (2 * n)
    return _beyond_chance(pair_observed(tables), _gwet_chance(shares))
