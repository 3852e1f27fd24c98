"""Pages, filters and sync tokens."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.google import GoogleSandbox
from sandbox.google.api import BASE
from sandbox.google.http import Request
from sandbox.google.problems import Problem
from sandbox.google.sample import ALICE, BOB

Json = dict[str, Any]
Pages = Callable[..., tuple[list[Json], str]]
Refusal = Callable[..., tuple[int, str]]
Meeting = Callable[..., Json]


def titles(items: list[Json]) -> set[str]:
    return {item.get("summary", "") for item in items}


def test_a_sync_token_comes_on_the_last_page_alone_and_empty_pages_go_on(
    google: GoogleSandbox, meeting: Meeting
) -> None:
    google.behaviour.short_pages = True
    for _ in range(30):
        meeting()
    seen, sizes, token = 0, [], {}
    while True:
        page = google.call(ALICE, "events.list", calendarId="primary", maxResults=4, **token)
        sizes.append(len(page["items"]))
        seen += len(page["items"])
        assert ("nextSyncToken" in page) != ("nextPageToken" in page)
        if "nextSyncToken" in page:
            break
        token = {"pageToken": page["nextPageToken"]}
    assert seen == 30
    assert 0 in sizes[:-1]
    assert max(sizes) <= 4


def test_what_changes_between_two_pages_is_told_by_the_next_sync(
    google: GoogleSandbox, meeting: Meeting, pages: Pages
) -> None:
    made = [meeting() for _ in range(4)]
    page = google.call(ALICE, "events.list", calendarId="primary", maxResults=2)
    google.call(ALICE, "events.patch", {"summary": "Late"}, calendarId="primary", eventId=made[0]["id"])
    last = google.call(ALICE, "events.list", calendarId="primary", maxResults=2, pageToken=page["nextPageToken"])
    changes, _ = pages(syncToken=last["nextSyncToken"], maxResults=2)
    assert [item["summary"] for item in changes] == ["Late"]


@pytest.mark.parametrize(
    "forbidden",
    [
        {"iCalUID": "x"},
        {"orderBy": "updated"},
        {"privateExtendedProperty": "a=b"},
        {"q": "x"},
        {"sharedExtendedProperty": "a=b"},
        {"timeMin": "2026-01-01T00:00:00Z"},
        {"timeMax": "2026-01-01T00:00:00Z"},
        {"updatedMin": "2026-01-01T00:00:00Z"},
        {"showDeleted": False},
    ],
)
def test_what_must_not_stand_beside_a_sync_token(google: GoogleSandbox, pages: Pages, forbidden: Json) -> None:
    _, token = pages(showDeleted=True)
    wrong = {"showDeleted": True, **forbidden}
    with pytest.raises(Problem, match="together with syncToken") as refused:
        google.call(ALICE, "events.list", calendarId="primary", syncToken=token, **wrong)
    assert refused.value.code == 400


def test_parameters_other_than_those_of_the_first_list_are_refused(refusal: Refusal, pages: Pages) -> None:
    _, token = pages(showDeleted=True, maxResults=2500)
    for other in (
        {"maxResults": 100},
        {"maxResults": 2500, "singleEvents": True},
        {"maxResults": 2500, "maxAttendees": 1},
    ):
        assert refusal(ALICE, "events.list", calendarId="primary", syncToken=token, **other)[0] == 400


def test_a_token_is_worth_nothing_in_another_calendar_nor_invented(refusal: Refusal, pages: Pages) -> None:
    _, token = pages(BOB)
    assert refusal(ALICE, "events.list", calendarId="primary", syncToken=token)[0] == 400
    assert refusal(ALICE, "events.list", calendarId="primary", syncToken="invented")[0] == 400


def test_a_filtered_list_gives_no_cursor(pages: Pages) -> None:
    assert pages(timeMin="2026-01-01T00:00:00Z")[1] == ""


def test_an_old_token_is_gone_and_the_new_list_has_no_tombstones_for_the_gap(
    google: GoogleSandbox, meeting: Meeting, refusal: Refusal, pages: Pages
) -> None:
    made = meeting()
    _, token = pages(showDeleted=True)
    google.call(ALICE, "events.delete", calendarId="primary", eventId=made["id"])
    google.clock.advance(days=29)
    wrong = {"syncToken": token, "showDeleted": True}
    assert refusal(ALICE, "events.list", calendarId="primary", **wrong) == (410, "fullSyncRequired")
    assert pages(showDeleted=True)[0] == []


def test_an_updated_min_too_far_back_is_refused(refusal: Refusal) -> None:
    wrong = {"updatedMin": "2025-06-01T00:00:00Z"}
    assert refusal(ALICE, "events.list", calendarId="primary", **wrong) == (410, "updatedMinTooLongAgo")


def test_deleted_events_come_with_show_deleted_or_a_cursor_as_nothing_but_an_id(
    google: GoogleSandbox, meeting: Meeting, pages: Pages
) -> None:
    made = meeting()
    _, token = pages()
    google.call(ALICE, "events.delete", calendarId="primary", eventId=made["id"])
    assert pages()[0] == []
    for items in (pages(showDeleted=True)[0], pages(syncToken=token)[0]):
        assert [set(item) for item in items] == [{"kind", "etag", "id", "status"}]
    kept = google.call(ALICE, "events.get", calendarId="primary", eventId=made["id"])
    assert (kept["status"], kept["summary"]) == ("cancelled", "Review")


def test_the_window_has_exclusive_bounds_and_may_not_be_empty(meeting: Meeting, refusal: Refusal, pages: Pages) -> None:
    meeting()
    assert pages(timeMin="2026-01-06T10:00:00Z")[0] == []
    assert pages(timeMax="2026-01-06T09:00:00Z")[0] == []
    assert len(pages(timeMin="2026-01-06T09:59:00Z", timeMax="2026-01-06T10:00:00Z")[0]) == 1
    same = "2026-01-06T10:00:00Z"
    assert refusal(ALICE, "events.list", calendarId="primary", timeMin=same, timeMax=same) == (400, "timeRangeEmpty")
    assert refusal(ALICE, "events.list", calendarId="primary", timeMin="2026-01-06T10:00:00")[0] == 400


def test_filters(google: GoogleSandbox, meeting: Meeting, pages: Pages) -> None:
    meeting(summary="Private", extendedProperties={"private": {"tandem": "1"}, "shared": {"deal": "7"}})
    out = meeting(summary="Away", eventType="outOfOffice", outOfOfficeProperties={"autoDeclineMode": "declineNone"})
    assert titles(pages(privateExtendedProperty=["tandem=1"])[0]) == {"Private"}
    assert titles(pages(sharedExtendedProperty=["deal=8"])[0]) == set()
    assert titles(pages(eventTypes=["outOfOffice", "focusTime"])[0]) == {"Away"}
    assert titles(pages(iCalUID=out["iCalUID"])[0]) == {"Away"}
    assert titles(pages(q="priv")[0]) == {"Private"}


def test_order_by_start_needs_single_events(meeting: Meeting, refusal: Refusal, pages: Pages) -> None:
    assert refusal(ALICE, "events.list", calendarId="primary", orderBy="startTime")[0] == 400
    for hour in (12, 9, 15):
        time = {"timeZone": "Europe/Paris"}
        meeting(
            summary=str(hour),
            start={"dateTime": f"2026-01-06T{hour:02d}:00:00", **time},
            end={"dateTime": f"2026-01-06T{hour:02d}:30:00", **time},
        )
    assert [item["summary"] for item in pages(orderBy="startTime", singleEvents=True)[0]] == ["9", "12", "15"]


def test_partial_answers_hold_no_more(google: GoogleSandbox, meeting: Meeting, refusal: Refusal) -> None:
    meeting()
    page = google.call(ALICE, "events.list", calendarId="primary", fields="items(summary,start/dateTime),nextPageToken")
    assert page == {"items": [{"summary": "Review", "start": {"dateTime": "2026-01-06T10:00:00+01:00"}}]}
    assert refusal(ALICE, "events.list", calendarId="primary", fields="items(summary")[0] == 400


def test_times_are_shown_in_the_calendars_zone_and_name_the_events_own(meeting: Meeting, google: GoogleSandbox) -> None:
    start = {"dateTime": "2026-01-06T10:00:00", "timeZone": "America/New_York"}
    end = {"dateTime": "2026-01-06T11:00:00", "timeZone": "America/New_York"}
    made = meeting(start=start, end=end)
    assert made["start"] == {"dateTime": "2026-01-06T16:00:00+01:00", "timeZone": "America/New_York"}
    seen = google.call(ALICE, "events.get", calendarId="primary", eventId=made["id"], timeZone="UTC")
    assert seen["start"]["dateTime"] == "2026-01-06T15:00:00Z"


def test_what_the_document_does_not_know_is_refused(refusal: Refusal) -> None:
    assert refusal(ALICE, "events.list", calendarId="primary", colour="red")[0] == 400
    assert refusal(ALICE, "events.list", calendarId="primary", maxResults=0)[0] == 400
    assert refusal(ALICE, "events.list", calendarId="primary", eventTypes=["party"])[0] == 400
    assert refusal(ALICE, "events.list", calendarId="primary", showDeleted="yes")[0] == 400


def test_nothing_new_is_304(google: GoogleSandbox, meeting: Meeting) -> None:
    made = meeting()
    headers = {"authorization": f"Bearer {google.token(ALICE)}", "if-none-match": made["etag"]}
    path = f"{BASE}calendars/primary/events/{made['id']}"
    answer = google.handle(Request("GET", path, "", headers, b""))
    assert (answer.status, answer.body) == (304, b"")
    google.call(ALICE, "events.patch", {"summary": "New"}, calendarId="primary", eventId=made["id"])
    assert google.handle(Request("GET", path, "", headers, b"")).status == 200
    listed = google.handle(Request("GET", f"{BASE}calendars/primary/events", "", headers, b""))
    again = headers | {"if-none-match": json.loads(listed.body)["etag"]}
    assert google.handle(Request("GET", f"{BASE}calendars/primary/events", "", again, b"")).status == 304


def test_calendar_lists_have_pages_and_cursors_too(google: GoogleSandbox, refusal: Refusal) -> None:
    first = google.call(ALICE, "calendarList.list", maxResults=1)
    second = google.call(ALICE, "calendarList.list", maxResults=1, pageToken=first["nextPageToken"])
    assert [row["summary"] for row in second["items"]] == ["Client meetings"]
    made = google.call(ALICE, "calendars.insert", {"summary": "Third", "timeZone": "Europe/Berlin"})
    changes = google.call(ALICE, "calendarList.list", syncToken=second["nextSyncToken"])
    assert [row["id"] for row in changes["items"]] == [made["id"]]
    google.call(ALICE, "calendars.delete", calendarId=made["id"])
    gone = google.call(ALICE, "calendarList.list", syncToken=changes["nextSyncToken"])
    assert gone["items"][0]["deleted"] is True
    wrong = {"syncToken": gone["nextSyncToken"], "minAccessRole": "owner"}
    assert refusal(ALICE, "calendarList.list", **wrong)[0] == 400
    google.expire_sync_tokens()
    assert refusal(ALICE, "calendarList.list", syncToken=gone["nextSyncToken"]) == (410, "fullSyncRequired")
