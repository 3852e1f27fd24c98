"""Tandem and Google, both ways, through verbs and `sync_calendar`, against the sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from sandbox.google.faults import Kind
from tandem.calendaring.event import Guest, When
from tandem.invitations.models import LedgerEntry
from tandem.mailboxes.models import Account, AccountState, Calendar, Sender
from tandem.meetings import verbs
from tandem.meetings.models import Copy, Intent, Meeting, Pin, Series
from tandem.meetings.wishes import conflicts_of
from tandem.team.models import Company, User
from tests.google_world import GoogleWorld, google_world, hours
from tests.mailbox import CHARLIE, meeting

pytestmark = pytest.mark.django_db(transaction=True)

DORA = "dora@outside.example"


@pytest.fixture
def world(alice: User, bob: User, company: Company) -> Iterator[GoogleWorld]:
    with google_world(alice, bob) as made:
        yield made


def states() -> list[str]:
    return sorted(Intent.objects.values_list("state", flat=True))


# Out: what is made here


def test_a_new_meeting_is_at_google_once_and_its_guests_are_told_once_by_google(world: GoogleWorld) -> None:
    world.schedule(meeting("", guests=(CHARLIE, world.bob.email)))
    world.sync(world.alice)
    (event,) = world.live(world.alice)
    assert event["summary"] == "Walkthrough"
    assert event["organizer"]["email"] == world.alice.email
    assert sorted(world.mails()) == [("invitation", world.bob.email), ("invitation", CHARLIE)]
    told = LedgerEntry.objects.values_list("address", "method", "told_by")
    assert sorted(told) == [
        (world.bob.email, "REQUEST", Sender.SERVER),
        (CHARLIE, "REQUEST", Sender.SERVER),
    ]
    world.sync_all(rounds=3)
    assert len(world.sandbox.log.writes()) == 1
    assert [(row.title, row.sign) for row in world.rows()] == [("Walkthrough", "")]


def test_a_meeting_made_in_silence_mails_nobody_and_is_at_google_all_the_same(world: GoogleWorld) -> None:
    world.schedule(meeting("", guests=(CHARLIE,)), tell=False)
    world.sync(world.alice)
    assert len(world.live(world.alice)) == 1
    assert world.mails() == []
    assert not LedgerEntry.objects.exists()


@pytest.mark.parametrize("verb", ["create", "change", "cancel", "change this one", "cancel this one"])
@pytest.mark.parametrize("fault", ["lost before", "lost after", "500", "429", "403 quotaExceeded"])
def test_trouble_around_a_write_leaves_one_event_and_one_mail(world: GoogleWorld, verb: str, fault: Kind) -> None:
    rule = ("RRULE:FREQ=DAILY;COUNT=3",) if verb.endswith("one") else ()
    world.schedule(meeting("", guests=(CHARLIE,), recurrence=rule))
    if verb != "create":
        world.sync(world.alice)
        world.sandbox.mails.rows.clear()
    if verb.startswith("change"):
        world.change(1 if rule else 0, title="Proposal")
    elif verb.startswith("cancel"):
        world.cancel(1 if rule else 0)
    writes = {"create": "events.insert", "change": "events.patch", "cancel": "events.delete"}
    world.sandbox.faults.add(fault, writes[verb.split()[0]])
    world.settle()
    assert world.sandbox.faults.struck
    kinds = {"create": "invitation", "change": "update", "cancel": "cancellation"}
    assert world.mails() == [(kinds[verb.split()[0]], CHARLIE)]
    assert set(states()) == {Intent.State.CONFIRMED}
    masters = [event for event in world.live(world.alice) if "recurringEventId" not in event]
    assert len(masters) == (0 if verb == "cancel" else 1)
    expected = {
        "create": ["Walkthrough"],
        "change": ["Proposal"],
        "cancel": [],
        "change this one": ["Walkthrough", "Proposal", "Walkthrough"],
        "cancel this one": ["Walkthrough", "Walkthrough"],
    }[verb]
    world_titles = [title for _, _, title in world.here(Series.objects.get().uid)] if expected else []
    assert world_titles == expected


@pytest.mark.parametrize("reads", range(1, 4))
def test_reads_that_fail_after_a_lost_answer_double_nothing(world: GoogleWorld, reads: int) -> None:
    world.schedule(meeting("", guests=(CHARLIE,)))
    world.sandbox.faults.add("lost after", "events.insert")
    world.sandbox.faults.add("503", "events.get", times=4 * reads)
    world.settle()
    assert len(world.live(world.alice)) == 1
    assert world.mails() == [("invitation", CHARLIE)]
    assert states() == [Intent.State.CONFIRMED]


def test_a_collision_that_google_does_not_notice_leaves_one_event(world: GoogleWorld) -> None:
    world.sandbox.behaviour.undetected_collisions = True
    world.schedule(meeting("", guests=(CHARLIE,)))
    world.sandbox.faults.add("lost after", "events.insert")
    world.settle()
    assert len(world.live(world.alice)) == 1
    assert world.mails() == [("invitation", CHARLIE)]


def test_guests_who_come_and_go_hear_of_it_and_nobody_loses_an_answer(world: GoogleWorld) -> None:
    world.schedule(meeting("", guests=(CHARLIE, world.bob.email)))
    world.sync(world.alice)
    own = {"email": world.bob.email, "responseStatus": "accepted", "comment": "Gladly", "additionalGuests": 1}
    (event,) = world.live(world.bob)
    body = {"attendeesOmitted": True, "attendees": [own]}
    world.act(world.bob, "events.patch", body, eventId=event["id"], sendUpdates="none")
    world.sync(world.alice)
    world.sandbox.mails.rows.clear()
    world.change(guests=(Guest(world.bob.email), Guest(DORA)))
    world.sync(world.alice)
    guests = {guest["email"]: guest for guest in world.live(world.alice)[0]["attendees"]}
    assert guests.keys() == {world.bob.email, DORA}
    assert guests[world.bob.email] == own
    assert sorted(world.mails()) == [("cancellation", CHARLIE), ("invitation", DORA)]


# Both at once


def test_different_fields_on_both_sides_both_survive(world: GoogleWorld) -> None:
    event_id = world.insert(world.alice)
    world.sync(world.alice)
    world.change(title="Proposal")
    world.act(world.alice, "events.patch", {"location": "Hall B"}, eventId=event_id, sendUpdates="none")
    world.sync(world.alice)
    (event,) = world.live(world.alice)
    assert (event["summary"], event["location"]) == ("Proposal", "Hall B")
    assert [(row.title, row.location, row.sign) for row in world.rows()] == [("Proposal", "Hall B", "")]


def test_the_same_field_on_both_sides_is_a_conflict_and_nothing_is_lost(world: GoogleWorld) -> None:
    event_id = world.insert(world.alice)
    world.sync(world.alice)
    intent = world.change(title="Mine")
    world.act(world.alice, "events.patch", {"summary": "Theirs"}, eventId=event_id, sendUpdates="none")
    world.sync(world.alice)
    assert world.live(world.alice)[0]["summary"] == "Theirs"
    assert [(row.title, row.sign) for row in world.rows()] == [("Theirs", "conflict")]
    intent.refresh_from_db()
    assert conflicts_of(intent) == {"title": "Theirs"}
    verbs.decide(world.alice, intent, {"title": "mine"}, tell=True, now=world.now)
    world.sync(world.alice)
    assert world.live(world.alice)[0]["summary"] == "Mine"
    assert world.mails() == [("update", CHARLIE)]


def test_cancelled_there_while_edited_here_is_kept_and_can_be_brought_back(world: GoogleWorld) -> None:
    event_id = world.insert(world.alice)
    world.sync(world.alice)
    intent = world.change(title="Proposal")
    world.act(world.alice, "events.delete", eventId=event_id, sendUpdates="none")
    world.settle()
    intent.refresh_from_db()
    assert intent.state == Intent.State.RESTORABLE
    assert world.titles() == []
    verbs.restore(world.alice, intent, tell=True, now=world.now)
    world.sync(world.alice)
    assert [event["summary"] for event in world.live(world.alice)] == ["Proposal"]
    assert world.mails() == [("invitation", CHARLIE)]


def test_cancelled_here_it_is_gone_there_and_each_guest_hears_once(world: GoogleWorld) -> None:
    world.insert(world.alice, attendees=(CHARLIE, world.bob.email))
    world.sync_all()
    world.cancel()
    world.sync_all(rounds=2)
    assert world.live(world.alice) == world.live(world.bob) == []
    assert sorted(world.mails()) == [("cancellation", world.bob.email), ("cancellation", CHARLIE)]
    assert world.titles(world.alice) == world.titles(world.bob) == []


# Access that ends


def test_access_withdrawn_in_the_middle_pauses_keeps_all_and_delivers_each_once_afterwards(world: GoogleWorld) -> None:
    for number in range(4):
        start = timedelta(days=2, hours=number * 2)
        world.schedule(meeting("", guests=(CHARLIE,), title=f"m{number}", starts_in=start))
    world.after_write.append(lambda: world.withdraw(world.alice))
    world.sync(world.alice)
    account = Account.objects.get(owner=world.alice)
    assert account.state == AccountState.RECONNECT
    assert "Connect" in account.error
    assert states() == [Intent.State.CONFIRMED] + [Intent.State.OPEN] * 3
    assert sorted(world.titles()) == ["m0", "m1", "m2", "m3"]
    assert len(world.live(world.alice)) == 1

    world.withdrawn.clear()
    world.settle()
    account.refresh_from_db()
    assert (account.state, account.error) == (AccountState.ACTIVE, "")
    assert states() == [Intent.State.CONFIRMED] * 4
    assert sorted(event["summary"] for event in world.live(world.alice)) == ["m0", "m1", "m2", "m3"]
    assert world.mails() == [("invitation", CHARLIE)] * 4
    assert sorted(world.titles()) == ["m0", "m1", "m2", "m3"]
    assert Meeting.objects.count() == 4


def test_access_withdrawn_while_reading_loses_nothing_that_was_there(world: GoogleWorld) -> None:
    ids = [world.insert(world.alice, summary=f"m{number}") for number in range(3)]
    world.sync(world.alice)
    world.act(world.alice, "events.delete", eventId=ids[0], sendUpdates="none")
    world.withdraw(world.alice)
    calendar = world.sync(world.alice)
    assert calendar.error
    assert sorted(world.titles()) == ["m0", "m1", "m2"]
    world.withdrawn.clear()
    world.sync(world.alice)
    assert sorted(world.titles()) == ["m1", "m2"]


def test_a_token_that_only_ran_out_is_asked_for_once_and_nobody_notices(world: GoogleWorld) -> None:
    world.insert(world.alice)
    world.sync(world.alice)
    world.sandbox.oauth.expire_access(world.alice.email)
    world.sandbox._inside.clear()
    world.change(title="Proposal")
    calendar = world.sync(world.alice)
    assert not calendar.error
    assert world.live(world.alice)[0]["summary"] == "Proposal"


# Two mailboxes


@pytest.mark.parametrize("first", ["alice", "bob"])
def test_two_copies_are_one_meeting_and_edits_go_through_the_organizers(world: GoogleWorld, first: str) -> None:
    world.insert(world.alice, attendees=(CHARLIE, world.bob.email))
    for user in (world.alice, world.bob) if first == "alice" else (world.bob, world.alice):
        world.sync(user)
    assert Copy.objects.count() == 2
    assert Meeting.objects.count() == 1
    assert world.titles(world.alice) == world.titles(world.bob) == ["Walkthrough"]
    world.change(title="Proposal")
    world.sync_all(rounds=2)
    (write,) = world.sandbox.log.writes()
    assert write.user == world.alice.email
    assert [event["summary"] for event in world.live(world.bob)] == ["Proposal"]
    assert world.titles(world.bob) == ["Proposal"]
    assert Meeting.objects.count() == 1


def test_an_answer_given_on_a_phone_is_on_the_meeting_and_is_no_conflict(world: GoogleWorld) -> None:
    event_id = world.insert(world.alice, attendees=(CHARLIE, world.bob.email))
    world.sync_all()
    world.change(title="Proposal")
    body = {"attendeesOmitted": True, "attendees": [{"email": world.bob.email, "responseStatus": "tentative"}]}
    world.act(world.bob, "events.patch", body, eventId=event_id, sendUpdates="none")
    world.sync_all(rounds=2)
    detail = world.detail(world.rows()[0])
    assert detail.event.title == "Proposal"
    guest = detail.event.guest(world.bob.email)
    assert guest is not None
    assert guest.response == "tentative"


def test_a_guest_takes_it_out_of_their_calendar_and_the_meeting_lives(world: GoogleWorld) -> None:
    event_id = world.insert(world.alice, attendees=(CHARLIE, world.bob.email))
    world.sync_all()
    world.act(world.bob, "events.delete", eventId=event_id, sendUpdates="none")
    world.sync_all(rounds=2)
    assert world.titles(world.alice) == world.titles(world.bob) == ["Walkthrough"]
    assert Meeting.objects.get().state == Meeting.State.LIVE


def test_the_only_copy_goes_by_a_guests_hand_and_the_meeting_is_unseen_not_cancelled(world: GoogleWorld) -> None:
    Calendar.objects.filter(account__owner=world.alice).update(is_read=False)
    event_id = world.insert(world.alice, attendees=(CHARLIE, world.bob.email))
    world.sync(world.bob)
    world.act(world.bob, "events.delete", eventId=event_id, sendUpdates="none")
    world.sync(world.bob)
    assert Meeting.objects.get().state == Meeting.State.UNSEEN
    assert world.titles(world.bob) == []


def test_the_organizer_deletes_it_and_it_is_cancelled_for_all(world: GoogleWorld) -> None:
    event_id = world.insert(world.alice, attendees=(CHARLIE, world.bob.email))
    world.sync_all()
    world.act(world.alice, "events.delete", eventId=event_id, sendUpdates="none")
    world.sync_all(rounds=2)
    assert world.titles(world.alice) == world.titles(world.bob) == []
    assert Meeting.objects.get().state == Meeting.State.CANCELLED


# From calendar to calendar


@pytest.mark.parametrize("guests", [(), (CHARLIE,), (CHARLIE, "bob@northwind.example")])
@pytest.mark.parametrize("old_first", [True, False])
def test_an_event_moved_to_another_calendar_is_the_same_meeting_still(
    world: GoogleWorld, guests: tuple[str, ...], old_first: bool
) -> None:
    event_id = world.insert(world.alice, attendees=guests)
    world.sync_all()
    made = Meeting.objects.get()
    Pin.objects.create(series=made.series, record=world.charlie, author=world.alice)
    target = world.second(world.alice)
    world.act(world.alice, "events.move", eventId=event_id, destination=target.remote_id, sendUpdates="none")
    names = [world.alice.email, target.remote_id]
    for name in names if old_first else reversed(names):
        world.sync(world.alice, name)
    world.sync(world.bob)
    world.sync_all()
    assert world.titles() == ["Walkthrough"]
    moved = Meeting.objects.get(state=Meeting.State.LIVE)
    assert Pin.objects.filter(series=moved.series, record=world.charlie).exists()
    world.change(title="Proposal")
    world.sync_all(rounds=2)
    assert [event["summary"] for event in world.live(world.alice, target.remote_id)] == ["Proposal"]
    assert world.titles() == ["Proposal"]


# Series, from both sides


def weekly(world: GoogleWorld, **fields: object) -> str:
    """A series of alice's with bob and charlie, on Tuesdays from 24 November at 10; its id."""
    rule = {"recurrence": ["RRULE:FREQ=WEEKLY;COUNT=6"], **hours("2026-11-24T10:00:00")}
    return world.insert(world.alice, attendees=(CHARLIE, world.bob.email), **(rule | fields))


