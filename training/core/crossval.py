"""Patient-level cross-validation on cached embeddings, and the ensemble that it leaves behind.

Two recipes. `fontanelle`: a fixed number of epochs; calibration and thresholds from scores that inner folds of the
training part gave to studies they were not fitted on. `paper`: one validation part chooses both the epoch and the
thresholds, which is what makes a promised sensitivity come out lower. Neither looks at a fold before measuring on it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from inference.core.manifest import Achieved, Calibration, OperatingPoint
from inference.core.network import BagHead
from training.core.bags import Bags
from training.core.fit_cache import FitCache, run_digest
from training.core.heads import (
    Fit,
    Indices,
    Projected,
    Projection,
    fit_head,
    fit_projection,
    frame_targets,
    mean_logits,
    one_thread,
    project,
)
from training.core.in_use import checked_prevalence, points_in_use
from training.core.metrics import (
    Floats,
    Groups,
    Labels,
    auroc,
    infant_weights,
    platt,
    target_threshold,
    youden_threshold,
)
from training.core.predictions import DELTA, TARGET, Prediction
from training.core.report import build_report, plain
from training.core.report_shapes import (
    LEAST_UNBIASED,
    DeployedModel,
    FoldCounts,
    FoldProgress,
    Report,
    ReportFacts,
    ReportPoint,
    RunProgress,
    UnbiasedCounts,
)
from training.core.splits import TooFewCases, assert_no_leak, fold_table, grouped_folds

LEAST_TO_ALIGN = 20
LOOK_SECONDS = 0.25
NO_PROMISE = (
    "None: the studies it was set on were mostly chosen for labelling, and say little about those to come. A queue "
    f"drawn at random, or days read without a gap, with {LEAST_UNBIASED} positive infants would allow one."
)
YOUDEN_PROMISE = "None: it balances sensitivity and specificity equally on the studies it was set on."
YOUDEN_RULE = "score at or above the threshold with the largest sensitivity + specificity - 1 out of fold"


class Cancelled(Exception):
    """Somebody asked for the run to stop."""


@dataclass(frozen=True)
class Recipe:
    """What is fitted: `seeds` heads are averaged; `inner_folds` 0 means one validation part for everything."""

    name: str
    seeds: int
    inner_folds: int
    fit: Fit


RECIPES = {
    "fontanelle": Recipe("fontanelle", seeds=2, inner_folds=5, fit=Fit()),
    "paper": Recipe("paper", seeds=1, inner_folds=0, fit=Fit(logit_adjustment=False)),
}


@dataclass(frozen=True)
class Split:
    """Bags to fit on and bags to measure on, as indices."""

    repeat: int
    fold: int
    train: Indices
    test: Indices


@dataclass(frozen=True)
class Progress:
    """How far a run is; steps are fits, `eta_seconds` an estimate from the fits so far."""

    step: int
    steps: int
    fold: int
    folds: int
    fraction: float
    eta_seconds: float
    message: str
    fold_rows: tuple[FoldProgress, ...]

    def as_json(self) -> RunProgress:
        """The same as JSON."""
        return cast(RunProgress, {**asdict(self), "fold_rows": list(self.fold_rows)})


@dataclass(frozen=True)
class CrossValidation:
    """The report, every prediction, and the deployable ensemble with its calibration and operating points."""

    report: Report
    predictions: list[Prediction]
    heads: list[BagHead]
    calibration: Calibration
    operating_points: dict[str, OperatingPoint]


@dataclass(frozen=True)
class _Rule:
    """What a training part alone decides: calibration and thresholds on the calibrated probability."""

    calibration: Calibration
    youden: float
    target: float
    pac: float


@dataclass
class _Run:
    """Where a cross-validation is: what its progress and its cancellation go by."""

    splits: Sequence[Split]
    fits_per_split: int
    progress: Callable[[Progress], None]
    cancelled: Callable[[], bool]
    fits: FitCache | None = None
    step: int = 0
    began: float = field(default_factory=time.monotonic)
    last_look: float = 0.0
    aurocs: dict[int, float] = field(default_factory=dict)
    inner: list[float] = field(default_factory=list)
    """AUROC out of the inner folds of each split: what a recipe may be chosen by."""

    def tick(self) -> None:
        """Raise Cancelled if the run is to stop; looks once in `LOOK_SECONDS`."""
        if time.monotonic() - self.last_look > LOOK_SECONDS:
            self.last_look = time.monotonic()
            if self.cancelled():
                raise Cancelled(f"cancelled after {self.step} of {self.steps} fits")

    @property
    def steps(self) -> int:
        return self.fits_per_split * len(self.splits)

    def report_progress(self, place: int, message: str) -> None:
        """Call `progress` with where the run is, in split `place`."""
        elapsed = time.monotonic() - self.began
        eta = elapsed / self.step * (self.steps - self.step) if self.step else 0.0
        rows = tuple(self._row(number, place) for number in range(len(self.splits)))
        fraction = self.step / self.steps
        self.progress(Progress(self.step, self.steps, place, len(self.splits), fraction, round(eta, 1), message, rows))

    def _row(self, number: int, place: int) -> FoldProgress:
        done = min(max(self.step - number * self.fits_per_split, 0), self.fits_per_split)
        measured = self.aurocs.get(number, math.nan)
        return {
            "fold": number,
            "state": "done" if number in self.aurocs else "running" if number == place else "waiting",
            "fraction": done / self.fits_per_split,
            "auroc": None if math.isnan(measured) else round(measured, 4),
        }


def cross_validate(
    bags: Bags,
    *,
    recipe: str = "fontanelle",
    head: str = "gated",
    folds: int = 5,
    seed: int = 0,
    seeds: int | None = None,
    assigned: Labels | None = None,
    train_masks: NDArray[np.bool_] | None = None,
    prevalence: float | None = None,
    measured_on: str = "these studies",
    progress: Callable[[Progress], None] = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
    work: Path | None = None,
    shared: Projection | None = None,
) -> CrossValidation:
    """Cross-validate and fit the ensemble.

    Folds are drawn by `seed`, or given as `assigned` [M] or `train_masks` [repeats, folds, M]; groups never straddle
    them (Leak). `seeds` is how many heads are fitted and kept for each fold, the recipe's own number if None: fewer
    make a smaller model. `prevalence` is the share of positives where the model will be used, for calibration of the
    deployed ensemble. In `work` every head is written as soon as it is fitted: the same call goes on there after a
    kill, with the same result. All heads stand on the projection `shared`, which has to come from frames that are in
    no bag; without it each split finds its own on its training part. Raises TooFewCases, Cancelled, or
    ValueError for a prevalence that is no share.
    """
    if prevalence is not None:
        checked_prevalence(prevalence)
    chosen = RECIPES[recipe] if seeds is None else replace(RECIPES[recipe], seeds=seeds)
    splits = make_splits(bags, folds=folds, seed=seed, assigned=assigned, train_masks=train_masks)
    with one_thread():
        return _cross_validate(
            bags,
            chosen=chosen,
            head=head,
            seed=seed,
            splits=splits,
            shared=shared,
            fits=None if work is None else _fit_cache(work, bags, splits, (chosen, head, seed), shared),
            prevalence=prevalence,
            measured_on=measured_on,
            progress=progress,
            cancelled=cancelled,
        )


def _fit_cache(
    work: Path, bags: Bags, splits: Sequence[Split], options: tuple[object, ...], shared: Projection | None
) -> FitCache:
    """The run's own folder in `work`: another set of bags, another split, option or projection has another folder."""
    arrays: list[NDArray[Any]] = [part for split in splits for part in (split.train, split.test)]
    if shared is not None:
        arrays += [shared.weight.numpy(), shared.bias.numpy()]
    return FitCache(work / run_digest(bags.digest, options, arrays)[:16])


