"""Names as devices write them: kept as they came, shown readably, compared by group."""

from __future__ import annotations

from typing import Any

import pytest

from studies.dicom.person_names import groups, readable, without_groups
from tests.studies.dicom.test_header import header as header
from tests.studies.dicoms import dataset, encoded

YAMADA = "Yamada^Tarou=山田^太郎=やまだ^たろう"


@pytest.mark.parametrize(
    ("name", "character_set"),
    [
        ("MÜSTER^ZOÉ^^Dr.", "ISO_IR 100"),
        ("Müller^Zoë^^^", "ISO_IR 192"),
        ("Adams^John Robert Quincy^Maria^Rev.^B.A. M.Div.", ""),
        ("ЖИДКОВА^ЯНА", "ISO_IR 144"),
        ("Διονυσιος^Α", "ISO_IR 126"),  # noqa: RUF001 - a Greek name
        (YAMADA, ["", "ISO 2022 IR 87"]),
        ("=山田^太郎", "ISO_IR 192"),
        ("Hong^Gildong=洪^吉洞=홍^길동", ["", "ISO 2022 IR 149"]),
        ("Wang^XiaoDong=王^小东", "GB18030"),
        ("Müller, Zoë", "ISO_IR 192"),
    ],
)
def test_a_name_is_kept_as_it_came(header: Any, name: str, character_set: str | list[str]) -> None:
    facts = header(encoded(dataset(SpecificCharacterSet=character_set, PatientName=name)))
    assert facts["patient"]["name"] == facts["as_sent"]["name"] == name


def test_several_names_keep_their_backslash(header: Any) -> None:
    assert header(encoded(dataset(PatientName=["A^B", "C^D"])))["as_sent"]["name"] == "A^B\\C^D"


def test_texts_of_a_study_are_kept_as_they_came(header: Any) -> None:
    facts = header(
        encoded(dataset(StudyTime="2330", TimezoneOffsetFromUTC="-0500", PatientID="47  11", IssuerOfPatientID="NORTH"))
    )["as_sent"]
    assert (facts["study_date"], facts["study_time"], facts["utc_offset"]) == ("20260105", "2330", "-0500")
    assert (facts["patient_id"], facts["issuer"]) == ("47  11", "NORTH")


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Müller^Zoë", "Müller, Zoë"),
        ("MÜSTER^ZOÉ^^Dr.", "MÜSTER, Dr. ZOÉ"),
        ("Adams^John^Quincy^Rev.^B.A.", "Adams, Rev. John Quincy, B.A."),
        ("Müller^Zoë^^^", "Müller, Zoë"),
        ("^Zoë", "Zoë"),
        (YAMADA, "Yamada, Tarou · 山田 太郎 · やまだ たろう"),
        ("=山田^太郎", "山田 太郎"),
        ("Müller, Zoë", "Müller, Zoë"),
        ("A^B\\C^D", "A, B"),
        ("^^^", ""),
        ("", ""),
    ],
)
def test_a_name_is_shown_readably(written: str, shown: str) -> None:
    assert readable(written) == shown


def test_a_name_has_three_groups_whatever_it_says() -> None:
    assert groups("A^B=C=D=E") == ["A^B", "C", "D"]
    assert groups("") == ["", "", ""]


def test_a_name_may_lack_groups_of_another() -> None:
    assert without_groups("Yamada^Tarou", YAMADA)
    assert not any((without_groups(YAMADA, YAMADA), without_groups(YAMADA, "Yamada^Tarou"), without_groups("", YAMADA)))
