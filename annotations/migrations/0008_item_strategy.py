from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

DRAWN = "Drawn at random, for an unbiased estimate."
"""What the reason of a queue's random share said when these rows were made."""


def name_the_random_share(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("annotations", "QueueItem").objects.filter(reason=DRAWN).update(strategy="random")


class Migration(migrations.Migration):
    dependencies = [("annotations", "0007_exposures")]

    operations = [
        migrations.AddField(
            "queueitem", "strategy", models.CharField(max_length=20, blank=True, default="", db_default="")
        ),
        migrations.RunPython(name_the_random_share, migrations.RunPython.noop),
    ]
