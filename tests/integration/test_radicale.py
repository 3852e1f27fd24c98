"""The whole way, with a real calendar server: connect, first sync, edits both ways, conflict, deletion."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from django.conf import LazySettings

from tandem.calendaring.event import When
from tandem.calendaring.provider import ProviderError, ReconnectNeeded, TryLater
from tandem.crm.models import Record
from tandem.invitations.models import LedgerEntry
from tandem.mailboxes.models import Account, Calendar, Sender
from tandem.meetings import reading, verbs
from tandem.meetings.models import Intent, Meeting
from tandem.sync import accounts
from tandem.sync.cycle import sync_calendar
from tandem.team.models import Company, User
from tests.mailbox import CHARLIE, meeting, person
from tests.proxy import CountingProxy
from tests.radicale import RadicaleServer, radicale_server

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["radicale_server"]


def clock() -> datetime:
    return datetime.now(UTC)


RAW = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Somebody//Else//EN
BEGIN:VEVENT
UID:{uid}
DTSTAMP:20261101T120000Z
DTSTART;TZID=Europe/Oslo:{start}
DURATION:PT1H
SUMMARY:Walkthrough
LOCATION;LANGUAGE=no:Storgata 12
X-SOMEBODY-ELSE;X-PARAM="a;b":Keep me: exactly, so
ORGANIZER;CN=Alice Moreau:mailto:alice@northwind.example
ATTENDEE;CN="Charlie Baker";PARTSTAT=ACCEPTED;X-NUM-GUESTS=0:mailto:charlie@outside.example
CLASS:PUBLIC
BEGIN:VALARM
ACTION:DISPLAY
DESCRIPTION:Soon
TRIGGER:-PT10M
X-ALARM-ID:7
END:VALARM
END:VEVENT
END:VCALENDAR
"""


@dataclass
class Office:
    """Alice with one calendar on a real server, reached through a counting proxy."""

    server: RadicaleServer
    proxy: CountingProxy
    alice: User
    charlie: Record
    account: Account
    calendar: Calendar

    def sync(self) -> None:
        assert sync_calendar(self.calendar.id, clock=clock)
        self.calendar.refresh_from_db()
        assert not self.calendar.error

    def path(self, uid: str = "walkthrough") -> str:
        return f"{self.calendar.remote_id}{uid}.ics"

    def put(self, uid: str = "walkthrough", *, days: int = 2, **replaced: str) -> str:
        start = (clock() + timedelta(days=days)).strftime("%Y%m%dT100000")
        text = RAW.format(uid=uid, start=start)
        for before, after in replaced.items():
            text = text.replace(before, after)
        self.server.put("alice", self.path(uid), text.replace("\n", "\r\n"))
        return text

    def get(self, uid: str = "walkthrough") -> str:
        found = self.server.get("alice", self.path(uid))
        assert found is not None
        return found[0]

    def rows(self) -> list[reading.EventRow]:
        return reading.section(self.charlie, self.alice, clock()).upcoming

    def change(self, **values: Any) -> Intent:
        (row,) = self.rows()
        detail = reading.detail(row.meeting_id, row.original_start, self.alice, clock())
        becomes = msgspec.structs.replace(detail.event, **values)
        intent = verbs.change(self.alice, detail.meeting, "", detail.event, becomes, tell=True, now=clock())
        assert intent is not None
        return intent


@pytest.fixture
def office(radicale_server: RadicaleServer, alice: User, company: Company, settings: LazySettings) -> Iterator[Office]:
    settings.ALLOW_PRIVATE_NETWORK = True
    name = f"work-{uuid4().hex[:8]}"
    path = radicale_server.make_calendar("alice", name)
    with CountingProxy(radicale_server.url) as proxy:
        credentials = radicale_server.credentials("alice", url=proxy.url)
        account = accounts.connect(alice, credentials, addresses=[alice.email], now=clock())
        calendar = account.calendars.get(remote_id=path)
        accounts.choose_calendars(account, read=[calendar.id], target=calendar.id, now=clock())
        charlie = person(alice, "Charlie Baker", CHARLIE)
        yield Office(radicale_server, proxy, alice, charlie, account, calendar)


