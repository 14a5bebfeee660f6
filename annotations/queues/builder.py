"""Making a queue: its studies, studies with known answers mixed in, and some of them a second time."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, TypedDict

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from annotations.models import Blinding, LabelQueue, QueueItem, Rule, Source
from annotations.queues.assignment import SHUFFLE_PRIME
from annotations.queues.known_answers import KnownAnswer, known_answers
from annotations.queues.picks import Pick
from annotations.queues.selection import BadSelection, RefusedLine, Selection
from studies import access
from studies.models import Study

MAX_STUDIES = 100_000
_BATCH = 2000


class QueueRequest(TypedDict, total=False):
    """What was asked for when a queue was made, as it stays with the queue (`LabelQueue.made_from`), for people to
    look at: the body of the request as it came, but for the name and the list of UIDs."""

    source: str
    filter: dict[str, Any]
    """The fields of a `StudyFilter`."""
    strategy: str
    count: Annotated[int | None, "studies to draw or to choose"]
    why: str
    readers: Annotated[list[str], "user names"]
    readers_per_study: int
    blinding: str
    rule: str
    shuffled: bool
    seed: int
    gold: Annotated[float, "known answers mixed in, as a share of the studies, 0 to 0.5"]
    repeats: Annotated[float, "studies that come again, as a share of them, 0 to 0.5"]
    repeat_gap: Annotated[int, "items that lie at least between a study and its repeat"]
    trainee: bool
    identified: bool
    whole_pictures: bool
    deadline: Annotated[str | None, "ISO 8601"]


@dataclass(frozen=True)
class QueueSettings:
    """How a queue is labelled."""

    readers_per_study: int = 2
    readers: list[User] = field(default_factory=list)
    blinding: str = Blinding.COMMIT
    rule: str = Rule.CLINICAL
    shuffled: bool = False
    seed: int = 0
    trainee: bool = False
    identified: bool = False
    """Readers without the list see who the infant is."""
    whole_pictures: bool = False
    """Also pictures that name no ultrasound region are shown to them."""
    gold: float = 0.0
    """Known answers to mix in, as a share of the queue's studies, 0 to 1."""
    repeats: float = 0.0
    """Studies that come a second time, as a share of them, 0 to 1."""
    repeat_gap: int = 20
    """Other items that a reader commits before a repeat is offered."""
    deadline: datetime | None = None


@dataclass
class QueuePlan:
    """What a queue would hold, before it is made."""

    picks: list[Pick]
    refused: list[RefusedLine] = field(default_factory=list)
    gold: list[int] = field(default_factory=list)
    """Keys of the studies with known answers that are mixed in."""
    repeats: list[int] = field(default_factory=list)
    """Places among ``picks``, from 0, of the studies that come again."""
    known: dict[int, KnownAnswer] = field(default_factory=dict)
    """By study."""


def plan(selection: Selection, settings: QueueSettings) -> QueuePlan:
    """Raises BadSelection where nothing could be labelled."""
    known = known_answers() if settings.trainee or settings.gold else {}
    picks, refused = selection.picks, list(selection.refused)
    if settings.trainee:
        refused += _without_answer(picks, known)
        picks = [pick for pick in picks if pick.study in known]
    if not picks:
        raise BadSelection(_nothing(selection, settings), refused)
    if len(picks) > MAX_STUDIES:
        raise BadSelection(f"{len(picks):,} studies were found; a queue holds at most {MAX_STUDIES:,}.")
    rng = random.Random(settings.seed)  # noqa: S311 - repeatable, not secret
    gold = [] if settings.trainee else _gold(picks, known, settings.gold, rng)
    repeats = rng.sample(range(len(picks)), round(settings.repeats * len(picks)))
    return QueuePlan(picks, refused, gold, sorted(repeats), known)


def _gold(picks: list[Pick], known: dict[int, KnownAnswer], share: float, rng: random.Random) -> list[int]:
    """Studies with a known answer, none of them picked, as many as this share of the picks; drawn."""
    spare = sorted(set(known) - {pick.study for pick in picks})
    gold = rng.sample(spare, min(len(spare), round(share * len(picks))))
    if share and not gold:
        raise BadSelection(
            "No study with a reference label is left to mix in as a known answer. Set gold studies to 0."
        )
    return gold


