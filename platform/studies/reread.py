"""Stored files, read again: some came in before the platform read all that it reads today.

Scales, Doppler traces and frame times of clips; what a study's files call infant and study, and the infant's name as it
came. Only what the header alone decides and nobody sets by hand. Bytes, revisions, scores and numbers that were
committed stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from django.db import transaction

from accounts import audit
from accounts.models import User
from studies import storage
from studies.access import every_study
from studies.dicom.facts import AsSent, Header, fuller
from studies.dicom.person_names import groups
from studies.models import Clip, Patient, Study
from studies.sandbox import pool

Facts = dict[str, object]
FACTS = ("frame_time_ms", "frame_times_ms", "frame_time_flaw", "display_rate", "regions")


@dataclass
class Found:
    """What the files of a study say and the database has otherwise."""

    clips: dict[Clip, Facts] = field(default_factory=dict)
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
    for clip, header in headers.items():
        facts = {name: value for name, value in header.items() if name in FACTS and value != getattr(clip, name)}
        if facts:
            found.clips[clip] = facts
    if study.as_sent is None and headers:
        found.as_sent = reduce(fuller, (header["as_sent"] for header in headers.values()))
        before, name = shortened(found.as_sent["name"]), found.as_sent["name"]
        owners = dict.fromkeys([study.original_patient, study.patient])
        found.names = {owner: name for owner in owners if owner.name == before != name}
    return found


def shortened(written: str) -> str:
    """A DICOM name as it was kept before: one group, its family, given and middle name."""
    group = "".join(letter if letter.isprintable() else " " for letter in next(filter(None, groups(written)), ""))
    family, *given = [" ".join(part.split()) for part in group.split("^")[:3]]
    return ", ".join(filter(None, [family, " ".join(filter(None, given))]))


@transaction.atomic
def keep(study: Study, found: Found, *, user: User | None = None) -> None:
    """Write it down, with one audit entry for the study that names what changed, on which clip."""
    for clip, facts in found.clips.items():
        Clip.objects.filter(pk=clip.pk).update(**facts)
    if found.as_sent:
        every_study().filter(pk=study.pk, as_sent__isnull=True).update(as_sent=found.as_sent)
    for patient, name in found.names.items():
        Patient.objects.filter(pk=patient.pk, name=patient.name).update(name=name)
    clips = {clip.sop_uid: sorted(facts) for clip, facts in found.clips.items()}
    changed = [*(["as_sent"] if found.as_sent else []), *(["name"] if found.names else [])]
    detail: dict[str, Any] = {"clips": clips, **({"study": changed} if changed else {})}
    audit.record(None, "clips.reread", user=user, patient_id=study.patient.patient_id, study_uid=study.uid, **detail)
