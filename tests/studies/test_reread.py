"""Facts of files that came in before the platform could read them."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pydicom.uid import JPEGLosslessSV1
from pytest_django import Settings

from accounts.models import AuditEntry
from studies import decoding, revisions
from studies.models import Clip, Patient, Study
from tests.browser.calibration import trace
from tests.studies.dicom.corpus import encoders
from tests.studies.dicom.corpus.cells import compressed, noise
from tests.studies.dicoms import region

pytestmark = pytest.mark.django_db
Stored = Callable[..., Clip]


@pytest.fixture
def clip(stored: Stored) -> Clip:
    """A clip with a Doppler trace, as an older version had written it down: scales without traces."""
    made = stored(SequenceOfUltrasoundRegions=[region(), trace((0, 0, 20, 20))])
    old = [{name: value for name, value in each.items() if name not in ("axes", "frames")} for each in made.regions]
    Clip.objects.filter(pk=made.pk).update(regions=old, frame_time_ms=None)
    return made


def _run(*arguments: str) -> str:
    out = StringIO()
    call_command("reread", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def test_what_the_file_says_is_read_again(clip: Clip) -> None:
    assert "1 clips changed, 0 could not be read" in _run()
    now = Clip.objects.get(pk=clip.pk)
    assert (now.regions, now.frame_time_ms) == (clip.regions, clip.frame_time_ms)
    assert any(each.get("axes") for each in now.regions)


def test_it_is_on_record_which_facts_changed(clip: Clip) -> None:
    _run()
    entry = AuditEntry.objects.get(action="clips.reread")
    assert (entry.study_uid, entry.detail) == (
        clip.study.uid,
        {"clips": {clip.sop_uid: ["frame_time_ms", "regions"]}},
    )


def test_a_second_run_changes_nothing_and_leaves_no_entry(clip: Clip) -> None:
    _run()
    assert "0 clips changed" in _run()
    assert AuditEntry.objects.filter(action="clips.reread").count() == 1


def test_a_dry_run_says_what_would_change_and_changes_nothing(clip: Clip) -> None:
    assert "1 clips would change" in _run("--dry-run")
    assert not any(each.get("axes") for each in Clip.objects.get(pk=clip.pk).regions)
    assert not AuditEntry.objects.filter(action="clips.reread").exists()


@pytest.fixture
def miscounted(stored: Stored) -> Clip:
    """A closed study of a clip that an older version believed to have one frame, and could not decode."""
    made = stored(NumberOfFrames=1)
    old: dict[str, Any] = {"frames": 1, "pixel_notes": None, "decode_error": "It is damaged.", "decoding": 1}
    old["warnings"] = ["It was odd.", "Its header names patient P2; the study belongs to P1."]
    Clip.objects.filter(pk=made.pk).update(**old)
    Study.objects.filter(pk=made.study_id).update(closes_at=None)
    return made


def test_frames_warnings_and_errors_are_those_of_now(miscounted: Clip) -> None:
    _run()
    now = Clip.objects.get(pk=miscounted.pk)
    assert (now.frames, now.decode_error, now.scorable, now.decoding) == (2, "", True, decoding.VERSION)
    assert now.pixel_notes == ["Its header counts 1 frame, its pixels hold 2: all of them are shown."]
    assert now.warnings == [*now.pixel_notes, "Its header names patient P2; the study belongs to P1."]


def test_a_study_whose_pixels_are_others_is_scored_again(miscounted: Clip) -> None:
    assert "1 studies will be scored again" in _run()
    assert revisions.close_due() == 1
    assert AuditEntry.objects.get(action="clips.reread").detail["scored_again"]
    assert "scored again" not in _run()


@pytest.mark.parametrize(("facts", "again"), [({}, False), ({"BitsStored": 7}, True)])
def test_ordinary_pixels_are_not_scored_again_because_of_an_update(
    stored: Stored, facts: dict[str, int], *, again: bool
) -> None:
    made = stored(**facts)
    Clip.objects.filter(pk=made.pk).update(decoding=1, pixel_notes=None)
    Study.objects.filter(pk=made.study_id).update(closes_at=None)
    assert ("scored again" in _run()) == again


def test_colours_of_lossless_jpeg_are_scored_again(take: Callable[[bytes], object]) -> None:
    stream = encoders.lossless(noise(12, 16, 3), 8)
    take(compressed([stream], (1, 12, 16, 3), JPEGLosslessSV1, photometric="RGB", PlanarConfiguration=1))
    Clip.objects.update(decoding=1, pixel_notes=[])
    Study.objects.update(closes_at=None)
    assert "scored again" in _run()


def test_what_a_decoder_met_stays_as_long_as_it_decodes_the_same_way(clip: Clip) -> None:
    Clip.objects.filter(pk=clip.pk).update(decode_error="Frame 2 is damaged.")
    _run()
    assert Clip.objects.get(pk=clip.pk).decode_error == "Frame 2 is damaged."


def test_what_a_person_set_stays(clip: Clip) -> None:
    Clip.objects.filter(pk=clip.pk).update(view="mastoid", view_source="person", label="by hand")
    _run(clip.study.uid)
    now = Clip.objects.get(pk=clip.pk)
    assert (now.view, now.view_source, now.label) == ("mastoid", "person", "by hand")


def test_a_file_that_is_gone_is_named_and_the_others_are_read(clip: Clip, settings: Settings, tmp_path: Path) -> None:
    settings.STORAGE_URL = f"file://{tmp_path}/elsewhere"
    out = StringIO()
    with pytest.raises(SystemExit, match="1"):
        call_command("reread", stdout=out, stderr=out)
    assert clip.sop_uid in out.getvalue()
    assert "1 could not be read" in out.getvalue()


def test_an_unknown_study_is_refused() -> None:
    with pytest.raises(CommandError, match="There is no study"):
        _run("9.9")


SENT = {"PatientName": "MÜSTER^ZOÉ^^Dr.", "SpecificCharacterSet": "ISO_IR 192", "StudyTime": "2330"}


@pytest.fixture
def shortened(stored: Stored) -> Clip:
    """A clip that came in when names were kept as one group with a comma, and dates as moments alone."""
    made = stored(**SENT)
    Patient.objects.update(name="MÜSTER, ZOÉ")
    Study.objects.update(as_sent=None)
    return made


def test_names_and_times_are_filled_in_as_they_came(shortened: Clip) -> None:
    _run()
    study = Study.objects.get()
    assert study.patient.name == "MÜSTER^ZOÉ^^Dr."
    assert study.as_sent is not None
    assert study.as_sent["study_time"] == "2330"
    assert AuditEntry.objects.get(action="clips.reread").detail["study"] == ["as_sent", "name"]


def test_a_name_that_a_person_typed_stays(shortened: Clip) -> None:
    Patient.objects.update(name="Muster, Zoe")
    _run()
    assert Patient.objects.get().name == "Muster, Zoe"
