"""What a guest's mail program gets: RFC 6047 around RFC 5546, and nothing that anyone could slip in."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_string, policy
from email.message import EmailMessage
from uuid import UUID

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tandem.calendaring import ics
from tandem.calendaring.event import Event, Guest, Organizer, When
from tandem.invitations import imip

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
PRIYA = Guest("priya.raman@halden.example", "Priya Raman")
TOM = Guest("tom@halden.example", response="accepted")
ALICE = Organizer("alice@northwind.example", "Alice Moreau")
EVENT = Event(
    uid="u1@tandem",
    title="Pilot review",
    when=When("2026-12-10T14:00:00", "2026-12-10T15:00:00", "Europe/Berlin"),
    location="Room 4",
    description="Bring the plan.\nAnd coffee.",
    organizer=ALICE,
    guests=(PRIYA, TOM),
    sequence=2,
    reminders=(15,),
)


def invitation(
    event: Event = EVENT,
    method: imip.Method = "REQUEST",
    *,
    guest: Guest = PRIYA,
    changed: tuple[str, ...] = (),
    everyone: bool = True,
    organizer: Organizer = ALICE,
) -> imip.Invitation:
    return imip.Invitation(
        id=UUID(int=7),
        method=method,
        event=event,
        guest=guest,
        organizer=organizer,
        mail_from="tandem@northwind.example",
        changed=changed,
        everyone=everyone,
    )


def mail(given: imip.Invitation) -> EmailMessage:
    parsed = message_from_string(imip.message(given, now=NOW), policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def vevent(given: imip.Invitation) -> icalendar.Event:
    calendar = icalendar.Calendar.from_ical(imip.calendar_text(given, now=NOW))
    assert calendar["METHOD"] == given.method
    (event,) = calendar.walk("VEVENT")
    return event


def plain(given: imip.Invitation) -> str:
    body = mail(given).get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def test_it_comes_from_the_installation_and_answers_go_to_the_user() -> None:
    got = mail(invitation())
    assert str(got["From"]) == "Alice Moreau via Tandem <tandem@northwind.example>"
    assert str(got["Reply-To"]) == "Alice Moreau <alice@northwind.example>"
    assert str(got["To"]) == "Priya Raman <priya.raman@halden.example>"
    assert got["Subject"] == "Invitation: Pilot review, Thu 10 Dec 2026, 14:00 – 15:00 (Europe/Berlin)"
    assert got["Date"].datetime == NOW


def test_it_has_words_the_invitation_and_the_invitation_as_a_file() -> None:
    parts = [part for part in mail(invitation()).walk() if not part.is_multipart()]
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/calendar", "application/ics"]
    assert (parts[1].get_param("method"), parts[1].get_content_charset()) == ("REQUEST", "utf-8")
    assert parts[2].get_filename() == "invite.ics"
    assert parts[2].get_content().decode() == imip.calendar_text(invitation(), now=NOW)
    assert parts[1].get_content().replace("\r\n", "\n") == parts[2].get_content().decode().replace("\r\n", "\n")


def test_the_same_entry_always_has_the_same_message_id() -> None:
    first, again = mail(invitation()), mail(invitation(replace(EVENT, title="Other")))
    assert first["Message-ID"] == again["Message-ID"] == f"<{UUID(int=7)}@northwind.example>"


def test_a_request_has_what_rfc_5546_asks() -> None:
    event = vevent(invitation())
    assert (event["UID"], event["SEQUENCE"]) == ("u1@tandem", 2)
    assert event["DTSTAMP"].dt == NOW
    assert event["ORGANIZER"] == "mailto:alice@northwind.example"
    assert [str(guest) for guest in event["ATTENDEE"]] == [f"mailto:{guest.address}" for guest in EVENT.guests]
    assert [guest.params["PARTSTAT"] for guest in event["ATTENDEE"]] == ["NEEDS-ACTION", "ACCEPTED"]
    assert event["DTSTART"].params["TZID"] == "Europe/Berlin"
    assert "BEGIN:VTIMEZONE" in imip.calendar_text(invitation(), now=NOW)


def test_the_organizers_reminders_are_not_handed_on() -> None:
    assert "VALARM" not in imip.calendar_text(invitation(), now=NOW)


def test_the_user_is_organizer_even_where_the_calendar_names_none() -> None:
    assert vevent(invitation(replace(EVENT, organizer=None)))["ORGANIZER"] == "mailto:alice@northwind.example"


def test_a_cancellation_of_the_meeting_says_so_to_all() -> None:
    event = vevent(invitation(method="CANCEL"))
    assert event["STATUS"] == "CANCELLED"
    assert len(event["ATTENDEE"]) == 2
    assert mail(invitation(method="CANCEL"))["Subject"].startswith("Cancelled: Pilot review")
    assert "does not take place" in plain(invitation(method="CANCEL"))


def test_a_guest_taken_off_the_list_is_told_alone_and_without_a_status() -> None:
    given = invitation(method="CANCEL", everyone=False)
    event = vevent(given)
    assert str(event["ATTENDEE"]) == f"mailto:{PRIYA.address}"
    assert "STATUS" not in event
    assert "took you off the list" in plain(given)


def test_one_occurrence_carries_its_recurrence_id() -> None:
    event = vevent(invitation(replace(EVENT, recurrence_id="20261210T130000Z")))
    assert event["RECURRENCE-ID"].dt == datetime(2026, 12, 10, 13, 0, tzinfo=UTC)


def test_a_series_says_its_rule_in_both_languages() -> None:
    given = invitation(replace(EVENT, recurrence=("RRULE:FREQ=WEEKLY;COUNT=4",)))
    assert vevent(given)["RRULE"].to_ical() == b"FREQ=WEEKLY;COUNT=4"
    assert "Repeats: Every week on Thursday, 4 times" in plain(given)


def test_the_words_say_who_what_when_and_where_an_answer_goes() -> None:
    said = plain(invitation())
    assert said.startswith("Alice Moreau invites you to “Pilot review”.")
    for line in (
        "When: Thu 10 Dec 2026, 14:00 – 15:00 (Europe/Berlin)",
        "Where: Room 4",
        "Guests: Priya Raman, tom@halden.example",
        "And coffee.",
        "reply to this mail: it goes to Alice Moreau.",
    ):
        assert line in said


def test_a_change_says_what_changed() -> None:
    given = invitation(changed=("when", "location", "guest:ann@x.example"))
    assert plain(given).startswith("Alice Moreau changed “Pilot review”: time, place, guests.")
    assert mail(given)["Subject"].startswith("Changed: ")


@pytest.mark.parametrize(
    ("when", "said"),
    [
        (When("2026-12-10", "2026-12-11"), "Thu 10 Dec 2026, all day"),
        (When("2026-12-10", "2026-12-12"), "Thu 10 Dec 2026 – Fri 11 Dec 2026, all day"),
        (
            When("2026-12-10T23:00:00", "2026-12-11T01:00:00", "UTC"),
            "Thu 10 Dec 2026, 23:00 – Fri 11 Dec 2026, 01:00 (UTC)",
        ),
        (When("2026-12-10T23:00:00", "2026-12-10T23:00:00", "UTC"), "Thu 10 Dec 2026, 23:00"),
    ],
)
def test_times_are_said_with_their_zone(when: When, said: str) -> None:
    assert imip.time_words(when) == said


@given(text=st.text(min_size=1, max_size=80) | st.just("x\r\nBcc: charlie@outside.example\r\n\r\nbody"))
def test_nothing_typed_can_bring_a_header_or_a_line_of_its_own(text: str) -> None:
    event = replace(EVENT, title=text, location=text, description=text, guests=(replace(PRIYA, name=text), TOM))
    given = invitation(event, guest=replace(PRIYA, name=text), organizer=replace(ALICE, name=text))
    got = mail(given)
    assert set(got.keys()) == {
        *("From", "To", "Reply-To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Content-Type", "MIME-Version")
    }
    assert len(got.keys()) == 9
    assert [address.addr_spec for address in got["To"].addresses] == [PRIYA.address]
    assert [address.addr_spec for address in got["From"].addresses] == ["tandem@northwind.example"]
    (read,) = ics.read(imip.calendar_text(given, now=NOW), default_zone="UTC")
    assert read.organizer is not None
    assert read.organizer.address == ALICE.address
    assert {guest.address for guest in read.guests} == {PRIYA.address, TOM.address}


@pytest.mark.parametrize(
    "address",
    [
        "",
        "priya",
        "a b@x.example",
        "a@x\r\nBcc: b@x",
        "a@b@c",
        "urn:uuid:1",
        "<a@x>",
        "a,b@x",
        "é@x.example",
        "a" * 250 + "@x.example",
    ],
)
def test_what_is_no_address_is_refused_in_words(address: str) -> None:
    with pytest.raises(imip.NotMailable) as caught:
        imip.message(invitation(guest=Guest(address)), now=NOW)
    assert caught.value.words.endswith(".")
