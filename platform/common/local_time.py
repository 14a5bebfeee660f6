"""Days of the site's own time zone."""

from __future__ import annotations

from datetime import date, datetime, time

from django.utils import timezone


def midnight(day: date | None = None) -> datetime:
    """When the given day begins at the site; today if none is given."""
    return timezone.make_aware(datetime.combine(day or timezone.localdate(), time()))
