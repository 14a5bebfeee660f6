from __future__ import annotations

from django.apps import AppConfig


class StudiesConfig(AppConfig):
    name = "studies"

    def ready(self) -> None:
        from jobs import ticks
        from studies import revisions, storage

        ticks.register(revisions.close_due)
        ticks.register(storage.tidy)
