"""What Google asks of a client beyond the contract: each rule with a test that fails when it is broken.

Those that need the whole engine (a removal or a move cancels no meeting, "this and following", withdrawn access) are
in tests/integration/test_google_sync.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import httpx2
import msgspec
import pytest

from sandbox.google import GoogleSandbox
from sandbox.google.faults import Kind
from sandbox.google.listing import FORBIDDEN
from sandbox.google.log import Row
from sandbox.google.sample import ALICE, BOB
from sandbox.google.store import Entry
from tandem.calendaring.event import When
from tandem.calendaring.provider import (
    AnswerLost,
    Changed,
    CursorExpired,
    Edit,
    Page,
    ReconnectNeeded,
    Refused,
    RemoteItem,
    RemovedSince,
    TryLater,
)
from tandem.providers.google import GoogleProvider
from tandem.providers.google.quota import Quota
from tests.contract.suite import NOW, SECOND, all_of, known, meeting
from tests.google_service import ZONE, Json, Wire, provider_of, sandbox_at, timed

ROOT = "http://google.example/calendar/v3"
THIRD = "20261215T090000Z"
WEEKLY: Json = {"recurrence": ["RRULE:FREQ=WEEKLY;COUNT=5"]}


@dataclass
class Google:
    """Alice's account at a sandbox, through a provider whose lists have at most `page` events."""

    sandbox: GoogleSandbox
    root: str
    provider: GoogleProvider
    cursor: str | None = None
    items: dict[str, RemoteItem] = field(default_factory=dict)

    def plant(self, name: str = "planning", **fields: Any) -> Entry:
        body = {"id": name, "summary": name.capitalize(), **timed("2026-12-01T10:00:00"), **fields}
        return self.sandbox.plant(fields.pop("calendar", ALICE), body)

    def call(self, method: str, body: Json | None = None, *, by: str = ALICE, **parameters: Any) -> Json:
        """As another program of that user's."""
        return self.sandbox.call(by, method, body, **{"calendarId": "primary", **parameters})

    def insert(self, name: str = "planning", *, by: str = ALICE, **fields: Any) -> RemoteItem:
        body = {"id": name, "summary": name.capitalize(), **timed("2026-12-01T10:00:00"), **fields}
        self.call("events.insert", body, by=by, sendUpdates="none")
        return self.read(name)

    def patch(self, event_id: str, **fields: Any) -> None:
        self.call("events.patch", fields, eventId=event_id, sendUpdates="none")

    def delete(self, event_id: str, *, by: str = ALICE) -> None:
        self.call("events.delete", eventId=event_id, by=by, sendUpdates="none")

    def read(self, name: str) -> RemoteItem:
        item = self.provider.read(ALICE, name)
        assert item is not None
        return item

    def update(self, base: RemoteItem, edit: Edit, *, silent: bool = True) -> RemoteItem:
        return self.provider.update(ALICE, base, edit, silent=silent, now=NOW).item

    def look(self) -> tuple[dict[str, RemoteItem], set[str]]:
        """What changed since the last look, everything at first; kept as an engine would."""
        pages = list(self.provider.changes(ALICE, self.cursor, known(self.items)))
        found, removed, self.cursor = all_of(pages)
        self.items = {name: item for name, item in (self.items | found).items() if name not in removed}
        return found, removed

    @property
    def lists(self) -> list[Row]:
        return self.sandbox.log.calls("events.list")

    @property
    def writes(self) -> list[Row]:
        return self.sandbox.log.writes()

    def mails(self) -> list[tuple[str, str]]:
        return sorted((mail.kind, mail.to) for mail in self.sandbox.mails.rows)


@pytest.fixture
def google() -> Iterator[Google]:
    with sandbox_at(NOW) as (sandbox, root):
        provider = provider_of(ALICE, lambda stale: sandbox.token(ALICE), root, now=sandbox.clock.now)
        yield Google(sandbox, root, provider)
        provider.close()


def scripted(
    *answers: httpx2.Response, now: Callable[[], datetime] = lambda: NOW
) -> tuple[GoogleProvider, list[httpx2.Request]]:
    """A provider to which Google says just this, and what it asked."""
    asked: list[httpx2.Request] = []
    waiting = list(answers)

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return waiting.pop(0)

    return provider_of(ALICE, lambda stale: "token", ROOT, now=now, wire=httpx2.MockTransport(answer)), asked


def page(*items: Json, **tokens: str) -> httpx2.Response:
    return httpx2.Response(200, json={**({"items": list(items)} if items else {}), **tokens})


def event(name: str, **fields: Any) -> Json:
    head = {"id": name, "etag": f'"{name}"', "status": "confirmed", "iCalUID": f"{name}@google.com"}
    return head | {"summary": name, "updated": "2026-11-20T10:00:00.000Z", **timed("2026-12-01T10:00:00")} | fields


