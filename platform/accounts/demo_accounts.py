"""The five people of the demo, and the password that they share."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from django.conf import settings
from django.db import transaction

from accounts.models import User
from accounts.roles import Role

# Fictitious people.
PEOPLE: dict[str, tuple[Role, str, str]] = {
    "radiologist": (Role.RADIOLOGIST, "Dr Imke", "Moreau"),
    "annotator": (Role.ANNOTATOR, "Tsehay", "Abebe"),
    "annotator2": (Role.ANNOTATOR, "Joris", "Lindqvist"),
    "adjudicator": (Role.ADJUDICATOR, "Prof. Haru", "Sato"),
    "admin": (Role.ADMIN, "Ruth", "Okafor"),
}


@dataclass(frozen=True)
class DemoAccount:
    """``shared``: signs in with the shared password; False where its owner chose another."""

    username: str
    role: Role
    shared: bool


class OfferedAccount(TypedDict):
    """An account that the sign-in page names."""

    username: str
    role: str


def _password_file() -> Path:
    return Path(settings.VAR) / "demo-password"


def _store(password: str) -> None:
    path = _password_file()
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(password + "\n")


def _stored() -> str:
    path = _password_file()
    return path.read_text().strip() if path.exists() else ""


def _account(username: str, *, password: str, before: str) -> DemoAccount:
    role, first_name, last_name = PEOPLE[username]
    admin = role is Role.ADMIN
    facts = {"role": role, "first_name": first_name, "last_name": last_name, "is_staff": admin, "is_superuser": admin}
    person, made = User.objects.get_or_create(username=username, defaults=facts)
    if made or (before and before != password and person.check_password(before)):
        person.set_password(password)
        person.save(update_fields=["password"])
    return DemoAccount(username, role, shared=made or person.check_password(password))


def ensure(chosen: str = "") -> tuple[str, list[DemoAccount]]:
    """Make the accounts that are missing; returns the shared password and who uses it.

    The password is ``chosen``, else the one of an earlier start, else a new one. An account whose owner changed its
    password keeps that one.
    """
    before = _stored()
    password = chosen or before or secrets.token_urlsafe(9)
    with transaction.atomic():
        accounts = [_account(username, password=password, before=before) for username in PEOPLE]
    _store(password)
    return password, accounts


def offered() -> list[OfferedAccount]:
    """The accounts that a demo's sign-in page names; none in production, none where no demo was made."""
    if settings.PRODUCTION or not _password_file().exists():
        return []
    return [{"username": username, "role": role.label} for username, (role, *_) in PEOPLE.items()]
