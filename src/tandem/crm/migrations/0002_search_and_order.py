"""Words to search by, the indexes of the lists, one order on every database, and a first pipeline."""

from __future__ import annotations

from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


FIRST_STAGES = ("New", "Qualified", "Proposal", "Negotiation", "Agreed")


def order_by_bytes(apps: Any, schema_editor: Any) -> None:
    """PostgreSQL compares by the database's language; SQLite by bytes. Lists and ranges need the same on both."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute('ALTER TABLE crm_record ALTER COLUMN sort_name TYPE varchar(300) COLLATE "C"')
        schema_editor.execute('ALTER TABLE crm_searchword ALTER COLUMN word TYPE varchar(60) COLLATE "C"')
        schema_editor.execute("CREATE INDEX identity_by_prefix ON crm_identity (address varchar_pattern_ops)")


def make_pipeline(apps: Any, schema_editor: Any) -> None:
    """An opportunity needs stages to stand in, from the first day."""
    pipeline = apps.get_model("crm", "Pipeline")
    if not pipeline.objects.exists():
        sales = pipeline.objects.create(name="Sales")
        stage = apps.get_model("crm", "Stage")
        for position, name in enumerate(FIRST_STAGES):
            stage.objects.create(pipeline=sales, name=name, position=position)


class Migration(migrations.Migration):

    dependencies = [
        ('crm', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='SearchWord',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=12)),
                ('word', models.CharField(max_length=60)),
            ],
        ),
        migrations.AddIndex(
            model_name='record',
            index=models.Index(fields=['kind', 'created_at', 'id'], name='record_by_created'),
        ),
        migrations.AddIndex(
            model_name='record',
            index=models.Index(fields=['kind', 'owner', 'sort_name', 'id'], name='record_by_owner'),
        ),
        migrations.AddIndex(
            model_name='record',
            index=models.Index(fields=['company', 'kind', 'sort_name', 'id'], name='record_by_company'),
        ),
        migrations.AddField(
            model_name='searchword',
            name='record',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='search_words', to='crm.record'),
        ),
        migrations.AddIndex(
            model_name='searchword',
            index=models.Index(fields=['kind', 'word', 'record'], name='search_word_by_word'),
        ),
        migrations.AddConstraint(
            model_name='searchword',
            constraint=models.UniqueConstraint(fields=('record', 'word'), name='search_word_once'),
        ),
        migrations.RunPython(order_by_bytes, migrations.RunPython.noop),
        migrations.RunPython(make_pipeline, migrations.RunPython.noop),
    ]
