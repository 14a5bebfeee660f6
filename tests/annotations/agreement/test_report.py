"""The agreement dashboard: which reads it counts, what it says of them, and to whom."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from annotations.agreement import ratings
from annotations.agreement import report as agreement_report
from annotations.core import agreement
from annotations.core.agreement import Question
from annotations.core.bootstrap import ONE_SIDED, TOO_FEW, Resamples
from annotations.core.coefficients import MISSING
from annotations.models import Blinding, Context, LabelQueue, QueueItem, Read, ReadRevision
from annotations.reads import lifecycle
from annotations.reads.lifecycle import Place
from studies.models import Study
from tests.accounts.people import client_of, person
from tests.annotations import factories

pytestmark = pytest.mark.django_db
# What two annotators and an adjudicator say of the right side of eight studies; the left has nothing.
FIRST, SECOND, DECIDED = (0, 0, 0, 1, 2, 3, 3, 0), (0, 0, 0, 2, 2, 3, 2, 0), (None, None, None, 1, None, None, 3, None)
URL = "/api/v1/agreement/"


def commit(study: Study, reader: User, grade: int, context: Context = Context.QUEUE, **facts: Any) -> ReadRevision:
    """A committed answer as the database holds it; the whole walk to it is tested elsewhere."""
    item = factories.item(study)
    place = {"study": study, "reader": reader, "context": context, "item": item}
    read, new = Read.objects.get_or_create(**place, defaults={"status": "committed", "opened_at": timezone.now()})
    whole = {
        "number": 1 if new else read.revisions.count() + 1, "schema": "papile-2", "definition": "positive-1",
        "findings": {"right": grade, "left": 0, "quality": "good", "phi": False, "cerebellar": "none"},
        "positive": grade > 0, "duration_ms": 20_000, "idempotency_key": "k", "committed_at": timezone.now(),
    }  # fmt: skip
    return ReadRevision.objects.create(read=read, **{**whole, **facts})


@pytest.fixture
def labelled(annotator: User, adjudicator: User) -> tuple[User, User]:
    """Eight studies of eight infants, each answered by two annotators, two of them decided."""
    other = person(Role.ANNOTATOR)
    for one, two, decided in zip(FIRST, SECOND, DECIDED, strict=True):
        factories.queue(study := factories.study())
        commit(study, annotator, one)
        commit(study, other, two)
        if decided is not None:
            commit(study, adjudicator, decided, Context.ADJUDICATION)
    return annotator, other


def told(user: User, url: str = URL, **query: Any) -> Any:
    return client_of(user).get(url, query).json()


def admin_question(name: str, **query: Any) -> Any:
    return told(person(Role.ADMIN), f"{URL}question/", question=name, **query)


def test_an_admin_sees_each_pair_with_its_confusion_matrix(labelled: tuple[User, User]) -> None:
    found = admin_question("worst")
    (pair,) = found["pairs"]
    assert {pair["a"], pair["b"]} == {user.display for user in labelled}
    assert pair["n"] == 8
    assert pair["observed"]["value"] == 0.75
    assert sum(map(sum, pair["matrix"])) == 8
    assert pair["weighted"]["value"] > pair["kappa"]["value"]
    assert pair["kappa"]["interval"][0] < pair["kappa"]["value"] < pair["kappa"]["interval"][1]


def test_a_question_on_which_all_say_the_same_has_words_and_no_number(labelled: tuple[User, User]) -> None:
    panel = next(one for one in told(person(Role.ADMIN))["questions"] if one["name"] == "left")["panel"]
    assert panel["fleiss"]["value"] is None
    assert panel["fleiss"]["why"].startswith("every read says the same")
    assert panel["ac1"]["value"] == 1


def test_kappa_says_nothing_where_one_side_always_says_the_same() -> None:
    question = Question("phi", "Parenchymal", ("no", "yes"))
    mixed, constant = np.array([0, 1, 0, 1, 0, 1]), np.ones(6, dtype=np.int64)
    (report,) = agreement.pair_reports([(mixed, constant)], question, Resamples(range(6)))
    assert (report["kappa"]["value"], report["kappa"]["why"]) == (None, ONE_SIDED)
    assert report["observed"]["value"] == 0.5


def test_fewer_studies_than_five_say_not_enough_reads(annotator: User) -> None:
    factories.queue(study := factories.study())
    commit(study, annotator, 2)
    panel = told(person(Role.ADMIN))["questions"][0]["panel"]
    assert {panel[name]["why"] for name in ("observed", "fleiss", "alpha", "ac1")} == {TOO_FEW}


def test_nothing_at_all_is_no_error() -> None:
    found = told(person(Role.ADMIN))
    assert (found["reads"], found["questions"], found["readers"]) == (0, [], [])
    question = admin_question("worst")
    assert (question["studies"], question["pairs"], question["adjudicated"]) == (0, [], [])


def test_the_first_commit_counts_and_not_what_was_said_after_seeing_others(labelled: tuple[User, User]) -> None:
    reader, _ = labelled
    study = Study.objects.order_by("pk")[0]
    commit(study, reader, 4, idempotency_key="later")
    loaded = ratings.load()
    assert loaded.table("right")[0].tolist() == [0, 0]
    assert loaded.repeats == []


def test_a_second_round_is_intra_reader_agreement_and_no_second_vote(labelled: tuple[User, User]) -> None:
    reader, _ = labelled
    study = Study.objects.order_by("pk")[3]
    again = factories.queue(study).items.get()
    place = Place(study, reader, Context.QUEUE, again)
    lifecycle.commit(place, lifecycle.Answer({"right": 2, "left": 0}, "", 0), lifecycle.Evidence("again"))
    (row,) = [row for row in admin_question("right")["repeats"] if row["reader"] == reader.display]
    assert (row["n"], row["matrix"][1][2]) == (1, 1)
    assert admin_question("right")["pairs"][0]["n"] == 8


def test_each_reader_is_held_against_the_adjudicated_answer(labelled: tuple[User, User]) -> None:
    rows = {row["reader"]: row for row in admin_question("right")["adjudicated"]}
    reader, other = (rows[user.display] for user in labelled)
    assert (reader["n"], other["n"]) == (2, 2)
    assert [reader["matrix"][at][at] for at in (1, 3)] == [1, 1]
    assert other["matrix"][2][1] == other["matrix"][2][3] == 1


def test_a_read_that_knew_the_ai_is_left_out_and_counted(annotator: User) -> None:
    factories.queue(study := factories.study())
    commit(study, annotator, 2)
    commit(study, person(Role.ANNOTATOR), 2, flag_seen="suspected")
    loaded = ratings.load()
    assert (len(loaded.first), loaded.unblinded) == (1, 1)


def _known(study: Study, *, trainee: bool = False, made_by: ReadRevision | None = None) -> None:
    """Make a study's item one whose answer is known: positive."""
    reads = [made_by.pk] if made_by else []
    QueueItem.objects.filter(study=study).update(gold={"positive": True, "findings": None, "reads": reads})
    LabelQueue.objects.filter(items__study=study).update(trainee=trainee)


