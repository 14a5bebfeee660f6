"""How far readers agree on one question: as a panel, category by category, pair by pair, by the study's quality.

A question's answers are codes [S, R] of S studies by R readers, 0 to q - 1, -1 where there is none; ``draws`` are the
bootstrap samples of the patients of those S studies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Annotated, Any, NotRequired, TypedDict

import numpy as np
from numpy.typing import NDArray

from annotations.core import coefficients
from annotations.core.bootstrap import (
    ONE_SIDED,
    TOO_FEW,
    Codes,
    Estimate,
    EstimatePayload,
    Floats,
    Resamples,
    divided,
    estimate,
)
from annotations.core.coefficients import Scale

LEAST = 5
"""Studies with two answers below which nothing is said: a coefficient of fewer is noise."""


@dataclass(frozen=True)
class Question:
    """Something that every read answers, in categories; ``scale`` says whether their order means anything."""

    name: str
    label: str
    categories: tuple[str, ...]
    scale: Scale = "nominal"

    @property
    def size(self) -> int:
        return len(self.categories)


class CategoryAgreement(TypedDict):
    """One category against all others."""

    name: str
    share: Annotated[float | None, "of the answers, 0 to 1; None where there are none"]
    kappa: EstimatePayload


class PanelMeasures(TypedDict):
    """All readers together: observed agreement, Fleiss' κ, Krippendorff's alpha, Gwet's AC1."""

    observed: EstimatePayload
    fleiss: EstimatePayload
    alpha: EstimatePayload
    ac1: EstimatePayload
    n: Annotated[int, "studies with two answers or more"]


class PanelReport(PanelMeasures):
    categories: list[CategoryAgreement]


class StratumReport(PanelMeasures):
    """The panel among the studies of one stratum, such as those of limited quality."""

    stratum: str


class PairReport(TypedDict):
    """Two columns of answers: observed agreement, AC1, Cohen's κ and, where the order means something, weighted κ.

    ``sensitivity`` and ``specificity`` stand where one of the columns is the truth of a question of yes and no.
    Where nobody shares a study only ``observed`` is there, and says so.
    """

    observed: EstimatePayload
    ac1: NotRequired[EstimatePayload]
    kappa: NotRequired[EstimatePayload]
    weighted: NotRequired[EstimatePayload]
    sensitivity: NotRequired[EstimatePayload]
    specificity: NotRequired[EstimatePayload]
    n: Annotated[int, "studies that both answered"]
    matrix: NotRequired[Annotated[list[list[int]], "studies by the first one's category, then the second's"]]


@dataclass(frozen=True)
class ReaderPair:
    """Two readers by their columns."""

    first: int
    second: int
    report: PairReport


def panel_report(codes: Codes, question: Question, draws: Resamples) -> PanelReport:
    """All readers together, and κ of each category."""
    panel = _panel(codes, question, draws)
    n = round(panel.twice[0])
    return {**_panel_measures(panel, question), "categories": _categories(panel, question, n)}


def _panel(codes: Codes, question: Question, draws: Resamples) -> coefficients.Panel:
    return coefficients.panel(draws.sums(coefficients.panel_statistics(codes, question.size)), question.size)


def _panel_measures(panel: coefficients.Panel, question: Question) -> PanelMeasures:
    n = round(panel.twice[0])
    return {
        "observed": _estimate(coefficients.observed(panel), n),
        "fleiss": _estimate(coefficients.fleiss(panel), n),
        "alpha": _estimate(coefficients.alpha(panel, question.scale), n),
        "ac1": _estimate(coefficients.ac1(panel), n),
        "n": n,
    }


def _categories(panel: coefficients.Panel, question: Question, n: int) -> list[CategoryAgreement]:
    return [
        {
            "name": name,
            "share": panel.shares[0, at] / panel.once[0] if panel.once[0] else None,
            "kappa": _estimate(coefficients.fleiss_of_category(panel, at), n),
        }
        for at, name in enumerate(question.categories)
    ]


def _estimate(values: Floats, n: int) -> EstimatePayload:
    return estimate(values, n, least=LEAST).as_json()


