"""Before the commit a labeller of any role cannot tell whether others answered or the AI scored: not by what an answer
holds, nor by its size, nor by how much the server had to look up for it. After the commit others' answers are there."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from accounts.roles import Role
from annotations.models import Blinding, Context, LabelQueue, QueueItem
from annotations.reads.lifecycle import Place
from live.models import Event
from live.queries import heard_after
from studies.models import Study
from tests.accounts.people import client_of, person
from tests.annotations import factories

pytestmark = pytest.mark.django_db
ROLES = list(Role)


@pytest.fixture(params=ROLES)
def labeller(request: pytest.FixtureRequest) -> User:
    return person(request.param)


@pytest.fixture
def item(study: Study, labeller: User) -> QueueItem:
    """An item of a queue that asks for three readers, the labeller and two others among them."""
    factories.read(factories.study())
    others = [person(Role.ANNOTATOR, username=f"other-{number}") for number in range(2)]
    factories.queue(study, readers=[labeller, *others], readers_per_study=3)
    return factories.item(study)


def others_answer(item: QueueItem) -> None:
    for number, grade in enumerate((2, 3)):
        reader = User.objects.get(username=f"other-{number}")
        factories.commit_at(Place(item.study, reader, Context.QUEUE, item), {"left": grade})


def answers_to(user: User, item: QueueItem) -> dict[str, tuple[int, bytes, int]]:
    """What each address answers: status, body, and how many questions the database was asked."""
    where = f"context=queue&item={item.pk}"
    study = f"/api/v1/studies/{item.study.uid}/"
    urls = [
        "/api/v1/label-queue/", study, f"{study}reads/?{where}", f"{study}score/?{where}", f"{study}score/",
        f"{study}ahead/?{where}", f"{study}timeline/", f"/label/{item.pk}/", f"/adjudicate/{item.pk}/", "/adjudicate/",
        "/api/v1/labels/", f"{study}reads/?context=adjudication&item={item.pk}",
    ]  # fmt: skip
    client = client_of(user)
    client.get(urls[7])
    found = {}
    for url in urls:
        with transaction.atomic(), CaptureQueriesContext(connection) as asked:
            answer = client.get(url)
            transaction.set_rollback(True)
        found[url] = (answer.status_code, _lasting(answer), len(asked))
    return found


def _lasting(answer: Any) -> bytes:
    """The body without what differs from one request to the next."""
    text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"|"seq": \d+', "", answer.content.decode())
    return text.encode()


def test_nothing_tells_that_others_answered_or_that_the_ai_scored(labeller: User, item: QueueItem) -> None:
    before = answers_to(labeller, item)
    others_answer(item)
    factories.scored(item.study, probability=0.8765)
    after = answers_to(labeller, item)
    assert {url: after[url] for url in after if after[url] != before[url]} == {}


def test_after_the_commit_the_others_are_there(labeller: User, item: QueueItem) -> None:
    others_answer(item)
    factories.commit_at(Place(item.study, labeller, Context.QUEUE, item), {})
    url = f"/api/v1/studies/{item.study.uid}/reads/?context=queue&item={item.pk}"
    told = client_of(labeller).get(url).json()["others"]
    assert [other["revisions"][0]["findings"]["left"] for other in told] == [2, 3]


def test_in_a_queue_that_stays_blind_they_come_when_it_is_closed(labeller: User, item: QueueItem) -> None:
    LabelQueue.objects.update(blinding=Blinding.CLOSED)
    others_answer(item)
    factories.scored(item.study)
    factories.commit_at(Place(item.study, labeller, Context.QUEUE, item), {})
    client, study = client_of(labeller), f"/api/v1/studies/{item.study.uid}/"
    assert client.get(f"{study}reads/?context=queue&item={item.pk}").json()["others"] == []
    assert client.get(f"{study}score/").json() == {"state": "blinded"}
    assert client.get(f"{study}score/?context=queue").json() == {"state": "blinded"}


def test_the_events_of_others_answers_name_no_study(labeller: User, item: QueueItem) -> None:
    before = Event.objects.latest("seq").seq
    others_answer(item)
    heard = heard_after(labeller, before, upto=before + 100)
    assert {event.study_uid for event in heard} <= {""}
    assert Event.objects.filter(seq__gt=before).count() == 2


def test_an_admin_who_labels_finds_no_others_answers_in_djangos_admin(study: Study) -> None:
    admin, reader = person(Role.ADMIN), person(Role.ANNOTATOR)
    item = factories.queue(study, readers=[admin, reader]).items.get()
    revision = factories.commit_at(Place(study, reader, Context.QUEUE, item), {})
    url = f"/admin/annotations/readrevision/{revision.pk}/change/"
    assert client_of(admin).get(url).status_code == 302
    factories.commit_at(Place(study, admin, Context.QUEUE, item), {})
    assert client_of(admin).get(url).status_code == 200


def test_who_answered_themselves_does_not_adjudicate_and_others_do(labeller: User, item: QueueItem) -> None:
    others_answer(item)
    factories.commit_at(Place(item.study, labeller, Context.QUEUE, item), {})
    judge = person(Role.ADJUDICATOR)
    assert client_of(judge).get(f"/adjudicate/{item.pk}/").status_code == 200
    assert client_of(labeller).get(f"/adjudicate/{item.pk}/").status_code in (403, 404)


def test_who_has_yet_to_read_a_study_does_not_judge_it_in_another_queue(study: Study) -> None:
    judge = person(Role.ADJUDICATOR)
    readers = [person(Role.ANNOTATOR) for _ in range(2)]
    split = factories.queue(study, readers=readers).items.get()
    for reader, grade in zip(readers, (2, 3), strict=True):
        factories.commit_at(Place(study, reader, Context.QUEUE, split), {"left": grade})
    assert client_of(judge).get(f"/adjudicate/{split.pk}/").status_code == 200
    mine = factories.queue(study, readers=[judge], readers_per_study=1).items.get()
    assert client_of(judge).get(f"/adjudicate/{split.pk}/").status_code == 404
    factories.commit_at(Place(study, judge, Context.QUEUE, mine), {})
    assert client_of(judge).get(f"/adjudicate/{split.pk}/").status_code == 200
