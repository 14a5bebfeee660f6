"""A person's own keys."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEntry, User

pytestmark = pytest.mark.django_db
URL = "/api/v1/me/keys/"


def _put(client: Client, keys: Any) -> tuple[int, Any]:
    answer = client.put(URL, {"keys": keys}, content_type="application/json")
    return answer.status_code, answer.json()


def test_keys_are_kept_with_the_person_and_come_with_every_page(client: Client, radiologist: User) -> None:
    client.force_login(radiologist)
    assert _put(client, {"Viewer/g": "f"}) == (200, {"keys": {"Viewer/g": "f"}})
    assert client.get(URL).json() == {"keys": {"Viewer/g": "f"}}
    assert json.dumps({"Viewer/g": "f"}) in client.get("/").content.decode()
    assert AuditEntry.objects.filter(action="keys.changed", user=radiologist).count() == 1


def test_keys_are_nobody_elses(client: Client, radiologist: User, annotator: User) -> None:
    client.force_login(radiologist)
    _put(client, {"Viewer/g": "f"})
    client.force_login(annotator)
    assert client.get(URL).json() == {"keys": {}}


@pytest.mark.parametrize("keys", [None, [], "g", {"Viewer/g": 1}, {"Viewer/g": ""}, {"Viewer/g": "x" * 65}])
def test_what_is_no_map_of_keys_is_refused(client: Client, radiologist: User, keys: Any) -> None:
    client.force_login(radiologist)
    status, answer = _put(client, keys)
    assert (status, list(answer)) == (400, ["keys"])
    assert client.get(URL).json() == {"keys": {}}


def test_one_key_does_not_do_two_things_in_one_group(client: Client, radiologist: User) -> None:
    client.force_login(radiologist)
    assert _put(client, {"Viewer/g": "f", "Viewer/e": "f"})[0] == 400
    assert _put(client, {"Viewer/g": "f", "Worklist/e": "f"})[0] == 200


def test_nobody_has_no_keys(client: Client) -> None:
    assert client.get(URL).status_code in (401, 403)
