"""What an operating point means where it is used, which depends on how many studies show a haemorrhage. No torch."""

from __future__ import annotations

from collections.abc import Mapping

from training.core.report_shapes import PointInUse, ReportPoint

NO_PREVALENCE = "a prevalence is a share between 0 and 1, such as 0.058, and neither of the two"


def checked_prevalence(share: float) -> float:
    """The share itself. Raises ValueError unless it lies between 0 and 1."""
    if not 0 < share < 1:
        raise ValueError(f"{share:g}: {NO_PREVALENCE}")
    return share


def in_use(sensitivity: float, specificity: float, prevalence: float) -> PointInUse:
    """Predictive values and the share that is flagged, by Bayes' rule, of shares from 0 to 1."""
    hits, alarms = sensitivity * prevalence, (1 - specificity) * (1 - prevalence)
    missed, cleared = (1 - sensitivity) * prevalence, specificity * (1 - prevalence)
    flagged = hits + alarms
    return {
        "ppv": hits / flagged if flagged else None,
        "npv": cleared / (missed + cleared) if missed + cleared else None,
        "flagged": flagged,
    }


def points_in_use(points: Mapping[str, ReportPoint], prevalence: float) -> dict[str, PointInUse]:
    """The same for every operating point that was measured, pooled over folds."""
    stated: dict[str, PointInUse] = {}
    for name, point in points.items():
        sensitivity, specificity = point["sensitivity"]["pooled"], point["specificity"]["pooled"]
        if sensitivity is not None and specificity is not None:
            stated[name] = in_use(sensitivity, specificity, prevalence)
    return stated