def listed(provider: GoogleProvider) -> tuple[dict[str, RemoteItem], set[str], str]:
    return all_of(list(provider.changes(ALICE, None, {})))


def problem(code: int, reason: str, **headers: str) -> httpx2.Response:
    error = {"errors": [{"domain": "usageLimits", "reason": reason, "message": reason}], "code": code}
    return httpx2.Response(code, json={"error": error | {"message": reason}}, headers=headers)


# The cursor


def test_the_cursor_comes_from_the_last_page_and_empty_pages_are_no_end():
    provider, asked = scripted(
        page(event("a"), nextPageToken="2"), page(nextPageToken="3"), page(event("b"), nextPageToken="4"),
        page(nextSyncToken="cursor"),
    )  # fmt: skip
    items, _, cursor = listed(provider)
    assert (set(items), cursor) == ({"a", "b"}, "cursor")
    assert [request.url.params.get("pageToken") for request in asked] == [None, "2", "3", "4"]


def test_a_list_without_a_sync_token_at_its_end_gives_no_cursor():
    provider, _ = scripted(page(event("a"), nextPageToken="2"), page(event("b")))
    pages: list[Page] = []
    with pytest.raises(TryLater):
        pages.extend(provider.changes(ALICE, None, {}))
    assert all(found.cursor is None and not found.complete for found in pages)


def test_a_list_that_fails_in_the_middle_gives_no_cursor(google: Google):
    for number in range(40):
        google.plant(f"event{number}")
    provider = provider_of(
        ALICE, lambda stale: google.sandbox.token(ALICE), google.root, now=google.sandbox.clock.now, wire=Wire(page=10)
    )
    google.sandbox.faults.add("503", "events.list", times=None, skip=2)
    pages: list[Page] = []
    with pytest.raises(TryLater):
        pages.extend(provider.changes(ALICE, None, {}))
    assert all(found.cursor is None and not found.complete for found in pages)
    provider.close()


def test_lists_with_a_cursor_have_no_filter_and_all_the_same_parameters(google: Google):
    google.plant("single")
    google.plant("standup", **WEEKLY)
    list(google.provider.window(ALICE, NOW, NOW + timedelta(days=31)))
    google.look()
    google.patch(f"standup_{SECOND}", summary="This one")
    google.look()
    google.read("standup")
    google.sandbox.expire_sync_tokens()
    with pytest.raises(CursorExpired):
        google.look()
    google.cursor = None
    google.look()
    google.look()
    unfiltered = [row.query for row in google.lists if not set(FORBIDDEN) & row.query.keys()]
    filtered = [row.query for row in google.lists if set(FORBIDDEN) & row.query.keys()]
    fixed = [
        {name: value for name, value in query.items() if name not in {"syncToken", "pageToken"}} for query in unfiltered
    ]
    assert len(unfiltered) > 4
    assert all(query == fixed[0] for query in fixed)
    assert fixed[0]["showDeleted"] == ["true"]
    assert fixed[0]["singleEvents"] == ["false"]
    assert fixed[0]["maxResults"] == ["2500"]
    assert filtered
    assert not any("syncToken" in query for query in filtered)


def test_410_is_said_and_the_listing_after_it_finds_what_was_deleted(google: Google):
    google.plant("kept")
    google.plant("gone")
    google.plant("standup", **WEEKLY)
    google.look()
    google.delete("gone")
    google.delete("standup")
    google.sandbox.expire_sync_tokens()
    with pytest.raises(CursorExpired):
        google.look()
    pages = list(google.provider.changes(ALICE, None, known(google.items)))
    assert all_of(pages)[1] == {"gone", "standup"}
    assert pages[-1].complete


# Tombstones


@pytest.mark.parametrize("details", [False, True])
def test_tombstones_may_have_nothing_but_an_id(google: Google, details: bool):
    google.sandbox.behaviour.details_of_deleted = details
    for name in ("single", "standup", "other"):
        google.plant(name, **({} if name == "single" else WEEKLY))
    google.look()
    google.delete("single")
    google.delete("standup")
    google.delete(f"other_{SECOND}")
    found, removed = google.look()
    assert removed == {"single", "standup"}
    assert set(found) == {"other"}
    assert f"EXDATE:{SECOND}" in found["other"].events[0].recurrence


def test_a_cancelled_occurrence_is_kept_for_as_long_as_its_series_lives(google: Google):
    google.plant("standup", **WEEKLY)
    google.look()
    google.delete(f"standup_{SECOND}")
    google.look()
    for _ in range(3):
        google.sandbox.clock.advance(days=20)
        google.look()
    google.patch("standup", summary="Another title")
    assert set(google.look()[0]) == {"standup"}
    assert f"EXDATE:{SECOND}" in google.items["standup"].events[0].recurrence
    google.sandbox.expire_sync_tokens()
    google.cursor, google.items = None, {}
    google.look()
    assert f"EXDATE:{SECOND}" in google.items["standup"].events[0].recurrence
    assert google.read("standup") == google.items["standup"]


