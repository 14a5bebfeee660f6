"""An admin takes a study, a series or an instance away: gone for every reader; rows, bytes and audit stay.

What was taken away does not come back by being sent again. The quarantine lists it, and an admin brings it back there.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone
from rest_framework.request import Request

from accounts.models import User
from accounts.permissions import person
from live.models import Audience
from live.publish import publish
from studies import revisions
from studies.access import with_deleted
from studies.dicomweb.resources import Uids, opened
from studies.models import Clip, Holding, QuarantinedFile, QuarantineState, Study

DELETED = "deleted"


@transaction.atomic
def remove(request: Request, uids: Uids) -> int:
    """How many instances are gone now. Raises Http404 for what is not there."""
    resource = opened(request, "dicom_instances.deleted", uids)
    return _remove(resource.study, [clip.pk for clip in resource.clips], person(request))


def _remove(study: Study, clips: Sequence[int], user: User) -> int:
    locked = with_deleted().select_for_update().get(pk=study.pk)
    _list_in_quarantine(study, clips, user)
    count = Clip.objects.filter(pk__in=clips).update(deleted_at=timezone.now(), deleted_by=user)
    if locked.clips.exists():
        revisions.touch(locked)
    else:
        locked.deleted_at, locked.closes_at = timezone.now(), None
        locked.save(update_fields=["deleted_at", "closes_at"])
    publish("study", audience=Audience.READERS, study_uid=study.uid)
    return count


def _list_in_quarantine(study: Study, clips: Sequence[int], user: User) -> None:
    """So that an admin finds, downloads and brings back what was taken away. Its bytes stay where they are."""
    now = timezone.now()
    QuarantinedFile.objects.bulk_create(
        QuarantinedFile(
            state=QuarantineState.DELETED,
            code=DELETED,
            reason=f"{user.display} deleted it on {timezone.localtime(now):%Y-%m-%d %H:%M}.",
            source="dicomweb",
            sent_by=user,
            received_at=now,
            last_received_at=now,
            sop_uid=clip.sop_uid,
            study_uid=study.uid,
            patient_id=study.patient.patient_id,
            digest=clip.digest,
            size=clip.size,
            holding=Holding.KEPT,
        )
        for clip in Clip.objects.filter(pk__in=clips).order_by("pk")
    )


@transaction.atomic
def restore(clip: Clip) -> None:
    """Bring one instance back, and with it its study. The caller leaves the audit entry."""
    locked = with_deleted().select_for_update().get(pk=clip.study_id)
    Clip.every.filter(pk=clip.pk).update(deleted_at=None, deleted_by=None)
    locked.deleted_at = None
    revisions.touch(locked)
    publish("study", audience=Audience.READERS, study_uid=locked.uid)
