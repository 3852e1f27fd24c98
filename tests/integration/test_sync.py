"""The pipeline against a server in memory: what arrives, what goes out, and what never does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from tandem.calendaring import ics
from tandem.calendaring.event import Event, Guest
from tandem.calendaring.provider import Provider
from tandem.crm.models import Record
from tandem.invitations.models import LedgerEntry
from tandem.mailboxes.lease import LeaseLost
from tandem.mailboxes.models import Account, AccountState, Calendar
from tandem.meetings import reading, verbs
from tandem.meetings.models import Copy, Intent, Meeting, RemoteObject
from tandem.meetings.wishes import conflicts_of
from tandem.providers.memory import MemoryProvider, MemoryServer
from tandem.sync import due
from tandem.sync.accounts import let_go_on
from tandem.sync.cycle import sync_calendar
from tandem.team.models import Company, User
from tests.mailbox import CHARLIE, NOW, calendar_of, meeting, person

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass
class World:
    """Alice and Bob, each with one calendar on a server in memory, and a clock that tests move."""

    alice: User
    bob: User
    charlie: Record
    server: MemoryServer = field(default_factory=MemoryServer)
    now: datetime = NOW
    calendars: dict[str, Calendar] = field(default_factory=dict)

    def clock(self) -> datetime:
        return self.now

    def connect(self, user: User) -> Calendar:
        calendar = calendar_of(user)
        calendar.remote_id = self.server.make_calendar(user.email, "work")
        calendar.save()
        self.calendars[user.email] = calendar
        return calendar

    def provider(self, account: Account) -> Provider:
        return MemoryProvider(self.server, account.owner.email, now=self.clock)

    def sync(self, user: User) -> Calendar:
        calendar = self.calendars[user.email]
        assert sync_calendar(calendar.id, clock=self.clock, by=self.provider)
        calendar.refresh_from_db()
        return calendar

    def forward(self, **passed: float) -> None:
        self.now += timedelta(**passed)

    def put(self, user: User, event: Event) -> str:
        """Another program stores an event in the user's calendar; the answer is its remote id."""
        calendar = self.calendars[user.email].remote_id
        remote_id = f"{calendar}{event.uid}.ics"
        self.server.put(calendar, remote_id, ics.new([event], now=self.now))
        return remote_id

    def edit(self, user: User, remote_id: str, recurrence_id: str = "", **values: Any) -> None:
        self.server.edit(self.calendars[user.email].remote_id, remote_id, {recurrence_id: values}, now=self.now)

    def delete(self, user: User, remote_id: str) -> None:
        self.server.delete(self.calendars[user.email].remote_id, remote_id)

    def held(self, user: User, remote_id: str) -> Event:
        """What the server holds there now."""
        raw = self.server.get(self.calendars[user.email].remote_id, remote_id)
        assert raw is not None
        return ics.read(raw, default_zone="UTC")[0]

    def rows(self, user: User | None = None) -> list[reading.EventRow]:
        return reading.section(self.charlie, user or self.alice, self.now).upcoming

    def titles(self, user: User | None = None) -> list[str]:
        return [row.title for row in self.rows(user)]

    def change(self, **values: Any) -> Intent:
        """Alice edits the only meeting, as she sees it."""
        (row,) = self.rows()
        detail = reading.detail(row.meeting_id, row.original_start, self.alice, self.now)
        becomes = msgspec.structs.replace(detail.event, **values)
        intent = verbs.change(
            self.alice, detail.meeting, row.original_start, detail.event, becomes, tell=True, now=self.now
        )
        assert intent is not None
        return intent


@pytest.fixture
def world(alice: User, bob: User, company: Company) -> Iterator[World]:
    made = World(alice, bob, person(alice, "Charlie Baker", CHARLIE))
    made.connect(alice)
    made.connect(bob)
    yield made
    for user in (alice, bob):
        made.server.faults.clear()
        made.forward(hours=1)
        made.sync(user)
    settled_writes = len(made.server.writes)
    for user in (alice, bob):
        made.sync(user)
    assert len(made.server.writes) == settled_writes, "a sync without changes wrote something"


