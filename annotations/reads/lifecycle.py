"""A read from the first keystroke to the commit: drafts by compare-and-set, revisions that are only added.

What follows from a read that counts lies in `effects`. Which study comes next, the reading room registers here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, NotRequired, TypedDict

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import AuditEntry, User
from annotations.label_schema import schema, versions
from annotations.measurements import drawings
from annotations.models import Agreement, Context, QueueItem, Read, ReadRevision, SetAside
from annotations.reads import effects, exposures
from annotations.reads.blinding import is_blinded
from annotations.reads.exposures import AiShown
from annotations.reads.transitions import NOT_AS_COMMITTED, NotOpen, Step, check
from inference import current_scores
from studies.dicom.facts import Region
from studies.models import Study, StudyRevision

SCORE_VIEWED = "score.viewed"
NextStudy = Callable[[User, Study], str | None]
"""Knows the uid of the study that a reader opens after this one; None where there is none."""
_next_study: list[NextStudy] = []


def offers_next(provider: NextStudy) -> NextStudy:
    """Register who knows which study comes next. Usable as a decorator."""
    _next_study.append(provider)
    return provider


def next_study(user: User, after: Study) -> str | None:
    """The uid of the study that a reader opens after this one, None where there is none."""
    return next((uid for provider in _next_study if (uid := provider(user, after))), None)


class StaleDraft(Exception):
    """The draft moved on since this browser saw it; nothing was overwritten. ``read`` holds the server's."""

    def __init__(self, read: Read) -> None:
        super().__init__("This draft was changed elsewhere. Both versions are kept: choose one.")
        self.read = read


class SchemaChanged(Exception):
    """The answer was given to an older version of the schema. The read stays a draft, as it was."""

    def __init__(self, made_with: str, now: str) -> None:
        super().__init__(
            f"The form has changed since you began ({made_with}, now {now}). Nothing was committed and nothing is "
            "lost: your answer is kept, and what fits is filled into the new form. Look it over and commit again."
        )


class Contradiction(Exception):
    """The answer does not go together. A reader may mean it, and then says so; nothing was committed."""

    def __init__(self, questions: list[str]) -> None:
        super().__init__(" ".join([*questions, "Nothing was committed: change the answer, or confirm it."]))
        self.questions = questions


@dataclass(frozen=True)
class Place:
    """Whose read of which study, and where: the reading room, an item of a queue, or its adjudication."""

    study: Study
    reader: User
    context: Context = Context.TRIAGE
    item: QueueItem | None = None

    def find(self) -> Read | None:
        """The read, locked against a concurrent change."""
        own = Read.objects.select_for_update().filter(study=self.study, reader=self.reader, context=self.context)
        return own.filter(item=self.item).first()

    def open(self) -> Read:
        """The read, begun if there is none. ``opened_at`` is when the reader first had the study open."""
        begun = self.find()
        if begun is not None:
            return begun
        key = {"study": self.study, "reader": self.reader, "context": self.context, "item": self.item}
        return Read.objects.get_or_create(**key, defaults={"opened_at": timezone.now()})[0]


class DraftDocument(TypedDict):
    """An answer as it is kept in a draft and beside a read."""

    findings: schema.Findings
    comment: str


class ViewedClip(TypedDict):
    """How much of a clip was on the screen."""

    sop_uid: Annotated[str, "SOPInstanceUID"]
    frames: Annotated[int, "different frames that were shown"]
    ms: Annotated[int, "ms that the clip was shown"]
    frame_ms: NotRequired[Annotated[list[int | None], "ms that each frame was shown, the first frame first"]]


@dataclass(frozen=True)
class Answer:
    """What a reader says. ``version`` is that of the draft it grew from."""

    findings: Any
    """As they came, not validated yet."""
    comment: str
    version: int

    def as_draft(self, findings: schema.Findings) -> DraftDocument:
        return {"findings": findings, "comment": self.comment}


@dataclass(frozen=True)
class Evidence:
    """How a committed answer came about."""

    key: str
    """The idempotency key: a commit of the same key is the same commit."""
    seen: list[ViewedClip] = field(default_factory=list)
    duration_ms: int = 0
    device: dict[str, Any] = field(default_factory=dict)
    """What the reader looked at it with, as the browser says."""
    confirmed: bool = False
    """The reader was asked about what does not go together, and means it."""


