"""Copies and rights: the organizer's, the guests', and who may only look."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.google import GoogleSandbox
from sandbox.google.sample import ALICE, BOB, CHARLIE

Json = dict[str, Any]
Refusal = Callable[..., tuple[int, str]]
Meeting = Callable[..., Json]
Pages = Callable[..., tuple[list[Json], str]]


def get(google: GoogleSandbox, by: str, made: Json, **more: Any) -> Json:
    return google.call(by, "events.get", calendarId="primary", eventId=made["id"], **more)


def answers(event: Json) -> dict[str, str]:
    return {guest["email"]: guest["responseStatus"] for guest in event["attendees"]}


@pytest.fixture
def shared(meeting: Meeting) -> Json:
    """Alice's meeting with bob and charlie."""
    return meeting(attendees=[{"email": ALICE, "responseStatus": "accepted"}, {"email": BOB}, {"email": CHARLIE}])


def answer(google: GoogleSandbox, by: str, made: Json, word: str, **more: Any) -> Json:
    body = {"attendeesOmitted": True, "attendees": [{"email": by, "responseStatus": word}]}
    return google.call(by, "events.patch", body, calendarId="primary", eventId=made["id"], **more)


def test_a_guest_has_a_copy_that_knows_whose_it_is(google: GoogleSandbox, shared: Json) -> None:
    copy = get(google, BOB, shared)
    assert copy["iCalUID"] == shared["iCalUID"]
    assert copy["organizer"] == {"email": ALICE}
    assert [guest["email"] for guest in copy["attendees"] if guest.get("self")] == [BOB]
    assert [guest["email"] for guest in copy["attendees"] if guest.get("organizer")] == [ALICE]


def test_an_answer_reaches_every_copy_and_moves_its_etag(google: GoogleSandbox, shared: Json) -> None:
    answer(google, BOB, shared, "accepted", sendUpdates="all")
    for who in (ALICE, BOB, CHARLIE):
        assert answers(get(google, who, shared))[BOB] == "accepted"
    assert get(google, ALICE, shared)["etag"] != shared["etag"]
    assert [(mail.kind, mail.to) for mail in google.mails.rows] == [("reply", ALICE)]


@pytest.mark.parametrize(
    "change",
    [
        {"summary": "Mine"},
        {"location": "Elsewhere"},
        {"visibility": "private"},
        {"extendedProperties": {"shared": {"a": "1"}}},
        {"attendees": [{"email": BOB, "responseStatus": "accepted"}]},
        {"attendees": [{"email": ALICE}, {"email": BOB}, {"email": CHARLIE}]},
    ],
)
def test_a_guest_may_not_change_what_all_share(refusal: Refusal, shared: Json, change: Json) -> None:
    where = {"calendarId": "primary", "eventId": shared["id"]}
    assert refusal(BOB, "events.patch", change, **where) == (403, "forbiddenForNonOrganizer")


def test_a_guest_may_change_their_own_colour_reminders_and_private_properties(
    google: GoogleSandbox, shared: Json
) -> None:
    body = {"colorId": "2", "reminders": {"useDefault": False}, "extendedProperties": {"private": {"tandem": "1"}}}
    google.call(BOB, "events.patch", body, calendarId="primary", eventId=shared["id"])
    google.call(ALICE, "events.patch", {"summary": "New"}, calendarId="primary", eventId=shared["id"])
    copy = get(google, BOB, shared)
    assert (copy["summary"], copy["colorId"], copy["extendedProperties"]) == ("New", "2", {"private": {"tandem": "1"}})
    assert "extendedProperties" not in get(google, ALICE, shared)


def test_guests_may_modify_where_the_organizer_says_so(
    google: GoogleSandbox, meeting: Meeting, refusal: Refusal
) -> None:
    made = meeting(attendees=[{"email": BOB}], guestsCanModify=True)
    where = {"calendarId": "primary", "eventId": made["id"]}
    google.call(BOB, "events.patch", {"summary": "Bob's words"}, **where)
    assert get(google, ALICE, made)["summary"] == "Bob's words"
    assert refusal(BOB, "events.patch", {"guestsCanModify": False}, **where)[0] == 403


