"""Reads, queues and what readers said."""

from __future__ import annotations

from typing import Any, NoReturn

from django.conf import settings
from django.db import models
from django.db.models import Q

from studies.models import Study, StudyRevision


class Context(models.TextChoices):
    TRIAGE = "triage", "Reading room"
    QUEUE = "queue", "Label queue"
    ADJUDICATION = "adjudication", "Adjudication"


class LabelQueue(models.Model):
    """A list of studies that annotators label blinded, each study by several readers.

    ``readers`` are the people who label it; where it names none, all annotators and adjudicators do.
    """

    name = models.CharField(max_length=100)
    readers_per_study = models.PositiveSmallIntegerField(default=2)
    readers = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="label_queues")
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return self.name


class QueueItem(models.Model):
    """A study in a queue."""

    queue = models.ForeignKey(LabelQueue, on_delete=models.PROTECT, related_name="items")
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="queue_items")
    position = models.PositiveIntegerField()
    why = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["queue", "study"], name="once_per_queue")]
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return f"{self.queue} {self.position}"


class Skip(models.Model):
    """A reader passed an item over, and said why."""

    item = models.ForeignKey(QueueItem, on_delete=models.PROTECT, related_name="skips")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=200)
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.reader} skipped {self.item}"


class ReadStatus(models.TextChoices):
    DRAFT = "draft", "Draft"
    COMMITTED = "committed", "Committed"


class Read(models.Model):
    """One reader's answer for one study. The draft changes; what was committed stays, revision by revision."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="reads")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="reads")
    context = models.CharField(max_length=12, choices=Context.choices)
    item = models.ForeignKey(QueueItem, null=True, on_delete=models.PROTECT, related_name="reads")
    status = models.CharField(max_length=9, choices=ReadStatus.choices, default=ReadStatus.DRAFT)
    draft = models.JSONField(default=dict)
    draft_version = models.PositiveIntegerField(default=0)
    draft_saved_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["study", "reader", "context"], condition=Q(item__isnull=True), name="one_read_each"
            ),
            models.UniqueConstraint(
                fields=["item", "reader"], condition=Q(item__isnull=False), name="one_read_each_item"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reader} on {self.study} ({self.context})"


class CommittedRevisions(models.QuerySet["ReadRevision"]):
    """Rows that nobody changes or takes away, not even in bulk."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise TypeError("a committed revision is never changed: reopen the read and commit the next one")

    def delete(self) -> NoReturn:
        raise TypeError("a committed revision is never deleted")


class ReadRevision(models.Model):
    """What a reader committed. Only ever added."""

    read = models.ForeignKey(Read, on_delete=models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    study_revision = models.ForeignKey(StudyRevision, null=True, on_delete=models.PROTECT, related_name="+")
    schema = models.CharField(max_length=32)
    findings = models.JSONField()
    comment = models.TextField(blank=True)
    positive = models.BooleanField(null=True)
    definition = models.CharField(max_length=32)
    flag_seen = models.CharField(max_length=13, blank=True)
    attention_seen = models.BooleanField(default=False)
    coverage = models.JSONField(default=list)
    duration_ms = models.PositiveIntegerField(default=0)
    idempotency_key = models.CharField(max_length=64)
    committed_at = models.DateTimeField()

    objects = CommittedRevisions.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["read", "number"], name="one_revision_number_per_read"),
            models.UniqueConstraint(fields=["read", "idempotency_key"], name="a_commit_counts_once"),
            models.CheckConstraint(condition=Q(number__gte=1), name="revisions_count_from_one"),
        ]
        ordering = ["number"]

    def __str__(self) -> str:
        return f"{self.read} revision {self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("a committed revision is never changed: reopen the read and commit the next one")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("a committed revision is never deleted")


class Agreement(models.Model):
    """A reader's one-key verdict on the flag, after the commit."""

    revision = models.OneToOneField(ReadRevision, on_delete=models.PROTECT, related_name="agreement")
    agree = models.BooleanField()
    flag = models.CharField(max_length=13)
    at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.revision}: {'agree' if self.agree else 'disagree'}"
