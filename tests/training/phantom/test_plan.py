"""Who is examined: shares, families, dates."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.phantom.plan import GRADE_MIX, Plan, plan

DAY = date(2026, 1, 15)


def cohort(count: int, *, seed: int = 4, fraction: float = 0.058) -> list[Plan]:
    return [plan(seed=seed, index=i, positive_fraction=fraction, reference_date=DAY) for i in range(count)]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31), fraction=st.sampled_from([0.0, 0.058, 0.3, 1.0]))
def test_positives_come_in_the_asked_share(seed: int, fraction: float) -> None:
    positive = sum(one.positive for one in cohort(200, seed=seed, fraction=fraction))
    assert positive == pytest.approx(200 * fraction, abs=5)


def test_worst_grades_follow_the_mix() -> None:
    firsts = {one.patient_id: one for one in cohort(2400, fraction=1.0)}
    grades = Counter(max(one.grade_right, one.grade_left) for one in firsts.values())
    for grade, share in enumerate(GRADE_MIX, start=1):
        assert grades[grade] / len(firsts) == pytest.approx(share, abs=0.05)


def test_infarction_is_grade_four_and_nothing_else() -> None:
    assert all(one.phi == (4 in (one.grade_right, one.grade_left)) for one in cohort(300, fraction=1.0))


def test_about_one_patient_in_seven_is_scanned_again() -> None:
    scans = Counter(one.patient_id for one in cohort(3000))
    assert sum(n > 1 for n in scans.values()) / len(scans) == pytest.approx(0.15, abs=0.04)


def test_scans_of_a_patient_agree_on_the_person_and_go_forwards() -> None:
    scans: dict[str, list[Plan]] = defaultdict(list)
    for one in cohort(400):
        scans[one.patient_id].append(one)
    for mine in scans.values():
        assert len({(one.patient_name, one.birth_date, one.sex, one.birth_weight_g) for one in mine}) == 1
        assert [one.scanned_at for one in mine] == sorted(one.scanned_at for one in mine)


def test_twins_share_birth_and_group_but_not_name() -> None:
    pairs: dict[str, dict[str, Plan]] = defaultdict(dict)
    for one in cohort(400):
        if one.twin_group:
            pairs[one.twin_group][one.patient_id] = one
    assert pairs
    for pair in pairs.values():
        first, second = pair.values()
        assert (first.birth_date, first.gestational_age_weeks) == (second.birth_date, second.gestational_age_weeks)
        assert first.patient_name.split("^")[0] == second.patient_name.split("^")[0]
        assert first.patient_name != second.patient_name


def test_dates_and_sizes_are_plausible() -> None:
    for one in cohort(400):
        assert one.birth_date < one.scanned_at.date() <= DAY
        assert DAY - one.birth_date < timedelta(days=60)
        assert 23 <= one.gestational_age_weeks <= 37
        assert 420 <= one.birth_weight_g <= 3600
        assert one.patient_name.startswith("Phantom")


def test_a_share_outside_nought_to_one_is_refused() -> None:
    with pytest.raises(ValueError, match="positive_fraction"):
        plan(seed=1, index=0, positive_fraction=1.2, reference_date=DAY)
