"""People, and the trail of what they looked at."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from typing import Any

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models

from accounts.roles import Role
from common.append_only import AppendOnly


def one_line(text: str) -> None:
    """A name is shown in lists, logs and headers of answers. Raises ValidationError for control characters."""
    if any(letter in _BIDI or unicodedata.category(letter) in _CONTROLS for letter in text):
        raise ValidationError("A name is one line, without control characters.", code="control_characters")


_NAMES = ("username", "first_name", "last_name", "email")
_CONTROLS = {"Cc", "Cs", "Zl", "Zp"}
_BIDI = {"\u202a", "\u202b", "\u202c", "\u202d", "\u202e", "\u2066", "\u2067", "\u2068", "\u2069"}


class User(AbstractUser):
    """A person with one role."""

    role = models.CharField(max_length=16, choices=Role.choices, default=Role.ANNOTATOR)
    keymap = models.JSONField(default=dict, blank=True)
    """Keys that this person has changed: what a key does ("Viewer/g") to the key that does it now."""

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        """In a form each name has its own sentence."""
        wrong = {}
        for name in _NAMES:
            try:
                one_line(getattr(self, name))
            except ValidationError as error:
                wrong[name] = error
        if wrong:
            raise ValidationError(wrong)
        super().clean_fields(exclude=exclude)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Commands and tokens pass by the forms: what they make is held to the same. Raises ValidationError."""
        for name in _NAMES:
            one_line(getattr(self, name))
        super().save(*args, **kwargs)

    @property
    def display(self) -> str:
        """The name shown to colleagues."""
        return self.get_full_name() or self.username


class SignInTries(models.Model):
    """How often somebody tried to sign in, by name (its digest) or by address, since when. Changes all the time."""

    key = models.CharField(max_length=80, unique=True)
    tries = models.PositiveIntegerField(default=0)
    since = models.DateTimeField()
    last = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name_plural = "sign-in tries"

    def __str__(self) -> str:
        return f"{self.key}: {self.tries}"


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


class AuditSubject(AppendOnly):
    """An infant whom an entry showed among others: a list, an export. Once a day for each person, action and study."""

    entry = models.ForeignKey(AuditEntry, on_delete=models.PROTECT, related_name="subjects")
    user = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    action = models.CharField(max_length=48)
    patient_id = models.CharField(max_length=64, db_index=True)
    study_uid = models.CharField(max_length=64, db_index=True)
    day = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "day", "action", "study_uid"], name="audit_subject_once_a_day")
        ]

    def __str__(self) -> str:
        return f"{self.patient_id} in {self.entry}"


class AuditLink(AppendOnly):
    """The place of an entry in the chain. ``accounts.audit_chain`` makes and checks it."""

    number = models.PositiveBigIntegerField(unique=True)
    entry = models.OneToOneField(AuditEntry, on_delete=models.PROTECT, related_name="link")
    digest = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"link {self.number}"


class AuditHead(AppendOnly):
    """The last link of the days before, signed with the site's key."""

    day = models.DateField(unique=True)
    number = models.PositiveBigIntegerField()
    digest = models.CharField(max_length=64)
    signature = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"head of {self.day}"
