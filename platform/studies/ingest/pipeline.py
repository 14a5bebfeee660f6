"""Ingest, the one way in for every file: receive, inspect, judge, keep, index. "Stored" is said only after all of them.

- receive: the bytes are staged on the disk, counted and hashed, and synced (studies.storage)
- inspect: a sandbox worker reads the header (studies.sandbox.pool)
- judge: what the header means: take it, park it as not scorable, or refuse it, with a reason for a person
- keep: the bytes get their final name, and the folders are synced once for all files of a request; those of a refused
  file, or of one that contradicts what is here, go to the quarantine (studies.quarantine)
- index: rows, receipts, audit entries, events and the quiet period, in one transaction (studies.ingest.indexing)
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, OperationalError

from studies import storage
from studies.dicom.facts import Header
from studies.dicom.kinds import VOLUME, VOLUME_CLASS
from studies.dicomweb import catalogue
from studies.ingest import indexing, shelving
from studies.ingest.results import Arrival, IngestResult, Judgement, Sender
from studies.models import Clip, Outcome
from studies.sandbox import pool

BATCH = 20
_TRIES = 4
_ULTRASOUND_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.6",
    "1.2.840.10008.5.1.4.1.1.6.1",
    VOLUME_CLASS,
    "1.2.840.10008.5.1.4.1.1.3",
    "1.2.840.10008.5.1.4.1.1.3.1",
}
_TOO_LARGE = "It is larger than the {} MB that one file may have."


@dataclass
class Intake:
    """Files of one request on their way in. ``add`` stages and inspects each; ``finish`` keeps and indexes them all.

    A full disk raises DiskFull from ``add``, and ``abandon`` then leaves nothing of the request behind. ``again``: the
    files come from the quarantine, which then gets no second record of them.
    """

    sender: Sender
    expected_study: str = ""
    again: bool = False
    arrivals: list[Arrival] = field(default_factory=list)

    def add(self, name: str, chunks: Iterable[bytes]) -> None:
        try:
            staged = storage.stage(iter(chunks))
        except storage.TooLarge:
            limit = settings.INSTANCE_MAX_BYTES // 1024**2
            self.refuse(name, "too_large", _TOO_LARGE.format(limit))
            return
        self.arrivals.append(inspect(name, staged, expected_study=self.expected_study))

    def refuse(self, name: str, code: str, reason: str, staged: storage.StagedFile | None = None) -> None:
        """Something that never became a file of its own, or (``staged``) an archive that holds no files."""
        self.arrivals.append(Arrival(name, Judgement(Outcome.REFUSED, code, reason), staged=staged))

    def finish(self) -> list[IngestResult]:
        """Keep what is stored or parked, index everything; the results come in the order of arrival."""
        results: list[IngestResult] = []
        for start in range(0, len(self.arrivals), BATCH):
            results += _keep_and_index(self.arrivals[start : start + BATCH], self.sender, again=self.again)
        self.arrivals = []
        return results

    def abandon(self) -> None:
        """Forget the request; what was staged is removed."""
        for arrival in self.arrivals:
            arrival.discard()
        self.arrivals = []


def inspect(name: str, staged: storage.StagedFile, *, expected_study: str = "") -> Arrival:
    """Read the header in the sandbox and judge it."""
    if not staged.size:
        return Arrival(name, Judgement(Outcome.REFUSED, "empty", "The file is empty."))
    try:
        header = pool.read_header(staged.path)
    except pool.SandboxError as failure:
        return Arrival(name, Judgement(Outcome.REFUSED, failure.code, failure.reason), staged=staged)
    except BaseException:
        staged.discard()
        raise
    if staged.had_preamble:
        header["warnings"].append("The 128 bytes before the DICOM header were not empty and have been zeroed.")
    return Arrival(name, judge(header, expected_study), header, staged)


def judge(header: Header, expected_study: str = "") -> Judgement:
    """Scorable, parked or refused, by the header alone."""
    pixels = header["pixels"]
    if expected_study and header["study_uid"] != expected_study:
        return Judgement(Outcome.REFUSED, "other_study", "It belongs to another study than the address names.")
    if not is_ultrasound(header):
        modality = header["modality"] or "no modality given"
        return Judgement(Outcome.PARKED, "not_ultrasound", f"Not ultrasound ({modality}): kept, never scored.")
    if header["sop_class"] == VOLUME_CLASS:
        reason = f"{VOLUME} {pixels['flaw_reason']}".strip()
        return Judgement(Outcome.PARKED, pixels["flaw"] or "volume", reason)
    if pixels["flaw"]:
        return Judgement(Outcome.PARKED, pixels["flaw"], pixels["flaw_reason"])
    return Judgement(Outcome.STORED, "", "")


def is_ultrasound(header: Header) -> bool:
    """By its modality; by its class where that is missing."""
    if header["modality"]:
        return header["modality"] == "US"
    return header["sop_class"] in _ULTRASOUND_CLASSES


def _keep_and_index(arrivals: Sequence[Arrival], sender: Sender, *, again: bool) -> list[IngestResult]:
    find_repeats(arrivals)
    storage.keep([arrival.staged for arrival in arrivals if arrival.is_new and arrival.staged is not None])
    if not again:
        shelving.shelve(arrivals)
    for attempt in range(_TRIES):
        try:
            results = indexing.add(arrivals, sender, again=again)
        except indexing.Overtaken as late:
            _compare_again(late.arrivals)
        except (OperationalError, IntegrityError):
            # A deadlock, a lock that did not come free, or somebody who was quicker with the same instance: nothing
            # was written, the bytes stay where they are, and the next try sees what the other wrote.
            if attempt == _TRIES - 1:
                raise
            time.sleep(0.05 * 2**attempt)
        else:
            _forget(arrivals)
            return results
    raise OperationalError("others kept adding the same instances")


def _compare_again(arrivals: Sequence[Arrival]) -> None:
    """Somebody else's file of the same name was indexed after these were compared with what was here."""
    for arrival in arrivals:
        if arrival.staged is not None:
            with storage.verified(arrival.staged.digest).open("rb") as stream:
                arrival.staged = storage.stage(storage.chunks_of(stream))
    find_repeats(arrivals)
    shelving.shelve(arrivals)


