"""Snapshots and training runs."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from inference.models import ModelVersion
from jobs.models import Job


class Snapshot(models.Model):
    """The frozen, digest-named set of studies, labels and patient folds that a training run used."""

    digest = models.CharField(max_length=64, unique=True)
    definition = models.CharField(max_length=32)
    rows = models.JSONField()
    studies = models.PositiveIntegerField()
    patients = models.PositiveIntegerField()
    positives = models.PositiveIntegerField()
    phantoms_only = models.BooleanField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.digest[:12]


class RunStatus(models.TextChoices):
    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


class TrainingRun(models.Model):
    """One retraining: a snapshot in, a report and a challenger out."""

    snapshot = models.ForeignKey(Snapshot, on_delete=models.PROTECT, related_name="runs")
    job = models.OneToOneField(Job, null=True, on_delete=models.PROTECT, related_name="run")
    status = models.CharField(max_length=10, choices=RunStatus.choices, default=RunStatus.QUEUED)
    seed = models.PositiveIntegerField(default=0)
    progress = models.JSONField(default=dict)
    report = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    model = models.OneToOneField(ModelVersion, null=True, on_delete=models.PROTECT, related_name="run")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"run {self.pk} ({self.status})"
