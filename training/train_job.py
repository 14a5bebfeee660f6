"""The handler of ``train``: embeddings, folds, report, challenger. Only workers import this: it needs torch."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from inference.core.manifest import BadModel, Manifest, TrainedOn
from inference.core.weights import read_model, write_model
from inference.embedding_cache import EmbeddedStudy, embed_clips
from inference.engine_cache import engine_for
from inference.models import ModelVersion
from inference.registry import champion, enter, folder_of, place
from inference.score_job import why_too_few_frames
from jobs.job_context import Cancelled, JobContext
from studies.models import Clip, StudyRevision
from training.core.bags import Bags, make_bags
from training.core.crossval import Cancelled as CoreCancelled
from training.core.crossval import CrossValidation, Progress, cross_validate
from training.core.report_shapes import KeyframeCounts, LeftOut, Report, RunProgress
from training.core.splits import Labels, Leak, TooFewCases, assert_no_leak
from training.holdout import assert_unseen
from training.labelled_row import UNBIASED, SnapshotRow
from training.models import TrainingRun
from training.preflight import keyframes
from training.prevalence import SitePrevalence
from training.runs import NO_MODEL, begin, end, publish_change
from training.snapshots import altered
from training.transitions import UNFINISHED, RunStep

WRITE_SECONDS = 0.5
EMBEDDING_SHARE = 0.5
"""Where the bar stands when the embeddings are there and the folds begin."""
PHANTOMS, SITE = "phantoms", "site"
ALTERED = (
    "The snapshot's rows are no longer those that its digest names: somebody changed the database. Nothing was "
    "trained. Start a new run, which freezes its labels anew, and look into the audit trail."
)
KEYFRAME_REACH = 2
"""Frames between a key frame and the one in the bag that it may stand for: a fifteenth of a second at 30 frames/s, less
than a plane's thickness in a sweep."""
HEAD, TRIAGE_POINT = "fontanelle", "target_0.90"
"""The head of the recipe: on the benchmark's inner folds heads differ by less than chance does (docs/benchmark.md)."""


class Unfit(Exception):
    """The run cannot succeed, however often it is tried; the message says why."""


@dataclass
class ProgressWriter:
    """Live progress: at most two writes and two events a second, but always the end of a stage."""

    run: TrainingRun
    context: JobContext
    last_write: float = field(default=0.0)

    def write(self, progress: RunProgress, *, at_once: bool = False) -> None:
        """Store and publish it, unless the last write was a moment ago. Raises Lost or Draining."""
        if not at_once and time.monotonic() - self.last_write < WRITE_SECONDS:
            return
        self.last_write = time.monotonic()
        with transaction.atomic():
            self.context.progress({**progress})
            TrainingRun.objects.filter(pk=self.run.pk).update(progress=progress)
            publish_change(self.run)


def train(context: JobContext) -> None:
    """One run, from its snapshot to a challenger. A killed worker's run starts again, from cached embeddings."""
    run = TrainingRun.objects.select_related("snapshot").get(pk=context.payload["run"])
    if run.status not in UNFINISHED:  # cancelled while the libraries were loaded
        raise Cancelled
    begin(run)
    writer = ProgressWriter(run, context)
    try:
        if altered(run.snapshot):
            raise Unfit(ALTERED)
        assert_unseen(run.snapshot.rows)
        base = _base()
        material = _material(run, base, writer)
        validation = _told_of_missed(_cross_validate(run, material, writer), material.left_out)
    except CoreCancelled as error:
        raise Cancelled from error
    except (Unfit, TooFewCases, Leak, BadModel) as error:
        reason = str(error)
        context.finish(lambda: end(run, RunStep.FAIL, error=reason))
        return
    report = _site_report(validation.report, run, material)
    digest = _write_challenger(run, base, validation)
    context.finish(lambda: _deliver(run, digest, report))


@dataclass(frozen=True)
class _Material:
    """What a run fits and measures on, its folds [M], and who was left out."""

    bags: Bags
    folds: Labels
    left_out: list[LeftOut]
    keyframes: KeyframeCounts


