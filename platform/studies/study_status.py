"""What may become of a study in the reading list, as data. Whatever is not in the table cannot happen."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from studies import access
from studies.models import Study, StudyStatus


class Step(StrEnum):
    """What happens to a study."""

    CLAIM = "be claimed"
    RELEASE = "be released"
    COMPLETE = "be read to the end"
    RETURN = "come back"


TRANSITIONS: dict[tuple[StudyStatus, Step], StudyStatus] = {
    (StudyStatus.WAITING, Step.CLAIM): StudyStatus.READING,
    # A lapsed claim goes to the first who asks.
    (StudyStatus.READING, Step.CLAIM): StudyStatus.READING,
    (StudyStatus.READING, Step.RELEASE): StudyStatus.WAITING,
    # The end of a claim changes nothing of a study that its read, or the end of that read, has moved first.
    (StudyStatus.READ, Step.RELEASE): StudyStatus.READ,
    (StudyStatus.WAITING, Step.RELEASE): StudyStatus.WAITING,
    (StudyStatus.WAITING, Step.COMPLETE): StudyStatus.READ,
    (StudyStatus.READING, Step.COMPLETE): StudyStatus.READ,
    # By another reader, who saw late images, or as the earlier of two reads is taken back.
    (StudyStatus.READ, Step.COMPLETE): StudyStatus.READ,
    (StudyStatus.READ, Step.RETURN): StudyStatus.WAITING,
}


class NotAllowed(Exception):
    """The study's status does not allow this step."""


class Lost(Exception):
    """Another transaction moved the study since it was looked up. Nothing was changed."""


def target(status: StudyStatus, step: Step) -> StudyStatus:
    """The status after a step. Raises NotAllowed for a pair that is not in the table."""
    try:
        return TRANSITIONS[(status, step)]
    except KeyError:
        raise NotAllowed(f"a {status} study cannot {step}") from None


def lock(pk: int) -> Study:
    """The study as it stands now, locked until the transaction ends. Taken before any other lock of the study's rows,
    so that of a claim and a commit none waits for the other in a circle."""
    return access.every_study().select_for_update().get(pk=pk)


def move(study: Study, step: Step, **changes: Any) -> None:
    """Compare and set, in the caller's transaction: one UPDATE of a study whose status is still what ``study`` says.

    Raises NotAllowed, or Lost where it is not: ``lock`` the study first. ``study`` has its new status afterwards.
    """
    status = target(StudyStatus(study.status), step)
    rows = access.every_study().filter(pk=study.pk, status=study.status)
    if rows.update(status=status, **changes) != 1:
        raise Lost(f"study {study.pk} was {study.status} when it was looked up, and is no longer")
    for name, value in {"status": status, **changes}.items():
        setattr(study, name, value)