def save_draft(place: Place, answer: Answer) -> Read:
    """Keep a draft if it grew from the one that is kept, in the version of the schema that it was made with.

    Raises BadFindings, StaleDraft, NotOpen.
    """
    findings = versions.of(answer.findings).validate(answer.findings)
    with transaction.atomic():
        read = place.open()
        draft = answer.as_draft(findings)
        if read.draft == draft:  # sent twice because the first answer was lost
            return read
        check(read, Step.SAVE)
        if read.draft_version != answer.version:
            raise StaleDraft(read)
        _store_draft(read, draft)
        return read


def _store_draft(read: Read, draft: DraftDocument) -> None:
    """Compare and set: of two writers that saw the same version, one is told that it is stale. Raises StaleDraft."""
    now = timezone.now()
    unchanged = Read.objects.filter(pk=read.pk, draft_version=read.draft_version)
    if not unchanged.update(draft=draft, draft_version=F("draft_version") + 1, draft_saved_at=now):
        raise StaleDraft(Read.objects.get(pk=read.pk))
    read.refresh_from_db()


def commit(place: Place, answer: Answer, evidence: Evidence) -> tuple[ReadRevision, bool]:
    """Add the next revision and all that follows from it, in one transaction; whether it was new.

    The same key again returns the revision that it made. Raises BadFindings, StaleDraft, NotOpen, SchemaChanged,
    Contradiction.
    """
    with transaction.atomic():
        read = place.open()
        made_before = {revision.idempotency_key: revision for revision in read.revisions.all()}
        if evidence.key in made_before:
            return made_before[evidence.key], False
        check(read, Step.COMMIT)
        made_with = versions.of(answer.findings)
        findings, definition = _complete(answer, made_with, confirmed=evidence.confirmed)
        clips = _clips(place.study)
        _check_places(findings, clips.frames)
        if read.draft_version != answer.version and read.draft != answer.as_draft(made_with.validate(answer.findings)):
            raise StaleDraft(read)
        measured = drawings.measured(findings["drawings"], clips.regions)
        said: DraftDocument = {"findings": {**findings, "drawings": measured}, "comment": answer.comment}
        revision = _add_revision(read, len(made_before) + 1, said, definition, evidence)
        _store_draft(read, answer.as_draft(findings))
        effects.follow(read, Step.COMMIT)
        return revision, True


def _complete(
    answer: Answer, made_with: schema.Schema, *, confirmed: bool
) -> tuple[schema.Findings, schema.Definition]:
    """The findings as they are committed, and the definition of positive in force."""
    now = versions.in_force()
    if made_with.name != now.schema.name:
        raise SchemaChanged(made_with.name, now.schema.name)
    findings = made_with.complete(answer.findings, now.definition)
    if not confirmed and (questions := made_with.questions(findings)):
        raise Contradiction(questions)
    return findings, now.definition


def carry_over(place: Place, answer: Answer) -> tuple[schema.Findings, list[schema.LeftOut]]:
    """The answer in the fields of the schema in force, and what has no place there; the old one is set aside.

    Raises BadFindings.
    """
    origin, now = versions.of(answer.findings), versions.in_force().schema
    old = origin.validate(answer.findings)
    if origin.name == now.name:
        return old, []
    with transaction.atomic():
        set_aside(place.open(), answer.as_draft(old), "schema")
    return now.carry(old, origin)


def set_aside(read: Read, answer: DraftDocument, why: str) -> None:
    """Keep, once, a version of the answer that does not go on."""
    if not read.set_aside.filter(answer=answer).exists():
        SetAside.objects.create(read=read, answer=answer, why=why)


@dataclass(frozen=True)
class _Clips:
    """What an answer may refer to, by SOP instance UID: how many frames each clip has, and its ultrasound regions."""

    frames: dict[str, int]
    regions: dict[str, list[Region]]


def _clips(study: Study) -> _Clips:
    rows = list(study.clips.values_list("sop_uid", "frames", "regions"))
    return _Clips({uid: frames for uid, frames, _ in rows}, {uid: regions for uid, _, regions in rows})


