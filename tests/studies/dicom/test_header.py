from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from studies.dicom.facts import Header
from studies.sandbox import pool
from studies.sandbox.pool import SandboxError
from tests.studies.dicoms import ROWS, clip, dataset, deflated_bomb, encoded, nested_sequences, region


@pytest.fixture
def header(tmp_path: Path) -> Any:
    def read(data: bytes) -> Header:
        path = tmp_path / "a.dcm"
        path.write_bytes(data)
        return pool.read_header(path)

    return read


def _patched(old: bytes, new: bytes) -> bytes:
    data = clip()
    assert data.count(old) == 1
    return data.replace(old, new)


ROWS_ELEMENT = b"\x28\x00\x10\x00US\x02\x00" + ROWS.to_bytes(2, "little")
REFUSED = {
    "empty": b"",
    "not_dicom": b"patient,grade\n" * 40,
    "no_preamble": clip()[132:],
    "missing_uid": clip(SOPInstanceUID=None),
    "dicomdir": clip(SOPClassUID="1.2.840.10008.1.3.10"),
    "no_syntax": clip().replace(b"\x02\x00\x10\x00UI", b"\x02\x00\x11\x00UI"),
    "unknown_syntax": clip().replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.x0008.1.2.1\0"),
    "too_deep": nested_sequences(5000),
}


@pytest.mark.parametrize("code", REFUSED)
def test_a_file_that_cannot_be_taken_is_refused_with_a_reason(header: Any, code: str) -> None:
    with pytest.raises(SandboxError) as refusal:
        header(REFUSED[code])
    assert refusal.value.code == code, refusal.value.reason
    assert refusal.value.lasting
    assert refusal.value.reason.endswith((".", ")."))


@pytest.mark.parametrize("uid", ["../../etc/x", "1.2\x003", "1." * 40 + "1", "abc", "1..2", "-1"])
def test_an_identifier_that_is_none_is_refused(header: Any, uid: str) -> None:
    with pytest.raises(SandboxError) as refusal:
        header(encoded(_unchecked(uid)))
    assert refusal.value.code == "bad_uid"


def _unchecked(uid: str) -> Any:
    from pydicom.dataelem import DataElement

    made = dataset()
    made.file_meta = None  # type: ignore[assignment]
    from pydicom import config

    with config.disable_value_validation():
        made["StudyInstanceUID"] = DataElement(0x0020000D, "UI", uid)
    return made


@pytest.mark.parametrize(
    "facts",
    [
        {"NumberOfFrames": 10**9},
        {"NumberOfFrames": -1},
        {"Rows": 65535, "Columns": 65535},
        {"Rows": 0},
        {"BitsAllocated": 0},
        {"SamplesPerPixel": 7},
    ],
)
def test_sizes_that_no_device_writes_are_refused_before_allocation(header: Any, facts: dict[str, int]) -> None:
    with pytest.raises(SandboxError) as refusal:
        header(clip(**facts))
    assert refusal.value.code in ("bad_image", "too_large")


def test_rows_as_a_long_that_overflows_is_refused(header: Any) -> None:
    with pytest.raises(SandboxError, match="Rows is 4294967295"):
        header(_patched(ROWS_ELEMENT, b"\x28\x00\x10\x00UL\x04\x00\xff\xff\xff\xff"))


def test_a_deflated_bomb_is_not_inflated(header: Any) -> None:
    with pytest.raises(SandboxError, match="inflates to more than 64 MB"):
        header(deflated_bomb(200 * 1024**2))


def test_pixels_that_end_early_are_a_flaw_and_no_refusal(header: Any) -> None:
    pixels = header(clip()[:-100])["pixels"]
    assert (pixels["flaw"], pixels["frames"], pixels["whole"]) == ("truncated", 2, 1)
    assert pixels["flaw_reason"].startswith("Incomplete: 1 of 2 frames are whole")


def test_what_a_clip_says_of_itself_is_read(header: Any) -> None:
    facts = header(clip(SequenceOfUltrasoundRegions=[region()], PatientID="P7", NumberOfFrames=2))
    assert facts["patient"]["name"] == "Test^Infant"
    assert (facts["view"], facts["label"], facts["frame_time_ms"]) == ("coronal", "COR sweep", 40.0)
    assert facts["regions"][0] | {} == {
        "x0": 2, "y0": 3, "x1": 31, "y1": 23, "dx_cm": 0.02, "dy_cm": 0.03, "units": "cm", "type": "2d", "inside": True,
    }  # fmt: skip


