"""``manage.py token`` and ``manage.py demo_accounts``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import AuditEntry, User
from accounts.roles import Role
from tests.accounts.people import person

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def var(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("DEMO_PASSWORD", raising=False)
    settings.VAR = tmp_path
    return tmp_path


def said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def demo_password(capsys: pytest.CaptureFixture[str]) -> str:
    call_command("demo_accounts")
    return said(capsys)[-1].removeprefix("password: ")


def check(username: str, password: str) -> bool:
    return User.objects.get(username=username).check_password(password)


def test_a_token_opens_the_api(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("token", person().username)
    token = said(capsys)[-1]
    headers = {"Authorization": f"Token {token}"}
    assert Client().get("/api/v1/worklist/", headers=headers).status_code == 200
    assert AuditEntry.objects.filter(action="token.issued").count() == 1


def test_a_person_has_one_token(capsys: pytest.CaptureFixture[str]) -> None:
    user = person()
    for _ in range(2):
        call_command("token", user.username)
    first, second = said(capsys)
    assert first == second


@pytest.mark.parametrize("active", [None, False])
def test_nobody_has_no_token(active: bool | None) -> None:
    if active is not None:
        person(username="nobody", is_active=active)
    with pytest.raises(CommandError, match="nobody"):
        call_command("token", "nobody")


def test_the_five_demo_people_share_a_password(capsys: pytest.CaptureFixture[str]) -> None:
    password = demo_password(capsys)
    roles = dict(User.objects.values_list("username", "role"))
    assert roles == {
        "radiologist": Role.RADIOLOGIST, "annotator": Role.ANNOTATOR, "annotator2": Role.ANNOTATOR,
        "adjudicator": Role.ADJUDICATOR, "admin": Role.ADMIN,
    }  # fmt: skip
    assert all(check(username, password) for username in roles)


def test_the_password_is_kept_where_only_its_owner_reads_it(var: Path, capsys: pytest.CaptureFixture[str]) -> None:
    password = demo_password(capsys)
    file = var / "demo-password"
    assert (file.read_text().strip(), file.stat().st_mode & 0o777) == (password, 0o600)


def test_again_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    first = demo_password(capsys)
    before = list(User.objects.values().order_by("pk"))
    assert demo_password(capsys) == first
    assert list(User.objects.values().order_by("pk")) == before


def test_the_environment_chooses_the_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    demo_password(capsys)
    monkeypatch.setenv("DEMO_PASSWORD", "chosen by the site")
    assert demo_password(capsys) == "chosen by the site"
    assert check("radiologist", "chosen by the site")


def test_a_password_that_its_owner_chose_stays(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    demo_password(capsys)
    owner = User.objects.get(username="radiologist")
    owner.set_password("my own long one")
    owner.save()
    monkeypatch.setenv("DEMO_PASSWORD", "chosen by the site")
    call_command("demo_accounts")
    assert check("radiologist", "my own long one")
    assert "has a password of its own" in said(capsys)[0]


def test_production_has_no_demo_people(settings: Any) -> None:
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="None was made"):
        call_command("demo_accounts")
    assert not User.objects.exists()
