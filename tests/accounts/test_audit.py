"""The trail: only added to, looked through by admins."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import DatabaseError
from django.db.models import QuerySet

from accounts import audit
from accounts.models import AuditEntry, User
from accounts.roles import Role
from common.paging import KeyPages
from tests.accounts.people import client_of, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> User:
    return person(Role.ADMIN)


def page(admin: User, query: str = "") -> Any:
    return client_of(admin).get(f"/audit/{query}").context


def test_entries_come_newest_first(admin: User) -> None:
    for uid in ("1.1", "1.2"):
        audit.record(None, "study.viewed", user=admin, study_uid=uid)
    assert [entry["study_uid"] for entry in page(admin)["entries"]] == ["1.2", "1.1"]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("action=study.viewed", 1),
        ("patient_id=P-1", 1),
        ("study_uid=1.1", 1),
        ("user=nobody", 0),
        ("outcome=refused", 1),
        ("since=2000-01-01", 2),
        ("until=2000-01-01", 0),
        ("since=not-a-day", 2),
        ("since=2026-99-99", 2),
        ("before=x", 2),
    ],
)
def test_filters(admin: User, query: str, count: int) -> None:
    audit.record(None, "study.viewed", patient_id="P-1", study_uid="1.1")
    audit.record(None, "user.signed_in", outcome="refused")
    assert len(page(admin, f"?{query}")["entries"]) == count


def test_pages_follow_one_another_by_key(admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(KeyPages, "page_size", 2)
    made = [audit.record(None, "thing.made").pk for _ in range(3)]
    first = page(admin, "?action=thing.made")
    audit.record(None, "thing.made")
    second = client_of(admin).get(first["next_url"]).context
    assert [entry["id"] for shown in (first, second) for entry in shown["entries"]] == made[::-1]
    assert (second["next_url"], second["filters"]) == (None, {"action": "thing.made"})


@pytest.mark.parametrize("action", ["training.start", "sign_in", "Study.viewed", "study.viewed ", "study."])
def test_an_action_that_is_no_noun_and_verb_past_is_refused(action: str) -> None:
    with pytest.raises(ValueError, match=r"noun\.verb-past"):
        audit.record(None, action)
    assert not AuditEntry.objects.exists()


def test_a_detail_that_is_called_items_is_shown(admin: User) -> None:
    audit.record(None, "label_queue.made", items=3, values=[1])
    text = client_of(admin).get("/audit/").content.decode()
    assert "items 3 · values [1]" in text


def test_looking_at_the_trail_leaves_an_entry(admin: User) -> None:
    page(admin, "?user=ida")
    entry = AuditEntry.objects.get(action="audit.viewed")
    assert (entry.username, entry.detail) == (admin.username, {"filters": {"user": "ida"}})


def test_an_entry_is_never_changed_or_deleted() -> None:
    entry = audit.record(None, "thing.made")
    for change in (entry.save, entry.delete, AuditEntry.objects.all().delete):
        with pytest.raises(TypeError, match="never"):
            change()
    with pytest.raises(TypeError, match="never changed"):
        AuditEntry.objects.update(action="other")


def test_the_database_refuses_to_change_an_entry() -> None:
    audit.record(None, "thing.made")
    past_the_model: QuerySet[AuditEntry] = QuerySet(model=AuditEntry)
    with pytest.raises(DatabaseError, match="never changed"):
        past_the_model.update(action="other")


def test_the_admin_site_shows_entries_and_changes_none(admin: User) -> None:
    entry = audit.record(None, "thing.made")
    client = client_of(admin)
    url = f"/admin/accounts/auditentry/{entry.pk}/change/"
    assert client.get(url).status_code == 200
    assert client.post(url, {"action": "other"}).status_code == 403
    assert client.post(f"/admin/accounts/auditentry/{entry.pk}/delete/", {"post": "yes"}).status_code == 403
    assert AuditEntry.objects.filter(action="admin.viewed").exists()


def test_the_admin_site_lists_no_tokens(admin: User) -> None:
    assert client_of(admin).get("/admin/authtoken/tokenproxy/").status_code == 404


@pytest.mark.parametrize(("name", "count"), [("P-1", 1), ('P"2', 1), ("P-", 0)])
def test_a_patient_is_found_among_others_that_one_entry_names(admin: User, name: str, count: int) -> None:
    audit.record_list(None, "dicom_studies.searched", subjects=[("P-1", "2.25.1"), ('P"2', "2.25.2")], found=2)
    assert len(page(admin, "?" + urlencode({"patient_id": name}))["entries"]) == count