def _cross_validate(
    bags: Bags,
    *,
    chosen: Recipe,
    head: str,
    seed: int,
    splits: list[Split],
    shared: Projection | None,
    fits: FitCache | None,
    prevalence: float | None,
    measured_on: str,
    progress: Callable[[Progress], None],
    cancelled: Callable[[], bool],
) -> CrossValidation:
    began, cpu = time.monotonic(), time.process_time()
    run = _Run(splits, chosen.seeds * (1 + chosen.inner_folds), progress, cancelled, fits)
    predictions: list[Prediction] = []
    heads: list[BagHead] = []
    counted = bags.counted
    for place, split in enumerate(splits):
        projection = shared or fit_projection(bags.embeddings, split.train)
        members, rows = _one_split(bags, split, projection, place=place, recipe=chosen, kind=head, seed=seed, run=run)
        predictions += [row for row in rows if counted[row.index]]
        heads += members
        run.aurocs[place] = auroc(np.array([row.y for row in rows]), np.array([row.probability for row in rows]))
    run.report_progress(len(splits), "measuring")
    facts: ReportFacts = {
        "recipe": chosen.name,
        "head": head,
        "seed": seed,
        "measured_on": measured_on,
        "snapshot": bags.digest,
        "inner_auroc": float(np.mean(run.inner)) if run.inner else None,
        "folds": _table(bags, splits),
    }
    report = build_report(predictions, facts=facts, seed=seed)
    calibration, points = deployed_rules(predictions, report, prevalence=prevalence)
    if bags.unbiased is not None:
        report["unbiased"] = _unbiased(bags)
    if not bags.promises:
        points = {name: replace(point, promise=NO_PROMISE) for name, point in points.items()}
    report["deployed"] = _deployed(heads, calibration, points, prevalence=prevalence)
    if prevalence is not None:
        report["deployed"]["in_use"] = points_in_use(report["operating_points"], prevalence)
    report["seconds"] = round(time.monotonic() - began, 2)
    report["cpu_seconds"] = round(time.process_time() - cpu, 2)
    return CrossValidation(report, predictions, heads, calibration, points)


