"""Every role at every door of these rooms, and nobody at all; what is hidden looks like what does not exist."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import pytest
from django.db import transaction

from accounts.models import User
from accounts.roles import Role
from annotations.models import Context
from studies.models import Study
from tests.accounts.people import client_of, person
from tests.annotations import factories

pytestmark = pytest.mark.django_db
ROOMS = ("accounts", "live", "annotations", "worklist")
WHO = (None, Role.RADIOLOGIST, Role.ANNOTATOR, Role.ADJUDICATOR, Role.ADMIN)
DRAFT = {"findings": {"right": 0, "left": 0}, "version": 0, "comment": "", "idempotency_key": "k"}
IN_QUEUE = {"context": "queue"}
DECIDING = {"context": "adjudication"}
QUEUE = {"name": "Q", "source": "filter", "filter": {"labelled": "any", "queued": True}}
STUDY = "/api/v1/studies/{uid}/"


@dataclass(frozen=True)
class Door:
    """A request and what answers nobody, a radiologist, an annotator, an adjudicator, an admin."""

    name: str
    url: str
    answers: tuple[int, int, int, int, int]
    method: str = "get"
    body: dict[str, Any] = field(default_factory=dict)


# {uid} is an item of a queue that annotators and adjudicators label; two readers have answered {disputed} differently.
DOORS = [
    Door("login", "/accounts/login/", (200, 302, 302, 302, 302)),
    Door("logout", "/accounts/logout/", (302, 302, 302, 302, 302), "post"),
    Door("audit", "/audit/", (302, 403, 403, 403, 200)),
    Door("audit-export", "/audit/export/", (302, 403, 403, 403, 200)),
    Door("healthz", "/healthz", (200, 200, 200, 200, 200)),
    Door("readyz", "/readyz", (200, 200, 200, 200, 200)),
    Door("api-keys", "/api/v1/me/keys/", (401, 200, 200, 200, 200)),
    Door("api-keys", "/api/v1/me/keys/", (401, 200, 200, 200, 200), "put", {"keys": {}}),
    Door("events", "/api/v1/events/?after=0", (401, 200, 200, 200, 200)),
    Door("worklist", "/", (302, 200, 302, 302, 200)),
    Door("study", "/studies/{uid}/", (302, 200, 403, 403, 200)),
    Door("worklist-api", "/api/v1/worklist/", (401, 200, 403, 403, 200)),
    Door("claim", STUDY + "claim/", (401, 200, 403, 403, 200), "post"),
    Door("claim", STUDY + "claim/", (401, 204, 403, 403, 204), "delete"),
    Door("reads", STUDY + "reads/", (401, 200, 404, 404, 200)),
    Door("reads", STUDY + "reads/?context=queue", (401, 404, 200, 200, 404)),
    Door("reads", "/api/v1/studies/{disputed}/reads/?context=adjudication", (401, 404, 404, 200, 200)),
    Door("read-draft", STUDY + "reads/draft/", (401, 200, 404, 404, 200), "put", DRAFT),
    Door("read-draft", STUDY + "reads/draft/", (401, 404, 200, 200, 404), "put", DRAFT | IN_QUEUE),
    Door("read-commit", STUDY + "reads/commit/", (401, 201, 404, 404, 201), "post", DRAFT),
    Door("read-commit", STUDY + "reads/commit/", (401, 404, 201, 201, 404), "post", DRAFT | IN_QUEUE),
    Door(
        "read-commit", "/api/v1/studies/{disputed}/reads/commit/", (401, 404, 404, 201, 201), "post", DRAFT | DECIDING
    ),
    Door("read-agreement", STUDY + "reads/agreement/", (401, 409, 403, 403, 409), "post", {"agree": True}),
    Door("read-reopen", STUDY + "reads/reopen/", (401, 409, 404, 404, 409), "post"),
    Door("read-reopen", STUDY + "reads/reopen/", (401, 404, 409, 409, 404), "post", IN_QUEUE),
    Door("timeline", STUDY + "timeline/", (401, 200, 403, 403, 200)),
    Door("prior-drawings", "/api/v1/studies/{foreign}/priors/{prior}/drawings/", (401, 200, 403, 403, 200)),
    Door("ahead", STUDY + "ahead/", (401, 200, 404, 404, 200)),
    Door("ahead", STUDY + "ahead/?context=queue", (401, 404, 200, 200, 404)),
    Door("score", STUDY + "score/", (401, 200, 200, 200, 200)),
    Door("score", "/api/v1/studies/{foreign}/score/", (401, 200, 404, 404, 200)),
    Door("label-queue", "/api/v1/label-queue/", (401, 200, 200, 200, 200)),
    Door("label-queue-skip", "/api/v1/label-queue/{item}/skip/", (401, 404, 200, 200, 404), "post", {"reason": "x"}),
    Door("discussion", "/api/v1/discussions/{dispute}/", (401, 404, 404, 200, 200)),
    Door("discussion", "/api/v1/discussions/{dispute}/", (401, 404, 404, 201, 201), "post", {"text": "x"}),
    Door("unblind", "/api/v1/discussions/{dispute}/unblind/", (401, 403, 403, 200, 200), "post", {"reason": "x"}),
    Door("queues", "/api/v1/queues/", (401, 403, 403, 403, 200)),
    Door("queues", "/api/v1/queues/", (401, 403, 403, 403, 201), "post", QUEUE),
    Door("queue-preview", "/api/v1/queues/preview/", (401, 403, 403, 403, 200), "post", QUEUE),
    Door("queue-choices", "/api/v1/queues/choices/", (401, 403, 403, 403, 200)),
    Door("queue", "/api/v1/queues/{queue}/", (401, 403, 403, 403, 200)),
    Door("queue", "/api/v1/queues/{queue}/", (401, 403, 403, 403, 200), "patch", {"active": False}),
    Door("queue-list", "/label/queues/", (302, 403, 403, 403, 200)),
    Door("queue-new", "/label/queues/new/", (302, 403, 403, 403, 200)),
    Door("queue-page", "/label/queues/{queue}/", (302, 403, 403, 403, 200)),
    Door("read-earlier", STUDY + "reads/earlier/", (401, 200, 404, 404, 200)),
    Door("read-earlier", STUDY + "reads/earlier/?context=queue", (401, 404, 200, 200, 404)),
    Door("read-restore", STUDY + "reads/restore/", (401, 409, 404, 404, 409), "post"),
    Door("read-restore", STUDY + "reads/restore/", (401, 404, 409, 409, 404), "post", IN_QUEUE),
    Door("read-carry", STUDY + "reads/carry/", (401, 200, 404, 404, 200), "post", DRAFT),
    Door("read-carry", STUDY + "reads/carry/", (401, 404, 200, 200, 404), "post", DRAFT | IN_QUEUE),
    Door("read-aside", STUDY + "reads/aside/", (401, 200, 404, 404, 200), "post", DRAFT),
    Door("read-aside", STUDY + "reads/aside/", (401, 404, 200, 200, 404), "post", DRAFT | IN_QUEUE),
    Door("label-schemas", "/api/v1/label-schemas/", (401, 403, 403, 403, 200)),
    Door("label-schemas", "/api/v1/label-schemas/", (401, 403, 403, 403, 400), "post"),
    Door("label-schemas-check", "/api/v1/label-schemas/check/", (401, 403, 403, 403, 400), "post"),
    Door("label-schemas-in-force", "/api/v1/label-schemas/in-force/", (401, 200, 200, 200, 200)),
    Door("label-schemas-in-force", "/api/v1/label-schemas/in-force/", (401, 403, 403, 403, 400), "post"),
    Door("label-schema", "/api/v1/label-schemas/papile-2/", (401, 200, 200, 200, 200)),
    Door("label-schema-page", "/schema/", (302, 403, 403, 403, 200)),
    Door("labels-export", "/api/v1/labels/export/", (401, 403, 403, 403, 200)),
    Door("labels-import", "/api/v1/labels/import/", (401, 403, 403, 403, 415), "post"),
    Door("labels-page", "/labels/", (302, 403, 403, 403, 200)),
    Door("labels-history", STUDY + "history/", (401, 403, 403, 403, 200)),
    Door("labels-history-page", "/studies/{uid}/history/", (302, 403, 403, 403, 200)),
    Door("labels", "/api/v1/labels/", (401, 403, 403, 200, 200)),
    Door("agreement", "/agreement/", (302, 200, 200, 200, 200)),
    Door("agreement-figures", "/api/v1/agreement/", (401, 200, 200, 200, 200)),
    Door("agreement-question", "/api/v1/agreement/question/?question=worst", (401, 403, 403, 403, 200)),
    Door("label", "/label/", (302, 200, 302, 302, 200)),
    Door("label-item", "/label/{item}/", (302, 404, 200, 200, 404)),
    Door("adjudicate", "/adjudicate/", (302, 403, 403, 200, 200)),
    Door("adjudicate-item", "/adjudicate/{dispute}/", (302, 403, 403, 200, 200)),
]


@pytest.fixture
def places() -> dict[str, Any]:
    """What stands in the addresses."""
    queued, disputed, foreign = factories.study(), factories.study(), factories.study()
    factories.queue(queued, disputed)
    for grade in (2, 3):
        factories.read(disputed, context=Context.QUEUE, left=grade)
    factories.scored(queued)
    item = factories.item(queued)
    prior = factories.study(of=foreign.patient, minutes=9 * 24 * 60)
    items = {"prior": prior.uid, "item": item.pk, "dispute": factories.item(disputed).pk, "queue": item.queue_id}
    return {"uid": queued.uid, "disputed": disputed.uid, "foreign": foreign.uid, **items}


@pytest.fixture
def people() -> list[User | None]:
    return [person(role) if role else None for role in WHO]


def ask(user: User | None, door: Door, places: dict[str, Any]) -> Any:
    """The answer; what the request changed is undone, so that everybody finds the same."""
    url = door.url.format(**places)
    with transaction.atomic():
        client = client_of(user)
        request = getattr(client, door.method)
        answer = request(url) if door.method == "get" else request(url, door.body, content_type="application/json")
        transaction.set_rollback(True)
    return answer


def _name(door: Door) -> str:
    return f"{door.method} {door.url} {door.body.get('context', '')}".strip()


@pytest.mark.parametrize("door", DOORS, ids=_name)
def test_each_role_passes_its_doors_and_no_other(door: Door, people: list[User | None], places: dict[str, Any]) -> None:
    assert tuple(ask(user, door, places).status_code for user in people) == door.answers


def test_every_door_of_these_rooms_is_in_the_matrix() -> None:
    patterns = [pattern for room in ROOMS for pattern in import_module(f"{room}.urls").urlpatterns]
    assert {pattern.name for pattern in patterns} == {door.name for door in DOORS}


OBJECTS = [door for door in DOORS if "{" in door.url]
NOWHERE = {
    "uid": "1.2.3.4",
    "disputed": "1.2.3.4",
    "foreign": "1.2.3.4",
    "prior": "1.2.3.4",
    "item": 10**6,
    "dispute": 10**6,
    "queue": 10**6,
}


@pytest.mark.parametrize("door", OBJECTS, ids=_name)
def test_whoever_is_refused_is_refused_alike_where_nothing_is(
    door: Door, people: list[User | None], places: dict[str, Any]
) -> None:
    for user in people:
        hidden, missing = ask(user, door, places), ask(user, door, NOWHERE)
        if hidden.status_code in (401, 403, 404):
            assert (missing.status_code, _said(missing)) == (hidden.status_code, _said(hidden))
        elif hidden.status_code != 302:
            assert missing.status_code == 404


def _said(answer: Any) -> Any:
    """The answer without what differs by request (the token against forgery)."""
    if answer["Content-Type"] == "application/json":
        return answer.json()
    return answer.context["detail"]


def test_an_annotator_finds_only_their_own_studies_in_every_answer(places: dict[str, Any]) -> None:
    client = client_of(person(Role.ANNOTATOR))
    hidden = Study.objects.get(uid=places["foreign"])
    urls = ["/api/v1/label-queue/", "/api/v1/events/?after=0", f"/label/{places['item']}/"]
    answers = [client.get(url).content.decode() for url in urls]
    assert places["uid"] in answers[0]
    assert places["uid"] in answers[2]
    assert not any(hidden.uid in answer or hidden.patient.patient_id in answer for answer in answers)


def test_a_worklist_shows_every_study_to_a_reader(places: dict[str, Any]) -> None:
    told = client_of(person()).get("/api/v1/worklist/").content.decode()
    assert all(places[name] in told for name in ("uid", "disputed", "foreign"))
