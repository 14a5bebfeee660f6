"""Who may not know what the AI said. In a label queue no AI output exists for the reader until the commit."""

from __future__ import annotations

from accounts.models import User
from accounts.roles import Role, has_role
from annotations.models import Context, Read, ReadStatus
from annotations.queues import assignment


def blinded_uids(user: User) -> set[str]:
    """The studies of which this person must see no AI: every queue item or dispute that they have yet to answer, and
    answered ones of a queue that stays blind until it is closed."""
    deciding = Read.objects.filter(reader=user, context=Context.ADJUDICATION, status=ReadStatus.DRAFT)
    waiting = assignment.hidden(user).values_list("study__uid", flat=True)
    return set(waiting) | set(deciding.values_list("study__uid", flat=True))


def is_blinded(user: User, uid: str) -> bool:
    """People without a worklist know the AI's answer only to studies that they have answered themselves."""
    if uid in blinded_uids(user):
        return True
    return not has_role(user, Role.RADIOLOGIST, Role.ADMIN) and not has_answered(user, uid)


def has_answered(user: User, uid: str) -> bool:
    """Whether this person has committed a read of the study, and not reopened it."""
    answers = Read.objects.filter(reader=user, study__uid=uid).exclude(context=Context.IMPORT)
    is_reopened = answers.filter(status=ReadStatus.DRAFT, revisions__isnull=False).exists()
    return answers.filter(status=ReadStatus.COMMITTED).exists() and not is_reopened
