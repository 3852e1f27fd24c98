"""The server in memory keeps the contract, so what is proved on it holds for real ones."""

from __future__ import annotations

import pytest

from tandem.calendaring.provider import Changed, ReconnectNeeded, TryLater
from tandem.providers.memory import MemoryProvider, MemoryServer, Request
from tests.contract.suite import NOW, PLANNING, CalendarFileContract, CalendarFiles, meeting, resource


class MemoryService(CalendarFiles):
    secret = "no password here"

    def __init__(self) -> None:
        self.server = MemoryServer(changes_page=20)
        self.calendar = self.server.make_calendar("alice", "work")
        self.readonly = self.server.make_calendar("alice", "readonly", writable=False)
        self.server.put(self.readonly, f"{self.readonly}one.ics", resource(*PLANNING))
        self.provider = MemoryProvider(self.server, "alice", now=lambda: NOW)

    def store(self, remote_id: str, raw: str) -> None:
        self.server.put(self.calendar, remote_id, raw)

    def get(self, remote_id: str) -> str | None:
        return self.server.get(self.calendar, remote_id)

    def delete(self, remote_id: str) -> None:
        self.server.delete(self.calendar, remote_id)

    def forget_cursors(self) -> None:
        self.server.expire_tokens(self.calendar)

    def lose_next_answer(self) -> None:
        self.server.lose_answer()

    def write_after_next_write(self, name: str, raw: str) -> None:
        def write(_: Request) -> None:
            self.put(name, raw)

        self.server.after_write = write

    @property
    def requests(self) -> int:
        return len(self.server.requests)

    @property
    def writes(self) -> int:
        return len(self.server.writes)


class TestMemory(CalendarFileContract):
    @pytest.fixture
    def service(self) -> MemoryService:
        return MemoryService()


@pytest.fixture
def server() -> MemoryServer:
    return MemoryService().server


def test_faults_strike_once_and_are_logged(server: MemoryServer):
    alice = MemoryProvider(server, "alice")
    server.ask_for_patience(30, "changes")
    with pytest.raises(TryLater) as busy:
        list(alice.changes("/alice/work/", None, {}))
    assert busy.value.retry_after == 30
    assert list(alice.changes("/alice/work/", None, {}))[-1].complete
    assert [request.outcome for request in server.log] == ["TryLater", "ok"]


def test_a_time_out_before_the_write_leaves_nothing(server: MemoryServer):
    alice = MemoryProvider(server, "alice")
    server.time_out("create")
    with pytest.raises(TryLater):
        alice.create("/alice/work/", "/alice/work/x.ics", [meeting()], silent=True)
    assert alice.read("/alice/work/", "/alice/work/x.ics") is None


def test_an_update_can_be_told_that_it_was_too_late(server: MemoryServer):
    alice = MemoryProvider(server, "alice")
    item = alice.create("/alice/work/", "/alice/work/x.ics", [meeting()], silent=True).item
    server.say_changed()
    with pytest.raises(Changed):
        alice.update("/alice/work/", item, {"": {"title": "New"}}, silent=True, now=NOW)


def test_a_revoked_password_is_refused_until_it_is_given_back(server: MemoryServer):
    alice = MemoryProvider(server, "alice")
    server.password_refused.add("alice")
    with pytest.raises(ReconnectNeeded):
        alice.discover()
    server.password_refused.clear()
    assert alice.discover().addresses == ("alice@example.org",)


def test_writes_that_could_mail_are_told_apart(server: MemoryServer):
    alice = MemoryProvider(server, "alice")
    alice.create("/alice/work/", "/alice/work/x.ics", [meeting()], silent=True)
    alice.create("/alice/work/", "/alice/work/y.ics", [meeting("y")], silent=False)
    assert [request.remote_id for request in server.mails] == ["/alice/work/y.ics"]
    assert len(server.writes) == 2
