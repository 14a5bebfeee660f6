from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('studies', '0007_quarantine'),
    ]

    operations = [
        migrations.AddField(
            model_name='study',
            name='as_sent',
            field=models.JSONField(null=True),
        ),
    ]
