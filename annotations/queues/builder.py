"""Making a queue: its studies, studies with known answers mixed in, and some of them a second time."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from annotations.consensus import reference_labels
from annotations.models import Blinding, LabelQueue, QueueItem, ReadRevision, Rule, Source
from annotations.queues.assignment import SHUFFLE_PRIME
from annotations.queues.selection import BadChoice, Choice, Pick, Refused
from studies import access
from studies.models import Study

MAX_STUDIES = 100_000
_BATCH = 2000


@dataclass(frozen=True)
class Settings:
    """How a queue is labelled. ``gold`` and ``repeats`` are shares of its studies, 0 to 1."""

    readers_per_study: int = 2
    readers: list[User] = field(default_factory=list)
    blinding: str = Blinding.COMMIT
    rule: str = Rule.CLINICAL
    shuffled: bool = False
    seed: int = 0
    trainee: bool = False
    gold: float = 0.0
    repeats: float = 0.0
    repeat_gap: int = 20
    deadline: datetime | None = None


@dataclass
class Plan:
    """What a queue would hold, before it is made. ``keys``: the known answers by study."""

    picks: list[Pick]
    refused: list[Refused]
    gold: list[int]
    repeats: list[int]
    keys: dict[int, dict[str, Any]]


def plan(choice: Choice, how: Settings) -> Plan:
    """Raises BadChoice where nothing could be labelled."""
    refused = list(choice.refused)
    keys = answers_known() if how.trainee or how.gold else {}
    picks = choice.picks
    if how.trainee:
        refused += _without_answer(picks, keys)
        picks = [pick for pick in picks if pick.study in keys]
    if not picks:
        raise BadChoice(_nothing(choice, how), refused)
    if len(picks) > MAX_STUDIES:
        raise BadChoice(f"{len(picks):,} studies were found; a queue holds at most {MAX_STUDIES:,}.")
    rng = random.Random(how.seed)  # noqa: S311 - repeatable, not secret
    chosen = {pick.study for pick in picks}
    spare = [] if how.trainee else sorted(set(keys) - chosen)
    gold = rng.sample(spare, min(len(spare), round(how.gold * len(picks))))
    if how.gold and not how.trainee and not gold:
        raise BadChoice("No study with a reference label is left to mix in as a known answer. Set gold studies to 0.")
    repeats = rng.sample(range(len(picks)), round(how.repeats * len(picks)))
    return Plan(picks, refused, gold, sorted(repeats), keys)


def _nothing(choice: Choice, how: Settings) -> str:
    if how.trainee and choice.picks:
        return "None of these studies has a reference label: a trainee's answer could be compared with nothing."
    if choice.refused:
        return "None of the lines names a study that can be taken."
    return "No study passes this filter. Widen it."


def _without_answer(picks: Iterable[Pick], keys: dict[int, Any]) -> list[Refused]:
    missing = [pick.study for pick in picks if pick.study not in keys]
    uids = dict(access.every_study().filter(pk__in=missing).values_list("pk", "uid")) if missing else {}
    return [Refused(0, uids[key], "It has no reference label to compare a trainee's answer with.") for key in missing]


def answers_known() -> dict[int, dict[str, Any]]:
    """The reference labels as answers to compare with. Findings where one answer stands behind the label."""
    labels = reference_labels.labels()
    single = [label for label in labels if len(label.reads) == 1]
    found = ReadRevision.objects.filter(pk__in=[label.reads[0] for label in single])
    findings = {revision.pk: revision.findings for revision in found}
    return {
        label.study.pk: {
            "positive": label.positive,
            "findings": findings.get(label.reads[0]),
            "reads": list(label.reads),
            "rule": label.rule,
            "definition": label.definition,
        }
        for label in labels
    }


@transaction.atomic
def make(name: str, planned: Plan, how: Settings, *, source: str, made_from: Any = None, by: Any = None) -> LabelQueue:
    """The queue with everything in it. Two inserts a thousand items."""
    queue = LabelQueue.objects.create(
        name=name,
        readers_per_study=how.readers_per_study,
        created_by=by,
        source=source,
        made_from=made_from or {},
        blinding=how.blinding,
        rule=how.rule,
        shuffled=how.shuffled,
        seed=how.seed,
        trainee=how.trainee,
        repeat_gap=how.repeat_gap,
        deadline=how.deadline,
    )
    queue.readers.set(how.readers)
    _fill(queue, planned, how)
    return queue


def _fill(queue: LabelQueue, planned: Plan, how: Settings) -> None:
    rng = random.Random(how.seed)  # noqa: S311 - repeatable, not secret
    why = planned.picks[0].why if planned.picks else ""
    known = [Pick(study, why) for study in planned.gold]
    mixed = _mixed_in(planned.picks, known, rng)
    keys = iter(rng.sample(range(1, SHUFFLE_PRIME), len(mixed) + len(planned.repeats)))
    gold = set(planned.keys) if how.trainee else set(planned.gold)
    items = [
        QueueItem(
            queue=queue,
            study_id=pick.study,
            position=position,
            why=pick.why,
            reason=pick.reason,
            gold=planned.keys[pick.study] if pick.study in gold else None,
            shuffle_key=next(keys),
        )
        for position, pick in enumerate(mixed, 1)
    ]
    made = QueueItem.objects.bulk_create(items, batch_size=_BATCH)
    again = {planned.picks[at].study for at in planned.repeats}
    QueueItem.objects.bulk_create(
        [_repeat(item, next(keys), rng, how) for item in made if item.study_id in again], batch_size=_BATCH
    )


def _mixed_in(picks: list[Pick], known: list[Pick], rng: random.Random) -> list[Pick]:
    """The known ones at places of their own, drawn by the seed."""
    total = len(picks) + len(known)
    places = set(rng.sample(range(total), len(known)))
    rest, gold = iter(picks), iter(known)
    return [next(gold) if at in places else next(rest) for at in range(total)]


def _repeat(item: QueueItem, key: int, rng: random.Random, how: Settings) -> QueueItem:
    """The same study once more, some way behind its first round."""
    later = item.position + how.repeat_gap + rng.randint(0, how.repeat_gap)
    return QueueItem(
        queue=item.queue, study_id=item.study_id, position=later, why=item.why, reason=item.reason,
        repeat_of=item, shuffle_key=key,
    )  # fmt: skip


def make_simply(
    name: str, studies: QuerySet[Study], *, readers_per_study: int = 2, readers: list[User] | None = None, why: str = ""
) -> LabelQueue:
    """A queue of these studies in the order in which they came, with nothing special."""
    keys = studies.order_by("first_image_at", "pk").values_list("pk", flat=True)
    how = Settings(readers_per_study=readers_per_study, readers=readers or [])
    planned = Plan([Pick(key, why) for key in keys], [], [], [], {})
    return make(name, planned, how, source=Source.LIST)
