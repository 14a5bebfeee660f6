"""The WebSocket of the event log, over the real application and a real database."""

from __future__ import annotations

from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.contrib.sessions.models import Session
from django.db import transaction

from accounts.models import User
from accounts.roles import Role
from config.asgi import application
from live import consumers
from live import publish as live_publish
from live.models import Audience, Event
from live.payloads import EventKind
from live.tail import tail
from tests.accounts.people import client_of, person
from tests.live.socket import Socket

pytestmark = pytest.mark.django_db(transaction=True)


def _cookie(user: User) -> bytes:
    return f"sessionid={client_of(user).cookies['sessionid'].value}".encode()


def _publish(kind: EventKind = "score", **facts: Any) -> Event:
    with transaction.atomic():
        live_publish.publish(kind, audience=facts.pop("audience", Audience.READERS), **facts)
    return Event.objects.latest("seq")


publish = database_sync_to_async(_publish)


async def _open(user: User | None, *, after: int | None = None, origin: bytes = b"http://testserver") -> Socket:
    headers = [(b"host", b"testserver"), (b"origin", origin)]
    if user is not None:
        headers.append((b"cookie", await database_sync_to_async(_cookie)(user)))
    path = "/ws/events/" + (f"?after={after}" if after is not None else "")
    return Socket(application, path, headers)


async def _connected(user: User, *, after: int | None = None) -> Socket:
    socket = await _open(user, after=after)
    connected, _ = await socket.connect()
    assert connected
    return socket


@pytest.fixture
def reader() -> User:
    return person(Role.RADIOLOGIST)


@pytest.fixture
def annotator() -> User:
    return person(Role.ANNOTATOR)


async def test_nobody_listens_without_signing_in() -> None:
    socket = await _open(None)
    connected, code = await socket.connect()
    assert (connected, code) == (False, consumers.SIGNED_OUT)


async def test_another_sites_page_cannot_listen(reader: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application.application_mapping["websocket"], "allowed_origins", ["testserver"])
    socket = await _open(reader, origin=b"http://elsewhere.example")
    connected, _ = await socket.connect()
    assert not connected


async def test_hello_tells_where_the_log_stands(reader: User) -> None:
    event = await publish()
    socket = await _connected(reader)
    assert await socket.hear() == {"type": "hello", "seq": event.seq}
    await socket.close()


async def test_an_event_arrives_with_identifiers_only(reader: User) -> None:
    socket = await _connected(reader)
    await socket.hear()
    event = await publish(study_uid="1.2.3")
    message = await socket.hear(timeout=2)
    assert message == {"seq": event.seq, "kind": "score", "study_uid": "1.2.3", "at": event.at.isoformat()}
    await socket.close()


async def test_an_annotator_hears_nothing_of_the_worklist(annotator: User) -> None:
    socket = await _connected(annotator)
    await socket.hear()
    await publish(study_uid="1.2.3")
    await publish("run", audience=Audience.ADMINS, run_id=4)
    heard = await publish("model", audience=Audience.EVERYONE)
    assert (await socket.hear(timeout=2))["seq"] == heard.seq
    await socket.close()


async def test_what_is_for_one_person_reaches_only_that_one(reader: User, annotator: User) -> None:
    one, other = await _connected(annotator), await _connected(reader)
    await one.hear()
    await other.hear()
    event = await publish("read", audience=Audience.PERSON, person_id=annotator.pk)
    assert (await one.hear(timeout=2))["seq"] == event.seq
    assert await other.quiet(0.5)
    await one.close()
    await other.close()


async def test_a_page_that_comes_back_receives_what_it_missed(reader: User) -> None:
    first = await publish(study_uid="1.1")
    missed = [await publish(study_uid="1.2"), await publish(study_uid="1.3")]
    await publish("run", audience=Audience.ADMINS, run_id=1)
    socket = await _connected(reader, after=first.seq)
    await socket.hear()
    assert [(await socket.hear())["seq"] for _ in missed] == [event.seq for event in missed]
    assert await socket.quiet(0.4)
    await socket.close()


async def test_missed_events_come_in_pages_without_a_hole(reader: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("live.queries.PAGE", 2)
    sent = [(await publish(study_uid=f"1.{n}")).seq for n in range(5)]
    socket = await _connected(reader, after=sent[0] - 1)
    await socket.hear()
    assert [(await socket.hear())["seq"] for _ in sent] == sent
    await socket.close()


async def test_a_position_of_another_log_means_nothing(reader: User) -> None:
    await publish()
    socket = await _connected(reader, after=10**9)
    await socket.hear()
    event = await publish()
    assert (await socket.hear(timeout=2))["seq"] == event.seq
    await socket.close()


async def test_polling_alone_is_enough(reader: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_publish, "get_channel_layer", lambda: None)
    monkeypatch.setattr("live.tail.get_channel_layer", lambda: None)
    socket = await _connected(reader)
    await socket.hear()
    event = await publish()
    assert (await socket.hear(timeout=1))["seq"] == event.seq
    await socket.close()


async def test_the_socket_ends_with_the_session(reader: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "SESSION_CHECK_SECONDS", 0.05)
    socket = await _connected(reader)
    await socket.hear()
    await database_sync_to_async(Session.objects.all().delete)()
    assert await socket.closing_code() == consumers.SIGNED_OUT


async def test_a_changed_role_is_heard_from_then_on(reader: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "SESSION_CHECK_SECONDS", 0.05)
    socket = await _connected(reader)
    await socket.hear()
    await database_sync_to_async(User.objects.filter(pk=reader.pk).update)(role=Role.ANNOTATOR)
    assert await socket.quiet(0.3)
    await publish(study_uid="1.2")
    assert await socket.quiet(0.5)
    await socket.close()


async def test_a_page_that_cannot_keep_up_is_closed(reader: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "WAITING_EVENTS", 1)
    socket = await _connected(reader)
    await socket.hear()
    for listener in tuple(tail()._listeners):
        for _ in range(3):
            listener([Event(seq=1, kind="score", audience=Audience.ADMINS)])
    assert await socket.closing_code() == consumers.TOO_SLOW


async def test_the_tail_stops_when_nobody_listens(reader: User) -> None:
    socket = await _connected(reader)
    await socket.hear()
    await socket.close()
    assert tail()._tasks == []