def _unbiased(bags: Bags) -> UnbiasedCounts:
    assert bags.unbiased is not None
    return {
        "studies": int(bags.unbiased.sum()),
        "positives": int(bags.y[bags.unbiased].sum()),
        "of": len(bags),
        "promises": bags.promises,
        "needed": LEAST_UNBIASED,
    }


def _deployed(
    heads: Sequence[BagHead], calibration: Calibration, points: dict[str, OperatingPoint], *, prevalence: float | None
) -> DeployedModel:
    deployed = {
        "members": len(heads),
        "calibration": asdict(calibration),
        "prevalence": prevalence,
        "operating_points": {name: asdict(point) for name, point in points.items()},
    }
    return cast(DeployedModel, plain(deployed))


def make_splits(
    bags: Bags,
    *,
    folds: int = 5,
    seed: int = 0,
    assigned: Labels | None = None,
    train_masks: NDArray[np.bool_] | None = None,
) -> list[Split]:
    """The outer splits; raises Leak if a group stands on both sides of one."""
    if train_masks is not None:
        if train_masks.ndim != 3 or train_masks.shape[2] != len(bags):
            raise ValueError(f"train_masks are [repeats, folds, {len(bags)} bags], not {list(train_masks.shape)}")
        shape = np.ndindex(train_masks.shape[:2])
        return [_split(bags, train_masks[place], repeat=place[0], fold=place[1]) for place in shape]
    if assigned is None:
        assigned = grouped_folds(bags.y, bags.groups, folds=folds, seed=seed)
    return [_split(bags, assigned != fold, repeat=0, fold=int(fold)) for fold in np.unique(assigned)]


def _split(bags: Bags, train: NDArray[np.bool_], *, repeat: int, fold: int) -> Split:
    assert_no_leak(train.astype(np.int64), bags.groups)
    return Split(repeat, fold, np.flatnonzero(train), np.flatnonzero(~train))


