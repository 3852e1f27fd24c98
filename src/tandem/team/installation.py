"""Is this database where it belongs? A restored backup and a clone must not send their old intents.

The same id stands in the database and in a file of the data folder. Where they part, writing to
calendars and mail is held until an administrator says that this is the installation to go on with.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from django.db import transaction

from tandem.team.models import Company, User

MISSING = "This database was used before, but not from this data folder: it may be a restored backup or a copy."
DIFFERENT = "This data folder belongs to another database: one of them may be a restored backup or a copy."


def check(data: Path) -> Company:
    """Compare `data`/installation.id with the database; hold writing where they part.

    A new installation (no file, no users yet) gets its file. Returns the company's settings as stored.
    Raises `OSError` when the folder cannot be read or written.
    """
    path = _path(data)
    with transaction.atomic():
        company = Company.current()
        kept = _read(path)
        if kept == company.installation_id:
            return company
        if not kept and not User.objects.exists():
            _write(path, company.installation_id)
            return company
        company.writing_held = True
        company.held_reason = DIFFERENT if kept else MISSING
        company.save(update_fields=["writing_held", "held_reason"])
    return company


def adopt(data: Path) -> Company:
    """An administrator's word that this is the one to go on with: a new id in both places, writing goes on.

    The id is new, so that the other copy, wherever it runs with the old one, is not taken for this one.
    """
    with transaction.atomic():
        company = Company.current()
        company.installation_id = secrets.token_hex()
        company.writing_held = False
        company.held_reason = ""
        company.save(update_fields=["installation_id", "writing_held", "held_reason"])
        _write(_path(data), company.installation_id)
    return company


def _path(data: Path) -> Path:
    return data / "installation.id"


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        return ""


def _write(path: Path, installation_id: str) -> None:
    """Whole or not at all: a half-written id would hold writing for nothing."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(installation_id + "\n")
    draft.replace(path)
