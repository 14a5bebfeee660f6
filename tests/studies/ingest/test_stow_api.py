from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from studies.models import Clip, QuarantinedFile
from tests.studies.dicoms import clip, related

STOW = "/dicom-web/studies"
pytestmark = pytest.mark.django_db


def _store(client: Client, instances: Sequence[bytes], *, url: str = STOW, **extra: Any) -> Any:
    body, kind = related(instances)
    return client.post(url, body, content_type=kind, **extra)


def _reasons(answer: Any) -> list[int]:
    return [item["00081197"]["Value"][0] for item in answer.json()["00081198"]["Value"]]


def test_all_stored_is_200_with_references(reader: Client, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://us.example"
    answer = _store(reader, [clip(StudyInstanceUID="1.5", SOPInstanceUID="1.6")])
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/dicom+json")
    body = answer.json()
    assert body["00081190"]["Value"] == ["https://us.example/dicom-web/studies/1.5"]
    (item,) = body["00081199"]["Value"]
    assert item["00081155"] == {"vr": "UI", "Value": ["1.6"]}
    assert "00081198" not in body


def test_the_same_again_is_200(reader: Client) -> None:
    data = clip()
    assert [_store(reader, [data]).status_code for _ in range(2)] == [200, 200]
    assert Clip.objects.count() == 1


def test_none_stored_is_409(reader: Client) -> None:
    answer = _store(reader, [b"just text"])
    assert (answer.status_code, _reasons(answer)) == (409, [43264])


def test_other_bytes_under_the_same_identifier_are_45070(reader: Client) -> None:
    _store(reader, [clip(SOPInstanceUID="1.6")])
    answer = _store(reader, [clip(SOPInstanceUID="1.6", seed=1)])
    assert (answer.status_code, _reasons(answer)) == (409, [45070])


def test_another_study_than_the_address_names_is_43265(reader: Client) -> None:
    answer = _store(reader, [clip()], url=f"{STOW}/1.2.3")
    assert (answer.status_code, _reasons(answer)) == (409, [43265])
    assert Clip.objects.count() == 0


def test_the_study_of_the_address_is_taken(reader: Client) -> None:
    assert _store(reader, [clip(StudyInstanceUID="1.2.3")], url=f"{STOW}/1.2.3").status_code == 200


def test_a_mixed_batch_is_202_and_says_why(reader: Client) -> None:
    answer = _store(reader, [clip(), b"text", clip()])
    assert (answer.status_code, _reasons(answer)) == (202, [43264])
    assert len(answer.json()["00081199"]["Value"]) == 2
    (failed,) = answer.json()["00081198"]["Value"]
    number = QuarantinedFile.objects.get().pk
    said = f"This is not a DICOM file. It is kept in quarantine (no. {number})."
    assert failed["00741048"]["Value"][0]["00000902"]["Value"] == [said]


def test_an_incomplete_image_is_kept_with_a_warning(reader: Client) -> None:
    answer = _store(reader, [clip()[:-100]])
    assert answer.status_code == 202
    assert answer.json()["00081199"]["Value"][0]["00081196"]["Value"] == [45063]


def test_what_was_decided_about_pixels_is_said(reader: Client) -> None:
    answer = _store(reader, [clip(BitsStored=12)])
    (item,) = answer.json()["00081199"]["Value"]
    assert (answer.status_code, item["00081196"]["Value"]) == (202, [45063])
    (said,) = item["00741048"]["Value"]
    assert said["00000902"]["Value"] == ["Its header says 12 bits stored in 8: taken as 8."]


def test_what_is_no_ultrasound_is_stored_without_a_warning(reader: Client) -> None:
    assert _store(reader, [clip(Modality="CT")]).status_code == 200


def test_an_empty_request_is_204(reader: Client) -> None:
    assert reader.post(STOW, b"", content_type='multipart/related; boundary="a"').status_code == 204


def test_a_request_without_parts_is_400(reader: Client) -> None:
    assert _store(reader, []).status_code == 400


@pytest.mark.parametrize("uid", ["abc", "..", "1" * 65])
def test_an_address_that_names_no_study_is_400(reader: Client, uid: str) -> None:
    assert _store(reader, [clip()], url=f"{STOW}/{uid}").status_code == 400


@pytest.mark.parametrize(
    "kind",
    [
        "multipart/related; type=application/dicom; boundary=XYZ",
        "multipart/related;boundary=XYZ;type=application/dicom",
        'Multipart/Related; boundary="XYZ"; type="Application/DICOM"',
        'multipart/related; type="application/dicom; transfer-syntax=1.2.840.10008.1.2.1"; boundary=XYZ',
        "multipart/related; boundary=XYZ",
    ],
)
def test_types_and_boundaries_are_quoted_or_not(reader: Client, kind: str) -> None:
    assert reader.post(STOW, related([clip()])[0], content_type=kind).status_code == 200


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Type: application/dicom;\r\n transfer-syntax=1.2.840.10008.1.2.1\r\n",
        b"Content-Type:\r\n\tapplication/dicom\r\nContent-Location: x\r\n",
        b"content-type:application/dicom\r\nContent-Length: 99\r\nMIME-Version: 1.0\r\n",
        b"",
    ],
)
def test_headers_of_parts_may_be_folded_or_missing(reader: Client, head: bytes) -> None:
    body = b"--XYZ\r\n" + head + b"\r\n" + clip() + b"\r\n--XYZ--"
    assert reader.post(STOW, body, content_type="multipart/related; boundary=XYZ").status_code == 200


