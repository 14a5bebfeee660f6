"""Which studies people without a worklist may see."""

from __future__ import annotations

from django.db.models import Q

from accounts.models import User
from annotations.adjudication import disputes
from annotations.queues import assignment


def studies_to_label(user: User) -> Q:
    """The studies of label queue items that are this person's to answer or to decide."""
    answers, decisions = assignment.items_of(user).values("study"), disputes.may_decide(user).values("study")
    return Q(pk__in=answers) | Q(pk__in=decisions)
