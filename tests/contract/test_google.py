"""Google keeps the contract: on the sandbox with all its doors, and by the API alone, as on a real account."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.google.sample import ALICE, BOB
from tandem.calendaring.provider import Provider
from tests.contract.suite import NOW, SECOND, WEEKLY, ProviderContract, all_of, known, resource
from tests.google_service import SITE, TOKEN, GoogleService, LiveAccount, SandboxService, sandbox_at, timed

Json = dict[str, Any]
ROOT = Path(__file__).parents[2]


LATER = {"start": "2026-12-01T12:00:00", "end": "2026-12-01T13:00:00", "zone": "Europe/Berlin"}
FULL: Json = {
    "summary": "Planning",
    "description": "<b>Bring</b> numbers",
    "colorId": "5",
    "transparency": "transparent",
    "guestsCanInviteOthers": False,
    "guestsCanSeeOtherGuests": False,
    "source": {"title": "Ticket 7", "url": "https://tickets.example/7"},
    "attachments": [{"fileUrl": "https://drive.example/plan", "title": "Plan", "mimeType": "text/plain"}],
    "extendedProperties": {"private": {"other-program": "1"}, "shared": {"ticket": "7"}},
    "reminders": {"useDefault": False, "overrides": [{"method": "email", "minutes": 90}]},
    "attendees": [
        {
            "email": BOB,
            "displayName": "Bob",
            "responseStatus": "accepted",
            "comment": "Late",
            "additionalGuests": 2,
        },
        {"email": "charlie@halden.example", "responseStatus": "tentative", "optional": True},
    ],
    **timed("2026-12-01T10:00:00"),
}


class GoogleContract(ProviderContract):
    """The contract, and what survives beside a change: Google's resources have more than Tandem knows."""

    def full(self, service: GoogleService, **more: Any) -> str:
        body = FULL | more | {"id": service.remote_id("full")}
        at = {"calendarId": service.calendar, "sendUpdates": "none"}
        created = service.call("events.insert", body, **at, conferenceDataVersion=1, supportsAttachments=True)
        return str(created["id"])

    @pytest.mark.parametrize(
        ("edit", "touched"),
        [
            ({"title": "New"}, {"summary"}),
            ({"location": "Room 5"}, {"location"}),
            ({"description": "Other"}, {"description"}),
            ({"when": LATER}, {"start", "end"}),
            ({"visibility": "private"}, {"visibility"}),
            ({"reminders": [30]}, {"reminders"}),
            ({"guest:dora@halden.example": {"name": "Dora", "optional": False}}, {"attendees"}),
        ],
    )
    def test_all_that_is_not_named_survives_an_update(
        self, service: GoogleService, provider: Provider, edit: Json, touched: set[str]
    ):
        room = {"createRequest": {"requestId": "r1", "conferenceSolutionKey": {"type": "hangoutsMeet"}}}
        remote_id = self.full(service, conferenceData=room)
        before = service.resource(remote_id)
        provider.update(service.calendar, self.read(service, remote_id), {"": edit}, silent=True, now=NOW)
        after = service.resource(remote_id)
        differing = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
        assert touched <= differing <= touched | {"etag", "updated", "sequence"}
        assert before["conferenceData"] == after["conferenceData"]

    def test_what_guests_said_survives_a_change_of_the_list(self, service: GoogleService, provider: Provider):
        remote_id = self.full(service)
        before = {guest["email"]: guest for guest in service.resource(remote_id)["attendees"]}
        edit = {"guest:dora@halden.example": {"name": "Dora", "optional": True}, "guest:charlie@halden.example": None}
        provider.update(service.calendar, self.read(service, remote_id), {"": edit}, silent=True, now=NOW)
        after = {guest["email"]: guest for guest in service.resource(remote_id)["attendees"]}
        assert after.keys() == {BOB, "dora@halden.example"}
        assert after[BOB] == before[BOB]
        assert (after[BOB]["comment"], after[BOB]["additionalGuests"]) == ("Late", 2)

    def test_an_exception_keeps_what_its_series_gave_it(self, service: GoogleService, provider: Provider):
        remote_id = self.full(service, recurrence=["RRULE:FREQ=WEEKLY;COUNT=5"])
        base = self.read(service, remote_id)
        provider.update(service.calendar, base, {SECOND: {"title": "This one"}}, silent=True, now=NOW)
        found = service.resource(f"{remote_id}_{SECOND}")
        assert found["summary"] == "This one"
        kept = ("colorId", "attachments", "extendedProperties", "attendees", "source", "reminders", "description")
        assert {name: found[name] for name in kept} == {name: service.resource(remote_id)[name] for name in kept}

    def test_a_series_and_its_exceptions_are_one_object_whatever_page_they_are_on(
        self, service: GoogleService, provider: Provider
    ):
        names = {service.put(f"w{number}", resource(*WEEKLY, uid=f"w{number}")) for number in range(15)}
        for name in names:
            at = {"calendarId": service.calendar, "eventId": f"{name}_{SECOND}", "sendUpdates": "none"}
            service.call("events.patch", {"summary": "This one"}, **at)
        items, _ = self.listing(service)
        assert set(items) == names
        assert all([event.recurrence_id for event in item.events] == ["", SECOND] for item in items.values())

    def test_a_change_of_one_exception_brings_the_whole_series(self, service: GoogleService, provider: Provider):
        remote_id = service.put("weekly", resource(*WEEKLY))
        items, cursor = self.listing(service)
        at = {"calendarId": service.calendar, "sendUpdates": "none"}
        service.call("events.patch", {"summary": "This one"}, eventId=f"{remote_id}_{SECOND}", **at)
        service.call("events.delete", eventId=f"{remote_id}_20261215T090000Z", **at)
        changed, removed, _ = all_of(list(provider.changes(service.calendar, cursor, known(items))))
        assert removed == set()
        assert changed == {remote_id: self.read(service, remote_id)}
        master, override = changed[remote_id].events
        assert master.recurrence == ("RRULE:FREQ=WEEKLY;COUNT=5", "EXDATE:20261215T090000Z")
        assert override.title == "This one"

    def test_a_deleted_series_is_one_removal(self, service: GoogleService, provider: Provider):
        remote_id = service.put("weekly", resource(*WEEKLY))
        at = {"calendarId": service.calendar, "sendUpdates": "none"}
        service.call("events.patch", {"summary": "This one"}, eventId=f"{remote_id}_{SECOND}", **at)
        items, cursor = self.listing(service)
        service.delete(remote_id)
        changed, removed, _ = all_of(list(provider.changes(service.calendar, cursor, known(items))))
        assert (changed, removed) == ({}, {remote_id})


