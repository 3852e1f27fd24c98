"""A real Radicale for tests, as a program of its own on a free port, with its files in a folder of its own.

    with RadicaleServer() as server:
        work = server.make_calendar("alice", "work")          # "/alice/work/"
        server.put("alice", work + "one.ics", text)

Users are alice, bob, and admin, who may do everything. In calendars whose name begins with `readonly`
alice and bob can only read; `put` and `delete` write there as admin.
"""

from __future__ import annotations

import http.client
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote, urlsplit
from xml.sax.saxutils import escape

import pytest

from tandem.calendaring.provider import Credentials

PASSWORDS = {"alice": "alice-secret", "bob": "bob-secret", "admin": "admin-secret"}
START_SECONDS = 20.0

_RIGHTS = """
[admin]
user: admin
collection: .*
permissions: RrWw
[root]
user: .+
collection:
permissions: R
[principal]
user: .+
collection: {user}
permissions: RW
[readonly]
user: .+
collection: {user}/readonly[^/]*
permissions: r
[calendars]
user: .+
collection: {user}/[^/]+
permissions: rw
"""

_MKCALENDAR = """<?xml version="1.0" encoding="utf-8"?>
<C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:A="http://apple.com/ns/ical/">
<D:set><D:prop><D:displayname>{name}</D:displayname><A:calendar-color>#2f6fdeff</A:calendar-color>
<C:supported-calendar-component-set>{kinds}</C:supported-calendar-component-set></D:prop></D:set></C:mkcalendar>"""


class RadicaleServer:
    """Start it with `start` or `with`. It ends with this process, whatever ends that."""

    def __init__(self, folder: Path | None = None) -> None:
        self._own_folder = folder is None
        self.folder = folder or Path(tempfile.mkdtemp(prefix="radicale-"))
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def credentials(self, name: str, *, url: str = "", password: str = "") -> Credentials:
        """What `name` would type on the connect page; `url` replaces the server's (a proxy's)."""
        return Credentials(url or self.url, name, password or PASSWORDS[name])

    def start(self) -> RadicaleServer:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._write_settings()
        with (self.folder / "radicale.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "sandbox.radicale_child", "--config", str(self.folder / "radicale.conf")],
                cwd=Path(__file__).resolve().parent.parent,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                log = (self.folder / "radicale.log").read_text()
                self.stop()
                raise RuntimeError(log)
            time.sleep(0.02)
        return self

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            if self._process.stdin is not None:
                self._process.stdin.close()
            self._process = None
        if self._own_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> RadicaleServer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def make_calendar(self, name: str, calendar: str, *, kinds: tuple[str, ...] = ("VEVENT",), title: str = "") -> str:
        """A new empty calendar of user `name`; the answer is its path (decoded), as `remote_id` has it."""
        path = f"/{name}/{calendar}/"
        self.request("PROPFIND", f"/{name}/", user=name)  # a principal comes to be with its first request
        comps = "".join(f'<C:comp name="{kind}"/>' for kind in kinds)
        status, _, body = self.request(
            "MKCALENDAR", path, _MKCALENDAR.format(name=escape(title or calendar), kinds=comps)
        )
        assert status == 201, (status, body)
        return path

    def put(self, name: str, path: str, text: str) -> str:
        """Store a resource as another program of user `name` would; the answer is its ETag."""
        headers = {"Content-Type": "text/calendar; charset=utf-8"}
        user = "admin" if "/readonly" in path else name
        status, answered, body = self.request("PUT", path, text, user=user, headers=headers)
        assert status in (201, 204), (status, body)
        return answered.get("etag", "")

    def get(self, name: str, path: str) -> tuple[str, str] | None:
        """A resource's text and ETag, or None when there is none."""
        status, answered, body = self.request("GET", path, user=name)
        return (body, answered.get("etag", "")) if status == 200 else None

    def delete(self, name: str, path: str) -> None:
        status, _, body = self.request("DELETE", path, user="admin" if "/readonly" in path else name)
        assert status in (200, 204), (status, body)

    def request(
        self, method: str, path: str, body: str = "", *, user: str = "admin", headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], str]:
        """Any request over plain HTTP: status, headers (lower case), body. `path` is decoded."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        login = b64encode(f"{user}:{PASSWORDS[user]}".encode()).decode()
        try:
            connection.request(
                method,
                quote(urlsplit(path).path if "://" in path else path, safe="/@:!$&'()*+,;=~%"),
                body.encode() if body else None,
                {"Authorization": f"Basic {login}", **(headers or {})},
            )
            response = connection.getresponse()
            text = response.read().decode("utf-8", "replace")
            return response.status, {name.lower(): value for name, value in response.getheaders()}, text
        finally:
            connection.close()

    def _answers(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(0.5)
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def _write_settings(self) -> None:
        users = "".join(f"{name}:{password}\n" for name, password in PASSWORDS.items())
        (self.folder / "users").write_text(users)
        (self.folder / "rights").write_text(_RIGHTS)
        (self.folder / "radicale.conf").write_text(
            f"[server]\nhosts = 127.0.0.1:{self.port}\nmax_connections = 64\n"
            f"[auth]\ntype = htpasswd\nhtpasswd_filename = {self.folder / 'users'}\n"
            "htpasswd_encryption = plain\ndelay = 0\n"
            f"[rights]\ntype = from_file\nfile = {self.folder / 'rights'}\n"
            f"[storage]\nfilesystem_folder = {self.folder / 'collections'}\n"
            "[logging]\nlevel = warning\n"
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def radicale_server(tmp_path_factory: pytest.TempPathFactory):
    """One server for a whole test run; each test makes calendars with names of its own."""
    with RadicaleServer(tmp_path_factory.mktemp("radicale")) as server:
        yield server
