"""Predictive values at a prevalence are Bayes' rule."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.core.in_use import checked_prevalence, in_use, points_in_use

SHARE = st.floats(0.01, 0.99)


def test_predictive_values_are_those_of_ten_thousand_studies() -> None:
    """580 with a bleed, 522 of them flagged; 9,420 without, 2,826 of them flagged."""
    found = in_use(0.90, 0.70, 0.058)
    assert found["ppv"] == pytest.approx(522 / (522 + 2826))
    assert found["npv"] == pytest.approx(6594 / (6594 + 58))
    assert found["flagged"] == pytest.approx(0.3348)


@given(SHARE, SHARE, SHARE)
def test_flagged_and_cleared_make_up_all_bleeds(sensitivity: float, specificity: float, prevalence: float) -> None:
    found = in_use(sensitivity, specificity, prevalence)
    assert found["ppv"] is not None
    assert found["npv"] is not None
    total = found["ppv"] * found["flagged"] + (1 - found["npv"]) * (1 - found["flagged"])
    assert total == pytest.approx(prevalence)


def test_a_point_that_flags_nobody_has_no_positive_predictive_value() -> None:
    assert in_use(0.0, 1.0, 0.058)["ppv"] is None
    assert in_use(1.0, 0.0, 0.058)["npv"] is None


def test_a_point_without_a_measured_specificity_states_nothing() -> None:
    measure = {"mean": None, "sd": None, "per_fold": [], "interval": [None, None]}
    point = {"sensitivity": {**measure, "pooled": 0.9}, "specificity": {**measure, "pooled": None}}
    assert points_in_use({"youden": point}, 0.058) == {}  # type: ignore[dict-item]  # spread out above


@pytest.mark.parametrize("share", [0.0, 1.0, 2.0, -0.1, float("nan")])
def test_what_is_no_prevalence_is_refused_in_words(share: float) -> None:
    with pytest.raises(ValueError, match=r"a share between 0 and 1, such as 0\.058"):
        checked_prevalence(share)
