"""The other side is Google: the strict stand-in, in this very thread, on the run's clock."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import httpx2
from django.db import connection

from sandbox.google import rendering
from sandbox.google.clock import Clock
from sandbox.google.http import Request as Asked
from sandbox.google.log import Row
from sandbox.google.problems import AnswerLost, Json
from sandbox.google.sandbox import GoogleSandbox
from tandem.calendaring import provider as providers
from tandem.calendaring.event import Event
from tandem.calendaring.provider import Credentials, ReconnectNeeded
from tandem.mailboxes.models import Account, Sender
from tandem.providers.google import GoogleProvider
from tandem.providers.google.decode import item_of
from tandem.providers.google.quota import Quota
from tandem.providers.google.resources import Group, Part
from tandem.providers.memory import Request
from tandem.team.models import User
from tests.mailbox import account_of, calendar_in
from tests.simulation.world import Remote, Version, Violation, World

SITE = "http://google.example"
ZONE = "Europe/Berlin"
_METHODS = {"events.insert": "create", "events.patch": "update", "events.delete": "delete"}
_CALENDAR = re.compile(r"/calendars/([^/]+)/")


class WorldClock(Clock):
    def __init__(self, peek: Callable[[], datetime]) -> None:
        super().__init__()
        self._peek = peek

    def now(self) -> datetime:
        return self._peek().astimezone(UTC)


class GoogleServer:
    """The stand-in, and every version that a calendar ever held."""

    def __init__(self, seed: int, peek: Callable[[], datetime]) -> None:
        self.sandbox = GoogleSandbox(seed=seed, clock=WorldClock(peek))
        self.sandbox.behaviour.require_send_updates = True
        self.sandbox.quotas.per_user = None
        self.peek = peek
        self.history: list[Version] = []
        self.password_refused: set[str] = set()
        self.doubles: dict[str, str] = {}
        self._seen: dict[str, dict[str, Remote]] = {}

    def call(self, user: str, method: str, body: Json | None = None, **parameters: Any) -> Json:
        """As the user's own phone. Raises `Problem`."""
        try:
            return self.sandbox.call(user, method, body, **parameters)
        finally:
            self.look()

    def look(self) -> None:
        """Note what changed since the last look."""
        for calendar in self.sandbox.store.calendars:
            now, before = self.held(calendar), self._seen.get(calendar, {})
            for name in now.keys() | before.keys():
                if now.get(name) != before.get(name):
                    self.history.append(Version(self.peek(), calendar, name, now.get(name, {})))
            self._seen[calendar] = now

    def held(self, calendar: str) -> dict[str, Remote]:
        found: dict[str, Remote] = {}
        home = self.sandbox.store.calendars[calendar]
        live = [entry for entry in home.entries.values() if not entry.parent and not entry.gone]
        for entry in live:
            exceptions = {each.id: self._part(calendar, each.id) for each in home.exceptions_of(entry.id)}
            item = item_of(Group(self._part(calendar, entry.id), exceptions), "UTC")
            found[entry.id] = {event.recurrence_id: event for event in item.events}
        names = {entry.id for entry in live}
        for entry in home.entries.values():
            if entry.parent and entry.parent not in names and not entry.gone:
                item = item_of(Group(None, {entry.id: self._part(calendar, entry.id)}), "UTC")
                found[entry.id] = {event.recurrence_id: event for event in item.events}
        return found

    def _part(self, calendar: str, name: str) -> Part:
        home = self.sandbox.store.calendars[calendar]
        entry = home.entries[name]
        look = rendering.Look("owner", home.zone, addresses=frozenset({home.owner}), details=True)
        text = json.dumps(rendering.event(self.sandbox.store, home, entry, look))
        return Part(name, entry.etag, text, "cancelled" if entry.gone else "confirmed", series=entry.parent)

    @property
    def writes(self) -> list[Request]:
        """Those that Google understood; what a fault refused at the door has not even a body.

        What an insert made under another id than ours is taken away at once: that is part of the create.
        """
        understood = [row for row in self.sandbox.log.writes() if row.body is not None or row.verb == "DELETE"]
        return [asked for asked in map(_request, understood) if asked.remote_id not in self.doubles]

    def note_double(self, asked: bytes, answered: bytes) -> None:
        made = json.loads(answered).get("id", "")
        wanted = json.loads(asked).get("id", made)
        if made != wanted:
            self.doubles[made] = wanted

    def doubled(self, creates: Iterable[Event]) -> list[str]:
        """Every title is given once, so two events with one title in one calendar are one event twice.

        But an occurrence that lost its place may have been brought back as an event of its own.
        """
        asked = Counter(event.title for event in creates)
        words = []
        for calendar, home in self.sandbox.store.calendars.items():
            live = [entry for entry in home.entries.values() if not entry.parent and not entry.gone]
            count = Counter(str(entry.data.get("summary")) for entry in live)
            for title, times in count.items():
                most = max(1, asked[title] + (0 if title.startswith("made") else 1))
                if times > most:
                    words.append(f"{times} events called {title} in {calendar}")
        return words

    def unasked_mails(self, told: set[str]) -> list[str]:
        outside = {row.number for row in self.sandbox.log.outside()}
        mails = [mail for mail in self.sandbox.mails.rows if mail.request in outside]
        return [f"{mail}" for mail in mails if self._series(mail.event) not in told]

    def _series(self, event: str) -> str:
        series = _series(event)
        return self.doubles.get(series, series)

    def end_faults(self) -> None:
        self.sandbox.faults.clear()
        self.password_refused.clear()


