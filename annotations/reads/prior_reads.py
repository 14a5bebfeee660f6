"""What others said of an infant's earlier studies: the last committed read of each, for those who may know it."""

from __future__ import annotations

from collections.abc import Collection

from accounts.models import User
from annotations.models import Context, Read, ReadRevision, ReadStatus
from annotations.reads.blinding import blinded_uids, has_answered
from studies.models import Study

TO_LABEL = "You have yet to label this study."
AFTER_COMMIT = "Shown after your commit."


def last_reads(uids: Collection[str]) -> dict[str, ReadRevision]:
    """The last committed read of each of these studies in the reading room, in one query."""
    counting = ReadRevision.objects.counting().filter(read__study__uid__in=uids, read__context=Context.TRIAGE)
    rows = counting.select_related("read__study", "read__reader").order_by("pk")
    return {row.read.study.uid: row for row in rows}


def hidden_from(user: User, *, reading: Study) -> dict[str, str]:
    """Of which studies this person, who reads one, may not know yet what others said, and why."""
    begun = Read.objects.filter(reader=user, status=ReadStatus.DRAFT, draft_version__gt=0)
    hidden = dict.fromkeys(begun.values_list("study__uid", flat=True), AFTER_COMMIT)
    if not has_answered(user, reading.uid):
        hidden[reading.uid] = AFTER_COMMIT
    return hidden | dict.fromkeys(blinded_uids(user), TO_LABEL)
