"""Slowing down whoever guesses passwords: refused tries are counted in the audit trail, which every process shares."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.models import AuditEntry, User

WINDOW = timedelta(minutes=15)
PER_ACCOUNT_AND_ADDRESS = 5
PER_ADDRESS = 50


def account_label(username: str) -> str:
    """What the trail records of a name that somebody typed: of an unknown one a digest, as it may be a password."""
    known = User.objects.filter(username=username).exists()
    return username if known else "unknown:" + salted_hmac("accounts.throttle", username).hexdigest()[:16]


def too_many(username: str, address: str | None) -> bool:
    """Five wrong passwords for one account from one address, or fifty from one address, within 15 minutes."""
    recent = AuditEntry.objects.filter(
        action="user.signed_in", outcome="refused", at__gt=timezone.now() - WINDOW, address=address
    )
    labels = list(recent.order_by("-id").values_list("detail__account", flat=True)[:PER_ADDRESS])
    return len(labels) >= PER_ADDRESS or labels.count(account_label(username)) >= PER_ACCOUNT_AND_ADDRESS
