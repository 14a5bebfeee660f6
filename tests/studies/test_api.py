from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from django.test import Client
from PIL import Image
from pytest_django import Settings

from accounts.models import AuditEntry, User
from studies import storage
from studies.ingest.results import IngestResult
from studies.models import Clip, Patient
from tests.studies.dicoms import BUNDLED, ROWS, damaged, dataset, encoded, region

Stored = Callable[..., Clip]


def _urls(clip: Clip) -> tuple[str, str]:
    study = f"/api/v1/studies/{clip.study.uid}/"
    return study, f"{study}clips/{clip.sop_uid}/"


def test_a_study_tells_its_patient_and_clips(reader: Client, stored: Stored) -> None:
    clip = stored(SequenceOfUltrasoundRegions=[region()])
    study = reader.get(_urls(clip)[0]).json()
    assert study["patient"]["name"] == "Test^Infant"
    assert (study["day_of_life"], study["priority"], study["status"]) == (4, "routine", "waiting")
    (clip,) = study["clips"]
    assert (clip["fps"], clip["fps_source"], clip["calibration"]) == (25.0, "frame_time", "calibrated")
    assert clip["frame_url"].endswith("/frames/{frame}/")


@pytest.mark.parametrize(
    ("facts", "rate"),
    [
        ({"FrameTime": None, "FrameTimeVector": [0, 50]}, (20.0, "vector")),
        ({"FrameTime": "40", "FrameTimeVector": [0, 50]}, (20.0, "vector")),
        ({"FrameTime": "0"}, (24.0, "default")),
        ({"FrameTime": "0.033"}, (24.0, "default")),
        ({"FrameTime": None, "FrameTimeVector": [0, 0.033]}, (24.0, "default")),
        ({"FrameTime": "40", "FrameTimeVector": [0, 50], "FrameIncrementPointer": 0x00181063}, (25.0, "frame_time")),
        ({"FrameTime": None, "CineRate": 18}, (18.0, "recommended")),
        ({"FrameTime": None}, (24.0, "default")),
    ],
)
def test_the_frame_rate_says_where_it_comes_from(
    reader: Client, stored: Stored, facts: dict[str, object], rate: tuple[float, str]
) -> None:
    (clip,) = reader.get(_urls(stored(**facts))[0]).json()["clips"]
    assert (clip["fps"], clip["fps_source"]) == rate


@pytest.mark.parametrize(
    ("time", "why"), [("0.033", "the file's frame time of 0.033 ms cannot be true"), (None, ""), ("40", "")]
)
def test_a_rate_that_is_not_believed_says_why(reader: Client, stored: Stored, time: str | None, why: str) -> None:
    (clip,) = reader.get(_urls(stored(FrameTime=time))[0]).json()["clips"]
    assert clip["fps_flaw"] == why


def test_without_a_mastoid_view_the_posterior_fossa_is_not_assessed(reader: Client, stored: Stored) -> None:
    note = "No mastoid view: posterior fossa not assessed."
    clip = stored(StudyInstanceUID="1.7")
    assert note in reader.get(_urls(clip)[0]).json()["notes"]
    stored(StudyInstanceUID="1.7", SeriesDescription="Mastoid right")
    assert note not in reader.get(_urls(clip)[0]).json()["notes"]


def test_what_was_decided_about_pixels_is_a_note_that_names_the_clips(reader: Client, stored: Stored) -> None:
    for number, bits in enumerate((12, 8, 12), 1):
        clip = stored(
            StudyInstanceUID="1.7", BitsStored=bits, AcquisitionDateTime=f"2026010510{number}000", seed=number
        )
    notes = reader.get(_urls(clip)[0]).json()["notes"]
    assert "Clips 1, 3: Its header says 12 bits stored in 8: taken as 8." in notes
    assert clip.pixel_notes == [sentence for sentence in clip.warnings if "bits stored" in sentence]


def test_a_study_without_ultrasound_has_no_such_note(reader: Client, stored: Stored) -> None:
    assert reader.get(_urls(stored(Modality="CT"))[0]).json()["notes"] == []


