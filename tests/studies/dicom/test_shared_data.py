"""Every file of the collection that ``FONTANELLE_SHARED_DATA`` names; those bundled with pydicom always."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from studies.ingest.results import IngestResult
from studies.models import Clip, Outcome
from tests.studies.dicoms import BUNDLED

Take = Callable[..., IngestResult]
SHARED = os.environ.get("FONTANELLE_SHARED_DATA", "")
OTHERS = [path for path in sorted(BUNDLED.iterdir()) if path.is_file()]
OTHERS += sorted(Path(SHARED, "dicom", "other").iterdir()) if SHARED else []
ULTRASOUND = [BUNDLED / f"examples_{kind}.dcm" for kind in ("jpeg2k", "palette", "rgb_color", "ybr_color")]
ULTRASOUND += sorted(Path(SHARED, "dicom", "ultrasound").iterdir()) if SHARED else []


@pytest.mark.parametrize("path", OTHERS, ids=lambda path: path.name)
def test_every_file_is_taken_parked_or_refused_with_a_reason(take: Take, path: Path) -> None:
    result = take(path.read_bytes(), path.name)
    assert result.outcome in Outcome.values
    assert result.outcome == "stored" or result.reason.endswith(".")
    assert (result.outcome == "refused") != Clip.objects.filter(sop_uid=result.sop_uid).exists()
    assert result.code not in ("sandbox_failed", "unreadable")


@pytest.mark.parametrize("path", ULTRASOUND, ids=lambda path: path.name)
def test_every_ultrasound_file_comes_in(take: Take, path: Path) -> None:
    assert take(path.read_bytes(), path.name).outcome == "stored"
    assert Clip.objects.get().scorable
