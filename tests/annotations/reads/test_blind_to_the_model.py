"""Before the commit: in triage the flag, no more; in a label queue no AI on any page, in any answer or event."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from inference.models import Explanation
from live.models import Event
from studies.models import Study
from tests.accounts.people import person
from tests.annotations import factories
from tests.annotations.requests import Desk

pytestmark = pytest.mark.django_db
AI = re.compile(r"suspected|0\.8765|0\.1234|heat_maps\": \{|\"weight\"|\"probability\": \d|grad-cam", re.IGNORECASE)


@pytest.fixture
def scored(study: Study) -> Study:
    """A suspected study with attention and a heat map."""
    sop = study.clips.get().sop_uid
    weights = [{"sop_uid": sop, "frame": 1, "weight": 0.1234}]
    score = factories.scored(study, probability=0.8765, attention=weights)
    frames = [{"sop_uid": sop, "frame": 1, "square": [0, 0, 8], "heat": [[1.0]]}]
    Explanation.objects.create(score=score, method="grad-cam-1", frames=frames, created_at=timezone.now())
    return study


def _score(desk: Desk, study: Study) -> dict[str, Any]:
    found: dict[str, Any] = desk.client.get(f"/api/v1/studies/{study.uid}/score/").json()
    return found


def test_in_triage_the_flag_is_known_and_attention_and_heat_maps_are_not(reader: User, scored: Study) -> None:
    told = _score(Desk(reader, scored), scored)
    assert (told["flag"], told["attention"], told["heat_maps"], told["history"]) == ("suspected", None, None, None)


def test_after_the_commit_attention_heat_maps_and_history_are_given(reader: User, scored: Study) -> None:
    desk = Desk(reader, scored)
    reveal = desk.commit().json()["reveal"]
    assert [len(reveal["attention"]), len(reveal["heat_maps"]["frames"]), len(reveal["history"])] == [1, 1, 1]
    assert _score(desk, scored)["heat_maps"]["method"] == "grad-cam-1"


def test_a_site_may_open_attention_and_heat_maps_before_the_commit(reader: User, scored: Study, settings: Any) -> None:
    settings.ATTENTION_BEFORE_COMMIT = True
    told = _score(Desk(reader, scored), scored)
    assert (len(told["attention"]), len(told["heat_maps"]["frames"])) == (1, 1)


def _told_in_a_queue(client: Client, scored: Study) -> dict[str, str]:
    item = factories.item(scored)
    base = f"/api/v1/studies/{scored.uid}/"
    pages = [
        f"/label/{item.pk}/", "/api/v1/label-queue/", base, f"{base}score/", f"{base}score/?context=queue",
        f"{base}reads/?context=queue&item={item.pk}", f"{base}timeline/", "/api/v1/events/",
    ]  # fmt: skip
    return {page: client.get(page).content.decode() for page in pages}


def _ai_in(told: dict[str, str]) -> dict[str, str]:
    return {page: found.group() for page, text in told.items() if (found := AI.search(text))}


@pytest.mark.parametrize("role", [Role.ANNOTATOR, Role.RADIOLOGIST])
def test_in_a_label_queue_no_answer_carries_any_ai_before_the_commit(client: Client, scored: Study, role: Role) -> None:
    labeller = person(role)
    factories.queue(scored, readers=[labeller])
    client.force_login(labeller)
    assert _ai_in(_told_in_a_queue(client, scored)) == {}
    assert [str(event.__dict__) for event in Event.objects.all() if AI.search(str(event.__dict__))] == []


def test_the_test_would_have_seen_it(client: Client, scored: Study, reader: User) -> None:
    factories.queue(scored, readers=[person(Role.ANNOTATOR)])
    Desk(reader, scored).commit()
    client.force_login(reader)
    assert f"/api/v1/studies/{scored.uid}/score/" in _ai_in(_told_in_a_queue(client, scored))
