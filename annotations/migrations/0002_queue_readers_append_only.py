from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import migrations, models

# On SQLite deletion is refused by the model alone: a trigger there would also stop the flush of a test database.
SQLITE = [
    """CREATE TRIGGER revision_never_changes BEFORE UPDATE ON annotations_readrevision
    BEGIN SELECT RAISE(ABORT, 'a committed revision is never changed'); END"""
]
POSTGRESQL = [
    """CREATE OR REPLACE FUNCTION annotations_append_only() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'a committed revision is never changed or deleted'; END $$""",
    """CREATE TRIGGER revision_never_changes BEFORE UPDATE OR DELETE ON annotations_readrevision
    FOR EACH ROW EXECUTE FUNCTION annotations_append_only()""",
]


def forwards(apps: Any, schema_editor: Any) -> None:
    statements = {"sqlite": SQLITE, "postgresql": POSTGRESQL}[schema_editor.connection.vendor]
    for statement in statements:
        schema_editor.execute(statement, params=None)


def backwards(apps: Any, schema_editor: Any) -> None:
    on = " ON annotations_readrevision" if schema_editor.connection.vendor == "postgresql" else ""
    schema_editor.execute(f"DROP TRIGGER revision_never_changes{on}")


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("annotations", "0001_initial"),
    ]
    operations = [
        migrations.AddField(
            model_name="labelqueue",
            name="readers",
            field=models.ManyToManyField(blank=True, related_name="label_queues", to=settings.AUTH_USER_MODEL),
        ),
        migrations.RunPython(forwards, backwards),
    ]
