"""What follows when a read begins or ceases to count: committed, reopened or restored, by one rule for all three.

Whether a study counts as read, and whether an item asks for a second reader, is worked out from the reads that count
now, never from what was done last. What other rooms must do when a read is committed they register here.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db.models import Q, QuerySet

from annotations.models import Context, QueueItem, Read, ReadRevision, ReadStatus
from annotations.reads import transitions
from annotations.reads.transitions import Step
from live.models import Audience
from live.publish import publish
from studies import study_status
from studies.models import Clip, Study, StudyRevision, StudyStatus
from studies.study_status import Step as StudyStep

_committed: list[Callable[[Read], None]] = []


def on_committed(callback: Callable[[Read], None]) -> Callable[[Read], None]:
    """Run ``callback`` in the transaction in which a read of the reading room is committed or restored."""
    _committed.append(callback)
    return callback


def follow(read: Read, step: Step) -> None:
    """Move the read, and the world with it, in the caller's transaction. Raises NotOpen."""
    transitions.move(read, step)
    if read.context == Context.TRIAGE:
        _in_the_reading_room(read)
        return
    if read.context == Context.QUEUE and read.item is not None:
        _second_reader(read.item)
    # No study: an admin who has yet to label it would learn that somebody else just has.
    publish("read", audience=Audience.ADMINS)


def _in_the_reading_room(read: Read) -> None:
    # Of two readers of one study the later weighs what the earlier did.
    read.study = study_status.lock(read.study_id)
    _settle(read.study)
    if read.status == ReadStatus.COMMITTED:
        for callback in _committed:
            callback(read)
    publish("read", audience=Audience.READERS, study_uid=read.study.uid)


def revisit(revision: StudyRevision) -> None:
    """Late images that no reader has seen bring a read study back to the list, in the closing transaction."""
    if revision.study.status == StudyStatus.READ:
        _settle(revision.study)


def _settle(study: Study) -> None:
    """A study counts as read while a read counts that left nothing of it unseen; otherwise it waits."""
    read_at = _read_at(study)
    if read_at is not None:
        study_status.move(study, StudyStep.COMPLETE, read_at=read_at)
    elif study.status == StudyStatus.READ:
        study_status.move(study, StudyStep.RETURN)


def _read_at(study: Study) -> datetime | None:
    """When the latest read was committed that counts and left nothing unseen."""
    counting = ReadRevision.objects.counting().filter(read__study=study, read__context=Context.TRIAGE)
    whole = (
        last.committed_at for last in counting.select_related("read", "study_revision") if not _unseen(last).exists()
    )
    return max(whole, default=None)


def _unseen(revision: ReadRevision) -> QuerySet[Clip]:
    """Pictures that came after the reader had opened the study, and that they did not see, or not as they are now."""
    viewed = [clip["sop_uid"] for clip in revision.coverage if clip.get("frames")]
    clips = Clip.objects.with_frames().filter(study=revision.read.study_id)
    late = Q(received_at__gt=revision.read.opened_at) & ~Q(sop_uid__in=viewed)
    return clips.filter(late | Q(replaced_at__gt=seen_until(revision)))


def seen_until(revision: ReadRevision) -> datetime:
    """Up to when the reader surely saw the pictures as they were: what was replaced later may not be what they read."""
    return revision.study_revision.closed_at if revision.study_revision else revision.committed_at


def _second_reader(item: QueueItem) -> None:
    """Who is uncertain where one reader would do asks for another, for as long as their answer counts."""
    if item.queue.readers_per_study == 1:
        answers = Read.objects.filter(item=item, context=Context.QUEUE, status=ReadStatus.COMMITTED)
        uncertain = any(answer.draft["findings"].get("uncertain") for answer in answers)
        QueueItem.objects.filter(pk=item.pk).update(extra_readers=int(uncertain))


def replaced_since(revision: ReadRevision) -> list[str]:
    """SOP Instance UIDs of the study's pictures that others have replaced since: it was made on the earlier ones."""
    clips = Clip.objects.filter(study=revision.read.study_id, replaced_at__gt=seen_until(revision))
    return list(clips.values_list("sop_uid", flat=True))
