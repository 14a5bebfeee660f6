"""Who has a study open."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from studies.models import Study


class Claim(models.Model):
    """A reader has this study; everybody sees it. It lapses when it is not renewed."""

    study = models.OneToOneField(Study, on_delete=models.CASCADE, related_name="claim")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="claims")
    since = models.DateTimeField()
    renewed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.user} has {self.study}"