def test_a_read_of_another_scheme_counts_where_its_answers_mean_the_same(labelled: tuple[User, User]) -> None:
    study = Study.objects.order_by("pk")[4]
    commit(study, person(Role.ANNOTATOR), 2, schema="volpe-1")
    loaded = ratings.load()
    last = loaded.first[-1].codes
    assert (last["right"], last["worst"]) == (MISSING, MISSING)
    assert (last["positive"], last["phi"], last["quality"]) == (1, 0, 0)


def test_older_wording_of_the_same_grades_counts_and_a_field_that_became_a_grade_does_not(annotator: User) -> None:
    factories.queue(study := factories.study())
    findings = {"right": 3, "left": 0, "pvl": True, "quality": "good"}
    commit(study, annotator, 3, schema="papile-1", findings=findings)
    codes = ratings.load().first[0].codes
    assert (codes["right"], codes["worst"], codes["pvl"]) == (3, 3, MISSING)


def test_known_answers_hit_are_counted_but_not_ones_own(annotator: User) -> None:
    for grade in (1, 1, 1, 1, 0, 1):
        factories.queue(study := factories.study())
        made = commit(study, annotator, grade)
        _known(study)
    _known(study, made_by=made)
    (reader,) = told(person(Role.ADMIN))["readers"]
    assert (reader["gold"]["value"], reader["gold"]["n"]) == (0.8, 5)


