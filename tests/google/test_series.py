"""Series, their exceptions, and what remains of occurrences that were taken out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.google import GoogleSandbox
from sandbox.google.sample import ALICE, BOB

Json = dict[str, Any]
Refusal = Callable[..., tuple[int, str]]
Meeting = Callable[..., Json]
Pages = Callable[..., tuple[list[Json], str]]
SECOND = "20260113T090000Z"


@pytest.fixture
def weekly(meeting: Meeting) -> Json:
    """Tuesdays at 10 in Paris, four times from 6 January, with bob."""
    return meeting(recurrence=["RRULE:FREQ=WEEKLY;COUNT=4"], attendees=[{"email": BOB}])


def one(weekly: Json, key: str = SECOND) -> Json:
    return {"calendarId": "primary", "eventId": f"{weekly['id']}_{key}"}


def test_an_occurrence_is_named_by_its_original_start(google: GoogleSandbox, weekly: Json, refusal: Refusal) -> None:
    seen = google.call(ALICE, "events.get", **one(weekly))
    assert seen["recurringEventId"] == weekly["id"]
    assert seen["iCalUID"] == weekly["iCalUID"]
    assert seen["originalStartTime"] == seen["start"]
    assert "recurrence" not in seen
    assert refusal(ALICE, "events.get", **one(weekly, "20260114T090000Z")) == (404, "notFound")


def test_wall_time_is_kept_over_the_change_to_summer_time(google: GoogleSandbox, meeting: Meeting) -> None:
    made = meeting(recurrence=["RRULE:FREQ=MONTHLY;COUNT=5"])
    found = google.call(ALICE, "events.instances", calendarId="primary", eventId=made["id"])["items"]
    assert {item["start"]["dateTime"][11:16] for item in found} == {"10:00"}
    assert found[0]["start"]["dateTime"] != found[-1]["start"]["dateTime"]
    assert any(item["id"].endswith("T080000Z") for item in found)


def test_a_patched_occurrence_becomes_an_exception_in_every_copy(
    google: GoogleSandbox, weekly: Json, pages: Pages
) -> None:
    _, token = pages()
    later = {"start": {"dateTime": "2026-01-14T15:00:00+01:00"}, "end": {"dateTime": "2026-01-14T16:00:00+01:00"}}
    google.call(ALICE, "events.patch", later, **one(weekly))
    (exception,) = [item for item in pages(syncToken=token)[0] if "recurringEventId" in item]
    assert exception["originalStartTime"]["dateTime"] == "2026-01-13T10:00:00+01:00"
    assert exception["start"]["dateTime"] == "2026-01-14T15:00:00+01:00"
    assert google.call(BOB, "events.get", **one(weekly))["start"]["dateTime"] == "2026-01-14T15:00:00+01:00"


def test_a_cancelled_occurrence_is_as_sparse_as_google_promises_and_comes_unasked(
    google: GoogleSandbox, weekly: Json, pages: Pages
) -> None:
    google.call(ALICE, "events.delete", **one(weekly))
    bare = {"kind", "etag", "id", "status", "recurringEventId", "originalStartTime"}
    for who in (ALICE, BOB):
        (tombstone,) = [item for item in pages(who)[0] if item["status"] == "cancelled"]
        assert tombstone.keys() == bare
    assert len(pages(singleEvents=True)[0]) == 3
    assert len(pages(singleEvents=True, showDeleted=True)[0]) == 4
    google.clock.advance(days=60)
    assert [item["status"] for item in pages()[0] if "recurringEventId" in item] == ["cancelled"]


def test_an_exception_follows_its_series_in_what_it_has_not_of_its_own(google: GoogleSandbox, weekly: Json) -> None:
    google.call(ALICE, "events.patch", {"location": "Roof"}, **one(weekly))
    body = {"summary": "Weekly", "location": "Hall"}
    google.call(ALICE, "events.patch", body, calendarId="primary", eventId=weekly["id"])
    for who in (ALICE, BOB):
        seen = google.call(who, "events.get", **one(weekly))
        assert (seen["summary"], seen["location"]) == ("Weekly", "Roof")


def test_a_series_that_moves_loses_the_exceptions_of_occurrences_it_no_longer_has(
    google: GoogleSandbox, weekly: Json, pages: Pages
) -> None:
    google.call(ALICE, "events.patch", {"location": "Roof"}, **one(weekly))
    _, token = pages()
    times = {"start": {"dateTime": "2026-01-06T12:00:00+01:00"}, "end": {"dateTime": "2026-01-06T13:00:00+01:00"}}
    google.call(ALICE, "events.patch", times, calendarId="primary", eventId=weekly["id"])
    told = {item["id"]: item["status"] for item in pages(syncToken=token)[0]}
    assert told == {weekly["id"]: "confirmed", one(weekly)["eventId"]: "cancelled"}


def test_a_deleted_series_leaves_one_tombstone_and_takes_its_exceptions_along(
    google: GoogleSandbox, weekly: Json, pages: Pages
) -> None:
    google.call(ALICE, "events.patch", {"location": "Roof"}, **one(weekly))
    _, token = pages()
    google.call(ALICE, "events.delete", calendarId="primary", eventId=weekly["id"])
    assert [(item["id"], item["status"]) for item in pages(syncToken=token)[0]] == [(weekly["id"], "cancelled")]
    assert pages(BOB)[0] == []


def test_a_guest_of_one_occurrence_has_it_without_its_series(
    google: GoogleSandbox, meeting: Meeting, refusal: Refusal
) -> None:
    made = meeting(recurrence=["RRULE:FREQ=WEEKLY;COUNT=4"])
    google.call(ALICE, "events.patch", {"attendees": [{"email": BOB}]}, **one(made))
    seen = google.call(BOB, "events.list", calendarId="primary")["items"]
    assert [item["recurringEventId"] for item in seen] == [made["id"]]
    assert refusal(BOB, "events.get", calendarId="primary", eventId=made["id"]) == (404, "notFound")


def test_a_guest_taken_off_one_occurrence_has_it_cancelled(google: GoogleSandbox, weekly: Json) -> None:
    google.call(ALICE, "events.patch", {"attendees": []}, **one(weekly))
    assert google.call(BOB, "events.get", **one(weekly))["status"] == "cancelled"
    assert google.call(BOB, "events.get", calendarId="primary", eventId=weekly["id"])["status"] == "confirmed"


def test_an_answer_to_one_occurrence_stays_with_it(google: GoogleSandbox, weekly: Json) -> None:
    body = {"attendees": [{"email": BOB, "responseStatus": "declined"}]}
    google.call(BOB, "events.patch", body, **one(weekly))
    seen = google.call(ALICE, "events.get", **one(weekly))
    assert seen["attendees"][0]["responseStatus"] == "declined"
    whole = google.call(ALICE, "events.get", calendarId="primary", eventId=weekly["id"])
    assert whole["attendees"][0]["responseStatus"] == "needsAction"


def test_dirty_rules_can_be_there_and_are_listed_as_they_are(google: GoogleSandbox, pages: Pages) -> None:
    day = {"start": {"date": "2026-01-06"}, "end": {"date": "2026-01-07"}}
    google.plant(ALICE, {"summary": "Dirty", "recurrence": ["RRULE:FREQ=WEEKLY;UNTIL=nonsense"], **day})
    assert [item["recurrence"] for item in pages()[0]] == [["RRULE:FREQ=WEEKLY;UNTIL=nonsense"]]
    assert pages(singleEvents=True)[0] == []


def test_rdate_exdate_and_a_date_until(google: GoogleSandbox, meeting: Meeting) -> None:
    lines = ["RRULE:FREQ=DAILY;UNTIL=20260108", "EXDATE;TZID=Europe/Paris:20260107T100000", "RDATE:20260120T090000Z"]
    made = meeting(recurrence=lines)
    found = google.call(ALICE, "events.instances", calendarId="primary", eventId=made["id"])["items"]
    days = [item["start"]["dateTime"][:10] for item in found]
    assert days == ["2026-01-06", "2026-01-08", "2026-01-20"]


def test_a_planted_series_in_a_zone_that_nobody_knows_is_listed_and_has_no_occurrences(
    google: GoogleSandbox, pages: Pages
) -> None:
    times = {name: {"dateTime": f"2026-01-06T{hour}:00:00Z", "timeZone": "Mars/Olympus"}
             for name, hour in (("start", 10), ("end", 11))}  # fmt: skip
    google.plant(ALICE, {"id": "mars1", "recurrence": ["RRULE:FREQ=WEEKLY"], **times})
    assert [item["id"] for item in pages()[0]] == ["mars1"]
    assert pages(timeMin="2026-01-01T00:00:00Z", timeMax="2026-02-01T00:00:00Z")[0] == []
