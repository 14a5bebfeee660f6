"""Scales, Doppler traces and frame times of stored files, read again: some came in before the platform read them.

Only what the file alone decides and nobody sets by hand; of a video also whether it can be played, which changes when
ffmpeg is installed. Bytes, revisions, scores and numbers that were committed stay as they are.
"""

from __future__ import annotations

from django.db import transaction

from accounts import audit
from accounts.models import User
from studies import storage
from studies.dicom.facts import Header
from studies.dicom.kinds import is_video
from studies.ingest.pipeline import judge
from studies.models import Clip, Outcome, Study
from studies.sandbox import pool

Facts = dict[str, object]
FACTS = ("frame_time_ms", "frame_times_ms", "frame_time_flaw", "display_rate", "regions")


def differences(clip: Clip) -> Facts:
    """What the file says and the database has otherwise, by column of Clip.

    Raises SandboxError, storage.Missing, storage.Corrupt.
    """
    header = pool.read_header(storage.verified(clip.digest))
    facts = {name: value for name, value in header.items() if name in FACTS}
    if is_video(clip.transfer_syntax):
        facts |= _verdict(header)
    return {name: value for name, value in facts.items() if value != getattr(clip, name)}


def _verdict(header: Header) -> Facts:
    """What can be shown of a clip, and whether a model may see it."""
    pixels, judgement = header["pixels"], judge(header)
    return {
        "rows": pixels["rows"],
        "columns": pixels["columns"],
        "frames": pixels["frames"],
        "scorable": judgement.outcome == Outcome.STORED,
        "parked_reason": judgement.reason,
        "decode_error": pixels["flaw_reason"],
    }


@transaction.atomic
def keep(study: Study, changes: dict[Clip, Facts], *, user: User | None = None) -> None:
    """Write them down, with one audit entry for the study that names what changed on which clip."""
    for clip, facts in changes.items():
        Clip.objects.filter(pk=clip.pk).update(**facts)
    names = {clip.sop_uid: sorted(facts) for clip, facts in changes.items()}
    audit.record(None, "clips.reread", user=user, patient_id=study.patient.patient_id, study_uid=study.uid, clips=names)
