"""Which labelled studies a training run would use, and whether they are enough. No torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from django.conf import settings
from django.db.models import Exists, OuterRef

from annotations.consensus.reference_labels import ReferenceLabel, labels
from annotations.models import Context, QueueItem, ReadRevision
from studies.models import Clip, StudyRevision
from training.core.report_shapes import LEAST_UNBIASED, FoldCounts
from training.fold_places import deal
from training.holdout import held_out, holdout_of
from training.labelled_row import UNBIASED, LabelledRow, LabelOrigin, infants_needed
from training.models import HoldOut, TrainingRun
from training.payloads import HoldOutFacts, TrainingPreflight
from training.prevalence import SitePrevalence, consecutive_uids, site_prevalence
from training.transitions import UNFINISHED

ORIGINS: dict[LabelOrigin, str] = {
    "consecutive": "read in a row",
    "random": "drawn at random",
    "chosen": "chosen",
    "imported": "imported",
}
SECONDS_PER_STUDY = (1.0, 10.0)
SECONDS_OF_FITTING = (20.0, 180.0)


@dataclass
class Preflight:
    """Whether retraining can start, and why not, in words."""

    rows: list[LabelledRow]
    phantoms_only: bool
    reasons: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)
    folds: list[FoldCounts] = field(default_factory=list)
    missing_positives: int = 0
    not_blind: int = 0
    holdout: HoldOut | None = None
    prevalence: SitePrevalence | None = None

    @property
    def ok(self) -> bool:
        return not self.reasons

    @property
    def patients(self) -> int:
        return len({row.patient for row in self.rows})

    @property
    def positives(self) -> int:
        return sum(row.positive for row in self.rows)

    def estimate_seconds(self) -> list[int]:
        """With all embeddings cached on an idle machine, and with none on a busy one."""
        ends = zip(SECONDS_OF_FITTING, SECONDS_PER_STUDY, strict=True)
        return [round(fitting + len(self.rows) * each) for fitting, each in ends]

    def _holdout(self) -> HoldOutFacts | None:
        if self.holdout is None:
            return None
        return {
            "digest": self.holdout.digest,
            "patients": len(self.holdout.patients),
            "at": self.holdout.created_at,
            "openings": self.holdout.openings.count(),
        }

    def as_json(self) -> TrainingPreflight:
        """What the API answers."""
        return {
            "ok": self.ok,
            "reasons": self.reasons,
            "notes": self.notes,
            "patients": self.patients,
            "studies": len(self.rows),
            "positives": self.positives,
            "missing_positives": self.missing_positives,
            "not_blind": self.not_blind,
            "folds": self.folds,
            "leaks": self.leaks,
            "phantoms_only": self.phantoms_only,
            "holdout": self._holdout(),
            "prevalence": self.prevalence,
            "origins": dict(Counter(row.origin for row in self.rows)),
            "estimate_seconds": self.estimate_seconds(),
        }


def preflight() -> Preflight:
    """Gather the labelled studies, split their patients into folds, and say what is missing."""
    plan = _gather()
    plan.prevalence = site_prevalence(phantoms_only=plan.phantoms_only)
    plan.notes += [_origin_note(plan), _prevalence_note(plan)]
    _count(plan)
    if plan.ok:
        _split(plan)
    if unfinished := unfinished_run():
        plan.reasons.append(going_on(unfinished))
    return plan


def unfinished_run() -> TrainingRun | None:
    """The run that waits or goes on: there is one at a time."""
    return TrainingRun.objects.filter(status__in=UNFINISHED).first()


def going_on(run: TrainingRun) -> str:
    return f"Run {run.pk} is going on. Wait for it, or cancel it."


def _origin_note(plan: Preflight) -> str:
    """Where the labels come from, and whether a sensitivity can be promised on them."""
    counts = Counter(row.origin for row in plan.rows)
    words = ", ".join(f"{counts[origin]} {ORIGINS[origin]}" for origin in ORIGINS if counts[origin]) or "none"
    groups = [{row.group for row in plan.rows if row.unbiased and row.positive == kind} for kind in (True, False)]
    if len(UNBIASED & counts.keys()) == len(counts) or min(map(len, groups)) >= LEAST_UNBIASED:
        return f"Studies by how they came to be labelled: {words}. Thresholds and figures go by the unbiased ones."
    return (
        f"Studies by how they came to be labelled: {words}. No sensitivity can be promised: {LEAST_UNBIASED} positive "
        f"and as many negative infants of an unbiased share are needed, {len(groups[0])} and {len(groups[1])} are "
        "there. Make a label queue at random, or read every study of the list."
    )


def _prevalence_note(plan: Preflight) -> str:
    """At what share of haemorrhages the run states its probabilities."""
    known = plan.prevalence
    if known is not None and known["source"] == "setting":
        return f"Probabilities are stated at the site's prevalence, {known['share']:.1%} (SITE_PREVALENCE)."
    labelled = plan.positives / len(plan.rows) if plan.rows else 0.0
    otherwise = (
        f"probabilities are stated at the share among the labels, {labelled:.1%}. SITE_PREVALENCE sets the site's"
    )
    if known is None:
        return f"The site's prevalence is not known: {otherwise}."
    low, high = known["interval"]
    seen = f"{known['share']:.1%} ({low:.1%} to {high:.1%}), from {known['studies']} studies of days read without a gap"
    if known["believed"]:
        return f"Probabilities are stated at the site's prevalence as its reads show it: {seen}."
    return f"The site's prevalence is not known well, {seen}: {otherwise}."


def _gather() -> Preflight:
    """Infants, if enough of them are labelled, else phantoms: the two are never mixed."""
    every = labels()
    infants = [label for label in every if not label.study.is_phantom]
    phantoms = [label for label in every if label.study.is_phantom]
    use_phantoms = bool(phantoms) and _positive_groups(_rows(infants)) < infants_needed()
    chosen, left = (phantoms, infants) if use_phantoms else (infants, phantoms)
    plan = Preflight(_rows(chosen), phantoms_only=use_phantoms, holdout=holdout_of(phantoms_only=use_phantoms))
    if unusable := len(chosen) - len(plan.rows):
        plan.notes.append(f"{unusable} labelled studies have no scorable images and are left out.")
    if left:
        others = "infants" if use_phantoms else "phantoms"
        plan.notes.append(f"{len(left)} labelled studies of {others} are left out: phantoms and infants are not mixed.")
    _set_aside(plan)
    _not_blind(plan)
    return plan


def _not_blind(plan: Preflight) -> None:
    """Label queues are blind: a label of one whose reader had seen the AI's answer may only repeat it."""
    known = ReadRevision.objects.filter(read__context=Context.QUEUE).not_blind().values_list("pk", flat=True)
    knew = set(known)
    plan.not_blind = sum(not knew.isdisjoint(row.reads) for row in plan.rows)
    if plan.not_blind:
        are = "label is" if plan.not_blind == 1 else "labels are"
        plan.notes.append(f"{plan.not_blind} {are} of a queue and not blind: a reader had seen the AI's answer before.")


