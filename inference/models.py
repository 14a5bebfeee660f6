"""Model versions and what they answered."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from studies.models import StudyRevision


class ModelState(models.TextChoices):
    CHALLENGER = "challenger", "Challenger"
    CHAMPION = "champion", "Champion"
    RETIRED = "retired", "Retired"


class ModelVersion(models.Model):
    """A folder of weights with its manifest, known by the digest of that manifest."""

    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True)
    folder = models.CharField(max_length=500)
    manifest = models.JSONField()
    report = models.JSONField(default=dict)
    trained_on_phantoms = models.BooleanField()
    state = models.CharField(max_length=10, choices=ModelState.choices, default=ModelState.CHALLENGER)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    promoted_at = models.DateTimeField(null=True)
    promoted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    promotion_reason = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["state"], condition=Q(state="champion"), name="one_champion"),
        ]
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name


class Flag(models.TextChoices):
    SUSPECTED = "suspected", "Suspected"
    NOT_SUSPECTED = "not_suspected", "Not suspected"
    NOT_ANALYSED = "not_analysed", "Not analysed"


class Score(models.Model):
    """One model version's answer to one study revision: exactly one row for each (revision, model, purpose)."""

    revision = models.ForeignKey(StudyRevision, on_delete=models.PROTECT, related_name="scores")
    model = models.ForeignKey(ModelVersion, null=True, on_delete=models.PROTECT, related_name="scores")
    purpose = models.CharField(max_length=16, default="triage")
    flag = models.CharField(max_length=13, choices=Flag.choices)
    flag_reason = models.TextField(blank=True)
    probability = models.FloatField(null=True)
    logit = models.FloatField(null=True)
    attention = models.JSONField(default=list)
    operating_point = models.JSONField(default=dict)
    inputs = models.JSONField(default=dict)
    seconds = models.FloatField(default=0)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["revision", "model", "purpose"], name="one_score_per_key"),
            models.UniqueConstraint(
                fields=["revision", "purpose"], condition=Q(model__isnull=True), name="one_score_without_model"
            ),
            models.CheckConstraint(
                condition=Q(probability__isnull=False) ^ Q(flag="not_analysed"), name="analysed_has_probability"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.revision}: {self.flag}"


class Explanation(models.Model):
    """Heat maps of a score's heaviest frames. ``frames``: sop_uid, frame, the square (x, y, side) of the picture that
    the network saw, and ``heat`` rows of 0 to 1 over it, one scale for the whole study."""

    score = models.OneToOneField(Score, on_delete=models.CASCADE, related_name="explanation")
    method = models.CharField(max_length=32)
    frames = models.JSONField(default=list)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.score}: {len(self.frames)} maps"
