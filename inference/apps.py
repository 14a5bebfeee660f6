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
        importlib.import_module("inference.engines").warm()


class InferenceConfig(AppConfig):
    name = "inference"

    def ready(self) -> None:
        from inference import registry, requests
        from jobs import ticks
        from jobs.handlers import Handler, register
        from studies.revisions import on_revision_closed

        scoring = Handler(
            "inference.scoring:score",
            on_quarantine="inference.results:on_quarantine",
            limit_seconds=SCORE_LIMIT_SECONDS,
        )
        register(requests.SCORE, scoring)
        register(requests.EXPLAIN, Handler("inference.explaining:explain", limit_seconds=SCORE_LIMIT_SECONDS))
        register(registry.RESCORE, Handler("inference.requests:rescore"))
        on_revision_closed(requests.when_revision_closes)
        ticks.at_start(_start)
