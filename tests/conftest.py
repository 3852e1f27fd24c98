"""What all tests need. Users are alice and her teammate bob; charlie from outside is only an address.

pytest-django reads the settings before this file is loaded, so `./test` names a data folder
(TANDEM_DATA) in the environment; here it is set for the programs that tests start. Databases are
real files or a real PostgreSQL (DATABASE_URL), for threads do not share SQLite's in-memory ones well.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from django.conf import settings

from tandem.team.models import Company, User

os.environ.setdefault("TANDEM_DATA", tempfile.mkdtemp(prefix="tandem-tests-"))


@pytest.fixture(scope="session")
def django_db_modify_db_settings_parallel_suffix(
    django_db_modify_db_settings_parallel_suffix: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """SQLite's test database is a file of this worker, with the same WAL and IMMEDIATE as in use."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        database.setdefault("TEST", {})["NAME"] = str(Path(tmp_path_factory.mktemp("database")) / "test.sqlite3")


@pytest.fixture
def company(db: None) -> Company:
    """Northwind, in Berlin."""
    return Company.objects.create(id=1, name="Northwind", time_zone="Europe/Berlin")


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice@northwind.example", "Alice Moreau", time_zone="Europe/Berlin")


@pytest.fixture
def bob(db: None) -> User:
    return User.objects.create_user("bob@northwind.example", "Bob Lindqvist", time_zone="Europe/Berlin", hue="ochre")