def _table(bags: Bags, splits: Sequence[Split]) -> list[FoldCounts]:
    rows: list[FoldCounts] = []
    for split in splits:
        folds = np.full(len(split.test), split.fold)
        row = fold_table(folds, bags.y[split.test], bags.groups[split.test])[0]
        rows.append({"repeat": split.repeat, **row})
    return rows


def _one_split(
    bags: Bags, split: Split, projection: Projection, *, place: int, recipe: Recipe, kind: str, seed: int, run: _Run
) -> tuple[list[BagHead], list[Prediction]]:
    """Fit on the training part, let it set its own rule, measure on the rest."""
    data = project(bags.embeddings, projection, frame_targets(bags))
    worker = _Worker(bags, data, projection, recipe, kind, 1000 * seed + 17 * place, run, place)
    fitted = (
        worker.cross_fit(split.train, split.test) if recipe.inner_folds else worker.validated(split.train, split.test)
    )
    if recipe.inner_folds:
        align(fitted.members, data, split.test[bags.y[split.test] == 0])
    deployed = mean_logits(fitted.members, data, split.test)
    values = np.full(len(split.test), math.nan) if fitted.p_values is None else fitted.p_values
    return fitted.members, [
        _prediction(bags, split, fitted.rule, int(index), logit=logit, deployed_logit=of_deployed, p_value=value)
        for index, logit, of_deployed, value in zip(
            split.test, fitted.logits.tolist(), deployed.tolist(), values.tolist(), strict=True
        )
    ]


def align(members: Sequence[BagHead], data: Projected, negatives: Indices) -> None:
    """Give heads the same zero and unit: mean 0 and spread 1 over negative studies that they were not fitted on.

    Heads of different folds answer on scales of their own, and a threshold set on all their answers together then
    keeps its promise in none (simulated: a promise with 90 % confidence is kept in 79 %, aligned in 99 %; see
    `training.benchmark.threshold_simulation`). Too few negatives would tell more noise than scale, and change nothing.
    """
    if not len(negatives):
        return
    centre, spread = negatives_scale(mean_logits(members, data, negatives))
    for member in members:
        member.shift(centre, spread)


def _prediction(
    bags: Bags, split: Split, rule: _Rule, index: int, *, logit: float, deployed_logit: float, p_value: float
) -> Prediction:
    probability = rule.calibration.probability(logit)
    return Prediction(
        repeat=split.repeat,
        fold=split.fold,
        index=index,
        uid=str(bags.uids[index]),
        group=str(bags.groups[index]),
        y=int(bags.y[index]),
        logit=logit,
        probability=probability,
        youden=probability >= rule.youden,
        target=probability >= rule.target,
        pac=probability >= rule.pac,
        deployed_logit=deployed_logit,
        p_value=p_value,
    )


@dataclass(frozen=True)
class _Fitted:
    """What a training part leaves behind: heads to keep, the rule, and for the studies to measure on the logits [T]
    that the rule is meant for and their p-values [T].

    The logits have mean 0 and spread 1 over negatives of the training part that their heads were not fitted on, so that
    those of several folds can be ranked together.
    """

    members: list[BagHead]
    rule: _Rule
    logits: Floats
    p_values: Floats | None = None


