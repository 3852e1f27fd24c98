"""What pages say of edits that wait, of meetings long past, and the hour that a new event begins with."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from django.test import Client
from django.utils import timezone

from tandem.calendaring import event as canonical
from tandem.calendaring.event import Guest, When
from tandem.crm.models import Record
from tandem.invitations.models import LedgerEntry
from tandem.mailboxes.models import AccountState, Calendar
from tandem.meetings import verbs
from tandem.meetings.models import Intent, Meeting
from tandem.team.models import Company, Role, User
from tandem.web import clock
from tandem.web.event_draft import proposed_start
from tandem.web.obstacles import obstacle
from tests.mailbox import CHARLIE, arrives, calendar_of, meeting, person

PARIS = ZoneInfo("Europe/Paris")


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS)


@pytest.mark.parametrize(
    ("now", "proposed"),
    [
        ("2026-11-23T01:03", "2026-11-23T10:00"),  # Monday, at night
        ("2026-11-23T09:10", "2026-11-23T10:00"),
        ("2026-11-23T09:50", "2026-11-23T11:00"),  # ten minutes are too few to write it
        ("2026-11-23T15:59", "2026-11-23T17:00"),
        ("2026-11-23T17:00", "2026-11-24T10:00"),
        ("2026-11-23T23:30", "2026-11-24T10:00"),
        ("2026-11-27T18:00", "2026-11-30T10:00"),  # Friday evening
        ("2026-11-28T11:00", "2026-11-30T10:00"),  # Saturday
        ("2026-11-29T23:30", "2026-11-30T10:00"),
    ],
)
def test_a_new_event_is_proposed_when_people_work(now: str, proposed: str) -> None:
    assert proposed_start(wall(now)) == wall(proposed)


def test_a_day_amid_a_sentence_is_not_capitalised() -> None:
    now = timezone.now()
    assert clock.moment(now, now).startswith("Today, ")
    assert clock.moment_within(now, now).startswith("today, ")
    assert clock.moment_within(now - timedelta(days=30), now)[0].isupper()


@pytest.fixture
def charlie(alice: User, company: Company) -> Record:
    return person(alice, "Charlie Baker", CHARLIE)


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def held(company: Company) -> None:
    Company.objects.filter(id=company.id).update(writing_held=True, held_reason="An administrator paused all writing.")


def planned(alice: User) -> Meeting:
    start = timezone.now().replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
    when = When.timed(start, start + timedelta(hours=1), "Europe/Berlin")
    calendar = calendar_of(alice)
    arrives(calendar, meeting("Kick-off", title="Kick-off", organizer=alice.email, guests=(CHARLIE,), when=when))
    return Meeting.objects.get()


@pytest.mark.django_db
def test_what_keeps_an_edit_from_going_out_is_named(alice: User, company: Company) -> None:
    calendar = calendar_of(alice)
    calendar.is_read = True
    assert obstacle(calendar) == ""
    calendar.error = "No server answers."
    assert "does not answer" in obstacle(calendar)
    calendar.account.state = AccountState.RECONNECT
    assert "has to be reconnected" in obstacle(calendar)
    held(company)
    assert "paused for the whole company" in obstacle(calendar)


@pytest.mark.django_db
def test_while_writing_is_paused_the_form_the_answer_the_page_and_the_pill_say_so(
    alice: User, company: Company, charlie: Record
) -> None:
    one, client = planned(alice), browser(alice)
    held(company)
    assert "Writing to calendars is paused" in client.get(f"/events/{one.id}/-/edit").content.decode()
    seen = canonical.decode(one.shown)
    wanted = msgspec.structs.replace(seen, location="Hall B", guests=(Guest(CHARLIE, "Charlie"),))
    verbs.change(alice, one, "", seen, wanted, tell=True, now=timezone.now())
    page = client.get(f"/events/{one.id}/-").content.decode()
    assert "Not sent yet" in page
    assert "Edits wait here until an administrator goes on." in page
    assert "Writing is paused" in client.get(f"/people/{charlie.id}").content.decode()


@pytest.mark.django_db
def test_saving_while_the_account_is_refused_does_not_claim_that_the_calendar_has_it(
    alice: User, company: Company, charlie: Record
) -> None:
    calendar = calendar_of(alice)
    Calendar.objects.filter(id=calendar.id).update(error="cal.example does not take this password.")
    client = browser(alice)
    html = client.get(f"/events/new?record={charlie.id}").content.decode()
    assert "does not answer. Edits wait here" in html


@pytest.mark.django_db
def test_earlier_meetings_lead_to_the_tab_that_shows_them_all(alice: User, company: Company, charlie: Record) -> None:
    calendar = calendar_of(alice)
    for days in range(1, 9):
        start = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(days=days)
        when = When.timed(start, start + timedelta(minutes=30), "Europe/Berlin")
        name = f"Talk {days}"
        arrives(calendar, meeting(name, title=name, organizer=alice.email, guests=(CHARLIE,), when=when))
    client = browser(alice)
    page = client.get(f"/people/{charlie.id}").content.decode()
    assert f'href="/people/{charlie.id}?show=meetings#timeline">3 earlier meetings</a>' in page
    assert "Talk 8" not in page
    page = client.get(f"/people/{charlie.id}?show=meetings").content.decode()
    assert "Talk 8" in page
    assert "3 earlier meetings" in page


@pytest.mark.django_db
def test_a_read_only_user_is_shown_nothing_that_would_be_refused(alice: User, company: Company) -> None:
    alice.role = Role.READ_ONLY
    alice.save()
    client = browser(alice)
    for address in ("/welcome", "/accounts", "/more", "/people"):
        page = client.get(address).content.decode()
        for refused in ("/accounts/connect", "/people/new", "/events/new", 'href="/mail"'):
            assert refused not in page, (address, refused)


@pytest.mark.django_db
@pytest.mark.parametrize("days", ["-3", "0", "367", "soon"])
def test_a_horizon_that_cannot_be_is_refused_in_our_words(alice: User, company: Company, days: str) -> None:
    alice.role = Role.ADMINISTRATOR
    alice.save()
    answer = browser(alice).post("/company", {"name": "Here", "time_zone": "UTC", "horizon_days": days})
    assert "Write a number of days, from 1 to 366." in answer.content.decode()
    assert f'value="{days}"' in answer.content.decode()


@pytest.mark.parametrize("state", [LedgerEntry.State.FAILED, LedgerEntry.State.UNCERTAIN])
def test_a_mail_that_did_not_go_out_is_sent_again_only_when_its_owner_says_so(
    alice: User, bob: User, company: Company, state: str
) -> None:
    draft = meeting("", guests=(CHARLIE,))
    made = verbs.schedule(alice, calendar_of(alice), draft, tell=True, record=None, now=timezone.now())
    entry = LedgerEntry.objects.create(
        intent=Intent.objects.get(),
        series=made.series,
        address=CHARLIE,
        method="REQUEST",
        told_by="tandem",
        message="a message",
        state=state,
        error="The mail server refused it.",
        created_at=timezone.now(),
    )
    page = browser(alice).get(f"/events/{made.id}/-").text
    assert "The mail server refused it." in page
    assert "Mail again" in page
    address = f"/events/mail/{entry.id}/again"
    assert browser(bob).post(address).status_code == 404
    entry.refresh_from_db()
    assert entry.state == state
    assert browser(alice).post(address).status_code == 302
    entry.refresh_from_db()
    assert (entry.state, entry.error) == (LedgerEntry.State.WAITING, "")
    assert browser(alice).post(address).status_code == 404
