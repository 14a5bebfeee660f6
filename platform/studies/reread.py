"""Scales, Doppler traces and frame times of stored files, read again: some came in before the platform read them.

Only what the header alone decides and nobody sets by hand. Bytes, revisions, scores and numbers that were committed
stay as they are.
"""

from __future__ import annotations

from django.db import transaction

from accounts import audit
from accounts.models import User
from studies import storage
from studies.models import Clip, Study
from studies.sandbox import pool

Facts = dict[str, object]
FACTS = ("frame_time_ms", "frame_times_ms", "frame_time_flaw", "display_rate", "regions")


def differences(clip: Clip) -> Facts:
    """What the file says and the database has otherwise, by column of Clip.

    Raises SandboxError, storage.Missing, storage.Corrupt.
    """
    header = pool.read_header(storage.verified(clip.digest))
    return {name: value for name, value in header.items() if name in FACTS and value != getattr(clip, name)}


@transaction.atomic
def keep(study: Study, changes: dict[Clip, Facts], *, user: User | None = None) -> None:
    """Write them down, with one audit entry for the study that names what changed on which clip."""
    for clip, facts in changes.items():
        Clip.objects.filter(pk=clip.pk).update(**facts)
    names = {clip.sop_uid: sorted(facts) for clip, facts in changes.items()}
    audit.record(None, "clips.reread", user=user, patient_id=study.patient.patient_id, study_uid=study.uid, clips=names)