def same_on_both_sides(world: GoogleWorld, event_id: str) -> None:
    world.sync_all(rounds=2)
    expected = world.at_google(world.alice, event_id)
    assert expected
    assert world.here(f"{event_id}@google.com") == expected
    assert world.titles(world.alice) == world.titles(world.bob)


def later(world: GoogleWorld, nth: int, **moved: float) -> When:
    when = world.detail(world.rows()[nth]).event.when
    assert when is not None
    start = when.starts_at("UTC") + timedelta(**moved)
    return When.timed(start, start + when.duration, when.zone)


def instance(event_id: str, day: int) -> str:
    """The id of the occurrence of a Tuesday in December, at 10 in Paris."""
    return f"{event_id}_202612{day:02d}T090000Z"


HERE = {
    "title of one": lambda world: world.change(1, title="This one"),
    "time of one": lambda world: world.change(1, when=later(world, 1, hours=3)),
    "day of one": lambda world: world.change(2, when=later(world, 2, days=1)),
    "cancel one": lambda world: world.cancel(3),
    "title of all": lambda world: world.change(0, title="Every week", scope="all"),
    "time of all": lambda world: world.change(0, when=later(world, 0, hours=2), scope="all"),
    "day of all": lambda world: world.change(0, when=later(world, 0, days=1), scope="all"),
}
THERE = {
    "title of one": lambda world, name: patch(world, instance(name, 1), {"summary": "Theirs"}),
    "time of one": lambda world, name: patch(world, instance(name, 8), hours("2026-12-08T15:00:00")),
    "cancel one": lambda world, name: world.act(
        world.alice, "events.delete", eventId=instance(name, 15), sendUpdates="none"
    ),
    "title of all": lambda world, name: patch(world, name, {"summary": "All theirs"}),
    "time of all": lambda world, name: patch(world, name, hours("2026-11-24T12:00:00")),
    "fewer": lambda world, name: patch(world, name, {"recurrence": ["RRULE:FREQ=WEEKLY;COUNT=4"]}),
    "more often": lambda world, name: patch(world, name, {"recurrence": ["RRULE:FREQ=DAILY;COUNT=8"]}),
}


