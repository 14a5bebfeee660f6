"""Which study comes next, and fetching it ahead of being asked."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEntry, User
from annotations.models import Read
from studies.models import Study
from tests.annotations import factories

pytestmark = pytest.mark.django_db


def _ahead(client: Client, user: User, study: Study, query: str = "") -> Any:
    client.force_login(user)
    return client.get(f"/api/v1/studies/{study.uid}/ahead/{query}")


def test_in_the_reading_room_it_is_the_next_of_the_list(client: Client, reader: User, study: Study) -> None:
    later = factories.study(minutes=1)
    assert _ahead(client, reader, study).json() == {"study_uid": later.uid}
    assert _ahead(client, reader, later).json() == {"study_uid": study.uid}


def test_in_a_queue_it_is_the_item_after_this_one(client: Client, annotator: User, study: Study) -> None:
    second = factories.study(minutes=1)
    factories.queue(study, second, readers=[annotator])
    query = f"?context=queue&item={factories.item(study).pk}"
    assert _ahead(client, annotator, study, query).json() == {"study_uid": second.uid}


def test_the_last_one_has_none_and_asking_opens_nothing(client: Client, annotator: User, study: Study) -> None:
    factories.queue(study, readers=[annotator])
    query = f"?context=queue&item={factories.item(study).pk}"
    assert _ahead(client, annotator, study, query).json() == {"study_uid": None}
    assert not Read.objects.exists()


def test_who_may_not_see_the_study_learns_nothing(client: Client, annotator: User, study: Study) -> None:
    assert _ahead(client, annotator, study, "?context=queue").status_code == 404


def test_what_is_fetched_ahead_is_written_down_as_that(client: Client, reader: User, study: Study) -> None:
    client.force_login(reader)
    client.get(f"/api/v1/studies/{study.uid}/?ahead=1")
    assert list(AuditEntry.objects.values_list("action", flat=True)) == ["study.prefetched"]
    client.get(f"/api/v1/studies/{study.uid}/")
    assert AuditEntry.objects.filter(action="study.viewed").count() == 1
