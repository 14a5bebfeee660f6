"""An archive of thousands of files that are none costs no more than counting them."""

from __future__ import annotations

import io
import time
import zipfile

import pytest

from studies.ingest import archive
from studies.ingest.pipeline import Intake
from studies.ingest.results import Sender

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("body", "code"), [(b"", "empty"), (b"no picture", "not_dicom")])
def test_an_archive_of_3000_files_that_are_none_is_refused_quickly(body: bytes, code: str) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for number in range(3000):
            file.writestr(f"{number}.dcm", body)
    began, intake = time.monotonic(), Intake(Sender("test"))
    archive.add_archive(intake, "a.zip", packed, len(packed.getvalue()))
    results = intake.finish()
    assert ({result.code for result in results}, len(results)) == ({code}, 3000)
    assert time.monotonic() - began < 60, "a worker of the sandbox for each took 117 s"