def differing(before: str, after: str) -> set[str]:
    """The names of the lines in which two resources differ."""
    unfolded = [text.replace("\r\n ", "").splitlines() for text in (before, after)]
    lines = set(unfolded[0]) ^ set(unfolded[1])
    return {line.split(":")[0].split(";")[0] for line in lines}


def test_a_first_sync_writes_nothing_and_a_second_is_one_request(office: Office) -> None:
    for number in range(5):
        office.put(f"m{number}")
    office.proxy.clear()
    office.sync()
    assert len(office.rows()) == 5
    assert office.proxy.writes == []
    office.proxy.clear()
    office.sync()
    assert len(office.proxy.requests) == 1


@pytest.mark.parametrize(
    ("values", "lines"),
    [
        ({"title": "Proposal"}, {"SUMMARY"}),
        ({"location": "Hall B, gate 3"}, {"LOCATION"}),
        ({"title": "Proposal", "location": "Hall B"}, {"SUMMARY", "LOCATION"}),
    ],
)
def test_an_edit_here_changes_nothing_else_there(office: Office, values: dict[str, str], lines: set[str]) -> None:
    office.put()
    office.sync()
    before = office.get()
    intent = office.change(**values)
    office.sync()
    intent.refresh_from_db()
    assert intent.state == Intent.State.CONFIRMED
    assert differing(before, office.get()) <= lines | {"DTSTAMP", "LAST-MODIFIED", "SEQUENCE"}
    assert lines <= differing(before, office.get())
    assert "X-SOMEBODY-ELSE" in office.get()


def test_a_moved_time_is_moved_there_in_its_own_zone(office: Office) -> None:
    office.put()
    office.sync()
    before = office.get()
    (row,) = office.rows()
    start = row.starts_at + timedelta(hours=3)
    office.change(when=When.timed(start, start + timedelta(hours=2), row.when.zone))
    office.sync()
    after = office.get()
    assert differing(before, after) <= {"DTSTART", "DTEND", "DURATION", "DTSTAMP", "LAST-MODIFIED", "SEQUENCE"}
    assert "DTSTART;TZID=Europe/Oslo:" in after
    assert "T130000" in after


def test_a_change_and_a_deletion_there_arrive_here(office: Office) -> None:
    office.put()
    office.sync()
    office.put(Walkthrough="Moved there")
    office.sync()
    assert [row.title for row in office.rows()] == ["Moved there"]
    office.server.delete("alice", office.path())
    office.sync()
    assert office.rows() == []


def test_different_fields_on_both_sides_both_survive(office: Office) -> None:
    office.put()
    office.sync()
    office.change(title="Proposal")
    office.put(Storgata="Kirkegata")
    office.sync()
    assert "SUMMARY:Proposal" in office.get()
    assert "Kirkegata 12" in office.get()
    assert [(row.title, row.location) for row in office.rows()] == [("Proposal", "Kirkegata 12")]


def test_the_same_field_on_both_sides_is_a_conflict_and_nothing_is_lost(office: Office) -> None:
    office.put()
    office.sync()
    intent = office.change(title="Mine")
    office.put(Walkthrough="Theirs")
    office.sync()
    assert "SUMMARY:Theirs" in office.get()
    assert [(row.title, row.sign) for row in office.rows()] == [("Theirs", "conflict")]
    intent.refresh_from_db()
    assert '"Mine"' in intent.changes


def test_a_new_meeting_is_there_and_its_guests_are_told_by_tandem(office: Office) -> None:
    assert office.account.invitations_by == Sender.TANDEM
    start = clock().replace(minute=0, second=0, microsecond=0) + timedelta(days=3)
    draft = meeting("", guests=(CHARLIE,), when=When.timed(start, start + timedelta(hours=1), "Europe/Paris"))
    made = verbs.schedule(office.alice, office.calendar, draft, tell=True, record=office.charlie, now=clock())
    office.proxy.clear()
    office.sync()
    assert [method for method, _, _ in office.proxy.writes] == ["PUT"]
    remote_id = Meeting.objects.get(id=made.id).authority.remote_object.remote_id  # type: ignore[union-attr]
    found = office.server.get("alice", remote_id)
    assert found is not None
    assert "ATTENDEE" in found[0]
    entry = LedgerEntry.objects.get()
    assert (entry.address, entry.method, entry.told_by) == (CHARLIE, "REQUEST", Sender.TANDEM)


