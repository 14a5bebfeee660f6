from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("studies", "0005_pixel_notes"),
    ]

    operations = [
        migrations.AddField(
            model_name="clip",
            name="flow",
            field=models.JSONField(null=True),
        ),
    ]
