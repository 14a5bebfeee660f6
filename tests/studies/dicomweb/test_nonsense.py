"""Whatever somebody asks of DICOMweb, the answer is no server error."""

from __future__ import annotations

from urllib.parse import quote, urlencode

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.studies.conftest import Take
from tests.studies.dicoms import clip

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume asynchronous"),
]
INSTANCE = "studies/1.1/series/1.1.1/instances/1.1.1.1"
UIDS = {"StudyInstanceUID": "1.1", "SeriesInstanceUID": "1.1.1", "SOPInstanceUID": "1.1.1.1"}
ENDS = ["", "/metadata", "/rendered", "/thumbnail", "/frames/{}", "/frames/{}/rendered", "/bulkdata/{}", "/{}"]
NAMES = ["window", "viewport", "quality", "accept", "limit", "offset", "includefield", "PatientName", "00080020", "x"]
KINDS = ["*/*", "image/jpeg", "application/dicom", "multipart/related", 'type="a', "transfer-syntax=*", "q=", ";", ","]

texts = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=12)
values = st.one_of(texts, st.sampled_from(["1", "1,2", "-1", "1e9", "nan", "0,0,9,9,1,1", "7FE00010", "*", "%"]))
accepts = st.lists(st.sampled_from(KINDS), max_size=6).map("".join)
RANGES = ["", "bytes=0-", "bytes=-0", "bytes=9-1", "bytes=99999999999999999999-", "x"]
uids = st.one_of(st.just("1.1"), st.just("1.9"), texts)


@given(end=st.sampled_from(ENDS), part=values, query=st.dictionaries(st.sampled_from(NAMES), values, max_size=3))
@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_question_about_an_instance_breaks_the_server(
    reader: Client, read_here: None, take: Take, end: str, part: str, query: dict[str, str]
) -> None:
    take(clip(**UIDS))
    path = f"/dicom-web/{INSTANCE}{end.format(quote(part, safe=''))}?{urlencode(query)}"
    assert reader.get(path).status_code < 500


@given(end=st.sampled_from(ENDS), accept=accepts, span=st.sampled_from(RANGES), known=texts)
@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_header_breaks_the_server(
    reader: Client, read_here: None, take: Take, end: str, accept: str, span: str, known: str
) -> None:
    take(clip(**UIDS))
    headers = {"accept": accept, "range": span, "if-none-match": known, "if-range": known}
    assert reader.get(f"/dicom-web/{INSTANCE}{end.format('1')}", headers=headers).status_code < 500


@given(study=uids, series=uids, query=st.dictionaries(st.sampled_from(NAMES), values, max_size=4))
@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_search_breaks_the_server(
    reader: Client, read_here: None, take: Take, study: str, series: str, query: dict[str, str]
) -> None:
    take(clip(**UIDS))
    below = f"/dicom-web/studies/{quote(study, safe='')}/series/{quote(series, safe='')}/instances"
    for path in ("/dicom-web/studies", "/dicom-web/instances", below):
        assert reader.get(f"{path}?{urlencode(query)}").status_code < 500


@given(kind=accepts, body=st.binary(max_size=200))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_body_breaks_the_server(reader: Client, read_here: None, kind: str, body: bytes) -> None:
    for content_type in (kind, "application/dicom", 'multipart/related; type="application/dicom"; boundary=a'):
        assert reader.post("/dicom-web/studies", body, content_type=content_type).status_code < 500
