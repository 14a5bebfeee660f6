"""The last step of ingest: rows, receipts, audit entries, events and the quiet period, all in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import audit
from live.models import Audience
from live.publish import publish
from studies import clip_order, revisions
from studies.access import with_deleted
from studies.dicom import clocks
from studies.dicom.facts import Header, fuller
from studies.dicomweb import catalogue
from studies.ingest import shelving
from studies.ingest.results import Arrival, IngestResult, Judgement, Sender
from studies.models import Clip, Outcome, Receipt, Study
from studies.patients import matching
from studies.storage import StagedFile

PHANTOM_MAKER = "Fontanelle Phantom Works"
_FROM_HEADER = (
    "sop_uid",
    "sop_class",
    "series_uid",
    "series_number",
    "instance_number",
    "modality",
    "manufacturer",
    "device",
    "view",
    "plane",
    "label",
    "transfer_syntax",
    "frame_time_ms",
    "frame_times_ms",
    "frame_time_flaw",
    "display_rate",
    "regions",
    "warnings",
    "pixel_notes",
)
_OF_INGEST = ("The 128 bytes before", "Its header names ", "Its time ")
_FROM_PIXELS = ("photometric", "rows", "columns", "frames", "samples", "bits_stored")
_DELETED = "It was deleted by {} and stays away when it is sent again. An admin can bring it back from the quarantine."
_CONFLICT = "Another file with the same SOP Instance UID but other content is already here. The first one was kept."
_REPLACED = "Already here as an earlier picture: an admin has put another in its place."


class Overtaken(Exception):
    """Other files of the names of these ``arrivals`` were indexed since they were compared. Nothing was written."""

    def __init__(self, arrivals: Sequence[Arrival]) -> None:
        super().__init__(len(arrivals))
        self.arrivals = arrivals


@transaction.atomic
def add(arrivals: Sequence[Arrival], sender: Sender, *, again: bool = False) -> list[IngestResult]:
    """Index a batch; results in the same order. Studies are locked in one order, so that two batches never deadlock.

    ``again``: what is refused has its row in the quarantine already. Raises Overtaken.
    """
    now = timezone.now()
    with_bytes = sorted((each for each in arrivals if each.readable), key=lambda arrival: arrival.study_uid)
    known = _known(with_bytes)
    studies = _studies_of([arrival for arrival in with_bytes if arrival.sop_uid not in known], now)
    if studies:
        # Another request may have added the same instances while this one waited for the rows.
        known = _known(with_bytes)
    if overtaken := [arrival for arrival in with_bytes if _is_overtaken(arrival, known.get(arrival.sop_uid))]:
        raise Overtaken(overtaken)
    batch = _Batch(now, known, studies)
    results = [batch.add(arrival) for arrival in arrivals]
    Clip.objects.bulk_create(batch.clips)
    catalogue.add(batch.clips, batch.headers)
    for study in batch.touched():
        study.deleted_at = None
        revisions.touch(study, now=now)
        publish("study", audience=Audience.READERS, study_uid=study.uid)
    if not again:
        results = shelving.record(arrivals, results, sender, now)
    _record(arrivals, results, sender)
    return [shelving.told(arrival, result) for arrival, result in zip(arrivals, results, strict=True)]


@dataclass(frozen=True)
class _Known:
    """An instance that is stored already; ``deleted_by`` names who took it away."""

    digest: str
    study_uid: str
    parked_reason: str
    deleted_by: str | None = None


def _is_overtaken(arrival: Arrival, known: _Known | None) -> bool:
    """Whether it was held to be new, or another's repetition, and another file of its name is here now."""
    if known is None or arrival.staged is None or arrival.is_set_aside or arrival.was_replaced:
        return False
    return known.digest not in (arrival.staged.digest, arrival.repeats)


def _known(arrivals: Sequence[Arrival]) -> dict[str, _Known]:
    rows = Clip.every.filter(sop_uid__in=[arrival.sop_uid for arrival in arrivals]).order_by()
    columns = ("sop_uid", "digest", "study__uid", "parked_reason", "deleted_by__username")
    return {sop_uid: _Known(*facts) for sop_uid, *facts in rows.values_list(*columns)}


def _studies_of(arrivals: Sequence[Arrival], now: datetime) -> dict[str, Study]:
    studies: dict[str, Study] = {}
    for arrival in arrivals:
        if arrival.study_uid not in studies and arrival.header is not None:
            studies[arrival.study_uid] = _study_of(arrival.header, now)
    return studies


