"""Which studies people without a worklist may see, and what of them: by the queues that they label or decide."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Q, QuerySet

from accounts.models import User
from annotations.adjudication import disputes
from annotations.models import QueueItem
from annotations.queues import assignment
from studies import access
from studies.disclosure import ANYBODY, Disclosure
from studies.models import Patient, Study

_OPTIONS = ("queue__identified", "queue__whole_pictures")


def studies_to_label(user: User) -> Q:
    """The studies of label queue items that are this person's to answer or to decide."""
    answers, decisions = assignment.items_of(user).values("study"), disputes.may_decide(user).values("study")
    return Q(pk__in=answers) | Q(pk__in=decisions)


def disclosed(user: User, study: Study) -> Disclosure:
    """What the queues by which this person sees the study open to them. Where one of them does, it is known to them.

    An infant's stand-in is its number in the first of these queues, the same for everybody who labels it.
    """
    queues = list(_items(user, study).order_by("queue_id").values_list("queue_id", *_OPTIONS).distinct())
    if not queues:
        return Disclosure()
    first = queues[0][0]
    return Disclosure(
        identity=any(identified for _, identified, _ in queues),
        whole_pictures=any(whole for _, _, whole in queues),
        stand_in=lambda patient: stand_in(first, patient),
    )


def _items(user: User, study: Study) -> QuerySet[QueueItem]:
    answers, decisions = assignment.items_of(user).values("pk"), disputes.may_decide(user).values("pk")
    return QueueItem.objects.filter(Q(pk__in=answers) | Q(pk__in=decisions), study=study)


def stand_in(queue: int, patient: Patient) -> str:
    """What an infant is called in a queue: "Infant" and a number that is drawn with the queue and stays.

    The number is the place of the infant's first item by the queue's random keys: it tells nothing of why the study was
    chosen, nor of its place among the others.
    """
    items = QueueItem.objects.filter(queue=queue)
    first = items.filter(study__patient=patient).order_by("shuffle_key", "pk").values_list("shuffle_key", "pk").first()
    if first is None:
        return ANYBODY
    key, pk = first
    before = items.filter(Q(shuffle_key__lt=key) | Q(shuffle_key=key, pk__lt=pk)).count()
    return _named(before + 1)


def called(user: User, items: Sequence[QueueItem]) -> dict[int, str]:
    """By key of the item: what this person, who may decide it, calls its infant. One query for each queue."""
    known = access.sees_everything(user)
    numbers: dict[int, dict[int, int]] = {}
    names = {}
    for item in items:
        if known or item.queue.identified:
            names[item.pk] = item.study.patient.patient_id
            continue
        if item.queue_id not in numbers:
            numbers[item.queue_id] = _numbers(item.queue_id)
        names[item.pk] = _named(numbers[item.queue_id][item.study.patient_id])
    return names


def _numbers(queue: int) -> dict[int, int]:
    """By patient, for a whole queue: the numbers of ``stand_in``."""
    items = QueueItem.objects.filter(queue=queue).order_by("shuffle_key", "pk")
    numbers: dict[int, int] = {}
    for number, patient in enumerate(items.values_list("study__patient_id", flat=True), 1):
        numbers.setdefault(patient, number)
    return numbers


def _named(number: int) -> str:
    return f"{ANYBODY} {number:04}"
