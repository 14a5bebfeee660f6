"""Freezing what a run uses. No torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from training.labelled_row import SnapshotRow
from training.models import Snapshot
from training.preflight import Preflight


def freeze(plan: Preflight) -> Snapshot:
    """Store the rows under their digest; the same studies, labels and folds are one snapshot."""
    rows = [row.as_json() for row in plan.rows]
    definitions = sorted({row.definition for row in plan.rows})
    facts = {
        "definition": "+".join(definitions)[:32],
        "rows": rows,
        "studies": len(rows),
        "patients": plan.patients,
        "positives": plan.positives,
        "phantoms_only": plan.phantoms_only,
    }
    return Snapshot.objects.get_or_create(digest=digest_of(rows), defaults=facts)[0]


def digest_of(rows: Sequence[SnapshotRow]) -> str:
    """SHA-256 of the rows in canonical JSON: the name of the snapshot that holds them."""
    canonical = json.dumps(rows, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def altered(snapshot: Snapshot) -> bool:
    """Whether its rows are no longer those that its digest names."""
    return digest_of(snapshot.rows) != snapshot.digest