def test_cancelled_here_it_is_gone_there(office: Office) -> None:
    office.put()
    office.sync()
    (row,) = office.rows()
    verbs.cancel(office.alice, Meeting.objects.get(id=row.meeting_id), "", tell=True, now=clock())
    office.sync()
    assert office.server.get("alice", office.path()) is None
    assert office.rows() == []
    assert LedgerEntry.objects.get().method == "CANCEL"


def test_connecting_says_what_is_wrong(radicale_server: RadicaleServer, alice: User, settings: LazySettings) -> None:
    settings.ALLOW_PRIVATE_NETWORK = True
    with pytest.raises(ReconnectNeeded) as wrong:
        accounts.connect(alice, radicale_server.credentials("alice", password="wrong"), now=clock())
    assert "password" in wrong.value.words
    with pytest.raises(TryLater):
        accounts.connect(alice, radicale_server.credentials("alice", url="http://127.0.0.1:9/"), now=clock())
    with pytest.raises(accounts.AddressesNeeded):
        accounts.connect(alice, radicale_server.credentials("alice"), now=clock())
    settings.ALLOW_PRIVATE_NETWORK = False
    with pytest.raises(ProviderError) as refused:
        accounts.connect(alice, radicale_server.credentials("alice"), addresses=[alice.email], now=clock())
    assert "network" in refused.value.words
    assert not Account.objects.exists()


def test_reconnecting_finds_the_account_again_and_doubles_nothing(office: Office) -> None:
    office.put()
    office.sync()
    accounts.disconnect(office.account, now=clock())
    assert office.rows() == []
    again = accounts.connect(
        office.alice,
        office.server.credentials("alice", url=office.proxy.url),
        addresses=[office.alice.email],
        now=clock(),
    )
    assert again.id == office.account.id
    accounts.choose_calendars(again, read=[office.calendar.id], target=office.calendar.id, now=clock())
    office.proxy.clear()
    office.sync()
    assert len(office.rows()) == 1
    assert office.proxy.writes == []
    assert Meeting.objects.count() == 1


@pytest.mark.parametrize("first", ["alice", "bob"])
def test_two_mailboxes_of_one_server_hold_one_meeting_and_one_request_each_says_nothing_changed(
    office: Office, bob: User, first: str
) -> None:
    path = office.server.make_calendar("bob", f"work-{uuid4().hex[:8]}")
    other = office.server.make_calendar("alice", f"other-{uuid4().hex[:8]}")
    credentials = office.server.credentials("bob", url=office.proxy.url)
    account = accounts.connect(bob, credentials, addresses=[bob.email], now=clock())
    bobs = account.calendars.get(remote_id=path)
    accounts.choose_calendars(account, read=[bobs.id], target=bobs.id, now=clock())
    accounts.refresh_calendars(office.account, now=clock())
    others = office.account.calendars.get(remote_id=other)
    read = [office.calendar.id, others.id]
    accounts.choose_calendars(office.account, read=read, target=office.calendar.id, now=clock())

    start = (clock() + timedelta(days=2)).strftime("%Y%m%dT100000")
    guest = "ATTENDEE;CN=Bob:mailto:bob@northwind.example\r\nCLASS:PUBLIC"
    text = RAW.format(uid="shared", start=start).replace("\n", "\r\n").replace("CLASS:PUBLIC", guest)
    office.server.put("alice", office.path("shared"), text)
    office.server.put("bob", f"{path}shared.ics", text)
    order = [office.calendar, bobs] if first == "alice" else [bobs, office.calendar]
    office.proxy.clear()
    for calendar in [*order, others]:
        assert sync_calendar(calendar.id, clock=clock)
    assert office.proxy.writes == []
    assert Meeting.objects.count() == 1
    for user in (office.alice, bob):
        assert [row.title for row in reading.section(office.charlie, user, clock()).upcoming] == ["Walkthrough"]
        assert len(reading.search(user, "walkthrough", clock())) == 1
    for calendar in (office.calendar, bobs, others):
        office.proxy.clear()
        assert sync_calendar(calendar.id, clock=clock)
        assert len(office.proxy.requests) == 1
        assert office.proxy.writes == []

    office.server.delete("bob", f"{path}shared.ics")
    assert sync_calendar(bobs.id, clock=clock)
    assert [row.title for row in office.rows()] == ["Walkthrough"]
