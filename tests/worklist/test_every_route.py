"""Every route that the site's resolver knows, asked for a study of one's own queue, a foreign and a deleted one.

Nothing here is written for one route: a new one is asked, too, and what it opens to who labels has to be named.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from accounts.models import AuditEntry, User
from accounts.roles import Role
from annotations.models import QueueItem
from studies.models import Clip, IdentityDoubt, QuarantinedFile, Study
from tests.accounts.people import client_of, person
from tests.annotations import factories
from tests.annotations.test_disclosure import TELLING, own_folders, stored

__all__ = ["own_folders"]
pytestmark = pytest.mark.django_db
PLACE = re.compile(r"<(?:\w+:)?(\w+)>")
OF_A_STUDY = {"uid", "study"}
LABELLERS = [Role.ANNOTATOR, Role.ADJUDICATOR]
OPEN_TO_LABELLERS = {
    "agreement", "agreement-figures", "api-frame", "api-frames", "api-keys", "api-study", "api-thumbnail", "events",
    "healthz", "label-item", "label-queue", "label-schema", "label-schemas-in-force", "readyz", "schema", "score",
}  # fmt: skip
"""What answers them with 200 for a study of their queue."""
ALSO_TO_ADJUDICATORS = {"adjudicate", "labels"}


def routes(patterns: Any = None, before: str = "") -> Iterator[tuple[str, str]]:
    """(name, address with <places>) of every route, Django's admin left out: it is closed as a whole."""
    for each in get_resolver().url_patterns if patterns is None else patterns:
        address = before + str(each.pattern)
        if isinstance(each, URLResolver) and address != "admin/":
            yield from routes(each.url_patterns, address)
        elif isinstance(each, URLPattern) and each.name:
            yield each.name, address


ROUTES = sorted(set(routes()))
STUDY_ROUTES = [(name, address) for name, address in ROUTES if OF_A_STUDY & set(PLACE.findall(address))]


@pytest.fixture
def clips() -> dict[str, Clip]:
    """A clip of a queued study, one of a foreign, and one of a deleted, which is queued as well."""
    made = {state: stored(PatientID=f"MRN-778899-{state}") for state in ("own", "foreign", "deleted")}
    factories.queue(made["own"].study, made["deleted"].study)
    Study._default_manager.filter(pk=made["deleted"].study_id).update(deleted_at=timezone.now())
    Clip.every.filter(pk=made["deleted"].pk).update(deleted_at=timezone.now())
    return made


def places(clip: Clip) -> dict[str, Any]:
    """What stands in the addresses."""
    now, infant = timezone.now(), clip.study.patient
    held = QuarantinedFile.objects.create(
        code="conflict", reason="MRN-778899", patient_id=infant.patient_id, study_uid=clip.study.uid, sop_uid="1.2.3",
        received_at=now, last_received_at=now, holding="no_room",
    )  # fmt: skip
    doubt = IdentityDoubt.objects.create(kind="clash", patient=infant, other=infant, study_uid=clip.study.uid)
    item = QueueItem.objects.filter(study=clip.study).first()
    return {
        "uid": clip.study.uid, "study": clip.study.uid, "prior": clip.study.uid, "sop_uid": clip.sop_uid,
        "instance": clip.sop_uid, "series": clip.series_uid, "frame": 1, "frames": 1, "first": 1, "last": 2,
        "steps": "7FE00010", "item": item.pk if item else 10**6, "queue": item.queue_id if item else 10**6,
        "name": "papile-2", "quarantine": held.pk, "suggestions": doubt.pk, "patients": infant.pk,
    }  # fmt: skip


def address_of(pattern: str, known: Mapping[str, Any]) -> str:
    """A number is that of the room: patients/<pk>, quarantine/<pk>, patients/suggestions/<pk>."""
    room = next((name for name in ("suggestions", "quarantine", "patients") if f"{name}/<int:pk>" in pattern), "")
    return "/" + PLACE.sub(lambda place: str(known.get(room if place[1] == "pk" else place[1], 1)), pattern)


def body_of(answer: HttpResponseBase) -> bytes:
    return async_to_sync(_joined)(answer) if answer.streaming else getattr(answer, "content", b"")


