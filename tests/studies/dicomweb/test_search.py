"""QIDO-RS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import AuditEntry, AuditSubject, User
from studies.dicomweb.matching import wild
from studies.models import Clip
from studies.models import Patient as PatientRow

pytestmark = pytest.mark.django_db
Stored = Callable[..., Clip]
ROOT = "/dicom-web"


@pytest.fixture
def cohort(read_here: None, stored: Stored) -> None:
    """Three infants: an ultrasound study of two series, one with a report, one of another day."""
    one = {"StudyInstanceUID": "1.1", "PatientID": "P1", "PatientName": "Test^Infant", "AccessionNumber": "A1"}
    stored(**one, SeriesInstanceUID="1.1.1", SOPInstanceUID="1.1.1.1", SeriesNumber=1, InstanceNumber=1)
    stored(**one, SeriesInstanceUID="1.1.1", SOPInstanceUID="1.1.1.2", SeriesNumber=1, InstanceNumber=2)
    stored(**one, SeriesInstanceUID="1.1.2", SOPInstanceUID="1.1.2.1", SeriesNumber=2, BodyPartExamined="HEAD")
    two = {"StudyInstanceUID": "1.2", "PatientID": "P2", "PatientName": "Müller^Eva", "StudyDate": "20260206"}
    stored(**two, SeriesInstanceUID="1.2.1", SOPInstanceUID="1.2.1.1", SpecificCharacterSet="ISO_IR 192")
    stored(**two, SeriesInstanceUID="1.2.2", SOPInstanceUID="1.2.2.1", Modality="SR", SpecificCharacterSet="ISO_IR 192")
    code = Dataset()
    code.CodeValue = "CRANIAL"
    three = {"StudyInstanceUID": "1.3", "PatientID": "P3", "PatientName": "Testa^Ada^^", "StudyDate": "20260307"}
    stored(
        **three,
        SeriesInstanceUID="1.3.1",
        StudyTime="233000",
        ProcedureCodeSequence=[code],
        ReferringPhysicianName="Who^Doctor",
    )


def _get(client: Client, path: str, **headers: str) -> Any:
    return client.get(f"{ROOT}{path}", headers=headers)


def _uids(client: Client, query: str, path: str = "/studies", tag: str = "0020000D") -> list[str]:
    answer = _get(client, f"{path}?{query}")
    assert answer.status_code in (200, 204), answer.content
    return sorted(item[tag]["Value"][0] for item in answer.json()) if answer.content else []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["1.1", "1.2", "1.3"]),
        ("PatientID=P1", ["1.1"]),
        ("00100020=P1", ["1.1"]),
        ("00100020=p1", []),
        ("PatientID=P%3F", ["1.1", "1.2", "1.3"]),
        ("PatientName=Test%5EInfant", ["1.1"]),
        ("PatientName=test^infant", ["1.1"]),
        ("PatientName=TEST*", ["1.1", "1.3"]),
        ("PatientName=M%C3%9CLLER*", ["1.2"]),
        ("PatientName=Test", []),
        ("PatientName=Testa^Ada", ["1.3"]),
        ("PatientName=inf&fuzzymatching=true", ["1.1"]),
        ("PatientName=ada+testa&fuzzymatching=true", ["1.3"]),
        ("PatientName=nfant&fuzzymatching=true", []),
        ("PatientName=", ["1.1", "1.2", "1.3"]),
        ("StudyDate=20260105", ["1.1"]),
        ("StudyDate=20260106-", ["1.2", "1.3"]),
        ("StudyDate=-20260206", ["1.1", "1.2"]),
        ("StudyDate=20260106-20260207", ["1.2"]),
        ("StudyTime=1000-1100", ["1.1", "1.2"]),
        ("StudyTime=10-10", ["1.1", "1.2"]),
        ("StudyDate=20260105-20260307&StudyTime=110000-230000", ["1.2"]),
        ("StudyInstanceUID=1.1,1.2", ["1.1", "1.2"]),
        ("StudyInstanceUID=1.1%5C1.2", ["1.1", "1.2"]),
        ("StudyInstanceUID=1.1&StudyInstanceUID=1.3", ["1.1", "1.3"]),
        ("ModalitiesInStudy=SR", ["1.2"]),
        ("ModalitiesInStudy=US,SR", ["1.1", "1.2", "1.3"]),
        ("ModalitiesInStudy=SR%5CCT", ["1.2"]),
        ("ModalitiesInStudy=SR&ModalitiesInStudy=CT", ["1.2"]),
        ("AccessionNumber=A1", ["1.1"]),
        ("ReferringPhysicianName=who*", ["1.3"]),
        ("ProcedureCodeSequence.CodeValue=CRAN*", ["1.3"]),
        ("00081032.00080100=CRANIAL", ["1.3"]),
        ("BodyPartExamined=HEAD", ["1.1"]),
        ("SeriesInstanceUID=1.2.2", ["1.2"]),
        ("PatientID=P1&StudyDate=20260206", []),
    ],
)
def test_studies_are_found(reader: Client, cohort: None, query: str, found: list[str]) -> None:
    assert _uids(reader, query) == found


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/series", ["1.1.1", "1.1.2", "1.2.1", "1.2.2", "1.3.1"]),
        ("/series?Modality=SR", ["1.2.2"]),
        ("/series?PatientID=P1&SeriesNumber=2", ["1.1.2"]),
        ("/studies/1.1/series", ["1.1.1", "1.1.2"]),
        ("/studies/1.1/series?BodyPartExamined=HE*", ["1.1.2"]),
        ("/series?ModalitiesInStudy=SR", ["1.2.1", "1.2.2"]),
    ],
)
def test_series_are_found(reader: Client, cohort: None, path: str, found: list[str]) -> None:
    address, _, query = path.partition("?")
    assert _uids(reader, query, address, "0020000E") == found


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/instances?PatientID=P1", ["1.1.1.1", "1.1.1.2", "1.1.2.1"]),
        ("/studies/1.1/instances", ["1.1.1.1", "1.1.1.2", "1.1.2.1"]),
        ("/studies/1.1/series/1.1.1/instances", ["1.1.1.1", "1.1.1.2"]),
        ("/studies/1.1/series/1.1.1/instances?InstanceNumber=2", ["1.1.1.2"]),
        ("/studies/1.1/instances?SOPInstanceUID=1.1.1.1", ["1.1.1.1"]),
        ("/studies/1.1/instances?Rows=24&NumberOfFrames=2", ["1.1.1.1", "1.1.1.2", "1.1.2.1"]),
        ("/studies/1.1/instances?Rows=25", []),
    ],
)
def test_instances_are_found(reader: Client, cohort: None, path: str, found: list[str]) -> None:
    address, _, query = path.partition("?")
    assert _uids(reader, query, address, "00080018") == found


def test_a_study_says_what_the_standard_requires(reader: Client, cohort: None, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://us.example/"
    (item,) = _get(reader, "/studies?PatientID=P1", host="somewhere.else").json()
    values = {tag: element.get("Value") for tag, element in item.items()}
    assert values["00081190"] == ["https://us.example/dicom-web/studies/1.1"]
    assert (values["00080061"], values["00201206"], values["00201208"]) == (["US"], [2], [3])
    assert values["00100010"] == [{"Alphabetic": "Test^Infant"}]
    assert item["00080090"] == {"vr": "PN"}
    assert {"00080020", "00080030", "00080050", "00100030", "00100040", "0020000D", "00200010"} <= set(item)


def test_series_and_instances_say_what_the_standard_requires(reader: Client, cohort: None) -> None:
    series = _get(reader, "/studies/1.1/series?SeriesNumber=1").json()[0]
    assert (series["00201209"]["Value"], series["00080060"]["Value"]) == ([2], ["US"])
    assert series["00081190"]["Value"][0].endswith("/dicom-web/studies/1.1/series/1.1.1")
    instance = _get(reader, "/studies/1.1/series/1.1.1/instances").json()[0]
    values = [instance[tag]["Value"] for tag in ("00200013", "00280010", "00280011", "00280100", "00280008")]
    assert values == [[1], [24], [32], [8], [2]]
    assert instance["00081190"]["Value"][0].endswith("/studies/1.1/series/1.1.1/instances/1.1.1.1")


def test_a_search_of_all_says_of_which_study_each_is(reader: Client, cohort: None) -> None:
    item = _get(reader, "/instances?SOPInstanceUID=1.1.1.1").json()[0]
    assert (item["00100020"]["Value"], item["00080060"]["Value"]) == (["P1"], ["US"])
    assert "00100020" not in _get(reader, "/studies/1.1/instances").json()[0]


@pytest.mark.parametrize("field", ["SeriesDescription", "0008103E", "StudyDate,SeriesDescription", "all"])
def test_more_is_answered_where_it_is_asked_for(reader: Client, cohort: None, field: str) -> None:
    item = _get(reader, f"/studies/1.1/series?includefield={field}&SeriesNumber=1").json()[0]
    assert item["0008103E"]["Value"] == ["COR sweep"]


def test_everything_of_an_instance_is_its_header(reader: Client, cohort: None) -> None:
    item = _get(reader, "/studies/1.1/instances?includefield=all").json()[0]
    assert item["00181063"]["Value"] == [40.0]
    assert item["7FE00010"]["BulkDataURI"].endswith("/instances/1.1.1.1/bulkdata/7FE00010")


def test_pages_follow_one_another(reader: Client, cohort: None) -> None:
    first = _get(reader, "/studies?limit=2")
    assert first["Warning"].startswith("299 http://127.0.0.1")
    assert "offset=2" in first["Warning"]
    last = _get(reader, "/studies?limit=2&offset=2")
    assert ([len(first.json()), len(last.json())], "Warning" in last) == ([2, 1], False)
    assert _get(reader, "/studies?limit=2&offset=9").status_code == 204


@pytest.mark.parametrize("query", ["limit=1000000000", "limit=5&offset=0", "fuzzymatching=FALSE"])
def test_large_numbers_are_clamped(reader: Client, cohort: None, query: str) -> None:
    assert len(_get(reader, f"/studies?{query}").json()) == 3


@pytest.mark.parametrize(
    "query",
    [
        "NoSuchThing=1",
        "0010002=1",
        "limit=-1",
        "limit=0",
        "limit=x",
        "offset=%D9%A1",
        "fuzzymatching=perhaps",
        "StudyDate=yesterday",
        "StudyDate=20261301",
        "StudyDate=-",
        "StudyTime=2500",
        "StudyInstanceUID=abc",
        "PatientID.CodeValue=1",
        "PixelData=1",
        "Rows=24",
        "includefield=Nonsense",
        "00081032.00081032.00081032.00081032.00080100=1",
    ],
)
def test_what_makes_no_sense_is_400_with_a_sentence(reader: Client, cohort: None, query: str) -> None:
    answer = _get(reader, f"/studies?{query}")
    assert answer.status_code == 400
    assert answer.json()["detail"].endswith(".")


def test_nothing_found_is_204(reader: Client) -> None:
    assert (_get(reader, "/studies").status_code, _get(reader, "/studies/1.9/series").status_code) == (204, 204)


@pytest.mark.parametrize("accept", ["application/json", "application/dicom+json;q=0.5, text/html", "*/*", ""])
def test_the_answer_is_json_of_either_name(reader: Client, cohort: None, accept: str) -> None:
    assert _get(reader, "/studies", accept=accept).status_code == 200


def test_other_answers_are_406_with_a_sentence(reader: Client, cohort: None) -> None:
    answer = _get(reader, "/studies", accept='multipart/related; type="application/dicom+xml"')
    assert (answer.status_code, "application/dicom+json" in answer.json()["detail"]) == (406, True)


def test_one_audit_entry_names_the_patients_that_a_search_found(reader: Client, cohort: None) -> None:
    _get(reader, "/studies?StudyDate=20260106-")
    entry = AuditEntry.objects.get(action="dicom_studies.searched")
    named = AuditSubject.objects.filter(entry=entry).order_by("patient_id").values_list("patient_id", flat=True)
    assert (list(named), entry.detail["keys"]) == (["P2", "P3"], ["StudyDate"])


def test_a_search_for_studies_takes_few_queries(
    reader: Client, cohort: None, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(9):  # two of them for the audit, which names every infant
        _get(reader, "/studies?includefield=all&ModalitiesInStudy=US")
    with django_assert_max_num_queries(8):
        _get(reader, "/instances?includefield=all")


@pytest.mark.parametrize("path", ["/studies", "/series", "/instances", "/studies/1.1/series", "/studies/1.1/instances"])
def test_annotators_search_nothing(annotator: User, cohort: None, path: str) -> None:
    client = Client()
    client.force_login(annotator)
    assert _get(client, path).status_code == 403


@given(pattern=st.text("ab*?[]%_\\", max_size=8), text=st.text("ab[]%_\\", max_size=6))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_database_knows_the_wildcards_of_dicom(db: None, pattern: str, text: str) -> None:
    patient = PatientRow.objects.create(patient_id="x", issuer=text)
    found = PatientRow.objects.filter(pk=patient.pk, issuer__dicom_wild=pattern).exists()
    patient.delete()
    assert found is wild(pattern, text)


def test_a_pattern_of_many_stars_takes_no_time() -> None:
    assert not wild("*a" * 40 + "b", "a" * 4000)


@given(
    query=st.dictionaries(st.sampled_from(["PatientName", "StudyDate", "limit", "00081032.00080100", "x"]), st.text())
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_query_breaks_a_search(reader: Client, query: dict[str, str]) -> None:
    assert _get(reader, f"/studies?{urlencode(query, errors='replace')}").status_code in (200, 204, 400)
