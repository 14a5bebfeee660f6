"""What the headers of stored files say, read again: some came in before the platform read it, or read it otherwise.

Only what the file alone decides and nobody sets by hand: scales, Doppler traces, frame times, and what is known of the
pixels. Bytes, revisions, scores and numbers that were committed stay as they are; a study whose pixels are now others
gets a revision more, which the champion scores.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.models import User
from studies import decoding, storage
from studies.access import every_study
from studies.dicom.facts import Header
from studies.ingest import indexing, pipeline
from studies.models import Clip, Outcome, Study
from studies.sandbox import pool

Facts = dict[str, object]
FACTS = ("frame_time_ms", "frame_times_ms", "frame_time_flaw", "display_rate", "regions", "pixel_notes")
PIXELS = ("photometric", "rows", "columns", "frames", "samples", "bits_stored")
SCORED = {*PIXELS, "pixel_notes", "scorable", "decode_error"}
"""What of it changes what a model sees."""
_LOSSLESS_JPEG = ("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70")
_GREYS_AND_COLOURS = ("MONOCHROME2", "RGB", "YBR_FULL", "YBR_FULL_422")


def differences(clip: Clip) -> Facts:
    """What the file says and the database has otherwise, by column of Clip.

    Raises SandboxError, storage.Missing, storage.Corrupt.
    """
    header = pool.read_header(storage.verified(clip.digest))
    found: Facts = {name: value for name, value in header.items() if name in FACTS}
    found |= {name: value for name, value in header["pixels"].items() if name in PIXELS}
    found |= _judged(clip, header)
    return {name: value for name, value in found.items() if value != getattr(clip, name)}


def _judged(clip: Clip, header: Header) -> Facts:
    """What follows from the header. An error that a decoder met stays until there is another way of decoding."""
    judgement = pipeline.judge(header)
    pixels = header["pixels"]
    flaw = pixels["flaw_reason"] if pixels["frames"] else ""
    met = clip.decode_error if clip.decoding == decoding.VERSION else ""
    return {
        "scorable": judgement.outcome == Outcome.STORED,
        "parked_reason": judgement.reason,
        "decode_error": flaw or met,
        "warnings": _warnings(clip, header),
        "decoding": decoding.VERSION,
    }


def _warnings(clip: Clip, header: Header) -> list[str]:
    """Those of the header, and those that ingest alone could give."""
    kept = [sentence for sentence in clip.warnings if indexing.is_of_ingest(sentence)]
    return [*dict.fromkeys([*header["warnings"], *kept])]


def is_scored_again(clip: Clip, facts: Facts) -> bool:
    """The model sees other pixels, or may: of ordinary greys and colours of eight bits nothing was changed.

    Colours of lossless JPEG are not among these: planar configuration and markers had a say in them.
    """
    if SCORED & (facts.keys() - {"pixel_notes"}) or facts.get("pixel_notes"):
        return True
    ordinary = clip.bits_stored == 8 and clip.photometric in _GREYS_AND_COLOURS
    ordinary = ordinary and not (clip.samples == 3 and clip.transfer_syntax in _LOSSLESS_JPEG)
    return "decoding" in facts and clip.can_be_scored and not ordinary


@transaction.atomic
def keep(study: Study, changes: dict[Clip, Facts], *, user: User | None = None) -> bool:
    """Write them down, with one audit entry for the study that names what changed on which clip.

    Whether the study is scored again, which a revision more brings about as soon as a worker closes it.
    """
    again = any(is_scored_again(clip, facts) for clip, facts in changes.items())
    for clip, facts in changes.items():
        Clip.objects.filter(pk=clip.pk).update(**facts)
    if again:
        again = bool(every_study().filter(pk=study.pk, closes_at=None).update(closes_at=timezone.now()))
    names = {clip.sop_uid: sorted(facts) for clip, facts in changes.items()}
    scored: dict[str, Any] = {"scored_again": True} if again else {}
    audit.record(
        None, "clips.reread", user=user, patient_id=study.patient.patient_id, study_uid=study.uid, clips=names, **scored
    )
    return again
