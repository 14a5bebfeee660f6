"""What an export is made of: committed answers and reference labels, as this person may take them out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet

from annotations.consensus import reference_labels
from annotations.consensus.reference_labels import ReferenceLabel
from annotations.exchange import pseudonyms
from annotations.label_schema import versions
from annotations.label_schema.schema import Schema
from annotations.models import Read, ReadRevision
from annotations.reads.blinding import blinded_uids
from studies import access
from studies.models import Clip, Study

NOTICE = "Research use only"


@dataclass(frozen=True)
class Record:
    """One reader's last committed answer to one study, in the words of its schema."""

    revision: ReadRevision
    study: Study
    schema: Schema
    study_uid: str
    patient_id: str
    reader: str
    findings: dict[str, Any]
    comment: str
    label: ReferenceLabel | None


@dataclass
class Export:
    """``identified``: with the identifiers and the texts that people typed."""

    user: Any
    identified: bool = False
    labels_only: bool = False
    schemas: dict[str, Schema] = field(default_factory=versions.all_schemas)

    def uid(self, value: str) -> str:
        return value if self.identified else pseudonyms.uid(value)

    def person(self, kind: str, value: str) -> str:
        return value if self.identified else pseudonyms.name(kind, value)

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

    def _findings(self, schema: Schema, findings: dict[str, Any]) -> dict[str, Any]:
        """Texts that somebody typed may name the infant: they leave with the identifiers only."""
        if self.identified:
            return findings
        kept = {name: value for name, value in findings.items() if not _typed(schema, name)}
        return {
            **kept,
            "keyframes": [{**each, "sop_uid": self.uid(each["sop_uid"])} for each in findings.get("keyframes", [])],
            "drawings": [
                {**each, "sop_uid": self.uid(each["sop_uid"]), "label": ""} for each in findings.get("drawings", [])
            ],
        }

    def clips(self) -> dict[str, Clip]:
        """By the UID that the export gives them."""
        return {self.uid(clip.sop_uid): clip for clip in Clip.objects.filter(study__in=self._visible())}

    def _visible(self) -> QuerySet[Study]:
        """Whoever has yet to label a study takes out nothing of it: what others said would be in the file."""
        return access.visible_studies(self.user).exclude(uid__in=blinded_uids(self.user))


def _typed(schema: Schema, name: str) -> bool:
    rule = schema.properties.get(name, {})
    return rule.get("type") == "string" and "oneOf" not in rule
