"""Signing in and out."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts import sign_in_throttle
from accounts.models import AuditEntry, User
from accounts.roles import Role
from tests.accounts.people import client_of, person

pytestmark = pytest.mark.django_db
LOGIN = "/accounts/login/"
RIGHT = "correct horse battery"


def sign_in(username: str, password: str = RIGHT, *, address: str = "10.0.0.1", after: str = "") -> Any:
    data = {"username": username, "password": password, "next": after}
    return Client(REMOTE_ADDR=address).post(LOGIN, data)


@pytest.fixture
def user() -> User:
    return person(Role.RADIOLOGIST, username="ida")


@pytest.mark.parametrize(
    ("role", "home"),
    [(Role.RADIOLOGIST, "/"), (Role.ADMIN, "/"), (Role.ANNOTATOR, "/label/"), (Role.ADJUDICATOR, "/label/")],
)
def test_everybody_lands_where_their_work_begins(role: Role, home: str) -> None:
    assert sign_in(person(role).username)["Location"] == home


def test_the_page_that_was_asked_for_comes_next(user: User) -> None:
    assert sign_in("ida", after="/metrics/")["Location"] == "/metrics/"


def test_the_front_door_leads_an_annotator_to_the_queue() -> None:
    assert sign_in(person(Role.ANNOTATOR).username, after="/")["Location"] == "/label/"


def test_nobody_is_sent_to_another_site(user: User) -> None:
    assert sign_in("ida", after="https://elsewhere.example/")["Location"] == "/"


def test_a_wrong_password_says_so_and_not_which_part_was_wrong(user: User) -> None:
    wrong, unknown = sign_in("ida", "wrong"), sign_in("nobody", "wrong")
    assert wrong.status_code == 200
    assert wrong.context["form"].non_field_errors() == unknown.context["form"].non_field_errors()
    assert 'role="alert"' in wrong.content.decode()


def test_a_sign_in_leaves_an_entry(user: User) -> None:
    sign_in("ida")
    entry = AuditEntry.objects.get(action="user.signed_in")
    assert (entry.username, entry.address, entry.outcome) == ("ida", "10.0.0.1", "ok")


def test_a_refused_sign_in_leaves_an_entry(user: User) -> None:
    sign_in("ida", "wrong")
    entry = AuditEntry.objects.get(action="user.signed_in")
    assert (entry.outcome, entry.detail["account"], entry.user) == ("refused", "ida", None)


def test_a_password_typed_as_a_name_is_not_kept() -> None:
    sign_in("my secret password", "x")
    assert "secret" not in str(AuditEntry.objects.get(action="user.signed_in").detail)


def test_the_sixth_wrong_password_closes_the_door_also_to_the_right_one(user: User) -> None:
    for _ in range(5):
        sign_in("ida", "wrong")
    answer = sign_in("ida")
    assert answer.status_code == 429
    assert "quarter of an hour" in answer.content.decode()
    assert AuditEntry.objects.latest("pk").outcome == "throttled"


def test_other_people_and_other_places_are_let_in(user: User) -> None:
    for _ in range(5):
        sign_in("ida", "wrong")
    assert sign_in("ida", address="10.0.0.2").status_code == 302
    assert sign_in(person().username).status_code == 302


def test_one_address_does_not_try_many_names(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in_throttle, "PER_ADDRESS", 3)
    for number in range(3):
        sign_in(f"name-{number}", "wrong")
    assert sign_in("ida").status_code == 429


def test_the_door_opens_again(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(5):
        sign_in("ida", "wrong")
    monkeypatch.setattr(sign_in_throttle, "WINDOW", timedelta(0))
    assert sign_in("ida").status_code == 302


def test_a_closed_account_does_not_sign_in(user: User) -> None:
    user.is_active = False
    user.save()
    assert sign_in("ida").status_code == 200


def test_signing_out_ends_the_session_and_leaves_an_entry(user: User) -> None:
    client = client_of(user)
    assert client.post("/accounts/logout/")["Location"] == LOGIN
    assert client.get("/").status_code == 302
    assert AuditEntry.objects.filter(action="user.signed_out", username="ida").count() == 1


def test_the_admin_site_has_no_sign_in_of_its_own() -> None:
    answer = Client().get("/admin/login/?next=/admin/")
    assert answer["Location"] == "/accounts/login/?next=/admin/"


def test_the_page_opens() -> None:
    answer = Client().get(f"{LOGIN}?next=/metrics/")
    assert (answer.status_code, answer.context["next"]) == (200, "/metrics/")


def test_a_demo_names_its_accounts_and_not_their_password(settings: Any, tmp_path: Path) -> None:
    settings.VAR = tmp_path
    assert Client().get(LOGIN).context["demo_accounts"] == []
    (tmp_path / "demo-password").write_text("hidden-from-the-page")
    answer = Client().get(LOGIN)
    assert "annotator2" in answer.content.decode()
    assert "hidden-from-the-page" not in answer.content.decode()
