"""A table of failed sign-ins, for the limit against guessing passwords."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("team", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="SignInTry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=64)),
                ("at", models.DateTimeField()),
            ],
            options={"indexes": [models.Index(fields=["key", "at"], name="sign_in_try_by_key")]},
        ),
    ]