async def _joined(answer: Any) -> bytes:
    return b"".join([part async for part in answer])


def ask(client: Client, pattern: str, known: Mapping[str, Any]) -> tuple[int, bytes]:
    answer = client.get(address_of(pattern, known))
    return answer.status_code, body_of(answer)


def found_200(user: User, known: Mapping[str, Any], asked: list[tuple[str, str]]) -> set[str]:
    client = client_of(user)
    return {name for name, pattern in asked if ask(client, pattern, known)[0] in (200, 206)}


@pytest.mark.parametrize("role", LABELLERS)
@pytest.mark.parametrize("state", ["own", "foreign", "deleted"])
def test_no_route_names_an_infant_or_gives_its_file_to_who_labels(
    clips: dict[str, Clip], role: Role, state: str
) -> None:
    client, known = client_of(person(role)), places(clips[state])
    told = {}
    for name, pattern in ROUTES:
        status, body = ask(client, pattern, known)
        assert status < 500, (name, status)
        words = [word for word in (*TELLING, "DICM") if word.encode() in body]
        if words:
            told[name] = words
    assert told == {}


@pytest.mark.parametrize("role", LABELLERS)
def test_what_is_open_to_who_labels_is_named_here(clips: dict[str, Clip], role: Role) -> None:
    also = ALSO_TO_ADJUDICATORS if role is Role.ADJUDICATOR else set()
    assert found_200(person(role), places(clips["own"]), ROUTES) == OPEN_TO_LABELLERS | also


@pytest.mark.parametrize("role", LABELLERS)
@pytest.mark.parametrize("state", ["foreign", "deleted"])
def test_no_route_of_a_study_opens_another_one_to_who_labels(clips: dict[str, Clip], role: Role, state: str) -> None:
    assert found_200(person(role), places(clips[state]), STUDY_ROUTES) == set()


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
@pytest.mark.parametrize("state", ["foreign", "deleted"])
def test_who_labels_changes_nothing_of_another_study_or_infant(clips: dict[str, Clip], state: str, method: str) -> None:
    known, done = places(clips[state]), dict[str, int]()
    for client in (client_of(person(role)) for role in LABELLERS):
        for name, pattern in ROUTES:
            if PLACE.search(pattern):
                answer = getattr(client, method)(address_of(pattern, known), {}, content_type="application/json")
                done |= {name: answer.status_code} if answer.status_code not in (400, 403, 404, 405, 415) else {}
    assert done == {}


@pytest.mark.parametrize("role", [Role.RADIOLOGIST, Role.ADMIN])
def test_readers_find_every_study_by_these_routes_and_no_deleted_one(clips: dict[str, Clip], role: Role) -> None:
    user = person(role)
    found = {state: found_200(user, places(clips[state]), STUDY_ROUTES) for state in clips}
    assert found["own"] == found["foreign"] >= {"study", "api-study", "api-frame", "timeline", "dicom-study"}
    assert found["deleted"] == set()


@pytest.mark.parametrize("state", ["own", "foreign", "deleted"])
def test_a_stranger_finds_nothing(clips: dict[str, Clip], state: str) -> None:
    client, known = Client(), places(clips[state])
    opened = {name for name, pattern in ROUTES if ask(client, pattern, known)[0] == 200}
    assert opened == {"login", "healthz", "readyz"}


def test_the_admin_site_is_closed_to_who_labels() -> None:
    for role in (*LABELLERS, Role.RADIOLOGIST):
        assert client_of(person(role)).get("/admin/", follow=True).status_code == 403


def test_every_refusal_of_a_study_s_route_leaves_an_entry(clips: dict[str, Clip]) -> None:
    client, known, silent = client_of(person(Role.ANNOTATOR)), places(clips["foreign"]), set()
    for name, pattern in STUDY_ROUTES:
        before = AuditEntry.objects.filter(action="access.refused").count()
        refused = ask(client, pattern, known)[0] in (403, 404)
        if refused and AuditEntry.objects.filter(action="access.refused").count() == before:
            silent.add(name)
    assert silent == set()
