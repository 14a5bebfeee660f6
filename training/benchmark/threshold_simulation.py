"""`python -m training cohorts`: does a rule keep its promised sensitivity? A thousand cohorts of scores, in seconds.

Each cohort is vectors of scores, not pictures: binormal, at a given AUROC, from several models that agree only partly
(`share`), each with an offset and a scale of its own, as the folds of a cross-validation have. Every rule sees what it
would see in the real thing, and is then measured on thousands of new infants of the same cohort, so that its true
sensitivity is known to a hair.

Models of study x: score_k(x) = offset_k + scale_k * (d y + sqrt(share) z(x) + sqrt(1 - share) e_k(x)).
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from training.core.crossval import count_not_above
from training.core.metrics import Floats, interval, target_threshold
from training.core.predictions import DELTA, TARGET

CHECKPOINTS = 30
TESTED_POSITIVES = 19
NEW = 2000
"""New positives, and as many negatives, that each rule's true sensitivity and specificity are measured on."""


@dataclass(frozen=True)
class Scores:
    """What the scores of a cohort are like. `offset` and `scale` are standard deviations over folds, in units of the
    scores' own spread; `share` is how much of that spread two models have in common."""

    auroc: float = 0.81
    offset: float = 0.25
    scale: float = 0.1
    share: float = 0.7
    positives: int = 105
    negatives: int = 1702
    folds: int = 5

    @property
    def distance(self) -> float:
        """d: how far positives lie above negatives for the AUROC."""
        return math.sqrt(2) * float(ndtri(self.auroc))


@dataclass(frozen=True)
class Reached:
    """What one rule reached in one cohort."""

    sensitivity: float
    specificity: float
    fold_sensitivity: float
    """Of a test part with nineteen positives, as a report would show it."""


class Models:
    """K models with their offsets and scales, and the studies that they score."""

    def __init__(self, scores: Scores, count: int, rng: np.random.Generator, *, alike: bool = False) -> None:
        self.scores, self.rng = scores, rng
        self.offset = np.zeros(count) if alike else rng.normal(0, scores.offset, count)
        self.scale = np.ones(count) if alike else np.exp(rng.normal(0, scores.scale, count))

    def score(self, studies: int, *, positive: bool) -> Floats:
        """Scores of new studies by every model, [K, studies]."""
        common = self.rng.standard_normal(studies)
        own = self.rng.standard_normal((len(self.offset), studies))
        latent = math.sqrt(self.scores.share) * common + math.sqrt(1 - self.scores.share) * own
        scores: Floats = self.offset[:, None] + self.scale[:, None] * (latent + positive * self.scores.distance)
        return scores


Rule = Callable[[Scores, np.random.Generator], Reached]


def paper_rule(scores: Scores, rng: np.random.Generator) -> Reached:
    """The best of thirty checkpoints on a validation part, and the threshold for the target on that same part."""
    models = Models(scores, CHECKPOINTS, rng, alike=True)
    positive, negative = (
        models.score(TESTED_POSITIVES, positive=True),
        models.score(round(scores.negatives * TESTED_POSITIVES / scores.positives), positive=False),
    )
    wins = (positive[:, :, None] > negative[:, None, :]).mean(axis=(1, 2))  # AUROC of each checkpoint, [K]
    best = int(wins.argmax())
    threshold = float(np.quantile(positive[best], 1 - TARGET, method="lower"))
    return _measured(models, lambda seen: seen[best] >= threshold)


def conformal_rule(scores: Scores, rng: np.random.Generator, *, delta: float | None = None) -> Reached:
    """The order statistic of pooled out-of-fold scores, applied to a model fitted on all of them."""
    models = Models(scores, scores.folds + 1, rng)
    out_of_fold = models.score(scores.positives, positive=True)[_fold_of(scores), np.arange(scores.positives)]
    threshold = target_threshold(out_of_fold, target=TARGET, delta=delta).threshold
    return _measured(models, lambda seen: seen[-1] >= threshold)


def pac_rule(scores: Scores, rng: np.random.Generator) -> Reached:
    """The same with 90 % confidence."""
    return conformal_rule(scores, rng, delta=DELTA)


def cross_conformal_rule(scores: Scores, rng: np.random.Generator) -> Reached:
    """Each out-of-fold score compared with its own fold's model alone, so that offsets and scales cancel."""
    models = Models(scores, scores.folds, rng)
    fold = _fold_of(scores)
    out_of_fold = models.score(scores.positives, positive=True)[fold, np.arange(scores.positives)]

    def flags(seen: Floats) -> NDArray[np.bool_]:
        counted = sum(count_not_above(out_of_fold[fold == k], seen[k]) for k in range(scores.folds))
        return np.asarray((1 + counted) / (scores.positives + 1) > 1 - TARGET)

    return _measured(models, flags)


def aligned_rule(scores: Scores, rng: np.random.Generator, *, delta: float | None = None) -> Reached:
    """The order statistic after each fold's model was set to mean 0 and spread 1 on its own held-out negatives; a new
    study gets the mean of all of them. Offsets cancel, and the threshold stays a single number."""
    models = Models(scores, scores.folds, rng)
    fold, negative_fold = _fold_of(scores), np.arange(scores.negatives) % scores.folds
    positive, negative = models.score(scores.positives, positive=True), models.score(scores.negatives, positive=False)
    centre, spread = np.zeros((scores.folds, 1)), np.ones((scores.folds, 1))
    for k in range(scores.folds):
        held = negative[k, negative_fold == k]
        centre[k], spread[k] = held.mean(), held.std()
    out_of_fold = ((positive - centre) / spread)[fold, np.arange(scores.positives)]
    threshold = target_threshold(out_of_fold, target=TARGET, delta=delta).threshold
    return _measured(models, lambda seen: ((seen - centre) / spread).mean(axis=0) >= threshold)