def talk(world: World, **values: Any) -> Event:
    return meeting(organizer=world.alice.email, guests=(CHARLIE,), **values)


def test_what_arrives_is_on_the_record_and_nothing_is_written(world: World) -> None:
    world.put(world.alice, talk(world))
    world.sync(world.alice)
    assert world.titles() == ["Walkthrough"]
    assert world.server.writes == []


def test_a_second_sync_without_changes_is_one_request(world: World) -> None:
    world.put(world.alice, talk(world))
    world.sync(world.alice)
    world.server.log.clear()
    world.sync(world.alice)
    assert world.server.requests == ["changes"]


def test_what_changes_and_goes_in_the_calendar_changes_and_goes_here(world: World) -> None:
    remote_id = world.put(world.alice, talk(world))
    world.sync(world.alice)
    world.edit(world.alice, remote_id, title="Proposal")
    world.sync(world.alice)
    assert world.titles() == ["Proposal"]
    world.delete(world.alice, remote_id)
    world.sync(world.alice)
    assert world.titles() == []


def test_an_edit_here_is_written_on_condition_and_confirmed(world: World) -> None:
    remote_id = world.put(world.alice, talk(world))
    world.sync(world.alice)
    intent = world.change(title="Proposal", location="Hall B")
    world.sync(world.alice)
    held = world.held(world.alice, remote_id)
    assert (held.title, held.location) == ("Proposal", "Hall B")
    intent.refresh_from_db()
    assert intent.state == Intent.State.CONFIRMED
    assert [row.sign for row in world.rows()] == [""]


def test_a_new_meeting_is_created_once_under_our_own_name(world: World) -> None:
    calendar = world.calendars[world.alice.email]
    verbs.schedule(world.alice, calendar, meeting("", guests=(CHARLIE,)), tell=True, record=world.charlie, now=NOW)
    world.sync(world.alice)
    (request,) = world.server.writes
    assert request.method == "create"
    (row,) = world.rows()
    assert (row.title, row.sign) == ("Walkthrough", "")
    assert list(LedgerEntry.objects.values_list("address", "method")) == [(CHARLIE, "REQUEST")]


@pytest.mark.parametrize("method", ["create", "update", "delete"])
def test_a_lost_answer_writes_nothing_twice(world: World, method: str) -> None:
    calendar = world.calendars[world.alice.email]
    verbs.schedule(world.alice, calendar, meeting("", guests=(CHARLIE,)), tell=True, record=world.charlie, now=NOW)
    if method != "create":
        world.sync(world.alice)
    if method == "update":
        world.change(title="Proposal")
    if method == "delete":
        (row,) = world.rows()
        verbs.cancel(world.alice, Meeting.objects.get(id=row.meeting_id), "", tell=True, now=NOW)
    world.server.log.clear()
    world.server.lose_answer(method)
    world.sync(world.alice)
    assert [request.method for request in world.server.writes] == [method]
    assert not Intent.objects.exclude(state=Intent.State.CONFIRMED).exists()
    assert len(world.server.calendars[calendar.remote_id].items) == (0 if method == "delete" else 1)


def test_different_fields_on_both_sides_both_survive(world: World) -> None:
    remote_id = world.put(world.alice, talk(world))
    world.sync(world.alice)
    world.change(title="Proposal")
    world.edit(world.alice, remote_id, location="Hall B")
    world.sync(world.alice)
    held = world.held(world.alice, remote_id)
    assert (held.title, held.location) == ("Proposal", "Hall B")
    assert [(row.title, row.location) for row in world.rows()] == [("Proposal", "Hall B")]


def test_the_same_field_on_both_sides_is_a_conflict_that_a_person_decides(world: World) -> None:
    remote_id = world.put(world.alice, talk(world))
    world.sync(world.alice)
    intent = world.change(title="Mine", location="Hall B")
    world.edit(world.alice, remote_id, title="Theirs")
    world.sync(world.alice)
    held = world.held(world.alice, remote_id)
    assert (held.title, held.location) == ("Theirs", "Hall B")
    assert [(row.title, row.sign) for row in world.rows()] == [("Theirs", "conflict")]
    intent.refresh_from_db()
    assert conflicts_of(intent) == {"title": "Theirs"}
    verbs.decide(world.alice, intent, {"title": "mine"}, tell=False, now=world.now)
    world.sync(world.alice)
    assert world.held(world.alice, remote_id).title == "Mine"
    assert world.titles() == ["Mine"]


