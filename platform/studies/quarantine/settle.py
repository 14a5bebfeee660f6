"""What an admin makes of a quarantined file: accept it, or discard it.

A conflict that is accepted takes the place of the picture that is here, which becomes a quarantined file itself, an
``REPLACED`` one: nothing is lost, and accepting that one takes it back. One that an admin deleted comes back. Any other
file tries its way in again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts import audit
from accounts.models import User
from live.models import Audience
from live.publish import publish
from studies import revisions, storage
from studies.access import every_study
from studies.dicom.facts import Header
from studies.dicomweb import catalogue, removal
from studies.ingest import indexing
from studies.ingest.pipeline import Intake, judge
from studies.ingest.results import IngestResult, Sender
from studies.ingest.upload_api import add_file
from studies.models import Clip, Holding, Outcome, QuarantinedFile, QuarantineState, Receipt, Study
from studies.quarantine import shelf
from studies.sandbox import pool
from studies.storage import StagedFile

REPLACED = "replaced"
_WAITING = (QuarantineState.OPEN, QuarantineState.REPLACED, QuarantineState.DELETED)
_WORDS = {
    Outcome.STORED: "stored",
    Outcome.DUPLICATE: "already here",
    Outcome.PARKED: "stored, not scorable",
    Outcome.REFUSED: "refused",
}


class CannotSettle(Exception):
    """The file stays as it is; ``str()`` says why."""


@dataclass(frozen=True)
class Decision:
    """Who decides, why, and by which request."""

    user: User
    why: str
    request: HttpRequest | None = None


def can_accept(row: QuarantinedFile) -> bool:
    return row.state in _WAITING and row.holding == Holding.KEPT


def accept(pk: int, decision: Decision) -> QuarantinedFile:
    """Take the file in, as today's rules have it. Raises CannotSettle, storage.DiskFull.

    An audit entry is left either way.
    """
    row = QuarantinedFile.objects.get(pk=pk)
    path = _bytes_of(row)
    if row.state == QuarantineState.DELETED:
        return _bring_back(row, decision)
    if Clip.objects.filter(sop_uid=row.sop_uid).exists() and row.code in (shelf.CONFLICT, REPLACED):
        return _replace(row, path, decision)
    return _try_again(row, path, decision)


def _bytes_of(row: QuarantinedFile) -> Path:
    if not can_accept(row):
        raise CannotSettle(_why_not(row))
    try:
        return shelf.path_of(row)
    except (storage.Missing, storage.Corrupt):
        raise CannotSettle("Its bytes are missing or damaged. Discard it, and have it sent again.") from None


def _why_not(row: QuarantinedFile) -> str:
    if row.state not in _WAITING:
        return f"It is settled already: {QuarantineState(row.state).label.lower()}."
    return f"It cannot be taken in. {Holding(row.holding).label} Have it sent again."


# ---------- a file that tries again ----------


def _try_again(row: QuarantinedFile, path: Path, decision: Decision) -> QuarantinedFile:
    """Through ingest as it is today. A study that the sender's address named counts no more."""
    results = _ingested(row, path, decision)
    refused = [result for result in results if result.refused]
    with transaction.atomic():
        row = _locked(row.pk)
        row.outcome = _said(results)
        if len(results) == 1:
            _say_what_it_is(row, results[0])
        if not refused:
            _settle(row, QuarantineState.ACCEPTED, decision)
        row.save()
        _record(row, "quarantine.accepted", decision, outcome="refused" if refused else "ok")
    if refused:
        raise CannotSettle(f"{row.outcome} It stays in quarantine.")
    return row


def _ingested(row: QuarantinedFile, path: Path, decision: Decision) -> list[IngestResult]:
    intake = Intake(Sender("quarantine", decision.user, decision.request), again=True)
    try:
        with path.open("rb") as stream:
            add_file(intake, row.path or f"quarantined file {row.pk}", storage.chunks_of(stream))
        return intake.finish()
    except BaseException:
        intake.abandon()
        raise


def _said(results: Sequence[IngestResult]) -> str:
    """``Stored.`` of one file; of an archive, how many became what."""
    if len(results) == 1:
        word = _WORDS[results[0].outcome]
        return f"{word[0].upper()}{word[1:]}. {results[0].reason}".strip()
    counts = Counter(_WORDS[result.outcome] for result in results)
    reasons = list(dict.fromkeys(result.reason for result in results if result.refused))
    said = ", ".join(f"{count} {word}" for word, count in counts.items()) or "It holds no files"
    return " ".join([f"{said}.", *reasons[:5]])


def _say_what_it_is(row: QuarantinedFile, result: IngestResult) -> None:
    """What could not be read when it came; that it is a conflict now."""
    row.sop_uid, row.study_uid = result.sop_uid or row.sop_uid, result.study_uid or row.study_uid
    if result.refused and result.code != row.code:
        row.code, row.reason = result.code, result.reason


# ---------- a picture that was deleted ----------


@transaction.atomic
def _bring_back(row: QuarantinedFile, decision: Decision) -> QuarantinedFile:
    row = _locked(row.pk, QuarantineState.DELETED)
    clip = Clip.every.filter(sop_uid=row.sop_uid, deleted_at__isnull=False).first()
    if clip is None:
        raise CannotSettle("The picture is here already.")
    removal.restore(clip)
    row.outcome = "It is here again, and its study is scored again."
    _settle(row, QuarantineState.ACCEPTED, decision)
    row.save()
    _record(row, "quarantine.accepted", decision, sop_uid=clip.sop_uid)
    return row


