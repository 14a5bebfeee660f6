from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from live.models import Event
from studies import revisions
from studies.ingest.results import IngestResult
from studies.models import Clip, Study, StudyRevision
from tests.studies.dicoms import clip

Take = Callable[..., IngestResult]
LATER = timedelta(minutes=2)


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> list[StudyRevision]:
    """Revisions that a callback was told of."""
    heard: list[StudyRevision] = []
    monkeypatch.setattr(revisions, "_callbacks", [])
    revisions.on_revision_closed(heard.append)
    return heard


def _close() -> int:
    return revisions.close_due(timezone.now() + LATER)


def test_nothing_closes_during_the_quiet_period(take: Take, closed: list[StudyRevision]) -> None:
    take(clip())
    assert revisions.close_due() == 0
    assert closed == []


def test_after_it_the_revision_holds_what_came(take: Take, closed: list[StudyRevision]) -> None:
    for _ in range(3):
        take(clip(StudyInstanceUID="1.5"))
    assert _close() == 1
    (revision,) = closed
    assert (revision.number, revision.clips.count()) == (1, 3)
    assert revision.digest == revisions.set_digest(Clip.objects.all())


def test_a_closed_study_is_not_closed_again(take: Take, closed: list[StudyRevision]) -> None:
    take(clip())
    assert [_close(), _close()] == [1, 0]


def test_a_late_image_makes_the_next_revision(take: Take, closed: list[StudyRevision]) -> None:
    take(clip(StudyInstanceUID="1.5"))
    _close()
    take(clip(StudyInstanceUID="1.5"))
    _close()
    assert [(revision.number, revision.clips.count()) for revision in StudyRevision.objects.all()] == [(1, 1), (2, 2)]


def test_each_image_starts_the_quiet_period_again(take: Take, settings: Settings) -> None:
    take(clip(StudyInstanceUID="1.5"))
    first = Study._default_manager.get().closes_at
    take(clip(StudyInstanceUID="1.5"))
    second = Study._default_manager.get()
    assert first is not None
    assert second.closes_at is not None
    assert second.closes_at > first
    assert second.closes_at == second.last_image_at + settings.QUIET_PERIOD


def test_callbacks_run_inside_the_closing_transaction(take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: StudyRevision) -> None:
        assert connection.in_atomic_block
        raise ValueError("cannot enqueue")

    take(clip())
    monkeypatch.setattr(revisions, "_callbacks", [fails])
    with pytest.raises(ValueError, match="enqueue"):
        _close()
    assert StudyRevision.objects.count() == 0
    assert Study._default_manager.get().closes_at is not None


def test_open_pages_are_told(take: Take, closed: list[StudyRevision]) -> None:
    result = take(clip())
    before = Event.objects.count()
    _close()
    assert Event.objects.count() == before + 1
    assert Event.objects.latest("seq").study_uid == result.study_uid
