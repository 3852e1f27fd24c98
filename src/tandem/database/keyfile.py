"""Keys kept in the data folder: made once, readable by their owner only."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet


def read_or_make_key(path: Path, *, fernet: bool = False) -> str:
    """The key in `path`; a new one is written there first when there is none.

    Two processes that start at once agree: the file is created exclusively, the loser reads it.
    Raises `OSError` when the folder cannot be written.
    """
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        pass
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = Fernet.generate_key().decode() if fernet else secrets.token_urlsafe(48)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(key + "\n")
    return key
