import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("studies", "0004_identity_doubts"),
        ("training", "0003_site_prevalence"),
    ]

    operations = [
        migrations.CreateModel(
            name="FoldPlace",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("fold", models.PositiveSmallIntegerField()),
                ("folds", models.PositiveSmallIntegerField()),
                ("dealt_at", models.DateTimeField(auto_now_add=True)),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="studies.patient"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=["patient", "folds"], name="one_fold_per_patient")],
            },
        ),
    ]
