"""Every action is ``noun.verb-past``; entries written under an earlier name take the present one.

What an entry says happened is unchanged, and an entry of this migration says what was renamed.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations

RENAMED = {
    "adjudicate.viewed": "adjudication.list_viewed",
    "adjudication.remark": "adjudication.remark_added",
    "agreement.page": "agreement.page_viewed",
    "clip.view": "clip.view_changed",
    "holdout.lock": "holdout.locked",
    "holdout.open": "holdout.opened",
    "instance.conflict": "instance.conflict_detected",
    "label_queue.progress": "label_queue.progress_viewed",
    "label_queue.skip": "label_queue.item_skipped",
    "label_schema.in_force": "label_schema.activated",
    "metrics.view": "metrics.viewed",
    "model.install": "model.installed",
    "model.promote": "model.promoted",
    "patient.opened_for_change": "patient.opened",
    "patient.page": "patient.page_viewed",
    "read.agreement": "read.agreement_recorded",
    "read.commit": "read.committed",
    "read.reopen": "read.reopened",
    "sign_in": "user.signed_in",
    "sign_out": "user.signed_out",
    "study.claim": "study.claimed",
    "study.priority": "study.priority_changed",
    "study.release": "study.released",
    "token": "token.issued",
    "training.cancel": "training_run.cancelled",
    "training.start": "training_run.started",
    "training.view": "training.viewed",
}
OLDER = {
    "adjudicate.list": "adjudication.list_viewed",
    "admin.list": "admin.listed",
    "admin.view": "admin.viewed",
    "audit.view": "audit.viewed",
    "read.draft": "read.draft_saved",
}
"""Names that were given up before this migration: the way back does not bring them again."""

# As in 0002. The database refuses an UPDATE by anything but a migration that lifts the trigger first.
DROP = {
    "sqlite": "DROP TRIGGER audit_never_changes",
    "postgresql": "DROP TRIGGER audit_never_changes ON accounts_auditentry",
}
CREATE = {
    "sqlite": """CREATE TRIGGER audit_never_changes BEFORE UPDATE ON accounts_auditentry
    BEGIN SELECT RAISE(ABORT, 'an audit entry is never changed'); END""",
    "postgresql": """CREATE TRIGGER audit_never_changes BEFORE UPDATE OR DELETE ON accounts_auditentry
    FOR EACH ROW EXECUTE FUNCTION accounts_append_only()""",
}


def rename(apps: Any, schema_editor: Any, names: dict[str, str]) -> None:
    """Change the action of every entry that has an old name, in the migration's own transaction."""
    connection = schema_editor.connection
    entries = apps.get_model("accounts", "AuditEntry").objects.using(connection.alias)
    schema_editor.execute(DROP[connection.vendor], params=None)
    counts = {old: entries.filter(action=old).update(action=new) for old, new in names.items()}
    schema_editor.execute(CREATE[connection.vendor], params=None)
    if renamed := {old: [names[old], count] for old, count in counts.items() if count}:
        entries.create(action="audit.actions_renamed", detail={"renamed": renamed})


def forwards(apps: Any, schema_editor: Any) -> None:
    rename(apps, schema_editor, RENAMED | OLDER)


def backwards(apps: Any, schema_editor: Any) -> None:
    rename(apps, schema_editor, {new: old for old, new in RENAMED.items()})


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_keymap")]
    operations = [migrations.RunPython(forwards, backwards)]
