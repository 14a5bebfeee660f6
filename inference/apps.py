from __future__ import annotations

from django.apps import AppConfig

SCORE_LIMIT_SECONDS = 600


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
        register(registry.RESCORE, Handler("inference.requests:rescore"))
        on_revision_closed(requests.when_revision_closes)
        ticks.at_start(registry.ensure_demo_model)
