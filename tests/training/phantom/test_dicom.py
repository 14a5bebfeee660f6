"""What lies on disk: valid ultrasound objects, the same bytes for the same seed, and the truth beside them."""

from __future__ import annotations

import csv
import hashlib
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import UID

from training.__main__ import main
from training.phantom import PHANTOM_MANUFACTURER, PhantomExam, exam, write_exam
from training.phantom.cli import keyframe_rows, study_row

MAY_BE_EMPTY = {"ReferringPhysicianName", "PatientOrientation"}
GEOMETRY = ("RegionLocationMinX0", "RegionLocationMinY0", "RegionLocationMaxX1", "RegionLocationMaxY1")


Written = tuple[PhantomExam, list[Dataset], list[Path]]


@lru_cache(maxsize=4)
def _on_device(device: int) -> PhantomExam:
    return exam(21, 4, size="small", grades=(0, 2), device=device)


@pytest.fixture(scope="module", params=range(4), ids=["aurora", "borealis", "cirrus", "dune"])
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Written:
    made = _on_device(request.param)
    paths = write_exam(made, tmp_path_factory.mktemp("phantom"))
    return made, [pydicom.dcmread(path) for path in paths], paths


def _digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _generate(folder: Path, *extra: str) -> dict[str, str]:
    assert main(["phantom", "--seed", "5", "--size", "small", "--out", str(folder), *extra]) == 0
    return _digests(folder)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_pixels_come_back_as_they_were_drawn(written: Written) -> None:
    made, datasets, _ = written
    for clip, ds in zip(made.clips, datasets, strict=True):
        pixels = ds.pixel_array.reshape(clip.frames.shape).astype(int)
        worst = 2.5 if clip.compressed else 0
        assert np.abs(pixels - clip.frames).mean() <= worst


def test_uids_are_valid_and_never_shared(written: Written) -> None:
    _, datasets, _ = written
    uids = [ds.SOPInstanceUID for ds in datasets]
    assert len(set(uids)) == len(uids)
    for ds in datasets:
        values = (element.value for element in ds.iterall() if element.VR == "UI")
        assert all(UID(value).is_valid for value in values)
        assert ds.file_meta.MediaStorageSOPInstanceUID == ds.SOPInstanceUID


def test_nothing_is_empty_that_must_not_be(written: Written) -> None:
    _, datasets, _ = written
    empty = {element.keyword for ds in datasets for element in ds.iterall() if element.value in ("", None, [])}
    assert empty <= MAY_BE_EMPTY


def test_clips_are_cines_and_stills_are_single_images(written: Written) -> None:
    made, datasets, _ = written
    for clip, ds in zip(made.clips, datasets, strict=True):
        assert ds.SOPClassUID == f"1.2.840.10008.5.1.4.1.1.{'6.1' if clip.still else '3.1'}"
        if not clip.still:
            assert ds.NumberOfFrames == len(clip.frames) > 1
            assert ds[ds.FrameIncrementPointer].value == pytest.approx(made.device.frame_ms)
            assert ds.CineRate == round(1000 / made.device.frame_ms)


def test_region_is_the_one_drawn_in_centimetres(written: Written) -> None:
    made, datasets, _ = written
    for clip, ds in zip(made.clips, datasets, strict=True):
        (region,) = ds.SequenceOfUltrasoundRegions
        assert tuple(region[name].value for name in GEOMETRY) == clip.region
        assert (region.PhysicalUnitsXDirection, region.PhysicalUnitsYDirection) == (3, 3)
        assert region.PhysicalDeltaX == region.PhysicalDeltaY == pytest.approx(clip.mm_per_pixel / 10)


def test_every_file_says_that_it_is_a_phantom(written: Written) -> None:
    _, datasets, paths = written
    for ds in datasets:
        assert ds.Manufacturer == PHANTOM_MANUFACTURER == "Fontanelle Phantom Works"
        assert "PHANTOM" in ds.PatientComments
        assert "PHANTOM" in ds.ImageComments
        assert str(ds.PatientName).startswith("Phantom")
    assert [path.name for path in paths] == [f"{n:02d}.dcm" for n in range(1, len(paths) + 1)]