def _set_aside(plan: Preflight) -> None:
    """Whoever is in a hold-out is in no fold."""
    away = held_out()
    outside = [row for row in plan.rows if not away.holds(str(row.patient), row.group)]
    if inside := len(plan.rows) - len(outside):
        plan.notes.append(f"{inside} labelled studies are in the locked hold-out, which the gate alone opens.")
    plan.rows = outside


def everyone(*, phantoms_only: bool) -> list[LabelledRow]:
    """Every labelled study of infants, or of phantoms, as a row without a fold: those in the hold-out too."""
    return _rows([label for label in labels() if label.study.is_phantom == phantoms_only])


def _rows(chosen: Sequence[ReferenceLabel]) -> list[LabelledRow]:
    """Labelled studies with the newest revision that holds a scorable clip, by study UID."""
    revisions = _newest_scorable([label.study.pk for label in chosen])
    origin_of = _origins(chosen)
    rows = [
        replace(_row(label, revisions[label.study.pk]), origin=origin_of(label))
        for label in chosen
        if label.study.pk in revisions
    ]
    return sorted(rows, key=lambda row: row.study_uid)


def _origins(chosen: Sequence[ReferenceLabel]) -> Callable[[ReferenceLabel], LabelOrigin]:
    """How each of these labels' studies came to be labelled."""
    in_a_row = set().union(*(consecutive_uids(chosen, phantoms_only=phantoms) for phantoms in (False, True)))
    drawn = QueueItem.objects.filter(strategy="random", gold__isnull=True, repeat_of=None)
    at_random = set(drawn.values_list("study_id", flat=True))

    def origin(label: ReferenceLabel) -> LabelOrigin:
        if label.study.uid in in_a_row:
            return "consecutive"
        if label.study.pk in at_random:
            return "random"
        return "imported" if label.rule == "imported" else "chosen"

    return origin


