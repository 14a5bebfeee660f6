"""What an export is made of: committed answers and reference labels, as this person may take them out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from django.db.models import QuerySet

from accounts.models import User
from annotations.consensus import reference_labels
from annotations.consensus.reference_labels import ReferenceLabel
from annotations.label_schema import versions
from annotations.label_schema.schema import Findings, Schema
from annotations.models import Read, ReadRevision, Where
from annotations.reads import exposures
from annotations.reads.blinding import blinded_uids
from studies import access
from studies.models import Clip, Study
from studies.stand_ins import StandIns

NOTICE = "Research use only"


@dataclass(frozen=True)
class Record:
    """One reader's last committed answer to one study, in the words of its schema.

    Identifiers and findings are as the export gives them out: stand-ins and no typed texts unless it is identified.
    """

    revision: ReadRevision
    study: Study
    schema: Schema
    study_uid: str
    patient_id: str
    reader: str
    findings: Findings
    comment: str
    label: ReferenceLabel | None
    """The reference label of the study."""


@dataclass
class Export:
    """What one person takes out."""

    user: User
    identified: bool = False
    """With the identifiers and the texts that people typed."""
    labels_only: bool = False
    """The reads that made a reference label, one for each."""
    key: str = ""
    """Words that make stand-ins of their own; empty: those that this site reads back."""
    schemas: dict[str, Schema] = field(default_factory=versions.all_schemas)

    @cached_property
    def stand_ins(self) -> StandIns:
        return StandIns(self.key)

    def uid(self, value: str) -> str:
        """A DICOM UID as it leaves."""
        return value if self.identified else self.stand_ins.uid(value)

    def person(self, kind: str, value: str) -> str:
        """The number of an infant, or the name of a reader, as it leaves."""
        return value if self.identified else self.stand_ins.name(kind, value)

    def revision(self, pk: int) -> int:
        """The key of a read's revision as it leaves; one that other exports have too would link them."""
        return self.stand_ins.number("revision", pk) if self.key and not self.identified else pk

    def drawing(self, uid: str) -> str:
        """What a drawing is called, as it leaves."""
        return self.stand_ins.name("drawing", uid) if self.key and not self.identified else uid

    def labels(self) -> dict[int, ReferenceLabel]:
        """By study."""
        return {label.study.pk: label for label in reference_labels.labels()}

    def records(self) -> Iterator[Record]:
        """Each read's last committed revision; for labels alone the first of the reads that made each."""
        labels = self.labels()
        revisions = ReadRevision.objects.counting().filter(read__study__in=self._visible())
        revisions = revisions.select_related("read__study__patient", "read__reader")
        for revision in revisions.order_by("read__study_id", "read_id"):
            label = labels.get(revision.read.study_id)
            if not self.labels_only or (label and label.reads[0] == revision.pk):
                yield self._record(revision.read, revision, label)

    def _record(self, read: Read, revision: ReadRevision, label: ReferenceLabel | None) -> Record:
        study = read.study
        schema = self.schemas[revision.schema]
        return Record(
            revision,
            study,
            schema,
            self.uid(study.uid),
            self.person("infant", study.patient.patient_id),
            self.person("reader", read.reader.username),
            self._findings(schema, revision.findings),
            revision.comment if self.identified else "",
            label,
        )

    def _findings(self, schema: Schema, findings: Findings) -> Findings:
        """Texts that somebody typed may name the infant: they leave with the identifiers only."""
        if self.identified:
            return findings
        chosen = {name: value for name, value in findings.items() if not _typed(schema, name)}
        keyframes, drawings = findings.get("keyframes", []), findings.get("drawings", [])
        return {
            **chosen,
            "keyframes": [{**keyframe, "sop_uid": self.uid(keyframe["sop_uid"])} for keyframe in keyframes],
            "drawings": [
                {
                    **drawing,
                    "uid": self.drawing(drawing["uid"]),
                    "sop_uid": self.uid(drawing["sop_uid"]),
                    "label": "",
                }
                for drawing in drawings
            ],
        }

    def subjects(self) -> list[tuple[str, str]]:
        """Whom the file is about: the number of each infant and the UID of the study."""
        revisions = ReadRevision.objects.counting().filter(read__study__in=self._visible()).order_by()
        rows = revisions.values_list("read__study__patient__patient_id", "read__study__uid").distinct()
        return [(number, uid) for number, uid in rows]

    def record_exposures(self) -> None:
        """Whoever takes reads out with identifiers is told which flag their readers knew."""
        if self.identified:
            told = ReadRevision.objects.counting().filter(read__study__in=self._visible()).not_blind()
            exposures.record_studies(self.user, told.values_list("read__study_id", flat=True), Where.EXPORT)

    def clips(self) -> dict[str, Clip]:
        """By the UID that the export gives them."""
        return {self.uid(clip.sop_uid): clip for clip in Clip.objects.filter(study__in=self._visible())}

    def _visible(self) -> QuerySet[Study]:
        """Whoever has yet to label a study takes out nothing of it: what others said would be in the file."""
        return access.visible_studies(self.user).exclude(uid__in=blinded_uids(self.user))


def _typed(schema: Schema, name: str) -> bool:
    """Whether a field holds free text."""
    rule = schema.properties.get(name, {})
    return rule.get("type") == "string" and "oneOf" not in rule
