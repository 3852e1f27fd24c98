"""What a person does with a meeting shows at once, is an intent, and is never lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from tandem.calendaring.event import Event, Guest, When
from tandem.crm.models import Kind, Record
from tandem.crm.verbs import RecordData
from tandem.mailboxes.models import Calendar
from tandem.meetings import reading, records, verbs
from tandem.meetings.models import Intent, Meeting
from tandem.meetings.wishes import changes_of
from tandem.team.models import Company, Role, User
from tests.mailbox import CHARLIE, NOW, arrives, calendar_of, meeting, person

pytestmark = pytest.mark.django_db
WEEKLY = ("RRULE:FREQ=WEEKLY;COUNT=3",)


@pytest.fixture
def charlie(alice: User, company: Company) -> Record:
    return person(alice, "Charlie Baker", CHARLIE)


@pytest.fixture
def calendar(alice: User) -> Calendar:
    return calendar_of(alice)


def replaced(event: Event, **values: Any) -> Event:
    return msgspec.structs.replace(event, **values)


def only_row(record: Record, user: User) -> reading.EventRow:
    (row,) = reading.section(record, user, NOW).upcoming
    return row


def draft(*guests: str) -> Event:
    return meeting("", guests=guests)


def test_a_scheduled_meeting_shows_at_once_as_not_sent_yet(alice: User, charlie: Record, calendar: Calendar) -> None:
    verbs.schedule(alice, calendar, draft(CHARLIE), tell=True, record=charlie, now=NOW)
    row = only_row(charlie, alice)
    assert (row.title, row.sign) == ("Walkthrough", "waiting")
    intent = Intent.objects.get()
    assert intent.tell
    assert "alice@northwind.example" in intent.event


def test_a_second_submit_of_one_form_makes_no_second_meeting(alice: User, charlie: Record, calendar: Calendar) -> None:
    event = replaced(draft(CHARLIE), uid=verbs.new_uid())
    first = verbs.schedule(alice, calendar, event, tell=True, record=charlie, now=NOW)
    assert verbs.schedule(alice, calendar, event, tell=True, record=charlie, now=NOW) == first
    assert Intent.objects.count() == 1


def test_a_meeting_without_the_records_address_is_pinned_to_it(
    alice: User, charlie: Record, calendar: Calendar
) -> None:
    verbs.schedule(alice, calendar, draft(), tell=False, record=charlie, now=NOW)
    assert only_row(charlie, alice).title == "Walkthrough"


def test_a_meeting_for_one_opportunity_stays_on_it(alice: User, charlie: Record, calendar: Calendar) -> None:
    data = RecordData(name="Audit", owner_id=alice.id, primary_contact_id=charlie.id, status="open")
    opportunity = records.save(alice, None, Kind.OPPORTUNITY, data, now=NOW)
    verbs.schedule(alice, calendar, draft("dora@outside.example"), tell=False, record=opportunity, now=NOW)
    assert only_row(opportunity, alice).title == "Walkthrough"
    assert reading.section(charlie, alice, NOW).upcoming == []


def test_an_edit_shows_at_once_over_what_the_calendar_says(alice: User, charlie: Record, calendar: Calendar) -> None:
    held = meeting(organizer=alice.email, guests=(CHARLIE,))
    arrives(calendar, held)
    later = When("2026-11-25T15:00:00", "2026-11-25T16:00:00", "Europe/Paris")
    intent = verbs.change(
        alice, Meeting.objects.get(), "", held, replaced(held, title="Proposal", when=later), tell=True, now=NOW
    )
    row = only_row(charlie, alice)
    assert (row.title, row.when, row.sign) == ("Proposal", later, "waiting")
    assert intent is not None
    assert set(changes_of(intent)) == {"title", "when"}


def test_an_edit_that_changes_nothing_is_no_intent(alice: User, charlie: Record, calendar: Calendar) -> None:
    held = meeting(organizer=alice.email, guests=(CHARLIE,))
    arrives(calendar, held)
    assert verbs.change(alice, Meeting.objects.get(), "", held, held, tell=True, now=NOW) is None


def test_an_organizer_who_is_listed_as_a_guest_stays_one(alice: User, charlie: Record, calendar: Calendar) -> None:
    held = meeting(organizer=alice.email, guests=(alice.email, CHARLIE))
    arrives(calendar, held)
    intent = verbs.change(
        alice, Meeting.objects.get(), "", held, replaced(held, location="Hall B"), tell=False, now=NOW
    )
    assert intent is not None
    assert set(changes_of(intent)) == {"location"}


def test_one_occurrence_is_edited_alone(alice: User, charlie: Record, calendar: Calendar) -> None:
    held = meeting(organizer=alice.email, guests=(CHARLIE,), recurrence=WEEKLY)
    arrives(calendar, held)
    second = reading.section(charlie, alice, NOW).upcoming[1]
    seen = reading.detail(second.meeting_id, second.original_start, alice, NOW).event
    verbs.change(
        alice, Meeting.objects.get(), second.original_start, seen, replaced(seen, title="Proposal"), tell=False, now=NOW
    )
    assert [row.title for row in reading.section(charlie, alice, NOW).upcoming] == [
        "Walkthrough",
        "Proposal",
        "Walkthrough",
    ]


def test_all_of_a_series_moves_by_as_much_as_its_occurrence(alice: User, charlie: Record, calendar: Calendar) -> None:
    held = meeting(organizer=alice.email, guests=(CHARLIE,), recurrence=WEEKLY)
    arrives(calendar, held)
    before = reading.section(charlie, alice, NOW).upcoming
    second = before[1]
    seen = reading.detail(second.meeting_id, second.original_start, alice, NOW).event
    assert seen.when is not None
    starts = second.starts_at + timedelta(hours=2)
    moved = replaced(seen, when=When.timed(starts, starts + timedelta(minutes=30), "Europe/Paris"))
    master = Meeting.objects.get()
    verbs.change(alice, master, second.original_start, seen, moved, tell=False, now=NOW, scope="all")
    after = reading.section(charlie, alice, NOW).upcoming
    assert [row.starts_at - old.starts_at for row, old in zip(after, before, strict=True)] == [timedelta(hours=2)] * 3
    assert {row.ends_at - row.starts_at for row in after} == {timedelta(minutes=30)}


def test_all_of_a_series_takes_along_what_was_edited_alone_and_still_says_the_same(
    alice: User, charlie: Record, calendar: Calendar
) -> None:
    held = meeting(organizer=alice.email, guests=(CHARLIE,), recurrence=WEEKLY)
    second, third = "20261201T090000Z", "20261208T090000Z"
    moved = When("2026-12-02T10:00:00", "2026-12-02T11:00:00", "Europe/Paris")
    last = When("2026-12-08T10:00:00", "2026-12-08T11:00:00", "Europe/Paris")
    arrives(
        calendar,
        held,
        replaced(held, recurrence=(), recurrence_id=second, when=moved),
        replaced(held, recurrence=(), recurrence_id=third, when=last, title="Its own name"),
    )
    seen = replaced(held, recurrence=(), recurrence_id=second, when=moved)
    verbs.change(
        alice,
        Meeting.objects.get(recurrence_id=second),
        second,
        seen,
        replaced(seen, title="Proposal"),
        tell=False,
        now=NOW,
        scope="all",
    )
    rows = reading.section(charlie, alice, NOW).upcoming
    assert [(row.starts_at.day, row.title) for row in rows] == [(24, "Proposal"), (2, "Proposal"), (8, "Its own name")]


def test_a_cancelled_meeting_is_struck_through_until_it_is_gone(
    alice: User, charlie: Record, calendar: Calendar
) -> None:
    arrives(calendar, meeting(organizer=alice.email, guests=(CHARLIE,)))
    verbs.cancel(alice, Meeting.objects.get(), "", tell=True, now=NOW)
    assert only_row(charlie, alice).cancelled


def test_only_the_organizer_edits(alice: User, bob: User, charlie: Record, calendar: Calendar) -> None:
    held = meeting(organizer=alice.email, guests=(CHARLIE, bob.email))
    arrives(calendar, held)
    with pytest.raises(verbs.NotAllowed, match="Alice Moreau organizes"):
        verbs.change(bob, Meeting.objects.get(), "", held, replaced(held, title="Mine"), tell=False, now=NOW)
    with pytest.raises(verbs.NotAllowed):
        verbs.cancel(bob, Meeting.objects.get(), "", tell=False, now=NOW)


def test_a_guest_of_a_meeting_from_outside_may_not_change_it(alice: User, charlie: Record, calendar: Calendar) -> None:
    held = meeting(organizer=CHARLIE, guests=(alice.email,))
    arrives(calendar, held)
    with pytest.raises(verbs.NotAllowed, match=CHARLIE):
        verbs.change(alice, Meeting.objects.get(), "", held, replaced(held, title="Mine"), tell=False, now=NOW)


def test_a_read_only_user_changes_nothing(alice: User, charlie: Record, calendar: Calendar) -> None:
    alice.role = Role.READ_ONLY
    alice.save()
    with pytest.raises(verbs.NotAllowed, match="read-only"):
        verbs.schedule(alice, calendar, draft(CHARLIE), tell=False, record=charlie, now=NOW)


def test_nobody_writes_into_anothers_calendar(bob: User, charlie: Record, calendar: Calendar) -> None:
    with pytest.raises(verbs.NotAllowed):
        verbs.schedule(bob, calendar, draft(CHARLIE), tell=False, record=charlie, now=NOW)


@pytest.mark.parametrize(
    "when",
    [
        When("2026-11-25T15:00:00", "2026-11-25T14:00:00", "Europe/Paris"),
        When("2026-11-25", "2026-11-25"),
        None,
    ],
)
def test_a_meeting_that_ends_before_it_starts_is_refused(
    alice: User, charlie: Record, calendar: Calendar, when: When | None
) -> None:
    with pytest.raises(verbs.Invalid) as refusal:
        verbs.schedule(alice, calendar, replaced(draft(CHARLIE), when=when), tell=False, record=charlie, now=NOW)
    assert refusal.value.field == "when"


def test_the_first_guest_makes_the_author_the_organizer(alice: User, charlie: Record, calendar: Calendar) -> None:
    held = meeting("call")
    arrives(calendar, held)
    intent = verbs.change(
        alice, Meeting.objects.get(), "", held, replaced(held, guests=(Guest(CHARLIE),)), tell=True, now=NOW
    )
    assert intent is not None
    assert set(changes_of(intent)) == {f"guest:{CHARLIE}", "organizer"}
    assert only_row(charlie, alice).title == "Walkthrough"


def test_an_edit_taken_back_shows_the_calendar_again(alice: User, charlie: Record, calendar: Calendar) -> None:
    held = meeting(organizer=alice.email, guests=(CHARLIE,))
    arrives(calendar, held)
    intent = verbs.change(alice, Meeting.objects.get(), "", held, replaced(held, title="Oops"), tell=True, now=NOW)
    assert intent is not None
    verbs.withdraw(alice, intent, now=NOW)
    assert only_row(charlie, alice).title == "Walkthrough"
