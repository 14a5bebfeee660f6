"""Which studies people without a worklist may see."""

from __future__ import annotations

from typing import Any

from django.db.models import Q

from annotations import adjudication, queues


def studies_to_label(user: Any) -> Q:
    """The studies of label queue items that are this person's to answer or to decide."""
    answers, decisions = queues.items_of(user).values("study"), adjudication.may_decide(user).values("study")
    return Q(pk__in=answers) | Q(pk__in=decisions)
