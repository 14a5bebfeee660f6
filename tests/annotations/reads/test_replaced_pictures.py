"""A picture that an admin has put in the place of another was not read by whoever read the earlier one."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from annotations.reads import effects, lifecycle
from annotations.reads.lifecycle import Place
from studies.models import Clip, Study, StudyStatus
from tests.accounts.people import client_of, person
from tests.annotations import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader() -> User:
    return person()


@pytest.fixture
def study() -> Study:
    return factories.study()


def _replace(study: Study, at: datetime | None = None) -> Clip:
    clip = Clip.objects.filter(study=study)[0]
    Clip.objects.filter(pk=clip.pk).update(replaced_at=at or timezone.now())
    return clip


def _read(study: Study, reader: User) -> None:
    factories.read(study, reader, seen=[{"sop_uid": clip.sop_uid, "frames": 3, "ms": 10} for clip in study.clips.all()])
    study.refresh_from_db()


def _status(study: Study) -> str:
    return Study._default_manager.get(pk=study.pk).status


def test_a_study_whose_picture_is_replaced_comes_back_to_the_list(study: Study, reader: User) -> None:
    _read(study, reader)
    _replace(study)
    effects.revisit(factories.revision(study))
    assert _status(study) == StudyStatus.WAITING


def test_a_read_of_the_new_picture_ends_it_again(study: Study, reader: User) -> None:
    _read(study, reader)
    _replace(study)
    effects.revisit(factories.revision(study))
    lifecycle.reopen(Place(study, reader))
    _read(study, reader)
    assert _status(study) == StudyStatus.READ


def test_a_picture_that_was_replaced_before_changes_nothing(study: Study, reader: User) -> None:
    _replace(study, timezone.now() - timedelta(days=1))
    _read(study, reader)
    effects.revisit(factories.revision(study))
    assert _status(study) == StudyStatus.READ


def test_the_read_says_which_pictures_were_replaced_since(study: Study, reader: User) -> None:
    _read(study, reader)
    clip = _replace(study)
    answer = client_of(reader).get(f"/api/v1/studies/{study.uid}/reads/").json()
    assert [each["replaced_since"] for each in answer["mine"]["revisions"]] == [[clip.sop_uid]]


def test_the_history_of_labels_says_it_too(study: Study, reader: User) -> None:
    _read(study, reader)
    admin: Client = client_of(person(Role.ADMIN))
    page = f"/studies/{study.uid}/history/"
    assert "made on the earlier picture" not in admin.get(page).content.decode()
    _replace(study)
    assert "1 replaced since: made on the earlier picture" in admin.get(page).content.decode()