def _request(row: Row) -> Request:
    named = str((row.body or {}).get("id") or unquote(row.path.rpartition("/events/")[2]))
    silent = row.query.get("sendUpdates") == ["none"]
    return Request(_METHODS[row.method], row.user, "", _series(named), silent)


def _series(event: str) -> str:
    return re.sub(r"_\d{8}(T\d{6}Z)?$", "", event)


class _Transport(httpx2.BaseTransport):
    """Every request may be a process's last, or outlive its lease. None is made inside a transaction."""

    def __init__(self, world: GoogleWorld) -> None:
        self._world = world

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        world, server = self._world, self._world.server
        if connection.in_atomic_block:
            raise Violation(f"{request.method} {request.url.path} inside a transaction")
        found = _CALENDAR.search(request.url.raw_path.decode())
        calendar = unquote(found[1]) if found else ""
        world.spring("request", calendar)
        path, _, query = request.url.raw_path.decode().partition("?")
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            answer = server.sandbox.handle(Asked(request.method, path, query, headers, request.read()))
        except AnswerLost as lost:
            raise httpx2.ReadError("no answer") from lost
        finally:
            server.look()
        if request.method == "POST" and answer.status == 200:
            server.note_double(request.read(), answer.body)
        if request.method != "GET":
            world.spring("after", calendar)
        return httpx2.Response(answer.status, headers=answer.headers, content=answer.body)


class GoogleWorld(World):
    server: GoogleServer

    def make_server(self) -> None:
        self.server = GoogleServer(self.chance.randrange(10**6), self.peek)
        self.quota = Quota()
        for user in self.users:
            self.server.sandbox.store.add_user(user.email, user.name, ZONE)

    def connect(self, user: User, first: str, *others: str, number: int) -> None:
        account = account_of(user)
        Account.objects.filter(id=account.id).update(
            provider="google", invitations_by=Sender.SERVER, username=user.email
        )
        store = self.server.sandbox.store
        made = [account.calendars.get(), *(calendar_in(account, name) for name in others)]
        homes = [user.email, *(store.add_calendar(store.users[user.email], name, ZONE).id for name in others)]
        for calendar, home in zip(made, homes, strict=True):
            calendar.remote_id = calendar.organizer = home
            calendar.save()
        self.calendars += made

    def provider(self, account: Account) -> providers.Provider:
        email = account.owner.email

        def bearer(_stale: str) -> str:
            if email in self.server.password_refused:
                raise ReconnectNeeded("Google no longer lets Tandem in.")
            return self.server.sandbox.token(email)

        return GoogleProvider(
            Credentials(SITE, email, "", bearer),
            endpoint=f"{SITE}/calendar/v3",
            transport=_Transport(self),
            now=self.peek,
            pause=lambda _seconds: None,
            quota=self.quota,
        )
