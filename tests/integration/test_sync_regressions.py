"""What the simulation and a second reading found, each as small as it gets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from tandem.calendaring import ics
from tandem.calendaring.event import Event, Guest, Organizer, When
from tandem.calendaring.provider import Page, Provider, Refused
from tandem.invitations.models import LedgerEntry
from tandem.mailboxes.lease import take
from tandem.mailboxes.models import Account, AccountState, Calendar
from tandem.meetings import reading, verbs
from tandem.meetings.models import Copy, Intent, Meeting, Occurrence, Pin, RemoteObject, Series
from tandem.meetings.wishes import conflicts_of
from tandem.providers.memory import Fault, MemoryProvider
from tandem.sync import due
from tandem.sync.accounts import choose_calendars, disconnect, let_go_on
from tandem.sync.cycle import sync_calendar
from tandem.team.models import Company
from tests.integration import test_sync
from tests.integration.test_sync import World, talk
from tests.mailbox import CHARLIE, NOW, arrives, calendar_in, meeting

pytestmark = pytest.mark.django_db(transaction=True)
world = test_sync.world

WEEKLY = ("RRULE:FREQ=WEEKLY;COUNT=3",)
DORA = "dora@outside.example"


def of_alice(world: World) -> Calendar:
    return world.calendars[world.alice.email]


def opened(world: World, at: int = 0) -> reading.Detail:
    row = world.rows()[at]
    return reading.detail(row.meeting_id, row.original_start, world.alice, world.now)


def changes(world: World, at: int, scope: verbs.Scope = "this", **values: Any) -> Intent:
    seen = opened(world, at)
    becomes = msgspec.structs.replace(seen.event, **values)
    slot = seen.row.original_start
    intent = verbs.change(world.alice, seen.meeting, slot, seen.event, becomes, tell=True, now=world.now, scope=scope)
    assert intent is not None
    return intent


def later(when: When | None, hours: float) -> When:
    assert when is not None
    passed = timedelta(hours=hours)
    return When.timed(when.starts_at("UTC") + passed, when.ends_at("UTC") + passed, when.zone)


# Mails


def test_nobody_hears_that_a_meeting_is_cancelled_of_which_nobody_was_told(world: World) -> None:
    calendar = of_alice(world)
    made = verbs.schedule(world.alice, calendar, meeting("", guests=(CHARLIE,)), tell=True, record=None, now=NOW)
    verbs.cancel(world.alice, made, "", tell=True, now=NOW)
    world.sync(world.alice)
    assert world.server.writes == []
    assert not LedgerEntry.objects.exists()
    assert not Intent.objects.exclude(state=Intent.State.CONFIRMED).exists()


def test_a_guest_whose_invitation_never_arrived_hears_of_no_cancellation(world: World) -> None:
    remote_id = world.put(world.alice, talk(world, recurrence=WEEKLY))
    world.sync(world.alice)
    changes(world, 0, "all", guests=(Guest(CHARLIE), Guest(DORA)))
    seen = opened(world, 1)
    verbs.cancel(world.alice, seen.meeting, seen.row.original_start, tell=True, now=world.now)
    world.delete(world.alice, remote_id)
    RemoteObject.objects.update(etag="unknown to the server")
    world.sync(world.alice)
    assert DORA not in LedgerEntry.objects.values_list("address", flat=True)


def test_a_guest_added_and_taken_out_again_before_anything_was_sent_hears_of_nothing(world: World) -> None:
    world.put(world.alice, talk(world))
    world.sync(world.alice)
    world.change(guests=(Guest(CHARLIE), Guest(DORA)))
    world.change(guests=(Guest(CHARLIE),))
    world.sync(world.alice)
    assert world.server.writes == []
    assert not LedgerEntry.objects.exists()
    assert not Intent.objects.exclude(state=Intent.State.CONFIRMED).exists()


def test_a_refused_create_can_be_cancelled_and_nobody_is_told(world: World) -> None:
    calendar = of_alice(world)
    made = verbs.schedule(world.alice, calendar, meeting("", guests=(CHARLIE,)), tell=True, record=None, now=NOW)
    world.server.calendars[calendar.remote_id].writable = False
    world.sync(world.alice)
    assert Intent.objects.get().state == Intent.State.REFUSED
    world.server.calendars[calendar.remote_id].writable = True
    verbs.cancel(world.alice, made, "", tell=True, now=NOW)
    world.sync(world.alice)
    assert {intent.state for intent in Intent.objects.all()} == {Intent.State.WITHDRAWN, Intent.State.CONFIRMED}
    assert not LedgerEntry.objects.exists()


# Occurrences and their series


def test_an_occurrence_is_edited_at_the_time_to_which_its_series_has_yet_to_move(world: World) -> None:
    remote_id = world.put(world.alice, talk(world, recurrence=WEEKLY))
    world.sync(world.alice)
    first = changes(world, 0, "all", when=later(opened(world, 0).event.when, 2))
    changes(world, 1, title="Only this one")
    seen = opened(world, 2)
    verbs.cancel(world.alice, seen.meeting, seen.row.original_start, tell=False, now=world.now)
    for _ in range(3):
        world.sync(world.alice)
    first.refresh_from_db()
    assert not Intent.objects.exclude(state=Intent.State.CONFIRMED).exists()
    assert world.titles() == ["Walkthrough", "Only this one"]
    raw = world.server.get(of_alice(world).remote_id, remote_id)
    assert raw is not None
    titles = sorted(event.title for event in ics.read(raw, default_zone="UTC"))
    assert titles == ["Only this one", "Walkthrough"]


def test_an_occurrence_edited_before_its_series_moves_stays_one_occurrence(world: World) -> None:
    world.put(world.alice, talk(world, recurrence=WEEKLY))
    world.sync(world.alice)
    changes(world, 1, title="Only this one")
    changes(world, 0, "all", when=later(opened(world, 0).event.when, 2))
    for _ in range(3):
        world.sync(world.alice)
    assert world.titles() == ["Walkthrough", "Only this one", "Walkthrough"]
    assert not Intent.objects.exclude(state=Intent.State.CONFIRMED).exists()


def test_a_cancel_at_a_time_that_waits_for_a_decision_waits_too_and_nobody_is_told(world: World) -> None:
    remote_id = world.put(world.alice, talk(world, recurrence=WEEKLY))
    world.sync(world.alice)
    move = changes(world, 0, "all", when=later(opened(world, 0).event.when, 2))
    seen = opened(world, 1)
    cancel = verbs.cancel(world.alice, seen.meeting, seen.row.original_start, tell=True, now=world.now)
    theirs = later(world.held(world.alice, remote_id).when, 24)
    world.edit(world.alice, remote_id, when=msgspec.to_builtins(theirs))
    for _ in range(2):
        world.sync(world.alice)
    move.refresh_from_db()
    cancel.refresh_from_db()
    assert (move.state, cancel.state) == (Intent.State.CONFLICT, Intent.State.OPEN)
    assert not LedgerEntry.objects.exists()
    assert of_alice(world).id not in [key for key, _ in due.calendars(world.now + timedelta(seconds=10))]
    verbs.decide(world.alice, move, {"when": "mine"}, tell=False, now=world.now)
    for _ in range(3):
        world.forward(minutes=1)
        world.sync(world.alice)
    cancel.refresh_from_db()
    assert cancel.state == Intent.State.CONFIRMED
    assert len(world.rows()) == 2


def test_all_of_a_series_is_changed_from_what_the_series_says_not_the_occurrence(world: World) -> None:
    world.put(world.alice, talk(world, recurrence=WEEKLY))
    world.sync(world.alice)
    changes(world, 1, title="Only this one")
    world.sync(world.alice)
    changes(world, 1, "all", title="All of them")
    world.sync(world.alice)
    assert not Intent.objects.filter(state=Intent.State.CONFLICT).exists()
    assert world.titles() == ["All of them"] * 3


def test_an_edit_of_what_now_says_cancelled_is_kept_and_not_written(world: World) -> None:
    remote_id = world.put(world.alice, talk(world))
    world.sync(world.alice)
    intent = world.change(title="Proposal")
    world.edit(world.alice, remote_id, status="cancelled")
    world.sync(world.alice)
    intent.refresh_from_db()
    assert intent.state == Intent.State.RESTORABLE
    assert world.held(world.alice, remote_id).title == "Walkthrough"


def test_a_colleagues_stale_override_is_silent_even_while_its_slot_waits(world: World) -> None:
    shared = meeting(organizer=world.alice.email, guests=(world.alice.email, world.bob.email, CHARLIE))
    shared = msgspec.structs.replace(shared, recurrence=WEEKLY)
    remote_ids = [world.put(user, shared) for user in (world.alice, world.bob)]
    for user in (world.alice, world.bob):
        world.sync(user)
    slot = world.rows()[1].original_start
    world.edit(world.bob, remote_ids[1], slot, title="As it once was")
    world.sync(world.bob)
    changes(world, 1, location="Hall B")
    assert world.titles() == ["Walkthrough"] * 3
    world.sync(world.alice)
    assert world.titles() == ["Walkthrough"] * 3
    assert Copy.objects.get(recurrence_id=slot, calendar=of_alice(world)).meeting.authority.calendar == of_alice(world)  # type: ignore[union-attr]


def test_a_series_that_its_organizer_deleted_is_over_whatever_a_guest_says_of_one_occurrence(world: World) -> None:
    shared = meeting(organizer=world.alice.email, guests=(world.alice.email, world.bob.email, CHARLIE))
    shared = msgspec.structs.replace(shared, recurrence=WEEKLY)
    remote_ids = [world.put(user, shared) for user in (world.alice, world.bob)]
    for user in (world.alice, world.bob):
        world.sync(user)
    slot = world.rows()[1].original_start
    world.edit(world.bob, remote_ids[1], slot, title="As it once was")
    world.delete(world.alice, remote_ids[0])
    for user in (world.bob, world.alice):
        world.sync(user)
    assert not Occurrence.objects.filter(cancelled=False).exists()


# Who it is


def test_a_meeting_that_lost_its_last_guest_is_that_meeting_still(world: World) -> None:
    shared = meeting(organizer=world.alice.email, guests=(world.bob.email, CHARLIE))
    remote_ids = [world.put(user, shared) for user in (world.alice, world.bob)]
    for user in (world.alice, world.bob):
        world.sync(user)
    world.edit(world.alice, remote_ids[0], **{f"guest:{CHARLIE}": None, f"guest:{world.bob.email}": None})
    world.sync(world.alice)
    assert Series.objects.filter(meetings__copies__isnull=False).distinct().count() == 1
    assert world.titles() == []


def test_a_created_event_that_comes_back_with_an_organizer_is_the_one_that_was_created(world: World) -> None:
    """Some servers name the owner as the organizer of whatever is stored."""
    calendar, charlie = of_alice(world), world.charlie
    line = f"ORGANIZER:mailto:{world.alice.email}\r\nEND:VEVENT"
    world.server.on_store = lambda raw: raw if "ORGANIZER" in raw else raw.replace("END:VEVENT", line)
    verbs.schedule(world.alice, calendar, meeting("", title="Call"), tell=False, record=charlie, now=NOW)
    world.sync(world.alice)
    assert world.titles() == ["Call"]
    assert Meeting.objects.count() == Pin.objects.count() == 1


def test_an_edit_goes_after_an_event_that_moved_to_another_calendar(world: World) -> None:
    work = of_alice(world)
    home = calendar_in(work.account, "home")
    home.remote_id = world.server.make_calendar(world.alice.email, "home")
    home.save()
    remote_id = world.put(world.alice, talk(world))
    world.sync(world.alice)
    intent = world.change(title="Proposal")
    raw = world.server.get(work.remote_id, remote_id)
    assert raw is not None
    moved_to = f"{home.remote_id}walkthrough.ics"
    world.server.put(home.remote_id, moved_to, raw)
    world.server.delete(work.remote_id, remote_id)
    world.calendars["home"] = home
    sync_calendar(home.id, clock=world.clock, by=world.provider)
    world.sync(world.alice)
    sync_calendar(home.id, clock=world.clock, by=world.provider)
    intent.refresh_from_db()
    assert (intent.state, intent.calendar_id) == (Intent.State.CONFIRMED, home.id)
    assert "Proposal" in (world.server.get(home.remote_id, moved_to) or "")


# Calendars that are switched off, accounts that are taken up again


def test_what_waits_in_a_calendar_that_is_switched_off_waits_on_and_is_done_later(world: World) -> None:
    calendar = of_alice(world)
    remote_id = world.put(world.alice, talk(world))
    world.sync(world.alice)
    intent = verbs.cancel(world.alice, Meeting.objects.get(), "", tell=True, now=NOW)
    choose_calendars(calendar.account, read=[], target=None, now=NOW)
    world.sync(world.alice)
    intent.refresh_from_db()
    assert intent.state == Intent.State.OPEN
    assert not LedgerEntry.objects.exists()
    assert due.calendars(world.now + timedelta(days=1)) == [(of_bob(world).id, of_bob(world).account_id)]
    choose_calendars(calendar.account, read=[calendar.id], target=None, now=NOW)
    world.sync(world.alice)
    intent.refresh_from_db()
    assert intent.state == Intent.State.CONFIRMED
    assert world.server.get(calendar.remote_id, remote_id) is None


def of_bob(world: World) -> Calendar:
    return world.calendars[world.bob.email]


def test_an_edit_survives_disconnecting_and_connecting_again(world: World) -> None:
    calendar = of_alice(world)
    remote_id = world.put(world.alice, talk(world))
    world.sync(world.alice)
    world.change(title="Proposal")
    disconnect(calendar.account, now=NOW)
    Account.objects.filter(id=calendar.account_id).update(state=AccountState.ACTIVE)
    Calendar.objects.filter(id=calendar.id).update(is_read=True)
    world.sync(world.alice)
    assert world.held(world.alice, remote_id).title == "Proposal"


def test_nothing_new_goes_into_a_calendar_that_is_switched_off(world: World) -> None:
    calendar = of_alice(world)
    Calendar.objects.filter(id=calendar.id).update(is_read=False)
    with pytest.raises(verbs.NotAllowed):
        verbs.schedule(world.alice, calendar, meeting(""), tell=False, record=None, now=NOW)
    Calendar.objects.filter(id=calendar.id).update(is_read=True)


# Decisions, twice or at the same time


def test_a_refusal_leaves_a_conflict_beside_it_to_be_decided(world: World) -> None:
    remote_id = world.put(world.alice, talk(world))
    world.sync(world.alice)
    first = world.change(title="Mine")
    second = world.change(location="Hall B")
    world.server.time_out("update")
    world.sync(world.alice)
    world.edit(world.alice, remote_id, title="Theirs")
    world.server.faults.append(Fault(Refused("Too large."), "update"))
    world.forward(hours=1)
    world.sync(world.alice)
    for intent in (first, second):
        intent.refresh_from_db()
    assert (first.state, second.state) == (Intent.State.CONFLICT, Intent.State.REFUSED)


def test_what_is_decided_while_the_rest_is_on_its_way_counts(world: World) -> None:
    remote_id = world.put(world.alice, talk(world))
    world.sync(world.alice)
    intent = world.change(title="Mine", location="Hall B")
    world.edit(world.alice, remote_id, title="Theirs")
    world.sync(world.alice)
    intent.refresh_from_db()
    verbs.decide(world.alice, intent, {"title": "mine"}, tell=False, now=world.now)
    world.edit(world.alice, remote_id, title="Theirs again")
    intent = world.change(description="Bring the contract", title="Mine too")

    def decide(_request: object) -> None:
        world.server.after_write = lambda _request: None
        for waiting in Intent.objects.exclude(conflicts="{}"):
            choices: Any = dict.fromkeys(conflicts_of(waiting), "mine")
            verbs.decide(world.alice, waiting, choices, tell=False, now=world.now)

    world.server.after_write = decide
    for _ in range(3):
        world.sync(world.alice)
    stuck = [row for row in Intent.objects.filter(state=Intent.State.CONFLICT) if not conflicts_of(row)]
    assert stuck == []


def test_a_decision_is_made_once(world: World) -> None:
    remote_id = world.put(world.alice, talk(world))
    world.sync(world.alice)
    intent = world.change(title="Mine")
    world.edit(world.alice, remote_id, title="Theirs")
    world.sync(world.alice)
    intent.refresh_from_db()
    verbs.decide(world.alice, intent, {"title": "mine"}, tell=False, now=world.now)
    world.sync(world.alice)
    with pytest.raises(verbs.NotAllowed):
        verbs.decide(world.alice, intent, {"title": "theirs"}, tell=False, now=world.now)
    with pytest.raises(verbs.NotAllowed):
        verbs.withdraw(world.alice, intent, now=world.now)
    intent.refresh_from_db()
    assert intent.state == Intent.State.CONFIRMED


# One event never stops the rest


def far(uid: str) -> Event:
    return meeting(uid, when=When("9999-12-31T23:30:00", "9999-12-31T23:59:00", "America/New_York"))


def test_an_event_beyond_all_calendars_is_quarantined_by_name_and_the_rest_goes_on(world: World) -> None:
    bad = world.put(world.alice, far("a-far-one"))
    world.put(world.alice, talk(world))
    calendar = world.sync(world.alice)
    assert world.titles() == ["Walkthrough"]
    assert (calendar.error, calendar.failures) == ("", 0)
    assert RemoteObject.objects.get(remote_id=bad).problem


@pytest.mark.parametrize(
    "values",
    [
        {"title": "t" * 3000},
        {"location": "p\0lace"},
        {"guests": (Guest("a" * 400 + "@outside.example"), Guest(CHARLIE))},
        {"organizer": Organizer("o" * 400 + "@outside.example"), "guests": (Guest("alice@northwind.example"),)},
        {"uid": "u" * 1025},
        {"recurrence_id": "20261124T090000Z", "when": None},
        {"when": None},
        {"recurrence": ("RRULE:FREQ=NEVER",)},
    ],
)
def test_no_strange_event_stops_its_page(world: World, values: dict[str, Any]) -> None:
    odd = msgspec.structs.replace(talk(world, uid="odd"), **values)
    calendar = of_alice(world)
    arrives(calendar, talk(world))
    arrives(calendar, odd, name="odd")
    assert "Walkthrough" in world.titles()
    assert RemoteObject.objects.filter(calendar=calendar).count() == 2
    RemoteObject.objects.all().delete()


def test_what_cannot_be_read_any_more_is_not_overwritten(world: World) -> None:
    remote_id = world.put(world.alice, talk(world, recurrence=WEEKLY))
    world.sync(world.alice)
    calendar = of_alice(world)
    raw = world.server.get(calendar.remote_id, remote_id)
    assert raw is not None
    broken = raw.replace("FREQ=WEEKLY;COUNT=3", "FREQ=NEVER").replace("Walkthrough", "Theirs")
    world.server.put(calendar.remote_id, remote_id, broken)
    world.sync(world.alice)
    intent = changes(world, 0, "all", title="Mine")
    world.sync(world.alice)
    intent.refresh_from_db()
    assert intent.state == Intent.State.REFUSED
    assert world.server.writes == []


def test_two_files_of_one_uid_are_one_meeting(world: World) -> None:
    calendar = of_alice(world)
    for name in ("one", "two"):
        arrives(calendar, talk(world), name=name)
    assert world.titles() == ["Walkthrough"]
    RemoteObject.objects.all().delete()


# No busy loop, no starvation, no lost page


def test_an_edit_beside_one_that_waits_its_time_is_not_due_before_it(world: World) -> None:
    world.put(world.alice, talk(world))
    world.sync(world.alice)
    world.sync(world.bob)
    world.change(title="Proposal")
    world.server.ask_for_patience(900, "update")
    world.sync(world.alice)
    world.change(location="Hall B")
    assert due.calendars(world.now + timedelta(seconds=5)) == []


def test_held_writing_makes_nothing_due(world: World) -> None:
    world.put(world.alice, talk(world))
    for user in (world.alice, world.bob):
        world.sync(user)
    world.change(title="Proposal")
    Company.objects.update(writing_held=True)
    assert due.calendars(world.now + timedelta(seconds=5)) == []
    Company.objects.update(writing_held=False)
    assert len(due.calendars(world.now + timedelta(seconds=5))) == 1


def test_an_account_with_a_hundred_slow_calendars_hides_nobody_elses(world: World) -> None:
    account = of_alice(world).account
    slow = [calendar_in(account, f"c{number}", requested=5) for number in range(100)]
    assert of_bob(world).id not in [key for key, _ in due.calendars(world.now)]
    found = due.calendars(world.now, busy=[slow[0].id, slow[1].id], full=[account.id])
    assert found == [(of_bob(world).id, of_bob(world).account_id)]
    Calendar.objects.filter(id__in=[calendar.id for calendar in slow]).delete()


def test_a_lease_that_ran_out_and_that_nobody_took_still_saves(world: World) -> None:
    """A server that takes minutes for one page would otherwise never get to its end."""
    with take("slow", clock=world.clock, seconds=60) as lease:
        world.forward(minutes=5)
        with lease.guarding():
            Company.objects.update(name="Saved")
    assert Company.current().name == "Saved"


def test_a_mass_deletion_that_comes_page_by_page_stops_too(world: World) -> None:
    calendar = of_alice(world)
    names = [world.put(world.alice, talk(world, uid=f"m{number}", title=f"m{number}")) for number in range(80)]
    world.sync(world.alice)

    class InPages(MemoryProvider):
        def changes(self, *args: Any) -> Iterator[Page]:
            (last,) = list(super().changes(*args))
            for at in range(0, len(last.removed), 8):
                yield Page(removed=last.removed[at : at + 8])
            yield Page(cursor=last.cursor)

    def in_pages(account: Account) -> Provider:
        return InPages(world.server, account.owner.email, now=world.clock)

    for name in names[:40]:
        world.delete(world.alice, name)
    sync_calendar(calendar.id, clock=world.clock, by=in_pages)
    calendar.refresh_from_db()
    assert calendar.held
    assert RemoteObject.objects.filter(calendar=calendar).count() >= 64
    let_go_on(calendar)


def test_who_was_taken_off_before_the_create_arrived_is_told_of_nothing(world: World) -> None:
    """Seed 3052 with Google: the create took the edit along, its answer was lost, and Dora was uninvited by mail."""
    event = msgspec.structs.replace(meeting(), uid="", guests=(Guest(CHARLIE), Guest(DORA)))
    verbs.schedule(world.alice, of_alice(world), event, tell=True, record=None, now=world.now)
    changes(world, 0, guests=(Guest(CHARLIE),))
    world.server.lose_answer("create")
    world.sync(world.alice)
    world.forward(minutes=1)
    world.sync(world.alice)
    assert sorted(LedgerEntry.objects.values_list("address", "method")) == [(CHARLIE, "REQUEST")]