def test_clips_come_in_the_order_of_acquisition(reader: Client, stored: Stored) -> None:
    for hour in ("12", "10", "11"):
        clip = stored(
            StudyInstanceUID="1.7", AcquisitionDateTime=f"20260105{hour}0000", SeriesDescription=f"COR {hour}"
        )
    labels = [each["label"] for each in reader.get(_urls(clip)[0]).json()["clips"]]
    assert labels == ["COR 10", "COR 11", "COR 12"]


def test_earlier_studies_of_the_infant_are_priors(reader: Client, stored: Stored) -> None:
    first, second = stored(StudyDate="20260103"), stored(StudyDate="20260110")
    stored(PatientID="other", StudyDate="20260101")
    priors = reader.get(_urls(second)[0]).json()["priors"]
    assert [(prior["study_uid"], prior["days_before"]) for prior in priors] == [(first.study.uid, 7)]
    assert reader.get(_urls(first)[0]).json()["priors"] == []


def test_a_frame_is_served_with_its_source(reader: Client, stored: Stored) -> None:
    response = reader.get(_urls(stored())[1] + "frames/2/")
    assert (response.status_code, response["Content-Type"], response["X-Fontanelle-Source"]) == (
        200,
        "image/png",
        "png",
    )
    assert response["Cache-Control"] == "private, no-store"
    assert Image.open(io.BytesIO(response.content)).size == (32, ROWS)


def test_a_second_look_comes_from_the_cache(reader: Client, stored: Stored) -> None:
    clip = stored()
    url = _urls(clip)[1] + "frames/1/"
    first = reader.get(url).content
    storage.store().local(clip.digest).unlink()
    assert reader.get(url).content == first


