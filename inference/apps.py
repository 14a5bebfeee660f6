from __future__ import annotations

import importlib
from collections.abc import Sequence

from django.apps import AppConfig

SCORING = {"stat", "routine"}
SCORE_LIMIT_SECONDS = 600


def _start(queues: Sequence[str]) -> None:
    """Before its first job a worker has a model, and a triage worker has it loaded."""
    from inference.registry import ensure_demo_model

    if ensure_demo_model() is not None and SCORING.intersection(queues):
        importlib.import_module("inference.engine_cache").warm()


class InferenceConfig(AppConfig):
    name = "inference"

    def ready(self) -> None:
        from inference import registry, scheduling
        from jobs import periodic
        from jobs.handlers import Handler, register
        from studies.revisions import on_revision_closed

        scoring = Handler(
            "inference.score_job:score",
            on_quarantine="inference.score_writer:on_quarantine",
            limit_seconds=SCORE_LIMIT_SECONDS,
        )
        register(scheduling.SCORE, scoring)
        register(scheduling.EXPLAIN, Handler("inference.explain_job:explain", limit_seconds=SCORE_LIMIT_SECONDS))
        register(registry.RESCORE, Handler("inference.scheduling:rescore"))
        on_revision_closed(scheduling.when_revision_closes)
        periodic.at_start(_start)
