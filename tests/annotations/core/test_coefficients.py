"""Coefficients of agreement against published worked examples, and against other libraries to 1e-6."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from annotations.core import coefficients
from annotations.core.bootstrap import Codes
from annotations.core.coefficients import Panel

# Fleiss 1971, table 1: how many of 6 psychiatrists gave each of 30 patients each of 5 diagnoses.
FLEISS_1971 = """00060 03003 01401 00006 03030 20400 00402 20310 20040 00006 10050 11040 03300 10050 02031 00501
30012 51000 02040 10203 00006 01050 02013 20040 10041 05010 40002 02040 10500 00006"""
# The table of 10 subjects, 14 raters, 5 categories that textbooks and encyclopaedias work through (a to e: 10 to 14).
FOURTEEN = "0000e 02642 00356 03920 22811 77000 32630 25322 65210 02237"
# Krippendorff 2011, section C: four observers (rows), twelve units, a dot where a value is missing.
KRIPPENDORFF_2011 = "123321412... 1233224125.3 .3332342251. 12332441251."
SECOND = json.loads((Path(__file__).parent / "second_library.json").read_text())["panels"]


def codes_of(studies: list[str], *, first: int = 0) -> Codes:
    """[S, R] from a text for each study."""
    return np.array([[-1 if sign == "." else int(sign) - first for sign in study] for study in studies])


def codes_of_counts(tables: str) -> Codes:
    """[S, R] of which each study has so many of each category."""
    return np.array([np.repeat(range(len(table)), [int(sign, 16) for sign in table]) for table in tables.split()])


def panel(codes: Codes, categories: int) -> Panel:
    sums = coefficients.panel_statistics(codes, categories).sum(axis=0, keepdims=True)
    return coefficients.panel(sums, categories)


def table(codes: Codes, categories: int) -> Any:
    cells = coefficients.pair_statistics(codes[:, 0], codes[:, 1], categories).sum(axis=0)
    return cells.reshape(1, categories, categories).astype(float)


@pytest.mark.parametrize(("tables", "kappa"), [(FLEISS_1971, 0.430), (FOURTEEN, 0.210)])
def test_fleiss_kappa_as_published(tables: str, kappa: float) -> None:
    assert coefficients.fleiss(panel(codes_of_counts(tables), 5))[0] == pytest.approx(kappa, abs=5e-4)


def test_fleiss_kappa_of_each_diagnosis_as_published() -> None:
    found = panel(codes_of_counts(FLEISS_1971), 5)
    each = [coefficients.fleiss_of_category(found, diagnosis)[0] for diagnosis in range(5)]
    assert each == pytest.approx([0.245, 0.245, 0.520, 0.471, 0.566], abs=5e-4)


@pytest.mark.parametrize(("scale", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_krippendorffs_alpha_as_published(scale: Any, alpha: float) -> None:
    units = ["".join(unit) for unit in zip(*KRIPPENDORFF_2011.split(), strict=True)]
    found = coefficients.alpha(panel(codes_of(units, first=1), 5), scale)[0]
    assert found == pytest.approx(alpha, abs=6e-4)


def test_gwets_ac1_as_published_where_kappa_misleads() -> None:
    codes = np.repeat([[0, 0], [0, 1], [1, 0], [1, 1]], [118, 5, 2, 0], axis=0)
    two = table(codes, 2)
    assert coefficients.pair_ac1(two)[0] == pytest.approx(0.9408, abs=5e-5)
    assert coefficients.ac1(panel(codes, 2))[0] == pytest.approx(coefficients.pair_ac1(two)[0])
    assert coefficients.cohen(two)[0] == pytest.approx(-0.0234, abs=5e-4)


@pytest.mark.parametrize("expected", SECOND, ids=lambda row: f"{row['categories']} categories")
def test_panels_agree_with_a_second_library(expected: dict[str, Any]) -> None:
    found = panel(codes_of(expected["studies"].split()), expected["categories"])
    assert coefficients.fleiss(found)[0] == pytest.approx(expected["fleiss"], abs=1e-6)
    assert coefficients.ac1(found)[0] == pytest.approx(expected["ac1"], abs=1e-6)
    for scale, alpha in expected["alpha"].items():
        assert coefficients.alpha(found, scale)[0] == pytest.approx(alpha, abs=1e-6)


@pytest.mark.parametrize("weights", ["none", "linear", "quadratic"])
@pytest.mark.parametrize("categories", [2, 3, 5])
def test_cohens_kappa_is_that_of_scikit_learn(weights: Any, categories: int) -> None:
    rng = np.random.default_rng(categories)
    codes = rng.integers(categories, size=(80, 2))
    codes[:50, 1] = codes[:50, 0]
    named = None if weights == "none" else weights
    expected = cohen_kappa_score(*codes.T, labels=range(categories), weights=named)
    assert coefficients.cohen(table(codes, categories), weights)[0] == pytest.approx(expected, abs=1e-6)


def test_a_missing_read_makes_no_pair() -> None:
    codes = codes_of(["01", "11", "1.", ".0", ".."])
    assert table(codes, 2).tolist() == [[[0, 1], [0, 1]]]
    assert panel(codes, 2).twice[0] == 2