def test_keeping_theirs_writes_nothing(world: World) -> None:
    remote_id = world.put(world.alice, talk(world))
    world.sync(world.alice)
    intent = world.change(title="Mine")
    world.edit(world.alice, remote_id, title="Theirs")
    world.sync(world.alice)
    intent.refresh_from_db()
    world.server.log.clear()
    verbs.decide(world.alice, intent, {"title": "theirs"}, tell=False, now=world.now)
    world.sync(world.alice)
    assert world.server.writes == []
    assert world.titles() == ["Theirs"]


def test_an_edit_of_what_was_deleted_meanwhile_is_kept_and_can_be_brought_back(world: World) -> None:
    remote_id = world.put(world.alice, talk(world))
    world.sync(world.alice)
    intent = world.change(title="Proposal")
    world.delete(world.alice, remote_id)
    world.sync(world.alice)
    intent.refresh_from_db()
    assert intent.state == Intent.State.RESTORABLE
    verbs.restore(world.alice, intent, tell=False, now=world.now)
    world.sync(world.alice)
    assert world.titles() == ["Proposal"]
    assert len(world.server.calendars[world.calendars[world.alice.email].remote_id].items) == 1


def test_cancelling_what_changed_meanwhile_asks(world: World) -> None:
    remote_id = world.put(world.alice, talk(world))
    world.sync(world.alice)
    (row,) = world.rows()
    intent = verbs.cancel(world.alice, Meeting.objects.get(id=row.meeting_id), "", tell=True, now=NOW)
    world.edit(world.alice, remote_id, title="Now it matters")
    world.sync(world.alice)
    intent.refresh_from_db()
    assert intent.state == Intent.State.CONFLICT
    assert world.held(world.alice, remote_id).title == "Now it matters"
    verbs.decide(world.alice, intent, {"title": "mine"}, tell=True, now=world.now)
    world.sync(world.alice)
    assert world.server.calendars[world.calendars[world.alice.email].remote_id].items == {}


def test_a_server_out_of_reach_keeps_the_edit_and_tries_again(world: World) -> None:
    remote_id = world.put(world.alice, talk(world))
    world.sync(world.alice)
    intent = world.change(title="Proposal")
    world.server.ask_for_patience(90, "update")
    world.sync(world.alice)
    assert [(row.title, row.sign) for row in world.rows()] == [("Proposal", "waiting")]
    intent.refresh_from_db()
    assert intent.next_try_at is not None
    assert intent.next_try_at >= NOW + timedelta(seconds=90)
    world.sync(world.alice)
    assert world.held(world.alice, remote_id).title == "Walkthrough"
    world.forward(minutes=3)
    world.sync(world.alice)
    assert world.held(world.alice, remote_id).title == "Proposal"


def test_a_calendar_that_may_only_be_read_refuses_with_a_reason(world: World) -> None:
    world.put(world.alice, talk(world))
    world.sync(world.alice)
    world.change(title="Proposal")
    world.server.calendars[world.calendars[world.alice.email].remote_id].writable = False
    world.sync(world.alice)
    (row,) = world.rows()
    assert (row.title, row.sign) == ("Walkthrough", "refused")
    assert "change" in row.error


def test_a_revoked_password_pauses_keeps_the_edit_and_says_so(world: World) -> None:
    remote_id = world.put(world.alice, talk(world))
    world.sync(world.alice)
    world.change(title="Proposal")
    world.server.password_refused.add(world.alice.email)
    calendar = world.sync(world.alice)
    calendar.account.refresh_from_db()
    assert calendar.account.state == AccountState.RECONNECT
    assert [(row.title, row.sign) for row in world.rows()] == [("Proposal", "waiting")]
    world.server.password_refused.clear()
    world.sync(world.alice)
    assert world.held(world.alice, remote_id).title == "Proposal"
    calendar.account.refresh_from_db()
    assert calendar.account.state == AccountState.ACTIVE


