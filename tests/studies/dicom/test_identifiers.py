"""Identifiers as real devices write them: taken with a word about it, or refused in a sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from studies.ingest.results import IngestResult
from studies.models import Clip
from tests.studies.dicoms import clip, dataset, encoded, form, related

Take = Callable[..., IngestResult]
pytestmark = pytest.mark.django_db
UIDS: dict[str, Any] = {
    "SOPInstanceUID": "1.22.333",
    "StudyInstanceUID": "1.22.44444444",
    "SeriesInstanceUID": "1.22.55555555",
}
SOP, STUDY, SERIES = (value.encode() for value in UIDS.values())
IN_META = b"\x02\x00\x03\x00UI\x08\x00" + SOP


def _sent(*changes: tuple[bytes, bytes]) -> bytes:
    """A clip with other bytes, as many, in the place of these; those of its file header only where named in full."""
    data = clip(**UIDS)
    for old, new in changes:
        assert len(old) == len(new)
        data = new.join(data.rsplit(old, 1))
    return data


def _meta(uid: bytes) -> tuple[bytes, bytes]:
    return IN_META, IN_META.replace(SOP, uid)


def test_the_data_sets_identifier_counts_and_the_file_headers_is_named(take: Take) -> None:
    result = take(_sent(_meta(b"9.99.999")))
    assert (result.outcome, result.sop_uid) == ("stored", "1.22.333")
    said = "Its file header names another SOP Instance UID (9.99.999): that of the data set counts."
    assert (result.reason, Clip.objects.get().warnings) == (said, [said])


def test_the_data_sets_class_counts(take: Take) -> None:
    made = dataset(**UIDS)
    data = encoded(made).replace(b"1.2.840.10008.5.1.4.1.1.3.1", b"1.2.840.10008.5.1.4.1.1.6.1", 1)
    assert "names another SOP Class UID (1.2.840.10008.5.1.4.1.1.6.1)" in take(data).reason
    assert Clip.objects.get().sop_class == "1.2.840.10008.5.1.4.1.1.3.1"


def test_a_class_that_only_the_file_header_names_counts(take: Take) -> None:
    made = dataset(**UIDS)
    data = encoded(made)
    at = data.rindex(b"\x08\x00\x16\x00UI")
    assert "that of its file header counts" in take(data[:at] + data[at + 8 + 28 :]).reason
    assert Clip.objects.get().sop_class == "1.2.840.10008.5.1.4.1.1.3.1"


def test_leading_zeros_are_kept_and_said(take: Take) -> None:
    result = take(_sent((SOP, b"1.22.033"), _meta(b"1.22.033")))
    assert (result.outcome, result.sop_uid) == ("stored", "1.22.033")
    assert result.reason.startswith("A number in its SOP Instance UID begins with 0, which DICOM does not allow")


def test_identifiers_that_differ_in_zeros_are_two(take: Take) -> None:
    sent = [_sent((SOP, uid), _meta(uid)) for uid in (b"1.22.033", b"1.22.33\0")]
    assert [take(data).outcome for data in sent] == ["stored", "stored"]
    assert sorted(Clip.objects.values_list("sop_uid", flat=True)) == ["1.22.033", "1.22.33"]


@pytest.mark.parametrize("padded", [b"1.22.3  ", b"1.22.3\0\0", b"1.22.3 \0", b" 1.22.3\0"])
def test_padding_is_no_part_of_an_identifier(take: Take, padded: bytes) -> None:
    result = take(_sent((SOP, padded), _meta(padded)))
    assert (result.outcome, result.sop_uid) == ("stored", "1.22.3")
    assert result.reason == "Its SOP Instance UID is padded with spaces or several NULs: it counts without."


def test_one_nul_is_how_it_is_done(take: Take) -> None:
    assert take(_sent((SOP, b"1.22.33\0"), _meta(b"1.22.33\0"))).reason == ""


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ([(SERIES, b" " * 13)], "It has no Series Instance UID, so nothing says with which images it was taken."),
        ([(STUDY, b"\0" * 13)], "It has no Study Instance UID, so nothing says to which examination it belongs."),
        ([(SOP, b"1.22.abc")], "Its SOP Instance UID is not a valid identifier, which is numbers with dots between"),
        ([(SOP, b"1.2\\1.33")], "Its SOP Instance UID is 2 identifiers, and must be one."),
        ([(SOP, b"1.22..33")], "Its SOP Instance UID is not a valid identifier, which is numbers with dots between"),
    ],
    ids=["no series", "no study", "letters", "two", "dots"],
)
def test_what_is_no_identifier_is_refused_in_a_sentence(
    take: Take, changes: list[tuple[bytes, bytes]], reason: str
) -> None:
    result = take(_sent(*changes))
    assert result.refused
    assert result.reason.startswith(reason)
    assert "Have it exported again." in result.reason


def test_one_that_is_too_long_says_how_long_it_may_be(take: Take) -> None:
    result = take(_sent((STUDY + b"\0", b"1" * 14)).replace(b"UI\x0e\x00" + b"1" * 14, b"UI\x46\x00" + b"1" * 70))
    assert result.reason.startswith(
        "Its Study Instance UID is longer than the 64 characters that an identifier may have"
    )


@pytest.mark.parametrize("start", [128, 132], ids=["no preamble", "no DICM"])
@pytest.mark.parametrize("rest", [b"", b"\x08\x00\x16\x00UI"], ids=["header", "data set alone"])
def test_a_data_set_without_its_file_header_is_told_from_rubbish(take: Take, start: int, rest: bytes) -> None:
    data = clip()
    result = take(data[data.rindex(rest) :] if rest else data[start:])
    assert result.code == "no_preamble"
    assert result.reason.startswith("It looks like a DICOM data set, but the file header")


def test_a_file_header_without_elements_is_refused(take: Take) -> None:
    data = clip()
    result = take(data[:132] + data[data.rindex(b"\x08\x00\x16\x00UI") :])
    assert result.code == "no_syntax"
    assert "does not say how the data are encoded" in result.reason


# ---------- how the sender hears of it ----------

ODD = _sent(_meta(b"9.99.999"))
SAID = "Its file header names another SOP Instance UID (9.99.999): that of the data set counts."


def test_stow_stores_it_with_a_warning_and_its_words(reader: Client) -> None:
    body, kind = related([ODD])
    answer: Any = reader.post("/dicom-web/studies", body, content_type=kind)
    (stored,) = answer.json()["00081199"]["Value"]
    assert (answer.status_code, stored["00081196"]["Value"]) == (202, [45063])
    assert stored["00741048"]["Value"][0]["00000902"]["Value"] == [SAID]


def test_the_upload_says_it(reader: Client) -> None:
    body, kind = form([("a.dcm", ODD)])
    (result,) = reader.post("/api/v1/upload/", body, content_type=kind).json()["results"]
    assert (result["outcome"], result["reason"]) == ("stored", SAID)


def test_the_command_says_it(tmp_path: Path) -> None:
    (tmp_path / "a.dcm").write_bytes(ODD)
    text = StringIO()
    call_command("ingest", str(tmp_path / "a.dcm"), stdout=text)
    assert f"stored {tmp_path}/a.dcm: {SAID}" in text.getvalue()


def test_the_commands_list_says_it(tmp_path: Path) -> None:
    (tmp_path / "a.dcm").write_bytes(ODD)
    text = StringIO()
    call_command("ingest", str(tmp_path / "a.dcm"), "--json", stdout=text)
    (result,) = json.loads(text.getvalue())
    assert (result["outcome"], result["reason"]) == ("stored", SAID)
