"""The event log that every open page tails. Its sequence follows the order of commits."""

from __future__ import annotations

from django.db import models


class Audience(models.TextChoices):
    READERS = "readers", "People who have a worklist"
    ADMINS = "admins", "Admins"
    EVERYONE = "everyone", "Everybody signed in"
    PERSON = "person", "One person"


class Event(models.Model):
    """Something changed. Identifiers only: whoever may know more asks for it through the access door."""

    seq = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(auto_now_add=True)
    kind = models.CharField(max_length=16)
    audience = models.CharField(max_length=8, choices=Audience.choices)
    person_id = models.BigIntegerField(null=True)
    study_uid = models.CharField(max_length=64, blank=True)
    run_id = models.BigIntegerField(null=True)

    def __str__(self) -> str:
        return f"{self.seq} {self.kind}"