def test_an_expired_cursor_compares_everything_and_finds_what_was_deleted(world: World) -> None:
    kept, gone = (world.put(world.alice, talk(world, uid=uid, title=uid)) for uid in ("kept", "gone"))
    world.sync(world.alice)
    world.delete(world.alice, gone)
    world.server.expire_tokens(world.calendars[world.alice.email].remote_id)
    world.sync(world.alice)
    assert world.titles() == ["kept"]
    assert RemoteObject.objects.get(calendar=world.calendars[world.alice.email]).remote_id == kept


def test_a_mass_deletion_stops_and_asks(world: World) -> None:
    names = [world.put(world.alice, talk(world, uid=f"m{number}", title=f"m{number}")) for number in range(12)]
    world.sync(world.alice)
    for name in names[:11]:
        world.delete(world.alice, name)
    calendar = world.sync(world.alice)
    assert "11 of 12" in calendar.held
    assert len(world.titles()) == 12
    let_go_on(calendar)
    world.sync(world.alice)
    assert world.titles() == ["m11"]


def test_a_listing_that_is_suddenly_empty_removes_nothing(world: World) -> None:
    names = [world.put(world.alice, talk(world, uid=f"m{number}", title=f"m{number}")) for number in range(4)]
    world.sync(world.alice)
    for name in names:
        world.delete(world.alice, name)
    calendar = world.calendars[world.alice.email]
    world.server.expire_tokens(calendar.remote_id)
    assert world.sync(world.alice).held
    assert len(world.titles()) == 4
    calendar.refresh_from_db()
    let_go_on(calendar)


def test_one_unreadable_event_is_quarantined_and_the_rest_goes_on(world: World) -> None:
    calendar = world.calendars[world.alice.email].remote_id
    world.server.put(calendar, f"{calendar}broken.ics", "BEGIN:VCALENDAR\nthis is not a calendar")
    world.put(world.alice, talk(world))
    world.sync(world.alice)
    assert world.titles() == ["Walkthrough"]
    assert RemoteObject.objects.get(remote_id__endswith="broken.ics").problem
    world.server.put(calendar, f"{calendar}broken.ics", ics.new([talk(world, uid="broken", title="Mended")], now=NOW))
    world.sync(world.alice)
    assert sorted(world.titles()) == ["Mended", "Walkthrough"]


def test_two_users_copies_are_one_meeting_and_nobody_writes(world: World) -> None:
    shared = meeting(organizer=world.alice.email, guests=(world.alice.email, world.bob.email, CHARLIE))
    for user in (world.bob, world.alice):
        world.put(user, shared)
        world.sync(user)
    assert world.titles(world.alice) == world.titles(world.bob) == ["Walkthrough"]
    assert Meeting.objects.count() == 1
    assert world.server.writes == []


def test_only_told_guests_are_told_and_only_once(world: World) -> None:
    calendar = world.calendars[world.alice.email]
    verbs.schedule(world.alice, calendar, meeting("", guests=(CHARLIE,)), tell=False, record=world.charlie, now=NOW)
    world.sync(world.alice)
    assert not LedgerEntry.objects.exists()
    world.change(guests=(Guest(CHARLIE), Guest("dora@outside.example")))
    world.sync(world.alice)
    world.sync(world.alice)
    told = sorted(LedgerEntry.objects.values_list("address", "method"))
    assert ("dora@outside.example", "REQUEST") in told
    assert len(told) == len(set(told))


def test_one_occurrence_edited_here_leaves_the_rest_of_the_series(world: World) -> None:
    remote_id = world.put(world.alice, talk(world, recurrence=("RRULE:FREQ=WEEKLY;COUNT=3",)))
    world.sync(world.alice)
    row = world.rows()[1]
    seen = reading.detail(row.meeting_id, row.original_start, world.alice, NOW)
    becomes = msgspec.structs.replace(seen.event, title="Only this one")
    verbs.change(world.alice, seen.meeting, row.original_start, seen.event, becomes, tell=False, now=NOW)
    world.sync(world.alice)
    assert world.titles() == ["Walkthrough", "Only this one", "Walkthrough"]
    raw = world.server.get(world.calendars[world.alice.email].remote_id, remote_id)
    assert raw is not None
    assert sorted(event.title for event in ics.read(raw, default_zone="UTC")) == ["Only this one", "Walkthrough"]
    verbs.cancel(world.alice, seen.meeting, row.original_start, tell=False, now=NOW)
    world.sync(world.alice)
    assert world.titles() == ["Walkthrough", "Walkthrough"]