@dataclass(frozen=True)
class _Worker:
    """Fits heads on parts of one training part; `place` is the number of its split."""

    bags: Bags
    data: Projected
    projection: Projection
    recipe: Recipe
    kind: str
    seed: int
    run: _Run
    place: int

    def cross_fit(self, train: Indices, test: Indices) -> _Fitted:
        """Fit heads on inner folds; the rule comes from their scores of studies that they were not fitted on.

        What is measured is the mean of those heads. What is deployed are heads of the whole training part, which relate
        to the next split as the inner heads do to this one.
        """
        inner = _inner_folds(self.bags, train, folds=self.recipe.inner_folds, seed=self.seed)
        logits, not_below, test_logits = np.zeros(len(train)), np.zeros(len(test)), []
        counted = self.bags.counted[train]
        positive, weights = (self.bags.y[train] == 1) & counted, np.zeros(len(train))
        weights[positive] = infant_weights(self.bags.groups[train][positive])
        for fold in range(self.recipe.inner_folds):
            held = inner == fold
            if not held.any():
                self.run.step += self.recipe.seeds
                continue
            members = self.fit(train[~held])
            align(members, self.data, train[held][self.bags.y[train[held]] == 0])
            logits[held] = mean_logits(members, self.data, train[held])
            test_logits.append(mean_logits(members, self.data, test))
            among = held & positive
            not_below += count_not_above(logits[among], test_logits[-1], weights=weights[among])
        self.run.inner.append(auroc(self.bags.y[train][counted], logits[counted]))
        p_values = (1 + not_below) / (len(np.unique(self.bags.groups[train][positive])) + 1)
        centre, spread = negatives_scale(logits[counted & ~positive])
        rule = self.rule(train[counted], (logits[counted] - centre) / spread)
        return _Fitted(self.fit(train), rule, (np.mean(test_logits, axis=0) - centre) / spread, p_values)

    def validated(self, train: Indices, test: Indices) -> _Fitted:
        """Heads whose epoch, and a rule whose thresholds, one validation part of the training part chooses."""
        held = _inner_folds(self.bags, train, folds=6, seed=self.seed) == 0
        validation = train[held]

        def choose(candidate: BagHead) -> float:
            return auroc(self.bags.y[validation], mean_logits([candidate], self.data, validation))

        members = self.fit(train[~held], choose)
        y, groups = self.bags.y[validation], self.bags.groups[validation]
        logits = mean_logits(members, self.data, validation)
        centre, spread = negatives_scale(logits[y == 0])
        as_fitted = Calibration(spread, centre)  # takes an aligned logit back to the head's own: no calibration
        scores = np.array([Calibration(1.0, 0.0).probability(logit) for logit in logits])
        target = float(np.quantile(scores[y == 1], 1 - TARGET, method="lower"))
        confident = self.pac(scores[y == 1], groups[y == 1])
        aligned = (mean_logits(members, self.data, test) - centre) / spread
        return _Fitted(members, _Rule(as_fitted, youden_threshold(y, scores), target, confident), aligned)

    def fit(self, indices: Indices, choose: Callable[[BagHead], float] | None = None) -> list[BagHead]:
        """One head for each seed."""
        members = []
        for number in range(self.recipe.seeds):
            self.run.report_progress(self.place, f"fold {self.place + 1} of {len(self.run.splits)}: fitting heads")
            members.append(self._cached_or_fitted(indices, choose, seed=self.seed + number))
            self.run.step += 1
        return members

    def _cached_or_fitted(self, indices: Indices, choose: Callable[[BagHead], float] | None, *, seed: int) -> BagHead:
        def make() -> BagHead:
            return fit_head(
                self.data,
                self.bags.fitted_on,
                indices,
                projection=self.projection,
                fit=replace(self.recipe.fit, kind=self.kind),
                seed=seed,
                tick=self.run.tick,
                choose=choose,
            )

        fits = self.run.fits
        return make() if fits is None else fits.head(self.run.step, self.projection, self.kind, make)

    def rule(self, train: Indices, logits: Floats) -> _Rule:
        y, groups = self.bags.y[train], self.bags.groups[train]
        calibration = platt(y, logits)
        scores = np.array([calibration.probability(logit) for logit in logits])
        target = target_threshold(scores[y == 1], infants=groups[y == 1], target=TARGET)
        confident = self.pac(scores[y == 1], groups[y == 1])
        return _Rule(calibration, youden_threshold(y, scores), target.threshold, confident)

    @staticmethod
    def pac(positive_scores: Floats, infants: Groups) -> float:
        """The threshold that keeps the target with 90 % confidence; everything is flagged where they are too few."""
        return target_threshold(positive_scores, infants=infants, target=TARGET, delta=DELTA).threshold