def test_cached_pictures_are_readable_by_their_owner_alone(reader: Client, stored: Stored, settings: Settings) -> None:
    url = _urls(stored())[1]
    for end in ("frames/1/", "thumbnail/"):
        reader.get(url + end)
    files = [path for path in (settings.WORK_FOLDER / "frames").rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


def test_every_frame_that_is_shown_is_in_the_trail(reader: Client, stored: Stored) -> None:
    clip = stored()
    for frame in (1, 2):
        reader.get(_urls(clip)[1] + f"frames/{frame}/")
    shown = AuditEntry.objects.filter(action="frame.viewed", study_uid=clip.study.uid)
    assert sorted(entry.detail["frame"] for entry in shown) == [1, 2]


@pytest.mark.parametrize("frame", [0, 3, 10**12])
def test_a_frame_that_is_not_there_is_not_found(reader: Client, stored: Stored, frame: int) -> None:
    assert reader.get(_urls(stored())[1] + f"frames/{frame}/").status_code == 404


def test_pixels_that_cannot_be_decoded_are_422_with_a_reason(reader: Client, take: Callable[..., object]) -> None:
    take((BUNDLED / "JPEG2000-embedded-sequence-delimiter.dcm").read_bytes())
    clip = Clip.objects.get()
    response = reader.get(_urls(clip)[1] + "frames/1/")
    assert (response.status_code, response.json()["code"]) == (422, "undecodable")
    (said,) = reader.get(_urls(clip)[0]).json()["clips"]
    assert (said["decode_error"], said["scorable"]) == (response.json()["detail"], clip.frames > 1)


def test_a_file_changed_on_the_disk_is_not_rendered(reader: Client, stored: Stored) -> None:
    clip = stored()
    path = storage.store().local(clip.digest)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    response = reader.get(_urls(clip)[1] + "frames/1/")
    assert response.status_code == 422
    assert "changed on the disk" in response.json()["detail"]
    entry = AuditEntry.objects.get(action="instance.damage_noticed")
    assert (entry.patient_id, entry.study_uid, entry.detail["sop_uid"]) == ("P1", clip.study.uid, clip.sop_uid)


def test_an_object_without_pixels_has_no_frame(reader: Client, stored: Stored) -> None:
    clip = stored(PixelData=None)
    assert reader.get(_urls(clip)[1] + "frames/1/").status_code == 422
    assert reader.get(_urls(clip)[1] + "thumbnail/").status_code == 422


def test_a_thumbnail_is_a_small_jpeg(reader: Client, stored: Stored) -> None:
    response = reader.get(_urls(stored())[1] + "thumbnail/")
    assert Image.open(io.BytesIO(response.content)).format == "JPEG"


def test_a_picture_is_sent_whatever_the_client_accepts(reader: Client, stored: Stored) -> None:
    assert reader.get(_urls(stored())[1] + "frames/1/", HTTP_ACCEPT="image/avif").status_code == 200


def test_a_clip_of_another_study_is_not_found_under_this_one(reader: Client, stored: Stored) -> None:
    one, other = stored(), stored()
    assert reader.get(f"/api/v1/studies/{one.study.uid}/clips/{other.sop_uid}/frames/1/").status_code == 404


@pytest.mark.parametrize("end", ["", "clips/{}/frames/1/", "clips/{}/thumbnail/"])
def test_an_annotator_without_the_study_in_a_queue_gets_404(stored: Stored, annotator: User, end: str) -> None:
    client = Client()
    client.force_login(annotator)
    clip = stored()
    assert client.get(_urls(clip)[0] + end.format(clip.sop_uid)).status_code == 404
    entry = AuditEntry.objects.get(user=annotator)
    assert (entry.action, entry.outcome, entry.patient_id) == ("access.refused", "refused", "")


def test_a_stranger_gets_401(stored: Stored) -> None:
    assert Client().get(_urls(stored())[0]).status_code == 401


def test_priority_changes_and_is_audited(reader: Client, stored: Stored) -> None:
    url = _urls(stored())[0]
    assert reader.patch(url, {"priority": "stat"}, content_type="application/json").json()["priority"] == "stat"
    assert AuditEntry.objects.get(action="study.priority_changed").detail == {"priority": "stat"}


@pytest.mark.parametrize("priority", ["now", "", None, 3])
def test_a_priority_that_is_none_is_refused(reader: Client, stored: Stored, priority: object) -> None:
    response = reader.patch(_urls(stored())[0], {"priority": priority}, content_type="application/json")
    assert response.status_code == 400


def test_a_script_in_a_name_is_only_text(reader: Client, stored: Stored) -> None:
    clip = stored(PatientName="<script>alert(1)</script>", StudyDescription="'; DROP TABLE")
    study = reader.get(_urls(clip)[0])
    assert study["Content-Type"] == "application/json"
    assert study.json()["patient"]["name"] == "<script>alert(1)</script>"


def test_a_twins_studies_are_siblings(reader: Client, stored: Stored) -> None:
    one, other = stored(PatientID="A"), stored(PatientID="B")
    Patient.objects.update(twin_group="T")
    (sibling,) = reader.get(_urls(one)[0]).json()["siblings"]
    assert (sibling["study_uid"], sibling["patient_id"]) == (other.study.uid, "B")


def test_a_jpeg_clip_is_passed_through(reader: Client, take: Callable[..., object]) -> None:
    take((BUNDLED / "examples_ybr_color.dcm").read_bytes())
    response = reader.get(_urls(Clip.objects.get())[1] + "frames/30/")
    assert (response["Content-Type"], response["X-Fontanelle-Source"]) == ("image/jpeg", "passthrough")


def test_big_endian_deflated_and_odd_files_are_shown(reader: Client, take: Callable[..., object]) -> None:
    take(encoded(dataset(frames=1), syntax="1.2.840.10008.1.2.1.99"))
    assert reader.get(_urls(Clip.objects.get())[1] + "frames/1/").status_code == 200


@pytest.mark.django_db
def test_a_damaged_frame_takes_no_other_along(reader: Client, take: Callable[..., IngestResult]) -> None:
    clip = Clip.objects.select_related("study").get(sop_uid=take(damaged()).sop_uid)
    frames = [reader.get(f"{_urls(clip)[1]}frames/{number}/") for number in (1, 2, 3, 4)]
    assert [answer.status_code for answer in frames] == [200, 422, 200, 200]
    assert "damaged" in frames[1].json()["detail"]
    assert reader.get(f"{_urls(clip)[1]}thumbnail/").status_code == 200