def _site_report(report: Report, run: TrainingRun, material: _Material) -> Report:
    """The core names its set of embeddings; a site names its snapshot, and counts whom production cannot analyse."""
    return {
        **report,
        "bags": report["snapshot"],
        "snapshot": run.snapshot.digest,
        "left_out": material.left_out,
        "sensitivity_of_all": sensitivity_of_all(report, _positives(material.left_out)),
        "keyframes": material.keyframes,
    }


def sensitivity_of_all(report: Report, missed: int) -> dict[str, float | None]:
    """By operating point, with `missed` further positives that nothing could flag, since they were not analysed."""
    among = report["n_positive"]
    pooled = {name: point["sensitivity"]["pooled"] for name, point in report["operating_points"].items()}
    return {name: None if value is None else value * among / (among + missed) for name, value in pooled.items()}


def _positives(left_out: Sequence[LeftOut]) -> int:
    return sum(study["positive"] for study in left_out)


def _told_of_missed(validation: CrossValidation, left_out: Sequence[LeftOut]) -> CrossValidation:
    """A promise holds for studies that can be analysed: it says how many positives could not be."""
    if not (missed := _positives(left_out)):
        return validation
    among = validation.report["n_positive"] + missed
    words = f" It holds for studies that can be analysed: {missed} of {among} positive ones here could not be."
    points = validation.operating_points.items()
    told = {name: replace(point, promise=point.promise + words) for name, point in points}
    return replace(validation, operating_points=told)


def _base() -> ModelVersion:
    model = champion()
    if model is None:
        raise Unfit(NO_MODEL)
    return model


def _material(run: TrainingRun, base: ModelVersion, writer: ProgressWriter) -> _Material:
    """Embeddings of every study of the snapshot that production would analyse (cached ones are only read)."""
    engine = engine_for(base)
    usable: list[tuple[SnapshotRow, EmbeddedStudy]] = []
    left_out: list[LeftOut] = []
    rows: list[SnapshotRow] = run.snapshot.rows
    for number, row in enumerate(rows):
        writer.write(_embedding_progress(number, len(rows)), at_once=number == 0)
        embedded = embed_clips(_clips(row), engine, between=lambda: _raise_if_cancelled(writer.context))
        if reason := why_too_few_frames(embedded):
            left_out.append({"study_uid": row["study_uid"], "reason": reason, "positive": row["positive"]})
        else:
            usable.append((row, embedded))
    if not usable:
        raise Unfit("No labelled study has frames enough to be analysed.")
    bags = make_bags(
        [embedded.embeddings for _, embedded in usable],
        [int(row["positive"]) for row, _ in usable],
        groups=[row["group"] for row, _ in usable],
        uids=[row["study_uid"] for row, _ in usable],
    )
    bags = replace(bags, keyframes=[nearest(embedded.frames, keyframes(row["reads"])) for row, embedded in usable])
    if not all(came := [row.get("origin") in UNBIASED for row, _ in usable]):
        bags = replace(bags, unbiased=np.array(came))
    folds = np.array([row["fold"] for row, _ in usable], dtype=np.int64)
    return _Material(bags, folds, left_out, _keyframe_counts(usable))


def nearest(frames: Sequence[tuple[str, int]], marked: Iterable[tuple[str, int]]) -> NDArray[np.int8]:
    """Readers' keyframes on the frames that a model looks at, both (sop_uid, frame from 1): int8 [N].

    1 for the frame of the same clip that lies nearest to a keyframe, the earlier of two, where it is no further off
    than KEYFRAME_REACH; -1 for all others: a reader who marks one frame does not deny blood in the next, and a frame
    of another plane need not show it.
    """
    marks = np.full(len(frames), -1, dtype=np.int8)
    for keyframe in marked:
        if (place := _taught_by(frames, keyframe)) is not None:
            marks[place] = 1
    return marks


def _taught_by(frames: Sequence[tuple[str, int]], keyframe: tuple[str, int]) -> int | None:
    """Which of the frames stands for a keyframe; None where none is near enough."""
    near = [(abs(number - keyframe[1]), place) for place, (clip, number) in enumerate(frames) if clip == keyframe[0]]
    distance, place = min(near, default=(KEYFRAME_REACH + 1, -1))
    return place if distance <= KEYFRAME_REACH else None


