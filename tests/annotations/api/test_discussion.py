"""Between the answers and the decision: side by side, a thread, unblinding on record; and what trainees are told."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import AuditEntry, User
from accounts.roles import Role
from annotations.adjudication import disputes
from annotations.consensus import rules
from annotations.models import Context, QueueItem, ReadRevision, Rule
from annotations.reads.lifecycle import Place
from live.models import Event
from studies.models import Study
from tests.accounts.people import client_of, person
from tests.annotations import factories
from tests.annotations.requests import Desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def item(study: Study) -> QueueItem:
    """Two answers that differ: II against III on the left."""
    readers = [person(Role.ANNOTATOR, username=name) for name in ("ann", "ben")]
    factories.queue(study, readers=readers)
    found = factories.item(study)
    for reader, grade in zip(readers, (2, 3), strict=True):
        factories.commit_at(Place(study, reader, Context.QUEUE, found), {"left": grade})
    return found


def url(item: QueueItem, what: str = "") -> str:
    return f"/api/v1/discussions/{item.pk}/{what}"


def say(user: User, item: QueueItem, text: str) -> Any:
    return client_of(user).post(url(item), {"text": text}, "application/json")


def by(name: str) -> User:
    return User.objects.get(username=name)


def test_the_answers_stand_side_by_side_differences_first(item: QueueItem, adjudicator: User) -> None:
    told = client_of(adjudicator).get(url(item)).json()
    first, *rest = told["rows"]
    assert (first["label"], first["values"], first["level"]) == ("Left grade", ["II", "III"], "high")
    assert not any(row["differs"] for row in rest)
    assert (told["rule"], told["settled"]) == ("clinical-1", False)


def test_a_remark_stands_under_a_number_and_the_others_hear_of_it(item: QueueItem, adjudicator: User) -> None:
    assert say(by("ann"), item, "Look at frame 3").status_code == 201
    (remark,) = client_of(adjudicator).get(url(item)).json()["remarks"]
    assert (remark["author"], remark["text"], remark["mine"]) == ("Reader 1", "Look at frame 3", False)
    assert set(Event.objects.filter(kind="remark").values_list("person_id", flat=True)) == {by("ben").pk}


def test_who_has_not_answered_yet_takes_no_part(item: QueueItem) -> None:
    late = person(Role.ANNOTATOR)
    item.queue.readers.add(late)
    item.queue.readers_per_study = 3
    item.queue.save()
    assert client_of(late).get(url(item)).status_code == 404
    assert say(by("ann"), item, "x").status_code == 404


def test_a_reader_hears_of_the_discussion_once_everybody_has_answered(item: QueueItem) -> None:
    desk = Desk(by("ann"), item.study, context="queue", item=item.pk)
    assert desk.reads()["discussed"] is True
    item.queue.readers_per_study = 3
    item.queue.save()
    assert desk.reads()["discussed"] is False


def test_unblinding_shows_names_and_ai_and_is_on_record(item: QueueItem, adjudicator: User) -> None:
    factories.scored(item.study, probability=0.8765)
    client = client_of(adjudicator)
    assert "0.8765" not in client.get(url(item)).content.decode()
    told = client.post(url(item, "unblind/"), {"reason": "poor pictures"}, "application/json").json()["unblinded"]
    assert (told["readers"], told["score"]["probability"]) == ([by("ann").display, by("ben").display], 0.8765)
    entry = AuditEntry.objects.get(action="adjudication.unblinded")
    assert (entry.user, entry.detail["reason"]) == (adjudicator, "poor pictures")


def test_the_read_of_who_unblinded_says_so(item: QueueItem, adjudicator: User) -> None:
    factories.scored(item.study)
    desk = Desk(adjudicator, item.study, context="adjudication", item=item.pk)
    client_of(adjudicator).post(url(item, "unblind/"), {"reason": "why not"}, "application/json")
    desk.commit({"left": 3})
    revision = ReadRevision.objects.get(read__context=Context.ADJUDICATION)
    assert (revision.flag_seen, revision.attention_seen) == ("suspected", True)
    assert desk.reads()["mine"]["unblinded"]["reason"] == "why not"


def test_who_did_not_unblind_saw_nothing(item: QueueItem, adjudicator: User) -> None:
    factories.scored(item.study)
    desk = Desk(adjudicator, item.study, context="adjudication", item=item.pk)
    desk.commit({"left": 3})
    revision = ReadRevision.objects.get(read__context=Context.ADJUDICATION)
    assert (revision.flag_seen, revision.attention_seen, desk.reads()["mine"]["unblinded"]) == ("", False, None)


def test_unblinding_needs_a_reason_and_the_right_to_decide(item: QueueItem, adjudicator: User) -> None:
    for user, reason, status in ((adjudicator, "", 400), (by("ann"), "x", 403)):
        answer = client_of(user).post(url(item, "unblind/"), {"reason": reason}, "application/json")
        assert answer.status_code == status


# ---------- consensus ----------

NEGATIVE: dict[str, Any] = {"right": 0, "left": 0}
ONE, TWO, THREE = ({**NEGATIVE, "left": grade} for grade in (1, 2, 3))
LIMITED = {**NEGATIVE, "quality": "limited"}
SETTLED = [
    (Rule.IDENTICAL, [TWO, TWO], True),
    (Rule.IDENTICAL, [NEGATIVE, LIMITED], False),
    (Rule.CLINICAL, [NEGATIVE, LIMITED], True),
    (Rule.CLINICAL, [TWO, THREE], False),
    (Rule.CLINICAL, [NEGATIVE, ONE], False),
    (Rule.VERDICT, [TWO, THREE], True),
    (Rule.VERDICT, [NEGATIVE, ONE], False),
    (Rule.MAJORITY, [NEGATIVE, NEGATIVE, THREE], True),
    (Rule.MAJORITY, [NEGATIVE, THREE], False),
]


@pytest.mark.parametrize(("rule", "said", "settled"), SETTLED)
def test_a_rule_says_what_needs_an_adjudicator(study: Study, rule: Rule, said: list[Any], settled: bool) -> None:
    queue = factories.queue(study, readers_per_study=len(said))
    queue.rule = rule
    queue.save()
    revisions = [factories.read(study, context=Context.QUEUE, **answer) for answer in said]
    assert rules.settled(rule, revisions) is settled
    assert bool(disputes.open_disputes(person(Role.ADJUDICATOR))) is not settled


def test_a_majority_makes_a_label_of_its_own_reads(study: Study) -> None:
    queue = factories.queue(study, readers_per_study=3)
    queue.rule = Rule.MAJORITY
    queue.save()
    reads = [factories.read(study, context=Context.QUEUE, **answer).pk for answer in (NEGATIVE, THREE, NEGATIVE)]
    (label,) = client_of(person(Role.ADMIN)).get("/api/v1/labels/").json()["results"]
    assert (label["positive"], label["reads"], label["consensus"]) == (False, [reads[0], reads[2]], "majority-1")


def test_a_label_can_be_sure_while_its_grade_waits_for_the_adjudicator(item: QueueItem) -> None:
    (label,) = client_of(person(Role.ADMIN)).get("/api/v1/labels/").json()["results"]
    assert (label["positive"], label["settled"], label["consensus"]) == (True, False, "clinical-1")


# ---------- trainees ----------


@pytest.fixture
def lesson(study: Study, annotator: User) -> Desk:
    """A trainee before a study whose answer is known: III left."""
    factories.read(study, left=3)
    body = {"name": "T", "source": "list", "uids": study.uid, "trainee": True, "readers": [annotator.username]}
    made = client_of(person(Role.ADMIN)).post("/api/v1/queues/", body, "application/json")
    assert made.status_code == 201
    return Desk(annotator, study, context="queue", item=factories.item(study).pk)


def test_a_trainee_is_told_at_once_where_the_answer_differs(lesson: Desk) -> None:
    assert lesson.reads()["feedback"] is None
    told = lesson.commit({"left": 2}).json()["feedback"]
    assert (told["right"], told["positive"]) == (True, True)
    assert [(each["label"], each["yours"], each["known"]) for each in told["differences"]] == [
        ("Left grade", "II", "III")
    ]
    assert lesson.reads()["feedback"] == told


def test_a_trainee_makes_no_label(lesson: Desk) -> None:
    lesson.commit()
    (label,) = client_of(person(Role.ADMIN)).get("/api/v1/labels/").json()["results"]
    assert (label["positive"], label["rule"]) == (True, "reading_room")


def test_outside_a_lesson_nobody_is_told(item: QueueItem) -> None:
    assert Desk(by("ann"), item.study, context="queue", item=item.pk).reads()["feedback"] is None
