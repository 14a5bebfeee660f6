"""What two recipes made of the same draws, side by side: measures per draw, pooled, and their paired difference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.benchmark.draws import Draw
from training.benchmark.paper_recipe import PaperFit
from training.core.metrics import Floats, Labels, interval, patient_weights, weighted_auroc, weighted_pr_auc
from training.core.predictions import Prediction

RESAMPLES = 2000


def paper_predictions(
    fits: Sequence[PaperFit], logits: Sequence[Floats], draws: Sequence[Draw], y: Labels, groups: NDArray[np.str_]
) -> list[Prediction]:
    """The paper recipe's answers for its test parts (`logits` [T] of each), with the flags of its own thresholds."""
    rows = []
    for fit, answers, drawn in zip(fits, logits, draws, strict=True):
        for index, logit in zip(drawn.test.tolist(), answers.tolist(), strict=True):
            rows.append(
                Prediction(
                    repeat=drawn.number,
                    fold=0,
                    index=index,
                    uid=f"infant-{index:04d}",
                    group=str(groups[index]),
                    y=int(y[index]),
                    logit=logit,
                    probability=float(1 / (1 + np.exp(-logit))),
                    youden=logit >= fit.youden,
                    target=logit >= fit.target,
                    pac=logit >= fit.pac,
                    deployed_logit=logit,
                    p_value=math.nan,
                )
            )
    return rows


def paired_difference(
    better: Sequence[Prediction], plain: Sequence[Prediction], *, seed: int = 0
) -> dict[str, dict[str, Any]]:
    """Mean over draws of AUROC and PR-AUC of one recipe less the other, with its 95 % interval over resampled patients.

    Both must have answered the same infants in the same draws. A patient who tests in several draws is one patient.
    """
    if {(row.repeat, row.index) for row in better} != {(row.repeat, row.index) for row in plain}:
        raise ValueError("the two recipes did not answer the same infants")
    groups = np.unique([row.group for row in better])
    drawn = patient_weights(groups, resamples=RESAMPLES, seed=seed)  # [R, G]
    weight = dict(zip(groups.tolist(), drawn.T, strict=True))
    differences = {}
    for name, measure in (("auroc", weighted_auroc), ("pr_auc", weighted_pr_auc)):
        resampled = _mean_over_draws(better, measure, weight) - _mean_over_draws(plain, measure, weight)
        once = {group: np.ones(1) for group in groups.tolist()}
        point = _mean_over_draws(better, measure, once) - _mean_over_draws(plain, measure, once)
        differences[name] = {"difference": float(point[0]), "interval": list(interval(resampled))}
    return differences


def _mean_over_draws(rows: Sequence[Prediction], measure: Any, weight: dict[str, Floats]) -> Floats:
    values = []
    for repeat in sorted({row.repeat for row in rows}):
        part = [row for row in rows if row.repeat == repeat]
        y = np.array([row.y for row in part])
        scores = np.array([row.logit for row in part])
        values.append(measure(y, scores, np.stack([weight[row.group] for row in part], axis=1)))
    mean: Floats = np.nanmean(values, axis=0)
    return mean
