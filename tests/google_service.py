"""Google Calendar as the other side of tests: the sandbox over HTTP, or a real account by the API alone.

`GoogleService` keeps what another program stores by calls of the API, whoever answers them; `SandboxService` has the
sandbox's own doors for what the API can't do on purpose, `LiveService` only what a real account offers.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, cached_property
from typing import Any
from urllib.parse import quote

import httpx2
import msgspec
import pytest

from sandbox.google import GoogleSandbox
from sandbox.google.clock import Clock
from sandbox.google.problems import Problem
from sandbox.google.sample import ALICE, BOB, people
from sandbox.google.validate import installed
from tandem.calendaring import ics
from tandem.calendaring.event import Event, Organizer
from tandem.calendaring.provider import Credentials
from tandem.providers.google import GoogleProvider
from tandem.providers.google.quota import Quota

Json = dict[str, Any]
Call = Callable[..., Json]
"""`call("events.patch", body, etag=…, calendarId=…, eventId=…)`; raises `Problem`."""

TOKEN = "TANDEM_LIVE_GOOGLE"
SITE = "TANDEM_GOOGLE_SITE"
ZONE = "Europe/Berlin"
_WRITES = frozenset({"POST", "PATCH", "PUT", "DELETE"})
_HOLIDAYS = "en.uk#holiday@group.v.calendar.google.com"
_numbers = itertools.count(1)


@cache
def _trusted() -> ssl.SSLContext:
    """Made once: it reads every certificate of this machine."""
    return ssl.create_default_context()


class Wire(httpx2.BaseTransport):
    """The provider's connection: it keeps what goes out, and interferes with what comes back.

    With `page` every list is asked for so many at most, in the place of the provider's own number.
    """

    def __init__(self, page: int = 0) -> None:
        self._inner = httpx2.HTTPTransport(verify=_trusted(), trust_env=False)
        self._page = page
        self.sent: list[httpx2.Request] = []
        self.created = False
        self.losing = False
        self.forgetting = False
        self.then: Callable[[], object] | None = None

    @property
    def writes(self) -> int:
        return sum(request.method in _WRITES for request in self.sent)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if self._page and "maxResults" in request.url.params:
            request.url = request.url.copy_set_param("maxResults", self._page)
        self.sent.append(request)
        if self.forgetting and "syncToken" in request.url.params:
            self.forgetting = False
            gone = {"errors": [{"domain": "calendar", "reason": "fullSyncRequired", "message": "Gone"}], "code": 410}
            return httpx2.Response(410, json={"error": gone}, request=request)
        response = self._inner.handle_request(request)
        if request.method in _WRITES:
            self.created |= request.method == "POST"
            self._after(response)
        return response

    def _after(self, response: httpx2.Response) -> None:
        then, self.then = self.then, None
        losing, self.losing = self.losing, False
        if then or losing:
            response.read()
        if then:
            then()
        if losing:
            raise httpx2.ReadError("The answer is lost.")

    def close(self) -> None:
        self._inner.close()


class GoogleService:
    """A `Service` of the contract suite in `calendar`, another program's part played by `call`."""

    tells_totals = fills_pages = keeps_cursors = reads_back = False

    def __init__(self, call: Call, calendar: str, organizer: Organizer) -> None:
        self.call = call
        self.calendar = calendar
        self.organizer = organizer
        self.wire = Wire(page=20)
        self._salt = next(_numbers)

    def remote_id(self, name: str) -> str:
        """Hexadecimal digits are letters of base32hex; with what makes it this test's alone."""
        return hashlib.sha256(f"{os.getpid()} {self._salt} {name}".encode()).hexdigest()[:40]

    def put(self, name: str, raw: str) -> str:
        remote_id = self.remote_id(name)
        for event in ics.read(raw, default_zone="UTC"):
            if not event.recurrence_id:
                self._put_event(remote_id, resource_of(event))
            elif self.get(remote_id) is None:
                return self.put_alone(remote_id, event)
            else:
                instance = f"{remote_id}_{event.recurrence_id}"
                self.call("events.patch", resource_of(event), **self._at(instance), sendUpdates="none")
        return remote_id

    def put_alone(self, series: str, event: Event) -> str:
        """One occurrence of a series that is not here: the owner is a guest of no other."""
        raise NotImplementedError

    def put_unreadable(self, name: str) -> str:
        raise NotImplementedError

    def get(self, remote_id: str) -> str | None:
        try:
            found = self.resource(remote_id)
        except Problem as problem:
            if problem.code != 404:
                raise
            return None
        return json.dumps(found, sort_keys=True) if found["status"] != "cancelled" else None

    def resource(self, remote_id: str) -> Json:
        """The event as Google shows it, all fields."""
        return self.call("events.get", **self._at(remote_id))

    def delete(self, remote_id: str) -> None:
        self.call("events.delete", **self._at(remote_id), sendUpdates="none")

    def as_created(self, event: Event, remote_id: str) -> Event:
        """Google's own UID, and the calendar as organizer, of whom only a meeting with guests speaks."""
        organizer = self.organizer if event.guests else None
        return msgspec.structs.replace(event, uid=f"{remote_id}@google.com", organizer=organizer)

    def forget_cursors(self) -> None:
        self.wire.forgetting = True

    def lose_next_answer(self) -> None:
        self.wire.losing = True

    def write_after_next_write(self, name: str, raw: str) -> None:
        self.wire.then = lambda: self.put(name, raw)

    @property
    def requests(self) -> int:
        return len(self.wire.sent)

    @property
    def writes(self) -> int:
        return self.wire.writes

    def close(self) -> None:
        self.provider.close()

    def _connect(self, address: str, token: str, root: str, now: Callable[[], datetime]) -> None:
        self.secret = token
        self.provider = provider_of(address, lambda stale: token, root, now=now, wire=self.wire, chunk=20)

    def _at(self, event_id: str) -> Json:
        return {"calendarId": self.calendar, "eventId": event_id}

    def _put_event(self, remote_id: str, body: Json) -> None:
        try:
            self.call("events.insert", body | {"id": remote_id}, calendarId=self.calendar, sendUpdates="none")
        except Problem as problem:
            if problem.code != 409:
                raise
            self.call("events.update", body, **self._at(remote_id), sendUpdates="none")


