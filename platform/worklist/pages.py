"""The list and the reading room."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts import permissions
from accounts.roles import role_of
from annotations.models import Context
from annotations.reads.lifecycle import Place
from live import queries
from studies import access
from worklist import claims


@permissions.page(*permissions.EVERY_ROLE)
def home(request: HttpRequest) -> HttpResponse:
    """The worklist; whoever has none is taken to the label queue."""
    if role_of(request.user) not in permissions.READERS:
        return redirect("/label/")
    return render(request, "worklist.html", {"page": {"page": "worklist", "seq": queries.head()}})


@permissions.page(*permissions.READERS)
def study(request: HttpRequest, uid: str) -> HttpResponse:
    """The reading room. Opening a study claims it if nobody else has it."""
    user = permissions.person(request)
    with transaction.atomic():
        opened = access.open_study(request, uid, "study.opened")
        claims.take_if_free(opened, user)
        Place(opened, user, Context.TRIAGE).open()
    page = {
        "page": "study",
        "mode": "triage",
        "context": "triage",
        "study_uid": opened.uid,
        "user": {"username": user.username, "display": user.display, "role": user.role},
        "seq": queries.head(),
    }
    return render(request, "study.html", {"page": page, "study": opened})
