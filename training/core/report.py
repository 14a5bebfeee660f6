"""The report of a cross-validation: plain data for JSON, a table of predictions, and two plots."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from training.core.metrics import (
    Floats,
    Labels,
    calibration_report,
    interval,
    patient_weights,
    pr_points,
    roc_points,
    share_right,
    weighted_auroc,
    weighted_pr_auc,
)
from training.core.predictions import Prediction, write_predictions
from training.core.report_shapes import Report, ReportCurve, ReportCurves, ReportFacts, ReportMeasure, ReportPoint

Json = TypeVar("Json")
RESAMPLES = 1000
RESEARCH_ONLY = "Research use only."


@dataclass(frozen=True)
class _Table:
    """Predictions as columns, each [M]."""

    y: Labels
    logit: Floats
    """On one scale over all folds, so that predictions of several can be ranked together."""
    probability: Floats
    """Calibrated by each fold for itself: its thresholds and its calibration are judged by these."""
    youden: NDArray[np.bool_]
    target: NDArray[np.bool_]
    pac: NDArray[np.bool_]
    cross_conformal: NDArray[np.bool_] | None
    groups: NDArray[np.str_]
    fold: Labels

    def measures(self, weights: Floats) -> dict[str, Floats]:
        """Every measure for each row of study weights [R, M]."""
        positive, negative = self.y == 1, self.y == 0
        right = (self.probability >= 0.5) == positive
        return {
            "auroc": weighted_auroc(self.y, self.logit, weights),
            "pr_auc": weighted_pr_auc(self.y, self.logit, weights),
            "accuracy": share_right(right, np.ones_like(positive), weights),
            **{
                f"{point}.{kind}": value
                for point, flags in self.points.items()
                for kind, value in (
                    ("sensitivity", share_right(flags, positive, weights)),
                    ("specificity", share_right(~flags, negative, weights)),
                )
            },
        }

    @property
    def points(self) -> dict[str, NDArray[np.bool_]]:
        """The flags [M] of each operating point that there is."""
        known = {"youden": self.youden, "target_0.90": self.target, "target_0.90_pac": self.pac}
        return known if self.cross_conformal is None else {**known, "target_0.90_cross_conformal": self.cross_conformal}


def build_report(predictions: Sequence[Prediction], *, facts: ReportFacts, seed: int) -> Report:
    """Per fold, mean and SD over folds, pooled, and a 95 % interval from resampled patients, for every measure.

    `pooled` takes all out-of-fold predictions together; `interval` is of `pooled`. `facts` are copied in.
    """
    table = _columns(predictions)
    masks = [(table.fold == fold).astype(np.float64) for fold in np.unique(table.fold)]
    per_fold = table.measures(np.stack(masks))
    pooled = table.measures(np.ones((1, len(table.y))))
    resampled = table.measures(patient_weights(table.groups, resamples=RESAMPLES, seed=seed))
    flat = {name: _summary(per_fold[name], pooled[name][0], resampled[name]) for name in pooled}
    studies = {row.index: row.y for row in predictions}
    measured: Report = {
        "auroc": flat["auroc"],
        "pr_auc": flat["pr_auc"],
        "accuracy": flat["accuracy"],
        "operating_points": {
            point: ReportPoint(sensitivity=flat[f"{point}.sensitivity"], specificity=flat[f"{point}.specificity"])
            for point in table.points
        },
        "curves": _curves(table),
        "calibration": calibration_report(table.y, table.probability),
        "n": len(studies),
        "n_positive": sum(studies.values()),
        "note": RESEARCH_ONLY,
    }
    return plain(cast(Report, {**facts, **measured}))


def _columns(predictions: Sequence[Prediction]) -> _Table:
    rows = [asdict(row) for row in predictions]
    column = {key: np.array([row[key] for row in rows]) for key in rows[0]}
    _, fold = np.unique(column["repeat"] * 1000 + column["fold"], return_inverse=True)
    return _Table(
        y=column["y"],
        logit=column["logit"],
        probability=column["probability"],
        youden=column["youden"],
        target=column["target"],
        pac=column["pac"],
        cross_conformal=None
        if np.isnan(column["p_value"]).any()
        else np.array([row.cross_conformal for row in predictions]),
        groups=column["group"],
        fold=fold,
    )


def _summary(per_fold: Floats, pooled: float, resampled: Floats) -> ReportMeasure:
    known = per_fold[np.isfinite(per_fold)]
    return {
        "mean": float(known.mean()) if len(known) else math.nan,
        "sd": float(known.std(ddof=1)) if len(known) > 1 else math.nan,
        "per_fold": per_fold.tolist(),
        "pooled": float(pooled),
        "interval": list(interval(resampled)),
    }


def _curves(table: _Table) -> ReportCurves:
    return {"roc": _curve(table, roc_points), "pr": _curve(table, pr_points)}


def _curve(table: _Table, points: Callable[[Labels, Floats], list[list[float]]]) -> ReportCurve:
    folds = [table.fold == fold for fold in np.unique(table.fold)]
    return {
        "per_fold": [points(table.y[fold], table.logit[fold]) for fold in folds],
        "pooled": points(table.y, table.logit),
    }


def plain(value: Json) -> Json:
    """The same with null for what is not a finite number, so that it is JSON."""
    return cast(Json, _plain(value))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def write_report(out: Path, *, report: Report, predictions: Sequence[Prediction]) -> None:
    """Write report.json, predictions.csv, roc.png and pr.png into a folder: all of them, or none."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as folder:
        parts = Path(folder)
        _plot(parts / "roc.png", report, "roc", axes=("1 - specificity", "sensitivity"), area="auroc")
        _plot(parts / "pr.png", report, "pr", axes=("recall (sensitivity)", "precision"), area="pr_auc")
        write_predictions(parts / "predictions.csv", predictions)
        (parts / "report.json").write_text(json.dumps(report, indent=2, allow_nan=False) + "\n")
        out.mkdir(exist_ok=True)
        for name in ("roc.png", "pr.png", "predictions.csv", "report.json"):  # the report last: with it, all are there
            (parts / name).replace(out / name)


def _plot(
    path: Path, report: Report, name: Literal["roc", "pr"], *, axes: tuple[str, str], area: Literal["auroc", "pr_auc"]
) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.5, 4.5), layout="constrained")
    plot = figure.add_subplot()
    for points in report["curves"][name]["per_fold"]:
        plot.plot(*np.array(points).T, color="0.75", linewidth=0.8)
    plot.plot(*np.array(report["curves"][name]["pooled"]).T, color="C0", linewidth=2)
    low, high = report[area]["interval"]
    plot.set_title(f"{area} {report[area]['pooled']:.3f} ({low:.3f} to {high:.3f})\n{RESEARCH_ONLY}", fontsize=9)
    plot.set(xlabel=axes[0], ylabel=axes[1], xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    figure.savefig(path, dpi=120)