class SandboxService(GoogleService):
    """On alice's own calendar of a sandbox; the sandbox's faults, its log, and its door for what no API call makes."""

    def __init__(self, sandbox: GoogleSandbox, root: str) -> None:
        self.sandbox = sandbox
        shared = sandbox.store.add_calendar(sandbox.store.users[BOB], "Bob's team", ZONE)
        sandbox.store.share(shared, sandbox.store.users[ALICE], "reader")
        sandbox.plant(shared.id, {"summary": "Theirs", **timed("2026-12-03T10:00:00")})
        super().__init__(self._inside, ALICE, Organizer(ALICE))
        self.readonly = shared.id
        self._connect(ALICE, sandbox.token(ALICE), root, sandbox.clock.now)

    def put_alone(self, series: str, event: Event) -> str:
        instance = f"{series}_{event.recurrence_id}"
        original = datetime.strptime(event.recurrence_id, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        place = {"recurringEventId": series, "originalStartTime": {"dateTime": original.isoformat(), "timeZone": ZONE}}
        self.sandbox.plant(self.calendar, resource_of(event) | place | {"id": instance, "iCalUID": f"{series}@x"})
        return instance

    def put_unreadable(self, name: str) -> str:
        start, end = ({"dateTime": f"2026-12-01T{hour}:00:00+01:00", "timeZone": "Mars/Olympus"} for hour in (10, 11))
        body = {"summary": "Bad", "start": start, "end": end, "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=3"]}
        return self.sandbox.plant(self.calendar, body | {"id": self.remote_id(name)}).id

    def forget_cursors(self) -> None:
        self.sandbox.expire_sync_tokens(self.calendar)

    def lose_next_answer(self) -> None:
        for method in ("insert", "patch", "delete"):
            self.sandbox.faults.add("lost after", f"events.{method}")

    @property
    def requests(self) -> int:
        return len(self.sandbox.log.outside())

    @property
    def writes(self) -> int:
        return len(self.sandbox.log.writes())

    def _inside(self, method: str, body: Json | None = None, **parameters: Any) -> Json:
        return self.sandbox.call(ALICE, method, body, **parameters)


