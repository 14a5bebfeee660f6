"""Labelling: how fast agreement is told, and how many keys a label takes, beside other tools' for the same task."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from annotations.core import agreement
from annotations.core.agreement import Question
from annotations.core.bootstrap import RESAMPLES, Codes, Resamples
from annotations.core.coefficients import MISSING
from benchmarks.labels_queue import queues_of_ten_thousand
from benchmarks.rows import Row

COMMAND = "make bench AREA=labels"
STUDIES, READERS, PATIENTS = 10_000, 5, 7_000
SIZES = {
    "positive": 2, "worst": 5, "right": 5, "left": 5, "phi": 2, "phi_side": 3, "phi_extent": 2, "cerebellar": 5,
    "other_ich": 2, "pvl": 5, "phvd": 2, "quality": 3,
}  # fmt: skip
"""Answers of each question of the schema papile-2."""
ORDINAL = ("worst", "right", "left", "pvl", "quality")
QUESTIONS = [
    Question(name, name, tuple(map(str, range(size))), "ordinal" if name in ORDINAL else "nominal")
    for name, size in SIZES.items()
]


def agreement_over_many() -> list[Row]:
    """All findings of 10,000 studies by 5 readers: panel, each category, each pair, by quality, against the truth."""
    rng = np.random.default_rng(5)
    patients = rng.integers(PATIENTS, size=STUDIES)
    tables = {question.name: _answers(question, rng) for question in QUESTIONS}
    began = time.perf_counter()
    draws = Resamples(patients)
    worst = tables["quality"].max(axis=1)
    for question in QUESTIONS:
        codes = tables[question.name]
        agreement.panel_report(codes, question, draws)
        agreement.reader_pairs(codes, question, draws)
        agreement.by_stratum(codes, worst, ("good", "limited", "non-diagnostic"), question, draws)
        agreement.against(codes, codes[:, 0], question, draws)
    seconds = time.perf_counter() - began
    size = f"{STUDIES:,} studies x {READERS} readers, {len(tables)} findings, {RESAMPLES:,} resamples"
    against = f"no peer gives intervals; {size}"
    return [Row("labels.agreement", round(seconds, 2), "s", "≤ 20", seconds <= 20, COMMAND, against=against)]


def _answers(question: Question, rng: np.random.Generator) -> Codes:
    """Readers who mostly agree, one answer in ten missing."""
    common = rng.choice(question.size, size=(STUDIES, 1), p=_rare(question.size))
    answers = np.where(
        rng.random((STUDIES, READERS)) < 0.9, common, rng.integers(question.size, size=(STUDIES, READERS))
    )
    return np.where(rng.random(answers.shape) < 0.1, MISSING, answers)


def _rare(categories: int) -> list[float]:
    rest = 0.1 / (categories - 1)
    return [0.9, *[rest] * (categories - 1)]


@dataclass(frozen=True)
class Task:
    """A label, the keys that it takes here, and those of others for the same answers until the next study is open.

    Label Studio, by its documentation of hotkeys and of the Choices tag: each choice has a hotkey, Ctrl+Enter submits
    (the default keymap), the next task opens by itself. CVAT, by its documentation of annotation with tags and of
    shortcuts: a digit adds a tag, Ctrl+S saves, F goes on. Its "automatically go to the next frame" is for one tag a
    frame, so it cannot be on here. Keys pressed together count each. Both are taken at their best: every grade of every
    side is a choice of its own with its own hotkey, and "none" on the other side need not be said.
    """

    name: str
    ours: tuple[str, ...]
    label_studio: tuple[str, ...]
    cvat: tuple[str, ...]


_SUBMIT, _SAVE = ("Ctrl", "Enter"), ("Ctrl", "S", "F")
TASKS = (
    Task("negative", ("0", "Enter"), ("1", *_SUBMIT), ("1", *_SAVE)),
    Task("unilateral_grade_iii", ("R", "3", "Enter"), ("4", *_SUBMIT), ("4", *_SAVE)),
    Task("bilateral_unequal", ("R", "3", "L", "1", "Enter"), ("4", "7", *_SUBMIT), ("4", "7", *_SAVE)),
)
GOALS = {"negative": 2, "unilateral_grade_iii": 3, "bilateral_unequal": 5}


def keys_per_label() -> list[Row]:
    """Counted from the tables above; that ours are true is what tests/browser counts in a browser."""
    return [_keys(task) for task in TASKS]


def _keys(task: Task) -> Row:
    ours, goal = len(task.ours), GOALS[task.name]
    counts = f"Label Studio {_told(task.label_studio)}, CVAT {_told(task.cvat)}"
    against = f"{counts}: from their documentation, at their best"
    ratio = round(ours / min(len(task.label_studio), len(task.cvat)), 2)
    return Row(
        f"labels.keys_{task.name}", ours, "keys", f"≤ {goal}", ours <= goal, COMMAND, against=against, ratio=ratio
    )


def _told(keys: tuple[str, ...]) -> str:
    return f"{len(keys)} ({' '.join(keys)})"


MEASURES: tuple[Callable[[], list[Row]], ...] = (agreement_over_many, keys_per_label, queues_of_ten_thousand)
