from __future__ import annotations

import pytest

from studies.dicom.view_labels import short_label, suggest_plane, suggest_view


@pytest.mark.parametrize(
    ("text", "view"),
    [
        ("COR sweep", "coronal"),
        ("Coronal anterior", "coronal"),
        ("COR3", "coronal"),
        ("SAG right", "sagittal"),
        ("parasagittal L", "sagittal"),
        ("mid-sag", "sagittal"),
        ("Mastoid coronal", "mastoid"),
        ("posterior fossa", "mastoid"),
        ("sagged corner store", "other"),
        ("", "other"),
    ],
)
def test_the_words_of_a_device_suggest_the_view(text: str, view: str) -> None:
    assert suggest_view([text])[0] == view


def test_the_first_text_that_names_a_view_decides() -> None:
    assert suggest_view(["Neonatal head", "SAG left", "COR"]) == ("sagittal", "SAG left")


def test_a_long_description_becomes_a_short_label() -> None:
    assert short_label(["Parasagittal sweep through the right ventricle"], frames=40) == "SAG right sweep"


def test_a_still_without_words_is_called_one() -> None:
    assert short_label(["", ""], frames=1) == "still"


@pytest.mark.parametrize(
    ("text", "view", "laterality", "plane"),
    [
        ("COR foramen of Monro", "coronal", "", "third_ventricle"),
        ("Coronal trigone", "coronal", "", "trigone"),
        ("COR sweep", "coronal", "", ""),
        ("parasag right", "sagittal", "", "right"),
        ("mid-sag", "sagittal", "", "midline"),
        ("SAG", "sagittal", "L", "left"),
        ("COR right", "coronal", "R", ""),
        ("right", "other", "R", ""),
    ],
)
def test_the_plane_is_one_of_its_view(text: str, view: str, laterality: str, plane: str) -> None:
    assert suggest_plane([text], view, laterality=laterality) == plane
