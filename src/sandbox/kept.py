"""What the sample's servers keep in their folders: files written whole, and a port that stays theirs."""

from __future__ import annotations

import random
import socket
from pathlib import Path


class CannotRun(Exception):
    """Why a server of the sample does not run, as a sentence."""


def write_whole(path: Path, content: str | bytes) -> None:
    """Whole or not at all, for its owner's eyes only."""
    draft = path.with_name(path.name + ".new")
    draft.touch(mode=0o600)
    draft.write_bytes(content if isinstance(content, bytes) else content.encode())
    draft.replace(path)


def port_of(folder: Path) -> int:
    """The port that is this folder's: a free one is taken the first time. Raises `CannotRun`."""
    path = folder / "port"
    if path.exists():
        return int(path.read_text())
    port = _free_port()
    write_whole(path, f"{port}\n")
    return port


def listens(port: int) -> bool:
    """Whether a program listens there already."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    """A free port below the range from which systems hand out ports to clients: it shall still be free next week."""
    for port in random.sample(range(20000, 29999), 200):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise CannotRun("No free port was found for the sample's calendar server.")
