"""Snapshots and training runs."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from common.append_only import AppendOnly
from inference.models import ModelVersion
from jobs.models import Job
from studies.models import Patient


class Snapshot(AppendOnly):
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


class FoldPlace(AppendOnly):
    """Where a patient lies in cross-validations of so many folds, from its first run on."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    fold = models.PositiveSmallIntegerField()
    folds = models.PositiveSmallIntegerField()
    dealt_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["patient", "folds"], name="one_fold_per_patient")]

    def __str__(self) -> str:
        return f"{self.patient} in fold {self.fold + 1} of {self.folds}"


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
    prevalence = models.JSONField(null=True)
    """``training.prevalence.SitePrevalence`` as it was known at the start: a run done again makes the same model."""
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


class HoldOut(AppendOnly):
    """Patients, linked ones whole, whom no training sees: fixed when it is made, one of infants and one of phantoms.

    ``patients`` are primary keys, ``groups`` what linked them when it was made; `training.holdout.held_out` adds who
    was linked with them, or merged with them, since.
    """

    phantoms_only = models.BooleanField(unique=True)
    digest = models.CharField(max_length=64)
    patients = models.JSONField()
    groups = models.JSONField()
    positives = models.PositiveIntegerField()
    share = models.FloatField()
    seed = models.PositiveIntegerField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"hold-out {self.digest[:12]}"


class HoldOutOpening(AppendOnly):
    """The gate opened the hold-out: who, when, for which model, trained on which snapshot. Written before anything is
    read. ``studies``: digest of the labelled studies that were in it then."""

    holdout = models.ForeignKey(HoldOut, on_delete=models.PROTECT, related_name="openings")
    model = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="openings")
    snapshot = models.CharField(max_length=64)
    studies = models.CharField(max_length=64)
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"opening {self.pk} of {self.holdout}"


class HoldOutResult(AppendOnly):
    """What an opening measured."""

    opening = models.OneToOneField(HoldOutOpening, on_delete=models.PROTECT, related_name="result")
    report = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"result of {self.opening}"
