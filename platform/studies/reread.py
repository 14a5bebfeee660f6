"""What files say that came in before the platform could read it: scales, Doppler traces and frame times, read again.

Only what the header alone decides and nobody sets by hand. Bytes, revisions, scores and numbers that were committed
stay as they are.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction

from accounts import audit
from studies import storage
from studies.models import Clip, Study
from studies.sandbox import pool

FACTS = ("frame_time_ms", "frame_times_ms", "frame_time_flaw", "display_rate", "regions")


def differences(clip: Clip) -> dict[str, Any]:
    """What the file says and the database has otherwise; raises ChildFailed, storage.Missing, storage.Corrupt."""
    header = pool.read_header(storage.verified(clip.digest))
    return {name: header[name] for name in FACTS if header[name] != getattr(clip, name)}


@transaction.atomic
def keep(study: Study, changes: dict[Clip, dict[str, Any]], *, user: Any = None) -> None:
    """Write them down, with one audit entry for the study that names what changed on which clip."""
    for clip, facts in changes.items():
        Clip.objects.filter(pk=clip.pk).update(**facts)
    told = {clip.sop_uid: sorted(facts) for clip, facts in changes.items()}
    audit.record(None, "clips.reread", user=user, patient_id=study.patient.patient_id, study_uid=study.uid, clips=told)
