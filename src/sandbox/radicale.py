"""A real Radicale as a separate program, with its users, port and storage kept in one folder."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from sandbox.kept import CannotRun, listens, port_of, write_whole

START_SECONDS = 20.0
RESTART_SECONDS = 1.0


class Radicale:
    """A server for `users`, whose passwords are made here once. `port` 0: a free one, kept from then on.

    It ends with this process, even by kill -9: it watches a pipe that only this process holds.
    """

    def __init__(self, folder: Path, users: Sequence[str], *, port: int = 0) -> None:
        self.folder = folder
        self.storage = folder / "collections"
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        self.passwords = self._passwords(users)
        self.port = port or port_of(folder)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    @property
    def pid(self) -> int:
        """The server's process. Raises `CannotRun` when it was not started."""
        if self._process is None:
            raise CannotRun("The calendar server was not started.")
        return self._process.pid

    def start(self) -> None:
        """Run the server and wait until it answers. Raises `CannotRun`."""
        if listens(self.port):
            raise CannotRun(
                f"Port {self.port}, which the sample's calendar server uses, is taken by another program. "
                f"Stop that one, or start with another data folder."
            )
        self._write_settings()
        self._run()
        threading.Thread(target=self._watch, name="radicale-watch", daemon=True).start()

    def _run(self) -> None:
        with (self.folder / "radicale.log").open("ab") as log:
            process = self._process = subprocess.Popen(
                [sys.executable, "-m", "sandbox.radicale_child", "--config", str(self.folder / "radicale.conf")],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until = time.monotonic() + START_SECONDS
        while not listens(self.port):
            if process.poll() is not None or time.monotonic() > until:
                self.stop()
                raise CannotRun(f"The sample's calendar server did not start: see {self.folder / 'radicale.log'}")
            time.sleep(0.02)

    def _watch(self) -> None:
        """A server that died by itself is started again, and the terminal says so."""
        while (process := self._process) is not None:
            process.wait()
            if self._process is not process:
                return
            print("The sample's calendar server ended by itself; it is started again.", flush=True)
            time.sleep(RESTART_SECONDS)
            if self._process is not process:
                return
            try:
                self._run()
            except CannotRun as problem:
                print(problem, flush=True)
                return

    def stop(self) -> None:
        """End the server and wait for it."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(timeout=3)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin is not None:
            process.stdin.close()

    def __enter__(self) -> Radicale:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _passwords(self, users: Sequence[str]) -> dict[str, str]:
        path = self.folder / "passwords.json"
        kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        missing = [user for user in users if user not in kept]
        if missing:
            kept |= {user: "-".join(secrets.token_hex(2) for _ in range(4)) for user in missing}
            write_whole(path, json.dumps(kept, indent=1) + "\n")
        return kept

    def _write_settings(self) -> None:
        write_whole(self.folder / "users", "".join(f"{user}:{password}\n" for user, password in self.passwords.items()))
        write_whole(
            self.folder / "radicale.conf",
            "[server]\n"
            f"hosts = 127.0.0.1:{self.port}\n"
            "max_connections = 64\n"
            "[auth]\n"
            "type = htpasswd\n"
            f"htpasswd_filename = {self.folder / 'users'}\n"
            "htpasswd_encryption = plain\n"
            "[rights]\n"
            "type = owner_only\n"
            "[storage]\n"
            f"filesystem_folder = {self.storage}\n"
            "[logging]\n"
            "level = warning\n",
        )
