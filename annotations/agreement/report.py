"""The agreement dashboard's figures: everybody's for admins, one's own for everybody who labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from django.db.models import Q

from annotations.agreement.ratings import Answer, Gathered, gather
from annotations.core import agreement
from annotations.core.agreement import Question
from annotations.core.bootstrap import TOO_FEW, Codes, Estimate, Resamples, median, rate
from annotations.models import Blinding
from annotations.queues import assignment
from common.local_time import midnight

SEED = 0


def overview(queue: int | None) -> dict[str, Any]:
    """Everybody together, question by question, and each reader's figures."""
    found = gather(queue=queue)
    draws = _draws(found)
    return {
        **_counts(found),
        "questions": [_panel(found, one, draws) for one in found.asking.questions] if draws else [],
        "readers": [_reader(found, reader, draws) for reader in found.readers] if draws else [],
        "trainees": [_trainee(found, reader) for reader in _trainees(found)],
    }


def detail(queue: int | None, name: str) -> dict[str, Any]:
    """One question: the panel, each category, each pair of readers, by quality, against what was adjudicated."""
    found = gather(queue=queue)
    question = found.asking.named(name)
    draws = _draws(found)
    if draws is None:
        return {**_counts(found), **_named(question)}
    codes = found.table(name)
    return {
        **_counts(found),
        **_panel(found, question, draws),
        "pairs": _pairs(found, agreement.reader_pairs(codes, question, draws)),
        "by_quality": _by_quality(found, codes, question, draws),
        "adjudicated": _each(found, agreement.against(codes, found.truth(name), question, draws)),
        "repeats": _each(found, _repeats(found, question, draws)),
    }


def own(user: Any, queue: int | None) -> dict[str, Any]:
    """One reader's figures alone: nobody else is named, and no single study can be told from them.

    While a queue goes on its figures end with yesterday, or each commit would tell what others had said of that study.
    A queue that is blinded until it is closed is not in them before that.
    """
    begun = midnight()
    going_on = assignment.uncommitted(user).values("queue")
    today = Q(read__item__queue__in=going_on, committed_at__gte=begun)
    closed_later = Q(read__item__queue__active=True, read__item__queue__blinding=Blinding.CLOSED)
    found = gather(queue=queue, only=~today & ~closed_later)
    draws = _draws(found)
    mine = draws and user.pk in found.readers
    return {
        "studies": sum(answer.reader == user.pk for answer in found.first),
        "questions": [_mine(found, user.pk, one, draws) for one in found.asking.questions] if mine and draws else [],
        "reader": _reader(found, user.pk, draws) if mine and draws else None,
        "trainee": _trainee(found, user.pk) if user.pk in _trainees(found) else None,
    }


def _draws(found: Gathered) -> Resamples | None:
    return Resamples(found.patients, seed=SEED) if found.first else None


def _counts(found: Gathered) -> dict[str, Any]:
    table = np.zeros(len(found.studies), dtype=int)
    for answer in found.first:
        table[found.rows[answer.study]] += 1
    return {
        "studies": len(found.studies),
        "patients": len(set(found.patients)),
        "reads": len(found.first),
        "twice": int((table >= 2).sum()),
        "adjudicated": len(found.decided),
        "repeated": len(found.again),
        "unblinded": found.unblinded,
    }


def _named(question: Question) -> dict[str, Any]:
    return {
        "name": question.name,
        "label": question.label,
        "scale": question.scale,
        "words": list(question.categories),
    }


def _panel(found: Gathered, question: Question, draws: Resamples) -> dict[str, Any]:
    return {**_named(question), "panel": agreement.panel_report(found.table(question.name), question, draws)}