def test_a_guests_own_removal_is_the_end_of_that_copy_alone(google: Google):
    google.insert("theirs", by=BOB, attendees=[{"email": ALICE}])
    google.look()
    google.delete("theirs")
    assert google.look() == ({}, {"theirs"})
    assert google.call("events.get", by=BOB, eventId="theirs")["status"] == "confirmed"


def test_an_event_that_went_to_another_calendar_leaves_a_tombstone_here(google: Google):
    google.insert("moving")
    google.look()
    target = next(name for name in google.sandbox.store.calendars if name.startswith("c_"))
    google.call("events.move", eventId="moving", destination=target, sendUpdates="none")
    assert google.look() == ({}, {"moving"})
    moved = google.provider.read(target, "moving")
    assert moved is not None
    assert moved.events[0].uid == "moving@google.com"


def test_a_tombstone_of_what_was_written_in_the_same_look_counts(google: Google):
    google.insert("planning")
    google.look()
    google.update(google.items["planning"], {"": {"title": "Mine"}})
    google.delete("planning")
    assert google.look() == ({}, {"planning"})


@pytest.mark.parametrize(("updated", "told"), [("2026-11-20", []), ("2026-11-23", ["Theirs"])])
def test_a_list_that_began_before_our_write_does_not_take_it_back(updated: str, told: list[str]):
    """Its later pages may still tell the version before ours. One from after it counts."""
    mine = event("b", summary="Mine", updated="2026-11-22T12:00:00.000Z", etag='"mine"')
    theirs = event("b", summary="Theirs", updated=f"{updated}T10:00:00.000Z")
    provider, _ = scripted(
        httpx2.Response(200, json=event("b")), page(event("a"), nextPageToken="2"), httpx2.Response(200, json=mine),
        page(theirs, nextSyncToken="cursor"),
    )  # fmt: skip
    base = provider.read(ALICE, "b")
    assert base is not None
    pages = provider.changes(ALICE, "before", {})
    assert [item.remote_id for item in next(pages).items] == ["a"]
    provider.update(ALICE, base, {"": {"title": "Mine"}}, silent=True, now=NOW)
    assert [item.events[0].title for found in pages for item in found.items] == told


# Writing


def test_each_patch_and_delete_says_which_version_it_means(google: Google):
    google.insert("single")
    google.insert("other")
    google.insert("standup", **WEEKLY)
    google.patch(f"standup_{SECOND}", summary="This one")
    item = google.update(
        google.read("standup"), {SECOND: {"title": "New"}, THIRD: {"location": "Hall"}, "": {"title": "All"}}
    )
    assert len(item.events) == 3
    # A change of the series moved the etags of its exceptions too.
    item = google.update(google.read("standup"), {SECOND: {"status": "cancelled"}})
    google.update(item, {"": {"recurrence": ["RRULE:FREQ=WEEKLY;COUNT=5"]}})
    google.update(google.read("single"), {"": {"title": "New"}})
    google.provider.delete(ALICE, google.read("other"), silent=True)
    conditional = [row for row in google.writes if row.method in {"events.patch", "events.delete"}]
    assert len(conditional) >= 7
    assert all(row.if_match and row.if_match != "*" for row in conditional)
    assert {row.method for row in google.writes} == {"events.patch", "events.delete"}


@pytest.mark.parametrize(
    "theirs", [lambda g: g.patch("standup", summary="Theirs"), lambda g: g.patch(f"standup_{SECOND}", summary="Theirs")]
)
@pytest.mark.parametrize(
    "edit", [{"": {"title": "Mine"}}, {SECOND: {"title": "Mine"}}, {SECOND: {"status": "cancelled"}}]
)
def test_what_changed_meanwhile_is_never_overwritten(google: Google, theirs: Callable[[Google], None], edit: Edit):
    """Unless theirs is another event of the series than ours."""
    google.insert("standup", **WEEKLY)
    google.patch(f"standup_{SECOND}", location="Hall")
    base = google.read("standup")
    theirs(google)
    try:
        google.update(base, edit)
    except Changed:
        assert "Theirs" in {
            google.call("events.get", eventId=name)["summary"] for name in ("standup", f"standup_{SECOND}")
        }
    else:
        (name,) = edit
        both = {google.call("events.get", eventId=each)["summary"] for each in ("standup", f"standup_{SECOND}")}
        assert "Theirs" in both or (not name and both == {"Theirs", "Mine"})


