"""The agreement dashboard's figures: everybody's for admins, one's own for everybody who labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, NotRequired, TypedDict

import numpy as np
from django.db.models import Q

from accounts.models import User
from annotations.agreement import ratings as agreement_ratings
from annotations.agreement.rated_variables import POSITIVE
from annotations.agreement.ratings import Rating, Ratings
from annotations.core import agreement
from annotations.core.agreement import PairReport, PanelReport, Question, StratumReport
from annotations.core.bootstrap import TOO_FEW, Codes, Estimate, EstimatePayload, Resamples, median, rate
from annotations.core.coefficients import Scale
from annotations.models import Blinding
from annotations.queues import assignment
from common.local_time import midnight

SEED = 0


class AgreementCounts(TypedDict):
    """What the figures are made of."""

    studies: int
    patients: Annotated[int, "infants, twins counted as one"]
    reads: int
    twice: Annotated[int, "studies that two readers or more answered"]
    repeated: Annotated[int, "reads by somebody who had answered the same study before"]
    unblinded: Annotated[int, "reads left out because their reader knew the AI's answer"]


class QuestionFigures(TypedDict):
    """A question and how far all readers agree on it; no ``panel`` where nobody has answered it."""

    name: str
    label: str
    scale: Scale
    words: Annotated[list[str], "the categories in order"]
    panel: NotRequired[PanelReport]


class PaceFigure(EstimatePayload):
    """Seconds from opening to commit: the median with its interval, and the quartiles."""

    quartiles: Annotated[list[float] | None, "s; the first and the third"]


class ReaderFigures(TypedDict):
    """One reader. A trainee has neither of the two that need others' answers: known ones are all they are held to."""

    reader: str
    reads: int
    pace: PaceFigure
    with_adjudicated: NotRequired[Annotated[EstimatePayload, "share of the studies with the same verdict, 0 to 1"]]
    with_self: NotRequired[Annotated[EstimatePayload, "share of the repeats with the same verdict, 0 to 1"]]
    gold: Annotated[EstimatePayload, "share of the known answers that the reader gave too, 0 to 1"]


class AgreementOverview(AgreementCounts):
    """Everybody together."""

    adjudicated: Annotated[int, "studies"]
    questions: list[QuestionFigures]
    readers: list[ReaderFigures]
    trainees: list[ReaderFigures]


class NamedPairReport(PairReport):
    """Two readers by the names that are displayed."""

    a: str
    b: str


class NamedReaderReport(PairReport):
    """One reader against an answer of reference."""

    reader: str


class AgreementDetail(AgreementCounts, QuestionFigures):
    """One question in full."""

    pairs: list[NamedPairReport]
    by_quality: list[StratumReport]
    adjudicated: list[NamedReaderReport]
    """Each reader against what was adjudicated."""
    repeats: list[NamedReaderReport]
    """Each reader against themselves."""


class OwnQuestionFigures(QuestionFigures):
    """One reader against all others together, the adjudicated answers and themselves."""

    others: PairReport
    adjudicated: PairReport
    repeats: PairReport


class OwnAgreement(TypedDict):
    """One reader's figures alone."""

    studies: Annotated[int, "that this reader has answered"]
    questions: list[OwnQuestionFigures]
    reader: ReaderFigures | None
    trainee: ReaderFigures | None


def overview(queue: int | None) -> AgreementOverview:
    """Everybody together, question by question, and each reader's figures."""
    ratings = agreement_ratings.load(queue=queue)
    draws = _draws(ratings)
    return {
        **_counts(ratings),
        "adjudicated": len(ratings.adjudicated),
        "questions": [_panel(ratings, question, draws) for question in ratings.variables.questions] if draws else [],
        "readers": [_reader(ratings, reader, draws) for reader in ratings.readers] if draws else [],
        "trainees": [_trainee(ratings, reader) for reader in _trainees(ratings)],
    }


