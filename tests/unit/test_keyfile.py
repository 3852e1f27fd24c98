"""Keys in the data folder: made once, and for its owner alone."""

from __future__ import annotations

from pathlib import Path

from tandem.database.keyfile import read_or_make_key


def test_a_key_and_its_folder_are_for_their_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "data" / "secret.key"
    key = read_or_make_key(path)
    assert read_or_make_key(path) == key
    assert (path.stat().st_mode & 0o077, path.parent.stat().st_mode & 0o077) == (0, 0)
