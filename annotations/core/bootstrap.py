"""Intervals over patients: each measure is a function of sums over studies, so a resample is one matrix product.

Studies of one infant resemble each other; patients, not studies, are drawn with replacement.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

RESAMPLES = 2000
LEVEL = 0.95
TOO_FEW = "not enough reads"
ONE_PATIENT = "one patient alone: no interval"
ALL_ALIKE = "every read says the same: chance alone would agree as well"
ONE_SIDED = "one side always says the same: κ says nothing"
_AT_ONCE = 500
_MOSTLY = 0.5
"""Share of resamples in which a measure must be defined before an interval is given."""


class EstimatePayload(TypedDict):
    """A measure as JSON. ``why``: the reason where there is no value or no interval, else empty."""

    value: float | None
    interval: Annotated[list[float] | None, "low and high end of the 95 % interval"]
    n: Annotated[int, "studies"]
    why: str


@dataclass(frozen=True)
class Estimate:
    """A measure with its 95 % interval, on ``n`` studies. None where it is not defined; ``why`` says the reason."""

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0
    why: str = ""

    def as_json(self) -> EstimatePayload:
        interval = None if self.low is None or self.high is None else [self.low, self.high]
        return {"value": self.value, "interval": interval, "n": self.n, "why": self.why}


def estimate(values: Floats, n: int, *, least: int = 2) -> Estimate:
    """Of a measure's values [1 + R], the sample's own first; nan is undefined. Fewer than ``least`` studies: none."""
    if n < least:
        return Estimate(None, n=n, why=TOO_FEW)
    if not math.isfinite(values[0]):
        return Estimate(None, n=n, why=ALL_ALIKE)
    drawn = values[1:][np.isfinite(values[1:])]
    if len(drawn) == 0 or len(drawn) < _MOSTLY * (len(values) - 1):
        return Estimate(float(values[0]), n=n, why=ONE_PATIENT if len(values) == 1 else ALL_ALIKE)
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(float(values[0]), float(low), float(high), n)


class Resamples:
    """How often each patient of S studies is drawn in each of R bootstrap samples. The same seed draws the same."""

    def __init__(self, patients: Sequence[Any] | NDArray[Any], *, resamples: int = RESAMPLES, seed: int = 0) -> None:
        _, self.patient = np.unique(np.asarray(patients), return_inverse=True)  # [S], the number of its patient
        self.order = np.argsort(self.patient, kind="stable")
        self.starts = np.flatnonzero(np.diff(self.patient[self.order], prepend=-1))
        people = len(self.starts)
        self.resamples = resamples if people > 1 else 0
        rng = np.random.default_rng(seed)
        # A patient is drawn once on average; 255 times does not happen.
        self.drawn = np.empty((self.resamples, people), dtype=np.uint8)
        for row in self.drawn:
            row[:] = np.bincount(rng.integers(people, size=people), minlength=people)

    def sums(self, statistics: NDArray[Any]) -> Floats:
        """Sums of [S, K] over studies: [1 + R, K], those of the sample itself first."""
        of_patient = np.add.reduceat(
            np.asarray(statistics, dtype=np.float64)[self.order], self.starts, axis=0
        )  # [P, K]
        sums = np.empty((1 + self.resamples, of_patient.shape[1]))
        sums[0] = of_patient.sum(axis=0)
        single = of_patient.astype(np.float32)  # an interval needs no more, and it is twice as fast
        for start in range(0, self.resamples, _AT_ONCE):
            batch = self.drawn[start : start + _AT_ONCE].astype(np.float32)
            sums[1 + start : 1 + start + len(batch)] = batch @ single
        return sums


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share; a bootstrap of hits alone would have no width."""
    z = 1.959963984540054
    share, z2 = hits / n, z * z / n
    middle, reach = share + z2 / 2, z * math.sqrt(share * (1 - share) / n + z2 / (4 * n))
    return max(0.0, (middle - reach) / (1 + z2)), min(1.0, (middle + reach) / (1 + z2))


def rate(hits: NDArray[np.bool_], counted: NDArray[np.bool_], draws: Resamples, *, least: int = 2) -> Estimate:
    """The share of hits [S] among the studies that are counted [S]; Wilson's interval where all or none are hits."""
    sums = draws.sums(np.column_stack([hits & counted, counted]))
    share = estimate(divided(sums[:, 0], sums[:, 1]), int(sums[0, 1]), least=least)
    if share.value in (0.0, 1.0):
        return Estimate(share.value, *wilson(int(sums[0, 0]), share.n), n=share.n)
    return share


def median(values: Floats, draws: Resamples, *, least: int = 2) -> Estimate:
    """The median of values [S], one a study; in a resample a study counts as often as its patient was drawn."""
    order = np.argsort(values, kind="stable")
    ranked, patient = values[order], draws.patient[order]
    medians = [np.array([np.median(values)])] if len(values) else [np.array([math.nan])]
    for start in range(0, draws.resamples, _AT_ONCE):
        counted = draws.drawn[start : start + _AT_ONCE, patient].cumsum(axis=1, dtype=np.int32)
        half = counted[:, -1:] / 2
        below, above = (counted >= half).argmax(axis=1), (counted > half).argmax(axis=1)
        medians.append((ranked[below] + ranked[above]) / 2)
    return estimate(np.concatenate(medians), len(values), least=least)


def divided(above: Floats, below: Floats) -> Floats:
    """The ratio, nan where nothing is divided by."""
    ratio: Floats = np.divide(above, below, out=np.full(np.shape(below), math.nan), where=below > 1e-12)
    return ratio
