"""Whatever happens, a client that follows the sync tokens holds what a whole list holds."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.google import GoogleSandbox, guests
from sandbox.google.clock import Clock
from sandbox.google.problems import Problem
from sandbox.google.sample import ALICE, BOB, CHARLIE, people
from sandbox.google.store import Entry

Json = dict[str, Any]
PEOPLE = (ALICE, BOB, CHARLIE)


class Mirror:
    """A plain client of one calendar: pages, a cursor, and the rule that a series takes its exceptions along."""

    def __init__(self, google: GoogleSandbox, owner: str) -> None:
        self._google = google
        self._owner = owner
        self._cursor: Json = {}
        self.events: dict[str, str] = {}

    def sync(self) -> None:
        items, cursor = self._read(self._cursor)
        for item in items:
            if item["status"] == "cancelled" and "recurringEventId" not in item:
                self.events.pop(item["id"], None)
                for name in [name for name in self.events if name.startswith(item["id"] + "_")]:
                    del self.events[name]
            elif item["status"] == "cancelled":
                self.events.pop(item["id"], None)
            else:
                self.events[item["id"]] = item["etag"]
        self._cursor = {"syncToken": cursor}

    def whole(self) -> dict[str, str]:
        return {item["id"]: item["etag"] for item in self._read({})[0] if item["status"] != "cancelled"}

    def _read(self, cursor: Json) -> tuple[list[Json], str]:
        items: list[Json] = []
        page: Json = {}
        while "nextSyncToken" not in page:
            more = {"pageToken": page["nextPageToken"]} if page else {}
            wanted: Json = {"showDeleted": True, "maxResults": 5, **cursor, **more}
            page = self._google.call(self._owner, "events.list", calendarId="primary", **wanted)
            items += page["items"]
        return items, page["nextSyncToken"]


def step(google: GoogleSandbox, chance: random.Random) -> None:
    """Somebody does something, allowed or not."""
    who = chance.choice(PEOPLE)
    hour = chance.randint(8, 18)
    times = {
        "start": {"dateTime": f"2026-01-{chance.randint(6, 9):02d}T{hour:02d}:00:00", "timeZone": "Europe/Paris"},
        "end": {"dateTime": f"2026-01-09T{hour + 1:02d}:00:00", "timeZone": "Europe/Paris"},
    }
    invited = {"attendees": [{"email": address} for address in chance.sample(PEOPLE, chance.randint(0, 3))]}
    rule = {"recurrence": ["RRULE:FREQ=WEEKLY;COUNT=5"]} if chance.random() < 0.5 else {}
    listed = google.call(who, "events.list", calendarId="primary", maxResults=50)["items"]
    if not listed or chance.random() < 0.25:
        google.call(who, "events.insert", {"summary": "New", **times, **invited, **rule}, calendarId="primary")
        return
    event = chance.choice(listed)
    where = {"calendarId": "primary", "eventId": event["id"]}
    if event.get("recurrence") and chance.random() < 0.6:
        found = google.call(who, "events.instances", **where).get("items", [])
        where["eventId"] = chance.choice(found)["id"] if found else event["id"]
    change = chance.choice(
        [
            {"summary": str(chance.random())},
            times,
            invited,
            {"recurrence": None},
            rule,
            {"status": "cancelled"},
            None,
            {"attendeesOmitted": True, "attendees": [{"email": who, "responseStatus": "accepted"}]},
        ]
    )
    if change is None:
        google.call(who, "events.delete", **where)
    else:
        google.call(who, "events.patch", change, **where)


def content_of(entry: Entry) -> Json:
    own = ("recurringEventId", "updated", "created")
    return {name: value for name, value in guests.shared(entry.data).items() if name not in own}


def disagreeing(google: GoogleSandbox) -> list[str]:
    """Guests' live copies that do not say what the organizer's copy says."""
    wrong = []
    for home in google.store.calendars.values():
        for entry in google.store.live(home):
            if entry.data["organizer"]["email"] != home.id:
                continue
            for owner in PEOPLE:
                copy = google.store.calendars[owner].find(entry.uid, entry.key)
                if copy is not None and not copy.gone and content_of(copy) != content_of(entry):
                    wrong.append(f"{owner} {entry.id}")
    return wrong


@pytest.mark.parametrize("seed", range(12))
def test_following_the_cursor_is_as_good_as_listing_everything(seed: int) -> None:
    google = GoogleSandbox(seed=seed, clock=Clock(datetime(2026, 1, 5, tzinfo=UTC)))
    people(google)
    chance = random.Random(seed)
    mirrors = [Mirror(google, owner) for owner in PEOPLE]
    done = 0
    for _ in range(120):
        try:
            step(google, chance)
            done += 1
        except Problem as refused:
            if refused.code not in {400, 403, 404, 409, 410}:
                raise
        for mirror in chance.sample(mirrors, 1):
            mirror.sync()
    for mirror in mirrors:
        mirror.sync()
        assert mirror.events == mirror.whole()
    assert disagreeing(google) == []
    assert done > 60
    assert google.mails.rows == []
    assert google.api.violations == []
