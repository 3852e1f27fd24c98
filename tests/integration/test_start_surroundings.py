"""What ./start puts around Tandem: the calendar server, the mail sink, the sample's calendars."""

from __future__ import annotations

import os
import signal
import smtplib
import socket
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import icalendar
import pytest

from sandbox import events
from sandbox.kept import CannotRun
from sandbox.mail_sink import MailSink
from sandbox.radicale import Radicale

ROOT = Path(__file__).parents[2]


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_the_calendar_server_keeps_its_port_and_passwords(tmp_path: Path) -> None:
    with Radicale(tmp_path, ["alice", "bob"]) as first:
        assert listens(first.port)
    again = Radicale(tmp_path, ["alice", "bob"])
    assert (again.port, again.passwords) == (first.port, first.passwords)
    assert not listens(again.port)


def test_the_calendar_servers_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "radicale"
    Radicale(folder, ["alice"])
    assert folder.stat().st_mode & 0o077 == 0
    assert (folder / "passwords.json").stat().st_mode & 0o077 == 0


def test_a_port_that_another_program_took_meanwhile_is_said(tmp_path: Path) -> None:
    radicale = Radicale(tmp_path, ["alice"])
    with socket.socket() as other:
        other.bind(("127.0.0.1", radicale.port))
        other.listen()
        with pytest.raises(CannotRun, match=f"Port {radicale.port}"):
            radicale.start()


def test_the_calendar_server_ends_with_its_parent_even_by_kill_9(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from sandbox.radicale import Radicale\n"
        "r = Radicale(Path(sys.argv[1]), ['alice']); r.start(); print(r.port, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.PIPE,
        text=True,
    )
    with parent:
        assert parent.stdout is not None
        port = int(parent.stdout.readline())
        assert listens(port)
        parent.send_signal(signal.SIGKILL)
    until = time.monotonic() + 10
    while listens(port) and time.monotonic() < until:
        time.sleep(0.05)
    assert not listens(port)


def test_mail_is_kept_with_who_would_have_got_it(tmp_path: Path) -> None:
    message = EmailMessage()
    message["Subject"] = "Contract review"
    message.set_content("Thursday at two.")
    with MailSink(tmp_path) as sink, smtplib.SMTP("127.0.0.1", sink.port) as client:
        for guest in ("priya.raman@halden.example", "tom.eklund@halden.example"):
            client.send_message(message, "tandem@northwind.example", [guest])
    kept = sorted(tmp_path.glob("*.eml"))
    assert [file.read_text().splitlines()[0] for file in kept] == [
        "X-Envelope-To: priya.raman@halden.example",
        "X-Envelope-To: tom.eklund@halden.example",
    ]
    assert "Subject: Contract review" in kept[0].read_text()


# A leap day, the days on which clocks change, the turn of a year, and every weekday.
DAYS = [date(2028, 2, 29), date(2026, 3, 29), date(2026, 10, 25), date(2026, 12, 31)]
DAYS += [date(2026, 11, 16) + timedelta(days=number) for number in range(7)]


@pytest.mark.parametrize("today", DAYS)
def test_the_samples_calendars_are_sound_on_any_day(today: date) -> None:
    made = events.resources(today)
    assert max(Counter((each.path, each.name) for each in made).values()) == 1
    for each in made:
        calendar = icalendar.Calendar.from_ical(each.text)
        uids = {str(event["UID"]) for event in calendar.walk("VEVENT")}
        assert len(uids) == 1
        for event in calendar.walk("VEVENT"):
            assert event.end > event.start


def test_the_sample_shows_what_it_should() -> None:
    today = date(2026, 11, 18)
    made = events.resources(today)
    everything = "\n".join(each.text for each in made)
    for sign in ("RRULE:", "EXDATE", "RECURRENCE-ID", "VALUE=DATE", "CLASS:PRIVATE", "America/New_York", "Asia/Tokyo"):
        assert sign in everything
    copies = Counter(each.name for each in made)
    assert sum(1 for count in copies.values() if count == 2) >= 4
    starts = [
        datetime.combine(start, datetime.min.time(), UTC) if not isinstance(start, datetime) else start.astimezone(UTC)
        for each in made
        for event in icalendar.Calendar.from_ical(each.text).walk("VEVENT")
        for start in [event.start]
    ]
    now = datetime(2026, 11, 18, 12, tzinfo=UTC)
    assert min(starts) < now - timedelta(days=28)
    assert any(start >= now + timedelta(hours=744) for start in starts)
    assert 50 <= len(made) <= 80
