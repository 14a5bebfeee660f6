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
from jobs.job_context import Cancelled, JobContext
from studies.models import Clip, StudyRevision
from training.core.bags import Bags, make_bags
from training.core.crossval import Cancelled as CoreCancelled
from training.core.crossval import CrossValidation, Progress, cross_validate
from training.core.report_shapes import LeftOut, Report, RunProgress
from training.core.splits import Labels, Leak, TooFewCases, assert_no_leak
from training.holdout import assert_unseen
from training.labelled_row import SnapshotRow
from training.models import TrainingRun
from training.preflight import keyframes
from training.runs import NO_MODEL, begin, end, publish_change
from training.transitions import UNFINISHED, RunStep

WRITE_SECONDS = 0.5
EMBEDDING_SHARE = 0.5
"""Where the bar stands when the embeddings are there and the folds begin."""
PHANTOMS, SITE = "phantoms", "site"
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
        assert_unseen(run.snapshot.rows)
        base = _base()
        bags, folds, left_out = _bags(run, base, writer)
        validation = _cross_validate(run, bags, folds, writer)
    except CoreCancelled as error:
        raise Cancelled from error
    except (Unfit, TooFewCases, Leak, BadModel) as error:
        reason = str(error)
        context.finish(lambda: end(run, RunStep.FAIL, error=reason))
        return
    report = _site_report(validation.report, run, left_out)
    digest = _write_challenger(run, base, validation)
    context.finish(lambda: _deliver(run, digest, report))


def _site_report(report: Report, run: TrainingRun, left_out: list[LeftOut]) -> Report:
    """The core names its set of embeddings; a site names its snapshot."""
    return {**report, "bags": report["snapshot"], "snapshot": run.snapshot.digest, "left_out": left_out}


def _base() -> ModelVersion:
    model = champion()
    if model is None:
        raise Unfit(NO_MODEL)
    return model


def _bags(run: TrainingRun, base: ModelVersion, writer: ProgressWriter) -> tuple[Bags, Labels, list[LeftOut]]:
    """Embeddings of every study of the snapshot (cached ones are only read), its folds [M], and who was left out."""
    engine = engine_for(base)
    usable: list[tuple[SnapshotRow, EmbeddedStudy]] = []
    left_out: list[LeftOut] = []
    rows: list[SnapshotRow] = run.snapshot.rows
    for number, row in enumerate(rows):
        writer.write(_embedding_progress(number, len(rows)), at_once=number == 0)
        embedded = embed_clips(_clips(row), engine, between=lambda: _raise_if_cancelled(writer.context))
        if embedded.frames:
            usable.append((row, embedded))
        else:
            left_out.append({"study_uid": row["study_uid"], "reason": "; ".join(embedded.reasons())})
    if not usable:
        raise Unfit("No frame of any labelled study could be decoded.")
    bags = make_bags(
        [embedded.embeddings for _, embedded in usable],
        [int(row["positive"]) for row, _ in usable],
        groups=[row["group"] for row, _ in usable],
        uids=[row["study_uid"] for row, _ in usable],
    )
    bags = replace(bags, keyframes=[nearest(embedded.frames, keyframes(row["reads"])) for row, embedded in usable])
    return bags, np.array([row["fold"] for row, _ in usable], dtype=np.int64), left_out


def nearest(frames: Sequence[tuple[str, int]], marked: Iterable[tuple[str, int]]) -> NDArray[np.int8]:
    """Readers' keyframes on the frames that a model looks at, both (sop_uid, frame from 1): int8 [N].

    1 for the frame of the same clip that lies nearest to a keyframe, the earlier of two; -1 for all others: a reader
    who marks one frame does not deny blood in the next.
    """
    marks = np.full(len(frames), -1, dtype=np.int8)
    for sop_uid, number in marked:
        places = [place for place, (clip, _) in enumerate(frames) if clip == sop_uid]
        if places:
            marks[min(places, key=lambda place: abs(frames[place][1] - number))] = 1
    return marks


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


def _cross_validate(run: TrainingRun, bags: Bags, folds: Labels, writer: ProgressWriter) -> CrossValidation:
    assert_no_leak(folds, bags.groups)
    return cross_validate(
        bags,
        head=HEAD,
        assigned=folds,
        seed=run.seed,
        measured_on=_measured_on(run),
        progress=_written(writer),
        cancelled=writer.context.cancelled,
    )


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
