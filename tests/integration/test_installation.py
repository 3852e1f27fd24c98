"""A restored backup and a clone start with writing held."""

from __future__ import annotations

from pathlib import Path

import pytest

from tandem.team import installation
from tandem.team.models import Company, User

pytestmark = pytest.mark.django_db


def test_a_new_installation_writes_its_id_in_both_places(tmp_path: Path) -> None:
    company = installation.check(tmp_path)
    assert (tmp_path / "installation.id").read_text().strip() == company.installation_id
    assert not company.writing_held


def test_a_second_start_changes_nothing(tmp_path: Path, alice: User) -> None:
    first = Company.current()
    (tmp_path / "installation.id").write_text(first.installation_id + "\n")
    assert not installation.check(tmp_path).writing_held
    assert Company.current().installation_id == first.installation_id


def test_a_used_database_in_a_new_folder_is_held(tmp_path: Path, alice: User) -> None:
    company = installation.check(tmp_path)
    assert company.writing_held
    assert "restored backup or a copy" in company.held_reason
    assert Company.current().writing_held
    assert not (tmp_path / "installation.id").exists()


def test_a_database_of_another_installation_is_held_even_without_users(tmp_path: Path) -> None:
    (tmp_path / "installation.id").write_text("another\n")
    assert installation.check(tmp_path).writing_held


def test_it_stays_held_until_an_administrator_goes_on_with_it(tmp_path: Path, alice: User) -> None:
    before = installation.check(tmp_path)
    assert installation.check(tmp_path).writing_held
    after = installation.adopt(tmp_path)
    assert after.installation_id != before.installation_id
    assert not installation.check(tmp_path).writing_held