def _keyframe_counts(studies: Sequence[tuple[SnapshotRow, EmbeddedStudy]]) -> KeyframeCounts:
    each = [(embedded.frames, keyframe) for row, embedded in studies for keyframe in keyframes(row["reads"])]
    taught = sum(_taught_by(frames, keyframe) is not None for frames, keyframe in each)
    return {"marked": len(each), "taught": taught, "reach": KEYFRAME_REACH}


def _clips(row: SnapshotRow) -> list[Clip]:
    revision = StudyRevision.objects.get(study__uid=row["study_uid"], number=row["revision"])
    if revision.digest != row["revision_digest"]:
        raise Unfit(f"Study {row['study_uid']} is no longer what the snapshot names.")
    return list(revision.clips.scorable())


def _embedding_progress(number: int, studies: int) -> RunProgress:
    return {
        "step": number,
        "steps": studies,
        "fold": 0,
        "folds": 0,
        "fraction": EMBEDDING_SHARE * number / studies,
        "eta_seconds": None,
        "message": f"embedding study {number + 1} of {studies}",
        "fold_rows": [],
    }


def _raise_if_cancelled(context: JobContext) -> None:
    if context.cancelled():
        raise Cancelled


def _cross_validate(run: TrainingRun, material: _Material, writer: ProgressWriter) -> CrossValidation:
    assert_no_leak(material.folds, material.bags.groups)
    return cross_validate(
        material.bags,
        head=HEAD,
        assigned=material.folds,
        seed=run.seed,
        prevalence=_believed(run.prevalence),
        measured_on=_measured_on(run),
        progress=_written(writer),
        cancelled=writer.context.cancelled,
    )


def _believed(known: SitePrevalence | None) -> float | None:
    return known["share"] if known is not None and known["believed"] else None


def _written(writer: ProgressWriter) -> Callable[[Progress], None]:
    done: set[int] = set()

    def write(progress: Progress) -> None:
        ended = {row["fold"] for row in progress.fold_rows if row["state"] == "done"}
        facts = progress.as_json()
        facts["fraction"] = EMBEDDING_SHARE + (1 - EMBEDDING_SHARE) * progress.fraction
        writer.write(facts, at_once=ended != done)
        done.update(ended)

    return write


def _measured_on(run: TrainingRun) -> str:
    kind = "generated phantoms" if run.snapshot.phantoms_only else "this site's labelled studies"
    return f"{run.snapshot.studies} {kind}, out of fold, patients and twins whole"


def _write_challenger(run: TrainingRun, base: ModelVersion, validation: CrossValidation) -> str:
    """The champion's backbone with new heads, placed among the models; its digest.

    Dated by the run and not by the clock: a run that is done again, after a kill, makes the same model.
    """
    loaded = read_model(folder_of(base))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "model"
        manifest = _manifest(run, loaded.manifest, validation)
        write_model(folder, manifest=manifest, backbone=loaded.backbone, heads=validation.heads)
        return place(folder)


def _manifest(run: TrainingRun, base: Manifest, validation: CrossValidation) -> Manifest:
    snapshot = run.snapshot
    kind = PHANTOMS if snapshot.phantoms_only else SITE
    trained_on = TrainedOn(
        kind=kind,
        description=f"Run {run.pk}: {_measured_on(run)}; backbone of {base.name} {base.version}.",
        snapshot=snapshot.digest,
        patients=snapshot.patients,
        positives=snapshot.positives,
    )
    return replace(
        base,
        name=f"{kind} run",
        version=str(run.pk),
        created=run.created_at.isoformat(timespec="seconds"),
        head_kind=validation.report["head"],
        triage_point=TRIAGE_POINT,
        trained_on=trained_on,
        calibration=validation.calibration,
        operating_points=validation.operating_points,
    )


def _deliver(run: TrainingRun, digest: str, report: Report) -> None:
    model = enter(digest, user=run.created_by, report={**report})
    end(run, RunStep.FINISH, report=report, model=model)
