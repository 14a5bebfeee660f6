"""A name is one line: it stands in lists, in logs and in headers."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from accounts.models import User
from accounts.roles import Role
from tests.accounts.people import client_of, person

pytestmark = pytest.mark.django_db
BAD = ["Ida\r\nSet-Cookie: a=b", "Ida\n", "Ida\x00", "Ida\u2028x", "Ida\u202egnp", "Ida\x85x"]


@pytest.mark.parametrize("field", ["username", "first_name", "last_name"])
@pytest.mark.parametrize("name", BAD)
def test_a_name_with_a_control_character_is_not_kept(field: str, name: str) -> None:
    with pytest.raises(ValidationError, match="one line"):
        person(Role.RADIOLOGIST, **{field: name})
    assert not User.objects.exists()


@pytest.mark.parametrize("name", ["Åsa", "José María", "李", "O'Brien-Smith", "עידה"])
def test_names_of_every_script_are_kept(name: str) -> None:
    assert person(Role.RADIOLOGIST, first_name=name).first_name == name


def test_the_form_of_the_admin_says_which_name_it_is() -> None:
    admin, other = person(Role.ADMIN), person()
    body = {"username": other.username, "first_name": "a\x0bb", "role": "radiologist", "date_joined_0": "2026-01-01",
            "date_joined_1": "00:00:00"}  # fmt: skip
    answer = client_of(admin).post(f"/admin/accounts/user/{other.pk}/change/", body)
    assert "first_name" in answer.context["adminform"].form.errors
