"""Django's admin: queues are managed, reads are only read."""

from __future__ import annotations

from django.contrib import admin

from accounts.admin import ModelAdmin, ReadOnly
from annotations.models import LabelQueue, Read, ReadRevision


@admin.register(LabelQueue)
class Queues(ModelAdmin):
    list_display = ("name", "readers_per_study", "active", "created_at")
    filter_horizontal = ("readers",)
    exclude = ("created_by",)


@admin.register(Read)
class Reads(ReadOnly):
    list_display = ("study", "reader", "context", "status", "opened_at")
    list_filter = ("context", "status")


@admin.register(ReadRevision)
class Revisions(ReadOnly):
    list_display = ("read", "number", "positive", "committed_at")
    list_filter = ("positive", "definition")
