"""The real product, as ./start runs it: a program of its own, in a fresh folder, on a free port.

What a journey knows of it is what it prints: its address, the links to sign in by, the calendar server.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import urljoin, urlsplit, urlunsplit
from uuid import uuid4
from xml.sax.saxutils import escape

import httpx2
import psycopg
from psycopg.sql import SQL, Identifier

ROOT = Path(__file__).resolve().parents[2]
READY = "Stop with Ctrl C"
DEADLINE = 30.0
Found = TypeVar("Found")

_WITH_TITLE = """<?xml version="1.0" encoding="utf-8"?>
<C:calendar-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop><D:getetag/></D:prop><C:filter>
<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:prop-filter name="SUMMARY">
<C:text-match>{title}</C:text-match></C:prop-filter></C:comp-filter></C:comp-filter></C:filter></C:calendar-query>"""


def until(look: Callable[[], Found], what: str, seconds: float = DEADLINE, pause: float = 0.05) -> Found:
    """What `look` finds, as soon as it finds something. Fails with `what` after `seconds`; `pause` between looks."""
    end = time.monotonic() + seconds
    while True:
        if found := look():
            return found
        assert time.monotonic() < end, f"Not within {seconds:.0f} s: {what}"
        time.sleep(pause)


@dataclass(frozen=True, slots=True)
class Product:
    """A Tandem that said it is ready. `said` is what it printed until then."""

    url: str
    said: str

    def link(self, first_name: str) -> str:
        """The one-time link that was printed for this user."""
        found = re.search(rf"^\s*{first_name} .*?(http://\S+/sign-in/\S+)$", self.said, re.MULTILINE)
        assert found, self.said
        return found[1]

    def calendar_server(self, login: str) -> CalendarServer:
        """The calendar server that was printed, as `login` reaches it with any other program."""
        address = re.search(r"same calendars: (\S+)", self.said)
        password = re.search(rf"user {login}\s+password (\S+)", self.said)
        assert address, self.said
        assert password, self.said
        return CalendarServer(address[1], login, password[1])


@contextmanager
def running(data: Path, *entry: str, host: str = "127.0.0.1", **more: str) -> Iterator[Product]:
    """`entry` is what ./start hands over to: `sandbox` (`--google`), or `tandem serve` for ./start --clean.

    `host` is the name under which a browser comes.
    """
    port = _free_port()
    more = {"PUBLIC_URL": f"http://{host}:{port}", **more}
    with _database() as database, _launched(data, entry, port, database | more) as process:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if READY in line:
                break
        assert READY in said, said
        yield Product(f"http://{host}:{port}", said)


@contextmanager
def _database() -> Iterator[dict[str, str]]:
    """SQLite in the data folder; where the tests run on a PostgreSQL, a database of its own there."""
    server = os.environ.get("DATABASE_URL", "")
    if not server:
        yield {}
        return
    name = f"journey_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        try:
            yield {"DATABASE_URL": urlunsplit(urlsplit(server)._replace(path=f"/{name}"))}
        finally:
            connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


@contextmanager
def _launched(data: Path, entry: tuple[str, ...], port: int, more: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    outside = ("TANDEM_", "DATABASE_URL", "PUBLIC_URL", "SMTP_URL", "MAIL_FROM")
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith(outside)}
    surroundings |= {
        "TANDEM_DATA": str(data),
        "DJANGO_SETTINGS_MODULE": "tandem.settings",
        "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT))),
        "PYTHONUNBUFFERED": "1",
        **more,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", *entry, "--port", str(port)],
        env=surroundings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Resource:
    """One file of a calendar, as plain HTTP gives it. `path` begins with a slash."""

    path: str
    text: str
    etag: str


class CalendarServer:
    """The calendar server, seen by one of its users with another program than Tandem."""

    def __init__(self, address: str, login: str, password: str) -> None:
        self.address, self.login, self.password = address, login, password

    def get(self, path: str) -> Resource | None:
        answer = self._ask("GET", path)
        if answer.status_code in (404, 410):
            return None
        assert answer.status_code == 200, (answer.status_code, answer.text)
        return Resource(path, answer.text, answer.headers["ETag"])

    def find(self, calendar: str, title: str) -> Resource | None:
        """The one event of `/login/calendar/` with exactly this title, or None."""
        headers = {"Depth": "1", "Content-Type": "application/xml; charset=utf-8"}
        query = _WITH_TITLE.format(title=escape(title)).encode()
        answer = self._ask("REPORT", f"/{self.login}/{calendar}/", content=query, headers=headers)
        assert answer.status_code == 207, (answer.status_code, answer.text)
        line = "\nSUMMARY:" + title.replace(",", "\\,") + "\r\n"
        near = (self.get(path) for path in re.findall(r"<(?:\w+:)?href>([^<]+\.ics)</", answer.text))
        found = [resource for resource in near if resource and line in resource.text]
        assert len(found) < 2, found
        return found[0] if found else None

    def put(self, path: str, text: str, *, instead_of: Resource | None = None) -> Resource:
        """Store a new event, or another version of one that was read before."""
        rule = {"If-Match": instead_of.etag} if instead_of else {"If-None-Match": "*"}
        headers = {"Content-Type": "text/calendar; charset=utf-8", **rule}
        answer = self._ask("PUT", path, content=text.encode(), headers=headers)
        assert answer.status_code in (201, 204), (answer.status_code, answer.text)
        stored = self.get(path)
        assert stored is not None
        return stored

    def delete(self, resource: Resource) -> None:
        answer = self._ask("DELETE", resource.path, headers={"If-Match": resource.etag})
        assert answer.status_code in (200, 204), (answer.status_code, answer.text)

    def _ask(self, method: str, path: str, **more: object) -> httpx2.Response:
        login = (self.login, self.password)
        return httpx2.request(method, urljoin(self.address, path), auth=login, timeout=20, **more)  # type: ignore[arg-type]
