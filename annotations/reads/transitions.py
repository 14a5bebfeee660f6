"""What may become of a read, as data. Whatever is not in the table cannot happen, and the reader is told why."""

from __future__ import annotations

from enum import StrEnum

from annotations.models import Read, ReadStatus


class Step(StrEnum):
    """What its reader does with a read."""

    SAVE = "save"
    COMMIT = "commit"
    REOPEN = "reopen"
    RESTORE = "restore"
    AGREE = "agree"


TRANSITIONS: dict[tuple[ReadStatus, Step], ReadStatus] = {
    (ReadStatus.DRAFT, Step.SAVE): ReadStatus.DRAFT,
    (ReadStatus.DRAFT, Step.COMMIT): ReadStatus.COMMITTED,
    (ReadStatus.DRAFT, Step.RESTORE): ReadStatus.COMMITTED,
    (ReadStatus.COMMITTED, Step.REOPEN): ReadStatus.DRAFT,
    (ReadStatus.COMMITTED, Step.AGREE): ReadStatus.COMMITTED,
}

NOT_AS_COMMITTED = "This read is not as it was committed: commit it to let it count."
REFUSALS: dict[tuple[ReadStatus, Step], str] = {
    (ReadStatus.COMMITTED, Step.SAVE): ("This read is committed. Reopen it to change it; nothing was overwritten."),
    (ReadStatus.COMMITTED, Step.COMMIT): (
        "This read is committed already. Reopen it to change it; nothing was overwritten."
    ),
    (ReadStatus.COMMITTED, Step.RESTORE): NOT_AS_COMMITTED,
    (ReadStatus.DRAFT, Step.REOPEN): "There is no committed read of yours to reopen.",
    (ReadStatus.DRAFT, Step.AGREE): "Commit your read first: until then the AI's answer is not weighed.",
}


class NotOpen(Exception):
    """The read's status does not allow this step; the message is for its reader. Nothing was changed."""


def target(status: ReadStatus, step: Step) -> ReadStatus:
    """The status after a step. Raises NotOpen for a pair that is not in the table."""
    try:
        return TRANSITIONS[(status, step)]
    except KeyError:
        raise NotOpen(REFUSALS[(status, step)]) from None


def check(read: Read | None, step: Step) -> Read:
    """The read, if its status allows the step; a read that was never begun is an empty draft. Raises NotOpen."""
    target(ReadStatus(read.status) if read else ReadStatus.DRAFT, step)
    if read is None:
        raise NotOpen(NOT_AS_COMMITTED)
    return read


def move(read: Read, step: Step) -> None:
    """Compare and set, in the caller's transaction: one UPDATE of a read whose status is still what ``read`` says.

    Raises NotOpen, also where another request of the same reader moved it first. ``read`` has its new status then.
    """
    status = target(ReadStatus(read.status), step)
    if Read.objects.filter(pk=read.pk, status=read.status).update(status=status) != 1:
        raise NotOpen("This read was changed in another window meanwhile. Nothing was overwritten: load it again.")
    read.status = status
