"""What a cross-validation answers for each study, and the target that its operating points are chosen for."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from common.atomic_file import replacing

TARGET = 0.90
"""Sensitivity that operating points promise."""
DELTA = 0.10
"""Share of cohorts that may fall short of the target where confidence was promised (PAC)."""


@dataclass(frozen=True)
class Prediction:
    """One study's out-of-fold score, and whether each operating point of that fold flags it."""

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
    """Of the heads that are deployed: they were fitted on the whole training part."""
    p_value: float
    """Cross-conformal: how usual a score this low would be for a positive study; nan where there are no inner folds."""

    @property
    def cross_conformal(self) -> bool:
        """Flagged unless positives hardly ever score as low."""
        return self.p_value > 1 - TARGET


def write_predictions(path: Path, predictions: Sequence[Prediction]) -> None:
    """A CSV with a column for each field, written whole or not at all."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, [field.name for field in fields(Prediction)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(row) for row in predictions)
    with replacing(path) as file:
        file.write(text.getvalue().encode())


def read_predictions(path: Path) -> list[Prediction]:
    """What `write_predictions` wrote."""
    types: dict[str, Callable[[str], Any]] = {
        "int": int,
        "float": float,
        "str": str,
        "bool": lambda text: text == "True",
    }
    with path.open(newline="") as file:
        return [
            Prediction(**{field.name: types[str(field.type)](row[field.name]) for field in fields(Prediction)})
            for row in csv.DictReader(file)
        ]
