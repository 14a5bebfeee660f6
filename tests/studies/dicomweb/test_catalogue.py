"""What is kept of a header when a file comes in."""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Callable
from io import StringIO
from typing import Any

import pydicom
import pytest
from django.core.management import call_command
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian, RLELossless

from studies.dicom import dicom_json
from studies.models import Clip, InstanceHeader, Series, StudyHeader
from tests.studies.conftest import Take
from tests.studies.dicoms import BUNDLED, clip, dataset, encoded, region

pytestmark = pytest.mark.django_db
Stored = Callable[..., Clip]
NAME = "Yamada^Tarou=山田^太郎=やまだ^たろう"


def _kept(sop_uid: str) -> Any:
    header = InstanceHeader.objects.get(clip__sop_uid=sop_uid)
    return json.loads(zlib.decompress(header.elements))


def _by_pydicom(data: bytes) -> Any:
    read = pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True)
    return json.loads(json.dumps(read.to_json_dict()))


@pytest.mark.parametrize(("syntax", "vr"), [(ImplicitVRLittleEndian, "OW"), (ExplicitVRBigEndian, "OB")])
def test_the_header_is_kept_as_pydicom_reads_it(take: Take, syntax: str, vr: str) -> None:
    data = encoded(dataset(SOPInstanceUID="1.6", SequenceOfUltrasoundRegions=[region()]), syntax=syntax)
    take(data)
    kept = _kept("1.6")
    assert kept.pop("7FE00010") == {"vr": vr, "BulkDataURI": "bulkdata/7FE00010"}
    assert kept == _by_pydicom(data)


@pytest.mark.parametrize("name", ["chrX1.dcm", "chrArab.dcm", "chrH31.dcm", "reportsi.dcm", "SC_rgb_jpeg.dcm"])
def test_files_of_others_are_kept_as_pydicom_reads_them(take: Take, name: str) -> None:
    found = next(path for folder in (BUNDLED, BUNDLED.parent) for path in folder.rglob(name))
    result = take(found.read_bytes())
    expected, kept = _by_pydicom(found.read_bytes()), _kept(result.sop_uid)
    expected.pop("00080005", None)
    different = [tag for tag in expected if _without_empty(expected[tag]) != _without_empty(kept.get(tag))]
    assert different == []


def _without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: kept for key, each in value.items() if (kept := _without_empty(each)) not in ("", None, [])}
    return [_without_empty(each) or None for each in value] if isinstance(value, list) else value


def test_names_have_all_their_groups_and_text_is_utf8(take: Take) -> None:
    take(encoded(dataset(SOPInstanceUID="1.6", SpecificCharacterSet="ISO_IR 192", PatientName=NAME)))
    groups = dict(zip(("Alphabetic", "Ideographic", "Phonetic"), NAME.split("="), strict=True))
    assert _kept("1.6")["00100010"]["Value"] == [groups]
    row = StudyHeader.objects.get()
    assert (row.name, row.name_ideographic) == ("yamada^tarou", "山田^太郎")


def test_a_study_and_each_of_its_series_has_a_row(stored: Stored) -> None:
    facts = {"StudyInstanceUID": "1.5", "StudyTime": "1015", "BodyPartExamined": "HEAD"}
    for number in (1, 2, 2):
        stored(**facts, SeriesInstanceUID=f"1.5.{number}", SeriesNumber=number)
    row = StudyHeader.objects.get(study__uid="1.5")
    assert (row.date, row.time, row.patient_id) == ("20260105", "101500.000000", "P1")
    assert list(Series.objects.order_by("number").values_list("uid", "body_part", "instances")) == [
        ("1.5.1", "HEAD", row.study.clips.get(series_uid="1.5.1").pk),
        *[("1.5.2", "HEAD", clip.pk) for clip in row.study.clips.filter(series_uid="1.5.2")],
    ]


def test_large_values_are_apart(take: Take) -> None:
    take(clip(SOPInstanceUID="1.6", ImageComments="x" * 20_000))
    assert _kept("1.6")["00204000"] == {"vr": "LT", "BulkDataURI": "bulkdata/00204000"}


