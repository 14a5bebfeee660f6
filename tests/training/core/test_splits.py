"""Folds never part a patient."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.core.splits import Leak, TooFewCases, assert_no_leak, fold_table, grouped_folds, linked_groups, shortfall


def _cohort(seed: int, patients: int, positive: int) -> tuple[np.ndarray, np.ndarray]:
    """Patients with one to four studies each; all studies of the first `positive` patients are positive."""
    visits = np.random.default_rng(seed).integers(1, 5, patients)
    groups = np.repeat([f"p{number}" for number in range(patients)], visits)
    return np.repeat((np.arange(patients) < positive).astype(np.int64), visits), groups


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 1000), st.integers(20, 60), st.integers(6, 14), st.integers(2, 5))
def test_no_patient_is_in_two_folds_and_every_fold_has_both_classes(
    seed: int, patients: int, positive: int, folds: int
) -> None:
    y, groups = _cohort(seed, patients, positive)
    assigned = grouped_folds(y, groups, folds=folds, seed=seed)
    assert all(len(set(assigned[groups == group])) == 1 for group in set(groups.tolist()))
    assert all(set(y[assigned == fold]) == {0, 1} for fold in range(folds))


def test_the_same_seed_draws_the_same_folds() -> None:
    y, groups = _cohort(1, 40, 12)
    assert np.array_equal(grouped_folds(y, groups, seed=5), grouped_folds(y, groups, seed=5))


def test_positives_are_spread_evenly() -> None:
    y, groups = np.repeat([1, 0], [50, 200]), np.array([f"p{number}" for number in range(250)])
    table = fold_table(grouped_folds(y, groups, folds=5, seed=0), y, groups)
    assert [row["positives"] for row in table] == [10] * 5
    assert sum(row["patients"] for row in table) == 250


def test_a_leak_names_who_leaks() -> None:
    with pytest.raises(Leak, match=r"p1, p7$"):
        assert_no_leak(np.array([0, 1, 0, 1, 2]), np.array(["p1", "p1", "p7", "p7", "p2"]))


def test_a_long_list_of_leaks_is_cut() -> None:
    groups = np.array([f"p{number}" for number in range(9)] * 2)
    with pytest.raises(Leak, match="and 4 more"):
        assert_no_leak(np.repeat([0, 1], 9), groups)


def test_too_few_positives_say_how_many_are_missing() -> None:
    y, groups = _cohort(0, 30, 3)
    with pytest.raises(TooFewCases, match="2 are missing"):
        grouped_folds(y, groups, folds=5)


def test_the_shortfall_counts_patients_not_studies() -> None:
    y, groups = np.array([1] * 12 + [0] * 20), np.array(["one"] * 12 + [f"n{number}" for number in range(20)])
    assert (shortfall(y, groups).positives, shortfall(y, groups).negatives) == (9, 0)


def test_twins_share_a_group() -> None:
    assert linked_groups(["a", "b", "c", "a"], ["t1", "t1", "", ""]) == ["twins:t1", "twins:t1", "c", "twins:t1"]
