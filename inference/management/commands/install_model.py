"""`manage.py install_model [PATH]`: makes a model folder known here."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from common.commands import SiteCommand
from inference import registry
from inference.core.manifest import BadModel


class Command(SiteCommand):
    help = "Install a model folder (without PATH: the demo model). It triages only if none does, or with --promote."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", nargs="?", type=Path, default=settings.DEMO_MODEL_FOLDER)
        parser.add_argument("--promote", metavar="REASON", default="", help="make it the champion, for this reason")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["path"]
        try:
            model = registry.install(folder, report=registry.report_beside(folder))
            if registry.champion() is None or options["promote"]:
                registry.promote(model, user=None, reason=options["promote"] or registry.FIRST_MODEL)
        except BadModel as error:
            raise CommandError(f"{folder} was refused: {error}. The champion is unchanged.") from error
        except registry.NotPromoted as error:
            raise CommandError(f"{model.name} is installed and was not promoted. {error}") from error
        model.refresh_from_db()
        self.stdout.write(f"{model.name} ({model.digest[:12]}): {model.get_state_display()}")