def test_a_region_outside_the_image_has_no_scale(header: Any) -> None:
    (area,) = header(clip(SequenceOfUltrasoundRegions=[region(x1=595)]))["regions"]
    assert area["dx_cm"] is None


def test_a_list_of_frame_times_becomes_starts(header: Any) -> None:
    facts = header(clip(frames=3, FrameTime=None, FrameTimeVector=[0, 30, 50]))
    assert facts["frame_times_ms"] == [0, 30, 80]


SECONDS = [0, *[0.033] * 3]
TIME, VECTOR = 0x00181063, 0x00181065


@pytest.mark.parametrize("time", ["0.033", "0.99", "0", "-5", "5001", "33333"])
def test_a_frame_time_that_no_device_has_is_said_and_left_out(header: Any, time: str) -> None:
    facts = header(clip(frames=4, FrameTime=time))
    assert (facts["frame_time_ms"], facts["frame_time_flaw"]) == (
        None,
        f"the file's frame time of {time} ms cannot be true",
    )


@pytest.mark.parametrize("time", ["1", "40", "5000", None])
def test_a_frame_time_that_may_be_true_is_not_doubted(header: Any, time: str | None) -> None:
    facts = header(clip(frames=4, FrameTime=time))
    assert (facts["frame_time_ms"], facts["frame_time_flaw"]) == (time and float(time), "")


@pytest.mark.parametrize(
    ("vector", "why"),
    [
        (SECONDS, "the file's frame times of 0.033 ms cannot be true"),
        ([0, 0.033, 0.033, 5000], "the file's frame times of 0.033 ms cannot be true"),
        ([0, 40, 40, -40], "a frame time of -40 ms cannot be true"),
        ([0, 40], "the file's 2 frame times are not those of 4 frames"),
    ],
)
def test_frame_times_that_cannot_be_true_are_said_and_left_out(header: Any, vector: list[float], why: str) -> None:
    facts = header(clip(frames=4, FrameTime=None, FrameTimeVector=vector))
    assert (facts["frame_times_ms"], facts["frame_time_flaw"]) == (None, why)


def test_a_frame_that_was_dropped_once_takes_no_time(header: Any) -> None:
    assert header(clip(frames=4, FrameTimeVector=[0, 40, 0, 40]))["frame_times_ms"] == [0, 40, 40, 80]


def test_a_still_has_no_frame_time_to_doubt(header: Any) -> None:
    assert header(clip(frames=1, FrameTime="0"))["frame_time_flaw"] == ""


@pytest.mark.parametrize(("pointer", "starts"), [(TIME, None), (VECTOR, [0, 50, 100, 150]), (None, [0, 50, 100, 150])])
def test_of_two_frame_times_that_counts_to_which_the_file_points(
    header: Any, pointer: int | list[int] | None, starts: list[float] | None
) -> None:
    facts = header(clip(frames=4, FrameTimeVector=[0, 50, 50, 50], FrameIncrementPointer=pointer))
    assert (facts["frame_time_ms"], facts["frame_times_ms"]) == (40, starts)


def test_where_the_one_that_it_points_to_cannot_be_true_the_other_counts(header: Any) -> None:
    facts = header(clip(frames=4, FrameTime="0.04", FrameTimeVector=[0, 50, 50, 50], FrameIncrementPointer=TIME))
    assert (facts["frame_times_ms"], facts["frame_time_flaw"]) == (
        [0, 50, 100, 150],
        "the file's frame time of 0.04 ms cannot be true",
    )


def test_a_date_in_the_future_is_said_and_left_out(header: Any) -> None:
    facts = header(clip(StudyDate="29990101"))
    assert facts["study_at"] is None
    assert any("future" in warning for warning in facts["warnings"])


@pytest.mark.parametrize(
    ("born", "reason"),
    [
        ("20260201", "lies after the study"),
        ("19000101", "126 years old"),
        ("19700101", "56 years old"),
        ("20991231", "lies after the study"),
    ],
)
def test_a_birth_date_that_cannot_be_true_is_not_believed(header: Any, born: str, reason: str) -> None:
    read = header(clip(PatientBirthDate=born))
    assert read["patient"]["birth_date"] is None
    assert [reason in warning for warning in read["warnings"]] == [True]


