"""The JSON of a cross-validation, by name. Imports nothing heavy: the web process answers with these shapes."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

LEAST_UNBIASED = 15
"""Infants of each kind: with fewer the training part of a fold is left with too few to set a threshold for .90 by."""
Interval = Annotated[list[float | None], "low and high end of the 95 % interval; null where it is not defined"]
CurvePoints = Annotated[list[list[float]], "[x, y] of each corner, 0 to 1"]


class ReportMeasure(TypedDict):
    """One measure, 0 to 1. null: it is not defined, as an AUROC without positives is."""

    mean: Annotated[float | None, "over folds"]
    sd: Annotated[float | None, "over folds"]
    per_fold: list[float | None]
    pooled: Annotated[float | None, "of all out-of-fold predictions together"]
    interval: Annotated[Interval, "of the pooled value, over resampled patients"]


class ReportPoint(TypedDict):
    """What an operating point reached."""

    sensitivity: ReportMeasure
    specificity: ReportMeasure


class ReportCurve(TypedDict):
    """One curve for each fold, and one of all predictions."""

    per_fold: list[CurvePoints]
    pooled: CurvePoints


class ReportCurves(TypedDict):
    """ROC: [1 - specificity, sensitivity]. PR: [recall, precision]."""

    roc: ReportCurve
    pr: ReportCurve


class ReliabilityBin(TypedDict):
    """Studies of similar predicted probability."""

    predicted: Annotated[float, "mean predicted probability"]
    observed: Annotated[float, "share of positives"]
    n: Annotated[int, "studies"]


class CalibrationFigures(TypedDict):
    """Outcome on predicted log odds: slope 1 and intercept 0 are perfect."""

    slope: float | None
    intercept: Annotated[float | None, "log odds"]
    brier: Annotated[float | None, "mean squared distance between probability and outcome"]
    bins: list[ReliabilityBin]


class FoldCounts(TypedDict):
    """What a fold holds."""

    repeat: NotRequired[int]
    fold: int
    studies: int
    positives: Annotated[int, "studies labelled positive"]
    patients: Annotated[int, "patients, linked ones (twins) counted as one"]


class AchievedFigures(TypedDict):
    """What an operating point achieved where it was measured."""

    sensitivity: float
    interval: Annotated[Interval, "of the sensitivity"]
    specificity: float
    n_positive: Annotated[int, "positives that it was measured on"]


class DeployedPoint(TypedDict):
    """An operating point of the model that is kept."""

    threshold: Annotated[float, "calibrated probability from which a study is flagged"]
    promise: str
    achieved: AchievedFigures
    rule: str


class PlattCalibration(TypedDict):
    """probability = sigmoid(slope * logit + intercept)."""

    slope: float
    intercept: float


class PointInUse(TypedDict):
    """What an operating point means at a site's prevalence."""

    ppv: Annotated[float | None, "share of flagged studies with haemorrhage; null: none is flagged"]
    npv: Annotated[float | None, "share of unflagged studies without; null: all are flagged"]
    flagged: Annotated[float, "share of all studies"]


class DeployedModel(TypedDict):
    """The ensemble that is kept: its size, calibration and operating points."""

    members: NotRequired[Annotated[int, "heads"]]
    calibration: NotRequired[PlattCalibration]
    prevalence: NotRequired[Annotated[float | None, "share of positives that the calibration is set to"]]
    operating_points: dict[str, DeployedPoint]
    in_use: NotRequired[Annotated[dict[str, PointInUse], "at that prevalence, by operating point"]]


class LeftOut(TypedDict):
    """A labelled study that could not be used: production would not analyse it either."""

    study_uid: str
    reason: str
    positive: NotRequired[bool]


class KeyframeCounts(TypedDict):
    """How many key frames of readers taught the model where to look."""

    marked: int
    taught: Annotated[int, "with a frame in the bag no further off than `reach`"]
    reach: Annotated[int, "frames"]


class UnbiasedCounts(TypedDict):
    """Studies that came as those to come do, in a row or drawn at random, among all that were fitted on."""

    studies: int
    positives: int
    of: int
    promises: Annotated[bool, "they alone set thresholds and are reported on; else all do, and nothing is promised"]
    needed: Annotated[int, "infants of each kind"]


class Report(TypedDict):
    """A cross-validation's report.json. Of a model that came without one only what its manifest says is known."""

    operating_points: dict[str, ReportPoint]
    measured_on: NotRequired[Annotated[str, "in words"]]
    snapshot: NotRequired[Annotated[str, "digest of the studies, labels and folds"]]
    deployed: NotRequired[DeployedModel]
    recipe: NotRequired[str]
    head: NotRequired[str]
    seed: NotRequired[int]
    inner_auroc: NotRequired[Annotated[float | None, "out of the inner folds: what a recipe may be chosen by"]]
    folds: NotRequired[list[FoldCounts]]
    auroc: NotRequired[ReportMeasure]
    pr_auc: NotRequired[ReportMeasure]
    accuracy: NotRequired[Annotated[ReportMeasure, "at a probability of 0.5"]]
    curves: NotRequired[ReportCurves]
    calibration: NotRequired[CalibrationFigures]
    n: NotRequired[Annotated[int, "studies"]]
    n_positive: NotRequired[Annotated[int, "studies labelled positive"]]
    note: NotRequired[str]
    seconds: NotRequired[Annotated[float, "wall time, s"]]
    cpu_seconds: NotRequired[Annotated[float, "s"]]
    bags: NotRequired[Annotated[str, "digest of the embeddings"]]
    left_out: NotRequired[list[LeftOut]]
    sensitivity_of_all: NotRequired[
        Annotated[dict[str, float | None], "by operating point, positives that were left out counting as missed"]
    ]
    unbiased: NotRequired[Annotated[UnbiasedCounts, "missing: nobody said how the studies came"]]
    keyframes: NotRequired[Annotated[KeyframeCounts, "readers' key frames among those that the model looks at"]]


class ReportFacts(TypedDict):
    """What a report says of the cross-validation itself, beside what it measured."""

    recipe: str
    measured_on: str
    head: NotRequired[str]
    seed: NotRequired[int]
    snapshot: NotRequired[str]
    inner_auroc: NotRequired[float | None]
    folds: NotRequired[list[FoldCounts]]


class FoldProgress(TypedDict):
    """How far one fold is."""

    fold: int
    state: Literal["waiting", "running", "done"]
    fraction: Annotated[float, "0 to 1"]
    auroc: Annotated[float | None, "once the fold is measured"]


class RunProgress(TypedDict, total=False):
    """How far a run is; empty before it begins. A step embeds a study, or fits a head."""

    step: int
    steps: int
    fold: int
    folds: Annotated[int, "0 while studies are embedded"]
    fraction: Annotated[float, "0 to 1"]
    eta_seconds: Annotated[float | None, "estimate, s"]
    message: str
    fold_rows: list[FoldProgress]
