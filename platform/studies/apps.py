from __future__ import annotations

from django.apps import AppConfig


class StudiesConfig(AppConfig):
    name = "studies"

    def ready(self) -> None:
        from jobs import periodic
        from studies import revisions, storage
        from studies.quarantine import shelf

        periodic.register(revisions.close_due)
        periodic.register(storage.tidy)
        periodic.register(shelf.sweep)
