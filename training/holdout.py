"""The locked hold-out: made once, in no fold, opened by the gate alone. No torch."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from accounts import audit
from accounts.models import User
from inference.models import ModelState, ModelVersion
from studies.models import Patient
from training.labelled_row import LabelledRow, SnapshotRow, infants_needed
from training.models import HoldOut, HoldOutResult, TrainingRun

if TYPE_CHECKING:
    from training.core.holdout import HeldOut

SHARE = 0.15
NOT_OPENED = (
    "The locked hold-out was not opened for this model. Run `manage.py holdout open {pk}`: it measures the model on "
    "patients whom no training saw, and is logged."
)


class NotLocked(Exception):
    """No hold-out was made; the message says why."""


def holdout_of(*, phantoms_only: bool) -> HoldOut | None:
    """The hold-out of infants, or of phantoms."""
    return HoldOut.objects.filter(phantoms_only=phantoms_only).first()


def held_out(*holdouts: HoldOut) -> HeldOut:
    """Who is in these hold-outs, or in any: as drawn, and whoever was linked or merged with them since."""
    from training.core.holdout import HeldOut

    among = holdouts or tuple(HoldOut.objects.all())
    patients = {int(pk) for holdout in among for pk in holdout.patients}
    groups = {str(group) for holdout in among for group in holdout.groups}
    if patients:
        linked = Patient.objects.filter(Q(pk__in=patients) | Q(merged__in=patients)).distinct()
        patients |= {patient.pk for patient in linked}
        groups |= {patient.group for patient in linked}
    return HeldOut(frozenset(map(str, patients)), frozenset(groups))


def lock(
    rows: list[LabelledRow], *, phantoms_only: bool, user: User | None = None, share: float = SHARE, seed: int = 0
) -> HoldOut:
    """Draw the hold-out among labelled studies and fix it, audited.

    Raises NotLocked if there is one, or if it or the folds would have too few positives; TooFewCases.
    """
    import numpy as np

    from training.core.holdout import draw_groups

    with transaction.atomic():
        if (before := holdout_of(phantoms_only=phantoms_only)) is not None:
            raise NotLocked(f"It was made on {before.created_at:%Y-%m-%d} and is never changed ({before.digest[:12]}).")
        y = np.array([int(row.positive) for row in rows], dtype=np.int64)
        groups = draw_groups(y, np.array([row.group for row in rows], dtype=str), share=share, seed=seed)
        inside = [row for row in rows if row.group in set(groups)]
        positives = len({row.group for row in inside if row.positive})
        _check_size(positives, len({row.group for row in rows if row.positive}) - positives)
        patients = sorted({row.patient for row in inside})
        holdout = HoldOut.objects.create(
            phantoms_only=phantoms_only,
            digest=hashlib.sha256("\n".join([*map(str, patients), *groups]).encode()).hexdigest(),
            patients=patients,
            groups=groups,
            positives=positives,
            share=share,
            seed=seed,
            created_by=user,
        )
        audit.record(None, "holdout.locked", user=user, holdout=holdout.digest, patients=len(patients), share=share)
    return holdout


def _check_size(inside: int, outside: int) -> None:
    """Raise NotLocked if it would hold too few positives, or leave too few for the folds: it is made once, for good."""
    least = settings.MIN_POSITIVES_PER_FOLD
    if inside < least or outside < infants_needed():
        raise NotLocked(
            f"It would have {inside} positive patients and leave {outside} for the folds; {least} and "
            f"{infants_needed()} are needed. Label more first, or name another --share."
        )


def assert_unseen(rows: list[SnapshotRow], *holdouts: HoldOut) -> None:
    """Raise Leak, naming studies and patients, if one of a snapshot's rows is in a hold-out."""
    from training.core.holdout import assert_outside

    assert_outside(held_out(*holdouts), {row["study_uid"]: (str(row["patient"]), str(row["group"])) for row in rows})


def reason_to_refuse(model: ModelVersion) -> str:
    """Registered with the models: why this one may not be promoted yet; empty if it may.

    A rollback needs no hold-out, nor does a model that was not trained here.
    """
    run = TrainingRun.objects.select_related("snapshot").filter(model=model).first()
    if run is None or model.state != ModelState.CHALLENGER:
        return ""
    holdout = holdout_of(phantoms_only=run.snapshot.phantoms_only)
    if holdout is None or HoldOutResult.objects.filter(opening__model=model, opening__holdout=holdout).exists():
        return ""
    return NOT_OPENED.format(pk=model.pk)
