"""Who labels without a list knows neither whose the pictures are nor what is written beside the ultrasound region,
unless the queue's admin says otherwise."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.utils import timezone
from PIL import Image
from pytest_django import Settings

from accounts.models import User
from accounts.roles import Role
from annotations import access_rules
from annotations.models import Context, LabelQueue, QueueItem
from annotations.queues.assignment import openable
from annotations.reads.lifecycle import Place
from live.models import Event
from live.queries import heard_after, message
from studies import storage
from studies.ingest.pipeline import Intake
from studies.ingest.results import Sender
from studies.models import Clip, Patient, Study
from tests.accounts.people import client_of, person
from tests.annotations import factories
from tests.studies.dicoms import COLUMNS, ROWS, clip, damaged, region

pytestmark = pytest.mark.django_db
NAMED = {
    "PatientID": "MRN-778899", "PatientName": "Zebrowski^Anna", "AccessionNumber": "ACC-4711",
    "StudyDescription": "Zebrowski head", "SeriesDescription": "COR Zebrowski", "PatientBirthDate": "20260101",
    "IssuerOfPatientID": "St-Elsewhere", "PatientAge": "009D",
}  # fmt: skip
TELLING = ("MRN-778899", "ebrowski", "ACC-4711", "2026-01-0", "20260101", "20260105", "St-Elsewhere")
ROLES = [Role.ANNOTATOR, Role.ADJUDICATOR]


@pytest.fixture(autouse=True)
def own_folders(settings: Settings, tmp_path: Path) -> None:
    settings.STORAGE_URL = f"file://{tmp_path}/storage"
    settings.WORK_FOLDER = tmp_path / "work"


def stored(**facts: Any) -> Clip:
    """A clip that came in, of an infant who is named wherever a header can."""
    intake = Intake(Sender("test"))
    intake.add("a.dcm", [clip(**NAMED | {"SequenceOfUltrasoundRegions": [region(x1=20)]} | facts)])
    return Clip.objects.select_related("study__patient").get(sop_uid=intake.finish()[0].sop_uid)


def urls_of(study: Study) -> dict[str, str]:
    """Every address at which somebody who labels the study reads of it."""
    item, base = factories.item(study), f"/api/v1/studies/{study.uid}/"
    where = f"context=queue&item={item.pk}"
    return {
        "study": base, "reads": f"{base}reads/?{where}", "score": f"{base}score/", "ahead": f"{base}ahead/?{where}",
        "earlier": f"{base}reads/earlier/?{where}", "page": f"/label/{item.pk}/", "queue": "/api/v1/label-queue/",
        "events": "/api/v1/events/?after=0", "agreement": "/api/v1/agreement/", "home": "/label/",
    }  # fmt: skip


CLOSED_TO_ROLES = [
    "/api/v1/studies/{uid}/timeline/", "/api/v1/studies/{uid}/history/", "/api/v1/worklist/?q=Zebrowski",
    "/studies/{uid}/", "/studies/{uid}/history/", "/api/v1/labels/export/", "/patients/{patient}/",
    "/api/v1/patients/{patient}/", "/api/v1/patients/suggestions/", "/audit/",
    "/api/v1/studies/{uid}/priors/{uid}/drawings/",
]  # fmt: skip


def told(user: User, url: str) -> str:
    answer = client_of(user).get(url)
    assert answer.status_code in (200, 302), (url, answer.status_code, answer.content)
    return answer.content.decode()


def telling(text: str) -> list[str]:
    return [word for word in TELLING if word in text]


def picture(user: User, of: Clip, frame: int = 1) -> np.ndarray[Any, Any]:
    answer = client_of(user).get(f"/api/v1/studies/{of.study.uid}/clips/{of.sop_uid}/frames/{frame}/")
    assert answer.status_code == 200, answer.content
    return np.array(Image.open(io.BytesIO(answer.content)))


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("where", ["study", "reads", "score", "ahead", "earlier", "page", "queue", "events", "home"])
def test_no_answer_names_the_infant_to_who_labels(role: Role, where: str) -> None:
    labeller, made = person(role), stored()
    factories.queue(made.study, readers=[labeller])
    assert telling(told(labeller, urls_of(made.study)[where])) == []


def test_the_study_names_the_infant_to_who_reads_the_list() -> None:
    made, reader = stored(), person(Role.RADIOLOGIST)
    factories.queue(made.study)
    found = told(reader, urls_of(made.study)["study"])
    assert telling(found) == [word for word in TELLING if word not in ("20260101", "20260105")]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("url", CLOSED_TO_ROLES)
def test_what_names_infants_is_closed_to_who_labels(role: Role, url: str) -> None:
    labeller, made = person(role), stored()
    factories.queue(made.study, readers=[labeller])
    answer = client_of(labeller).get(url.format(uid=made.study.uid, patient=made.study.patient_id))
    assert (answer.status_code in (403, 404), telling(answer.content.decode())) == (True, [])


def test_a_stand_in_and_the_age_are_there() -> None:
    labeller, made = person(Role.ANNOTATOR), stored()
    factories.queue(made.study, readers=[labeller])
    study = json.loads(told(labeller, urls_of(made.study)["study"]))
    assert (study["patient"]["patient_id"], study["day_of_life"], study["patient"]["url"]) == ("Infant 0001", 4, "")


def test_a_stand_in_is_of_the_infant_and_the_same_for_every_reader() -> None:
    infant = factories.patient()
    studies = [factories.study(of=infant), factories.study(), factories.study(of=infant)]
    queue = factories.queue(*studies)
    names = [access_rules.stand_in(queue.pk, study.patient) for study in studies]
    assert names[0] == names[2] != names[1]
    items = list(QueueItem.objects.select_related("queue", "study__patient").order_by("position"))
    assert list(access_rules.called(person(Role.ADJUDICATOR), items).values()) == names


def test_another_queue_has_other_stand_ins() -> None:
    studies = [factories.study() for _ in range(30)]
    queues = [factories.queue(*studies).pk for _ in range(2)]
    items = QueueItem.objects.filter(queue=queues[1]).order_by("pk")
    for number, item in enumerate(items):
        QueueItem.objects.filter(pk=item.pk).update(shuffle_key=1000 - number)
    names = [[access_rules.stand_in(queue, study.patient) for study in studies] for queue in queues]
    assert names[0] != names[1]
    assert sorted(names[0]) == sorted(names[1])


@pytest.mark.parametrize("role", ROLES)
def test_a_frame_is_black_outside_the_region(role: Role) -> None:
    labeller, made = person(role), stored()
    factories.queue(made.study, readers=[labeller])
    shown, whole = picture(labeller, made), picture(person(Role.RADIOLOGIST), made)
    assert (shown[3:ROWS, 2:21] == whole[3:ROWS, 2:21]).all()
    shown[3:ROWS, 2:21] = 0
    assert [bool(part.any()) for part in (shown, whole[:3], whole[:, 21:])] == [False, True, True]


def test_who_reads_the_list_has_whole_pictures_before_and_after() -> None:
    labeller, reader, made = person(Role.ANNOTATOR), person(Role.RADIOLOGIST), stored()
    factories.queue(made.study, readers=[labeller])
    first = picture(reader, made)
    picture(labeller, made)
    assert (picture(reader, made) == first).all()
    assert first[:3].any()


def test_the_thumbnail_is_black_outside_the_region() -> None:
    labeller, made = person(Role.ANNOTATOR), stored()
    factories.queue(made.study, readers=[labeller])
    small = client_of(labeller).get(f"/api/v1/studies/{made.study.uid}/clips/{made.sop_uid}/thumbnail/").content
    assert np.asarray(Image.open(io.BytesIO(small)))[:, 28:].max() < 40


def test_a_run_of_frames_is_black_outside_the_region() -> None:
    labeller, made = person(Role.ANNOTATOR), stored()
    factories.queue(made.study, readers=[labeller])
    body = client_of(labeller).get(f"/api/v1/studies/{made.study.uid}/clips/{made.sop_uid}/frames/1-2/").content
    size = int.from_bytes(body[:4], "big")
    (first, _) = json.loads(body[4 : 4 + size])
    shown = np.asarray(Image.open(io.BytesIO(body[4 + size : 4 + size + first["size"]])))
    assert [bool(part.any()) for part in (shown[:3], shown)] == [False, True]


@pytest.fixture
def without_region() -> Clip:
    return stored(SequenceOfUltrasoundRegions=None)


def _addresses(made: Clip) -> list[str]:
    base = f"/api/v1/studies/{made.study.uid}/clips/{made.sop_uid}/"
    return [f"{base}frames/1/", f"{base}thumbnail/"]


def test_a_picture_without_a_region_is_not_shown_and_says_why(without_region: Clip) -> None:
    labeller = person(Role.ANNOTATOR)
    factories.queue(without_region.study, readers=[labeller])
    answers = [client_of(labeller).get(url) for url in _addresses(without_region)]
    assert [answer.status_code for answer in answers] == [422, 422]
    (described,) = json.loads(told(labeller, urls_of(without_region.study)["study"]))["clips"]
    assert "names no ultrasound region" in described["decode_error"] == answers[0].json()["detail"]


def test_a_scale_from_pixel_spacing_is_no_region_that_may_be_shown() -> None:
    labeller, made = person(Role.ANNOTATOR), stored(SequenceOfUltrasoundRegions=None, PixelSpacing=[0.2, 0.2])
    factories.queue(made.study, readers=[labeller])
    assert [region["source"] for region in made.regions] == ["Pixel Spacing"]
    assert [client_of(labeller).get(url).status_code for url in _addresses(made)] == [422, 422]


@pytest.mark.parametrize("option", ["whole_pictures", "identified"])
def test_an_admin_opens_whole_pictures_for_a_queue(without_region: Clip, option: str) -> None:
    labeller = person(Role.ANNOTATOR)
    queue = factories.queue(without_region.study, readers=[labeller])
    client_of(person(Role.ADMIN)).patch(f"/api/v1/queues/{queue.pk}/", {option: True}, "application/json")
    assert [client_of(labeller).get(url).status_code for url in _addresses(without_region)] == [200, 200]


def test_an_admin_names_the_infants_of_a_queue() -> None:
    labeller, made = person(Role.ANNOTATOR), stored()
    queue = factories.queue(made.study, readers=[labeller])
    client_of(person(Role.ADMIN)).patch(f"/api/v1/queues/{queue.pk}/", {"identified": True}, "application/json")
    assert "MRN-778899" in told(labeller, urls_of(made.study)["study"])
    assert picture(labeller, made)[:3].any()


def test_whole_pictures_name_nobody(without_region: Clip) -> None:
    labeller = person(Role.ANNOTATOR)
    LabelQueue.objects.filter(pk=factories.queue(without_region.study, readers=[labeller]).pk).update(
        whole_pictures=True
    )
    assert telling(told(labeller, urls_of(without_region.study)["study"])) == []


def _disputed(made: Clip) -> QueueItem:
    readers = [person(Role.ANNOTATOR), person(Role.ANNOTATOR)]
    factories.queue(made.study, readers=readers)
    item = factories.item(made.study)
    for reader, grade in zip(readers, (0, 3), strict=True):
        factories.commit_at(Place(made.study, reader, Context.QUEUE, item), {"left": grade, "right": 0})
    return item


@pytest.mark.parametrize(
    "url",
    ["/adjudicate/", "/adjudicate/{item}/", "/api/v1/discussions/{item}/", "/api/v1/studies/{uid}/", "/api/v1/labels/"],
)
def test_who_adjudicates_is_told_a_stand_in(url: str) -> None:
    made = stored()
    item, adjudicator = _disputed(made), person(Role.ADJUDICATOR)
    assert telling(told(adjudicator, url.format(item=item.pk, uid=made.study.uid))) == []


def test_an_admin_who_adjudicates_is_told_the_number() -> None:
    _disputed(stored())
    assert "MRN-778899" in told(person(Role.ADMIN), "/adjudicate/")


def test_unblinded_the_score_of_a_dispute_has_no_date() -> None:
    made = stored()
    item, adjudicator = _disputed(made), person(Role.ADJUDICATOR)
    factories.scored(made.study)
    url = f"/api/v1/discussions/{item.pk}/unblind/"
    shown = client_of(adjudicator).post(url, {"reason": "needed"}, "application/json").json()["unblinded"]["score"]
    assert (shown["flag"], shown["scored_at"]) == ("suspected", None)


def test_priors_have_distances_and_no_dates() -> None:
    labeller, made = person(Role.ANNOTATOR), stored()
    later = stored(StudyDate="20260109")
    factories.queue(made.study, later.study, readers=[labeller])
    (prior,) = json.loads(told(labeller, f"/api/v1/studies/{later.study.uid}/"))["priors"]
    assert (prior["acquired_at"], prior["days_before"], prior["summary"]) == (None, 4, "Ultrasound, 1 clips")


def test_events_carry_no_name() -> None:
    labeller, made = person(Role.ANNOTATOR), stored()
    factories.queue(made.study, readers=[labeller])
    heard = [message(event) for event in heard_after(labeller, 0, upto=Event.objects.count() + 99)]
    assert telling(json.dumps(heard)) == []


def test_after_the_own_answer_the_infant_stays_unnamed() -> None:
    labeller, made = person(Role.ANNOTATOR), stored()
    factories.queue(made.study, readers=[labeller])
    factories.commit_at(Place(made.study, labeller, Context.QUEUE, factories.item(made.study)), {})
    assert openable(labeller).exists()
    assert [telling(told(labeller, url)) for url in urls_of(made.study).values()] == [[]] * 10


def test_a_form_makes_a_queue_closed_unless_it_says_otherwise() -> None:
    factories.study()
    admin = client_of(person(Role.ADMIN))
    bodies: list[dict[str, Any]] = [{}, {"identified": True, "whole_pictures": True}]
    made = [
        admin.post("/api/v1/queues/", {"name": "Q", "source": "filter", "filter": {"queued": True}, **more},
                   "application/json").json()["id"]
        for more in bodies
    ]  # fmt: skip
    opened = [(queue.identified, queue.whole_pictures) for queue in LabelQueue.objects.filter(pk__in=made)]
    assert opened == [(False, False), (True, True)]


@pytest.mark.parametrize(
    "planted", [{"PhotometricInterpretation": "ZEBROWSKI 20260105"}, {"Modality": "ZEBROWSKI"}, {"SamplesPerPixel": 4}]
)
def test_words_that_a_header_says_instead_of_a_term_are_not_passed_on(planted: dict[str, Any]) -> None:
    labeller, made = person(Role.ANNOTATOR), stored(**{"PhotometricInterpretation": "ZEBROWSKI"} | planted)
    factories.queue(made.study, readers=[labeller])
    url = urls_of(made.study)["study"]
    assert ["ZEBROWSKI" in told(user, url) for user in (labeller, person())] == [False, True]


def test_why_a_picture_cannot_be_shown_is_not_said_in_the_header_s_words() -> None:
    labeller, made = person(Role.ANNOTATOR), stored(PhotometricInterpretation="ZEBROWSKI", SamplesPerPixel=4)
    factories.queue(made.study, readers=[labeller])
    url = f"/api/v1/studies/{made.study.uid}/clips/{made.sop_uid}/frames/1/"
    answers = [client_of(user).get(url) for user in (labeller, person())]
    assert [(each.status_code, b"ZEBROWSKI" in each.content) for each in answers] == [(422, False), (422, True)]


def test_what_was_decided_about_pixels_in_known_terms_is_passed_on() -> None:
    labeller, made = person(Role.ANNOTATOR), stored(PhotometricInterpretation="RGB")
    factories.queue(made.study, readers=[labeller])
    notes = json.loads(told(labeller, urls_of(made.study)["study"]))["notes"]
    assert any("Its header says RGB of its colours" in note for note in notes)


def test_that_a_picture_was_replaced_is_said_without_a_date() -> None:
    labeller, made = person(Role.ANNOTATOR), stored()
    factories.queue(made.study, readers=[labeller])
    Clip.objects.filter(pk=made.pk).update(replaced_at=timezone.now())
    url, year = urls_of(made.study)["study"], f"{timezone.localdate():%Y-}"
    said = [" ".join(json.loads(told(user, url))["notes"]) for user in (labeller, person())]
    assert ["shows another picture" in text for text in said] == [True, True]
    assert [year in text for text in said] == [False, True]


def test_a_twin_of_a_closed_queue_is_not_named_beside_one_who_is() -> None:
    labeller, made, twin = person(Role.ANNOTATOR), stored(), factories.study(of=factories.patient(twin_group="T"))
    Patient.objects.filter(pk=made.study.patient_id).update(twin_group="T")
    open_queue = factories.queue(made.study, readers=[labeller])
    LabelQueue.objects.filter(pk=open_queue.pk).update(identified=True)
    factories.queue(twin, readers=[labeller])
    (sibling,) = json.loads(told(labeller, urls_of(made.study)["study"]))["siblings"]
    assert (sibling["patient_id"], sibling["acquired_at"]) == ("Infant", None)


@pytest.mark.parametrize("end", ["frames/1/", "thumbnail/"])
def test_a_masked_picture_of_a_file_that_has_changed_is_not_shown_again(end: str) -> None:
    labeller, made = person(Role.ANNOTATOR), stored()
    factories.queue(made.study, readers=[labeller])
    url = f"/api/v1/studies/{made.study.uid}/clips/{made.sop_uid}/{end}"
    assert client_of(labeller).get(url).status_code == 200
    path = storage.verified(made.digest)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes() + b"x")
    assert "has changed on the disk" in client_of(labeller).get(url).json()["detail"]


def _palette() -> dict[str, Any]:
    table: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for number, colour in enumerate(("Red", "Green", "Blue"), 1):
        table[f"{colour}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        table[f"{colour}PaletteColorLookupTableData"] = np.full(256, number << 12, np.uint16).tobytes()
    return table


def _words() -> dict[str, Any]:
    values = np.random.default_rng(1).integers(1, 4096, (2, ROWS, COLUMNS), dtype=np.uint16)
    return {"BitsAllocated": 16, "BitsStored": 12, "HighBit": 11, "PixelData": values.tobytes()}


def _colours() -> dict[str, Any]:
    values = np.random.default_rng(1).integers(1, 256, (2, ROWS, COLUMNS, 3), dtype=np.uint8)
    return {
        "SamplesPerPixel": 3,
        "PhotometricInterpretation": "RGB",
        "PlanarConfiguration": 0,
        "PixelData": values.tobytes(),
    }


KINDS = {"palette": _palette, "twelve bits": _words, "colours": _colours}


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_of_every_kind_are_black_outside_the_region(kind: str) -> None:
    labeller, made = person(Role.ANNOTATOR), stored(**KINDS[kind]())
    factories.queue(made.study, readers=[labeller])
    shown, whole = picture(labeller, made), picture(person(Role.RADIOLOGIST), made)
    assert whole[:3].any()
    assert (shown[3:ROWS, 2:21] == whole[3:ROWS, 2:21]).all()
    shown[3:ROWS, 2:21] = 0
    assert not shown.any()


def test_the_device_s_own_jpeg_is_not_passed_through_to_who_labels() -> None:
    intake = Intake(Sender("test"))
    intake.add("a.dcm", [damaged(**NAMED | {"SequenceOfUltrasoundRegions": [region(x1=20)]})])
    made = Clip.objects.select_related("study__patient").get(sop_uid=intake.finish()[0].sop_uid)
    labeller = person(Role.ANNOTATOR)
    factories.queue(made.study, readers=[labeller])
    url = f"/api/v1/studies/{made.study.uid}/clips/{made.sop_uid}/frames/1/"
    kinds = [client_of(user).get(url)["Content-Type"] for user in (labeller, person())]
    assert kinds == ["image/png", "image/jpeg"]
    assert not picture(labeller, made)[:, 21:].any()