# ---------- a picture in the place of another ----------


def _replace(row: QuarantinedFile, path: Path, decision: Decision) -> QuarantinedFile:
    try:
        header = pool.read_header(path)
    except pool.SandboxError as failure:
        raise CannotSettle(f"It cannot be read: {failure.reason}") from None
    file = _kept(row, path)
    with transaction.atomic():
        row = _locked(row.pk)
        clip, study = _clip_and_study(row, header)
        _set_aside(clip, study, decision)
        _put_in_place(clip, study, header, file)
        row.outcome = "It took the place of the picture that was here, which is kept."
        _settle(row, QuarantineState.ACCEPTED, decision)
        row.save()
        _record(row, "quarantine.accepted", decision, sop_uid=clip.sop_uid, digest=clip.digest)
        revisions.touch(study)
        publish("study", audience=Audience.READERS, study_uid=study.uid)
    return row


def _kept(row: QuarantinedFile, path: Path) -> StagedFile:
    """The bytes in the patients' store; those of an earlier picture are there."""
    with path.open("rb") as stream:
        file = storage.stage(storage.chunks_of(stream))
    if row.state == QuarantineState.REPLACED:
        file.discard()
    else:
        storage.keep([file])
    return file


def _clip_and_study(row: QuarantinedFile, header: Header) -> tuple[Clip, Study]:
    """Both locked, in the order in which ingest locks them."""
    uid = Clip.objects.filter(sop_uid=row.sop_uid).values_list("study__uid", flat=True).first()
    if uid is None:
        raise CannotSettle("The picture that it contradicts is not here any more. Try again.")
    if header["study_uid"] != uid:
        raise CannotSettle(
            "It names another study than the picture that is here, which cannot be moved. "
            "Correct one of the two at its source, then send it again."
        )
    study = every_study().select_for_update(of=("self",)).select_related("patient", "original_patient").get(uid=uid)
    return Clip.objects.select_for_update().get(sop_uid=row.sop_uid), study


def _set_aside(clip: Clip, study: Study, decision: Decision) -> None:
    """The picture that was here, as a quarantined file that can be downloaded and accepted again."""
    now = timezone.now()
    came = Receipt.objects.filter(sop_uid=clip.sop_uid, digest=clip.digest).order_by("pk").first()
    QuarantinedFile.objects.create(
        state=QuarantineState.REPLACED,
        code=REPLACED,
        reason=f"It was shown until {timezone.localtime(now):%Y-%m-%d %H:%M}; {decision.user.display} put another "
        "picture in its place. Reads made until then were made on it.",
        source=came.source if came else "",
        sent_by=came.sent_by if came else None,
        path=came.path if came else "",
        received_at=clip.replaced_at or clip.received_at,
        last_received_at=clip.replaced_at or clip.received_at,
        sop_uid=clip.sop_uid,
        study_uid=study.uid,
        patient_id=study.patient.patient_id,
        digest=clip.digest,
        size=clip.size,
        holding=Holding.KEPT,
    )


def _put_in_place(clip: Clip, study: Study, header: Header, file: StagedFile) -> None:
    """What a person said of the view stays."""
    now = timezone.now()
    indexing.warn(study, header, now)
    facts = indexing.clip_facts(header, file, judge(header))
    if clip.view_source == "person":
        facts = {name: value for name, value in facts.items() if name not in ("view", "plane")}
    for name, value in facts.items():
        setattr(clip, name, value)
    clip.replaced_at = now
    clip.save()
    catalogue.add([clip], [header])
    _correct_study(study, clip, header)


def _correct_study(study: Study, clip: Clip, header: Header) -> None:
    """The texts that an admin has taken; of the only picture of a study its time and its infant as sent, too."""
    if Clip.objects.filter(study=study).exclude(pk=clip.pk).exists():
        study.description = header["description"] or study.description
        study.accession = header["accession"] or study.accession
    else:
        for name, value in indexing.study_facts(header).items():
            setattr(study, name, value)
    study.save(update_fields=["description", "accession", "acquired_at", "as_sent"])


# ---------- discarding, and what both leave behind ----------


@transaction.atomic
def discard(pk: int, decision: Decision) -> QuarantinedFile:
    """Its bytes are removed, the row and the audit stay. Raises CannotSettle."""
    row = _locked(pk, *[QuarantineState.OPEN])
    _settle(row, QuarantineState.DISCARDED, decision)
    row.save()
    _record(row, "quarantine.discarded", decision)
    return row


def _locked(pk: int, *states: QuarantineState) -> QuarantinedFile:
    row = QuarantinedFile.objects.select_for_update(of=("self",)).get(pk=pk)
    if row.state not in (states or _WAITING):
        raise CannotSettle(_why_not(row) if row.state not in _WAITING else "The picture of a patient is kept.")
    return row


def _settle(row: QuarantinedFile, state: QuarantineState, decision: Decision) -> None:
    if row.state == QuarantineState.OPEN:
        shelf.remove(row)
    else:
        row.holding = Holding.REMOVED  # from here: they are a clip's
    row.state, row.settled_at = state, timezone.now()
    row.settled_by, row.settled_why = decision.user, decision.why


def _record(row: QuarantinedFile, action: str, decision: Decision, *, outcome: str = "ok", **detail: str) -> None:
    audit.record(
        decision.request,
        action,
        user=decision.user,
        patient_id=row.patient_id,
        study_uid=row.study_uid,
        outcome=outcome,
        file=row.pk,
        why=decision.why,
        **detail,
    )
