"""The pages of people who label: the queue, one item, and what readers differ about."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts import audit, permissions
from accounts.models import User
from accounts.roles import Role
from annotations import access_rules
from annotations.adjudication import disputes as adjudication_disputes
from annotations.adjudication.disputes import Dispute
from annotations.api.requests import LABELLERS
from annotations.consensus.differences import ComparedField, Level, compared, level
from annotations.models import Context, LabelQueue, QueueItem
from annotations.queues import assignment
from annotations.reads.lifecycle import Place
from live import queries
from studies import access
from studies.patients.namesakes import words_beside_numbers

_LEVELS = {"high": "high weight", "mid": "middle weight", "low": "low weight"}


class DisputeRow(TypedDict):
    """An item that readers differ about, as the list shows it."""

    id: int
    patient_id: Annotated[str, "the infant's number, or its stand-in"]
    identity: Annotated[str, "where the number stands for several infants, or it is asked who it is; else empty"]
    study_uid: str
    summary: Annotated[str, "how many differences, and how much the weightiest weighs"]
    level: Level
    url: str
    readers: list[str]
    rows: list[ComparedField]


def _person(user: User) -> dict[str, str]:
    return {"username": user.username, "display": user.display, "role": user.role}


@permissions.page(*LABELLERS)
def label_home(request: HttpRequest) -> HttpResponse:
    """Straight to the next item, or the page that says that the queue is done."""
    person = permissions.person(request)
    item = assignment.next_item(person)
    if item is not None:
        return redirect(assignment.url_of(item))
    queue = assignment.queues_of(person).order_by("-pk").first()
    done = assignment.progress(person, queue).done if queue else 0
    page = {
        "page": "label", "mode": "queue", "context": "queue", "study_uid": None, "item": None, "total": done,
        "done": done, "position": done, "why": "", "queue": queue.name if queue else None,
        "user": _person(person), "seq": queries.head(),
    }  # fmt: skip
    return render(request, "label.html", {"page": page, "queue": queue, "done": True})


@permissions.page(*LABELLERS)
@transaction.atomic
def label_item(request: HttpRequest, item: int) -> HttpResponse:
    """One item, blinded."""
    person = permissions.person(request)
    opened = assignment.openable(person).filter(pk=item).first()
    if opened is None:
        raise Http404
    progress = assignment.progress(person, opened.queue)
    return _reading_page(
        request, opened, Context.QUEUE, total=progress.total, done=progress.done, position=progress.position
    )


@permissions.page(Role.ADJUDICATOR, Role.ADMIN)
@transaction.atomic
def adjudicate_item(request: HttpRequest, item: int) -> HttpResponse:
    """One item that readers differ about, with no AI."""
    adjudicator = permissions.person(request)
    items = adjudication_disputes.may_decide(adjudicator).select_related("queue", "study")
    opened = items.filter(pk=item).first()
    if opened is None:
        raise Http404
    waiting = [dispute.item.pk for dispute in adjudication_disputes.open_disputes(adjudicator)]
    position = waiting.index(opened.pk) + 1 if opened.pk in waiting else 0
    return _reading_page(request, opened, Context.ADJUDICATION, total=len(waiting), done=0, position=position)


def _reading_page(request: HttpRequest, item: QueueItem, context: Context, **progress: int) -> HttpResponse:
    study = access.open_study(request, item.study.uid, f"{context.value}.opened", item=item.pk)
    person = permissions.person(request)
    Place(study, person, context, item).open()
    page = {
        "page": "label",
        "mode": context.value,
        "context": context.value,
        "study_uid": study.uid,
        "item": item.pk,
        "queue": item.queue.name,
        "why": item.why if context == Context.QUEUE else "",
        "deadline": item.queue.deadline.isoformat() if context == Context.QUEUE and item.queue.deadline else None,
        "user": _person(person),
        "seq": queries.head(),
        **progress,
    }
    return render(request, "label.html", {"page": page, "item": item, "study": study, "done": False})


@permissions.page(Role.ADJUDICATOR, Role.ADMIN)
@transaction.atomic
def adjudicate(request: HttpRequest) -> HttpResponse:
    """What readers differ about, by clinical weight."""
    disputes = adjudication_disputes.open_disputes(permissions.person(request))
    studies = [dispute.item.study for dispute in disputes]
    audit.record_list(
        request,
        "adjudication.list_viewed",
        studies=[study.pk for study in studies],
        subjects=[(study.patient.patient_id, study.uid) for study in studies],
    )
    decided = adjudication_disputes.decided().filter(reader_id=request.user.pk).count()
    user = permissions.person(request)
    names = access_rules.called(user, [dispute.item for dispute in disputes])
    identities = words_beside_numbers([study.patient for study in studies], user)
    items = [
        _dispute_row(dispute, names[dispute.item.pk], identities.get(dispute.item.study.patient_id, ""))
        for dispute in disputes
    ]
    page = {"page": "adjudicate", "items": len(items), "decided": decided, "seq": queries.head()}
    return render(request, "adjudicate.html", {"page": page, "items": items, "decided": decided})


def _dispute_row(dispute: Dispute, infant: str, identity: str) -> DisputeRow:
    count = len(dispute.differences)
    weight = _LEVELS[level(dispute.weight)]
    return {
        "id": dispute.item.pk,
        "patient_id": infant,
        "identity": identity,
        "study_uid": dispute.item.study.uid,
        "summary": f"{count} difference{'s' if count > 1 else ''}, {weight}",
        "level": level(dispute.weight),
        "url": adjudication_disputes.url_of(dispute.item),
        "readers": [f"Reader {number}" for number in range(1, len(dispute.revisions) + 1)],
        "rows": compared([revision.findings for revision in dispute.revisions]),
    }


@permissions.page(Role.ADMIN)
def queue_list(request: HttpRequest) -> HttpResponse:
    """Every queue and its progress; the page asks the API."""
    return _queues_page(request, "queues", "Label queues")


@permissions.page(Role.ADMIN)
def queue_new(request: HttpRequest) -> HttpResponse:
    return _queues_page(request, "queue-new", "New queue")


@permissions.page(Role.ADMIN)
def queue_page(request: HttpRequest, queue: int) -> HttpResponse:
    shown = LabelQueue.objects.filter(pk=queue).first()
    if shown is None:
        raise Http404
    return _queues_page(request, "queue", shown.name, queue=shown.pk)


def _queues_page(request: HttpRequest, page: str, title: str, **facts: Any) -> HttpResponse:
    return render(request, "queues.html", {"page": {"page": page, **facts}, "title": title})
