"""Findings: what is taken, what is positive, what is said back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.label_schema import authoring, conditions, schema
from annotations.label_schema.schema import Definition, Schema

SHIPPED = schema.shipped()
PAPILE = Schema("papile-2", SHIPPED["papile-2"])
VOLPE = Schema("volpe-1", SHIPPED["volpe-1"])
FIRST = Schema("papile-1", SHIPPED["papile-1"])
ANY_BLEED = Definition("positive-1", SHIPPED["positive-1"])
CEREBELLAR = sorted(authoring.WORDS["cerebellar"])
QUALITIES = sorted(authoring.WORDS["quality"])

grades = st.one_of(st.none(), st.integers(0, 4))
findings = st.fixed_dictionaries(
    {
        "right": grades,
        "left": grades,
        "phi": st.booleans(),
        "cerebellar": st.sampled_from(CEREBELLAR),
        "other_ich": st.booleans(),
        "pvl": st.integers(0, 4),
        "phvd": st.booleans(),
        "quality": st.sampled_from(QUALITIES),
    }
)
json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*PAPILE.empty, "other"]), inner),
)


def said(**facts: Any) -> schema.Findings:
    return PAPILE.validate(facts)


def test_what_is_left_out_says_nothing() -> None:
    assert said() == PAPILE.empty


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
        taken = PAPILE.validate(value)
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
        ({"right": 0, "left": 0, "pvl": 3, "phvd": True}, False),
    ],
)
def test_positive(facts: dict[str, Any], expected: bool | None) -> None:
    assert ANY_BLEED.positive(said(**facts)) is expected


@given(findings, st.sampled_from(["right", "left"]))
def test_a_higher_grade_never_turns_a_positive_read_negative(facts: dict[str, Any], side: str) -> None:
    before = said(**facts)
    after = {**before, side: min((before[side] or 0) + 1, 4)}
    assert ANY_BLEED.positive(after) is True


def test_a_grade_on_one_side_says_that_the_other_has_none() -> None:
    assert PAPILE.complete({"right": 3}, ANY_BLEED)["left"] == 0


@pytest.mark.parametrize("facts", [{}, {"right": 0}, {"left": 0}, {"pvl": 2}])
def test_a_read_that_leaves_the_question_open_is_not_committed(facts: dict[str, Any]) -> None:
    with pytest.raises(schema.BadFindings, match="0"):
        PAPILE.complete(facts, ANY_BLEED)


def test_a_non_diagnostic_study_needs_no_grade() -> None:
    assert ANY_BLEED.positive(PAPILE.complete({"quality": "non_diagnostic"}, ANY_BLEED)) is None


@given(findings)
def test_what_is_committed_says_positive_or_negative_unless_nobody_could(facts: dict[str, Any]) -> None:
    try:
        whole = PAPILE.complete(facts, ANY_BLEED)
    except schema.BadFindings:
        return
    assert ANY_BLEED.positive(whole) is not None or whole["quality"] == "non_diagnostic"


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


@pytest.mark.parametrize("name", [name for name in SHIPPED if name != "papile-1" and "properties" in SHIPPED[name]])
def test_what_comes_with_us_is_what_an_admin_could_write(name: str) -> None:
    assert authoring.check(SHIPPED[name]) == {}
    assert authoring.whole(SHIPPED[name], name) == SHIPPED[name]


def test_volpe_has_no_grade_four() -> None:
    with pytest.raises(schema.BadFindings) as refused:
        VOLPE.validate({"right": 4})
    assert refused.value.messages["right"] == ["Right is one of null, 0, 1, 2, 3."]


def test_another_version_takes_what_fits_and_names_what_does_not() -> None:
    old = FIRST.validate({"right": 4, "left": 1, "phi": True, "pvl": True})
    carried, left = VOLPE.carry(old, FIRST)
    assert (carried["schema"], carried["right"], carried["left"], carried["phi"]) == ("volpe-1", None, 1, True)
    assert [(each.title, each.said) for each in left] == [("Right", "IV"), ("Cystic PVL", "yes")]


@given(findings)
def test_nothing_that_was_said_vanishes_between_versions(facts: dict[str, Any]) -> None:
    old = PAPILE.validate(facts)
    carried, left = VOLPE.carry(old, PAPILE)
    gone = {field for field in old if field != "schema" and carried[field] != old[field]}
    assert gone == {each.field for each in left}


@pytest.mark.parametrize(
    ("facts", "asked"),
    [
        ({"right": 0, "left": 0}, ""),
        ({"right": 0, "left": 0, "phi": True}, "no side has a grade"),
        ({"right": 4, "left": 0}, "no parenchymal haemorrhage is marked"),
        ({"right": 0, "left": 0, "quality": "non_diagnostic"}, "called non-diagnostic"),
    ],
)
def test_what_does_not_go_together_is_asked_about(facts: dict[str, Any], asked: str) -> None:
    assert asked in " ".join(PAPILE.questions(said(**facts)))
    assert bool(PAPILE.questions(said(**facts))) == bool(asked)


OWN = {"title": "Shunt", "type": "boolean", "default": False, "x-key": "a"}


def edited(**fields: Any) -> dict[str, Any]:
    """Papile with these fields; None takes one away."""
    properties = {**SHIPPED["papile-2"]["properties"], **fields}
    return {**SHIPPED["papile-2"], "properties": {f: rule for f, rule in properties.items() if rule is not None}}


def test_a_sites_own_field_is_taken() -> None:
    own = Schema("papile-3", authoring.whole(edited(shunt=OWN), "papile-3"))
    assert authoring.check(own.document) == {}
    assert own.validate({"shunt": True})["shunt"] is True


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"quality": None}, "properties.quality"),
        ({"right": {"title": "Right", "type": "integer", "default": 0}}, "properties.right"),
        ({"shunt": {**OWN, "x-key": "g"}}, "properties.shunt"),
        ({"shunt": {**OWN, "pattern": "(a+)+$"}}, "properties.shunt"),
        ({"shunt": {**OWN, "default": 1}}, "properties.shunt"),
        ({"Shunt": OWN}, "properties.Shunt"),
        ({"shunt": {**OWN, "x-when": {"field": "nothing", "is": [1]}}}, "properties.shunt"),
        ({"shunt": {"title": "Shunt", "type": "string", "default": ""}}, "properties.shunt"),
    ],
)
def test_a_slip_in_a_version_is_named(fields: dict[str, Any], part: str) -> None:
    assert list(authoring.check(edited(**fields))) == [part]


@given(json)
def test_whatever_is_written_as_a_version_is_judged(value: Any) -> None:
    for document in (value, {**SHIPPED["papile-2"], "properties": value}, {**SHIPPED["papile-2"], "x-asks": value}):
        assert isinstance(authoring.check(document), dict)
    assert authoring.check_definition({"title": "x", "any": value}, PAPILE)


def test_another_definition_of_positive_is_data() -> None:
    severe = Definition("severe-1", {"title": "III or more", "any": [{"field": "right", "at_least": 3}]})
    assert [severe.positive(said(right=grade)) for grade in (None, 0, 2, 3)] == [None, False, False, True]


def test_true_is_not_one() -> None:
    assert not conditions.holds({"field": "pvl", "is": [1]}, {"pvl": True})
