"""Predictions as a CSV."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from training.core.predictions import Prediction, read_predictions, write_predictions

FIRST = Prediction(
    repeat=0,
    fold=1,
    index=7,
    uid="2.25.1",
    group='twins:"T1", first',
    y=1,
    logit=-0.1234567890123,
    probability=1 / 3,
    youden=True,
    target=False,
    pac=True,
    deployed_logit=2.5,
    p_value=0.25,
)


def test_predictions_come_back_as_they_were_written(tmp_path: Path) -> None:
    predictions = [FIRST, replace(FIRST, index=8, group="p8", youden=False)]
    write_predictions(tmp_path / "predictions.csv", predictions)
    assert read_predictions(tmp_path / "predictions.csv") == predictions


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    write_predictions(tmp_path / "predictions.csv", [FIRST])
    with pytest.raises(TypeError):
        write_predictions(tmp_path / "predictions.csv", [FIRST, None])  # type: ignore[list-item]  # no prediction
    assert read_predictions(tmp_path / "predictions.csv") == [FIRST]
    assert [path.name for path in tmp_path.iterdir()] == ["predictions.csv"]
