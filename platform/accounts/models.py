"""People, and the trail of what they looked at."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models

from accounts.roles import Role
from common.append_only import AppendOnly


class User(AbstractUser):
    """A person with one role."""

    role = models.CharField(max_length=16, choices=Role.choices, default=Role.ANNOTATOR)
    keymap = models.JSONField(default=dict, blank=True)
    """Keys that this person has changed: what a key does ("Viewer/g") to the key that does it now."""

    @property
    def display(self) -> str:
        """The name shown to colleagues."""
        return self.get_full_name() or self.username


class AuditEntry(AppendOnly):
    """Who saw or did what to whose data, when, and what came of it. Rows are only ever added."""

    at = models.DateTimeField(auto_now_add=True, db_index=True)
    user = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    username = models.CharField(max_length=150, blank=True)
    address = models.GenericIPAddressField(null=True)
    action = models.CharField(max_length=48, db_index=True)
    patient_id = models.CharField(max_length=64, blank=True, db_index=True)
    study_uid = models.CharField(max_length=64, blank=True, db_index=True)
    outcome = models.CharField(max_length=16, default="ok")
    detail = models.JSONField(default=dict)

    class Meta:
        verbose_name_plural = "audit entries"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.username} {self.action} {self.study_uid}"
