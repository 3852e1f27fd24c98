"""What ./start says and does before there is an environment."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import environment

ROOT = Path(__file__).parents[2]


@pytest.fixture
def venv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment in a folder of its own, whose installs are only noted."""
    monkeypatch.setattr(environment, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(environment, "STAMP", tmp_path / ".venv" / "stamp.json")
    monkeypatch.setattr(environment, "_works", lambda python, _statement: python.exists())
    return tmp_path / ".venv"


def installs_into(venv: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    installed: list[str] = []

    def make() -> None:
        (venv / "bin").mkdir(parents=True)
        (venv / "bin" / "python").touch()

    monkeypatch.setattr(environment, "_make", make)
    monkeypatch.setattr(environment, "_run_pip", lambda _python, name: installed.append(name))
    return installed


def test_a_second_start_installs_nothing(venv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = installs_into(venv, monkeypatch)
    environment.ensure("sandbox")
    environment.ensure("sandbox")
    assert installed == ["sandbox"]


def test_an_environment_holds_the_lists_below_its_own(venv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = installs_into(venv, monkeypatch)
    environment.ensure("dev")
    environment.ensure("runtime")
    assert installed == ["dev"]
    environment.ensure("bench")
    assert installed == ["dev", "bench"]


def test_a_changed_list_is_installed_anew(venv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = installs_into(venv, monkeypatch)
    environment.ensure("runtime")
    monkeypatch.setattr(environment, "_hash", lambda name: f"another {name}")
    environment.ensure("runtime")
    assert installed == ["runtime", "runtime"]


def test_an_install_that_was_interrupted_is_taken_up_again(venv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = installs_into(venv, monkeypatch)

    def interrupted(_python: Path, _name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(environment, "_run_pip", interrupted)
    with pytest.raises(KeyboardInterrupt):
        environment.ensure("runtime")
    monkeypatch.setattr(environment, "_run_pip", lambda _python, name: installed.append(name))
    environment.ensure("runtime")
    assert installed == ["runtime"]


@pytest.mark.parametrize(
    ("output", "words"),
    [
        (
            "WARNING: Retrying … NewConnectionError('…: Failed to establish')\nERROR: No matching distribution",
            "network",
        ),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "hash"),
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk is full"),
        ("ERROR: something new", "something new"),
    ],
)
def test_a_failed_install_is_one_sentence(output: str, words: str) -> None:
    assert words in environment._why(output)


def start(*arguments: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    surroundings = {"PATH": path or f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": "/nowhere"}
    return subprocess.run(
        [str(ROOT / "start"), *arguments], capture_output=True, text=True, timeout=60, env=surroundings, check=False
    )


def test_a_port_that_is_taken_is_said_with_the_option_to_choose_another(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = start("--port", str(port), "--data", str(tmp_path / "data"))
    assert done.returncode == 1
    assert f"Port {port} is taken" in done.stderr
    assert f"./start --port {port + 1}" in done.stderr


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = start("--data", str(tmp_path / "file" / "data"))
    assert done.returncode == 1
    assert "may not write" in done.stderr
    assert "./start --data DIR" in done.stderr


def test_a_python_that_is_too_old_is_said(tmp_path: Path) -> None:
    """A stand-in for Python 3.9: it answers the two questions that are asked of it."""
    for name in ("sh", "dirname"):
        os.symlink(shutil.which(name) or "", tmp_path / name)
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\ncase "$2" in *exit*) exit 1;; *) echo 3.9;; esac\n')
    old.chmod(0o755)
    done = start(path=str(tmp_path))
    assert done.returncode == 1
    assert "needs Python 3.11 or later; this machine has 3.9" in done.stderr


def test_no_python_at_all_is_said(tmp_path: Path) -> None:
    for name in ("sh", "dirname"):
        os.symlink(shutil.which(name) or "", tmp_path / name)
    done = start(path=str(tmp_path))
    assert done.returncode == 1
    assert "found no Python here" in done.stderr