def find_repeats(arrivals: Sequence[Arrival]) -> None:
    """Mark the files that say what an earlier one says: a router rewrote the file header, an archive the encoding.

    And those that bear the name of an earlier one, and say something else.
    """
    with_bytes = [(arrival, arrival.staged) for arrival in arrivals if arrival.readable and arrival.staged is not None]
    rows = Clip.every.filter(sop_uid__in=[arrival.sop_uid for arrival, _ in with_bytes]).order_by()
    known: dict[str, str] = dict(rows.values_list("sop_uid", "digest"))
    here: dict[str, Path] = {}
    for arrival, staged in with_bytes:
        first = known.setdefault(arrival.sop_uid, staged.digest)
        here.setdefault(staged.digest, staged.path)
        if first != staged.digest:
            _compare(arrival, here.get(first), first)


def _compare(arrival: Arrival, here: Path | None, first: str) -> None:
    """With the file of its name that came first: of the digest ``first``, at ``here`` if it is not stored yet."""
    staged = arrival.staged
    assert staged is not None, "it is readable"
    if shelving.was_replaced(arrival.sop_uid, staged.digest):
        arrival.was_replaced = True
    elif _say_the_same(arrival, staged.path, here, first):
        arrival.repeats = first
    else:
        arrival.conflicts = True


def _say_the_same(arrival: Arrival, new: Path, here: Path | None, digest: str) -> bool:
    """By the digests that were kept where they are equal. A file that cannot be compared is another one: the first
    stays, and the sender is told."""
    if arrival.content is not None and arrival.content == catalogue.content_of(digest):
        return True
    try:
        return pool.say_the_same(here or storage.verified(digest), new)
    except (pool.SandboxError, storage.Missing, storage.Corrupt):
        return False


def _forget(arrivals: Sequence[Arrival]) -> None:
    """What is staged and went nowhere."""
    for arrival in arrivals:
        arrival.discard()
