"""Scales, Doppler traces, frame times and whole headers of stored files, read again: some came in before the platform
read them.

Only what the header alone decides and nobody sets by hand. Bytes, revisions, scores and numbers that were committed
stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from accounts import audit
from accounts.models import User
from studies import storage
from studies.dicom.facts import Header
from studies.dicomweb import catalogue
from studies.models import Clip, InstanceHeader, Study
from studies.sandbox import pool

Facts = dict[str, object]
FACTS = ("frame_time_ms", "frame_times_ms", "frame_time_flaw", "display_rate", "regions")
HEADER = "header"
"""Stands in an audit entry for the whole header, where none was kept."""


@dataclass
class Found:
    """What the file of a clip says: ``facts`` that the database has otherwise, by column of Clip, and the header."""

    header: Header
    facts: Facts
    new: bool

    @property
    def names(self) -> list[str]:
        return sorted([*self.facts, *([HEADER] if self.new else [])])


def read(clip: Clip) -> Found:
    """Raises SandboxError, storage.Missing, storage.Corrupt."""
    header = pool.read_header(storage.verified(clip.digest))
    facts = {name: value for name, value in header.items() if name in FACTS and value != getattr(clip, name)}
    return Found(header, facts, new=not InstanceHeader.objects.filter(clip=clip).exists())


@transaction.atomic
def keep(study: Study, found: dict[Clip, Found], *, user: User | None = None) -> None:
    """Write it down, with one audit entry for the study that names what changed on which clip."""
    for clip, each in found.items():
        if each.facts:
            Clip.objects.filter(pk=clip.pk).update(**each.facts)
    catalogue.add(list(found), [each.header for each in found.values()])
    names = {clip.sop_uid: each.names for clip, each in found.items()}
    audit.record(None, "clips.reread", user=user, patient_id=study.patient.patient_id, study_uid=study.uid, clips=names)