def test_an_occurrence_without_an_exception_is_not_overwritten_either(google: Google):
    """Its etag is its series', so what the person saw is compared with what is there."""
    base = google.insert("standup", **WEEKLY)
    google.patch(f"standup_{SECOND}", summary="Theirs")
    with pytest.raises(Changed):
        google.update(base, {SECOND: {"title": "Mine"}})
    assert google.writes == []
    google.update(base, {SECOND: {"location": "Hall"}})
    found = google.call("events.get", eventId=f"standup_{SECOND}")
    assert (found["summary"], found["location"]) == ("Theirs", "Hall")


@pytest.mark.parametrize("uid", ["plain", "", "ünï-cödé-会議", "a/b?c#d", "WXYZ", "x" * 3000])
def test_ids_of_ours_are_base32hex_and_never_have_a_uid_beside_them(google: Google, uid: str):
    name = google.provider.new_remote_id(ALICE, uid)
    assert re.fullmatch(r"[a-v0-9]{5,1024}", name)
    assert name == google.provider.new_remote_id(ALICE, uid)
    assert name != google.provider.new_remote_id(ALICE, f"{uid}.")
    google.provider.create(ALICE, name, [meeting(uid)], silent=True)
    (row,) = google.writes
    assert row.body is not None
    assert row.body["id"] == name
    assert "iCalUID" not in row.body


@pytest.mark.parametrize("gone", [False, True])
def test_an_id_is_taken_once_even_where_only_a_tombstone_holds_it(google: Google, gone: bool):
    name = google.provider.new_remote_id(ALICE, "new@example.org")
    item = google.provider.create(ALICE, name, [meeting()], silent=True).item
    if gone:
        google.provider.delete(ALICE, item, silent=True)
    with pytest.raises(RemovedSince if gone else Changed):
        google.provider.create(ALICE, name, [meeting()], silent=True)


def test_a_collision_that_google_does_not_notice_leaves_one_event(google: Google):
    google.sandbox.behaviour.undetected_collisions = True
    name = google.provider.new_remote_id(ALICE, "new@example.org")
    google.provider.create(ALICE, name, [meeting()], silent=True)
    with pytest.raises(Changed):
        google.provider.create(ALICE, name, [meeting()], silent=True)
    live = [entry.id for entry in google.sandbox.store.live(google.sandbox.store.calendars[ALICE])]
    assert live == [name]


NOON = {"start": "2026-12-01T12:00:00", "end": "2026-12-01T13:00:00", "zone": ZONE}


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"title": "New"}, {"summary"}),
        ({"location": "Hall"}, {"location"}),
        ({"location": ""}, {"location"}),
        ({"description": "Words"}, {"description"}),
        ({"visibility": "private"}, {"visibility"}),
        ({"when": NOON}, {"start", "end"}),
        ({"recurrence": ["RRULE:FREQ=DAILY;COUNT=2"]}, {"recurrence"}),
        ({"reminders": [10]}, {"reminders"}),
        ({"title": "New", "when": NOON}, {"summary", "start", "end"}),
        ({"guest:dora@halden.example": {"name": "", "optional": False}}, {"attendees"}),
    ],
)
def test_a_patch_names_what_changes_and_nothing_else(google: Google, values: Json, named: set[str]):
    base = google.insert(attendees=[{"email": BOB}], location="Room", colorId="3")
    google.update(base, {"": values})
    (row,) = google.writes
    assert row.method == "events.patch"
    assert row.body is not None
    assert row.body.keys() == named


def test_guests_are_written_whole_with_all_they_said(google: Google):
    """PATCH replaces lists: one without `responseStatus` would ask that guest again."""
    guests = [
        {"email": BOB, "displayName": "Bob", "responseStatus": "accepted", "comment": "Late", "additionalGuests": 2},
        {"email": "charlie@halden.example", "responseStatus": "declined", "optional": True},
        {"email": "room-1@resource.example", "resource": True, "responseStatus": "accepted"},
    ]
    base = google.insert(attendees=guests)
    google.update(base, {"": {"guest:dora@halden.example": {"name": "Dora", "optional": False}}})
    (row,) = google.writes
    assert row.body is not None
    sent = {guest["email"]: guest for guest in row.body["attendees"]}
    for guest in guests:
        assert guest.items() <= sent[str(guest["email"])].items()
    assert sent["dora@halden.example"]["responseStatus"] == "needsAction"


def test_a_list_that_is_not_shown_whole_is_never_written(google: Google):
    guests = [{"email": ALICE}, {"email": "charlie@halden.example", "responseStatus": "accepted"}]
    base = google.insert(by=BOB, attendees=guests, guestsCanSeeOtherGuests=False, guestsCanModify=True)
    assert [guest.address for guest in base.events[0].guests] == [ALICE]
    with pytest.raises(Refused) as refused:
        google.update(base, {"": {"guest:dora@halden.example": {"name": "", "optional": False}}})
    assert "all guests" in refused.value.words
    assert google.writes == []
    google.update(base, {"": {"title": "Still possible"}})
    held = google.call("events.get", by=BOB, eventId="planning")
    assert (held["summary"], len(held["attendees"])) == ("Still possible", 2)


