from __future__ import annotations

from django.apps import AppConfig


class AnnotationsConfig(AppConfig):
    name = "annotations"

    def ready(self) -> None:
        from annotations import reads, visibility
        from studies import access, revisions

        access.also_visible(visibility.studies_to_label)
        revisions.on_revision_closed(reads.revisit)
