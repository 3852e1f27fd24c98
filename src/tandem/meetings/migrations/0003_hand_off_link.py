from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("meetings", "0002_google")]

    operations = [
        migrations.AddField(model_name="handoff", name="link", field=models.TextField(default="")),
    ]
