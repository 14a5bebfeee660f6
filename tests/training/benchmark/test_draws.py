"""The paper's draws of patients."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.benchmark.cohort_frames import cohort_truth
from training.benchmark.draws import DRAWS, draw, exchanged
from training.phantom.neophantom import Cohort

TRUTH = cohort_truth(Cohort())


@pytest.mark.parametrize("number", range(DRAWS))
def test_a_draw_has_the_papers_sizes(number: int) -> None:
    drawn = draw(TRUTH.grade, TRUTH.groups, number=number)
    assert [len(part) for part in (drawn.train, drawn.validation, drawn.test)] == [1488, 319, 320]
    assert [int(TRUTH.y[part].sum()) for part in (drawn.train, drawn.validation, drawn.test)] == [86, 19, 19]


@given(number=st.integers(0, 1000))
def test_twins_are_never_parted(number: int) -> None:
    drawn = draw(TRUTH.grade, TRUTH.groups, number=number)
    parts = [set(TRUTH.groups[part].tolist()) for part in (drawn.train, drawn.validation, drawn.test)]
    assert sum(map(len, parts)) == len(set.union(*parts))


def test_draws_differ_and_come_again() -> None:
    first, again, other = (draw(TRUTH.grade, TRUTH.groups, number=number).test for number in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_labels_are_exchanged_in_the_fitting_part_alone() -> None:
    drawn = draw(TRUTH.grade, TRUTH.groups, number=0)
    noisy = exchanged(TRUTH.y, drawn.train, seed=0)
    changed = np.flatnonzero(noisy != TRUTH.y)
    assert (TRUTH.y[changed] == 1).sum() == (TRUTH.y[changed] == 0).sum() == 6
    assert set(changed) <= set(drawn.train)