def detail(queue: int | None, name: str) -> AgreementDetail:
    """One question: the panel, each category, each pair of readers, by quality, against what was adjudicated."""
    ratings = agreement_ratings.load(queue=queue)
    question = ratings.variables.question(name)
    draws = _draws(ratings)
    if draws is None:
        nothing: AgreementDetail = {
            **_counts(ratings), **_named(question), "pairs": [], "by_quality": [], "adjudicated": [], "repeats": [],
        }  # fmt: skip
        return nothing
    codes = ratings.table(name)
    return {
        **_counts(ratings),
        **_panel(ratings, question, draws),
        "pairs": _pairs(ratings, codes, question, draws),
        "by_quality": _by_quality(ratings, codes, question, draws),
        "adjudicated": _each(ratings, agreement.against(codes, ratings.truth(name), question, draws)),
        "repeats": _each(ratings, _repeats(ratings, question, draws)),
    }


def own(user: User, queue: int | None) -> OwnAgreement:
    """One reader's figures alone: nobody else is named, and no single study can be told from them.

    While a queue goes on its figures end with yesterday, or each commit would tell what others had said of that study.
    A queue that is blinded until it is closed is not in them before that.
    """
    going_on = assignment.uncommitted(user).values("queue")
    today = Q(read__item__queue__in=going_on, committed_at__gte=midnight())
    closed_later = Q(read__item__queue__active=True, read__item__queue__blinding=Blinding.CLOSED)
    ratings = agreement_ratings.load(queue=queue, only=~today & ~closed_later)
    draws = _draws(ratings) if user.pk in ratings.readers else None
    questions = ratings.variables.questions
    return {
        "studies": sum(rating.reader == user.pk for rating in ratings.first),
        "questions": [_own_question(ratings, user.pk, question, draws) for question in questions] if draws else [],
        "reader": _reader(ratings, user.pk, draws) if draws else None,
        "trainee": _trainee(ratings, user.pk) if user.pk in _trainees(ratings) else None,
    }


def _draws(ratings: Ratings) -> Resamples | None:
    """Bootstrap samples of the patients; none where nobody has answered anything."""
    return Resamples(ratings.patients, seed=SEED) if ratings.first else None


def _counts(ratings: Ratings) -> AgreementCounts:
    answers = np.zeros(len(ratings.studies), dtype=int)
    for rating in ratings.first:
        answers[ratings.rows[rating.study]] += 1
    return {
        "studies": len(ratings.studies),
        "patients": len(set(ratings.patients)),
        "reads": len(ratings.first),
        "twice": int((answers >= 2).sum()),
        "repeated": len(ratings.repeats),
        "unblinded": ratings.unblinded,
    }


def _named(question: Question) -> QuestionFigures:
    return {
        "name": question.name,
        "label": question.label,
        "scale": question.scale,
        "words": list(question.categories),
    }


def _panel(ratings: Ratings, question: Question, draws: Resamples) -> QuestionFigures:
    return {**_named(question), "panel": agreement.panel_report(ratings.table(question.name), question, draws)}


def _pairs(ratings: Ratings, codes: Codes, question: Question, draws: Resamples) -> list[NamedPairReport]:
    names = [ratings.names[reader] for reader in ratings.readers]
    pairs = agreement.reader_pairs(codes, question, draws)
    return [{**pair.report, "a": names[pair.first], "b": names[pair.second]} for pair in pairs]


def _each(ratings: Ratings, reports: Sequence[PairReport]) -> list[NamedReaderReport]:
    """A report for each reader who has anything in it."""
    named = zip(ratings.readers, reports, strict=True)
    return [{"reader": ratings.names[reader], **report} for reader, report in named if report["n"]]


def _by_quality(ratings: Ratings, codes: Codes, question: Question, draws: Resamples) -> list[StratumReport]:
    """By the worst quality that a reader gave the study."""
    if "quality" not in {variable.name for variable in ratings.variables.questions}:
        return []
    worst = ratings.table("quality").max(axis=1)
    names = ratings.variables.question("quality").categories
    return agreement.by_stratum(codes, worst, names, question, draws)


