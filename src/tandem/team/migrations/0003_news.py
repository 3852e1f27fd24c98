from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('team', '0002_google'),
    ]

    operations = [
        migrations.CreateModel(
            name='News',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
    ]
