"""One image that comes twice: by another route, written otherwise, or corrected."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
)
from pytest_django import Settings

from accounts.models import AuditEntry
from studies.ingest.pipeline import Intake
from studies.ingest.results import IngestResult, Sender
from studies.models import Clip, Receipt
from studies.sandbox.pool import SandboxError
from tests.studies.dicoms import COLUMNS, ROWS, dataset, encoded, region

BASIC_TEXT_REPORT = "1.2.840.10008.5.1.4.1.1.88.11"
Take = Callable[..., IngestResult]


def _image(*, seed: int = 0, **facts: Any) -> Dataset:
    uids = {"SOPInstanceUID": "1.2.3", "StudyInstanceUID": "1.2", "SeriesInstanceUID": "1.2.1"}
    empty = {"AccessionNumber": "", "InstanceNumber": None, "PatientAge": ""}
    made = dataset(seed=seed, **{**uids, **empty, "SequenceOfUltrasoundRegions": [region()], **facts})
    made["PixelData"].VR = "OW" if made.BitsAllocated == 16 else "OB"
    return made


def _named(name: str, *character_sets: str) -> bytes:
    return encoded(_image(SpecificCharacterSet=list(character_sets), PatientName=name))


def _by_a_router() -> bytes:
    made = _image()
    encoded(made)
    made.file_meta.SourceApplicationEntityTitle = "ROUTER"
    made.file_meta.ImplementationVersionName = "ROUTER_2"
    return _saved(made)


def _with_open_sequences() -> bytes:
    made = _image()
    made["SequenceOfUltrasoundRegions"].is_undefined_length = True
    return encoded(made)


def _saved(made: Dataset) -> bytes:
    out = io.BytesIO()
    made.save_as(out, enforce_file_format=True)
    return out.getvalue()


def _compressed(made: Dataset, syntax: str) -> bytes:
    encoded(made)
    made.compress(syntax, generate_instance_uid=False)
    return _saved(made)


@pytest.mark.parametrize(
    "again",
    [
        _by_a_router,
        _with_open_sequences,
        lambda: encoded(_image(), syntax=ImplicitVRLittleEndian),
        lambda: encoded(_image(), syntax=DeflatedExplicitVRLittleEndian),
        lambda: encoded(_image(), syntax=ExplicitVRBigEndian),
        lambda: _compressed(_image(), RLELossless),
    ],
    ids=["router", "sequences-without-length", "implicit", "deflated", "big-endian", "rle"],
)
def test_the_same_image_written_otherwise_is_already_here(take: Take, again: Callable[[], bytes]) -> None:
    first = take(encoded(_image()))
    second = take(again())
    assert (second.outcome, second.code, second.study_uid) == ("duplicate", "duplicate", first.study_uid)
    assert Clip.objects.get().digest == Receipt.objects.first().digest  # type: ignore[union-attr]  # one was made


def test_what_was_already_here_takes_no_room_twice(take: Take, settings: Settings) -> None:
    take(encoded(_image()))
    take(_by_a_router())
    root = Path(settings.STORAGE_URL.removeprefix("file://"))
    assert [path.name for path in root.rglob("*") if path.is_file()] == [Clip.objects.get().digest]
    assert list((settings.WORK_FOLDER / "staging").iterdir()) == []


def test_two_ways_of_writing_in_one_request_are_one_image(db: None) -> None:
    intake = Intake(Sender("test"))
    for data in (encoded(_image()), _by_a_router()):
        intake.add("a", [data])
    assert [result.outcome for result in intake.finish()] == ["stored", "duplicate"]


def test_sixteen_bits_in_either_byte_order_are_one_image(take: Take) -> None:
    values = np.arange(ROWS * COLUMNS, dtype="<u2")
    facts = {"BitsAllocated": 16, "BitsStored": 12, "HighBit": 11, "NumberOfFrames": 1}
    take(encoded(_image(**facts, PixelData=values.tobytes())))
    big = encoded(_image(**facts, PixelData=values.astype(">u2").tobytes()), syntax=ExplicitVRBigEndian)
    assert take(big).outcome == "duplicate"


@pytest.mark.parametrize(
    "other",
    [
        lambda: encoded(_image(StudyDescription="Cranial ultrasound")),
        lambda: encoded(_image(seed=1)),
        lambda: encoded(_image(PatientID="P2"), syntax=ImplicitVRLittleEndian),
        lambda: encoded(_image(SequenceOfUltrasoundRegions=[region(x1=9)])),
        lambda: encoded(_image(BitsStored=7)),
    ],
    ids=["described", "pixels", "patient", "regions", "bits"],
)
def test_another_content_is_a_conflict_that_the_first_one_wins(take: Take, other: Callable[[], bytes]) -> None:
    take(encoded(_image()))
    digest = Clip.objects.get().digest
    assert take(other()).code == "conflict"
    assert Clip.objects.get().digest == digest
    assert AuditEntry.objects.filter(action="instance.conflict_detected").count() == 1


def test_colours_that_were_packed_without_loss_are_the_same_image(take: Take) -> None:
    values = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    shape: dict[str, Any] = {
        "NumberOfFrames": 1,
        "Rows": 64,
        "Columns": 64,
        "SamplesPerPixel": 3,
        "PlanarConfiguration": 0,
    }
    facts = {**shape, "PhotometricInterpretation": "RGB", "PixelData": values.tobytes()}
    take(encoded(_image(**facts)))
    assert take(_compressed(_image(**facts), JPEG2000Lossless)).outcome == "duplicate"


def test_an_incomplete_file_written_otherwise_is_already_here(take: Take) -> None:
    take(encoded(_image(NumberOfFrames=3)))
    again = take(encoded(_image(NumberOfFrames=3), syntax=ImplicitVRLittleEndian))
    assert (again.outcome, "Incomplete" in again.reason) == ("duplicate", True)


def test_a_number_that_ends_in_a_space_is_not_another_number(take: Take) -> None:
    take(encoded(_image(RepresentativeFrameNumber=32)))
    assert take(encoded(_image(RepresentativeFrameNumber=0))).code == "conflict"


def test_files_that_cannot_be_compared_are_a_conflict(take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> bool:
        raise SandboxError("It takes too long.")

    take(encoded(_image()))
    monkeypatch.setattr("studies.sandbox.pool.say_the_same", refuse)
    assert take(_compressed(_image(), RLELossless)).code == "conflict"


def test_what_a_router_rewrote_is_told_by_the_digests_that_were_kept(
    take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(encoded(_image()))
    monkeypatch.setattr("studies.sandbox.pool.say_the_same", None)
    assert take(_by_a_router()).code == "duplicate"


def test_a_report_that_a_router_rewrote_is_already_here(take: Take) -> None:
    made = dataset(SOPClassUID=BASIC_TEXT_REPORT, Modality="SR", PixelData=None)
    take(encoded(made))
    made.file_meta.SourceApplicationEntityTitle = "ROUTER"
    assert take(_saved(made)).code == "duplicate"


NAMES = [
    ("Müller^Zoë", ["ISO_IR 100"], ["ISO_IR 192"]),
    ("Yamada^Tarou=山田^太郎", ["", "ISO 2022 IR 87"], ["ISO_IR 192"]),
    ("Образцова^Анна", ["ISO_IR 144"], ["", "ISO 2022 IR 144"]),
    ("North^Anna", [""], ["ISO_IR 100"]),
]


@pytest.mark.parametrize(("name", "first", "second"), NAMES)
def test_a_text_in_another_character_set_is_the_same_text(
    take: Take, name: str, first: list[str], second: list[str]
) -> None:
    take(_named(name, *first))
    assert take(_named(name, *second)).outcome == "duplicate"


def test_the_same_bytes_in_another_character_set_are_another_text(take: Take) -> None:
    take(_named("Образцова", "ISO_IR 144"))
    other = _named("Образцова".encode("iso8859_5").decode("latin_1"), "ISO_IR 100")
    assert take(other).outcome == "refused"
