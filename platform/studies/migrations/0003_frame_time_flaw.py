from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('studies', '0002_clip_planes'),
    ]

    operations = [
        migrations.AddField(
            model_name='clip',
            name='frame_time_flaw',
            field=models.CharField(blank=True, max_length=128),
        ),
    ]
