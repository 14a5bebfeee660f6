from __future__ import annotations

from django.apps import AppConfig


class AnnotationsConfig(AppConfig):
    name = "annotations"

    def ready(self) -> None:
        from django.db.models.signals import post_migrate

        from annotations import access_rules
        from annotations.label_schema import versions
        from annotations.reads import effects
        from studies import access, disclosure, revisions

        access.also_visible(access_rules.studies_to_label)
        disclosure.discloses(access_rules.disclosed)
        revisions.on_revision_closed(effects.revisit)
        post_migrate.connect(versions.install, sender=self, dispatch_uid="annotations.label_schema.versions")
