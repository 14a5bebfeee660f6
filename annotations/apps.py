from __future__ import annotations

from django.apps import AppConfig


class AnnotationsConfig(AppConfig):
    name = "annotations"

    def ready(self) -> None:
        from django.db.models.signals import post_migrate

        from annotations import reads, versions, visibility
        from studies import access, revisions

        access.also_visible(visibility.studies_to_label)
        revisions.on_revision_closed(reads.revisit)
        post_migrate.connect(versions.install, sender=self, dispatch_uid="annotations.versions")