@pytest.mark.parametrize("hidden", [False, True])
def test_ones_own_answer_is_written_without_the_list(google: Google, hidden: bool):
    guests = [{"email": ALICE, "comment": "Gladly"}, {"email": "charlie@halden.example", "responseStatus": "accepted"}]
    base = google.insert(by=BOB, attendees=guests, guestsCanSeeOtherGuests=not hidden)
    google.update(base, {"": {f"response:{ALICE}": "accepted"}}, silent=False)
    (row,) = google.writes
    assert row.body is not None
    assert row.body["attendeesOmitted"] is True
    assert [guest["email"] for guest in row.body["attendees"]] == [ALICE]
    held = {guest["email"]: guest for guest in google.call("events.get", by=BOB, eventId="planning")["attendees"]}
    assert (held[ALICE]["responseStatus"], held[ALICE]["comment"]) == ("accepted", "Gladly")
    assert held["charlie@halden.example"]["responseStatus"] == "accepted"
    assert google.mails() == [("reply", BOB)]


def _write_all(google: Google, *, silent: bool) -> list[str]:
    """Each way in which a provider writes; the methods in order."""
    provider, start = google.provider, len(google.writes)
    event_ = msgspec.structs.replace(meeting(f"new{silent}@x"), recurrence=("RRULE:FREQ=WEEKLY;COUNT=5",))
    name = provider.new_remote_id(ALICE, event_.uid)
    item = provider.create(ALICE, name, [event_], silent=silent).item
    item = google.update(item, {"": {"title": "New"}}, silent=silent)
    item = google.update(item, {"20261209T080000Z": {"location": "Hall"}}, silent=silent)
    item = google.update(item, {"20261216T080000Z": {"status": "cancelled"}}, silent=silent)
    item = google.update(item, {"": {"recurrence": ["RRULE:FREQ=WEEKLY;COUNT=4"]}}, silent=silent)
    provider.delete(ALICE, item, silent=silent)
    return [row.query["sendUpdates"][0] for row in google.writes[start:]]


def test_every_write_says_whether_guests_are_told(google: Google):
    """The sandbox refuses one that does not (`require_send_updates`)."""
    said = _write_all(google, silent=True)
    assert set(said) == {"none"}
    assert len(said) >= 6
    assert google.mails() == []
    assert set(_write_all(google, silent=False)) == {"all"}
    kinds = [kind for kind, to in google.mails() if to == "charlie@halden.example"]
    assert kinds.count("invitation") == 1
    assert kinds.count("cancellation") == 2


def test_one_occurrence_is_cancelled_with_one_mail(google: Google):
    base = google.insert("standup", attendees=[{"email": "charlie@halden.example"}], **WEEKLY)
    google.update(base, {SECOND: {"status": "cancelled"}}, silent=False)
    assert google.mails() == [("cancellation", "charlie@halden.example")]
    assert [row.method for row in google.writes] == ["events.delete"]


def test_what_tandem_writes_has_no_marks_that_other_guests_would_get(google: Google):
    _write_all(google, silent=True)
    for row in google.writes:
        assert "shared" not in (row.body or {}).get("extendedProperties", {})


def test_what_only_the_organizer_may_do_is_refused_for_good(google: Google):
    base = google.insert(by=BOB, attendees=[{"email": ALICE}])
    with pytest.raises(Refused) as refused:
        google.update(base, {"": {"title": "Mine"}})
    assert "organizer" in refused.value.words
    (row,) = google.writes
    assert row.reason == "forbiddenForNonOrganizer"


def test_where_guests_may_modify_they_do(google: Google):
    base = google.insert(by=BOB, attendees=[{"email": ALICE}], guestsCanModify=True)
    assert base.events[0].guests_can_modify
    google.update(base, {"": {"title": "Ours"}})
    assert google.call("events.get", by=BOB, eventId="planning")["summary"] == "Ours"


def test_a_locked_event_is_known_as_one_and_refuses(google: Google):
    google.plant(locked=True)
    base = google.read("planning")
    assert base.events[0].locked
    with pytest.raises(Refused):
        google.update(base, {"": {"title": "Mine"}})


@pytest.mark.parametrize("role", ["reader", "writerWithoutPrivateAccess"])
def test_a_calendar_in_which_not_all_may_be_changed_is_none_to_write_in(google: Google, role: Any):
    theirs = google.sandbox.store.add_calendar(google.sandbox.store.users[BOB], "Bob's team", ZONE)
    google.sandbox.store.share(theirs, google.sandbox.store.users[ALICE], role)
    found = {calendar.remote_id: calendar for calendar in google.provider.discover().calendars}
    assert not found[theirs.id].writable
    assert not found[theirs.id].organizer


