"""The chain over the audit trail: whoever changes or takes away an entry past the triggers breaks it.

One sealer at a time, in whatever worker ticks, gives each entry a link: the SHA-256 of the link before it and of the
entry as canonical JSON. Links are numbered without a gap, in the order in which the sealer found the entries, so that
one whose transaction ended late comes later and is not lost. Each day the last link before it is signed with the site's
SECRET_KEY: a chain that was made again from its start fits no signature.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field
from datetime import UTC, date
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.models import AuditEntry, AuditHead, AuditLink

FIELDS = ("pk", "at", "user_id", "username", "address", "action", "patient_id", "study_uid", "outcome", "detail")
AT_ONCE = 5000
LATE_ENTRIES = 10_000
"""An entry may be committed after others with so much higher keys, and is found all the same."""
SEAL_SECONDS = 60.0
_START = "0" * 64
_sealed_at = float("-inf")


@dataclass
class Verdict:
    """What a check of the whole chain found. ``unsealed``: entries that have no link yet."""

    links: int = 0
    heads: int = 0
    unsealed: int = 0
    problems: list[str] = field(default_factory=list)


def canonical(entry: tuple[Any, ...]) -> bytes:
    """An entry, its FIELDS in order, as bytes that are the same on every database."""
    pk, at, *others = entry
    text = json.dumps([pk, at.astimezone(UTC).isoformat(), *others], sort_keys=True, separators=(",", ":"))
    return text.encode()


def link_digest(previous: str, entry: tuple[Any, ...]) -> str:
    return hashlib.sha256(previous.encode() + b"\n" + canonical(entry)).hexdigest()


def tick() -> None:
    """Seal at most once a minute; cheap to call often. Where another process was quicker it does the work."""
    global _sealed_at
    if time.monotonic() - _sealed_at < SEAL_SECONDS:
        return
    _sealed_at = time.monotonic()
    try:
        seal()
    except IntegrityError:
        return


def seal() -> int:
    """Link every entry that has no link, and sign the last one of the days before; how many were linked.

    Raises IntegrityError where another sealer was quicker, and then nothing was written.
    """
    linked = 0
    while fresh := _seal_some():
        linked += fresh
    _sign(timezone.now().date())
    return linked


def _seal_some() -> int:
    with transaction.atomic():
        last = AuditLink.objects.order_by("-number").first()
        number, digest = (last.number, last.digest) if last else (0, _START)
        newest = max(AuditLink.objects.order_by("-entry_id").values_list("entry_id", flat=True)[:1], default=0)
        waiting = AuditEntry.objects.filter(pk__gt=newest - LATE_ENTRIES, link__isnull=True).order_by("pk")
        links = []
        for entry in waiting.values_list(*FIELDS)[:AT_ONCE]:
            number, digest = number + 1, link_digest(digest, entry)
            links.append(AuditLink(number=number, entry_id=entry[0], digest=digest))
        AuditLink.objects.bulk_create(links)
    return len(links)


def _sign(today: date) -> None:
    """Once a day: the last link whose entry is of a day before."""
    if AuditHead.objects.filter(day=today).exists():
        return
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    last = AuditLink.objects.filter(entry__at__lt=midnight).order_by("-number").first()
    if last is not None:
        made = AuditHead(day=today, number=last.number, digest=last.digest, signature=_signature(today, last))
        AuditHead.objects.bulk_create([made], ignore_conflicts=True)


def _signature(day: date, link: AuditLink | AuditHead) -> str:
    text = f"{day.isoformat()}:{link.number}:{link.digest}"
    return salted_hmac("accounts.audit_chain", text, algorithm="sha256").hexdigest()


def verify() -> Verdict:
    """Go along the whole chain. The first link that does not fit is named, since every later one rests on it."""
    verdict, digest = Verdict(), _START
    heads = {head.number: head for head in AuditHead.objects.order_by("day")}
    rows = AuditLink.objects.order_by("number").values_list("number", "digest", *(f"entry__{name}" for name in FIELDS))
    for number, written, *entry in rows.iterator(chunk_size=5000):
        if number != verdict.links + 1:
            verdict.problems.append(f"Link {verdict.links + 1} is missing.")
            return verdict
        digest = link_digest(digest, tuple(entry))
        if digest != written:
            verdict.problems.append(f"Entry {entry[0]} (link {number}) is not as it was sealed.")
            return verdict
        verdict.links = number
        if number in heads:
            _check_head(heads.pop(number), digest, verdict)
    verdict.problems += [f"The head of {head.day} names link {head.number}, which is gone." for head in heads.values()]
    verdict.unsealed = AuditEntry.objects.filter(link__isnull=True).count()
    return verdict


def _check_head(head: AuditHead, digest: str, verdict: Verdict) -> None:
    verdict.heads += 1
    if head.digest != digest:
        verdict.problems.append(f"The chain is not the one that was signed on {head.day}.")
    elif not hmac.compare_digest(head.signature, _signature(head.day, head)):
        verdict.problems.append(f"The signature of {head.day} is not this site's.")
