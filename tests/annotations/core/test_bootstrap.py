"""Intervals over patients, and what is said where there is nothing to measure."""

from __future__ import annotations

import math

import numpy as np
import pytest

from annotations.core.bootstrap import ALL_ALIKE, ONE_PATIENT, TOO_FEW, Resamples, estimate, median, rate, wilson


def test_a_resample_draws_patients_and_not_studies() -> None:
    draws = Resamples(["a", "b", "a", "b"], resamples=50)
    sums = draws.sums(np.eye(4))
    assert sums[0].tolist() == [1, 1, 1, 1]
    assert (sums[:, 0] == sums[:, 2]).all()
    assert (sums[1:, 0] + sums[1:, 1] == 2).all()
    assert set(sums[1:, 0]) == {0, 1, 2}


def test_the_interval_is_that_of_a_plain_bootstrap_loop() -> None:
    rng = np.random.default_rng(3)
    patients, hits = rng.integers(40, size=200), rng.random(200) < 0.8
    found = rate(hits, np.ones(200, bool), Resamples(patients, seed=1))
    rows = [np.flatnonzero(patients == one) for one in np.unique(patients)]
    loop = [
        hits[np.concatenate([rows[i] for i in rng.integers(len(rows), size=len(rows))])].mean() for _ in range(2000)
    ]
    assert found.value == pytest.approx(hits.mean())
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(loop, [0.025, 0.975])), abs=0.015)


def test_the_median_of_each_resample_is_numpys_own() -> None:
    rng = np.random.default_rng(4)
    seconds, draws = rng.exponential(30, size=41), Resamples(rng.integers(12, size=41), resamples=700, seed=2)
    again = [np.median(np.repeat(seconds, row[draws.patient])) for row in draws.drawn]
    found = median(seconds, draws)
    assert found.value == pytest.approx(np.median(seconds))
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(again, [0.025, 0.975])))


def test_the_median_of_nothing_is_no_number() -> None:
    assert median(np.array([]), Resamples([])).why == TOO_FEW


def test_the_same_seed_gives_the_same_interval() -> None:
    first, second, other = (Resamples(range(30), seed=seed).drawn for seed in (1, 1, 2))
    assert (first == second).all()
    assert (first != other).any()


def test_too_few_reads_and_reads_all_alike_say_so_and_are_no_number() -> None:
    assert estimate(np.array([math.nan, math.nan]), 1).why == TOO_FEW
    assert estimate(np.array([math.nan, math.nan]), 9).why == ALL_ALIKE
    assert estimate(np.array([0.5]), 9).as_json() == {"value": 0.5, "interval": None, "n": 9, "why": ONE_PATIENT}


def test_all_hits_are_no_proof_of_perfection() -> None:
    found = rate(np.ones(20, bool), np.ones(20, bool), Resamples(range(20)))
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(0.8389, abs=1e-4)  # Wilson, 20 of 20
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