def aligned_pac_rule(scores: Scores, rng: np.random.Generator) -> Reached:
    """The same with 90 % confidence."""
    return aligned_rule(scores, rng, delta=DELTA)


RULES: dict[str, Rule] = {
    "paper": paper_rule,
    "target_0.90": conformal_rule,
    "target_0.90_pac": pac_rule,
    "target_0.90_cross_conformal": cross_conformal_rule,
    "aligned_0.90": aligned_rule,
    "aligned_0.90_pac": aligned_pac_rule,
}


def _fold_of(scores: Scores) -> NDArray[np.int64]:
    return np.arange(scores.positives) % scores.folds


def _measured(models: Models, flags: Callable[[Floats], NDArray[np.bool_]]) -> Reached:
    return Reached(
        sensitivity=float(flags(models.score(NEW, positive=True)).mean()),
        specificity=float(1 - flags(models.score(NEW, positive=False)).mean()),
        fold_sensitivity=float(flags(models.score(TESTED_POSITIVES, positive=True)).mean()),
    )


def simulate(scores: Scores, *, cohorts: int, seed: int = 0) -> dict[str, dict[str, Any]]:
    """What each rule reaches over many cohorts: mean sensitivity with its interval, and how often it kept the target.

    `interval` holds 95 % of cohorts' true sensitivities; `mean_interval` is that of the mean.
    """
    figures = {}
    for name, rule in RULES.items():
        rows = [rule(scores, np.random.default_rng((seed, number))) for number in range(cohorts)]
        sensitivity = np.array([row.sensitivity for row in rows])
        error = 1.96 * float(sensitivity.std(ddof=1)) / math.sqrt(cohorts)
        mean = float(sensitivity.mean())
        figures[name] = {
            "sensitivity": round(mean, 4),
            "mean_interval": [round(mean - error, 4), round(mean + error, 4)],
            "interval": [round(end, 4) for end in interval(sensitivity)],
            "kept": round(float((sensitivity >= TARGET).mean()), 4),
            "fold_sd": round(float(np.std([row.fold_sensitivity for row in rows], ddof=1)), 4),
            "specificity": round(float(np.mean([row.specificity for row in rows])), 4),
        }
    return figures


def matched(path: Path) -> Scores:
    """Scores like those of a predictions.csv: its AUROC, numbers, and how far its folds lie apart.

    Raises ValueError if the file has not both classes in two folds or more.
    """
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    try:
        y = np.array([int(row["y"]) for row in rows])
        logit = np.array([float(row["logit"]) for row in rows])
        fold = np.array([f"{row['repeat']}/{row['fold']}" for row in rows])
    except (KeyError, ValueError) as error:
        raise ValueError(f"{path.name} is not a predictions.csv: {error}") from error
    parts = [logit[(fold == name) & (y == 0)] for name in np.unique(fold)]
    if len(parts) < 2 or any(len(part) < 2 for part in parts) or not y.any():
        raise ValueError(f"{path.name} needs both classes and two folds with negatives")
    spread = float(np.mean([part.std(ddof=1) for part in parts]))
    inside = [_auroc(logit[(fold == name) & (y == 1)], logit[(fold == name) & (y == 0)]) for name in np.unique(fold)]
    return Scores(
        auroc=float(np.clip(np.nanmean(inside), 0.51, 0.999)),
        offset=float(np.std([part.mean() for part in parts], ddof=1)) / spread,
        scale=float(np.std(np.log([part.std(ddof=1) for part in parts]), ddof=1)),
    )


def _auroc(positive: Floats, negative: Floats) -> float:
    if not len(positive):
        return math.nan
    more, same = positive[:, None] > negative, positive[:, None] == negative
    return float((more + 0.5 * same).mean())


def main(argv: list[str]) -> int:
    """Simulate and write JSON; 0, or 2 with one line of reason."""
    options = _parser().parse_args(argv)
    try:
        scores = matched(options.predictions) if options.predictions else Scores(auroc=options.auroc)
        if not 0.5 < scores.auroc < 1:
            raise ValueError(f"an AUROC lies between 0.5 and 1, not at {scores.auroc}")
    except (ValueError, OSError) as error:
        sys.stderr.write(f"cohorts: {error}. Nothing was written.\n")
        return 2
    figures = simulate(scores, cohorts=options.cohorts, seed=options.seed)
    report = {"scores": asdict(scores), "cohorts": options.cohorts, "seed": options.seed, "target": TARGET}
    text = json.dumps({**report, "rules": figures, "note": "Simulated scores. Research use only."}, indent=2)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(text + "\n")
    for name, row in figures.items():
        low, high = row["interval"]
        sys.stdout.write(
            f"{name:28} sensitivity {row['sensitivity']:.3f} ({low:.3f} to {high:.3f}), kept in {row['kept']:.1%}, "
            f"fold SD {row['fold_sd']:.3f}, specificity {row['specificity']:.3f}\n"
        )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training cohorts", description=__doc__)
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--predictions", type=Path, help="predictions.csv of a cross-validation to match")
    source.add_argument("--auroc", type=float, default=Scores.auroc, help="AUROC of the scores (default 0.81)")
    parser.add_argument("--cohorts", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True, help="the result, FILE.json")
    return parser
