from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models import Q
from django.http import Http404
from django.test import RequestFactory

from accounts import audit
from accounts.models import AuditEntry, User
from studies import access
from studies.models import Clip

Stored = Callable[..., Clip]


@pytest.fixture(autouse=True)
def no_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "_rules", [])


def _open(user: object, uid: str) -> str:
    request = RequestFactory().get("/")
    request.user = user  # type: ignore[assignment]
    with transaction.atomic():
        return access.open_study(request, uid, "study.viewed").uid


def test_radiologist_and_admin_see_every_study(stored: Stored, radiologist: User, admin: User) -> None:
    uid = stored().study.uid
    assert _open(radiologist, uid) == _open(admin, uid) == uid


def test_annotator_and_adjudicator_see_none_unless_a_rule_says_so(
    stored: Stored, annotator: User, adjudicator: User
) -> None:
    uid = stored().study.uid
    for user in (annotator, adjudicator):
        with pytest.raises(Http404):
            _open(user, uid)


def test_a_rule_of_an_upper_room_opens_what_it_names(stored: Stored, annotator: User, adjudicator: User) -> None:
    seen, hidden = stored().study.uid, stored().study.uid
    access.also_visible(lambda user: Q(uid=seen) if user == annotator else Q(pk__in=[]))
    assert [study.uid for study in access.visible_studies(annotator)] == [seen]
    assert not access.visible_studies(adjudicator).exists()
    with pytest.raises(Http404):
        _open(annotator, hidden)


def test_no_rule_opens_anything_to_a_stranger_or_somebody_switched_off(stored: Stored, annotator: User) -> None:
    stored()
    access.also_visible(lambda user: Q())
    annotator.is_active = False
    for user in (AnonymousUser(), annotator):
        assert not access.visible_studies(user).exists()


def test_unknown_and_forbidden_are_the_same_answer(stored: Stored, annotator: User) -> None:
    messages = set()
    for uid in (stored().study.uid, "1.2.3"):
        with pytest.raises(Http404) as refused:
            _open(annotator, uid)
        messages.add(str(refused.value))
    assert messages == {""}


def test_opening_leaves_one_audit_entry(stored: Stored, radiologist: User) -> None:
    uid = stored().study.uid
    _open(radiologist, uid)
    entry = AuditEntry.objects.get(action="study.viewed")
    assert (entry.user, entry.patient_id, entry.study_uid) == (radiologist, "P1", uid)


@pytest.mark.django_db(transaction=True)
def test_the_door_wants_a_transaction(radiologist: User) -> None:
    request = RequestFactory().get("/")
    request.user = radiologist
    with pytest.raises(transaction.TransactionManagementError):
        access.open_study(request, "1.2", "study.viewed")


def test_if_the_audit_entry_cannot_be_written_nothing_is_shown(
    stored: Stored, radiologist: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("no room")

    uid = stored().study.uid
    monkeypatch.setattr(audit, "record", refuse)
    with pytest.raises(RuntimeError):
        _open(radiologist, uid)