def test_a_calendar_that_shows_only_when_its_owner_is_busy_is_left_out(google: Google):
    theirs = google.sandbox.store.add_calendar(google.sandbox.store.users[BOB], "Bob", ZONE)
    google.sandbox.store.share(theirs, google.sandbox.store.users[ALICE], "freeBusyReader")
    assert theirs.id not in {calendar.remote_id for calendar in google.provider.discover().calendars}


# What is in calendars


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("outOfOffice", {"outOfOfficeProperties": {"autoDeclineMode": "declineNone"}}),
        ("focusTime", {"focusTimeProperties": {"chatStatus": "doNotDisturb"}}),
        ("workingLocation", {"workingLocationProperties": {"type": "homeOffice", "homeOffice": {}}}),
        ("fromGmail", {}),
        ("birthday", {"birthdayProperties": {"type": "birthday"}}),
        ("somethingNew", {}),
    ],
)
def test_all_kinds_of_events_are_read(google: Google, kind: str, fields: Json):
    google.plant(eventType=kind, **fields)
    google.look()
    item = google.items["planning"]
    assert not item.problem
    assert item.events[0].kind == kind


ON_MARS = {"dateTime": "2026-12-01T10:00:00+01:00", "timeZone": "Mars/Olympus"}
DIRTY: dict[str, tuple[Json, bool]] = {
    "a day as UNTIL of a timed series": ({"recurrence": ["RRULE:FREQ=WEEKLY;UNTIL=20261215"]}, False),
    "a rule in small letters": ({"recurrence": ["rrule:freq=weekly;count=2"]}, False),
    "an end before its start": ({"end": {"dateTime": "2026-12-01T09:00:00+01:00", "timeZone": ZONE}}, False),
    "a zone that nobody knows": ({"start": ON_MARS}, False),
    "a series in a zone that nobody knows": ({**WEEKLY, "start": ON_MARS}, True),
    "no title": ({"summary": ""}, False),
    "days that end where they begin": ({"start": {"date": "2026-12-01"}, "end": {"date": "2026-12-01"}}, False),
}  # fmt: skip


@pytest.mark.parametrize("name", DIRTY)
def test_dirty_data_is_read_or_named_and_the_rest_goes_on(google: Google, name: str):
    fields, unreadable = DIRTY[name]
    google.plant("dirty", **fields)
    google.plant("clean")
    found, removed = google.look()
    assert set(found) == {"dirty", "clean"}
    assert removed == set()
    assert found["clean"].events
    assert bool(found["dirty"].problem) is unreadable
    assert bool(found["dirty"].events) is not unreadable
    for each in found["dirty"].events:
        assert each.when is not None
        assert each.when.ends_at("UTC") >= each.when.starts_at("UTC")
    google.patch("clean", summary="Changed")
    assert set(google.look()[0]) == {"clean"}


@pytest.mark.parametrize(
    "strange", [{"summary": 7}, {"attendees": "all"}, {"start": {"dateTime": "whenever"}}, {"recurrence": "daily"}]
)
def test_an_event_that_is_not_as_documented_is_named_and_the_rest_goes_on(strange: Json):
    provider, _ = scripted(page(event("strange", **strange), event("clean"), nextSyncToken="cursor"))
    items, _, _ = listed(provider)
    assert items["strange"].problem
    assert not items["clean"].problem


# Trouble


BUSY: Sequence[tuple[int, str]] = [
    (429, "rateLimitExceeded"), (403, "rateLimitExceeded"), (403, "userRateLimitExceeded"), (403, "quotaExceeded"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "reason"), BUSY)
def test_a_limit_means_later_whatever_its_status(code: int, reason: str):
    provider, asked = scripted(*[problem(code, reason)] * 4)
    with pytest.raises(TryLater) as later:
        listed(provider)
    assert not isinstance(later.value, AnswerLost)
    assert 1 < len(asked) <= 4
    provider, asked = scripted(problem(code, reason, **{"Retry-After": "37"}))
    with pytest.raises(TryLater) as later:
        provider.create(ALICE, "abcde", [meeting()], silent=True)
    assert later.value.retry_after == 37
    assert len(asked) == 1


def test_a_read_does_not_ask_again_before_google_said_it_may():
    provider, asked = scripted(problem(429, "rateLimitExceeded", **{"Retry-After": "120"}))
    with pytest.raises(TryLater) as later:
        listed(provider)
    assert later.value.retry_after == 120
    assert len(asked) == 1


