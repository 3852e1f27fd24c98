"""./start as a whole: from an empty folder to linked meetings, again, and after an interruption."""

from __future__ import annotations

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import httpx2
import pytest

ROOT = Path(__file__).parents[2]
READY = "Stop with Ctrl C"
SOON = 90.0


@dataclass
class Running:
    """A Tandem that said it is ready. `said` is all it printed until then."""

    process: subprocess.Popen[str]
    url: str
    said: str
    seconds: float

    def links(self) -> list[str]:
        return re.findall(r"http://\S+/sign-in/\S+", self.said)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def launch(data: Path, port: int, entry: tuple[str, ...], **more: str) -> subprocess.Popen[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("TANDEM_", "DATABASE_URL"))}
    surroundings = clean | {
        "TANDEM_DATA": str(data),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "DJANGO_SETTINGS_MODULE": "tandem.settings",
        "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT))),
        "PYTHONUNBUFFERED": "1",
        **more,
    }
    return subprocess.Popen(
        [sys.executable, "-m", *entry, "--port", str(port)],
        env=surroundings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@contextmanager
def running(data: Path, *, entry: tuple[str, ...] = ("sandbox",)) -> Iterator[Running]:
    port = free_port()
    started = time.monotonic()
    process = launch(data, port, entry)
    assert process.stdout is not None
    said = ""
    try:
        for line in process.stdout:
            said += line
            if READY in line:
                break
        assert READY in said, said
        yield Running(process, f"http://127.0.0.1:{port}", said, time.monotonic() - started)
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()


@contextmanager
def signed_in(tandem: Running, who: int = 0) -> Iterator[httpx2.Client]:
    """A reader's browser, in by the link that was printed."""
    with httpx2.Client(base_url=tandem.url, follow_redirects=True, timeout=30) as browser:
        link = tandem.links()[who]
        page = browser.get(link)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert token, page.text[:500]
        browser.post(link, data={"csrfmiddlewaretoken": token[1]}, headers={"Referer": link})
        yield browser


def until(true: Callable[[], bool]) -> bool:
    end = time.monotonic() + SOON
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.25)
    return False


def rows(data: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(f"file:{data / 'tandem.sqlite3'}?mode=ro", uri=True)) as database:
        return database.execute(query).fetchall()


def count(data: Path, table: str) -> int:
    return int(str(rows(data, f"SELECT count(*) FROM {table}")[0][0]))


def everything_read(data: Path) -> bool:
    return rows(data, "SELECT count(*) FROM mailboxes_calendar WHERE cursor IS NOT NULL") == [(3,)]


def contents(data: Path) -> dict[str, bytes]:
    """What the calendar server holds, file by file, without its own caches."""
    folder = data / "radicale" / "collections" / "collection-root"
    return {str(file): file.read_bytes() for file in folder.rglob("*.ics") if ".Radicale.cache" not in file.parts}