@pytest.mark.parametrize("born", ["20260105", "20250105", "20210101"])
def test_a_birth_date_of_a_small_child_is_believed(header: Any, born: str) -> None:
    read = header(clip(PatientBirthDate=born))
    assert (read["patient"]["birth_date"].replace("-", ""), read["warnings"]) == (born, [])


@pytest.mark.parametrize(
    ("age", "clashes"),
    [("004D", False), ("003D", False), ("001W", False), ("020D", True), ("003W", True), ("X", False)],
)
def test_an_age_and_a_birth_date_that_clash_are_said_to(header: Any, age: str, clashes: bool) -> None:
    read = header(clip(PatientBirthDate="20260101", PatientAge=age))
    assert read["patient"]["birth_date"] == "2026-01-01"
    assert any("cannot both be true" in warning for warning in read["warnings"]) is clashes


@pytest.mark.parametrize(("born", "age"), [("00000000", "003W"), ("", "5"), ("", ""), ("19000101", "001M")])
def test_what_gives_no_birth_date_is_unknown_and_not_today(header: Any, born: str, age: str) -> None:
    infant = header(clip(PatientBirthDate=born, PatientAge=age))["patient"]
    assert (infant["birth_date"], infant["birth_date_from_age"]) == (None, False)


def test_an_age_in_days_gives_the_birth_date(header: Any) -> None:
    infant = header(clip(PatientBirthDate="", PatientAge="004D"))["patient"]
    assert (infant["birth_date"], infant["birth_date_from_age"]) == ("2026-01-01", True)


def test_a_name_keeps_no_control_characters(header: Any) -> None:
    name = header(clip(PatientName="Ev\x1bil^\x07<script>"))["patient"]["name"]
    assert name == "Evil^<script>"


ORIGINAL = clip(SequenceOfUltrasoundRegions=[region()])


def _read_or_refused(header: Any, data: bytes) -> bool:
    """Not so when the child crashed or hung."""
    try:
        return bool(header(data)["sop_uid"])
    except SandboxError as refusal:
        return refusal.lasting


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(128, len(ORIGINAL) - 1600), st.integers(0, 255)), min_size=1, max_size=12))
def test_rubbish_in_a_header_never_breaks_anything(header: Any, changes: list[tuple[int, int]]) -> None:
    data = bytearray(ORIGINAL)
    for position, value in changes:
        data[position] = value
    assert _read_or_refused(header, bytes(data))


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, len(ORIGINAL)))
def test_a_file_may_end_anywhere(header: Any, length: int) -> None:
    assert _read_or_refused(header, ORIGINAL[:length])


def _spectral() -> Any:
    made = region()
    made.RegionSpatialFormat = 3
    made.PhysicalUnitsXDirection, made.PhysicalUnitsYDirection = 4, 7
    made.PhysicalDeltaX, made.PhysicalDeltaY = 0.005, -0.5
    made.ReferencePixelX0, made.ReferencePixelY0 = 0, 10
    return made


def test_a_doppler_trace_has_its_units_steps_and_zero_line(header: Any) -> None:
    (area,) = header(clip(SequenceOfUltrasoundRegions=[_spectral()]))["regions"]
    assert (area["type"], area["dx_cm"], area["axes"]) == ("spectral", None, ["s", "cm/s"])
    assert (area["delta"], area["reference"], area["reference_value"]) == ([0.005, -0.5], [0, 10], [0.0, 0.0])


def test_frames_with_their_own_regions_keep_them_as_runs(header: Any) -> None:
    frames = [Dataset() for _ in range(4)]
    for frame in frames[:3]:
        frame.SequenceOfUltrasoundRegions = [region()]
    frames[2].SequenceOfUltrasoundRegions[0].PhysicalDeltaX = 0.05
    areas = header(clip(frames=4, PerFrameFunctionalGroupsSequence=frames))["regions"]
    assert [(each["frames"], each["dx_cm"]) for each in areas] == [([1, 2], 0.02), ([3, 3], 0.05)]
