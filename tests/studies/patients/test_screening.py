"""When the next screening is due."""

from __future__ import annotations

import pytest

from studies.patients.screening import schedule

GA_28 = 28 * 7


@pytest.mark.parametrize(
    ("examined", "today", "coming", "missed"),
    [
        ([], 3, "by day 7 to 10", []),
        ([2], 3, "at 4 to 6 weeks", []),
        ([2, 30], 31, "term-equivalent", []),
        ([2, 30, 70], 71, None, []),
        ([], 12, "at 4 to 6 weeks", ["by day 7 to 10"]),
        ([11], 12, "at 4 to 6 weeks", ["by day 7 to 10"]),
        ([], 200, None, ["by day 7 to 10", "at 4 to 6 weeks", "term-equivalent"]),
    ],
)
def test_the_next_screening_is_the_first_that_is_not_done(
    examined: list[int], today: int, coming: str | None, missed: list[str]
) -> None:
    plan = schedule(GA_28, examined=examined, today=today)
    assert (plan.next.name if plan.next else None) == coming
    assert [window.name for window in plan.missed] == missed


def test_term_equivalent_age_counts_from_the_gestational_age() -> None:
    last = schedule(GA_28, examined=[], today=0).windows[-1]
    assert (last.first, last.last) == (9 * 7, 14 * 7)


@pytest.mark.parametrize(("age", "applies"), [(30 * 7 + 6, True), (31 * 7, False), (None, False)])
def test_it_applies_to_thirty_weeks_or_less(age: int | None, applies: bool) -> None:
    plan = schedule(age, examined=[], today=1)
    assert (bool(plan.windows), bool(plan.why)) == (applies, not applies)


def test_without_a_birth_date_nothing_is_told() -> None:
    assert schedule(GA_28, examined=[], today=None).why
