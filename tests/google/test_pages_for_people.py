"""The sandbox's pages for people: calendars, an event that is changed there, and access that is taken back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from sandbox.google import GoogleSandbox
from sandbox.google.http import Request, Response
from sandbox.google.sample import ALICE, BOB, CHARLIE
from tests.google.conftest import NOW

Json = dict[str, Any]


def get(google: GoogleSandbox, address: str) -> Response:
    parts = urlsplit(address)
    return google.handle(Request("GET", parts.path, parts.query, {}, b""))


def post(google: GoogleSandbox, address: str, **form: str) -> Response:
    parts = urlsplit(address)
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return google.handle(Request("POST", parts.path, parts.query, headers, urlencode(form).encode()))


def test_the_calendars_page_leads_to_each_coming_event(google: GoogleSandbox, meeting: Callable[..., Json]) -> None:
    made = meeting(attendees=[{"email": BOB}])
    assert BOB in get(google, "/calendar/r").body.decode()
    page = get(google, f"/calendar/r?authuser={ALICE}").body.decode()
    assert "Tue 06 Jan 10:00  Review" in page
    name = parse_qs(urlsplit(made["htmlLink"]).query)["eid"][0]
    assert name in page
    assert "Review" in get(google, f"/calendar/r?authuser={BOB}").body.decode()


def test_an_event_is_moved_on_its_page_in_its_own_zone_and_guests_are_told(
    google: GoogleSandbox, meeting: Callable[..., Json]
) -> None:
    made = meeting(attendees=[{"email": CHARLIE}])
    assert 'value="2026-01-06T10:00"' in get(google, made["htmlLink"]).body.decode()
    form = {"summary": "Review", "start": "2026-01-06T15:30", "end": "2026-01-06T16:30", "location": "Hall 3"}
    assert post(google, made["htmlLink"], **form, do="all").status == 302
    now = google.call(ALICE, "events.get", calendarId="primary", eventId=made["id"])
    assert (now["start"]["dateTime"], now["location"]) == ("2026-01-06T15:30:00+01:00", "Hall 3")
    assert [(mail.kind, mail.to) for mail in google.mails.rows] == [("update", CHARLIE)]


def test_an_occurrence_has_a_page_of_its_own(google: GoogleSandbox, meeting: Callable[..., Json]) -> None:
    made = meeting(recurrence=["RRULE:FREQ=DAILY;COUNT=3"])
    where = {"calendarId": "primary", "eventId": made["id"]}
    second = google.call(ALICE, "events.instances", **where)["items"][1]
    form = {"summary": "Other", "start": "2026-01-07T11:00", "end": "2026-01-07T12:00", "location": ""}
    post(google, second["htmlLink"], **form, do="none")
    names = [each["summary"] for each in google.call(ALICE, "events.instances", **where)["items"]]
    assert names == ["Review", "Other", "Review"]
    post(google, second["htmlLink"], do="delete")
    assert len(google.call(ALICE, "events.instances", **where)["items"]) == 2
    assert "Cancelled" in get(google, second["htmlLink"]).body.decode()


def test_a_guest_is_told_what_they_may_not(google: GoogleSandbox, meeting: Callable[..., Json]) -> None:
    made = meeting(attendees=[{"email": BOB}])
    copy = google.call(BOB, "events.get", calendarId="primary", eventId=made["id"])
    form = {"summary": "Mine", "start": "2026-01-06T10:00", "end": "2026-01-06T11:00", "location": ""}
    assert post(google, copy["htmlLink"], **form, do="all").status == 403
    assert post(google, made["htmlLink"], **form | {"start": "soon"}, do="all").status == 400
    assert google.call(ALICE, "events.get", calendarId="primary", eventId=made["id"])["summary"] == "Review"


def test_access_is_taken_back_on_the_page_of_connections(google: GoogleSandbox) -> None:
    assert "No application" in get(google, "/connections").body.decode()
    client = google.oauth.add_client("Tandem", "http://127.0.0.1:8000/callback")
    alice, bob = (google.oauth._grant(client, each, ("openid",), NOW) for each in (ALICE, BOB))
    assert "Tandem has access to the calendars of Alice Moreau" in get(google, "/connections").body.decode()
    assert post(google, "/connections", user=ALICE, client=client.id).status == 302
    assert (alice.ended, bob.ended) == ("revoked", "")


def test_a_link_that_leads_nowhere_is_not_found(google: GoogleSandbox) -> None:
    for name in ("", "nonsense", "é"):
        assert get(google, f"/calendar/event?eid={name}").status == 404
