"""The list of what was not taken in, and who may see it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client
from rest_framework.authtoken.models import Token

from accounts.models import AuditEntry, User
from accounts.roles import Role
from studies.ingest.results import IngestResult
from studies.models import QuarantinedFile
from tests.accounts.people import client_of, person
from tests.studies.dicoms import clip, related

Take = Callable[..., IngestResult]
URL = "/api/v1/quarantine/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(admin: User) -> Client:
    return client_of(admin)


def _conflict(take: Take) -> QuarantinedFile:
    for seed in (0, 1):
        take(clip(SOPInstanceUID="1.2.3", StudyInstanceUID="1.2", seed=seed), "heart.dcm")
    return QuarantinedFile.objects.latest("pk")


def _rows(client: Client, **query: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = client.get(URL, query).json()["results"]
    return rows


def test_a_row_says_what_why_who_and_when(take: Take, boss: Client) -> None:
    row = _conflict(take)
    (answer,) = _rows(boss)
    assert (answer["sop_uid"], answer["patient_id"], answer["sender"]) == ("1.2.3", "P1", "test")
    assert answer["reason"].startswith("Another file with the same SOP Instance UID")
    assert answer["received_at"][:10] == str(row.received_at.date())
    assert (answer["study_url"], answer["times"], answer["can_accept"]) == ("/studies/1.2/", 1, True)


def test_the_sender_is_a_person_and_a_way(reader: Client, boss: Client) -> None:
    body, kind = related([b"rubbish"])
    reader.post("/dicom-web/studies", body, content_type=kind)
    (row,) = _rows(boss)
    assert (row["sender"], row["source"], row["address"]) == ("radiologist (STOW-RS)", "stow", "127.0.0.1")


def test_the_list_comes_in_pages_the_latest_first(take: Take, boss: Client) -> None:
    for number in range(5):
        take(b"rubbish %d" % number, f"{number}.txt")
    first = boss.get(URL, {"page_size": 2}).json()
    assert [row["path"] for row in first["results"]] == ["4.txt", "3.txt"]
    assert [row["path"] for row in boss.get(first["next"]).json()["results"]] == ["2.txt", "1.txt"]
    assert (first["previous"], first["open"]) == (None, 5)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, 2),
        ({"state": "open"}, 2),
        ({"state": "discarded"}, 0),
        ({"code": "conflict"}, 1),
        ({"q": "1.2.3"}, 1),
        ({"q": "p1 heart"}, 1),
        ({"q": "not a dicom"}, 1),
        ({"q": "nowhere"}, 0),
    ],
)
def test_the_list_is_filtered(take: Take, boss: Client, query: dict[str, str], found: int) -> None:
    _conflict(take)
    take(b"rubbish", "x.txt")
    assert len(_rows(boss, **query)) == found


def test_an_unknown_state_is_refused(boss: Client) -> None:
    assert boss.get(URL, {"state": "lost"}).status_code == 400


def test_a_file_tells_each_time_that_it_came(take: Take, boss: Client) -> None:
    for name in ("a.txt", "b.txt"):
        take(b"rubbish", name)
    answer = boss.get(f"{URL}{QuarantinedFile.objects.get().pk}/").json()
    assert [sending["path"] for sending in answer["sendings"]] == ["b.txt", "a.txt"]


def test_a_download_is_the_bytes_as_an_attachment(take: Take, boss: Client) -> None:
    take(b"<script>alert(1)</script>", "x.html")
    answer = boss.get(f"{URL}{QuarantinedFile.objects.get().pk}/download/")
    assert answer.getvalue() == b"<script>alert(1)</script>"
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith('attachment; filename="quarantined-')
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_a_download_of_dicom_says_so(take: Take, boss: Client) -> None:
    answer = boss.get(f"{URL}{_conflict(take).pk}/download/")
    assert answer["Content-Type"] == "application/dicom"


def test_a_download_streams_under_asgi(take: Take, admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    row = _conflict(take)
    size = QuarantinedFile.objects.get().size or 0
    monkeypatch.setattr("studies.storage.CHUNK", 1000)

    async def pieces() -> list[bytes]:
        client = AsyncClient()
        await client.aforce_login(admin)
        answer = await client.get(f"{URL}{row.pk}/download/")
        assert (answer["Content-Length"], answer["Content-Type"]) == (str(size), "application/dicom")
        return [piece async for piece in answer]  # type: ignore[attr-defined]  # it streams

    assert [len(piece) for piece in async_to_sync(pieces)()] == [1000, 1000, size - 2000]


def test_every_look_leaves_an_audit_entry(take: Take, boss: Client) -> None:
    row = _conflict(take)
    _rows(boss)
    boss.get(f"{URL}{row.pk}/download/")
    assert AuditEntry.objects.get(action="quarantine.viewed").detail["files"] == [row.pk]
    downloaded = AuditEntry.objects.get(action="quarantine.downloaded")
    assert (downloaded.patient_id, downloaded.study_uid, downloaded.detail["sop_uid"]) == ("P1", "1.2", "1.2.3")


@pytest.mark.parametrize("role", [Role.RADIOLOGIST, Role.ANNOTATOR, Role.ADJUDICATOR])
@pytest.mark.parametrize("place", ["", "{}/", "{}/download/", "{}/accept/", "{}/discard/"])
def test_nobody_but_an_admin_passes(take: Take, role: Role, place: str) -> None:
    row, client = _conflict(take), client_of(person(role))
    ask = client.post if place.endswith(("accept/", "discard/")) else client.get
    answers = [ask(URL + place.format(pk)) for pk in (row.pk, 10**6)]
    assert [answer.status_code for answer in answers] == [403, 403]
    assert answers[0].json() == answers[1].json()
    assert QuarantinedFile.objects.get().state == "open"


@pytest.mark.parametrize("place", ["", "download/"])
def test_what_is_not_there_is_404(boss: Client, place: str) -> None:
    assert boss.get(f"{URL}1000000/{place}").status_code == 404


def test_a_token_of_an_admin_passes(take: Take, admin: User) -> None:
    _conflict(take)
    token = Token.objects.create(user=admin).key
    assert len(Client().get(URL, headers={"Authorization": f"Token {token}"}).json()["results"]) == 1


def test_the_menu_of_an_admin_shows_how_many_wait(take: Take, boss: Client, reader: Client) -> None:
    take(b"rubbish")
    assert '<span class="badge num">1<span class="vh"> waiting</span></span>' in boss.get("/upload/").content.decode()
    assert "/quarantine/" not in reader.get("/upload/").content.decode()


@pytest.mark.parametrize(("role", "status"), [(Role.ADMIN, 200), (Role.RADIOLOGIST, 403), (Role.ANNOTATOR, 403)])
def test_the_page_is_for_admins(role: Role, status: int) -> None:
    assert client_of(person(role)).get("/quarantine/").status_code == status
