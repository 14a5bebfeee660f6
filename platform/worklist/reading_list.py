"""Everything that waits to be read, in reading order, as one reader may know it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from annotations.models import Context, Read, ReadStatus
from annotations.reads.blinding import blinded_uids
from common.local_time import midnight
from inference import current_scores
from inference.current_flags import ScoreRow, current_flags
from studies import access, search
from studies.models import Study, StudyStatus
from worklist import claims
from worklist.models import Claim
from worklist.payloads import WorklistCounts
from worklist.reading_order import Band, Policy, Waiting, band, sort_key

FILTERS = ("all", "suspected", "not_analysed", "mine", "read_today")


@dataclass(frozen=True, slots=True)
class Entry:
    """A waiting study in its place. ``own``: the reader has it open, or has typed something in it."""

    study_id: int
    uid: str
    waiting: Waiting
    band: Band
    blinded: bool
    own: bool
    claimed_by_other: bool


def waiting_since(*, first_image_at: datetime, last_image_at: datetime, read_at: datetime | None) -> datetime:
    """From its first image, so that late ones never send it back; one that was read before, from the late ones."""
    return first_image_at if read_at is None else last_image_at


class ReadingList:
    """The reading order for one person, loaded with a fixed number of queries."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.now = timezone.now()
        self.ai = current_scores.ai_state()
        self.blinded = blinded_uids(user)
        self.claims: dict[int, Claim] = {claim.study_id: claim for claim in claims.live_claims()}
        self.policy = Policy(
            cap_seconds=settings.WAITING_CAP.total_seconds(),
            near_seconds=settings.NEAR_CAP.total_seconds(),
            ai=self.ai["state"] == "ok",
        )

    @cached_property
    def entries(self) -> list[Entry]:
        """Every waiting study that this person may see, in reading order."""
        return sorted(map(self._entry, self._facts()), key=lambda entry: sort_key(entry.waiting, self.policy))

    @cached_property
    def drafts(self) -> set[int]:
        """Studies in which this person has something typed and not committed."""
        own = Read.objects.filter(reader=self.user, context=Context.TRIAGE, status=ReadStatus.DRAFT)
        return set(own.filter(draft_version__gt=0).values_list("study_id", flat=True))

    @cached_property
    def _flags(self) -> dict[int, ScoreRow]:
        """The answers to everything that waits, also those that this person must not see."""
        return current_flags(self._waiting())

    def _waiting(self) -> QuerySet[Study]:
        return access.visible_studies(self.user).exclude(status=StudyStatus.READ)

    def _facts(self) -> Iterable[Any]:
        return self._waiting().values("pk", "uid", "priority", "first_image_at", "last_image_at", "read_at")

    def _entry(self, facts: Any) -> Entry:
        pk, uid = facts["pk"], facts["uid"]
        blinded = uid in self.blinded
        score = None if blinded else self._flags.get(pk)
        since = waiting_since(**{name: facts[name] for name in ("first_image_at", "last_image_at", "read_at")})
        waited = max(0.0, (self.now - since).total_seconds())
        waiting = Waiting(
            key=pk,
            priority=facts["priority"],
            waited_seconds=waited,
            flag=score.flag if score else None,
            probability=score.probability if score else None,
        )
        claim = self.claims.get(pk)
        own_claim = claim is not None and claim.user_id == self.user.pk
        return Entry(
            study_id=pk,
            uid=uid,
            waiting=waiting,
            band=band(waiting, self.policy),
            blinded=blinded,
            own=own_claim or pk in self.drafts,
            claimed_by_other=claim is not None and not own_claim,
        )

    def counts(self) -> WorklistCounts:
        flags = [entry.waiting.flag for entry in self.entries]
        return {
            "waiting": len(flags),
            "suspected": flags.count("suspected"),
            "not_analysed": flags.count("not_analysed"),
            "mine": sum(entry.own for entry in self.entries),
            "read_today": self.read_today().count(),
        }

    def longest_waiting_seconds(self) -> float | None:
        return max((entry.waiting.waited_seconds for entry in self.entries), default=None)

    def read_today(self, words: str = "") -> QuerySet[Study]:
        """Studies read since midnight of the site's time zone that match the words, the latest first."""
        read = access.visible_studies(self.user).filter(
            status=StudyStatus.READ, read_at__gte=midnight(timezone.localdate(self.now))
        )
        if words.strip():
            read = read.filter(pk__in=search.matching(read, words))
        return read.order_by("-read_at", "-pk")

    def chosen(self, show: str, words: str) -> list[Entry]:
        """The waiting studies of a filter that match the words, in reading order."""
        shown = [entry for entry in self.entries if self._shows(entry, show)]
        if not words.strip():
            return shown
        matching = search.matching(self._waiting(), words)
        return [entry for entry in shown if entry.study_id in matching]

    def _shows(self, entry: Entry, show: str) -> bool:
        return entry.own if show == "mine" else show in ("all", entry.waiting.flag)


def next_study(user: User, after: Study) -> str | None:
    """The uid of the next study in the reading order that nobody else has open; None where the list is done."""
    free = (
        entry.uid for entry in ReadingList(user).entries if not entry.claimed_by_other and entry.study_id != after.pk
    )
    return next(free, None)