def patch(world: GoogleWorld, event_id: str, body: object) -> None:
    world.act(world.alice, "events.patch", body, eventId=event_id, sendUpdates="none")  # type: ignore[arg-type]


@pytest.mark.parametrize("here", HERE)
def test_an_edit_of_a_series_here_is_what_google_says(world: GoogleWorld, here: str) -> None:
    event_id = weekly(world)
    world.sync_all()
    HERE[here](world)
    same_on_both_sides(world, event_id)
    assert set(states()) == {Intent.State.CONFIRMED}


@pytest.mark.parametrize("there", THERE)
def test_an_edit_of_a_series_there_is_what_tandem_shows(world: GoogleWorld, there: str) -> None:
    event_id = weekly(world)
    world.sync_all()
    THERE[there](world, event_id)
    same_on_both_sides(world, event_id)
    assert world.sandbox.log.writes() == []


@pytest.mark.parametrize("there", ["time of one", "cancel one"])
@pytest.mark.parametrize("here", HERE)
def test_edits_of_a_series_one_after_the_other_from_both_sides(world: GoogleWorld, here: str, there: str) -> None:
    event_id = weekly(world)
    world.sync_all()
    THERE[there](world, event_id)
    same_on_both_sides(world, event_id)
    HERE[here](world)
    same_on_both_sides(world, event_id)
    assert set(states()) == {Intent.State.CONFIRMED}


