"""What the demo's readers said about examinations of the past: the phantoms' truth, seen by people who err a little.

Everything goes through the same functions as a reader's own commit. Both annotators answered the history in one label
queue; the adjudicator decided most of what they split on, and some is left. Another queue waits for its readers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from django.db import transaction

from accounts.models import User
from annotations.models import Context, LabelQueue, QueueItem
from annotations.reads.lifecycle import Answer, Evidence, Place, ViewedClip, commit
from config.demo.cohort import Part, Wish
from studies.models import Study
from training.phantom.plan import Plan, stream

MISSES = {1: 0.10, 2: 0.04, 3: 0.01, 4: 0.0}
"""Chance that a reader overlooks a bleed of this grade on one side."""
FALSE_ALARM = 0.015
GRADE_SLIP = 0.15
DECIDED = 0.6
"""Share of the disputes that the adjudicator has decided."""

READERS = ("annotator", "annotator2")
QUEUES = {Part.HISTORY: "Last quarter", Part.QUEUE: "First reading"}


@transaction.atomic
def read(study: Study, wish: Wish) -> None:
    """The radiologist's read, the item in its label queue, and for the history the answers to it."""
    planned = wish.plan
    _commit(Place(study, User.objects.get(username="radiologist")), planned, "radiologist")
    item = _item(study, wish.part)
    if wish.part is Part.HISTORY:
        _answer(item, planned)


def _item(study: Study, part: Part) -> QueueItem:
    """The study's place at the end of its queue, which is made when the first of its studies comes."""
    queue, new = LabelQueue.objects.get_or_create(name=QUEUES[part])
    if new:
        queue.readers.set(User.objects.filter(username__in=READERS))
    return QueueItem.objects.create(queue=queue, study=study, position=queue.items.count() + 1)


def _answer(item: QueueItem, planned: Plan) -> None:
    """Both annotators' answers, and the adjudicator's where they split, mostly."""
    people = {user.username: user for user in User.objects.filter(username__in=(*READERS, "adjudicator"))}
    positive = [_commit(Place(item.study, people[name], Context.QUEUE, item), planned, name) for name in READERS]
    if positive[0] != positive[1] and stream(planned.seed, "demo decided", planned.index).random() < DECIDED:
        _commit(Place(item.study, people["adjudicator"], Context.ADJUDICATION, item), planned, "adjudicator")


def _commit(place: Place, planned: Plan, name: str) -> bool:
    """One reader's commit; whether it says that there is blood."""
    answer = Answer(findings(planned, reader=name, careful=name == "adjudicator"), comment="", version=0)
    clips = place.study.clips.values_list("sop_uid", "frames")
    seen: list[ViewedClip] = [{"sop_uid": uid, "frames": frames, "ms": 3000} for uid, frames in clips]
    took = stream(planned.seed, "demo time", planned.index, name).integers(9_000, 48_000)
    revision, _ = commit(place, answer, Evidence(f"demo:{planned.index}:{name}", seen=seen, duration_ms=int(took)))
    return bool(revision.positive)


def findings(planned: Plan, *, reader: str, careful: bool = False) -> dict[str, Any]:
    """One reader's answer for one examination; a careful reader errs never."""
    rng = stream(planned.seed, "demo reads", planned.index, reader)
    sides = [_grade_given(rng, grade, careful) for grade in (planned.grade_right, planned.grade_left)]
    return {
        "right": sides[0],
        "left": sides[1],
        "phi": max(sides) == 4,
        "cerebellar": "none",
        "other_ich": False,
        "pvl": 0,
        "phvd": max(sides) >= 3,
        "quality": "limited" if rng.random() < 0.1 else "good",
        "uncertain": bool(rng.random() < 0.05),
        "keyframes": [],
    }


def _grade_given(rng: np.random.Generator, grade: int, careful: bool) -> int:
    """The grade that a reader gives one side. Every draw is made, so that one error does not shift the others."""
    miss, alarm, slip = (float(rng.random()) for _ in range(3))
    if careful:
        return grade
    if grade == 0:
        return int(alarm < FALSE_ALARM)
    if miss < MISSES[grade]:
        return 0
    return min(4, max(1, grade + (1 if slip < GRADE_SLIP / 2 else -1 if slip > 1 - GRADE_SLIP / 2 else 0)))
