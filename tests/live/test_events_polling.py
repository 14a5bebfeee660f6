"""The polling fallback."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from accounts.roles import Role
from live import publish, queries
from live.models import Audience, Event
from tests.accounts.people import client_of, person

pytestmark = pytest.mark.django_db


def _publish(**facts: Any) -> int:
    with transaction.atomic():
        publish.publish("score", audience=facts.pop("audience", Audience.READERS), **facts)
    return Event.objects.latest("seq").seq


def test_nobody_polls_without_signing_in() -> None:
    assert client_of(None).get("/api/v1/events/").status_code == 401


def test_without_a_position_it_says_where_the_log_stands() -> None:
    seq = _publish()
    assert client_of(person()).get("/api/v1/events/").json() == {"seq": seq, "events": []}


def test_a_reader_polls_what_readers_hear() -> None:
    start, seq = _publish(), _publish(study_uid="1.2")
    answer = client_of(person()).get(f"/api/v1/events/?after={start}").json()
    assert [event["study_uid"] for event in answer["events"]] == ["1.2"]
    assert answer["seq"] == seq


def test_an_annotator_polls_nothing_of_the_worklist() -> None:
    seq = _publish(study_uid="1.2")
    answer = client_of(person(Role.ANNOTATOR)).get("/api/v1/events/?after=0").json()
    assert answer == {"seq": seq, "events": []}


def test_a_full_page_says_where_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "PAGE", 2)
    monkeypatch.setattr("live.views.PAGE", 2)
    seqs = [_publish() for _ in range(3)]
    answer = client_of(person()).get("/api/v1/events/?after=0").json()
    assert answer["seq"] == seqs[1]


@pytest.mark.parametrize("after", ["-1", "x", "9" * 30])
def test_a_strange_position_is_refused(after: str) -> None:
    assert client_of(person()).get(f"/api/v1/events/?after={after}").status_code == 400


def test_an_event_is_published_only_inside_a_transaction(transactional_db: None) -> None:
    with pytest.raises(transaction.TransactionManagementError):
        publish.publish("score", audience=Audience.READERS)


def test_an_event_of_a_change_that_failed_never_existed() -> None:
    def fails() -> None:
        with transaction.atomic():
            publish.publish("score", audience=Audience.READERS)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert not Event.objects.exists()
