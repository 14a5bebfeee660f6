"""docs/dicom-conformance.md says what is there: each line of its table is tried."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from studies.dicomweb.urls import urlpatterns
from tests.studies.conftest import Take
from tests.studies.dicoms import clip

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume asynchronous"),
]
PAGE = Path(__file__).resolve().parents[3] / "docs" / "dicom-conformance.md"
ROW = re.compile(r"^\| (GET|POST|DELETE) \| `([^`]+)` \| [^|]+ \| ([\d, ]+) \|$", re.MULTILINE)
FILLING = {"study": "1.1", "series": "1.1.1", "instance": "1.1.1.1", "steps": "7FE00010", "frames": "1"}
UIDS = {"StudyInstanceUID": "1.1", "SeriesInstanceUID": "1.1.1", "SOPInstanceUID": "1.1.1.1"}


def _rows() -> list[tuple[str, str, set[int]]]:
    return [(method, path, set(map(int, codes.split(", ")))) for method, path, codes in ROW.findall(PAGE.read_text())]


def _routes() -> Iterator[tuple[str, str]]:
    for each in urlpatterns:
        path = "/" + re.sub(r"<\w+:(\w+)>", r"{\1}", str(each.pattern)).removeprefix("dicom-web/")
        view: Any = each.callback
        methods = {"get", "post", "delete"} & set(dir(view.view_class))
        yield from ((method.upper(), path) for method in methods)


def test_each_address_that_exists_is_on_the_page() -> None:
    assert {(method, path) for method, path, _ in _rows()} == set(_routes())


@pytest.mark.parametrize(("method", "path", "codes"), _rows(), ids=lambda value: str(value))
def test_each_line_is_true(admin: User, read_here: None, take: Take, method: str, path: str, codes: set[int]) -> None:
    client = Client()
    client.force_login(admin)
    take(clip(**UIDS))
    address = f"/dicom-web{path.format(**FILLING)}"
    answer = client.generic(method, address, clip(**UIDS) if method == "POST" else b"", "application/dicom")
    assert answer.status_code == min(codes)
    if 304 in codes:
        assert client.get(address, headers={"if-none-match": answer["ETag"]}).status_code == 304
    if 204 in codes and method == "GET":
        assert client.get(f"{address}?PatientID=nobody").status_code == 204