class TestSandbox(GoogleContract):
    @pytest.fixture
    def service(self) -> Iterator[SandboxService]:
        with sandbox_at(NOW) as (sandbox, root):
            service = SandboxService(sandbox, root)
            yield service
            service.close()
            assert sandbox.mails.rows == []

    def test_no_page_is_asked_for_twice(self, service: SandboxService, provider: Provider):
        """Short and empty pages are no end, and the token of each leads on once."""
        for number in range(60):
            service.sandbox.plant(service.calendar, {"summary": str(number), **timed("2026-12-01T10:00:00")})
        list(provider.changes(service.calendar, None, {}))
        asked = [row.query.get("pageToken", [""])[0] for row in service.sandbox.log.calls("events.list")]
        assert len(asked) > 3
        assert len(asked) == len(set(asked))


@pytest.fixture(scope="module")
def account() -> Iterator[LiveAccount]:
    if token := os.environ.get(TOKEN):
        account = LiveAccount(token, os.environ.get(SITE, "").rstrip("/"))
        yield account
        account.close()
        return
    with sandbox_at(NOW) as (sandbox, root):
        SandboxService(sandbox, root)
        sandbox.quotas.per_user = None
        account = LiveAccount(sandbox.token(ALICE), root.removesuffix("/calendar/v3"))
        yield account
        account.close()
        assert all(sandbox.store.calendars[made].deleted for made in account.made)
        assert sandbox.mails.rows == []


class TestByTheApiAlone(GoogleContract):
    """What a real account allows. `./test --live google` names one; without it a sandbox is the account."""

    @pytest.fixture
    def service(self, account: LiveAccount) -> Iterator[GoogleService]:
        service = account.service()
        yield service
        service.close()


def test_without_a_token_the_live_tests_say_what_to_do():
    surroundings = {name: value for name, value in os.environ.items() if name not in {TOKEN, SITE}}
    command = [sys.executable, "-m", "scripts.test", "--live", "google"]
    done = subprocess.run(command, cwd=ROOT, env=surroundings, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert TOKEN in done.stderr
    assert "https://www.googleapis.com/auth/calendar," in done.stderr