def pair_reports(pairs: Sequence[tuple[Codes, Codes]], question: Question, draws: Resamples) -> list[PairReport]:
    """For each two columns of answers [S]: Cohen's κ, weighted (quadratic) κ where the order means something, AC1."""
    if not pairs:
        return []
    cells = [coefficients.pair_statistics(first, second, question.size) for first, second in pairs]
    sums = draws.sums(np.concatenate(cells, axis=1))
    return [_pair(part, question) for part in np.split(sums, len(pairs), axis=1)]


def _pair(sums: Floats, question: Question, *, studies: int | None = None) -> PairReport:
    """Of summed confusion matrices [B, q²]; ``studies`` where they count a study more than once."""
    tables = sums.reshape(-1, question.size, question.size)
    n = round(tables[0].sum()) if studies is None else studies
    report: PairReport = {
        "observed": _estimate(coefficients.pair_observed(tables), n),
        "ac1": _estimate(coefficients.pair_ac1(tables), n),
        "kappa": _kappa(tables, n, "none"),
        "n": n,
        "matrix": tables[0].astype(int).tolist(),
    }
    if question.scale != "nominal":
        report["weighted"] = _kappa(tables, n, "quadratic")
    return report


def _kappa(tables: Floats, n: int, weights: coefficients.Weights) -> EstimatePayload:
    """Cohen's κ; none where either column knows one answer alone, since chance would agree as well."""
    if n >= LEAST and 1 in ((tables[0].sum(axis=0) > 0).sum(), (tables[0].sum(axis=1) > 0).sum()):
        return Estimate(None, n=n, why=ONE_SIDED).as_json()
    return _estimate(coefficients.cohen(tables, weights), n)


def reader_pairs(codes: Codes, question: Question, draws: Resamples) -> list[ReaderPair]:
    """Each two readers who have a study in common."""
    answered = codes >= 0
    pairs = [(a, b) for a, b in combinations(range(codes.shape[1]), 2) if (answered[:, a] & answered[:, b]).any()]
    reports = pair_reports([(codes[:, a], codes[:, b]) for a, b in pairs], question, draws)
    return [ReaderPair(a, b, report) for (a, b), report in zip(pairs, reports, strict=True)]


def against(codes: Codes, truth: Codes, question: Question, draws: Resamples) -> list[PairReport]:
    """Each reader against an answer that stands above them [S], with sensitivity and specificity of yes and no."""
    reports = pair_reports([(column, truth) for column in codes.T], question, draws)
    if question.size == 2:
        for report, column in zip(reports, codes.T, strict=True):
            report["sensitivity"] = _share_right(column, truth, 1, draws)
            report["specificity"] = _share_right(column, truth, 0, draws)
    return reports


def _share_right(column: Codes, truth: Codes, answer: int, draws: Resamples) -> EstimatePayload:
    """The share of those studies whose true answer this is to which the reader gave it too."""
    counted = (column >= 0) & (truth == answer)
    sums = draws.sums(np.column_stack([counted & (column == answer), counted]))
    return _estimate(divided(sums[:, 0], sums[:, 1]), int(counted.sum()))


def with_the_others(codes: Codes, reader: int, question: Question, draws: Resamples) -> PairReport:
    """One reader against each other reader, all pairs taken together: a study counts once for each other reader."""
    others = [column for at, column in enumerate(codes.T) if at != reader]
    tables = [coefficients.pair_statistics(codes[:, reader], column, question.size) for column in others]
    if not tables:
        return {"n": 0, "observed": Estimate(None, why=TOO_FEW).as_json()}
    shared = int(np.sum(tables, axis=(0, 2)).astype(bool).sum())
    return _pair(draws.sums(np.sum(tables, axis=0)), question, studies=shared)


def by_stratum(
    codes: Codes, strata: Codes, names: Sequence[str], question: Question, draws: Resamples
) -> list[StratumReport]:
    """The panel within each stratum [S] of studies, such as the worst quality that a reader gave them."""
    within: list[NDArray[Any]] = [
        np.where((strata == at)[:, None], codes, coefficients.MISSING) for at in range(len(names))
    ]
    return [
        {"stratum": name, **_panel_measures(_panel(part, question, draws), question)}
        for name, part in zip(names, within, strict=True)
    ]
