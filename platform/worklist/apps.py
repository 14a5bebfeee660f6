from __future__ import annotations

from django.apps import AppConfig


class WorklistConfig(AppConfig):
    name = "worklist"

    def ready(self) -> None:
        from annotations.reads import effects, lifecycle
        from jobs import periodic
        from worklist import claims, reading_list

        effects.on_committed(claims.when_committed)
        lifecycle.offers_next(reading_list.next_study)
        periodic.register(claims.lapse)
