"""The rows of the list: what a reader sees of each study, for a page of studies at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from django.conf import settings
from django.db.models import Max
from django.utils import timezone

from annotations.label_schema.schema import summary
from annotations.models import Context, ReadRevision
from inference import current_scores
from inference.current_scores import CurrentScore
from studies import access
from studies.models import Clip, Priority, Study, StudyRevision, StudyStatus
from studies.patients.namesakes import IdentityNote, identity_notes
from studies.payloads import clip_url
from worklist import claims
from worklist.payloads import LastRead, ScoreColumns, WorklistRow
from worklist.rank_reasons import Standing, why
from worklist.reading_list import ReadingList, waiting_since
from worklist.reading_order import Band

THUMBNAILS = 4


class ClipFacts(NamedTuple):
    """What a row needs to know of a clip."""

    study_id: int
    sop_uid: str
    frames: int
    decode_error: str


class WorklistRows:
    """The rows of some studies, made with a fixed number of queries however many there are."""

    def __init__(self, reading_list: ReadingList, studies: Sequence[Study], bands: dict[int, Band]) -> None:
        self.reading_list = reading_list
        self.studies = studies
        self.bands = bands
        self.ids = [study.pk for study in studies]

    def rows(self) -> list[WorklistRow]:
        return [self._row(study) for study in self.studies]

    @cached_property
    def scores(self) -> dict[int, CurrentScore]:
        return current_scores.current_scores(self.ids)

    @cached_property
    def clips(self) -> dict[int, list[ClipFacts]]:
        """Of each study its clips, in the order of acquisition."""
        by_study: dict[int, list[ClipFacts]] = defaultdict(list)
        clips = Clip.objects.filter(study__in=self.ids).values_list(*ClipFacts._fields)
        for clip in map(ClipFacts._make, clips):
            by_study[clip.study_id].append(clip)
        return by_study

    @cached_property
    def revisions(self) -> dict[int, int]:
        numbers = (
            StudyRevision.objects.filter(study__in=self.ids).order_by().values("study").annotate(last=Max("number"))
        )
        return {row["study"]: row["last"] for row in numbers}

    @cached_property
    def identities(self) -> dict[int, IdentityNote]:
        return identity_notes((study.patient for study in self.studies), self.reading_list.user)

    @cached_property
    def earlier_reads(self) -> dict[int, list[ReadRevision]]:
        """By patient what was committed in the reading room or by adjudication, of studies that may be seen."""
        patients = {study.patient_id for study in self.studies}
        seen = (
            access.visible_studies(self.reading_list.user)
            .filter(patient__in=patients)
            .exclude(uid__in=self.reading_list.blinded)
        )
        committed = ReadRevision.objects.counting().filter(
            read__study__in=seen, read__context__in=[Context.TRIAGE, Context.ADJUDICATION]
        )
        by_patient: dict[int, list[ReadRevision]] = defaultdict(list)
        for revision in committed.select_related("read__study", "read__reader").order_by("committed_at", "pk"):
            by_patient[revision.read.study.patient_id].append(revision)
        return by_patient

    def _row(self, study: Study) -> WorklistRow:
        patient, clips = study.patient, self.clips[study.pk]
        claim = self.reading_list.claims.get(study.pk)
        on = timezone.localtime(study.acquired_at) if study.acquired_at else None
        return {
            "study_uid": study.uid,
            "patient_id": patient.patient_id,
            "patient_name": patient.name,
            "identity": self.identities.get(patient.pk),
            "status": self._status(study),
            "priority": Priority(study.priority),
            **self._ai(study),
            "waiting_seconds": self.waited(study),
            "claimed_by": claims.payload(claim, self.reading_list.user) if claim else None,
            "read_by": self._read_by(study),
            "band": self._band(study),
            "gestational_age_days": patient.gestational_age_days,
            "day_of_life": patient.day_of_life(on),
            "postmenstrual_age_days": patient.postmenstrual_age_days(on),
            "birth_weight_g": patient.birth_weight_g,
            "last_read": self._last_read(study),
            "clips": len(clips),
            "frames": sum(clip.frames for clip in clips),
            "acquired_at": study.acquired_at,
            "last_image_at": study.last_image_at,
            "phantom": study.is_phantom,
            "receiving": study.closes_at is not None,
            "why": why(self._standing(study)),
            "thumbnails": _thumbnails(study, clips),
        }

    def _band(self, study: Study) -> Band:
        return self.bands.get(study.pk, "read")

    def _standing(self, study: Study) -> Standing:
        return Standing(
            study=study,
            band=self._band(study),
            waited_seconds=self.waited(study),
            score=self.visible_score(study),
            blinded=study.uid in self.reading_list.blinded,
            ai=self.reading_list.policy.ai,
        )

    def _status(self, study: Study) -> StudyStatus:
        if study.status == StudyStatus.READ:
            return StudyStatus.READ
        return StudyStatus.READING if study.pk in self.reading_list.claims else StudyStatus.WAITING

    def waited(self, study: Study) -> int:
        until = study.read_at if study.status == StudyStatus.READ and study.read_at else self.reading_list.now
        since = study.first_image_at if study.status == StudyStatus.READ else self._since(study)
        return max(0, round((until - since).total_seconds()))

    def _since(self, study: Study) -> datetime:
        return waiting_since(
            first_image_at=study.first_image_at, last_image_at=study.last_image_at, read_at=study.read_at
        )

    def visible_score(self, study: Study) -> CurrentScore | None:
        """None also where this reader is blinded: for them no AI output exists."""
        return None if study.uid in self.reading_list.blinded else self.scores.get(study.pk)

    def shown_scores(self) -> list[CurrentScore]:
        """What these rows tell this reader of the AI."""
        return [score for study in self.studies if (score := self.visible_score(study))]

    def _ai(self, study: Study) -> ScoreColumns:
        score = self.visible_score(study)
        if score is None:
            return {
                "flag": None,
                "flag_reason": "",
                "probability": None,
                "revision": self.revisions.get(study.pk),
                "model": None,
                "last_image_to_flag_seconds": None,
            }
        return {
            "flag": score.flag,
            "flag_reason": score.flag_reason,
            "probability": score.probability if settings.SHOW_PROBABILITY else None,
            "revision": score.revision,
            "model": current_scores.model_payload(score.model) if score.model else None,
            "last_image_to_flag_seconds": round(score.last_image_to_flag_seconds, 1),
        }

    def _read_by(self, study: Study) -> str | None:
        if study.status != StudyStatus.READ:
            return None
        reads = (revision.read for revision in reversed(self.earlier_reads[study.patient_id]))
        return next((read.reader.display for read in reads if read.study_id == study.pk and not read.item_id), None)

    def _last_read(self, study: Study) -> LastRead | None:
        """The infant's last study before this one that somebody read."""
        moment = study.acquired_at or study.first_image_at
        earlier = [
            (when, revision)
            for revision in self.earlier_reads[study.patient_id]
            if (when := revision.read.study.acquired_at or revision.read.study.first_image_at) < moment
            and revision.read.study_id != study.pk
        ]
        if not earlier:
            return None
        when, revision = max(earlier, key=lambda pair: (pair[0], pair[1].committed_at))
        return {"grade": summary(revision.findings), "days": (moment.date() - when.date()).days}


def _thumbnails(study: Study, clips: Sequence[ClipFacts]) -> list[str]:
    pictured = [clip for clip in clips if clip.frames and not clip.decode_error]
    return [f"{clip_url(study.uid, clip.sop_uid)}thumbnail/" for clip in pictured[:THUMBNAILS]]