KEPT = ("team_user", "crm_record", "crm_identity", "crm_note", "mailboxes_account", "mailboxes_calendar")
READ = ("meetings_remoteobject", "meetings_copy", "meetings_meeting", "meetings_occurrence", "meetings_participant")


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a sample that was started once, read its calendars, and was stopped."""
    data = tmp_path_factory.mktemp("sample")
    with running(data) as tandem:
        assert len(tandem.links()) == 3
        assert until(lambda: everything_read(data)), rows(data, "SELECT name, error, held FROM mailboxes_calendar")
        with signed_in(tandem) as browser:
            people = browser.get("/people").text
            assert "Priya Raman" in people
            priya = UUID(str(rows(data, "SELECT id FROM crm_record WHERE name = 'Priya Raman'")[0][0]))
            page = browser.get(f"/people/{priya}")
            assert page.status_code == 200
            assert "Halden weekly" in page.text
            assert "Contract review" in page.text
    return data


def test_the_first_start_serves_linked_meetings(sample: Path) -> None:
    assert count(sample, "meetings_meeting") > 50
    assert rows(sample, "SELECT count(*) FROM crm_record WHERE next_meeting_at IS NOT NULL")[0][0] != 0
    assert rows(sample, "SELECT count(*) FROM crm_record WHERE last_meeting_at IS NOT NULL")[0][0] != 0


def test_the_first_sync_wrote_and_mailed_nothing(sample: Path) -> None:
    assert count(sample, "meetings_intent") == 0
    assert count(sample, "invitations_ledgerentry") == 0
    assert list((sample / "mail").glob("*.eml")) == []


def test_a_meeting_of_both_is_one_meeting(sample: Path) -> None:
    assert rows(sample, "SELECT count(*) FROM meetings_meeting WHERE title = 'Shop plans, with Bob'") == [(1,)]


def test_a_second_start_is_quick_and_changes_nothing(sample: Path) -> None:
    before = {table: count(sample, table) for table in (*KEPT, *READ)}
    files = contents(sample)
    installation = (sample / "installation.id").read_text()
    with running(sample) as tandem:
        assert len(tandem.links()) == 3
    assert {table: count(sample, table) for table in (*KEPT, *READ)} == before
    assert contents(sample) == files
    assert (sample / "installation.id").read_text() == installation
    assert rows(sample, "SELECT writing_held FROM team_company") == [(0,)]


def test_a_second_server_on_the_same_data_is_refused(sample: Path) -> None:
    with running(sample):
        second = launch(sample, free_port(), ("sandbox",))
        said, _ = second.communicate(timeout=60)
    assert second.returncode == 1
    assert "running already" in said


def test_a_start_that_was_killed_half_way_is_made_good_by_the_next(tmp_path: Path) -> None:
    process = launch(tmp_path, free_port(), ("sandbox",))
    assert process.stdout is not None
    assert until(lambda: (tmp_path / "radicale" / "collections" / "collection-root" / "alice").exists())
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert not (tmp_path / "sample.done").exists()
    with running(tmp_path):
        assert until(lambda: everything_read(tmp_path))
    assert count(tmp_path, "team_user") == 3
    assert count(tmp_path, "mailboxes_account") == 2
    assert rows(tmp_path, "SELECT count(*) FROM crm_record GROUP BY kind ORDER BY kind") == [(15,), (12,), (10,), (40,)]


def test_a_clean_start_asks_for_the_administrator(tmp_path: Path) -> None:
    with running(tmp_path, entry=("tandem", "serve")) as tandem:
        assert "make the administrator" in tandem.said
        page = httpx2.get(f"{tandem.url}/", follow_redirects=True, timeout=30)
        assert page.status_code == 200
        assert 'type="password"' in page.text
        flood = httpx2.post(f"{tandem.url}/hooks/google", content=b"x" * 6_000_000, timeout=30)
        assert flood.status_code == 413
    assert count(tmp_path, "team_user") == 0


def test_the_sample_is_not_mixed_into_data_of_ones_own(tmp_path: Path) -> None:
    with running(tmp_path, entry=("tandem", "serve")):
        pass
    with closing(sqlite3.connect(tmp_path / "tandem.sqlite3")) as database, database:
        database.execute(
            "INSERT INTO team_user (id, password, email, name, role, time_zone, hue, is_active, created_at)"
            " VALUES ('0' , '', 'charlie@elsewhere.example', 'Charlie', 'member', 'UTC', 'blue', 1, '2026-01-01')"
        )
    process = launch(tmp_path, free_port(), ("sandbox",))
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "--clean" in said


def test_a_database_that_is_not_there_is_said(tmp_path: Path) -> None:
    nowhere = f"postgresql://tandem:secret@127.0.0.1:{free_port()}/tandem"
    process = launch(tmp_path, free_port(), ("tandem", "serve"), DATABASE_URL=nowhere)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "The database cannot be opened" in said
    assert "Traceback" not in said
    assert "secret" not in said
