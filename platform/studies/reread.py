"""What the headers of stored files say, read again: some came in before the platform read it, or read it otherwise.

Only what the file alone decides and nobody sets by hand: of clips scales, Doppler traces, frame times, what is known of
the pixels, the whole header, and whether a video can be played, which changes when ffmpeg is installed; of a study what
its files call infant and study, and the infant's name as it came. Bytes, revisions, scores and numbers that were
committed stay as they are; a study whose pixels are now others gets a revision more, which the champion scores.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.models import User
from studies import decoding, storage
from studies.access import every_study
from studies.dicom.facts import AsSent, Header, fuller
from studies.dicom.kinds import is_video
from studies.dicom.person_names import groups
from studies.dicomweb import catalogue
from studies.ingest import indexing, pipeline
from studies.models import Clip, InstanceHeader, Outcome, Patient, Study
from studies.sandbox import pool

Facts = dict[str, object]
FACTS = ("frame_time_ms", "frame_times_ms", "frame_time_flaw", "display_rate", "regions", "pixel_notes")
PIXELS = ("photometric", "rows", "columns", "frames", "samples", "bits_stored")
HEADER = "header"
"""Stands for the whole header, where none was kept."""
SCORED = {*PIXELS, "pixel_notes", "scorable", "decode_error"}
"""What of it changes what a model sees."""
_LOSSLESS_JPEG = ("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70")
_GREYS_AND_COLOURS = ("MONOCHROME2", "RGB", "YBR_FULL", "YBR_FULL_422")


@dataclass
class Found:
    """What the files of a study say and the database has otherwise, of clips by column."""

    clips: dict[Clip, Facts] = field(default_factory=dict)
    headers: dict[Clip, Header] = field(default_factory=dict)
    """Whole headers where none was kept, and those of changed clips."""
    as_sent: AsSent | None = None
    names: dict[Patient, str] = field(default_factory=dict)
    """Infants whose name lost its components or groups when it came, with the name as the files have it."""

    @property
    def anything(self) -> bool:
        return bool(self.clips or self.as_sent or self.names)


def header_of(clip: Clip) -> Header:
    """Raises SandboxError, storage.Missing, storage.Corrupt."""
    return pool.read_header(storage.verified(clip.digest))


def compared(study: Study, headers: Mapping[Clip, Header]) -> Found:
    """``headers`` of its clips, the one that came first before the others."""
    found = Found()
    with_header = set(InstanceHeader.objects.filter(clip__in=headers).values_list("clip_id", flat=True))
    for clip, header in headers.items():
        if facts := _differences(clip, header) | ({} if clip.pk in with_header else {HEADER: None}):
            found.clips[clip] = facts
            found.headers[clip] = header
    if study.as_sent is None and headers:
        found.as_sent = reduce(fuller, (header["as_sent"] for header in headers.values()))
        before, name = shortened(found.as_sent["name"]), found.as_sent["name"]
        owners = dict.fromkeys([study.original_patient, study.patient])
        found.names = {owner: name for owner in owners if owner.name == before != name}
    return found


def _differences(clip: Clip, header: Header) -> Facts:
    said: Facts = {name: value for name, value in header.items() if name in FACTS}
    said |= {name: value for name, value in header["pixels"].items() if name in PIXELS}
    said |= _judged(clip, header)
    return {name: value for name, value in said.items() if value != getattr(clip, name)}


def _judged(clip: Clip, header: Header) -> Facts:
    """What follows from the header. An error that a decoder met stays until there is another way of decoding."""
    judgement = pipeline.judge(header)
    pixels = header["pixels"]
    flaw = pixels["flaw_reason"] if pixels["frames"] else ""
    lasts = clip.decoding == decoding.VERSION and not is_video(clip.transfer_syntax)
    met = clip.decode_error if lasts else ""
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


def shortened(written: str) -> str:
    """A DICOM name as it was kept before: one group, its family, given and middle name."""
    group = "".join(letter if letter.isprintable() else " " for letter in next(filter(None, groups(written)), ""))
    family, *given = [" ".join(part.split()) for part in group.split("^")[:3]]
    return ", ".join(filter(None, [family, " ".join(filter(None, given))]))


@transaction.atomic
def keep(study: Study, found: Found, *, user: User | None = None) -> bool:
    """Write it down, with one audit entry for the study that names what changed, on which clip.

    Whether the study is scored again, which a revision more brings about as soon as a worker closes it.
    """
    again = any(is_scored_again(clip, facts) for clip, facts in found.clips.items())
    for clip, facts in found.clips.items():
        columns = {name: value for name, value in facts.items() if name != HEADER}
        Clip.objects.filter(pk=clip.pk).update(**columns)
    catalogue.add(list(found.headers), list(found.headers.values()))
    if again:
        again = bool(every_study().filter(pk=study.pk, closes_at=None).update(closes_at=timezone.now()))
    if found.as_sent:
        every_study().filter(pk=study.pk, as_sent__isnull=True).update(as_sent=found.as_sent)
    for patient, name in found.names.items():
        Patient.objects.filter(pk=patient.pk, name=patient.name).update(name=name)
    detail = _what_changed(found) | ({"scored_again": True} if again else {})
    audit.record(None, "clips.reread", user=user, patient_id=study.patient.patient_id, study_uid=study.uid, **detail)
    return again


def _what_changed(found: Found) -> dict[str, Any]:
    clips = {clip.sop_uid: sorted(facts) for clip, facts in found.clips.items()}
    changed = [*(["as_sent"] if found.as_sent else []), *(["name"] if found.names else [])]
    return {"clips": clips, **({"study": changed} if changed else {})}
