"""Labels in and out: what leaves, what comes back, and what a bad file is told."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import UltrasoundMultiFrameImageStorage

from accounts.models import AuditEntry, User
from accounts.roles import Role
from annotations.consensus import reference_labels
from annotations.exchange.dicom_seg import mask
from annotations.exchange.importer import Importer, ImportResult
from annotations.models import Context, Read, ReadRevision
from common import sheets
from studies.models import Study
from tests.accounts.people import client_of, person
from tests.annotations import factories
from tests.annotations.requests import Desk

pytestmark = pytest.mark.django_db
REGION = {"x0": 0, "y0": 0, "x1": 399, "y1": 299, "dx_cm": 0.02, "dy_cm": 0.02, "type": "2d", "inside": True}


@pytest.fixture
def admin() -> User:
    return person(Role.ADMIN)


@pytest.fixture
def drawn(study: Study) -> ReadRevision:
    """A committed read with a region, a measure, a keyframe and a note that names the infant."""
    study.clips.update(rows=300, columns=400, frames=10, regions=[REGION], sop_class=UltrasoundMultiFrameImageStorage)
    sop = study.clips.get().sop_uid
    box = {"uid": "b", "tool": "box", "sop_uid": sop, "frame": 2, "points": [[10, 20], [30, 60]], "label": "clot"}
    line = {"uid": "l", "tool": "length", "sop_uid": sop, "frame": 2, "points": [[10, 10], [110, 10]], "preset": "vi"}
    drawings = [box, {**line, "side": "left"}]
    made = factories.read(study, left=3, keyframes=[{"sop_uid": sop, "frame": 2}], drawings=drawings, pvl=2)
    factories.read(factories.study(), right=0, left=0)
    return made


def export(admin: User, form: str = "csv", **query: Any) -> Any:
    return client_of(admin).get("/api/v1/labels/export/", {"form": form, **query})


def text(answer: Any) -> str:
    return str(answer.content.decode("utf-8-sig"))


def rows(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text(answer))))


def given(admin: User, sheet: str | bytes, **more: Any) -> Any:
    data = sheet.encode() if isinstance(sheet, str) else sheet
    body = {"file": SimpleUploadedFile("labels.csv", data), **more}
    return client_of(admin).post("/api/v1/labels/import/", body)


def judged(admin: User, sheet: str | bytes) -> ImportResult:
    return Importer(admin).judge(sheet.encode() if isinstance(sheet, str) else sheet)


def objects(answer: Any) -> list[Dataset]:
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    return [dcmread(io.BytesIO(archive.read(name))) for name in archive.namelist() if name.endswith(".dcm")]


# ---------- out ----------


@pytest.mark.parametrize("form", ["csv", "json", "coco", "sr", "seg"])
def test_no_export_names_the_infant_unless_an_admin_asks(drawn: ReadRevision, admin: User, form: str) -> None:
    study = drawn.read.study
    names = [study.uid, study.patient.patient_id, study.clips.get().sop_uid, drawn.read.reader.username]
    plain, named = export(admin, form), export(admin, form, identified=True, reason="the ethics board knows")
    inside = [_unpacked(answer) for answer in (plain, named)]
    assert not any(name.encode() in inside[0] for name in names)
    assert names[2].encode() in inside[1]


def _unpacked(answer: Any) -> bytes:
    if answer["Content-Type"] != "application/zip":
        return bytes(answer.content)
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    return b"".join(archive.read(name) + name.encode() for name in archive.namelist())


def test_identifiers_leave_only_with_a_reason_and_into_the_audit_trail(drawn: ReadRevision, admin: User) -> None:
    assert export(admin, identified=True).status_code == 400
    export(admin, identified=True, reason="the ethics board knows")
    entry = AuditEntry.objects.get(action="labels.exported")
    assert (entry.detail["identified"], entry.detail["reason"]) == (True, "the ethics board knows")
    assert len(entry.detail["sha256"]) == 64


@pytest.mark.parametrize("role", [Role.RADIOLOGIST, Role.ANNOTATOR, Role.ADJUDICATOR])
def test_only_an_admin_exports_and_imports(role: Role) -> None:
    assert export(person(role)).status_code == 403
    assert given(person(role), "study_uid\n").status_code == 403


def test_a_csv_has_a_row_for_each_read_and_a_column_for_each_field(drawn: ReadRevision, admin: User) -> None:
    first = rows(export(admin))[0]
    assert (first["left"], first["right"], first["pvl"], first["positive"]) == ("3", "0", "2", "true")
    assert (first["label"], first["label_rule"]) == ("true", "reading_room")


def test_a_note_that_looks_like_a_formula_leaves_as_text_and_comes_back(study: Study, admin: User) -> None:
    Desk(person(), study).commit(comment="=HYPERLINK(1)")
    answer = export(admin, identified=True, reason="x")
    assert rows(answer)[0]["comment"] == "'=HYPERLINK(1)"
    Read.objects.update(status="draft")
    given(admin, answer.content, dry_run=False)
    assert ReadRevision.objects.get(read__context=Context.IMPORT).comment == "=HYPERLINK(1)"


def test_a_note_leaves_with_the_identifiers_only(study: Study, admin: User) -> None:
    Desk(person(), study).commit(comment="Baby Smith")
    assert "Smith" not in text(export(admin)) + text(export(admin, "json"))


def test_the_json_says_what_it_is_and_in_which_words(drawn: ReadRevision, admin: User) -> None:
    whole = json.loads(text(export(admin, "json")))
    assert (whole["format"], whole["version"], whole["notice"]) == ("fontanelle-labels", 1, "Research use only")
    assert whole["schemas"].keys() == {"papile-2"}
    assert whole["labels"][0]["reads"] == [whole["reads"][0]["id"]]


def test_coco_holds_the_region_on_its_frame(drawn: ReadRevision, admin: User) -> None:
    whole = json.loads(text(export(admin, "coco", identified=True, reason="x")))
    (region,), (image,) = whole["annotations"], whole["images"]
    assert (region["bbox"], region["area"], region["image_id"]) == ([10, 20, 20, 40], 800, image["id"])
    assert (image["width"], image["height"], image["frame"]) == (400, 300, 2)
    assert whole["categories"][0]["name"] == "clot"


def test_a_segmentation_holds_the_mask_on_its_frame(drawn: ReadRevision, admin: User) -> None:
    (made,) = objects(export(admin, "seg"))
    pixels = made.pixel_array
    assert pixels.shape == (300, 400)
    assert (pixels.sum(), pixels[20:60, 10:30].sum()) == (800, 800)
    source = made.PerFrameFunctionalGroupsSequence[0].DerivationImageSequence[0].SourceImageSequence[0]
    assert (source.ReferencedFrameNumber, "PatientOrientation" in made) == (2, True)


def test_a_mask_covers_what_the_line_encloses() -> None:
    circle: Any = {"tool": "ellipse", "points": [[10, 50], [90, 50], [50, 10], [50, 90]]}
    assert mask(circle, 100, 100).sum() == pytest.approx(np.pi * 40**2, rel=0.01)


# ---------- back in ----------


@pytest.mark.parametrize("form", ["csv", "json"])
@pytest.mark.parametrize("named", [{}, {"identified": True, "reason": "x"}])
def test_what_was_exported_comes_back_as_nothing_new(drawn: ReadRevision, admin: User, form: str, named: Any) -> None:
    answer = given(admin, export(admin, form, **named).content, dry_run=False).json()
    assert answer["counts"] == {"unchanged": 2}
    assert not Read.objects.filter(context=Context.IMPORT).exists()


@pytest.mark.parametrize("form", ["csv", "json"])
def test_a_reimport_into_an_empty_site_gives_the_same_labels(drawn: ReadRevision, admin: User, form: str) -> None:
    before = [(label.study.uid, label.positive) for label in reference_labels.labels()]
    left = drawn.findings
    data = export(admin, form, what="labels").content
    Read.objects.update(status="draft")
    assert reference_labels.labels() == []
    assert given(admin, data, dry_run=False).json()["counts"] == {"new": 2}
    assert [(label.study.uid, label.positive) for label in reference_labels.labels()] == before
    back = ReadRevision.objects.get(read__context=Context.IMPORT, read__study=drawn.read.study)
    assert {**back.findings, "drawings": 0} == {**left, "drawings": 0}
    assert back.findings["drawings"][0]["measured"] == left["drawings"][0]["measured"]


def test_labels_of_others_are_taken_in_their_words(study: Study, admin: User) -> None:
    other = factories.study()
    sheet = f"StudyInstanceUID;Right;Left;Parenchymal;Quality\n{study.uid};III;none;no;limited\n{other.uid};0;0;;\n"
    assert given(admin, sheet, dry_run=False).json()["counts"] == {"new": 2}
    found = ReadRevision.objects.get(read__study=study)
    assert (found.findings["right"], found.findings["quality"], found.positive) == (3, "limited", True)
    assert {label.rule for label in reference_labels.labels()} == {"imported"}


def test_a_trial_run_changes_nothing(study: Study, admin: User) -> None:
    answer = given(admin, f"study_uid,right,left\n{study.uid},3,0\n").json()
    assert (answer["dry_run"], answer["counts"]) == (True, {"new": 1})
    assert not Read.objects.exists()


def test_a_file_imported_twice_counts_once_and_a_correction_is_the_next_revision(study: Study, admin: User) -> None:
    sheet = "study_uid,right,left\n{},{},0\n"
    for grade, outcome in ((3, "new"), (3, "unchanged"), (2, "changed")):
        assert given(admin, sheet.format(study.uid, grade), dry_run=False).json()["counts"] == {outcome: 1}
    assert list(ReadRevision.objects.values_list("number", "findings__right")) == [(1, 3), (2, 2)]


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ("1.2.3.404,,3,0", "No study has the UID 1.2.3.404."),
        (",,3,0", "The study_uid is empty."),
        ("{uid},,=A1+1,0", "right holds a formula (=A1+1), not an answer"),
        ("{uid},,7,0", "right holds '7', which is none of"),
        ("{uid},nobody,3,0", "Nobody here is called 'nobody'"),
        ("{uid},,,", "Say first whether there is a haemorrhage"),
        ("{uid},,3,0,1", "more cells than there are columns (5, not 4)"),
        ("{uid},,3", "fewer cells than there are columns (3, not 4)"),
    ],
)
def test_a_row_that_cannot_be_taken_says_why(study: Study, admin: User, cells: str, reason: str) -> None:
    (row,) = judged(admin, f"study_uid,reader,right,left\n{cells.format(uid=study.uid)}\n").rows
    assert (row.outcome, reason in row.reason) == ("refused", True)


@pytest.mark.parametrize("cell", ["5", "true", "[[1]]", '[{"sop_uid": []}]', '{"sop_uid": 1}', "[" * 10_000])
@pytest.mark.parametrize("field", ["keyframes", "drawings"])
def test_a_cell_that_holds_no_list_of_marks_refuses_its_row_alone(
    study: Study, admin: User, field: str, cell: str
) -> None:
    other = factories.study()
    text = io.StringIO()
    csv.writer(text).writerows([["study_uid", "right", "left", field], [study.uid, 0, 0, cell], [other.uid, 0, 0, ""]])
    assert [row.outcome for row in judged(admin, text.getvalue()).rows] == ["refused", "new"]


def test_a_contradiction_is_asked_about_and_taken_when_it_is_confirmed(study: Study, admin: User) -> None:
    sheet = f"study_uid,right,left,phi\n{study.uid},0,0,yes\n"
    (row,) = given(admin, sheet, dry_run=False).json()["rows"]
    assert (row["outcome"], "no side has a grade" in row["reason"]) == ("refused", True)
    assert given(admin, sheet, dry_run=False, confirmed=True).json()["counts"] == {"new": 1}


def test_two_columns_of_one_name_are_refused(study: Study, admin: User) -> None:
    answer = given(admin, f"study_uid,right,Right ,left\n{study.uid},3,1,0\n", dry_run=False)
    assert (answer.status_code, "Several columns are called right" in str(answer.json())) == (400, True)
    assert not ReadRevision.objects.exists()


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e"])
def test_what_a_word_processor_puts_between_lines_stays_in_the_comment(study: Study, admin: User, mark: str) -> None:
    sheet = f"study_uid,comment,right,left\r\n{study.uid},first{mark}second,III,None\r\n"
    assert given(admin, sheet, dry_run=False).json()["counts"] == {"new": 1}
    found = ReadRevision.objects.get(read__study=study)
    assert (found.findings["right"], found.findings["left"], found.comment) == (3, 0, f"first{mark}second")


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=;", "\ufeffsep=;"])
def test_the_line_that_names_the_separator_is_taken(study: Study, admin: User, first: str) -> None:
    sheet = f"{first}\r\nstudy_uid;comment;right;left\r\n{study.uid};a, b, c, d;III;None\r\n{study.uid};x\r\n"
    taken, short = judged(admin, sheet).rows
    assert (taken.line, taken.outcome) == (3, "new")
    assert (short.line, short.outcome) == (4, "refused")


def test_a_row_is_named_by_the_line_on_which_it_starts(study: Study, admin: User) -> None:
    sheet = f'study_uid,right,left,comment\n\n{study.uid},3,0,"one\ntwo"\n{study.uid},3\n'
    assert [row.line for row in judged(admin, sheet).rows] == [3, 5]


def test_a_wrong_encoding_is_named_and_the_other_rows_are_taken(study: Study, admin: User) -> None:
    other = factories.study()
    sheet = (
        f"study_uid,right,left,comment\n{study.uid},0,0,H\u00e4matom\n".encode("latin-1")
        + f"{other.uid},0,0,\n".encode()
    )
    first, second = judged(admin, sheet).rows
    assert (first.outcome, first.reason) == ("refused", sheets.NOT_TEXT)
    assert second.outcome == "new"
    assert judged(admin, f"study_uid,right,left\n{study.uid},0,0\n".encode("utf-16")).counts == {"new": 1}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"PK\x03\x04\0\0", "workbook"),
        (b"patient,right\n1,2\n", "study_uid"),
        (b'{"format": "other"}', "fontanelle-labels"),
        (b'{"format": ' + b"[" * 100_000, "no JSON"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_whole(admin: User, data: bytes, reason: str) -> None:
    with pytest.raises(sheets.BadFile, match=reason):
        judged(admin, data)


def test_a_hundred_thousand_rows_are_judged_and_one_more_is_too_many(study: Study, admin: User) -> None:
    row = f"{study.uid},0,0\n"
    result = judged(admin, "study_uid,right,left\n" + row * 100_000)
    assert result.counts == {"new": 1, "refused": 99_999}
    with pytest.raises(sheets.BadFile, match="100,000"):
        judged(admin, "study_uid,right,left\n" + row * 100_001)


def test_columns_that_nobody_knows_are_named(study: Study, admin: User) -> None:
    assert judged(admin, f"study_uid,right,left,hospital\n{study.uid},0,0,x\n").unused == ["hospital"]


def test_the_command_exports_and_imports(drawn: ReadRevision, admin: User, tmp_path: Path) -> None:
    file, report = tmp_path / "labels.csv", tmp_path / "report.csv"
    call_command("labels", "export", file, user=admin.username)
    call_command("labels", "import", file, user=admin.username, report=report)
    assert [row["outcome"] for row in csv.DictReader(report.open())] == ["unchanged", "unchanged"]
    with pytest.raises(CommandError, match="No active admin"):
        call_command("labels", "export", file, user=drawn.read.reader.username)
