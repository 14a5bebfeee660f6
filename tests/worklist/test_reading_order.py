"""The reading order, example by example and as invariants."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worklist.reading_order import Policy, Waiting, band, order

MINUTE, HOUR = 60.0, 3600.0
POLICY = Policy(cap_seconds=4 * HOUR, near_seconds=30 * MINUTE)

flags = st.one_of(
    st.just((None, None)),
    st.just(("not_analysed", None)),
    st.tuples(st.sampled_from(["suspected", "not_suspected"]), st.floats(0, 1)),
)


@st.composite
def waiting(draw: st.DrawFn) -> Waiting:
    flag, probability = draw(flags)
    return Waiting(
        key=draw(st.integers(1, 10**6)),
        priority=draw(st.sampled_from(["stat", "urgent", "routine"])),
        waited_seconds=draw(st.floats(0, 5 * HOUR)),
        flag=flag,
        probability=probability,
    )


lists = st.lists(waiting(), max_size=25, unique_by=lambda study: study.key)
policies = st.builds(Policy, cap_seconds=st.just(4 * HOUR), near_seconds=st.just(30 * MINUTE), ai=st.booleans())


def routine(key: int, minutes: float, flag: str | None = None, probability: float | None = None) -> Waiting:
    return Waiting(key, "routine", minutes * MINUTE, flag, probability)


def keys(*studies: Waiting, ai: bool = True) -> list[int]:
    return [study.key for study in order(studies, replace(POLICY, ai=ai))]


def test_clinical_priority_comes_before_the_flag() -> None:
    stat = Waiting(1, "stat", 0, "not_suspected", 0.01)
    urgent = Waiting(2, "urgent", 0, "not_suspected", 0.01)
    assert keys(routine(3, 100, "suspected", 0.99), urgent, stat) == [1, 2, 3]


def test_the_suspected_go_by_probability() -> None:
    assert keys(routine(1, 60, "suspected", 0.3), routine(2, 1, "suspected", 0.9)) == [2, 1]


def test_the_unscored_and_the_not_analysed_wait_together_before_the_not_suspected() -> None:
    studies = [routine(1, 200, "not_suspected", 0.01), routine(2, 10), routine(3, 20, "not_analysed")]
    assert keys(*studies) == [3, 2, 1]


def test_the_not_suspected_go_by_longest_wait() -> None:
    assert keys(routine(1, 5, "not_suspected", 0.2), routine(2, 50, "not_suspected", 0.01)) == [2, 1]


def test_a_study_near_the_cap_goes_before_a_suspected_one() -> None:
    assert keys(routine(1, 5, "suspected", 0.99), routine(2, 211, "not_suspected", 0.01)) == [2, 1]


def test_without_the_ai_the_longest_wait_goes_first() -> None:
    studies = [routine(1, 5, "suspected", 0.99), routine(2, 50, "not_suspected", 0.01), routine(3, 20)]
    assert keys(*studies, ai=False) == [2, 3, 1]


@pytest.mark.parametrize(
    ("study", "expected"),
    [
        (Waiting(1, "stat", 0, "suspected", 0.9), "priority"),
        (Waiting(1, "urgent", 5 * HOUR), "priority"),
        (routine(1, 235), "near_limit"),
        (routine(1, 1, "suspected", 0.9), "suspected"),
        (routine(1, 1, "not_analysed"), "unscored"),
        (routine(1, 1), "unscored"),
        (routine(1, 1, "not_suspected", 0.1), "not_suspected"),
    ],
)
def test_each_study_has_its_band(study: Waiting, expected: str) -> None:
    assert band(study, POLICY) == expected


@given(lists, policies)
def test_nothing_is_hidden(studies: list[Waiting], policy: Policy) -> None:
    assert sorted(study.key for study in order(studies, policy)) == sorted(study.key for study in studies)


@given(lists, st.randoms(use_true_random=False), policies)
def test_the_order_does_not_depend_on_where_it_started(studies: list[Waiting], random: object, policy: Policy) -> None:
    shuffled = list(studies)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert order(shuffled, policy) == order(studies, policy)


@given(lists, waiting(), st.floats(0, 1))
def test_a_suspected_score_never_moves_a_study_down(studies: list[Waiting], study: Waiting, probability: float) -> None:
    before = replace(study, key=0, flag=None, probability=None)
    after = replace(before, flag="suspected", probability=probability)
    others = [*studies]
    place = order([*others, after], POLICY).index(after)
    assert place <= order([*others, before], POLICY).index(before)


@given(lists, waiting(), st.floats(0, 1), st.floats(0, 1))
def test_more_suspicion_never_moves_a_study_down(studies: list[Waiting], study: Waiting, a: float, b: float) -> None:
    less = replace(study, key=0, flag="suspected", probability=min(a, b))
    more = replace(less, probability=max(a, b))
    assert order([*studies, more], POLICY).index(more) <= order([*studies, less], POLICY).index(less)


@given(lists, policies)
def test_nothing_near_the_cap_waits_behind_a_study_of_its_priority_that_is_not(
    studies: list[Waiting], policy: Policy
) -> None:
    near = [
        (study.priority, study.waited_seconds >= policy.cap_seconds - policy.near_seconds)
        for study in order(studies, policy)
    ]
    for priority in ("stat", "urgent", "routine"):
        own = [is_near for name, is_near in near if name == priority]
        assert own == sorted(own, reverse=True)


@given(lists, waiting(), st.floats(0, 5 * HOUR))
def test_waiting_longer_never_moves_a_study_down(studies: list[Waiting], study: Waiting, more: float) -> None:
    early = replace(study, key=0)
    late = replace(early, waited_seconds=early.waited_seconds + more)
    assert order([*studies, late], POLICY).index(late) <= order([*studies, early], POLICY).index(early)


@given(lists)
def test_without_the_ai_its_answers_change_nothing(studies: list[Waiting]) -> None:
    policy = replace(POLICY, ai=False)
    bare = [replace(study, flag=None, probability=None) for study in studies]
    assert [s.key for s in order(studies, policy)] == [s.key for s in order(bare, policy)]
