"""Who is told what, decided once: the ledger and the sentence before saving follow one rule."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_string, policy

import pytest
from msgspec.structs import replace

from tandem.calendaring.event import Event, Guest, Organizer, When
from tandem.crm.models import Identity, Kind, Record
from tandem.invitations import consent, ledger
from tandem.invitations.models import LedgerEntry
from tandem.mailboxes.models import Account, Calendar, Sender
from tandem.meetings.models import Intent
from tandem.team.models import Alias, User

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
ALICE = "alice@northwind.example"
PRIYA = Guest("priya.raman@halden.example", "Priya Raman")
TOM = Guest("tom@halden.example", "Tom Berg", response="accepted")
ROOM = Guest("room4@northwind.example", "Room 4", resource=True)
WHEN = When("2026-01-15T14:00:00", "2026-01-15T15:00:00", "Europe/Berlin")


def event(*guests: Guest, title: str = "Review", sequence: int = 3) -> Event:
    guests = tuple(sorted((*guests, Guest(ALICE, "Alice Moreau"), ROOM), key=lambda guest: guest.address))
    organizer = Organizer(ALICE, "Alice Moreau")
    return Event(uid="u1", title=title, when=WHEN, organizer=organizer, guests=guests, sequence=sequence)


@pytest.fixture
def calendar(alice: User) -> Calendar:
    account = Account.objects.create(
        owner=alice, provider="caldav", name=ALICE, url="https://cal.northwind.example/", username="alice",
        secret="", subject_id="alice", addresses_text="a.moreau@northwind.example",
    )  # fmt: skip
    return Calendar.objects.create(account=account, remote_id="work", name="Client meetings")


def intent(calendar: Calendar, verb: Intent.Verb = Intent.Verb.CHANGE, *, tell: bool = True) -> Intent:
    return Intent.objects.create(
        verb=verb, calendar=calendar, remote_id="x", tell=tell, author=calendar.account.owner, created_at=NOW
    )


def told(before: Event | None, after: Event | None, calendar: Calendar, *, tell: bool = True) -> list[tuple[str, str]]:
    """(method, address) of every entry that this edit leads to, in the ledger itself."""
    wish = intent(calendar, tell=tell)
    ledger.record(wish, before=before, after=after, now=NOW)
    return sorted(wish.ledger.values_list("method", "address"))


def test_a_new_meeting_invites_every_guest_but_me_and_the_room(calendar: Calendar) -> None:
    assert told(None, event(PRIYA, TOM), calendar) == [("REQUEST", PRIYA.address), ("REQUEST", TOM.address)]


def test_every_address_that_is_mine_is_left_out(calendar: Calendar, alice: User) -> None:
    Alias.objects.create(user=alice, address="alice@old.example")
    mine = (Guest("alice@old.example"), Guest("a.moreau@northwind.example"))
    assert told(None, event(PRIYA, *mine), calendar) == [("REQUEST", PRIYA.address)]


def test_a_teammate_who_is_invited_is_told_like_any_guest(calendar: Calendar, bob: User) -> None:
    assert told(None, event(Guest(bob.email)), calendar) == [("REQUEST", bob.email)]


def test_without_my_word_nobody_is_told(calendar: Calendar) -> None:
    assert told(None, event(PRIYA), calendar, tell=False) == []


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Later"},
        {"when": When("2026-01-16T14:00:00", "2026-01-16T15:00:00", "Europe/Berlin")},
        {"location": "Room 5"},
        {"description": "Bring the plan"},
        {"recurrence": ("RRULE:FREQ=WEEKLY",)},
        {"status": "tentative"},
    ],
)
def test_a_change_that_concerns_guests_is_told_to_all(calendar: Calendar, change: dict[str, object]) -> None:
    before = event(PRIYA, TOM)
    assert told(before, replace(before, **change), calendar) == [("REQUEST", PRIYA.address), ("REQUEST", TOM.address)]


@pytest.mark.parametrize(
    "change",
    [{"reminders": (10,)}, {"visibility": "private"}, {"sequence": 9}, {"free": True}, {"join_url": "https://x"}],
)
def test_what_does_not_concern_guests_mails_nobody(calendar: Calendar, change: dict[str, object]) -> None:
    before = event(PRIYA, TOM)
    assert told(before, replace(before, **change), calendar) == []


def test_a_guests_answer_mails_nobody(calendar: Calendar) -> None:
    assert told(event(PRIYA, TOM), event(PRIYA, replace(TOM, response="declined")), calendar) == []


def test_who_comes_is_invited_and_who_goes_is_told_so(calendar: Calendar) -> None:
    ann = Guest("ann@halden.example")
    assert told(event(PRIYA, TOM), event(PRIYA, ann), calendar) == [
        ("CANCEL", TOM.address),
        ("REQUEST", ann.address),
        ("REQUEST", PRIYA.address),
    ]
    subjects = dict(LedgerEntry.objects.values_list("address", "summary"))
    assert subjects[ann.address].startswith("Invitation: Review")
    assert subjects[PRIYA.address].startswith("Changed: Review")
    assert subjects[TOM.address].startswith("No longer invited: Review")


def test_a_cancelled_meeting_is_told_to_all_with_the_next_sequence(calendar: Calendar) -> None:
    assert told(event(PRIYA, TOM), None, calendar) == [("CANCEL", PRIYA.address), ("CANCEL", TOM.address)]
    assert set(LedgerEntry.objects.values_list("sequence", flat=True)) == {4}
    assert "SEQUENCE:4" in calendar_part(LedgerEntry.objects.first())


def test_a_status_of_cancelled_is_a_cancellation_and_told_once(calendar: Calendar) -> None:
    before = event(PRIYA)
    gone = replace(before, status="cancelled")
    assert told(before, gone, calendar) == [("CANCEL", PRIYA.address)]
    assert told(gone, None, calendar) == []


def test_a_request_carries_the_sequence_that_the_calendar_holds(calendar: Calendar) -> None:
    told(event(PRIYA), event(PRIYA, title="Later", sequence=4), calendar)
    assert LedgerEntry.objects.get().sequence == 4
    assert "SEQUENCE:4" in calendar_part(LedgerEntry.objects.get())


def test_a_meeting_that_somebody_else_organizes_is_theirs_to_tell(calendar: Calendar) -> None:
    theirs = replace(event(PRIYA), organizer=Organizer("charlie@outside.example"))
    assert told(theirs, replace(theirs, title="Mine"), calendar) == []


def test_where_the_server_mails_the_entry_only_says_what_it_was_asked(calendar: Calendar) -> None:
    calendar.account.invitations_by = Sender.SERVER
    assert told(None, event(PRIYA), calendar) == [("REQUEST", PRIYA.address)]
    entry = LedgerEntry.objects.get()
    assert (entry.state, entry.told_by, entry.message, entry.sent_at) == ("sent", "server", "", NOW)
    assert entry.on_word_of == calendar.account.owner


def test_for_one_intent_a_guest_has_one_entry(calendar: Calendar) -> None:
    wish = intent(calendar)
    ledger.record(wish, before=event(PRIYA), after=event(PRIYA, title="Later"), now=NOW)
    LedgerEntry.objects.update(state=LedgerEntry.State.SENT)
    assert ledger.record(wish, before=event(PRIYA), after=event(PRIYA, title="Latest"), now=NOW) == []
    assert LedgerEntry.objects.count() == 1


def test_a_mail_that_still_waits_is_renewed_when_more_is_confirmed(calendar: Calendar) -> None:
    wish = intent(calendar)
    ledger.record(wish, before=event(PRIYA), after=event(PRIYA, title="Later"), now=NOW)
    first = LedgerEntry.objects.get()
    ledger.record(wish, before=event(PRIYA), after=event(PRIYA, title="Latest"), now=NOW)
    entry = LedgerEntry.objects.get()
    assert entry.id == first.id
    assert "SUMMARY:Latest" in calendar_part(entry)


def test_a_guest_without_a_mail_address_fails_in_words_and_stops_nobody(calendar: Calendar) -> None:
    assert len(told(None, event(PRIYA, Guest("urn:uuid:1234"), Guest("a b@x")), calendar)) == 3
    failed = LedgerEntry.objects.exclude(address=PRIYA.address)
    assert {(entry.state, entry.message) for entry in failed} == {("failed", "")}
    assert all("no address" in entry.error for entry in failed)
    assert LedgerEntry.objects.get(address=PRIYA.address).state == "waiting"


def test_one_occurrence_is_told_with_its_recurrence_id(calendar: Calendar) -> None:
    before = replace(event(PRIYA), recurrence_id="20260115T130000Z")
    told(before, replace(before, location="Room 5"), calendar)
    assert "RECURRENCE-ID" in calendar_part(LedgerEntry.objects.get())


def calendar_part(entry: LedgerEntry | None) -> str:
    assert entry is not None
    mail = message_from_string(entry.message, policy=policy.default)
    return next(part.get_content() for part in mail.walk() if part.get_content_type() == "text/calendar")


def test_the_sentence_before_saving_names_who_will_be_mailed_by_whom(calendar: Calendar) -> None:
    guests = list(event(PRIYA, TOM).guests)
    assert consent.sentence(guests, calendar.account, True) == "Priya and Tom will be mailed by Tandem."
    said = consent.told(guests, calendar.account, True)
    assert (said.who, said.rest) == ("Priya and Tom", " will be mailed by Tandem.")
    assert consent.sentence(guests, calendar.account, False) == "Nobody will be mailed."
    assert consent.sentence([Guest(ALICE), ROOM], calendar.account, True) == "Nobody will be mailed."


def test_where_the_server_mails_the_sentence_says_so(calendar: Calendar) -> None:
    calendar.account.invitations_by = Sender.SERVER
    assert consent.teller(calendar.account) == "server"
    assert consent.sentence([PRIYA], calendar.account, True) == "Priya will be mailed by your calendar server."
    silent = consent.sentence([PRIYA], calendar.account, False)
    assert silent == "Nobody will be mailed. Your calendar server may still tell guests by itself."


def test_google_is_called_by_its_name_and_its_silence_says_what_it_does(calendar: Calendar) -> None:
    calendar.account.invitations_by, calendar.account.provider = Sender.SERVER, "google"
    guests = list(event(PRIYA, TOM).guests)
    assert consent.sentence(guests, calendar.account, True) == "Priya and Tom will be mailed by Google."
    silent = consent.sentence(guests, calendar.account, False)
    assert silent.startswith("Nobody will be mailed. Google may still tell some guests")
    assert consent.sentence([], calendar.account, False) == "Nobody will be mailed."


def test_known_guests_are_named_and_strangers_by_their_address(calendar: Calendar, bob: User) -> None:
    record = Record.objects.create(kind=Kind.PERSON, name="Nora Hale", sort_name="nora hale")
    Identity.objects.create(record=record, address="nora@halden.example")
    guests = [Guest("nora@halden.example"), Guest(bob.email), Guest("stranger@x.example")]
    assert consent.told(guests, calendar.account, True).who == "Nora, Bob and stranger@x.example"


def test_guests_with_one_first_name_are_told_apart_and_many_are_counted(calendar: Calendar) -> None:
    toms = [TOM, Guest("tom@other.example", "Tom Weiss")]
    assert consent.told(toms, calendar.account, True).who == "Tom Berg and Tom Weiss"
    many = [Guest(f"g{number}@x.example", f"Guest{number} X") for number in range(6)]
    assert consent.told(many, calendar.account, True).who == "Guest0, Guest1, Guest2 and 3 others"
