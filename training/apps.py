from __future__ import annotations

from django.apps import AppConfig


class TrainingConfig(AppConfig):
    name = "training"

    def ready(self) -> None:
        from inference.registry import before_promotion
        from jobs.handlers import Handler, register
        from training.holdout import reason_to_refuse
        from training.runs import TRAIN

        handler = Handler(
            "training.train_job:train",
            on_claim="training.runs:on_claim",
            on_quarantine="training.runs:on_quarantine",
            on_cancel="training.runs:on_cancel",
            cancel_at_once=True,
        )
        register(TRAIN, handler)
        before_promotion(reason_to_refuse)
