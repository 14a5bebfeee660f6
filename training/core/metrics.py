"""Measures of a binary score, thresholds with a promise, calibration, and intervals over patients.

Scores are floats [M], higher for positive; labels `y` are 0 or 1 [M]. A measure that is not defined, such as AUROC
without positives, is nan here and null in reports.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import minimize
from scipy.special import betainc, betaincinv, expit

from inference.core.manifest import Calibration
from training.core.report_shapes import CalibrationFigures

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
Groups = NDArray[np.str_]
Measure = Callable[[Labels, Floats, Floats], Floats]
"""(y [M], scores [M], weights [R, M]) -> one value for each row of weights."""


def auroc(y: Labels, scores: Floats) -> float:
    """Area under the ROC curve: the chance that a positive outranks a negative, ties counting half."""
    positives, negatives = int(y.sum()), int(len(y) - y.sum())
    if not positives or not negatives:
        return math.nan
    ranks = stats.rankdata(scores)
    return float((ranks[y == 1].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def pr_auc(y: Labels, scores: Floats) -> float:
    """Average precision, as scikit-learn defines it."""
    return float(weighted_pr_auc(y, scores, np.ones((1, len(y))))[0])


def weighted_auroc(y: Labels, scores: Floats, weights: Floats) -> Floats:
    """AUROC for each row of study weights [R, M]."""
    positive, negative = scores[y == 1], scores[y == 0]
    wins = (positive[:, None] > negative[None]) + 0.5 * (positive[:, None] == negative[None])  # [P, N]
    up, down = weights[:, y == 1], weights[:, y == 0]  # [R, P], [R, N]
    return _ratio(((up @ wins) * down).sum(axis=1), up.sum(axis=1) * down.sum(axis=1))


def weighted_pr_auc(y: Labels, scores: Floats, weights: Floats) -> Floats:
    """Average precision for each row of study weights [R, M]; equal scores enter together."""
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))  # where a run of equal scores ends
    hits = np.cumsum(weights[:, order] * y[order], axis=1)[:, last]  # [R, T]
    flagged = np.cumsum(weights[:, order], axis=1)[:, last]  # [R, T]
    precision = np.divide(hits, flagged, out=np.zeros_like(hits), where=flagged > 0)
    gained = np.diff(hits, axis=1, prepend=0)
    return _ratio((gained * precision).sum(axis=1), hits[:, -1])


def share_right(flags: NDArray[np.bool_], among: NDArray[np.bool_], weights: Floats) -> Floats:
    """Weighted share of `flags` among some studies, for each row of weights [R, M]."""
    return _ratio((weights * (flags & among)).sum(axis=1), (weights * among).sum(axis=1))


def _ratio(above: Floats, below: Floats) -> Floats:
    ratio: Floats = np.divide(above, below, out=np.full(below.shape, math.nan), where=below > 0)
    return ratio


def sensitivity_specificity(y: Labels, flags: NDArray[np.bool_]) -> tuple[float, float]:
    """Share of positives flagged, share of negatives not flagged."""
    weights = np.ones((1, len(y)))
    return float(share_right(flags, y == 1, weights)[0]), float(share_right(~flags, y == 0, weights)[0])


def roc_points(y: Labels, scores: Floats) -> list[list[float]]:
    """[false positive rate, sensitivity] from (0, 0) to (1, 1), corners only."""
    hits, alarms = _counts(y, scores)
    points = np.column_stack([alarms / max(alarms[-1], 1), hits / max(hits[-1], 1)])
    return _corners(np.vstack([[0.0, 0.0], points]))


def pr_points(y: Labels, scores: Floats) -> list[list[float]]:
    """[recall, precision], from the highest threshold down."""
    hits, alarms = _counts(y, scores)
    precision = hits / (hits + alarms)
    points = np.column_stack([hits / max(hits[-1], 1), precision])
    return _rounded(np.vstack([[0.0, precision[0]], points]))


def _counts(y: Labels, scores: Floats) -> tuple[Floats, Floats]:
    """True and false positives at each distinct threshold, descending."""
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    hits = np.cumsum(y[order])[last].astype(np.float64)
    return hits, (last + 1) - hits


def _corners(points: Floats) -> list[list[float]]:
    """Drop points on the straight line between their neighbours."""
    before, at, after = points[:-2], points[1:-1], points[2:]
    cross = (at - before)[:, 0] * (after - at)[:, 1] - (at - before)[:, 1] * (after - at)[:, 0]
    return _rounded(points[np.concatenate([[True], np.abs(cross) > 1e-12, [True]])])


def _rounded(points: Floats) -> list[list[float]]:
    return [[round(float(x), 5), round(float(y), 5)] for x, y in points]


def youden_threshold(y: Labels, scores: Floats) -> float:
    """The threshold with the largest sensitivity + specificity - 1; a score at or above it is flagged."""
    candidates = np.unique(scores)
    negatives, positives = np.sort(scores[y == 0]), np.sort(scores[y == 1])
    missed = np.searchsorted(positives, candidates) / max(len(positives), 1)
    cleared = np.searchsorted(negatives, candidates) / max(len(negatives), 1)
    return float(candidates[np.argmax(cleared - missed)])


@dataclass(frozen=True)
class TargetThreshold:
    """A threshold for a target sensitivity: the `rank`-th smallest of the scores that the rule looks at.

    Rank 0: none is low enough, so everything is flagged. `n_positive` counts studies, `n_infants` whom they are of.
    """

    threshold: float
    rank: int
    n_positive: int
    n_infants: int
    promise: str
    rule: str


def target_threshold(
    positive_scores: Floats, *, infants: Groups | None = None, target: float = 0.90, delta: float | None = None
) -> TargetThreshold:
    """The highest threshold that keeps a target sensitivity, from scores of positives that no model was fitted on.

    `infants` [P] names whose study each score is (twins as one); without it each is an infant of its own. Infants are
    the unit of both promises, since studies of one infant are alike and ten of them tell little more than one.

    On average: an infant's loss is the share of its positive studies below the threshold; the highest threshold with
    (sum of losses + 1) / (n + 1) <= 1 - target over n infants (conformal risk control, Angelopoulos et al., arXiv
    2208.02814). A positive study of a new exchangeable infant is then flagged with probability at least `target`. With
    one study each it is the k-th smallest score, k = floor((n + 1)(1 - target)).

    With `delta`: the k-th smallest of the infants' lowest scores, k the largest for which at least the target share of
    new infants has every positive study flagged, with probability 1 - delta (P(Beta(n + 1 - k, k) >= target) >= 1 -
    delta).
    """
    whose = np.arange(len(positive_scores)).astype(str) if infants is None else infants
    if delta is None:
        scores, rank = _mean_rank(positive_scores, whose, target)
    else:
        scores = _lowest_of_each(positive_scores, whose)
        rank = _pac_rank(len(scores), target, delta)
    n = len(np.unique(whose))
    threshold = float(scores[rank - 1]) if rank else -math.inf
    return TargetThreshold(threshold, rank, len(positive_scores), n, *_promise(n, rank, target=target, delta=delta))


def infant_weights(infants: Groups) -> Floats:
    """[P] for studies of infants [P]: those of one infant share a weight of one."""
    _, whose, counts = np.unique(infants, return_inverse=True, return_counts=True)
    weights: Floats = 1 / counts[whose]
    return weights


def _mean_rank(scores: Floats, infants: Groups, target: float) -> tuple[Floats, int]:
    """The scores in ascending order, and how far up the threshold may stand."""
    order = np.argsort(scores, kind="stable")
    missed = np.cumsum(infant_weights(infants)[order])  # by a threshold just above each score
    below = np.append(0.0, missed[:-1])  # by a threshold at it
    allowed = (len(np.unique(infants)) + 1) * (1 - target) - 1
    return scores[order], int((below <= allowed + 1e-9).sum())


def _lowest_of_each(scores: Floats, infants: Groups) -> Floats:
    """Each infant's lowest score, ascending."""
    names, whose = np.unique(infants, return_inverse=True)
    lowest = np.full(len(names), math.inf)
    np.minimum.at(lowest, whose, scores)
    return np.sort(lowest)