def test_a_read_goes_on_after_a_limit_that_is_soon_over():
    provider, asked = scripted(
        problem(403, "userRateLimitExceeded"), problem(500, "backendError"), page(event("a"), nextSyncToken="c")
    )
    assert set(listed(provider)[0]) == {"a"}
    assert len(asked) == 3


@pytest.mark.parametrize(
    "reason", ["forbidden", "requiredAccessLevel", "forbiddenForNonOrganizer", "cannotChangeOrganizer"]
)
def test_a_lack_of_rights_is_refused_for_good(reason: str):
    provider, asked = scripted(problem(403, reason))
    with pytest.raises(Refused) as refused:
        provider.create(ALICE, "abcde", [meeting()], silent=True)
    assert refused.value.words
    assert len(asked) == 1


@pytest.mark.parametrize("kind", ["500", "503", "lost before", "lost after"])
def test_a_write_is_never_sent_again_before_it_is_known_what_became_of_it(google: Google, kind: Kind):
    google.sandbox.faults.add(kind, "events.insert")
    with pytest.raises(AnswerLost):
        google.provider.create(ALICE, "abcde", [meeting()], silent=False)
    assert len(google.sandbox.log.calls("events.insert")) == 1


def _account(root: str, bearer: Callable[[str], str], sandbox: GoogleSandbox, **more: Any) -> GoogleProvider:
    return provider_of(ALICE, bearer, root, now=sandbox.clock.now, **more)


def test_a_token_that_was_refused_is_named_when_another_is_asked_for(google: Google):
    asked: list[str] = []
    old, new = google.sandbox.token(ALICE), ""

    def bearer(stale: str) -> str:
        asked.append(stale)
        return new or old

    provider = _account(google.root, bearer, google.sandbox)
    listed(provider)
    google.sandbox.oauth.expire_access(ALICE)
    new = google.sandbox.token(ALICE)
    listed(provider)
    listed(provider)
    assert asked == ["", old]
    provider.close()


def test_a_second_refusal_means_that_the_account_must_be_connected_again(google: Google):
    asked: list[str] = []

    def bearer(stale: str) -> str:
        asked.append(stale)
        return "no token of this world"

    provider = _account(google.root, bearer, google.sandbox)
    with pytest.raises(ReconnectNeeded) as needed:
        listed(provider)
    assert asked == ["", "no token of this world"]
    assert "no token of this world" not in needed.value.words
    assert len(google.sandbox.log.outside()) == 2
    provider.close()


def test_each_account_keeps_its_own_quota(google: Google):
    quota = Quota(limit=3)
    tokens = {address: google.sandbox.token(address) for address in (ALICE, BOB)}
    alice, bob = (
        provider_of(
            address,
            lambda stale, address=address: tokens[address],
            google.root,
            now=google.sandbox.clock.now,
            quota=quota,
        )
        for address in (ALICE, BOB)
    )
    for _ in range(3):
        alice.read(ALICE, "nothing")
    with pytest.raises(TryLater) as later:
        alice.read(ALICE, "nothing")
    assert later.value.retry_after is not None
    assert 0 < later.value.retry_after <= 60
    assert len(google.sandbox.log.outside()) == 3
    bob.read(BOB, "nothing")
    google.sandbox.clock.advance(seconds=later.value.retry_after + 1)
    alice.read(ALICE, "nothing")
    assert len(google.sandbox.log.outside()) == 5
    alice.close()
    bob.close()


# Times


def test_a_timed_event_becomes_a_day_and_a_day_becomes_timed(google: Google):
    """A patch merges: the other kind of time has to be cleared, or it would stay beside the new one."""
    base = google.insert()
    day = google.update(base, {"": {"when": {"start": "2026-12-24", "end": "2026-12-27", "zone": ""}}})
    assert day.events[0].when == When.days(date(2026, 12, 24), date(2026, 12, 27))
    back = google.update(day, {"": {"when": NOON}})
    assert back.events[0].when == When(NOON["start"], NOON["end"], ZONE)
    assert google.read("planning") == back


def test_a_series_keeps_its_wall_time_when_clocks_change(google: Google):
    start = {"dateTime": "2027-03-16T10:00:00", "timeZone": "America/New_York"}
    end = {"dateTime": "2027-03-16T11:00:00", "timeZone": "America/New_York"}
    item = google.insert("standup", start=start, end=end, **WEEKLY)
    assert item.events[0].when == When("2027-03-16T10:00:00", "2027-03-16T11:00:00", "America/New_York")


# Series


