"""How far readers agree on one question: as a panel, category by category, pair by pair, by the study's quality.

A question's answers are codes [S, R] of S studies by R readers, 0 to q - 1, -1 where there is none; ``draws`` are the
bootstrap samples of the patients of those S studies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotations.core import coefficients
from annotations.core.bootstrap import ONE_SIDED, TOO_FEW, Codes, Estimate, Floats, Resamples, divided, estimate
from annotations.core.coefficients import Scale, Weights

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


def panel_report(codes: Codes, question: Question, draws: Resamples) -> dict[str, Any]:
    """All readers together: observed agreement, Fleiss' κ, Krippendorff's alpha, Gwet's AC1, and κ of each category."""
    sums = draws.sums(coefficients.panel_statistics(codes, question.size))
    found = coefficients.panel(sums, question.size)
    n = round(found.twice[0])
    return {
        **_told(
            n,
            observed=coefficients.observed(found),
            fleiss=coefficients.fleiss(found),
            alpha=coefficients.alpha(found, question.scale),
            ac1=coefficients.ac1(found),
        ),
        "n": n,
        "categories": [
            {
                "name": name,
                "share": found.shares[0, at] / found.once[0] if found.once[0] else None,
                "kappa": _estimate(coefficients.fleiss_of_category(found, at), n).as_json(),
            }
            for at, name in enumerate(question.categories)
        ],
    }


def _estimate(values: Floats, n: int) -> Estimate:
    return estimate(values, n, least=LEAST)


def _told(n: int, **measures: Floats) -> dict[str, Any]:
    return {name: _estimate(values, n).as_json() for name, values in measures.items()}


def pair_reports(pairs: Sequence[tuple[Codes, Codes]], question: Question, draws: Resamples) -> list[dict[str, Any]]:
    """For each two columns of answers [S]: Cohen's κ, weighted (quadratic) κ where the order means something, AC1."""
    if not pairs:
        return []
    cells = [coefficients.pair_statistics(first, second, question.size) for first, second in pairs]
    sums = draws.sums(np.concatenate(cells, axis=1))
    return [_pair(part, question) for part in np.split(sums, len(pairs), axis=1)]


def _pair(sums: Floats, question: Question, *, studies: int | None = None) -> dict[str, Any]:
    """Of summed confusion matrices [B, q²]; ``studies`` where they count a study more than once."""
    tables = sums.reshape(-1, question.size, question.size)
    n = round(tables[0].sum()) if studies is None else studies
    found = _told(n, observed=coefficients.pair_observed(tables), ac1=coefficients.pair_ac1(tables))
    found |= _kappas(n, tables, question)
    return {**found, "n": n, "matrix": tables[0].astype(int).tolist()}


def _kappas(n: int, tables: Floats, question: Question) -> dict[str, Any]:
    """Cohen's κ, and weighted where the order means something; none where either side knows one answer alone."""
    weights: dict[str, Weights] = {"kappa": "none"}
    if question.scale != "nominal":
        weights["weighted"] = "quadratic"
    if n >= LEAST and 1 in ((tables[0].sum(axis=0) > 0).sum(), (tables[0].sum(axis=1) > 0).sum()):
        return dict.fromkeys(weights, Estimate(None, n=n, why=ONE_SIDED).as_json())
    return _told(n, **{name: coefficients.cohen(tables, kind) for name, kind in weights.items()})


def reader_pairs(codes: Codes, question: Question, draws: Resamples) -> list[dict[str, Any]]:
    """Each two readers who have a study in common; ``a`` and ``b`` are their columns."""
    said = codes >= 0
    both = [(a, b) for a, b in combinations(range(codes.shape[1]), 2) if (said[:, a] & said[:, b]).any()]
    reports = pair_reports([(codes[:, a], codes[:, b]) for a, b in both], question, draws)
    return [{"a": a, "b": b, **report} for (a, b), report in zip(both, reports, strict=True)]


def against(codes: Codes, truth: Codes, question: Question, draws: Resamples) -> list[dict[str, Any]]:
    """Each reader against an answer that stands above them [S], with sensitivity and specificity of yes and no."""
    reports = pair_reports([(column, truth) for column in codes.T], question, draws)
    if question.size == 2:
        for report, column in zip(reports, codes.T, strict=True):
            report |= _right(column, truth, draws)
    return reports


def _right(column: Codes, truth: Codes, draws: Resamples) -> dict[str, Any]:
    known = (column >= 0) & (truth >= 0)
    found = {}
    for name, answer in (("sensitivity", 1), ("specificity", 0)):
        among = known & (truth == answer)
        sums = draws.sums(np.column_stack([among & (column == answer), among]))
        found[name] = _estimate(divided(sums[:, 0], sums[:, 1]), int(among.sum())).as_json()
    return found


def with_the_others(codes: Codes, reader: int, question: Question, draws: Resamples) -> dict[str, Any]:
    """One reader against each other reader, all pairs taken together: a study counts once for each other reader."""
    others = [column for at, column in enumerate(codes.T) if at != reader]
    tables = [coefficients.pair_statistics(codes[:, reader], column, question.size) for column in others]
    if not tables:
        return {"n": 0, "observed": Estimate(None, why=TOO_FEW).as_json()}
    shared = int(np.sum(tables, axis=(0, 2)).astype(bool).sum())
    return _pair(draws.sums(np.sum(tables, axis=0)), question, studies=shared)


def by_stratum(codes: Codes, strata: Codes, names: Sequence[str], question: Question, draws: Resamples) -> list[Any]:
    """The panel within each stratum [S] of studies, such as the worst quality that a reader gave them."""
    within: list[NDArray[Any]] = [
        np.where((strata == at)[:, None], codes, coefficients.MISSING) for at in range(len(names))
    ]
    reports = [panel_report(part, question, draws) for part in within]
    return [
        {"stratum": name, **{k: v for k, v in one.items() if k != "categories"}}
        for name, one in zip(names, reports, strict=True)
    ]
