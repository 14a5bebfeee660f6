"""When the next screening is due."""

from __future__ import annotations

import pytest

from studies.patients.screening import Examined, FollowUp, after_finding, schedule

GA_28 = 28 * 7
PROTOCOL = FollowUp(7, 10, "the ward's protocol")
BLEED = Examined(3, is_read=True, grade=2)
NEGATIVE = Examined(3, is_read=True)


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


@pytest.mark.parametrize("grade", [2, 3, 4])
def test_after_a_bleed_the_next_is_due_by_the_sites_protocol_and_its_source_is_stated(grade: int) -> None:
    plan = after_finding([Examined(3, is_read=True, grade=grade)], today=3, protocol=PROTOCOL)
    assert plan is not None
    assert plan.next is not None
    assert (plan.next.first, plan.next.last, plan.source) == (10, 13, "the ward's protocol")


@pytest.mark.parametrize("examined", [[], [NEGATIVE], [Examined(3, is_read=True, grade=1)], [Examined(3)]])
def test_without_a_bleed_the_screening_goes_on(examined: list[Examined]) -> None:
    assert after_finding(examined, today=3, protocol=PROTOCOL) is None


def test_a_later_negative_read_ends_the_follow_up() -> None:
    assert after_finding([BLEED, Examined(12, is_read=True)], today=12, protocol=PROTOCOL) is None


@pytest.mark.parametrize(
    ("examined", "protocol"),
    [
        ([BLEED], None),
        ([BLEED, Examined(9)], PROTOCOL),
        ([Examined(3, is_read=True, has_other_finding=True)], PROTOCOL),
    ],
    ids=["no protocol", "a later study is not read", "cysts"],
)
def test_where_nothing_follows_from_the_read_it_is_silent(examined: list[Examined], protocol: FollowUp | None) -> None:
    plan = after_finding(examined, today=9, protocol=protocol)
    assert plan is not None
    assert (plan.next, plan.missed, bool(plan.why)) == (None, (), True)


def test_a_follow_up_that_nobody_made_is_missed() -> None:
    plan = after_finding([BLEED], today=14, protocol=PROTOCOL)
    assert plan is not None
    assert (plan.next, [window.last for window in plan.missed]) == (None, [13])
