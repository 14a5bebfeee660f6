"""A hold-out takes linked patients whole, and a leak is named."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.core.holdout import HeldOut, assert_outside, draw_groups
from training.core.splits import Leak, TooFewCases


def test_it_takes_a_share_of_each_class() -> None:
    y = np.array([1] * 20 + [0] * 80)
    groups = np.array([f"patient:{number}" for number in range(100)])
    chosen = draw_groups(y, groups, share=0.15, seed=0)
    assert (len(chosen), sum(int(name.split(":")[1]) < 20 for name in chosen)) == (15, 3)


@given(labels=st.lists(st.booleans(), min_size=6, max_size=40), linked=st.integers(1, 4), seed=st.integers(0, 99))
def test_both_classes_are_inside_and_outside(labels: list[bool], linked: int, seed: int) -> None:
    y = np.array(labels, dtype=np.int64)
    groups = np.array([f"group:{number // linked}" for number in range(len(y))])
    positive = {str(group) for group, label in zip(groups, y, strict=True) if label}
    negative = set(groups.tolist()) - positive
    if min(len(positive), len(negative)) < 2:
        with pytest.raises(TooFewCases):
            draw_groups(y, groups, share=0.15, seed=seed)
        return
    chosen = set(draw_groups(y, groups, share=0.15, seed=seed))
    assert all(names & chosen and names - chosen for names in (positive, negative))


def test_a_leak_names_studies_and_patients() -> None:
    away = HeldOut(frozenset({"7"}), frozenset({"twins:T1"}))
    assert_outside(away, {"1.2.3": ("1", "patient:1")})
    with pytest.raises(Leak, match=r"study 1\.2\.4 of patient 7, study 1\.2\.5 of patient 9"):
        assert_outside(away, {"1.2.4": ("7", "patient:7"), "1.2.5": ("9", "twins:T1")})


def test_a_share_outside_of_0_to_1_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        draw_groups(np.array([0, 1]), np.array(["a", "b"]), share=1.0, seed=0)
