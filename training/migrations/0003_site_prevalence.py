from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("training", "0002_holdout")]

    operations = [
        migrations.AddField("trainingrun", "prevalence", models.JSONField(null=True)),
    ]
