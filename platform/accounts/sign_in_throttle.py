"""Slowing down whoever guesses passwords: tries are counted in the database before a password is looked at.

A name has ``PER_ACCOUNT`` tries in a quarter of an hour, from wherever they come; names that nobody has are counted in
the same way, so that nothing tells one from the other. An address has ``PER_ADDRESS``; after that one try in
``SLOW_SECONDS`` is still looked at, so that people behind one address, such as a proxy that nobody trusts, are slowed
down and never shut out. Each count is taken under a lock of its row: of any number of tries at once no more than these
are looked at. A right password gives its tries back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.models import SignInTries, User

WINDOW = timedelta(minutes=15)
PER_ACCOUNT = 5
PER_ADDRESS = 50
SLOW_SECONDS = 2.0
KEPT = timedelta(days=1)


@dataclass(frozen=True)
class Refusal:
    """Why a password is not looked at. ``until``: when the name opens again; None where the address is slowed down."""

    until: datetime | None


def account_label(username: str) -> str:
    """What the trail records of a name that somebody typed: of an unknown one a digest, as it may be a password."""
    known = User.objects.filter(username=username).exists()
    return username if known else "unknown:" + _digest(username)[:16]


def take_turn(username: str, address: str | None) -> Refusal | None:
    """Count this try of a name from an address, unless one of the two has none left; None where it is counted."""
    now = timezone.now()
    with transaction.atomic():
        account, place = _row(_account(username), now), _row(_place(address), now)
        if account.tries >= PER_ACCOUNT:
            return Refusal(account.since + WINDOW)
        if place.tries >= PER_ADDRESS and (now - place.last).total_seconds() < SLOW_SECONDS:
            return Refusal(None)
        for row in (account, place):
            SignInTries.objects.filter(pk=row.pk).update(tries=row.tries + 1, last=now, since=row.since)
    return None


def give_back(username: str, address: str | None) -> None:
    """The password was right: the name has all its tries again, and this one does not count for the address."""
    with transaction.atomic():
        place = _row(_place(address), timezone.now())
        SignInTries.objects.filter(pk=place.pk).update(tries=max(0, place.tries - 1))
        unlock(username)
        SignInTries.objects.filter(last__lt=timezone.now() - KEPT).delete()


def unlock(username: str) -> bool:
    """Open a name again; whether it had been closed."""
    row = SignInTries.objects.filter(key=_account(username)).first()
    SignInTries.objects.filter(key=_account(username)).update(tries=0)
    return row is not None and _closed(row)


def closed_until(username: str) -> datetime | None:
    """When a name that has no tries left opens again."""
    row = SignInTries.objects.filter(key=_account(username)).first()
    return row.since + WINDOW if row is not None and _closed(row) else None


def _closed(row: SignInTries) -> bool:
    return row.tries >= PER_ACCOUNT and timezone.now() < row.since + WINDOW


def _row(key: str, now: datetime) -> SignInTries:
    """The count of a key, locked until the transaction ends; a window that is over begins anew."""
    SignInTries.objects.bulk_create([SignInTries(key=key, since=now, last=now)], ignore_conflicts=True)
    row = SignInTries.objects.select_for_update().get(key=key)
    if now >= row.since + WINDOW:
        row.tries, row.since = 0, now
    return row


def _digest(text: str) -> str:
    return salted_hmac("accounts.throttle", text).hexdigest()


def _account(username: str) -> str:
    """Sorted before every address, so that no two processes lock in another order."""
    return f"account:{_digest(username)}"


def _place(address: str | None) -> str:
    return f"address:{address or 'unknown'}"