def _pac_rank(n: int, target: float, delta: float) -> int:
    ranks = np.arange(1, n + 1)
    confident = 1 - betainc(n + 1 - ranks, ranks, target) >= 1 - delta
    return int(ranks[confident].max()) if confident.any() else 0


def _promise(n: int, rank: int, *, target: float, delta: float | None) -> tuple[str, str]:
    if not rank:
        return (
            f"{n} positive infants are too few to promise a sensitivity of {target:.2f} below flagging every study.",
            "every study is flagged",
        )
    promise, scores = (
        (
            f"A positive study of a new infant like those it was set on is flagged with probability at least "
            f"{target:.2f}, on average over such sets (conformal risk control).",
            f"out-of-fold scores of positive studies, of {n} infants that count alike",
        )
        if delta is None
        else (
            f"With confidence {1 - delta:.2f}, at least {target:.0%} of new positive infants like these have every "
            "positive study flagged.",
            f"lowest out-of-fold scores of {n} positive infants",
        )
    )
    return (
        promise + " Another scanner, site or population voids it.",
        f"score at or above the {rank}. smallest of the {scores}",
    )


def clopper_pearson(hits: float, n: float, *, level: float = 0.95) -> tuple[float, float]:
    """Exact binomial interval of hits / n; both may be effective numbers that are not whole."""
    if n == 0:
        return 0.0, 1.0
    tail = (1 - level) / 2
    low = float(betaincinv(hits, n - hits + 1, tail)) if hits > 0 else 0.0
    high = float(betaincinv(hits + 1, n - hits, 1 - tail)) if hits < n else 1.0
    return low, high