@pytest.mark.parametrize("there", ["time of one", "cancel one", "title of all", "time of all", "fewer"])
@pytest.mark.parametrize("here", HERE)
def test_edits_of_a_series_from_both_sides_at_once(world: GoogleWorld, here: str, there: str) -> None:
    """What can't be settled waits for a person, and pages show meanwhile what Google says."""
    event_id = weekly(world)
    world.sync_all()
    HERE[here](world)
    THERE[there](world, event_id)
    world.settle()
    assert Intent.State.OPEN not in states()
    same_on_both_sides(world, event_id)


def test_this_and_following_made_at_google_are_two_series(world: GoogleWorld) -> None:
    event_id = weekly(world)
    world.sync_all()
    patch(world, event_id, {"recurrence": ["RRULE:FREQ=WEEKLY;UNTIL=20261207T225959Z"]})
    rest = {"summary": "From now on", "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=4"], **hours("2026-12-08T16:00:00")}
    other = world.insert(world.alice, attendees=(CHARLIE, world.bob.email), **rest)
    for name, count in ((event_id, 2), (other, 4)):
        same_on_both_sides(world, name)
        assert len(world.here(f"{name}@google.com")) == count


def test_a_whole_series_cancelled_here_is_gone_there_and_each_guest_hears_once(world: GoogleWorld) -> None:
    event_id = weekly(world)
    patch(world, instance(event_id, 8), {"summary": "This one"})
    world.sync_all()
    world.cancel(0, scope="all")
    world.sync_all(rounds=2)
    assert world.live(world.alice) == world.live(world.bob) == []
    assert sorted(world.mails()) == [("cancellation", world.bob.email), ("cancellation", CHARLIE)]
    assert world.titles(world.alice) == world.titles(world.bob) == []