def test_one_instance_may_be_the_whole_body(reader: Client) -> None:
    answer = reader.post(f"{STOW}/1.5", clip(StudyInstanceUID="1.5"), content_type="application/dicom")
    assert (answer.status_code, Clip.objects.get().study.uid) == (200, "1.5")
    assert reader.post(STOW, b"text", content_type="application/dicom").status_code == 409


def test_a_single_body_that_is_too_large_is_refused(reader: Client, settings: Settings) -> None:
    settings.INSTANCE_MAX_BYTES = 100
    answer = reader.post(STOW, clip(), content_type="application/dicom")
    assert (answer.status_code, Clip.objects.count()) == (409, 0)


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        'multipart/related; type="application/dicom+json"; boundary=XYZ',
        "multipart/form-data; boundary=XYZ",
    ],
)
def test_other_types_are_415(reader: Client, kind: str) -> None:
    assert reader.post(STOW, related([clip()])[0], content_type=kind).status_code == 415


def test_a_compressed_body_is_415(reader: Client) -> None:
    assert _store(reader, [clip()], HTTP_CONTENT_ENCODING="gzip").status_code == 415


def test_an_answer_nobody_can_read_is_406_and_nothing_is_stored(reader: Client) -> None:
    assert _store(reader, [clip()], HTTP_ACCEPT="image/png").status_code == 406
    assert Clip.objects.count() == 0


def test_too_large_is_413(reader: Client, settings: Settings) -> None:
    settings.UPLOAD_MAX_BYTES = 100
    assert _store(reader, [clip()]).status_code == 413


def test_a_full_disk_is_507(reader: Client, settings: Settings) -> None:
    settings.DISK_RESERVE_BYTES = 1 << 60
    assert _store(reader, [clip()]).status_code == 507


def test_a_part_of_another_type_is_a_failure_of_its_own(reader: Client) -> None:
    body, kind = related([clip(), b"{}"])
    at = body.rindex(b"application/dicom\r\n")
    body = body[:at] + b"application/json\r\n" + body[at + len(b"application/dicom\r\n") :]
    assert reader.post(STOW, body, content_type=kind).status_code == 202


def test_strangers_and_annotators_store_nothing(annotator: User) -> None:
    client = Client()
    assert _store(client, [clip()]).status_code == 401
    client.force_login(annotator)
    assert _store(client, [clip()]).status_code == 403


def test_twenty_instances_of_one_study_come_in_together(reader: Client) -> None:
    answer = _store(reader, [clip(StudyInstanceUID="1.5") for _ in range(20)])
    assert (answer.status_code, Clip.objects.filter(study__uid="1.5").count()) == (200, 20)
