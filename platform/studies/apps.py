from __future__ import annotations

from django.apps import AppConfig


class StudiesConfig(AppConfig):
    name = "studies"

    def ready(self) -> None:
        from jobs import ticks
        from studies import revisions

        ticks.register(revisions.close_due)
