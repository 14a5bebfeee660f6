from __future__ import annotations

import json
import zipfile
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from jobs.models import Job
from studies.management.commands import ingest
from studies.models import StudyRevision
from tests.studies.dicoms import clip

pytestmark = pytest.mark.django_db


def _run(*arguments: str | Path) -> tuple[str, int]:
    out = StringIO()
    try:
        call_command("ingest", *[str(argument) for argument in arguments], stdout=out)
    except SystemExit as end:
        return out.getvalue(), int(str(end.code))
    return out.getvalue(), 0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "in"
    (made / "deep").mkdir(parents=True)
    (made / "a.dcm").write_bytes(clip())
    (made / "deep" / "b.dcm").write_bytes(clip())
    (made / ".DS_Store").write_bytes(b"x")
    (made / "link.dcm").symlink_to("/etc/passwd")
    return made


def test_a_folder_is_taken_in_whole(folder: Path) -> None:
    assert _run(folder) == ("2 stored, 0 duplicate, 0 parked, 0 refused\n", 0)
    assert _run(folder)[0].startswith("0 stored, 2 duplicate")


def test_the_files_of_a_folder_stay_where_they_are(folder: Path) -> None:
    _run(folder)
    assert (folder / "a.dcm").exists()


def test_a_refusal_has_its_line_and_ends_in_1(folder: Path) -> None:
    (folder / "x.txt").write_text("rubbish")
    text, status = _run(folder)
    assert status == 1
    assert f"refused {folder}/x.txt: This is not a DICOM file." in text


def test_json_lists_every_file(folder: Path) -> None:
    text, _ = _run(folder, "--json")
    results = json.loads(text)
    assert [sorted(result) for result in results] == [["outcome", "path", "reason", "study_uid"]] * 2
    assert results[0]["path"] == str(folder / "a.dcm")


def test_an_archive_is_opened(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("x/1.dcm", clip())
    assert "1 stored" in _run(tmp_path / "a.zip")[0]


def test_a_path_that_is_none_is_an_error() -> None:
    with pytest.raises(CommandError, match="There is no"):
        _run("/nowhere/at/all")


def test_a_full_disk_is_an_error_in_words(folder: Path, settings: Settings) -> None:
    settings.DISK_RESERVE_BYTES = 1 << 60
    with pytest.raises(CommandError, match="disk is full"):
        _run(folder)


def test_wait_closes_revisions_by_their_rule_and_does_their_jobs(folder: Path, settings: Settings) -> None:
    settings.QUIET_PERIOD = timedelta(seconds=0.3)
    assert _run(folder, "--wait")[1] == 0
    assert StudyRevision.objects.count() == 2
    assert not Job.objects.filter(status__in=["queued", "running"]).exists()


@pytest.mark.django_db(transaction=True)
def test_with_json_and_wait_nothing_but_the_json_is_printed_though_no_worker_lives(
    folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.QUIET_PERIOD = timedelta(0)
    monkeypatch.setattr(ingest, "_PATIENCE_SECONDS", 0)
    jobs = iter([[1], []])
    monkeypatch.setattr(ingest, "_unfinished_jobs", lambda uids: next(jobs))
    call_command("ingest", str(folder), "--json", "--wait")
    printed = capsys.readouterr()
    assert len(json.loads(printed.out)) == 2
    assert "jobs done" in printed.err
