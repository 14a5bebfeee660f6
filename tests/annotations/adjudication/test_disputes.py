"""Where readers differ: what counts as a difference, what weighs most, and who decides."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from accounts.models import User
from accounts.roles import Role
from annotations.adjudication import disputes
from annotations.consensus import differences
from annotations.label_schema import schema
from annotations.models import Context
from live.models import Event
from studies.models import Study
from tests.accounts.people import client_of, person
from tests.annotations import factories
from tests.annotations.label_schema.test_schema import PAPILE, findings
from tests.annotations.requests import Desk


def said(**facts: Any) -> schema.Findings:
    return PAPILE.validate(facts)


def weight(a: dict[str, Any], b: dict[str, Any]) -> int:
    return differences.differences(said(**a), said(**b))[0].weight


@given(findings, findings)
def test_it_does_not_matter_who_read_first(a: dict[str, Any], b: dict[str, Any]) -> None:
    there, back = (differences.differences(said(**x), said(**y)) for x, y in ((a, b), (b, a)))
    assert there == back


@given(findings)
def test_nobody_differs_from_themselves(facts: dict[str, Any]) -> None:
    assert differences.differences(said(**facts), said(**facts)) == []


@given(findings, findings)
def test_every_difference_has_a_weight(a: dict[str, Any], b: dict[str, Any]) -> None:
    weights = [difference.weight for difference in differences.differences(said(**a), said(**b))]
    assert all(weights)
    assert weights == sorted(weights, reverse=True)


def test_two_against_three_weighs_most() -> None:
    most = weight({"left": 2}, {"left": 3})
    others = [
        ({"left": low}, {"left": high}) for low in range(5) for high in range(low + 1, 5) if (low, high) != (2, 3)
    ]
    signs: list[dict[str, Any]] = [{"phi": True}, {"cerebellar": "left"}, {"quality": "non_diagnostic"}]
    others += [({}, sign) for sign in signs]
    assert all(weight(a, b) < most for a, b in others)


def test_the_wrong_side_weighs_high() -> None:
    assert differences.level(weight({"right": 1, "left": 0}, {"right": 0, "left": 1})) == "high"


@pytest.mark.parametrize(
    ("a", "b", "level"),
    [
        ({"right": 0}, {"right": 1}, "low"),
        ({"right": 0}, {"right": 2}, "mid"),
        ({"pvl": 2}, {}, "mid"),
        ({"quality": "limited"}, {}, "low"),
        ({"left": 3}, {"left": 4}, "high"),
    ],
)
def test_levels(a: dict[str, Any], b: dict[str, Any], level: str) -> None:
    assert differences.level(weight(a, b)) == level


@pytest.fixture
def disputed(study: Study) -> Study:
    factories.queue(study)
    factories.read(study, context=Context.QUEUE, left=2)
    factories.read(study, context=Context.QUEUE, left=3)
    return study


def at_desk(user: User, study: Study) -> Desk:
    return Desk(user, study, context="adjudication", item=factories.item(study).pk)


@pytest.mark.django_db
def test_readers_who_agree_leave_nothing_to_decide(study: Study, adjudicator: User) -> None:
    factories.queue(study)
    for _ in range(2):
        factories.read(study, context=Context.QUEUE)
    assert disputes.open_disputes(adjudicator) == []


@pytest.mark.django_db
def test_the_weightiest_comes_first(disputed: Study, adjudicator: User) -> None:
    slight = factories.study()
    factories.queue(slight)
    factories.read(slight, context=Context.QUEUE)
    factories.read(slight, context=Context.QUEUE, right=1)
    order = [dispute.item.study for dispute in disputes.open_disputes(adjudicator)]
    assert order == [disputed, slight]


@pytest.mark.django_db
def test_the_page_shows_anonymous_reads_differences_first(disputed: Study, adjudicator: User) -> None:
    (item,) = client_of(adjudicator).get("/adjudicate/").context["items"]
    assert item["readers"] == ["Reader 1", "Reader 2"]
    assert (item["rows"][0]["label"], item["rows"][0]["values"]) == ("Left grade", ["II", "III"])
    assert (item["summary"], item["url"]) == ("1 difference, high weight", f"/adjudicate/{item['id']}/")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("role", "said"),
    [
        (Role.ADJUDICATOR, "one number, two infants"),
        (Role.ADMIN, "One number, two infants: South, Ben (this one) / North, Anna."),
    ],
)
def test_a_number_of_two_infants_names_them_to_nobody_who_may_not_know(disputed: Study, role: Role, said: str) -> None:
    patient = disputed.patient
    patient.name = "South^Ben"
    patient.save()
    factories.study(of=factories.patient(patient_id=patient.patient_id, ordinal=2, name="North^Anna"))
    (item,) = client_of(person(role)).get("/adjudicate/").context["items"]
    assert item["identity"] == said


@pytest.mark.django_db
def test_an_adjudicator_sees_the_answers_before_deciding_and_no_ai(disputed: Study, adjudicator: User) -> None:
    factories.scored(disputed)
    desk = at_desk(adjudicator, disputed)
    assert [read["reader"] for read in desk.reads()["others"]] == ["Reader 1", "Reader 2"]
    assert (desk.score(), desk.score(context="adjudication")) == ({"state": "blinded"}, {"state": "blinded"})


@pytest.mark.django_db
def test_a_decision_settles_it(disputed: Study, adjudicator: User) -> None:
    answer = at_desk(adjudicator, disputed).commit({"left": 3})
    assert (answer.status_code, answer.json()["next"]) == (201, None)
    assert disputes.open_disputes(adjudicator) == []
    assert Event.objects.filter(kind="read", audience="readers").count() == 0


@pytest.mark.django_db
def test_a_decision_leads_to_the_next(disputed: Study, adjudicator: User) -> None:
    other = factories.study()
    factories.queue(other)
    for grade in (0, 1):
        factories.read(other, context=Context.QUEUE, right=grade, left=0)
    answer = at_desk(adjudicator, disputed).commit({"left": 3}).json()
    assert answer["next"]["url"] == f"/adjudicate/{factories.item(other).pk}/"


@pytest.mark.django_db
def test_nobody_decides_about_their_own_read(study: Study) -> None:
    both = person(Role.ADJUDICATOR)
    factories.queue(study)
    factories.read(study, both, context=Context.QUEUE, left=2)
    factories.read(study, context=Context.QUEUE, left=3)
    assert disputes.open_disputes(both) == []
    assert at_desk(both, study).commit().status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("role", [Role.ANNOTATOR, Role.RADIOLOGIST])
def test_others_decide_nothing(disputed: Study, role: Role) -> None:
    assert at_desk(person(role), disputed).commit().status_code == 404


@pytest.mark.django_db
def test_an_adjudicator_sees_disputed_studies_only(disputed: Study, adjudicator: User) -> None:
    factories.study()
    client = client_of(adjudicator)
    assert client.get(f"/adjudicate/{factories.item(disputed).pk}/").context["page"]["mode"] == "adjudication"
    assert client.get("/adjudicate/999999/").status_code == 404


@pytest.mark.django_db
def test_an_admin_who_began_to_decide_is_blinded_to_it(disputed: Study) -> None:
    admin = person(Role.ADMIN)
    factories.scored(disputed)
    assert Desk(admin, disputed).score()["flag"] == "suspected"
    client_of(admin).get(f"/adjudicate/{factories.item(disputed).pk}/")
    assert Desk(admin, disputed).score() == {"state": "blinded"}