def _nothing(selection: Selection, settings: QueueSettings) -> str:
    if settings.trainee and selection.picks:
        return "None of these studies has a reference label: a trainee's answer could be compared with nothing."
    if selection.refused:
        return "None of the lines names a study that can be taken."
    return "No study passes this filter. Widen it."


def _without_answer(picks: Iterable[Pick], known: dict[int, KnownAnswer]) -> list[RefusedLine]:
    missing = [pick.study for pick in picks if pick.study not in known]
    uids = dict(access.every_study().filter(pk__in=missing).values_list("pk", "uid")) if missing else {}
    reason = "It has no reference label to compare a trainee's answer with."
    return [{"line": 0, "text": uids[key], "reason": reason} for key in missing]


@transaction.atomic
def make(
    name: str,
    planned: QueuePlan,
    settings: QueueSettings,
    *,
    source: str,
    made_from: QueueRequest | None = None,
    by: User | None = None,
) -> LabelQueue:
    """The queue with everything in it. Two inserts a thousand items."""
    queue = LabelQueue.objects.create(
        name=name,
        readers_per_study=settings.readers_per_study,
        created_by=by,
        source=source,
        made_from=made_from or {},
        blinding=settings.blinding,
        rule=settings.rule,
        shuffled=settings.shuffled,
        seed=settings.seed,
        trainee=settings.trainee,
        identified=settings.identified,
        whole_pictures=settings.whole_pictures,
        repeat_gap=settings.repeat_gap,
        deadline=settings.deadline,
    )
    queue.readers.set(settings.readers)
    _fill(queue, planned, settings)
    return queue


def _fill(queue: LabelQueue, planned: QueuePlan, settings: QueueSettings) -> None:
    rng = random.Random(settings.seed)  # noqa: S311 - repeatable, not secret
    why = planned.picks[0].why if planned.picks else ""
    mixed = _mixed_in(planned.picks, [Pick(study, why) for study in planned.gold], rng)
    shuffle_keys = iter(rng.sample(range(1, SHUFFLE_PRIME), len(mixed) + len(planned.repeats)))
    gold = planned.known.keys() if settings.trainee else set(planned.gold)
    items = [
        QueueItem(
            queue=queue,
            study_id=pick.study,
            position=position,
            why=pick.why,
            reason=pick.reason,
            strategy=pick.strategy,
            gold=planned.known[pick.study] if pick.study in gold else None,
            shuffle_key=next(shuffle_keys),
        )
        for position, pick in enumerate(mixed, 1)
    ]
    made = QueueItem.objects.bulk_create(items, batch_size=_BATCH)
    again = {planned.picks[place].study for place in planned.repeats}
    repeats = [_repeat(item, next(shuffle_keys), rng, settings.repeat_gap) for item in made if item.study_id in again]
    QueueItem.objects.bulk_create(repeats, batch_size=_BATCH)


def _mixed_in(picks: list[Pick], gold: list[Pick], rng: random.Random) -> list[Pick]:
    """The gold ones at places of their own, drawn by the seed."""
    total = len(picks) + len(gold)
    places = set(rng.sample(range(total), len(gold)))
    next_pick, next_gold = iter(picks), iter(gold)
    return [next(next_gold) if place in places else next(next_pick) for place in range(total)]


def _repeat(item: QueueItem, shuffle_key: int, rng: random.Random, gap: int) -> QueueItem:
    """The same study once more, ``gap`` to twice as many items behind its first round."""
    later = item.position + gap + rng.randint(0, gap)
    return QueueItem(
        queue=item.queue, study_id=item.study_id, position=later, why=item.why, reason=item.reason,
        repeat_of=item, shuffle_key=shuffle_key,
    )  # fmt: skip


def make_from_studies(
    name: str,
    studies: QuerySet[Study],
    *,
    readers_per_study: int = 2,
    readers: list[User] | None = None,
    why: str = "",
    identified: bool = False,
    whole_pictures: bool = False,
) -> LabelQueue:
    """A queue of these studies in the order in which they came, with nothing mixed in."""
    keys = studies.order_by("first_image_at", "pk").values_list("pk", flat=True)
    settings = QueueSettings(
        readers_per_study=readers_per_study,
        readers=readers or [],
        identified=identified,
        whole_pictures=whole_pictures,
    )
    return make(name, QueuePlan([Pick(key, why) for key in keys]), settings, source=Source.LIST)
