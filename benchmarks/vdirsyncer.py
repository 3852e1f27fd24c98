"""vdirsyncer from PyPI, syncing the same collection into a folder of files. It does not parse guests."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

PROGRAM = Path(sys.executable).with_name("vdirsyncer")

_SETTINGS = """[general]
status_path = "{folder}/status"
[pair bench]
a = "server"
b = "files"
collections = ["bench"]
[storage server]
type = "caldav"
url = "{url}"
username = "alice"
password = "{password}"
[storage files]
type = "filesystem"
path = "{folder}/files"
fileext = ".ics"
"""


def measure(url: str, password: str, folder: Path, events: int) -> tuple[float, float]:
    """Seconds of a first sync and of one right after it, each without the start of the program itself."""
    settings = folder / "vdirsyncer.conf"
    settings.write_text(_SETTINGS.format(folder=folder, url=url, password=password))
    (folder / "files" / "bench").mkdir(parents=True)
    start_up = _run("--version")
    _run("-c", str(settings), "discover")
    first = _run("-c", str(settings), "sync")
    got = len(list((folder / "files" / "bench").glob("*.ics")))
    if got != events:
        raise RuntimeError(f"vdirsyncer brought {got} of {events} events")
    again = _run("-c", str(settings), "sync")
    return first - start_up, again - start_up


def _run(*arguments: str) -> float:
    started = time.perf_counter()
    done = subprocess.run([str(PROGRAM), *arguments], capture_output=True, text=True, input="y\n", check=False)
    if done.returncode != 0:
        raise RuntimeError(f"vdirsyncer {arguments[-1]}: {done.stderr[-500:]}")
    return time.perf_counter() - started
