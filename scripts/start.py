"""./start: check what can be checked, make the environment, hand over to the server."""

from __future__ import annotations

import argparse
import os
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from scripts import environment
from scripts.environment import ROOT


@dataclass(frozen=True, slots=True)
class Kind:
    """A way to start: where its data are kept, the list of packages it needs, what runs."""

    folder: str
    packages: str
    entry: tuple[str, ...]


KINDS = {
    "": Kind("data", "sandbox", ("sandbox",)),
    "google": Kind("data-google", "google", ("sandbox", "--google")),
    "clean": Kind("data-clean", "runtime", ("tandem", "serve")),
}


class CannotStart(Exception):
    """Why Tandem does not start, as a sentence."""


def main() -> None:
    options = _options()
    kind = KINDS["clean" if options.clean else "google" if options.google else ""]
    folder = Path(options.data).resolve() if options.data else ROOT / kind.folder
    try:
        _check_folder(folder)
        _check_port(options.host, options.port)
        python = environment.ensure(kind.packages)
    except (CannotStart, environment.CannotInstall) as problem:
        print(problem, file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("\nStopped. The next ./start goes on from here.", file=sys.stderr)
        sys.exit(130)
    arguments = [str(python), "-m", *kind.entry, "--host", options.host, "--port", str(options.port)]
    os.execve(str(python), arguments, _surroundings(folder, options.host, options.port))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./start", description="Start Tandem on this machine.")
    parser.add_argument("--port", type=int, default=8000, help="port of the web page (default 8000)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--data", metavar="DIR", help="folder for everything that is kept (default ./data)")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument(
        "--google",
        action="store_true",
        help="the sample team on a stand-in for Google Calendar, kept in ./data-google unless --data is given",
    )
    kind.add_argument(
        "--clean",
        action="store_true",
        help="no sample team: an empty Tandem, kept in ./data-clean unless --data is given",
    )
    options = parser.parse_args()
    if not 1 <= options.port <= 65535:
        parser.error("--port is a number from 1 to 65535")
    return options


def _check_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # customers' data are for the owner alone
        probe = folder / f".writable-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as problem:
        raise CannotStart(
            f"Tandem may not write to {folder} ({problem.strerror}). Choose another folder: ./start --data DIR"
        ) from problem


def _check_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError as problem:
            raise CannotStart(
                f"Only an administrator may use port {port}. Choose a higher one: ./start --port 8000"
            ) from problem
        except OSError as problem:
            if problem.errno in {98, 48}:
                raise CannotStart(
                    f"Port {port} is taken, perhaps by a Tandem that is running. "
                    f"Choose another: ./start --port {port + 1}"
                ) from problem
            raise CannotStart(
                f"Tandem cannot listen on {host}: {problem.strerror}. Choose another: ./start --host 127.0.0.1"
            ) from problem


def _surroundings(folder: Path, host: str, port: int) -> dict[str, str]:
    shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else f"[{host}]" if ":" in host else host
    return {
        "PUBLIC_URL": f"http://{shown}:{port}",
        **os.environ,
        "TANDEM_DATA": str(folder),
        "DJANGO_SETTINGS_MODULE": "tandem.settings",
        "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT))),
        "PYTHONUNBUFFERED": "1",
    }


if __name__ == "__main__":
    main()
