"""Django's admin: queues are managed, reads are only read."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts import permissions
from accounts.admin import Audited, ReadOnly
from annotations.models import LabelQueue, Read, ReadRevision
from annotations.queues import assignment


class Blinded(ReadOnly):
    """Somebody who has yet to label a study does not find here what others said of it."""

    study = "study"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        hidden = assignment.hidden(permissions.person(request)).values("study")
        return super().get_queryset(request).exclude(**{f"{self.study}__in": hidden})


@admin.register(LabelQueue)
class Queues(Audited):
    """What people label goes by is set when a queue is made; its page at /label/queues/ shows the rest."""

    noun = "label_queue"
    list_display = ("name", "readers_per_study", "active", "created_at")
    filter_horizontal = ("readers",)
    fields = ("name", "readers_per_study", "readers", "active", "deadline")


@admin.register(Read)
class Reads(Blinded):
    """What somebody types before the commit is theirs: no draft is shown."""

    fields = ("study", "reader", "context", "item", "status", "opened_at")
    list_display = ("study", "reader", "context", "status", "opened_at")
    list_filter = ("context", "status")


@admin.register(ReadRevision)
class Revisions(Blinded):
    study = "read__study"
    list_display = ("read", "number", "positive", "committed_at")
    list_filter = ("positive", "definition")