def _repeats(ratings: Ratings, question: Question, draws: Resamples) -> list[PairReport]:
    first, second = ratings.repeated(question.name)
    return agreement.pair_reports(list(zip(first.T, second.T, strict=True)), question, draws)


def _reader(ratings: Ratings, reader: int, draws: Resamples) -> ReaderFigures:
    column = ratings.columns[reader]
    own_ratings = [rating for rating in [*ratings.first, *ratings.repeats] if rating.reader == reader]
    first, second = ratings.repeated(POSITIVE)
    return {
        "reader": ratings.names[reader],
        "reads": len(own_ratings),
        "pace": _pace(ratings, own_ratings),
        "with_adjudicated": _same(first[:, column], ratings.truth(POSITIVE), draws),
        "with_self": _same(first[:, column], second[:, column], draws),
        "gold": _with_known(ratings, reader),
    }


def _trainees(ratings: Ratings) -> list[int]:
    """Readers whose answers are held against known ones alone."""
    return sorted({rating.reader for rating, _ in ratings.beside_known} - set(ratings.readers))


def _trainee(ratings: Ratings, reader: int) -> ReaderFigures:
    own_ratings = [rating for rating, _ in ratings.beside_known if rating.reader == reader]
    return {
        "reader": ratings.names[reader],
        "reads": len(own_ratings),
        "pace": _pace(ratings, own_ratings),
        "gold": _with_known(ratings, reader),
    }


def _with_known(ratings: Ratings, reader: int) -> EstimatePayload:
    """The share of known answers that a reader gave too: positive or not."""
    pairs = [(rating, known) for rating, known in ratings.beside_known if rating.reader == reader]
    if not pairs:
        return Estimate(None, why=TOO_FEW).as_json()
    verdicts = np.array([rating.codes[POSITIVE] for rating, _ in pairs])
    known_verdicts = np.array([codes[POSITIVE] for _, codes in pairs])
    draws = Resamples([ratings.groups[rating.study] for rating, _ in pairs], seed=SEED)
    return _same(verdicts, known_verdicts, draws)


def _same(first: Codes, second: Codes, draws: Resamples) -> EstimatePayload:
    """The share of studies on which two columns say the same."""
    return rate(first == second, (first >= 0) & (second >= 0), draws, least=agreement.LEAST).as_json()


def _pace(ratings: Ratings, own_ratings: Sequence[Rating]) -> PaceFigure:
    """Of the answers whose time was measured."""
    timed = [rating for rating in own_ratings if rating.seconds > 0]
    seconds = np.array([rating.seconds for rating in timed])
    draws = Resamples([ratings.groups[rating.study] for rating in timed], seed=SEED)
    middle = median(seconds, draws, least=agreement.LEAST)
    quartiles: list[float] | None = None
    if middle.value is not None:
        quartiles = np.quantile(seconds, [0.25, 0.75]).tolist()
    return {**middle.as_json(), "quartiles": quartiles}


def _own_question(ratings: Ratings, reader: int, question: Question, draws: Resamples) -> OwnQuestionFigures:
    codes, column = ratings.table(question.name), ratings.columns[reader]
    first, second = ratings.repeated(question.name)
    pairs = [(codes[:, column], ratings.truth(question.name)), (first[:, column], second[:, column])]
    adjudicated, repeats = agreement.pair_reports(pairs, question, draws)
    return {
        **_named(question),
        "others": _without_matrix(agreement.with_the_others(codes, column, question, draws)),
        "adjudicated": _without_matrix(adjudicated),
        "repeats": repeats,
    }


def _without_matrix(report: PairReport) -> PairReport:
    """AgreementCounts of cells could tell a single study; the coefficients of five and more cannot."""
    without = report.copy()
    without.pop("matrix", None)
    return without