def test_writing_held_sends_nothing_and_shows_what_waits(world: World) -> None:
    remote_id = world.put(world.alice, talk(world))
    world.sync(world.alice)
    Company.objects.update(writing_held=True)
    world.change(title="Proposal")
    world.sync(world.alice)
    assert world.server.writes == []
    assert [(row.title, row.sign) for row in world.rows()] == [("Proposal", "waiting")]
    Company.objects.update(writing_held=False)
    world.sync(world.alice)
    assert world.held(world.alice, remote_id).title == "Proposal"


def test_a_worker_that_slept_past_its_lease_saves_nothing(world: World) -> None:
    world.put(world.alice, talk(world))
    calendar = world.calendars[world.alice.email]

    class Sleepy(MemoryProvider):
        def changes(self, *args: Any) -> Iterator[Any]:
            world.forward(minutes=10)
            assert sync_calendar(calendar.id, clock=world.clock, by=world.provider)
            yield from super().changes(*args)

    def sleepy(account: Account) -> Provider:
        return Sleepy(world.server, account.owner.email, now=world.clock)

    with pytest.raises(LeaseLost):
        sync_calendar(calendar.id, clock=world.clock, by=sleepy)
    assert Copy.objects.count() == 1


@pytest.mark.parametrize("step", range(6))
def test_a_crash_between_any_two_steps_and_a_restart_converge(world: World, step: int) -> None:
    """The process dies at the n-th entry into a guarded transaction; a new one goes on."""
    calendar = world.calendars[world.alice.email]
    verbs.schedule(world.alice, calendar, meeting("", guests=(CHARLIE,)), tell=True, record=world.charlie, now=NOW)

    class Crash(Exception):
        pass

    calls = 0

    def clock() -> datetime:
        nonlocal calls
        calls += 1
        if calls == 3 + step * 2:
            raise Crash
        return world.now

    try:
        sync_calendar(calendar.id, clock=clock, by=world.provider)
    except Crash:
        world.forward(minutes=5)
    for _ in range(3):
        world.sync(world.alice)
        world.forward(hours=1)
    assert len(world.server.calendars[calendar.remote_id].items) == 1
    assert [request.outcome for request in world.server.writes if request.outcome == "ok"] == ["ok"]
    assert Intent.objects.get().state == Intent.State.CONFIRMED
    assert LedgerEntry.objects.filter(address=CHARLIE).count() == 1


def test_a_user_who_is_back_is_polled_for_at_once(world: World) -> None:
    calendar = world.sync(world.alice)
    assert calendar.next_poll_at is not None
    assert calendar.next_poll_at > world.now + timedelta(minutes=4)
    assert calendar.id not in dict(due.calendars(world.now))
    due.hurry(world.alice, world.now)
    assert calendar.id in dict(due.calendars(world.now))


def test_a_colleague_at_work_is_reason_to_look_often(world: World) -> None:
    User.objects.filter(id=world.bob.id).update(last_seen_at=world.now)
    calendar = world.sync(world.alice)
    assert calendar.next_poll_at is not None
    assert calendar.next_poll_at < world.now + timedelta(minutes=1)


def test_going_on_after_too_many_writes_lets_no_mass_deletion_through(world: World) -> None:
    names = [world.put(world.alice, talk(world, uid=f"m{number}", title=f"m{number}")) for number in range(12)]
    calendar = world.sync(world.alice)
    calendar.held = "60 events were written within a minute."
    calendar.save()
    let_go_on(calendar)
    for name in names[:11]:
        world.delete(world.alice, name)
    calendar = world.sync(world.alice)
    assert "11 of 12" in calendar.held
    assert len(world.titles()) == 12
    let_go_on(calendar)