def test_an_exception_told_before_its_series_belongs_to_it():
    original = {"originalStartTime": {"dateTime": "2026-12-08T09:00:00Z"}, "recurringEventId": "standup"}
    moved = event(f"standup_{SECOND}", summary="This one", **original, iCalUID="standup@google.com")
    provider, _ = scripted(
        page(moved, nextPageToken="2"), page(event("other"), nextPageToken="3"),
        page(event("standup", **WEEKLY), nextSyncToken="cursor"),
    )  # fmt: skip
    items, _, _ = listed(provider)
    assert set(items) == {"standup", "other"}
    assert [each.recurrence_id for each in items["standup"].events] == ["", SECOND]


def test_an_occurrence_is_found_by_its_original_start_wherever_it_went(google: Google):
    base = google.insert("standup", **WEEKLY)
    moved = {"start": "2026-12-24T15:00:00", "end": "2026-12-24T16:00:00", "zone": ZONE}
    item = google.update(base, {SECOND: {"when": moved}})
    assert item.events[1].recurrence_id == SECOND
    assert item.events[1].when == When(moved["start"], moved["end"], ZONE)
    again = google.update(item, {SECOND: {"title": "Moved"}})
    found = google.call("events.get", eventId=f"standup_{SECOND}")
    assert found["summary"] == "Moved"
    assert google.read("standup") == again


def test_a_series_that_moves_ends_its_exceptions(google: Google):
    google.insert("standup", **WEEKLY)
    google.patch(f"standup_{SECOND}", summary="This one")
    google.look()
    google.patch("standup", **timed("2026-12-02T10:00:00"))
    google.look()
    assert [each.recurrence_id for each in google.items["standup"].events] == [""]
    assert google.read("standup").events[0].when == google.items["standup"].events[0].when


def test_a_series_that_becomes_a_single_event_has_no_exceptions_any_more(google: Google):
    google.insert("standup", **WEEKLY)
    google.patch(f"standup_{SECOND}", summary="This one")
    google.delete(f"standup_{THIRD}")
    google.look()
    google.patch("standup", recurrence=None)
    google.look()
    (single,) = google.items["standup"].events
    assert (single.recurrence, single.recurrence_id) == ((), "")


def test_an_invitation_to_one_occurrence_is_an_object_of_its_own_until_the_series_comes(google: Google):
    body = {"id": "theirs", "summary": "Theirs", **timed("2026-12-01T10:00:00"), **WEEKLY}
    google.call("events.insert", body, by=BOB, sendUpdates="none")
    google.call(
        "events.patch", {"attendees": [{"email": ALICE}]}, by=BOB, eventId=f"theirs_{SECOND}", sendUpdates="none"
    )
    google.look()
    (alone,) = google.items.values()
    assert [each.recurrence_id for each in alone.events] == [SECOND]
    google.call("events.patch", {"attendees": [{"email": ALICE}]}, by=BOB, eventId="theirs", sendUpdates="none")
    google.look()
    slots = [each.recurrence_id for item in google.items.values() for each in item.events]
    assert sorted(slots) in ([""], ["", SECOND])


def test_the_window_takes_no_exception_for_an_invitation(google: Google):
    """One that was moved into the window from a series that lies before it."""
    google.plant("old", **timed("2026-01-06T10:00:00"), recurrence=["RRULE:FREQ=WEEKLY;COUNT=3"])
    google.patch("old_20260113T090000Z", **timed("2026-12-01T10:00:00"))
    pages = list(google.provider.window(ALICE, NOW, NOW + timedelta(days=31)))
    assert {item.remote_id for found in pages for item in found.items} <= {"old"}
    google.look()
    assert [each.recurrence_id for each in google.items["old"].events] == ["", "20260113T090000Z"]


def test_a_restored_occurrence_takes_place_again(google: Google):
    base = google.insert("standup", **WEEKLY)
    out = google.update(base, {SECOND: {"status": "cancelled"}})
    assert f"EXDATE:{SECOND}" in out.events[0].recurrence
    again = google.update(out, {"": {"recurrence": ["RRULE:FREQ=WEEKLY;COUNT=5"]}})
    assert again.events[0].recurrence == ("RRULE:FREQ=WEEKLY;COUNT=5",)
    ids = {each["id"] for each in google.call("events.instances", eventId="standup")["items"]}
    assert json.dumps(sorted(ids)).count(SECOND) <= 1
    assert google.read("standup").events[0].recurrence == ("RRULE:FREQ=WEEKLY;COUNT=5",)


def test_an_occurrence_that_google_lists_as_an_exdate_is_one_too(google: Google):
    google.plant("standup", recurrence=[*WEEKLY["recurrence"], "EXDATE;TZID=Europe/Berlin:20261208T100000"])
    (master,) = google.read("standup").events
    assert f"EXDATE:{SECOND}" in master.recurrence


def test_no_write_ever_replaces_a_whole_event(google: Google):
    """PUT deletes what we do not model, and an import makes a private copy."""
    _write_all(google, silent=True)
    assert not {"events.update", "events.import"} & {row.method for row in google.sandbox.log.outside()}
