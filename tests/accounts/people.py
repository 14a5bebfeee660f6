"""People for tests, one call each."""

from __future__ import annotations

from itertools import count
from typing import Any

from django.test import Client

from accounts.models import User
from accounts.roles import Role

_numbers = count(1)


def person(role: Role = Role.RADIOLOGIST, **facts: Any) -> User:
    username = facts.pop("username", f"{role.value}-{next(_numbers)}")
    staff = role is Role.ADMIN
    return User.objects.create_user(
        username, password="correct horse battery", role=role, is_staff=staff, is_superuser=staff, **facts
    )


def client_of(user: User | None) -> Client:
    client = Client()
    if user is not None:
        client.force_login(user)
    return client