def test_a_trainee_is_held_against_known_answers_and_makes_no_pair(annotator: User) -> None:
    for _ in range(5):
        factories.queue(study := factories.study())
        commit(study, annotator, 1)
        _known(study, trainee=True)
    found = told(person(Role.ADMIN))
    assert (found["reads"], found["readers"]) == (0, [])
    assert found["trainees"][0]["gold"]["value"] == 1.0
    assert told(annotator)["trainee"]["gold"]["n"] == 5


def test_a_queue_that_is_blinded_until_it_is_closed_is_in_ones_own_figures_after_that(annotator: User) -> None:
    queue = factories.queue(study := factories.study())
    commit(study, annotator, 1)
    LabelQueue.objects.filter(pk=queue.pk).update(blinding=Blinding.CLOSED)
    assert agreement_report.own(annotator, None)["studies"] == 0
    LabelQueue.objects.filter(pk=queue.pk).update(active=False)
    assert agreement_report.own(annotator, None)["studies"] == 1


@pytest.mark.parametrize("role", [Role.ANNOTATOR, Role.ADJUDICATOR, Role.RADIOLOGIST])
def test_nobody_but_an_admin_hears_of_others(labelled: tuple[User, User], role: Role) -> None:
    answer = client_of(person(role)).get(URL)
    assert answer.json()["scope"] == "own"
    assert not any(user.display in answer.content.decode() for user in labelled)
    assert client_of(person(role)).get(f"{URL}question/", {"question": "worst"}).status_code == 403


def test_ones_own_figures_tell_no_cell_and_no_name(labelled: tuple[User, User]) -> None:
    reader, other = labelled
    found = told(reader)
    worst = next(one for one in found["questions"] if one["name"] == "worst")
    assert worst["others"]["observed"]["value"] == 0.75
    assert "matrix" not in worst["others"]
    assert other.display not in str(found)


def test_while_a_queue_goes_on_ones_own_figures_end_with_yesterday(annotator: User) -> None:
    studies = [factories.study() for _ in range(3)]
    factories.queue(*studies)
    for study in studies[:2]:
        commit(study, annotator, 1)
    assert agreement_report.own(annotator, None)["studies"] == 0
    commit(studies[2], annotator, 1)
    assert agreement_report.own(annotator, None)["studies"] == 3


def test_a_queue_of_others_does_not_exist(labelled: tuple[User, User]) -> None:
    theirs = factories.queue(factories.study(), readers=[person(Role.ANNOTATOR)])
    assert client_of(labelled[0]).get(URL, {"queue": theirs.pk}).status_code == 404
    assert client_of(person(Role.ADMIN)).get(URL, {"queue": theirs.pk}).json()["reads"] == 0


def test_an_unknown_question_names_those_that_there_are() -> None:
    answer = client_of(person(Role.ADMIN)).get(f"{URL}question/", {"question": "weight"})
    assert answer.status_code == 400
    assert "worst" in answer.json()["question"][0]


def test_the_figures_follow_the_next_commit(labelled: tuple[User, User]) -> None:
    admin = person(Role.ADMIN)
    assert told(admin)["reads"] == 16
    factories.queue(study := factories.study())
    commit(study, labelled[0], 1)
    assert told(admin)["reads"] == 17
