"""Findings: what is taken, what is positive, what is said back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations import schema

grades = st.one_of(st.none(), st.integers(0, 4))
findings = st.fixed_dictionaries(
    {
        "right": grades,
        "left": grades,
        "phi": st.booleans(),
        "cerebellar": st.sampled_from(schema.CEREBELLAR),
        "other_ich": st.booleans(),
        "pvl": st.booleans(),
        "phvd": st.booleans(),
        "quality": st.sampled_from(schema.QUALITIES),
    }
)
json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*schema.EMPTY, "other"]), inner),
)


def said(**facts: Any) -> schema.Findings:
    return schema.validate(facts)


def test_what_is_left_out_says_nothing() -> None:
    assert said() == schema.EMPTY


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("right", 5),
        ("left", -1),
        ("left", True),
        ("right", "3"),
        ("phi", 1),
        ("cerebellar", "middle"),
        ("quality", None),
        ("schema", "papile-0"),
        ("keyframes", [{"sop_uid": "1.2", "frame": 0}]),
        ("keyframes", [{"sop_uid": "1.2"}]),
        ("keyframes", [{"sop_uid": "1.2", "frame": 1}] * 101),
        ("grade", 3),
    ],
)
def test_a_wrong_value_is_named(field: str, value: Any) -> None:
    with pytest.raises(schema.BadFindings) as refused:
        said(**{field: value})
    assert list(refused.value.messages) == [field]


@given(json)
def test_whatever_is_sent_is_taken_or_refused(value: Any) -> None:
    try:
        taken = schema.validate(value)
    except schema.BadFindings as refused:
        taken = dict(refused.messages)
    assert taken


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, None),
        ({"right": 0, "left": 0}, False),
        ({"right": 0}, None),
        ({"right": 1}, True),
        ({"left": 4, "right": 0}, True),
        ({"phi": True}, True),
        ({"cerebellar": "both"}, True),
        ({"other_ich": True}, True),
        ({"right": 0, "left": 0, "cerebellar": "not_assessed"}, False),
        ({"right": 0, "left": 0, "pvl": True, "phvd": True}, False),
    ],
)
def test_positive(facts: dict[str, Any], expected: bool | None) -> None:
    assert schema.positive(said(**facts)) is expected


@given(findings, st.sampled_from(["right", "left"]))
def test_a_higher_grade_never_turns_a_positive_read_negative(facts: dict[str, Any], side: str) -> None:
    before = said(**facts)
    after = {**before, side: min((before[side] or 0) + 1, 4)}
    assert schema.positive(after) is True


def test_a_grade_on_one_side_says_that_the_other_has_none() -> None:
    assert schema.complete({"right": 3})["left"] == 0


@pytest.mark.parametrize("facts", [{}, {"right": 0}, {"left": 0}, {"pvl": True}])
def test_a_read_that_leaves_the_question_open_is_not_committed(facts: dict[str, Any]) -> None:
    with pytest.raises(schema.BadFindings, match="0"):
        schema.complete(facts)


def test_a_non_diagnostic_study_needs_no_grade() -> None:
    assert schema.positive(schema.complete({"quality": "non_diagnostic"})) is None


@given(findings)
def test_what_is_committed_says_positive_or_negative_unless_nobody_could(facts: dict[str, Any]) -> None:
    try:
        whole = schema.complete(facts)
    except schema.BadFindings:
        return
    assert schema.positive(whole) is not None or whole["quality"] == "non_diagnostic"


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"right": 0, "left": 0}, "none"),
        ({"right": 0, "left": 3}, "III left"),
        ({"right": 2, "left": 0}, "II right"),
        ({"right": 2, "left": 2}, "II bilat."),
        ({"right": 3, "left": 1}, "III right, I left"),
        ({"quality": "non_diagnostic"}, "not said"),
        ({"phi": True}, "haemorrhage"),
    ],
)
def test_the_summary_says_the_grade(facts: dict[str, Any], expected: str) -> None:
    assert schema.summary(said(**facts)) == expected
