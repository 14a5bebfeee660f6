"""Words find a study in whatever case they and its texts are written."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from studies import access
from studies.models import Study
from studies.search import folded, matching
from tests.annotations import factories

pytestmark = pytest.mark.django_db

NAMES = {
    "latin": ("MÜSTER^ZOÉ", ["müster", "Zoé", "zoé MÜSTER", "mÜst"]),
    "sharp s": ("Weiß^Ada", ["WEISS", "weiß", "weiss", "WEIẞ"]),
    "cyrillic": ("ОБРАЗЦОВА^АННА", ["образцова", "Анна Образцова"]),  # noqa: RUF001 - letters that look Latin are the point
    "greek": ("ΣΟΦΟΣ^ΝΊΚΟΣ", ["σοφος", "Σοφοσ", "νίκος"]),
    "turkish dotted": ("İNCİ^IŞIK", ["inci", "İnci", "INCI", "ışık", "IŞIK", "Işık"]),  # noqa: RUF001 - as above
    "turkish dotless": ("ışık^inci", ["IŞIK", "İNCİ"]),  # noqa: RUF001 - as above
    "armenian": ("ՀԱՅԿ^ԱՆԻ", ["հայկ"]),
    "georgian": ("ᲜᲘᲜᲝ", ["ნინო"]),
    "decomposed": ("MU\u0308STER^ZOE\u0301", ["müster", "zoé"]),
    "ideographic group": ("Yamada^Tarou=山田^太郎=やまだ^たろう", ["太郎", "YAMADA やまだ"]),
}


def found(words: str) -> set[int]:
    return matching(access.every_study(), words)


@pytest.mark.parametrize(("name", "words"), [(name, words) for name, each in NAMES.values() for words in each])
def test_a_name_is_found_in_any_case_of_its_script(name: str, words: str) -> None:
    study = factories.study(of=factories.patient(name=name))
    factories.study()
    assert found(words) == {study.pk}


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("uid", "1.2.276.77", "276.77"),
        ("accession", "A-17", "a-17"),
        ("description", "Schädel ÜBERSICHT", "übersicht"),
    ],
)
def test_a_study_is_found_by_its_own_texts(field: str, text: str, words: str) -> None:
    facts: dict[str, Any] = {field: text}
    study = factories.study(**facts)
    factories.study()
    assert found(words) == {study.pk}


def test_a_study_is_found_by_the_number_of_its_patient() -> None:
    study = factories.study(of=factories.patient(patient_id="ÄB-7"))
    assert found("äb-7") == {study.pk}


def test_every_word_must_occur_but_not_in_one_field() -> None:
    both = factories.study(of=factories.patient(name="Muster^Zoe"), accession="A-17")
    factories.study(of=factories.patient(name="Muster^Ida"), accession="A-18")
    assert found("muster a-17") == {both.pk}
    assert found("muster a-17 zora") == set()


def test_a_word_does_not_run_from_one_field_into_the_next() -> None:
    factories.study(accession="A-1", description="7 days")
    assert found("a-17") == set()


@pytest.mark.parametrize("words", ["", "  "])
def test_no_words_leave_every_study(words: str) -> None:
    studies = {factories.study().pk, factories.study().pk}
    assert found(words) == studies


def test_only_the_given_studies_are_searched() -> None:
    inside, outside = factories.study(accession="A-17"), factories.study(accession="A-17")
    assert matching(access.every_study().exclude(pk=outside.pk), "a-17") == {inside.pk}


def test_a_search_is_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    studies: list[Study] = [factories.study() for _ in range(3)]
    with django_assert_num_queries(1):
        assert len(found("test")) == len(studies)


@pytest.mark.parametrize("letter", ["İ", "I", "ı", "i"])  # noqa: RUF001 - as above
def test_the_turkish_letters_are_one(letter: str) -> None:
    assert folded(letter) == "i"


@pytest.mark.parametrize("words", ["Müller, Zoë", "Müller^Zoë", "Yamada=山田"])
def test_a_name_is_found_as_pages_and_as_files_write_it(words: str) -> None:
    study = factories.study(of=factories.patient(name="Müller^Zoë" if "M" in words else "Yamada^Tarou=山田^太郎"))
    factories.study()
    assert found(words) == {study.pk}


def test_a_study_is_found_by_the_name_under_which_it_was_sent() -> None:
    study = factories.study(as_sent={"name": "Baby of^Smith"})
    factories.study()
    assert found("baby smith") == {study.pk}
