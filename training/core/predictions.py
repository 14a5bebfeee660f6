"""What a cross-validation answers for each study, and the target that its operating points are chosen for."""

from __future__ import annotations

from dataclasses import dataclass

TARGET = 0.90
"""Sensitivity that operating points promise."""
DELTA = 0.10
"""Share of cohorts that may fall short of the target where confidence was promised (PAC)."""


@dataclass(frozen=True)
class Prediction:
    """One study's out-of-fold answer, with what each operating point of that fold made of it."""

    repeat: int
    fold: int
    index: int
    uid: str
    group: str
    y: int
    logit: float
    probability: float
    youden: bool
    target: bool
    pac: bool
    deployed_logit: float
    """The answer of the heads that are kept: they were fitted on the whole training part."""
    p_value: float
    """Cross-conformal: how usual a score this low would be for a positive study; nan where there are no inner folds."""

    @property
    def cross_conformal(self) -> bool:
        """Flagged unless positives hardly ever score as low."""
        return self.p_value > 1 - TARGET
