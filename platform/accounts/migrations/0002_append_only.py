from __future__ import annotations

from typing import Any

from django.db import migrations

# On SQLite deletion is refused by the model alone: a trigger there would also stop the flush of a test database.
SQLITE = [
    """CREATE TRIGGER audit_never_changes BEFORE UPDATE ON accounts_auditentry
    BEGIN SELECT RAISE(ABORT, 'an audit entry is never changed'); END"""
]
POSTGRESQL = [
    """CREATE OR REPLACE FUNCTION accounts_append_only() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'an audit entry is never changed or deleted'; END $$""",
    """CREATE TRIGGER audit_never_changes BEFORE UPDATE OR DELETE ON accounts_auditentry
    FOR EACH ROW EXECUTE FUNCTION accounts_append_only()""",
]


def forwards(apps: Any, schema_editor: Any) -> None:
    statements = {"sqlite": SQLITE, "postgresql": POSTGRESQL}[schema_editor.connection.vendor]
    for statement in statements:
        schema_editor.execute(statement, params=None)


def backwards(apps: Any, schema_editor: Any) -> None:
    on = " ON accounts_auditentry" if schema_editor.connection.vendor == "postgresql" else ""
    schema_editor.execute(f"DROP TRIGGER audit_never_changes{on}")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunPython(forwards, backwards)]