def _pairs(found: Gathered, pairs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    names = [found.names[reader] for reader in found.readers]
    return [{**pair, "a": names[pair["a"]], "b": names[pair["b"]]} for pair in pairs]


def _each(found: Gathered, reports: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """A report for each reader who has anything in it."""
    named = zip(found.readers, reports, strict=True)
    return [{"reader": found.names[reader], **report} for reader, report in named if report["n"]]


def _by_quality(found: Gathered, codes: Codes, question: Question, draws: Resamples) -> list[Any]:
    """By the worst quality that a reader gave the study."""
    if "quality" not in {one.name for one in found.asking.questions}:
        return []
    worst = found.table("quality").max(axis=1)
    return agreement.by_stratum(codes, worst, found.asking.named("quality").categories, question, draws)


def _repeats(found: Gathered, question: Question, draws: Resamples) -> list[dict[str, Any]]:
    first, second = found.repeated(question.name)
    return agreement.pair_reports(list(zip(first.T, second.T, strict=True)), question, draws)


def _reader(found: Gathered, reader: int, draws: Resamples) -> dict[str, Any]:
    column = found.columns[reader]
    answers = [answer for answer in [*found.first, *found.again] if answer.reader == reader]
    positive = found.table("positive")
    first, second = found.repeated("positive")
    return {
        "reader": found.names[reader],
        "reads": len(answers),
        "pace": _pace(found, answers),
        "with_adjudicated": _same(positive[:, column], found.truth("positive"), draws),
        "with_self": _same(first[:, column], second[:, column], draws),
        "gold": _gold(found, reader),
    }


def _trainees(found: Gathered) -> list[int]:
    """Readers whose answers are held against known ones alone."""
    return sorted({answer.reader for answer, _ in found.known} - set(found.readers))


def _trainee(found: Gathered, reader: int) -> dict[str, Any]:
    answers = [answer for answer, _ in found.known if answer.reader == reader]
    return {
        "reader": found.names[reader],
        "reads": len(answers),
        "pace": _pace(found, answers),
        "gold": _gold(found, reader),
    }


def _gold(found: Gathered, reader: int) -> dict[str, Any]:
    """The share of known answers that a reader gave too: positive or not."""
    pairs = [(answer, known) for answer, known in found.known if answer.reader == reader]
    if not pairs:
        return Estimate(None, why=TOO_FEW).as_json()
    said = np.array([answer.codes["positive"] for answer, _ in pairs])
    known = np.array([codes["positive"] for _, codes in pairs])
    draws = Resamples([found.groups[answer.study] for answer, _ in pairs], seed=SEED)
    return _same(said, known, draws)


def _same(one: Codes, other: Codes, draws: Resamples) -> dict[str, Any]:
    """The share of studies on which two columns say the same."""
    return rate(one == other, (one >= 0) & (other >= 0), draws, least=agreement.LEAST).as_json()


def _pace(found: Gathered, answers: Sequence[Answer]) -> dict[str, Any]:
    """Seconds from opening to commit: the median with its interval, and the quartiles."""
    timed = [answer for answer in answers if answer.seconds > 0]
    seconds = np.array([answer.seconds for answer in timed])
    draws = Resamples([found.groups[answer.study] for answer in timed], seed=SEED)
    middle = median(seconds, draws, least=agreement.LEAST)
    quartiles = None if middle.value is None else np.quantile(seconds, [0.25, 0.75]).tolist()
    return {**middle.as_json(), "quartiles": quartiles}


def _mine(found: Gathered, reader: int, question: Question, draws: Resamples) -> dict[str, Any]:
    """One reader against all others together, the adjudicated answers and themselves."""
    codes, column = found.table(question.name), found.columns[reader]
    first, second = found.repeated(question.name)
    pairs = [(codes[:, column], found.truth(question.name)), (first[:, column], second[:, column])]
    adjudicated, repeats = agreement.pair_reports(pairs, question, draws)
    return {
        **_named(question),
        "others": _without_matrix(agreement.with_the_others(codes, column, question, draws)),
        "adjudicated": _without_matrix(adjudicated),
        "repeats": repeats,
    }


def _without_matrix(report: dict[str, Any]) -> dict[str, Any]:
    """Counts of cells could tell a single study; the coefficients of five and more cannot."""
    return {name: value for name, value in report.items() if name != "matrix"}
