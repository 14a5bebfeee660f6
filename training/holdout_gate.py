"""The gate: opens the locked hold-out for one challenger, and measures it beside the champion. It needs torch."""

from __future__ import annotations

import hashlib
import json

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from accounts import audit
from accounts.models import User
from inference.core.manifest import BadModel
from inference.embedding_cache import embed_clips
from inference.engine_cache import engine_for
from inference.models import ModelVersion
from inference.registry import champion
from inference.score_job import why_too_few_frames
from studies.models import StudyRevision
from training.core.metrics import Groups, auroc, clustered_interval
from training.core.splits import Leak
from training.holdout import assert_unseen, held_out, holdout_of
from training.labelled_row import LabelledRow
from training.models import HoldOut, HoldOutOpening, HoldOutResult, TrainingRun
from training.payloads import HoldOutMeasures, HoldOutReport, HoldOutShare, NotCompared
from training.preflight import everyone


class NotOpened(Exception):
    """The hold-out stayed closed; the message says why."""


def open_holdout(model: ModelVersion, *, user: User | None = None) -> HoldOutResult:
    """Log the opening, then measure. Raises NotOpened; a model that was fitted on one of these patients is refused,
    with the identifiers, and that is audited too."""
    run = TrainingRun.objects.select_related("snapshot").filter(model=model).first()
    if run is None:
        raise NotOpened("The model was not trained here, so that nobody knows whether it saw these patients.")
    holdout = holdout_of(phantoms_only=run.snapshot.phantoms_only)
    if holdout is None:
        raise NotOpened("No hold-out is locked.")
    try:
        assert_unseen(run.snapshot.rows, holdout)
    except Leak as leak:
        audit.record(None, "holdout.opened", user=user, outcome="refused", model=model.digest, reason=str(leak))
        raise NotOpened(f"The model was trained on patients {leak}.") from leak
    rows = _inside(holdout)
    opening = _log(holdout, model, run, rows, user)
    report: HoldOutReport = {"model": _measured(model, rows), "champion": _champion(model, holdout, rows)}
    return HoldOutResult.objects.create(opening=opening, report=report)


def _inside(holdout: HoldOut) -> list[LabelledRow]:
    inside = held_out(holdout)
    rows = everyone(phantoms_only=holdout.phantoms_only)
    return [row for row in rows if inside.holds(str(row.patient), row.group)]


def _log(
    holdout: HoldOut, model: ModelVersion, run: TrainingRun, rows: list[LabelledRow], user: User | None
) -> HoldOutOpening:
    """Committed before any picture is read: an opening that crashes is in the log, too."""
    canonical = json.dumps([row.as_json() for row in rows], sort_keys=True, separators=(",", ":"))
    studies = hashlib.sha256(canonical.encode()).hexdigest()
    snapshot = run.snapshot.digest
    with transaction.atomic():
        audit.record(
            None,
            "holdout.opened",
            user=user,
            holdout=holdout.digest,
            model=model.digest,
            snapshot=snapshot,
            studies=[row.study_uid for row in rows],
        )
        return HoldOutOpening.objects.create(
            holdout=holdout, model=model, snapshot=snapshot, studies=studies, opened_by=user
        )


def _champion(model: ModelVersion, holdout: HoldOut, rows: list[LabelledRow]) -> HoldOutMeasures | NotCompared | None:
    """The champion on the same studies; a reason instead where it was fitted on some of them."""
    best = champion()
    if best is None or best.pk == model.pk:
        return None
    run = TrainingRun.objects.select_related("snapshot").filter(model=best).first()
    try:
        assert_unseen(run.snapshot.rows if run else [], holdout)
        return _measured(best, rows)
    except Leak as leak:
        return {"digest": best.digest, "not_compared": f"It was trained on patients {leak}."}
    except BadModel as error:
        return {"digest": best.digest, "not_compared": f"Its files were refused: {error}."}


def _measured(model: ModelVersion, rows: list[LabelledRow]) -> HoldOutMeasures:
    """AUROC, and sensitivity and specificity at each frozen operating point, with intervals over infants."""
    engine = engine_for(model)
    y, probability, infants, left_out = [], [], [], []
    for row in rows:
        revision = StudyRevision.objects.get(study__uid=row.study_uid, number=row.revision)
        embedded = embed_clips(list(revision.clips.scorable()), engine)
        if why_too_few_frames(embedded):
            left_out.append(row.study_uid)
            continue
        y.append(int(row.positive))
        infants.append(row.group)
        probability.append(engine.score(embedded.embeddings).probability)
    labels, scores, groups = np.array(y, dtype=np.int64), np.array(probability), np.array(infants, dtype=str)
    return {
        "digest": model.digest,
        "n": len(labels),
        "n_positive": int(labels.sum()),
        "left_out": left_out,
        "auroc": auroc(labels, scores) if len(set(y)) == 2 else None,
        "operating_points": {
            name: {
                "sensitivity": _share(scores[labels == 1] >= point.threshold, groups[labels == 1]),
                "specificity": _share(scores[labels == 0] < point.threshold, groups[labels == 0]),
            }
            for name, point in engine.manifest.operating_points.items()
        },
    }


def _share(right: NDArray[np.bool_], infants: Groups) -> HoldOutShare:
    """The share of studies [N] that are right, its interval over infants."""
    n = len(right)
    return {
        "value": float(right.mean()) if n else None,
        "n": n,
        "infants": len(np.unique(infants)),
        "interval": list(clustered_interval(right, infants)),
    }