def test_what_is_nested_too_deeply_for_answers_is_left_out_and_said(stored: Stored) -> None:
    inner = Dataset()
    for _ in range(30):
        outer = Dataset()
        outer.ProcedureCodeSequence = [inner]
        inner = outer
    warnings = stored(SOPInstanceUID="1.6", ProcedureCodeSequence=[inner]).warnings
    assert "1 elements of its header are too large or too deep for answers: 00081032." in warnings
    assert "00100010" in _kept("1.6")


def test_a_header_of_any_size_keeps_to_its_cap(take: Take) -> None:
    items = [Dataset() for _ in range(40_000)]
    for item in items:
        item.CodeValue, item.CodeMeaning, item.CodingSchemeDesignator = "1", "one", "X"
    take(clip(SOPInstanceUID="1.6", ProcedureCodeSequence=items))
    assert "00081032" not in _kept("1.6")
    assert _kept("1.6")["00100010"]["Value"] == [{"Alphabetic": "Test^Infant"}]


@given(text=st.text(max_size=40), number=st.text("0123456789.eE+-x", max_size=16))
@settings(max_examples=50)
def test_nothing_in_a_header_breaks_it(text: str, number: str) -> None:
    made = Dataset()
    made.add_new(0x00104000, "LT", text)
    made.add_new(0x00101030, "DS", None)
    opened: Any = type("Opened", (), {"dataset": made, "little_endian": True, "pixel_kind": ""})
    made._dict[pydicom.tag.Tag(0x00101030)] = pydicom.dataelem.RawDataElement(
        pydicom.tag.Tag(0x00101030), "DS", len(number), number.encode(), 0, False, True
    )
    kept = json.loads(dicom_json.of(opened).text())
    assert set(kept) == {"00101030", "00104000"}


@pytest.mark.parametrize("syntax", ["", RLELossless])
def test_each_frame_is_found_by_its_place(take: Take, syntax: str) -> None:
    made = dataset(SOPInstanceUID="1.6")
    data = encoded(made)
    if syntax:
        made.compress(syntax, generate_instance_uid=False)
        data = encoded(made, syntax=syntax)
    take(data)
    places = InstanceHeader.objects.get().places
    assert [data[start : start + length] for start, length in _pieces(places)] == _frames(data)


def _pieces(places: Any) -> list[tuple[int, int]]:
    if places["parts"]:
        return [(start, length) for start, length in places["parts"]]
    return [(places["start"] + number * places["length"], places["length"]) for number in range(places["frames"])]


def _frames(data: bytes) -> list[bytes]:
    read = pydicom.dcmread(io.BytesIO(data))
    if read.file_meta.TransferSyntaxUID.is_encapsulated:
        return list(pydicom.encaps.generate_frames(read.PixelData, number_of_frames=2))
    half = len(read.PixelData) // 2
    return [read.PixelData[:half], read.PixelData[half:]]


@pytest.fixture
def old(stored: Stored) -> Clip:
    """A clip of which an older version kept no header."""
    made = stored(SOPInstanceUID="1.6")
    InstanceHeader.objects.all().delete()
    Series.objects.all().delete()
    StudyHeader.objects.all().delete()
    return made


def _reread(*arguments: str) -> str:
    out = StringIO()
    call_command("reread", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def test_old_files_are_filled_in(old: Clip) -> None:
    assert "1 clips changed" in _reread()
    assert _kept("1.6")["00080018"]["Value"] == ["1.6"]
    assert (StudyHeader.objects.count(), Series.objects.count()) == (1, 1)


def test_an_interrupted_run_goes_on_with_what_is_missing(old: Clip, stored: Stored) -> None:
    stored()
    assert "1 clips changed, 0 could not be read, in 1 studies" in _reread("--missing")
    assert "in 0 studies" in _reread("--missing")


def test_a_long_run_says_how_far_it_is(old: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studies.management.commands.reread._SAY_EVERY_SECONDS", 0)
    assert "0 of 1 studies are done" in _reread()
