"""The environment in .venv: made by the standard library, filled from a hash-locked list.

The five lists contain one another (runtime < sandbox < google < dev < bench), so an environment that holds
one holds those below it. A stamp keeps the hash of each list that was installed.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "tandem-installed.json"
LOG = VENV / "install.log"
LISTS = ("runtime", "sandbox", "google", "dev", "bench")

_OFFLINE = (
    "NewConnectionError",
    "NameResolutionError",
    "Max retries exceeded",
    "Temporary failure in name resolution",
    "Network is unreachable",
    "ConnectTimeoutError",
    "ReadTimeoutError",
    "ProxyError",
)


class CannotInstall(Exception):
    """Why there is no environment, as a sentence for the person at the keyboard."""


def ensure(name: str) -> Path:
    """The Python of an environment that holds requirements/`name`.txt; made or completed when needed.

    Raises `CannotInstall`.
    """
    python = VENV / "bin" / "python"
    if _installed().get(name) == _hash(name) and _works(python, "import django"):
        return python
    if not _works(python, "import pip"):
        _make()
    _run_pip(python, name)
    below = LISTS[: LISTS.index(name) + 1]
    STAMP.write_text(json.dumps({each: _hash(each) for each in below}, indent=1) + "\n")
    return python


def _hash(name: str) -> str:
    return hashlib.sha256((ROOT / "requirements" / f"{name}.txt").read_bytes()).hexdigest()


def _installed() -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}
    return found


def _works(python: Path, statement: str) -> bool:
    if not python.exists():
        return False
    return subprocess.run([str(python), "-c", statement], capture_output=True, check=False).returncode == 0


def _make() -> None:
    if importlib.util.find_spec("ensurepip") is None:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise CannotInstall(
            "This Python cannot make environments (ensurepip is missing). "
            f"On Debian or Ubuntu: apt install python3-venv (or python{version}-venv), then start again."
        )
    say("Making an environment in .venv …")
    made = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(VENV)], capture_output=True, text=True, check=False
    )
    if made.returncode != 0:
        if not os.access(ROOT, os.W_OK):
            raise CannotInstall(f"Tandem may not write to {ROOT}. Make the folder yours, or clone it somewhere else.")
        raise CannotInstall(f"Python could not make the environment: {_last_line(made.stderr or made.stdout)}")


def _run_pip(python: Path, name: str) -> None:
    """Run pip with hashes required, its output in a log, a count of packages on the screen."""
    path = ROOT / "requirements" / f"{name}.txt"
    total = sum(1 for line in path.read_text().splitlines() if "==" in line and not line.startswith((" ", "#")))
    say(f"Installing {total} packages, once …")
    command = [str(python), "-m", "pip", "install", "--require-hashes", "--no-compile", "--no-input"]
    command += ["--disable-pip-version-check", "--retries", "3", "-r", str(path)]
    try:
        log = LOG.open("w+")
    except OSError as problem:
        raise CannotInstall(f"Tandem may not write to {VENV}: {problem.strerror}.") from problem
    with log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        assert process.stdout is not None
        _follow(process.stdout, log, total)
        status = process.wait()
        log.seek(0)
        output = log.read()
    if status != 0:
        raise CannotInstall(_why(output))


def _follow(lines: Iterable[str], log: TextIO, total: int) -> None:
    seen = 0
    for line in lines:
        log.write(line)
        if line.startswith(("Collecting", "Requirement already satisfied")):
            seen = min(seen + 1, total)
            if sys.stdout.isatty():
                print(f"\r  {seen} of {total}", end="", flush=True)
        elif line.startswith("Installing collected") and sys.stdout.isatty():
            print("\r  unpacking … ", end="", flush=True)
    if sys.stdout.isatty():
        print("\r              \r", end="", flush=True)


def _why(output: str) -> str:
    if "DO NOT MATCH THE HASHES" in output:
        return (
            "A downloaded package is not the one that Tandem was tested with (its hash differs), "
            "so nothing was installed. Try again; if it stays, tell us."
        )
    if any(sign in output for sign in _OFFLINE):
        return (
            "The package index cannot be reached. Tandem needs the network once, to install. Check it and start again."
        )
    if "No space left on device" in output:
        return f"The disk is full: there is no room for the packages in {VENV}."
    if "Permission denied" in output:
        return f"Tandem may not write to {VENV}. Make the folder yours, or clone it somewhere else."
    return f"The packages could not be installed: {_last_line(output)} (all of it: {LOG})"


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")]
    return (errors or lines or ["no reason given"])[-1]


def say(words: str) -> None:
    print(words, flush=True)