@dataclass
class _Batch:
    """The files of one transaction, judged one after another against what is known by then."""

    now: datetime
    known: dict[str, _Known]
    studies: dict[str, Study]
    clips: list[Clip] = field(default_factory=list)
    headers: list[Header] = field(default_factory=list)

    def add(self, arrival: Arrival) -> IngestResult:
        if arrival.header is None or arrival.staged is None or not arrival.readable:
            return _result(arrival, arrival.judgement)
        known = self.known.get(arrival.sop_uid)
        if known is not None:
            return _result(arrival, _judge_repeated(arrival, known), study_uid=known.study_uid)
        if arrival.conflicts:
            return _result(arrival, Judgement(Outcome.REFUSED, "conflict", _CONFLICT))
        study = self.studies[arrival.study_uid]
        _learn_texts(study, arrival.header)
        warn(study, arrival.header, self.now)
        self.clips.append(_clip(arrival.header, arrival.staged, arrival.judgement, study=study, now=self.now))
        self.headers.append(arrival.header)
        self.known[arrival.sop_uid] = _Known(arrival.staged.digest, study.uid, arrival.judgement.reason)
        return _result(arrival, arrival.judgement)

    def touched(self) -> list[Study]:
        """Studies that got a clip, in the order in which they were locked."""
        uids = {clip.study.uid for clip in self.clips}
        return [study for uid, study in self.studies.items() if uid in uids]


def _judge_repeated(arrival: Arrival, known: _Known) -> Judgement:
    if known.deleted_by is not None:
        return Judgement(Outcome.REFUSED, "deleted", _DELETED.format(known.deleted_by))
    if arrival.was_replaced:
        return Judgement(Outcome.DUPLICATE, "duplicate", _REPLACED)
    if arrival.staged is None or known.digest not in (arrival.staged.digest, arrival.repeats):
        return Judgement(Outcome.REFUSED, "conflict", _CONFLICT)
    return Judgement(Outcome.DUPLICATE, "duplicate", f"Already here. {known.parked_reason}".strip())


def _result(arrival: Arrival, judgement: Judgement, study_uid: str = "") -> IngestResult:
    header = arrival.header
    return IngestResult(
        path=arrival.name,
        outcome=judgement.outcome,
        reason=judgement.reason or " ".join(arrival.oddities),
        study_uid=study_uid or arrival.study_uid,
        sop_uid=arrival.sop_uid,
        series_uid=header["series_uid"] if header else "",
        sop_class=header["sop_class"] if header else "",
        code=judgement.code or ("odd_identifiers" if arrival.oddities else ""),
        pixel_notes=tuple(header["pixel_notes"]) if header else (),
    )


def _study_of(header: Header, now: datetime) -> Study:
    """The study's row, locked; made, with its patient, if this is its first instance."""
    study = _lock(header["study_uid"]).first()
    if study is None:
        is_phantom = header["manufacturer"] == PHANTOM_MAKER
        patient = matching.patient_of(header, generated=is_phantom)
        defaults = {
            "patient": patient,
            "original_patient": patient,
            **study_facts(header),
            "is_phantom": is_phantom,
            "first_image_at": now,
            "last_image_at": now,
        }
        with_deleted().get_or_create(uid=header["study_uid"], defaults=defaults)
        study = _lock(header["study_uid"]).get()
    return study


def study_facts(header: Header) -> dict[str, Any]:
    """What an image says of its study."""
    return {
        "accession": header["accession"],
        "description": header["description"],
        "acquired_at": moment(header["study_at"] or header["acquired_at"], header["utc_offset"]),
        "as_sent": header["as_sent"],
    }


def _lock(uid: str) -> QuerySet[Study]:
    return with_deleted().select_for_update(of=("self",)).select_related("patient", "original_patient").filter(uid=uid)


def warn(study: Study, header: Header, now: datetime) -> None:
    """Add to the header's warnings what can only be told beside the study."""
    _warn_of_other_patient(study, header)
    _warn_of_clocks(header, now)


def _learn_texts(study: Study, header: Header) -> None:
    """What the images before this one left empty: a later one may name the issuer. Nothing is overwritten."""
    learned = fuller(study.as_sent, header["as_sent"]) if study.as_sent else None
    if learned != study.as_sent:
        study.as_sent = learned
        study.save(update_fields=["as_sent"])


