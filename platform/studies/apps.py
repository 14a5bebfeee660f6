from __future__ import annotations

from django.apps import AppConfig


class StudiesConfig(AppConfig):
    name = "studies"

    def ready(self) -> None:
        from accounts import audit_chain
        from jobs import periodic
        from studies import revisions, storage
        from studies.quarantine import shelf

        periodic.register(revisions.close_due)
        periodic.register(storage.tidy)
        periodic.register(shelf.sweep)
        # The rooms below know nothing of one another: the first that may import both has the trail sealed.
        periodic.register(audit_chain.tick)
