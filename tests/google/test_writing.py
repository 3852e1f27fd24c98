"""Inserting, patching, updating, importing, moving and deleting; etags; what each would mail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.google import GoogleSandbox
from sandbox.google.sample import ALICE, BOB, CHARLIE

Json = dict[str, Any]
Refusal = Callable[..., tuple[int, str]]
Meeting = Callable[..., Json]
OUTSIDE = "dana@elsewhere.example"


def at(clock: str, day: str = "2026-01-06") -> Json:
    return {"dateTime": f"{day}T{clock}:00", "timeZone": "Europe/Paris"}


def patch(google: GoogleSandbox, made: Json, body: Json, by: str = ALICE, **more: Any) -> Json:
    return google.call(by, "events.patch", body, calendarId="primary", eventId=made["id"], **more)


def mails(google: GoogleSandbox) -> list[tuple[str, str]]:
    found = [(mail.kind, mail.to) for mail in google.mails.rows]
    google.mails.rows.clear()
    return found


def test_our_own_id_is_kept_and_a_second_insert_is_409_even_after_a_deletion(
    google: GoogleSandbox, meeting: Meeting, refusal: Refusal
) -> None:
    assert meeting(id="abcde12345")["id"] == "abcde12345"
    body = {"id": "abcde12345", "start": at("10:00"), "end": at("11:00")}
    assert refusal(ALICE, "events.insert", body, calendarId="primary") == (409, "duplicate")
    google.call(ALICE, "events.delete", calendarId="primary", eventId="abcde12345")
    assert refusal(ALICE, "events.insert", body, calendarId="primary") == (409, "duplicate")


def test_an_icalendar_uid_is_taken_once(meeting: Meeting, refusal: Refusal) -> None:
    meeting(iCalUID="mail-1@elsewhere.example")
    body = {"iCalUID": "mail-1@elsewhere.example", "start": at("10:00"), "end": at("11:00")}
    assert refusal(ALICE, "events.insert", body, calendarId="primary") == (409, "duplicate")


def test_a_collision_may_go_undetected(google: GoogleSandbox, meeting: Meeting) -> None:
    google.behaviour.undetected_collisions = True
    first, second = meeting(id="abcde12345"), meeting(id="abcde12345")
    assert first["id"] != second["id"]


@pytest.mark.parametrize("wrong", ["abcd", "ABCDE", "abc-de", "wxyz0"])
def test_ids_are_base32hex(refusal: Refusal, wrong: str) -> None:
    body = {"id": wrong, "start": at("10:00"), "end": at("11:00")}
    assert refusal(ALICE, "events.insert", body, calendarId="primary")[0] == 400


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "abcde", "iCalUID": "x@y"},
        {"end": at("09:00")},
        {"end": {"date": "2026-01-07"}},
        {"start": {"dateTime": "2026-01-06T10:00:00"}},
        {"start": {"dateTime": "2026-01-06T10:00:00", "timeZone": "Mars/Base"}},
        {"start": {"date": "2026-01-06"}, "end": {"date": "2026-01-06"}},
        {"recurrence": ["RRULE:FREQ=SOMETIMES"]},
        {"recurrence": ["DTSTART:20260106T100000Z"]},
        {"recurrence": ["RRULE:FREQ=DAILY"], "start": {"dateTime": "2026-01-06T10:00:00+01:00"}},
        {"attendees": [{"displayName": "No address"}]},
        {"attendees": [{"email": "nonsense"}]},
        {"attendees": [{"email": "a@b.example", "responseStatus": "maybe"}]},
        {"eventType": "fromGmail"},
        {"eventType": "focusTime", "attendees": [{"email": "a@b.example"}]},
        {"reminders": {"useDefault": True, "overrides": [{"method": "popup", "minutes": 5}]}},
        {"extendedProperties": {"private": {"n" * 45: "x"}}},
        {"visibility": "secret"},
        {"colour": "red"},
        {"summary": 7},
    ],
)
def test_what_no_event_may_say(refusal: Refusal, wrong: Json) -> None:
    body = {"start": at("10:00"), "end": at("11:00"), **wrong}
    assert refusal(ALICE, "events.insert", body, calendarId="primary")[0] == 400


def test_a_patch_merges_objects_clears_with_null_and_replaces_lists_whole(
    google: GoogleSandbox, meeting: Meeting
) -> None:
    guests = [{"email": OUTSIDE, "responseStatus": "accepted"}, {"email": CHARLIE}]
    made = meeting(attendees=guests, location="Hall", extendedProperties={"private": {"a": "1"}})
    changed = patch(
        google,
        made,
        {"location": None, "extendedProperties": {"private": {"b": "2"}}, "attendees": [{"email": OUTSIDE}]},
    )
    cleared = patch(google, changed, {"extendedProperties": {"private": {"a": None}, "shared": {"c": None}}})
    assert cleared["extendedProperties"]["private"] == {"b": "2"}
    assert "location" not in changed
    assert changed["extendedProperties"] == {"private": {"a": "1", "b": "2"}}
    assert [(guest["email"], guest["responseStatus"]) for guest in changed["attendees"]] == [(OUTSIDE, "needsAction")]


def test_from_timed_to_all_day_the_time_must_be_cleared(
    google: GoogleSandbox, meeting: Meeting, refusal: Refusal
) -> None:
    made = meeting()
    days: Json = {"start": {"date": "2026-01-06"}, "end": {"date": "2026-01-07"}}
    assert refusal(ALICE, "events.patch", days, calendarId="primary", eventId=made["id"])[0] == 400
    for side in days.values():
        side["dateTime"] = None
    assert patch(google, made, days)["start"] == {"date": "2026-01-06"}


def test_a_put_deletes_what_it_does_not_name(google: GoogleSandbox, meeting: Meeting, refusal: Refusal) -> None:
    made = meeting(location="Hall", colorId="3", attendees=[{"email": OUTSIDE}])
    where = {"calendarId": "primary", "eventId": made["id"]}
    left = google.call(ALICE, "events.update", {"start": at("10:00"), "end": at("11:00")}, **where)
    assert not {"location", "colorId", "attendees", "summary"} & left.keys()
    assert refusal(ALICE, "events.update", {"summary": "No times"}, **where)[0] == 400


def test_an_old_etag_is_412_and_an_old_sequence_400(google: GoogleSandbox, meeting: Meeting, refusal: Refusal) -> None:
    made = meeting()
    where = {"calendarId": "primary", "eventId": made["id"]}
    later = patch(google, made, {"start": at("10:30")}, etag=made["etag"])
    assert later["sequence"] == 1
    for method, body in (("events.patch", {}), ("events.update", {"start": at("10:00"), "end": at("11:00")})):
        assert refusal(ALICE, method, body, etag=made["etag"], **where) == (412, "conditionNotMet")
    assert refusal(ALICE, "events.delete", etag=made["etag"], **where) == (412, "conditionNotMet")
    assert refusal(ALICE, "events.patch", {"sequence": 0}, **where)[0] == 400
    google.call(ALICE, "events.delete", etag=later["etag"], **where)


def test_a_patch_of_nothing_new_leaves_the_etag(google: GoogleSandbox, meeting: Meeting) -> None:
    made = meeting()
    assert patch(google, made, {"summary": "Review"})["etag"] == made["etag"]


def test_reminders_and_colours_move_the_etag_but_not_updated(google: GoogleSandbox, meeting: Meeting) -> None:
    made = meeting()
    google.clock.advance(minutes=5)
    changed = patch(google, made, {"reminders": {"useDefault": False}, "colorId": "4"}, sendUpdates="all")
    assert changed["etag"] != made["etag"]
    assert changed["updated"] == made["updated"]
    assert mails(google) == []


def test_an_import_is_a_private_copy_that_tells_nobody(google: GoogleSandbox, refusal: Refusal) -> None:
    body = {
        "iCalUID": "mail-1@elsewhere.example",
        "organizer": {"email": OUTSIDE},
        "start": at("10:00"),
        "end": at("11:00"),
        "attendees": [{"email": ALICE}, {"email": BOB}],
    }
    made = google.call(ALICE, "events.import", body, calendarId="primary")
    assert made["organizer"] == {"email": OUTSIDE}
    assert google.call(BOB, "events.list", calendarId="primary")["items"] == []
    assert mails(google) == []
    again = google.call(ALICE, "events.import", body | {"summary": "Second"}, calendarId="primary")
    assert again["id"] == made["id"]
    stranger = body | {"iCalUID": "other", "attendees": [{"email": BOB}]}
    reason = "participantIsNeitherOrganizerNorAttendee"
    assert refusal(ALICE, "events.import", stranger, calendarId="primary") == (400, reason)


def test_a_move_changes_the_organizer_and_leaves_a_bare_id(google: GoogleSandbox, meeting: Meeting) -> None:
    made = meeting(attendees=[{"email": OUTSIDE}])
    other = google.call(ALICE, "calendarList.list")["items"][1]["id"]
    moved = google.call(ALICE, "events.move", calendarId="primary", eventId=made["id"], destination=other)
    assert moved["organizer"]["email"] == other
    assert moved["organizer"]["self"] is True
    left = google.call(ALICE, "events.get", calendarId="primary", eventId=made["id"])
    assert left.keys() == {"kind", "etag", "id", "status"}


def test_who_would_be_mailed(google: GoogleSandbox, meeting: Meeting) -> None:
    guests = [{"email": OUTSIDE}, {"email": BOB}]
    meeting(attendees=guests)
    assert mails(google) == []
    meeting(tell="externalOnly", attendees=guests)
    assert mails(google) == [("invitation", OUTSIDE)]
    made = meeting(tell="all", attendees=guests)
    assert mails(google) == [("invitation", OUTSIDE), ("invitation", BOB)]
    patch(google, made, {"attendees": [{"email": BOB}, {"email": CHARLIE}]}, sendUpdates="all")
    assert mails(google) == [("invitation", CHARLIE), ("cancellation", OUTSIDE)]
    patch(google, made, {"location": "Hall"}, sendUpdates="all")
    assert mails(google) == [("update", BOB), ("update", CHARLIE)]
    patch(google, made, {"location": "Roof"})
    google.call(ALICE, "events.delete", calendarId="primary", eventId=made["id"], sendUpdates="all")
    assert mails(google) == [("cancellation", BOB), ("cancellation", CHARLIE)]


def test_writes_can_be_made_to_name_who_is_told(google: GoogleSandbox, refusal: Refusal) -> None:
    google.behaviour.require_send_updates = True
    body = {"start": at("10:00"), "end": at("11:00")}
    assert refusal(ALICE, "events.insert", body, calendarId="primary") == (400, "required")


def test_a_deleted_event_comes_back_when_its_organizer_confirms_it(
    google: GoogleSandbox, meeting: Meeting, refusal: Refusal
) -> None:
    made = meeting(attendees=[{"email": BOB}])
    google.call(ALICE, "events.delete", calendarId="primary", eventId=made["id"])
    where = {"calendarId": "primary", "eventId": made["id"]}
    assert refusal(ALICE, "events.patch", {"summary": "Ghost"}, **where) == (410, "deleted")
    assert patch(google, made, {"status": "confirmed"})["status"] == "confirmed"
    assert google.call(BOB, "events.get", **where)["status"] == "confirmed"


def test_a_meet_room_is_made_on_request_and_survives_writes_that_ignore_it(google: GoogleSandbox) -> None:
    wish = {"createRequest": {"requestId": "r1", "conferenceSolutionKey": {"type": "hangoutsMeet"}}}
    body = {"start": at("10:00"), "end": at("11:00"), "conferenceData": wish}
    plain = google.call(ALICE, "events.insert", body, calendarId="primary")
    assert "conferenceData" not in plain
    made = google.call(ALICE, "events.insert", body, calendarId="primary", conferenceDataVersion=1)
    assert made["hangoutLink"].startswith("https://meet.google.com/")
    kept = patch(google, made, {"conferenceData": None, "summary": "x"})
    assert kept["conferenceData"] == made["conferenceData"]
