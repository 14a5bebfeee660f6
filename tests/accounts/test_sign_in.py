"""Signing in and out."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

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


def test_other_people_are_let_in(user: User) -> None:
    for _ in range(5):
        sign_in("ida", "wrong")
    assert sign_in(person().username).status_code == 302


def test_another_address_gives_no_further_tries(user: User) -> None:
    for number in range(5):
        sign_in("ida", "wrong", address=f"10.0.0.{number}")
    assert sign_in("ida", address="10.0.1.1").status_code == 429


def test_a_closed_name_is_told_when_it_opens(user: User) -> None:
    for _ in range(5):
        sign_in("ida", "wrong")
    until = sign_in_throttle.closed_until("ida")
    assert until
    assert f"closed until {timezone.localtime(until):%H:%M}" in sign_in("ida").content.decode()


def test_a_name_that_nobody_has_is_closed_in_the_same_words(user: User) -> None:
    said = []
    for name in ("ida", "nobody"):
        answers = [sign_in(name, "wrong") for _ in range(6)]
        said.append([(each.status_code, each.context["form"].non_field_errors()) for each in answers])
    assert said[0] == said[1]


def test_no_password_is_looked_at_once_a_name_is_closed(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []

    def look(self: User, raw: str) -> bool:
        looked.append(raw)
        return False

    monkeypatch.setattr(User, "check_password", look)
    for number in range(16):
        sign_in("ida", f"guess {number}")
    assert len(looked) == 5


def test_a_right_password_gives_the_tries_back(user: User) -> None:
    for _ in range(3):
        for _ in range(4):
            sign_in("ida", "wrong")
        assert sign_in("ida").status_code == 302


def test_an_admin_opens_a_name_again_and_it_is_written_down(user: User) -> None:
    for _ in range(5):
        sign_in("ida", "wrong")
    body = {"action": "open_again", "_selected_action": [user.pk]}
    client_of(person(Role.ADMIN)).post("/admin/accounts/user/", body)
    assert sign_in("ida").status_code == 302
    assert AuditEntry.objects.get(action="user.unlocked").detail == {"account": "ida", "was_closed": True}


def test_a_command_opens_a_name_again(user: User) -> None:
    for _ in range(5):
        sign_in("ida", "wrong")
    call_command("unlock", "ida")
    assert sign_in("ida").status_code == 302


def test_fifty_wrong_names_through_one_proxy_slow_people_down_and_shut_nobody_out(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(60):
        sign_in(f"name-{number}", "wrong")
    assert sign_in("ida").status_code == 429
    monkeypatch.setattr(sign_in_throttle, "SLOW_SECONDS", 0.0)
    assert sign_in("ida").status_code == 302


def through(proxy: str, forwarded: str, username: str = "ida") -> str | None:
    """The address that the trail shows of a wrong password."""
    client = Client(REMOTE_ADDR=proxy, headers={"X-Forwarded-For": forwarded})
    client.post(LOGIN, {"username": username, "password": "wrong"})
    return AuditEntry.objects.latest("pk").address


@pytest.mark.parametrize(
    ("proxy", "forwarded", "address"),
    [
        ("10.9.0.1", "1.2.3.4", "1.2.3.4"),
        ("10.9.0.1", "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        ("10.9.0.1", "6.6.6.6, 1.2.3.4, 10.9.0.2", "1.2.3.4"),
        ("10.9.0.1", "", "10.9.0.1"),
        ("10.9.0.1", "nonsense", "10.9.0.1"),
        ("10.9.0.1", "2001:db8::1", "2001:db8::1"),
        ("10.8.0.1", "1.2.3.4", "10.8.0.1"),
    ],
)
def test_forwarded_addresses_are_believed_from_trusted_proxies_alone(
    settings: Any, user: User, proxy: str, forwarded: str, address: str
) -> None:
    settings.TRUSTED_PROXIES = [ip_network("10.9.0.0/24")]
    assert through(proxy, forwarded) == address


def test_a_forged_address_does_not_evade_the_limit_of_an_address(
    settings: Any, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TRUSTED_PROXIES = [ip_network("10.9.0.0/24")]
    monkeypatch.setattr(sign_in_throttle, "PER_ADDRESS", 3)
    for number in range(4):
        through("10.9.0.1", f"6.6.6.{number}, 1.2.3.4", f"name-{number}")
    assert AuditEntry.objects.latest("pk").outcome == "throttled"


def test_https_is_believed_from_trusted_proxies_alone(settings: Any) -> None:
    settings.TRUSTED_PROXIES = [ip_network("10.9.0.0/24")]
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.SECURE_SSL_REDIRECT = True
    codes = [
        Client(REMOTE_ADDR=address, headers={"X-Forwarded-Proto": "https"}).get(LOGIN).status_code
        for address in ("10.9.0.1", "10.8.0.1")
    ]
    assert codes == [200, 301]


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
