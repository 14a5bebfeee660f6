from __future__ import annotations

from django.apps import AppConfig


class TrainingConfig(AppConfig):
    name = "training"

    def ready(self) -> None:
        from jobs.handlers import Handler, register
        from training.runs import TRAIN

        handler = Handler(
            "training.work:train", on_quarantine="training.runs:on_quarantine", on_cancel="training.runs:on_cancel"
        )
        register(TRAIN, handler)
