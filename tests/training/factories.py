"""Labelled studies for tests: one committed read each, from the reading room."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from annotations.models import Context, Read, ReadRevision, ReadStatus
from studies.models import Study
from tests.accounts.people import person
from tests.inference.factories import close, study


def label(made: Study, *, positive: bool, reader: User) -> Study:
    """A committed read of the study, whose quiet period ends first."""
    close(made)
    now = timezone.now()
    read = Read.objects.create(
        study=made, reader=reader, context=Context.TRIAGE, status=ReadStatus.COMMITTED, opened_at=now
    )
    ReadRevision.objects.create(
        read=read,
        number=1,
        schema="papile-1",
        findings={"quality": "good"},
        positive=positive,
        definition="positive-1",
        idempotency_key="once",
        committed_at=now,
    )
    return made


def cohort(*, positive: int, negative: int, **facts: Any) -> list[Study]:
    """So many labelled studies of as many infants."""
    reader = person(Role.RADIOLOGIST)
    labels = [True] * positive + [False] * negative
    return [label(study(clips=(4,), **facts), positive=each, reader=reader) for each in labels]