def _warn_of_other_patient(study: Study, header: Header) -> None:
    warning = matching.ask_about_header(study, header)
    if warning:
        header["warnings"] = [*dict.fromkeys([*header["warnings"], warning])]


def _warn_of_clocks(header: Header, now: datetime) -> None:
    """What can only be told in the site's own zone, which a time without an offset is taken to be in."""
    found = [_ahead(written, header["utc_offset"], now) for written in (header["acquired_at"], header["study_at"])]
    if _is_repeated(header["acquired_at"], header["utc_offset"]):
        found.append(clip_order.REPEATED_HOUR)
    header["warnings"] = [*dict.fromkeys([*header["warnings"], *filter(None, found)])]


def is_of_ingest(warning: str) -> bool:
    """Whether it was given here, of what the file alone does not tell."""
    return warning == clip_order.REPEATED_HOUR or warning.startswith(_OF_INGEST)


def _ahead(written: str | None, offset: str, now: datetime) -> str:
    at = moment(written, offset)
    if written is None or at is None or at <= now + clocks.CLOCKS_DIFFER:
        return ""
    return f"Its time {written[:16].replace('T', ' ')} lies in the future: a clock is wrong."


def _is_repeated(written: str | None, offset: str) -> bool:
    local = datetime.fromisoformat(written) if written else None
    stated = local is None or local.tzinfo is not None or clocks.zone(offset) is not None
    return local is not None and not stated and clip_order.is_repeated(local)


def _clip(header: Header, staged: StagedFile, judgement: Judgement, *, study: Study, now: datetime) -> Clip:
    return Clip(study=study, received_at=now, **clip_facts(header, staged, judgement))


def clip_facts(header: Header, staged: StagedFile, judgement: Judgement) -> dict[str, Any]:
    """What a file makes known of its clip, by column of Clip."""
    pixels = header["pixels"]
    return {
        **{name: value for name, value in header.items() if name in _FROM_HEADER},
        **{name: value for name, value in pixels.items() if name in _FROM_PIXELS},
        "acquired_at": moment(header["acquired_at"], header["utc_offset"]),
        "digest": staged.digest,
        "size": staged.size,
        "scorable": judgement.outcome == Outcome.STORED,
        "parked_reason": judgement.reason,
        "decode_error": pixels["flaw_reason"] if pixels["frames"] else "",
    }


def moment(written: str | None, offset: str) -> datetime | None:
    """A device's local time with its own offset from UTC, else the file's, else the site's."""
    if not written:
        return None
    stated = datetime.fromisoformat(written)
    if stated.tzinfo is not None:
        return stated
    zone = clocks.zone(offset)
    return timezone.make_aware(stated) if zone is None else stated.replace(tzinfo=zone)


def _record(arrivals: Sequence[Arrival], results: Sequence[IngestResult], sender: Sender) -> None:
    receipts = [
        Receipt(
            source=sender.source,
            sent_by=sender.user,
            path=result.path[-512:],
            outcome=result.outcome,
            reason=result.reason,
            study_uid=result.study_uid,
            sop_uid=result.sop_uid,
            digest=arrival.staged.digest if arrival.staged else "",
            quarantined_id=result.quarantined,
        )
        for arrival, result in zip(arrivals, results, strict=True)
    ]
    Receipt.objects.bulk_create(receipts)
    for study_uid in dict.fromkeys(result.study_uid for result in results):
        _audit(study_uid, [result for result in results if result.study_uid == study_uid], sender)


def _audit(study_uid: str, results: Sequence[IngestResult], sender: Sender) -> None:
    """One entry for each study of the batch, and one for the files that belong to none."""
    counts = Counter(result.outcome.value for result in results)
    conflicts = [result.sop_uid for result in results if result.code == "conflict"]
    quarantined = [result.quarantined for result in results if result.quarantined is not None]
    patient_ids = with_deleted().filter(uid=study_uid).values_list("patient__patient_id", flat=True)
    audit.record(
        sender.request,
        "instance.conflict_detected" if conflicts else "study.received",
        user=sender.user,
        patient_id=patient_ids.first() or "" if study_uid else "",
        study_uid=study_uid,
        outcome="refused" if set(counts) == {Outcome.REFUSED.value} else "ok",
        source=sender.source,
        counts=counts,
        **({"conflicts": conflicts[:20]} if conflicts else {}),
        **({"quarantined": quarantined} if quarantined else {}),
    )