def _check_places(findings: schema.Findings, frames: Mapping[str, int]) -> None:
    """Raises BadFindings where something is marked on what is no frame of the study."""
    for keyframe in findings["keyframes"]:
        if not keyframe["frame"] <= frames.get(keyframe["sop_uid"], 0):
            raise schema.BadFindings({"keyframes": ["A keyframe is a frame of a clip of this study."]})
    if misplaced := drawings.misplaced(findings["drawings"], frames):
        raise schema.BadFindings(misplaced)


def _add_revision(
    read: Read, number: int, said: DraftDocument, definition: schema.Definition, evidence: Evidence
) -> ReadRevision:
    findings = said["findings"]
    flag, attention, shown = _ai_seen(read)
    return ReadRevision.objects.create(
        read=read,
        number=number,
        study_revision=StudyRevision.objects.filter(study=read.study_id).order_by("-number").first(),
        schema=findings["schema"],
        findings=findings,
        comment=said["comment"],
        positive=definition.positive(findings),
        definition=definition.name,
        flag_seen=flag,
        attention_seen=attention,
        ai_shown=shown,
        coverage=evidence.seen,
        duration_ms=evidence.duration_ms,
        device=evidence.device,
        idempotency_key=evidence.key,
        committed_at=timezone.now(),
    )


def _ai_seen(read: Read) -> tuple[str, bool, list[AiShown]]:
    """(the flag, attention, all of it) that the reader knew before this commit: what was shown to them anywhere, and
    in the reading room the flag of the study that is open."""
    shown = exposures.of(read.reader, read.study)
    in_the_room = read.context == Context.TRIAGE and not is_blinded(read.reader, read.study.uid)
    score = current_scores.current_score(read.study) if in_the_room else None
    if in_the_room and score is None and not shown:
        return "", False, shown
    viewed = _viewed_before_it_was_recorded(read)
    if viewed and not shown and score is None:
        score = current_scores.current_score(read.study)
    flag = score.flag if score else shown[-1]["flag"] if shown else ""
    return flag, bool(flag) and (True in viewed or any(each["attention"] for each in shown)), shown


def _viewed_before_it_was_recorded(read: Read) -> list[bool]:
    """By the audit trail, which says it of scores alone: of each view whether it was with attention."""
    views = AuditEntry.objects.filter(user=read.reader_id, study_uid=read.study.uid, action=SCORE_VIEWED)
    return [detail.get("attention") is True for detail in views.values_list("detail", flat=True)]


def reopen(place: Place) -> Read:
    """Make a committed read a draft again; its revisions stay, and it counts for nothing until the next commit."""
    with transaction.atomic():
        read = check(place.find(), Step.REOPEN)
        effects.follow(read, Step.REOPEN)
        return read


def restore(place: Place) -> Read:
    """Let a read that was reopened and not changed count again as it was committed. Raises NotOpen.

    It says nothing of images that came since its commit: while nobody has seen those, the study waits.
    """
    with transaction.atomic():
        read = check(place.find(), Step.RESTORE)
        last = read.last_revision
        if last is None or read.draft != _as_committed(last):
            raise NotOpen(NOT_AS_COMMITTED)
        effects.follow(read, Step.RESTORE)
        return read


def _as_committed(revision: ReadRevision) -> DraftDocument:
    """The draft that a commit leaves: its answer without the server's numbers."""
    plain = {**revision.findings, "drawings": drawings.plain(revision.findings.get("drawings", []))}
    return {"findings": plain, "comment": revision.comment}


def agree(place: Place, *, agrees: bool) -> Agreement:
    """A reader's verdict on the flag, after the commit; pressed again it changes."""
    with transaction.atomic():
        read = check(place.find(), Step.AGREE)
        score = current_scores.current_score(place.study)
        if score is None:
            raise NotOpen("The AI has not answered this study, so there is nothing to agree with.")
        last = read.last_revision
        assert last is not None, "a committed read has a revision"
        verdict = {"agree": agrees, "flag": score.flag}
        return Agreement.objects.update_or_create(revision=last, defaults=verdict)[0]
