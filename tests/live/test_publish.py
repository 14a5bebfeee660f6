"""Publishing an event while the channel layer stalls or is gone."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from live import publish
from live.models import Audience, Event

pytestmark = pytest.mark.django_db(transaction=True)
SPARE_SECONDS = 0.5
"""What the commit itself and a busy machine take."""


def layer_at(port: int) -> dict[str, Any]:
    hosts = {"hosts": [f"redis://127.0.0.1:{port}/1"]}
    return {"default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": hosts}}


@pytest.fixture
def stalled(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A layer that takes connections and never says a word. Another goes first, so that no import is measured."""
    monkeypatch.setattr(publish, "_silent_until", 0.0)
    settings.CHANNEL_LAYERS = layer_at(1)
    commit()
    monkeypatch.setattr(publish, "_silent_until", 0.0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.CHANNEL_LAYERS = layer_at(server.getsockname()[1])
        yield


def commit() -> float:
    """Publish one event; the seconds until its commit returned."""
    began = time.monotonic()
    with transaction.atomic():
        publish.publish("study", audience=Audience.READERS, study_uid="1.2.3")
    return time.monotonic() - began


def test_a_layer_that_stalls_holds_a_commit_up_for_a_fifth_of_a_second(stalled: None) -> None:
    assert publish.ANNOUNCE_SECONDS * 0.9 < commit() < publish.ANNOUNCE_SECONDS + SPARE_SECONDS


def test_after_a_failure_no_announcement_is_tried_for_a_while(stalled: None) -> None:
    commit()
    assert sum(commit() for _ in range(20)) < 20 * publish.ANNOUNCE_SECONDS / 2


def test_the_event_is_written_although_nobody_could_be_told(stalled: None) -> None:
    before = Event.objects.count()
    commit()
    assert Event.objects.count() == before + 1


def test_after_the_silence_announcements_are_tried_again(stalled: None, monkeypatch: pytest.MonkeyPatch) -> None:
    commit()
    monkeypatch.setattr(publish, "_silent_until", time.monotonic())
    assert commit() > publish.ANNOUNCE_SECONDS * 0.9
