"""Which view a clip shows: suggested from its tags, set by a person."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from pydicom.dataset import Dataset

from accounts.models import AuditEntry, User
from accounts.roles import Role
from studies.models import Clip
from tests.accounts.people import client_of, person
from tests.annotations import factories

pytestmark = pytest.mark.django_db
Stored = Callable[..., Clip]


def _set(client: Client, clip: Clip, **change: str) -> tuple[int, dict[str, object]]:
    url = f"/api/v1/studies/{clip.study.uid}/clips/{clip.sop_uid}/view/"
    answer = client.patch(url, change, content_type="application/json")
    return answer.status_code, answer.json()


def _code(meaning: str, **more: object) -> Dataset:
    item = Dataset()
    item.CodeMeaning = meaning
    for keyword, value in more.items():
        setattr(item, keyword, value)
    return item


def test_a_view_code_and_its_modifier_name_view_and_plane(stored: Stored) -> None:
    view = _code("Coronal", ViewModifierCodeSequence=[_code("Trigone")])
    clip = stored(SeriesDescription=None, ViewCodeSequence=[view])
    assert (clip.view, clip.plane, clip.view_source) == ("coronal", "trigone", "tags")


def test_the_side_of_a_view_is_its_laterality(stored: Stored) -> None:
    clip = stored(SeriesDescription="SAG", ImageLaterality="R")
    assert (clip.view, clip.plane) == ("sagittal", "right")


def test_a_person_sets_the_view_and_it_is_written_down(reader: Client, stored: Stored) -> None:
    clip = stored(SeriesDescription="clip")
    status, body = _set(reader, clip, view="coronal", plane="third_ventricle")
    clip.refresh_from_db()
    assert (status, clip.view, clip.plane, clip.view_source) == (200, "coronal", "third_ventricle", "person")
    assert body["clip"]["label"] == "COR third ventricle"  # type: ignore[index]
    entry = AuditEntry.objects.get(action="clip.view_changed")
    assert (entry.detail["before"], entry.detail["view"]) == ({"view": "other", "plane": ""}, "coronal")


def test_a_mastoid_view_that_was_set_takes_the_note_away(reader: Client, stored: Stored) -> None:
    clip = stored()
    assert _set(reader, clip, view="sagittal")[1]["notes"] == ["No mastoid view: posterior fossa not assessed."]
    assert _set(reader, clip, view="mastoid", plane="left")[1]["notes"] == []


def test_a_plane_of_another_view_is_refused(reader: Client, stored: Stored) -> None:
    clip = stored()
    status, body = _set(reader, clip, view="sagittal", plane="trigone")
    assert (status, "plane" in body) == (400, True)
    clip.refresh_from_db()
    assert clip.view_source == "tags"


def test_who_may_not_see_the_study_cannot_set_its_views(client: Client, annotator: User, stored: Stored) -> None:
    clip = stored()
    client.force_login(annotator)
    assert _set(client, clip, view="mastoid")[0] == 404
    clip.refresh_from_db()
    assert clip.view == "coronal"


@pytest.mark.parametrize("role", [Role.ANNOTATOR, Role.ADJUDICATOR])
def test_who_labels_a_queue_does_not_set_a_view_for_everybody(stored: Stored, role: Role) -> None:
    clip, labeller = stored(SeriesDescription="clip"), person(role)
    factories.queue(clip.study, readers=[labeller])
    status, _ = _set(client_of(labeller), clip, view="coronal")
    clip.refresh_from_db()
    assert (status, clip.view, clip.view_source) == (403, "other", "tags")