def negatives_scale(logits: Floats) -> tuple[float, float]:
    """Mean and spread of negatives' logits; too few would tell more noise than scale, and give 0 and 1."""
    if len(logits) < LEAST_TO_ALIGN:
        return 0.0, 1.0
    return float(logits.mean()), max(float(logits.std()), 1e-3)


def count_not_above(positives: Floats, scores: Floats, *, weights: Floats | None = None) -> Floats:
    """For each score the weight of the positives of the same models that score no higher, each 1 if None is given: ties
    count, or saturated scores lose coverage."""
    order = np.argsort(positives, kind="stable")
    weight = np.ones(len(positives)) if weights is None else weights[order]
    counts: Floats = np.append(0.0, np.cumsum(weight))[np.searchsorted(positives[order], scores, side="right")]
    return counts


def _inner_folds(bags: Bags, train: Indices, *, folds: int, seed: int) -> Labels:
    """Folds within a training part, fewer if it has too few patients for so many."""
    y, groups = bags.y[train], bags.groups[train]
    possible = min(folds, *(len(set(groups[y == label].tolist())) for label in (0, 1)))
    if possible < 2:
        raise TooFewCases("a training part has fewer than two positive or two negative patients")
    return grouped_folds(y, groups, folds=possible, seed=seed)


def deployed_rules(
    predictions: Sequence[Prediction], report: Report, *, prevalence: float | None = None
) -> tuple[Calibration, dict[str, OperatingPoint]]:
    """Calibration and operating points of the ensemble, from all out-of-fold logits.

    A study with several out-of-fold answers counts once, by their mean. What each point is said to achieve is what
    the report measured with rules that had not seen the fold.
    """
    y, logits, infants = _per_study(predictions)
    calibration = platt(y, logits, prevalence=prevalence)
    scores = np.array([calibration.probability(logit) for logit in logits])
    measured, whose = report["operating_points"], infants[y == 1]
    targets = {
        f"target_{TARGET:.2f}": target_threshold(scores[y == 1], infants=whose, target=TARGET),
        f"target_{TARGET:.2f}_pac": target_threshold(scores[y == 1], infants=whose, target=TARGET, delta=DELTA),
    }
    return calibration, {
        **{
            name: OperatingPoint(
                threshold=max(target.threshold, 0.0),
                promise=target.promise,
                achieved=_achieved(measured[name], int(y.sum())),
                rule=target.rule,
            )
            for name, target in targets.items()
        },
        "youden": OperatingPoint(
            threshold=youden_threshold(y, scores),
            promise=YOUDEN_PROMISE,
            achieved=_achieved(measured["youden"], int(y.sum())),
            rule=YOUDEN_RULE,
        ),
    }


def _per_study(predictions: Sequence[Prediction]) -> tuple[Labels, Floats, Groups]:
    """Labels [M], mean deployed logits [M] and infants [M]."""
    index = np.array([row.index for row in predictions])
    studies, place = np.unique(index, return_inverse=True)
    totals = np.bincount(place, weights=np.array([row.deployed_logit for row in predictions]))
    labels = np.zeros(len(studies), dtype=np.int64)
    labels[place] = [row.y for row in predictions]
    infants = np.array([predictions[first].group for first in np.unique(index, return_index=True)[1]])
    return labels, totals / np.bincount(place), infants


def _achieved(measured: ReportPoint, n_positive: int) -> Achieved:
    sensitivity, specificity = measured["sensitivity"], measured["specificity"]
    low, high = map(_number, sensitivity["interval"])
    return Achieved(_number(sensitivity["pooled"]), (low, high), _number(specificity["pooled"]), n_positive)


def _number(value: float | None) -> float:
    """A report's number back from JSON."""
    return math.nan if value is None else value