@dataclass
class LiveAccount:
    """A real Google account, or a sandbox that is treated like one: an access token and the API, nothing else.

    It works in calendars that it makes and deletes. A calendar is used for many tests, each with ids of its own,
    until the provider creates something there: its ids come from UIDs, and Google keeps each for ever.
    """

    token: str = field(repr=False)
    site: str = ""
    client: httpx2.Client = field(default_factory=lambda: httpx2.Client(timeout=60, trust_env=False))
    made: list[str] = field(default_factory=list)
    spent: bool = True

    @property
    def root(self) -> str:
        return f"{self.site or 'https://www.googleapis.com'}/calendar/v3"

    def service(self) -> LiveService:
        """A service in an empty calendar."""
        if self.spent:
            body = {"summary": "Tandem's contract", "timeZone": ZONE}
            self.made.append(self.call("calendars.insert", body)["id"])
        self._empty(self.made[-1])
        service = LiveService(self, self.made[-1])
        self.spent = False
        return service

    def close(self) -> None:
        for calendar in self.made:
            self.call("calendars.delete", calendarId=calendar)
        self.client.close()

    def call(self, method: str, body: Json | None = None, *, etag: str = "", **parameters: Any) -> Json:
        resource, _, name = method.partition(".")
        found = installed().document["resources"][resource]["methods"][name]
        path, query = str(found["path"]), {}
        for key, value in parameters.items():
            if f"{{{key}}}" in path:
                path = path.replace(f"{{{key}}}", quote(str(value), safe="@"))
            else:
                query[key] = str(value).lower() if isinstance(value, bool) else str(value)
        headers = {"Authorization": f"Bearer {self.token}"} | ({"If-Match": etag} if etag else {})
        answer = self.client.request(
            found["httpMethod"], f"{self.root}/{path}", params=query, headers=headers, json=body
        )
        if answer.is_success:
            return dict(answer.json()) if answer.content else {}
        error = answer.json()["error"]
        raise Problem(answer.status_code, error.get("errors", [{}])[0].get("reason", ""), error["message"])

    def _empty(self, calendar: str) -> None:
        for event in self._events(calendar):
            if not event.get("recurringEventId"):
                self.call("events.delete", calendarId=calendar, eventId=event["id"], sendUpdates="none")

    def _events(self, calendar: str) -> list[Json]:
        found: list[Json] = []
        token: Json = {}
        while True:
            page = self.call("events.list", calendarId=calendar, **token)
            found += page.get("items", ())
            if "nextPageToken" not in page:
                return found
            token = {"pageToken": page["nextPageToken"]}

    @cached_property
    def readonly(self) -> str:
        """A calendar of somebody else's that may only be read and is not empty; public holidays if need be."""
        for row in self.call("calendarList.list")["items"]:
            if row["accessRole"] == "reader" and self._events(row["id"]):
                return str(row["id"])
        try:
            return str(self.call("calendarList.insert", {"id": _HOLIDAYS})["id"])
        except Problem:
            pytest.skip("This account has no calendar of somebody else's that it may only read.")


class LiveService(GoogleService):
    """In a calendar of its own of a live account."""

    def __init__(self, account: LiveAccount, calendar: str) -> None:
        self.account = account
        super().__init__(account.call, calendar, Organizer(calendar, "Tandem's contract"))
        self._connect("live", account.token, account.root, lambda: datetime.now(UTC))

    @property
    def readonly(self) -> str:
        return self.account.readonly

    def put_alone(self, series: str, event: Event) -> str:
        pytest.skip("Only an invitation to one occurrence brings one without its series; the sandbox shows it.")

    def put_unreadable(self, name: str) -> str:
        pytest.skip("Google lets no program store what can't be read; the sandbox shows it.")

    def close(self) -> None:
        self.account.spent |= self.wire.created
        super().close()


def provider_of(
    address: str,
    bearer: Callable[[str], str],
    root: str,
    *,
    now: Callable[[], datetime],
    wire: httpx2.BaseTransport | None = None,
    quota: Quota | None = None,
    chunk: int = 400,
) -> GoogleProvider:
    """A provider that waits for nothing, with a quota of its own: the clocks of tests stand still."""
    credentials = Credentials(root.removesuffix("/calendar/v3"), address, "", bearer)
    made = GoogleProvider(
        credentials, endpoint=root, transport=wire, now=now, default_zone=ZONE, chunk=chunk, pause=lambda _seconds: None
    )
    made._client._quota = quota or Quota()
    return made


@contextmanager
def sandbox_at(now: datetime) -> Iterator[tuple[GoogleSandbox, str]]:
    """A sandbox with alice, bob and charlie on a port of this machine, and the root of its API.

    In the end no request and no answer may have been one that the discovery document does not allow.
    """
    sandbox = GoogleSandbox(clock=Clock(now))
    people(sandbox)
    sandbox.behaviour.require_send_updates = True
    with sandbox.serve(0) as address:
        yield sandbox, f"{address}/calendar/v3"
    assert sandbox.api.violations == []
    assert [(row.method, row.reason, row.query) for row in sandbox.log.outside() if row.status == 400] == []


def resource_of(event: Event) -> Json:
    """An event as another program hands it to Google. The organizer is the calendar, whatever `event` says."""
    body: Json = {
        "summary": event.title,
        "location": event.location,
        "description": event.description,
        "status": event.status,
        "visibility": event.visibility,
        "transparency": "transparent" if event.free else "opaque",
        "recurrence": list(event.recurrence),
        "attendees": [
            {
                "email": guest.address,
                "displayName": guest.name,
                "responseStatus": "needsAction" if guest.response == "needs-action" else guest.response,
                "optional": guest.optional,
            }
            for guest in event.guests
        ],
    }
    assert event.when is not None
    for name, text in (("start", event.when.start), ("end", event.when.end)):
        body[name] = {"date": text} if event.when.all_day else {"dateTime": text, "timeZone": event.when.zone}
    if event.recurrence_id:
        del body["recurrence"]
    return body


def timed(start: str, hours: int = 1, zone: str = ZONE) -> Json:
    """`start` and `end` of an event, wall time in `zone`."""
    begins = datetime.fromisoformat(start)
    ends = begins.replace(hour=begins.hour + hours)
    return {
        "start": {"dateTime": begins.isoformat(), "timeZone": zone},
        "end": {"dateTime": ends.isoformat(), "timeZone": zone},
    }