def test_a_series_made_here_is_one_series_there(world: GoogleWorld) -> None:
    world.schedule(meeting("", guests=(CHARLIE, world.bob.email), recurrence=("RRULE:FREQ=WEEKLY;COUNT=4",)))
    world.sync_all()
    (event,) = world.live(world.alice)
    same_on_both_sides(world, event["id"])
    world.change(1, title="This one")
    same_on_both_sides(world, event["id"])


def test_a_guest_takes_one_occurrence_out_of_their_calendar_and_it_takes_place(world: GoogleWorld) -> None:
    event_id = weekly(world)
    world.sync_all()
    world.act(world.bob, "events.delete", eventId=instance(event_id, 8), sendUpdates="none")
    same_on_both_sides(world, event_id)
    assert len(world.here(f"{event_id}@google.com")) == 6


def test_a_timed_meeting_becomes_a_day_and_back(world: GoogleWorld) -> None:
    event_id = world.insert(world.alice)
    world.sync(world.alice)
    before = world.detail(world.rows()[0]).event.when
    assert before is not None
    day = before.first_day
    world.change(when=When.days(day, day + timedelta(days=2)))
    world.sync(world.alice)
    (event,) = world.live(world.alice)
    assert (event["start"], event["end"]) == ({"date": "2026-11-24"}, {"date": "2026-11-26"})
    world.change(when=before)
    world.sync(world.alice)
    assert world.detail(world.rows()[0]).event.when == before
    assert world.live(world.alice)[0]["start"]["dateTime"] == "2026-11-24T10:00:00+01:00"
    assert event_id == world.live(world.alice)[0]["id"]


def test_what_is_only_read_is_never_written(world: GoogleWorld) -> None:
    """A first look, a second, and every calendar of both: the log holds reads, the ledger nothing."""
    weekly(world)
    world.insert(world.bob, attendees=(world.alice.email,))
    world.sync_all(rounds=3)
    assert world.sandbox.log.writes() == []
    assert world.mails() == []
    assert not Calendar.objects.filter(is_read=True).exclude(error="").exists()
    assert world.titles()
