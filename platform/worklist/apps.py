from __future__ import annotations

from django.apps import AppConfig


class WorklistConfig(AppConfig):
    name = "worklist"

    def ready(self) -> None:
        from annotations import reads
        from jobs import ticks
        from worklist import board, claims

        reads.on_committed(claims.when_committed)
        reads.offers_next(board.next_study)
        ticks.register(claims.lapse)
