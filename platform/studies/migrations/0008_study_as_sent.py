from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('studies', '0004_identity_doubts'),
    ]

    operations = [
        migrations.AddField(
            model_name='study',
            name='as_sent',
            field=models.JSONField(null=True),
        ),
    ]
