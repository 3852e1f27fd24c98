from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('mailboxes', '0002_google'),
    ]

    operations = [
        migrations.AddField(
            model_name='channel',
            name='address',
            field=models.CharField(default='', max_length=1000),
        ),
    ]