def test_a_guest_who_removes_it_cancels_their_copy_and_nothing_else(
    google: GoogleSandbox, shared: Json, pages: Pages
) -> None:
    _, token = pages(BOB)
    google.call(BOB, "events.delete", calendarId="primary", eventId=shared["id"])
    (copy,) = pages(BOB, syncToken=token)[0]
    assert (copy["status"], copy["summary"]) == ("cancelled", "Review")
    kept = get(google, ALICE, shared)
    assert (kept["status"], answers(kept)[BOB]) == ("confirmed", "declined")
    google.call(ALICE, "events.patch", {"summary": "New"}, calendarId="primary", eventId=shared["id"])
    assert get(google, BOB, shared)["status"] == "cancelled"


def test_a_guest_taken_off_the_list_keeps_a_bare_tombstone(google: GoogleSandbox, shared: Json, pages: Pages) -> None:
    _, token = pages(BOB)
    body = {"attendees": [{"email": ALICE}, {"email": CHARLIE}]}
    google.call(ALICE, "events.patch", body, calendarId="primary", eventId=shared["id"])
    (gone,) = pages(BOB, syncToken=token)[0]
    assert gone.keys() == {"kind", "etag", "id", "status"}


def test_hidden_guests_are_omitted_and_an_answer_still_goes_through(google: GoogleSandbox, meeting: Meeting) -> None:
    made = meeting(attendees=[{"email": BOB}, {"email": CHARLIE}], guestsCanSeeOtherGuests=False)
    copy = get(google, BOB, made)
    assert copy["attendeesOmitted"] is True
    assert [guest["email"] for guest in copy["attendees"]] == [BOB]
    answer(google, BOB, made, "tentative")
    assert answers(get(google, ALICE, made)) == {BOB: "tentative", CHARLIE: "needsAction"}


def test_too_many_guests_are_omitted_and_a_list_written_back_would_lose_them(
    google: GoogleSandbox, shared: Json
) -> None:
    few = get(google, ALICE, shared, maxAttendees=1)
    assert (few["attendeesOmitted"], len(few["attendees"])) == (True, 1)
    kept = google.call(
        ALICE, "events.patch", {"attendees": few["attendees"]}, calendarId="primary", eventId=shared["id"]
    )
    assert answers(kept) == {ALICE: "accepted"}


def test_readers_see_private_events_as_busy_and_write_nothing(google: GoogleSandbox, refusal: Refusal) -> None:
    where = google.call(ALICE, "calendarList.list")["items"][1]["id"]
    times = {side: {"dateTime": f"2026-01-06T{hour}:00:00+01:00"} for side, hour in (("start", 10), ("end", 11))}
    body = {"summary": "Salaries", "visibility": "private", **times}
    made = google.call(ALICE, "events.insert", body, calendarId=where)
    seen = google.call(BOB, "events.get", calendarId=where, eventId=made["id"])
    assert "summary" not in seen
    assert seen["visibility"] == "private"
    assert refusal(BOB, "events.insert", times, calendarId=where) == (403, "requiredAccessLevel")
    assert refusal(CHARLIE, "events.list", calendarId=where) == (404, "notFound")


def test_a_foreign_organizers_event_is_only_a_guests(google: GoogleSandbox, refusal: Refusal) -> None:
    entry = google.plant(
        ALICE,
        {
            "summary": "From outside",
            "start": {"dateTime": "2026-01-06T10:00:00+01:00"},
            "end": {"dateTime": "2026-01-06T11:00:00+01:00"},
            "organizer": {"email": "dana@elsewhere.example"},
            "attendees": [{"email": ALICE, "responseStatus": "needsAction"}],
        },
    )
    where = {"calendarId": "primary", "eventId": entry.id}
    assert refusal(ALICE, "events.patch", {"summary": "Mine"}, **where) == (403, "forbiddenForNonOrganizer")
    body = {"attendees": [{"email": ALICE, "responseStatus": "accepted"}]}
    google.call(ALICE, "events.patch", body, sendUpdates="all", **where)
    assert [(mail.kind, mail.to) for mail in google.mails.rows] == [("reply", "dana@elsewhere.example")]


def test_a_locked_copy_keeps_its_main_fields(google: GoogleSandbox, refusal: Refusal) -> None:
    times = {side: {"dateTime": f"2026-01-06T{hour}:00:00+01:00"} for side, hour in (("start", 10), ("end", 11))}
    entry = google.plant(ALICE, {"summary": "Locked", "locked": True, **times})
    assert refusal(ALICE, "events.patch", {"summary": "x"}, calendarId="primary", eventId=entry.id)[0] == 403