def clustered_interval(right: NDArray[np.bool_], infants: Groups, *, level: float = 0.95) -> tuple[float, float]:
    """Interval of the share of studies [N] that are right, when those of one infant may all be right or wrong alike.

    Clopper-Pearson with the effective number of infants (sum m)^2 / sum m^2, m the studies of each (Kish 1965, a
    correlation of one within an infant): exact where each infant has one study, cautious where not.
    """
    if not len(right):
        return 0.0, 1.0
    sizes = np.unique(infants, return_counts=True)[1].astype(np.float64)
    effective = float(sizes.sum() ** 2 / (sizes**2).sum())
    return clopper_pearson(float(right.mean()) * effective, effective, level=level)


def patient_weights(groups: Groups, *, resamples: int, seed: int) -> Floats:
    """Bootstrap weights [R, M]: how often each study's group was drawn, groups drawn with replacement."""
    names, index = np.unique(groups, return_inverse=True)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=resamples)  # [R, G]
    return drawn[:, index].astype(np.float64)  # [R, M]


def interval(values: Floats, *, level: float = 0.95) -> tuple[float, float]:
    """Percentile interval of bootstrap values; nan where none is defined."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return math.nan, math.nan
    low, high = np.quantile(finite, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def platt(y: Labels, logits: Floats, *, prevalence: float | None = None) -> Calibration:
    """Fit probability = sigmoid(slope * logit + intercept), with Platt's (1999) smoothed targets.

    `logits` must come from models that were not fitted on these studies. With `prevalence`, the intercept is moved
    from the share of positives in `y` to that of the place of use. The slope stays above zero, whatever the data say.
    """
    positives, negatives = float(y.sum()), float(len(y) - y.sum())
    goal = np.where(y == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    slope, intercept = _logistic(goal, logits)
    if slope < 1e-3:
        slope, intercept = 1e-3, float(np.log((positives + 1) / (negatives + 1)))
    if prevalence is not None and positives and negatives:
        intercept += math.log(prevalence / (1 - prevalence)) - math.log(positives / negatives)
    return Calibration(slope, intercept)


def _logistic(goal: Floats, logits: Floats) -> tuple[float, float]:
    """Slope and intercept of the least cross-entropy; a small ridge penalty keeps separable data finite."""
    spread = float(logits.std()) or 1.0
    scaled = logits / spread

    def objective(at: Floats) -> tuple[float, Floats]:
        z = at[0] * scaled + at[1]
        error = expit(z) - goal
        loss = np.logaddexp(0, z) - goal * z
        gradient = np.array([(error * scaled).sum() + 1e-3 * at[0], error.sum() + 1e-3 * at[1]])
        return float(loss.sum() + 5e-4 * (at**2).sum()), gradient

    slope, intercept = minimize(objective, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B").x
    return float(slope / spread), float(intercept)


def brier(y: Labels, probabilities: Floats) -> float:
    """Mean squared distance between probability and outcome."""
    return float(np.mean((probabilities - y) ** 2))


def calibration_report(y: Labels, probabilities: Floats, *, bins: int = 8) -> CalibrationFigures:
    """Slope and intercept of outcome on predicted log odds (1 and 0 are perfect), Brier score, reliability bins."""
    clipped = np.clip(probabilities, 1e-6, 1 - 1e-6)
    slope, intercept = _logistic(y.astype(np.float64), np.log(clipped / (1 - clipped)))
    parts = [part for part in np.array_split(np.argsort(probabilities, kind="stable"), bins) if len(part)]
    return {
        "slope": slope,
        "intercept": intercept,
        "brier": brier(y, probabilities),
        "bins": [
            {"predicted": float(probabilities[part].mean()), "observed": float(y[part].mean()), "n": len(part)}
            for part in parts
        ],
    }