def test_clips_are_acquired_in_order(written: Written) -> None:
    _, datasets, _ = written
    times = [ds.AcquisitionDateTime for ds in datasets]
    assert times == sorted(times)
    assert len(set(times)) == len(times)
    assert [ds.InstanceNumber for ds in datasets] == list(range(1, len(datasets) + 1))


def test_devices_differ_in_transfer_syntax_and_colour() -> None:
    seen = set()
    for device in range(4):
        clips = _on_device(device).clips
        seen |= {(clip.compressed, clip.frames.ndim == 4) for clip in clips}
    assert seen == {(True, False), (True, True), (False, False), (False, True)}


def test_an_examination_does_not_depend_on_those_before_it(tmp_path: Path) -> None:
    whole = _generate(tmp_path / "whole", "--exams", "3", "--processes", "1", "--positive-fraction", "0.5")
    last = _generate(
        tmp_path / "last", "--exams", "1", "--start-index", "2", "--processes", "1", "--positive-fraction", "0.5"
    )
    dicom = {name: digest for name, digest in last.items() if name.endswith(".dcm")}
    assert dicom
    assert dicom.items() <= whole.items()


def test_parallel_and_serial_runs_write_the_same_bytes(tmp_path: Path) -> None:
    serial = _generate(tmp_path / "serial", "--exams", "2", "--processes", "1")
    assert serial == _generate(tmp_path / "parallel", "--exams", "2", "--processes", "2")


def test_truth_names_the_studies_and_frames_on_disk(tmp_path: Path) -> None:
    _generate(tmp_path, "--exams", "2", "--processes", "1", "--positive-fraction", "1")
    headers = [pydicom.dcmread(path, stop_before_pixels=True) for path in tmp_path.rglob("*.dcm")]
    studies, frames = _rows(tmp_path / "truth.csv"), _rows(tmp_path / "truth_frames.csv")
    assert {row["study_uid"] for row in studies} == {ds.StudyInstanceUID for ds in headers}
    assert all(row["positive"] == "1" for row in studies)
    lengths = {ds.SOPInstanceUID: int(ds.get("NumberOfFrames", 1)) for ds in headers}
    assert frames
    assert all(1 <= int(row["frame"]) <= lengths[row["sop_uid"]] for row in frames)


def test_a_second_range_adds_to_the_truth_and_a_repeat_changes_nothing(tmp_path: Path) -> None:
    _generate(tmp_path, "--exams", "1", "--processes", "1")
    both = _generate(tmp_path, "--exams", "1", "--start-index", "1", "--processes", "1")
    assert len(_rows(tmp_path / "truth.csv")) == 2
    assert _generate(tmp_path, "--exams", "1", "--start-index", "1", "--processes", "1") == both


def test_truth_rows_repeat_the_examination() -> None:
    made: PhantomExam = exam(21, 4, size="small", grades=(4, 0))
    row = study_row(made)
    assert (row["grade_right"], row["grade_left"], row["positive"], row["phi"]) == ("4", "0", "1", "1")
    assert {key["grade"] for key in keyframe_rows(made)} == {"4"}
    assert {key["side"] for key in keyframe_rows(made)} == {"right"}


def test_other_settings_never_reuse_a_study_uid() -> None:
    uids = {
        exam(1, 0, size="small").study_uid,
        exam(1, 0, size="small", grades=(1, 0)).study_uid,
        exam(2, 0, size="small").study_uid,
    }
    assert len(uids) == 3


def test_asking_for_the_marker_imports_nothing_heavy() -> None:
    code = (
        "import sys; from training.phantom import PHANTOM_MANUFACTURER; import training.__main__; "
        "sys.exit(bool({'numpy', 'scipy', 'pydicom', 'torch', 'django'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--positive-fraction", "3"], "'3' is not a share between 0 and 1"),
        (["--exams", "-1"], "'-1' is not a whole number from 0 up"),
        (["--out", __file__], "is a file; name a folder"),
    ],
)
def test_arguments_that_cannot_be_are_named(
    extra: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["phantom", "--exams", "1", "--seed", "1", "--out", str(tmp_path / "made"), *extra])
    assert message in capsys.readouterr().err
    assert not (tmp_path / "made").exists()
