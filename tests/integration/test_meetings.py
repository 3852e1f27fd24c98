"""One meeting behind many copies: identity, authority, and who ends what."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import msgspec
import pytest

from tandem.calendaring.event import Event, When
from tandem.crm.models import Record
from tandem.mailboxes.models import Calendar
from tandem.meetings import reading
from tandem.meetings.models import Copy, Intent, Meeting, Pin, Series
from tandem.meetings.visibility import Hidden, Level
from tandem.sync.accounts import disconnect
from tandem.team.models import Company, User
from tests.mailbox import CHARLIE, NOW, account_of, arrives, calendar_in, calendar_of, leaves, meeting, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def charlie(alice: User, company: Company) -> Record:
    return person(alice, "Charlie Baker", CHARLIE)


def titles(record: Record, user: User) -> list[str]:
    section = reading.section(record, user, NOW)
    return [row.title for row in (*section.upcoming, *section.past)]


def shared(alice: User, bob: User) -> Event:
    return meeting(organizer=alice.email, guests=(alice.email, bob.email, CHARLIE))


def test_two_users_copies_are_one_meeting_in_every_order_of_arrival(alice: User, bob: User, charlie: Record) -> None:
    calendars = {"alice": calendar_of(alice), "bob": calendar_of(bob)}
    for order in permutations(calendars):
        for name in order:
            arrives(calendars[name], shared(alice, bob))
        assert titles(charlie, alice) == ["Walkthrough"]
        assert len(reading.search(alice, "walkthrough", NOW)) == 1
        assert len(reading.agenda(alice, NOW, NOW + timedelta(days=7), team=True, now=NOW)) == 1
        (found,) = Meeting.objects.all()
        assert found.authority is not None
        assert found.authority.calendar == calendars["alice"]
        for calendar in calendars.values():
            leaves(calendar, "walkthrough")
        Series.objects.all().delete()


def test_a_guest_who_deletes_their_copy_ends_only_that_copy(alice: User, bob: User, charlie: Record) -> None:
    calendars = calendar_of(alice), calendar_of(bob)
    for calendar in calendars:
        arrives(calendar, shared(alice, bob))
    leaves(calendars[1], "walkthrough")
    assert titles(charlie, alice) == ["Walkthrough"]
    assert Meeting.objects.get().state == Meeting.State.LIVE


def test_the_organizer_who_deletes_it_cancels_it(alice: User, bob: User, charlie: Record) -> None:
    calendars = calendar_of(alice), calendar_of(bob)
    for calendar in calendars:
        arrives(calendar, shared(alice, bob))
    leaves(calendars[0], "walkthrough")
    (row,) = reading.section(charlie, bob, NOW).upcoming
    assert row.cancelled
    leaves(calendars[1], "walkthrough")
    assert titles(charlie, bob) == []


def test_the_organizer_who_connects_later_becomes_the_authority_and_nothing_is_written(
    alice: User, bob: User, charlie: Record
) -> None:
    bobs = calendar_of(bob)
    arrives(bobs, msgspec.structs.replace(shared(alice, bob), title="As Bob's server spells it"))
    assert titles(charlie, bob) == ["As Bob's server spells it"]
    arrives(calendar_of(alice), shared(alice, bob))
    assert titles(charlie, bob) == ["Walkthrough"]
    assert not Intent.objects.exists()


def test_a_meeting_that_no_mailbox_sees_any_more_is_unseen_and_revived(alice: User, charlie: Record) -> None:
    alices = calendar_of(alice)
    invited = meeting(organizer=CHARLIE, guests=(alice.email,))
    arrives(alices, invited)
    Pin.objects.create(series=Series.objects.get(), record=charlie)
    leaves(alices, "walkthrough")
    assert Meeting.objects.get().state == Meeting.State.UNSEEN
    assert titles(charlie, alice) == []
    arrives(alices, invited)
    assert Meeting.objects.get().state == Meeting.State.LIVE
    assert titles(charlie, alice) == ["Walkthrough"]
    assert Pin.objects.count() == 1


def test_an_invitation_with_a_private_uid_joins_its_sender_to_nothing(alice: User, bob: User, charlie: Record) -> None:
    arrives(calendar_of(alice), meeting("secret", title="Oncologist"))
    arrives(calendar_of(bob), meeting("secret", organizer=CHARLIE, guests=(bob.email,), title="Bait"))
    assert Meeting.objects.count() == 2
    assert titles(charlie, bob) == ["Bait"]


def test_the_same_uid_in_two_calendars_without_guests_is_two_meetings(alice: User, company: Company) -> None:
    account = account_of(alice)
    for calendar in (account.calendars.get(), calendar_in(account, "other")):
        arrives(calendar, meeting("template"))
    assert Meeting.objects.count() == 2


def test_an_event_moved_to_another_calendar_is_not_cancelled(alice: User, charlie: Record) -> None:
    account = account_of(alice)
    old, new = account.calendars.get(), calendar_in(account, "other")
    event = meeting(organizer=alice.email, guests=(CHARLIE,))
    arrives(old, event)
    arrives(new, event)
    leaves(old, event.uid)
    (row,) = reading.section(charlie, alice, NOW).upcoming
    assert not row.cancelled


@pytest.mark.parametrize("first", ["copy", "tombstone"])
def test_an_event_without_guests_keeps_its_pin_when_it_moves(alice: User, charlie: Record, first: str) -> None:
    account = account_of(alice)
    old, new = account.calendars.get(), calendar_in(account, "other")
    arrives(old, meeting("call"))
    Pin.objects.create(series=Series.objects.get(), record=charlie)
    steps = [lambda: arrives(new, meeting("call")), lambda: leaves(old, "call")]
    for step in steps if first == "copy" else reversed(steps):
        step()
    assert titles(charlie, alice) == ["Walkthrough"]


def test_the_first_guest_does_not_make_it_another_meeting(alice: User, charlie: Record) -> None:
    alices = calendar_of(alice)
    arrives(alices, meeting("call"))
    before = Meeting.objects.get()
    arrives(alices, meeting("call", organizer=alice.email, guests=(CHARLIE,)))
    assert Meeting.objects.get() == before
    assert titles(charlie, alice) == ["Walkthrough"]


def test_an_override_without_its_master_is_a_meeting(alice: User, charlie: Record) -> None:
    event = meeting("weekly", organizer=CHARLIE, guests=(alice.email,), recurrence_id="20261124T090000Z")
    arrives(calendar_of(alice), event)
    assert titles(charlie, alice) == ["Walkthrough"]


def test_a_stale_override_in_a_guests_copy_does_not_speak(alice: User, bob: User, charlie: Record) -> None:
    master = msgspec.structs.replace(shared(alice, bob), recurrence=("RRULE:FREQ=WEEKLY;COUNT=3",))
    slot = "20261124T090000Z"
    stale = msgspec.structs.replace(shared(alice, bob), recurrence_id=slot, title="As it once was")
    arrives(calendar_of(bob), master, stale)
    assert "As it once was" in titles(charlie, bob)
    arrives(calendar_of(alice), master)
    assert titles(charlie, bob) == ["Walkthrough"] * 3


def test_someone_elses_event_in_my_calendar_is_skipped_with_a_reason(alice: User, charlie: Record) -> None:
    alices = calendar_of(alice)
    arrives(alices, meeting(organizer=CHARLIE, guests=("dora@outside.example",)))
    assert Copy.objects.get().skip == "not-your-meeting"
    assert titles(charlie, alice) == []


def test_unlinked_and_private_meetings_are_busy_to_colleagues(alice: User, bob: User, charlie: Record) -> None:
    alices = calendar_of(alice)
    arrives(alices, meeting("dentist", title="Oncologist"))
    arrives(alices, meeting("secret", organizer=alice.email, guests=(CHARLIE,), title="Offer", visibility="private"))
    arrives(alices, meeting("open", organizer=alice.email, guests=(CHARLIE,), title="Walkthrough"))
    week = NOW, NOW + timedelta(days=7)
    bobs = reading.agenda(bob, *week, team=True, now=NOW)
    assert sorted((row.title, row.level) for row in bobs) == [
        ("Busy", Level.BUSY),
        ("Busy", Level.BUSY),
        ("Walkthrough", Level.OUTLINE),
    ]
    assert titles(charlie, bob) == ["Walkthrough"]
    assert sorted(titles(charlie, alice)) == ["Offer", "Walkthrough"]
    assert reading.search(bob, "oncologist", NOW) == []
    assert reading.search(bob, "offer", NOW) == []
    for row in bobs:
        with pytest.raises(Hidden) as refusal:
            reading.detail(row.meeting_id, row.original_start, bob, NOW)
        assert "Alice" in refusal.value.words
        if row.level is Level.BUSY:
            assert row.who == ["Alice Moreau"]


def test_addresses_added_and_removed_link_at_once(alice: User, company: Company) -> None:
    arrives(calendar_of(alice), meeting("past", guests=(CHARLIE,), organizer=alice.email, starts_in=-timedelta(days=9)))
    arrives(Calendar.objects.get(), meeting("next", guests=(CHARLIE,), organizer=alice.email))
    late = person(alice, "Charlie Baker", CHARLIE)
    late.refresh_from_db()
    assert len(titles(late, alice)) == 2
    assert late.last_meeting_at == NOW - timedelta(days=9)
    assert late.next_meeting_at == NOW + timedelta(days=2)
    late.identities.all().delete()
    assert titles(late, alice) == []


def test_users_own_addresses_never_link(alice: User, bob: User, company: Company) -> None:
    record = person(alice, "Bob as a person", bob.email)
    arrives(calendar_of(alice), meeting(organizer=alice.email, guests=(bob.email, CHARLIE)))
    assert titles(record, alice) == []


def test_disconnecting_keeps_what_another_account_sees(alice: User, bob: User, charlie: Record) -> None:
    alices, bobs = calendar_of(alice), calendar_of(bob)
    for calendar in (alices, bobs):
        arrives(calendar, shared(alice, bob))
    disconnect(alices.account, now=NOW)
    (row,) = reading.section(charlie, bob, NOW).upcoming
    assert not row.cancelled
    disconnect(bobs.account, now=NOW)
    assert Meeting.objects.get().state == Meeting.State.UNSEEN


@pytest.mark.parametrize(("before", "shows"), [(timedelta(minutes=1), True), (timedelta(0), False)])
def test_the_horizon_at_its_edge(alice: User, charlie: Record, before: timedelta, shows: bool) -> None:
    arrives(
        calendar_of(alice), meeting(organizer=alice.email, guests=(CHARLIE,), starts_in=timedelta(hours=744) - before)
    )
    section = reading.section(charlie, alice, NOW)
    charlie.refresh_from_db()
    assert bool(section.upcoming) is shows
    assert bool(charlie.next_meeting_at) is shows
    assert section.later == (0 if shows else 1)
    if not shows:
        assert section.later_first_appears is not None


def test_an_all_day_meeting_starts_at_midnight_in_the_companys_zone(alice: User, charlie: Record) -> None:
    Company.objects.update(time_zone="Europe/Paris")
    day = When("2026-12-24", "2026-12-25")  # midnight in Paris is 23:00 UTC on the 23rd, 744 h after the 22nd, 23:00
    alices = calendar_of(alice)
    arrives(alices, meeting(organizer=alice.email, guests=(CHARLIE,), when=day))
    edge = NOW.replace(month=11, day=22, hour=23, minute=0)
    assert not reading.section(charlie, alice, edge).upcoming
    assert reading.section(charlie, alice, edge + timedelta(minutes=1)).upcoming


def test_an_endless_series_shows_up_to_the_horizon_and_counts_once_beyond(alice: User, charlie: Record) -> None:
    weekly = meeting(organizer=alice.email, guests=(CHARLIE,), recurrence=("RRULE:FREQ=WEEKLY",))
    arrives(calendar_of(alice), weekly)
    section = reading.section(charlie, alice, NOW)
    assert len(section.upcoming) == 5
    assert section.later == 1