def _newest_scorable(studies: list[int]) -> dict[int, StudyRevision]:
    scorable = Clip.objects.scorable().filter(revisions=OuterRef("pk"))
    rows = StudyRevision.objects.filter(study__in=studies).filter(Exists(scorable)).order_by("number")
    return {revision.study_id: revision for revision in rows}


def _row(label: ReferenceLabel, revision: StudyRevision) -> LabelledRow:
    patient = label.study.patient
    return LabelledRow(
        study_uid=label.study.uid,
        revision=revision.number,
        revision_digest=revision.digest,
        patient=patient.pk,
        group=patient.group,
        positive=label.positive,
        reads=tuple(label.reads),
        rule=label.rule,
        definition=label.definition,
    )


def keyframes(reads: Sequence[int]) -> list[tuple[str, int]]:
    """The keyframes of the read revisions that made a label, as (sop_uid, frame from 1)."""
    answers = ReadRevision.objects.filter(pk__in=reads).order_by("pk").values_list("findings", flat=True)
    marked = [keyframe for findings in answers for keyframe in findings.get("keyframes", ())]
    return [(keyframe["sop_uid"], keyframe["frame"]) for keyframe in marked]


def _positive_groups(rows: Sequence[LabelledRow]) -> int:
    return len({row.group for row in rows if row.positive})


def _count(plan: Preflight) -> None:
    """An infant counts once however many studies it has, and twins count as one: they stay in one fold."""
    positive = {row.group for row in plan.rows if row.positive}
    negative = {row.group for row in plan.rows} - positive
    plan.missing_positives = max(0, infants_needed() - len(positive))
    for groups, word in ((positive, "positive"), (negative, "negative")):
        if len(groups) < infants_needed():
            plan.reasons.append(_shortage(len(groups), word))


def _shortage(have: int, word: str) -> str:
    missing = infants_needed() - have
    are = "is" if missing == 1 else "are"
    labelled = "is" if have == 1 else "are"
    return f"{infants_needed()} {word} infants are needed, {have} {labelled} labelled: {missing} {are} missing."


def _rejoined(group: str) -> str:
    return f"Infants of {group}, linked since an earlier run, stand together now, in the fold of the first of them."


def _split(plan: Preflight) -> None:
    """Deal the folds, prove that they part no patient and no twins, and look at each fold's positives."""
    import numpy as np

    from training.core.splits import Leak, assert_no_leak, fold_table

    y = np.array([int(row.positive) for row in plan.rows], dtype=np.int64)
    groups = np.array([row.group for row in plan.rows], dtype=str)
    patients = np.array([f"patient {row.patient}" for row in plan.rows], dtype=str)
    dealt = deal(plan.rows)
    plan.notes.extend(map(_rejoined, dealt.rejoined))
    folds = np.array([dealt.folds[row.group] for row in plan.rows], dtype=np.int64)
    try:
        assert_no_leak(folds, patients)
    except Leak as leak:
        plan.leaks.append(str(leak))
        plan.reasons.append(f"A patient would be on both sides of a fold: {leak}.")
        return
    plan.folds = fold_table(folds, y, groups)
    plan.rows = [replace(row, fold=int(fold)) for row, fold in zip(plan.rows, folds, strict=True)]
    short = [row for row in plan.folds if row["positives"] < settings.MIN_POSITIVES_PER_FOLD]
    for row in short:
        words = f"Fold {row['fold'] + 1} has {row['positives']} positive studies"
        plan.reasons.append(f"{words}; {settings.MIN_POSITIVES_PER_FOLD} are needed in each.")
