"""The durable job table: the queue of record. Celery and Redis only make it fast."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q


class JobStatus(models.TextChoices):
    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    QUARANTINED = "quarantined", "Failed three times"
    CANCELLED = "cancelled", "Cancelled"


class Queue(models.TextChoices):
    """In the order in which a worker that serves several of them empties them."""

    STAT = "stat", "Stat"
    ROUTINE = "routine", "Routine"
    TRAIN = "train", "Train"


class Job(models.Model):
    """One piece of work. ``key`` makes it one row however often it is asked for; ``token`` fences late workers off.

    A job whose worker died is run ``alone``, in a process of its own: if that dies the job is to blame, if the whole
    worker dies it is not. ``deaths`` counts both.

    Within a queue the lowest ``rank`` goes first, so that a re-scoring of thousands never delays a new examination.
    """

    kind = models.CharField(max_length=32)
    key = models.CharField(max_length=200)
    queue = models.CharField(max_length=8, choices=Queue.choices, default=Queue.ROUTINE)
    rank = models.PositiveSmallIntegerField(default=0)
    payload = models.JSONField(default=dict)
    status = models.CharField(max_length=12, choices=JobStatus.choices, default=JobStatus.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    alone = models.BooleanField(default=False)
    deaths = models.PositiveSmallIntegerField(default=0)
    run_after = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    token = models.UUIDField(default=uuid.uuid4, editable=False)
    worker = models.CharField(max_length=100, blank=True)
    progress = models.JSONField(default=dict)
    cancel_requested = models.BooleanField(default=False)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="one_job_per_key")]
        indexes = [
            models.Index(
                fields=["queue", "rank", "run_after", "id"], condition=Q(status="queued"), name="job_claimable"
            ),
            models.Index(fields=["lease_until"], condition=Q(status="running"), name="job_leased"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key} ({self.status})"


class WorkerHeartbeat(models.Model):
    """A worker process and when it last said that it lives; what "the AI is down" is judged by."""

    worker = models.CharField(max_length=100, unique=True)
    queues = models.JSONField(default=list)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.worker}, seen {self.seen_at:%H:%M:%S}"
