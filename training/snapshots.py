"""Freezing what a run uses. No torch."""

from __future__ import annotations

import hashlib
import json

from training.models import Snapshot
from training.preflight import Preflight


def freeze(plan: Preflight) -> Snapshot:
    """Store the rows under their digest; the same studies, labels and folds are one snapshot."""
    rows = [row.as_json() for row in plan.rows]
    definitions = sorted({row.definition for row in plan.rows})
    canonical = json.dumps(rows, sort_keys=True, separators=(",", ":"))
    facts = {
        "definition": "+".join(definitions)[:32],
        "rows": rows,
        "studies": len(rows),
        "patients": plan.patients,
        "positives": plan.positives,
        "phantoms_only": plan.phantoms_only,
    }
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    return Snapshot.objects.get_or_create(digest=digest, defaults=facts)[0]
