"""Alice and bob, each with a Google account on a sandbox, synced as the pool would, with one clock for all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec

from sandbox.google import GoogleSandbox
from sandbox.google.sample import ALICE, BOB
from tandem.calendaring import event as canonical
from tandem.calendaring.event import Event
from tandem.calendaring.provider import Provider, ReconnectNeeded
from tandem.crm.models import Record
from tandem.mailboxes.models import Account, Calendar, Sender
from tandem.meetings import reading, verbs
from tandem.meetings.models import Intent, Meeting, Occurrence
from tandem.providers.google.quota import Quota
from tandem.sync.cycle import sync_calendar
from tandem.team.models import User
from tests.google_service import Json, Wire, provider_of, sandbox_at
from tests.mailbox import CHARLIE, NOW, person

Row = tuple[datetime, datetime, str]
"""An occurrence as both sides know it: start and end (UTC), title."""


@dataclass
class GoogleWorld:
    """`withdrawn` holds the addresses whose access Google has taken away; `then` of a `wires` entry strikes once."""

    sandbox: GoogleSandbox
    root: str
    alice: User
    bob: User
    charlie: Record
    page: int = 0
    tokens: dict[str, str] = field(default_factory=dict)
    withdrawn: set[str] = field(default_factory=set)
    wires: list[Wire] = field(default_factory=list)
    quotas: dict[str, Quota] = field(default_factory=dict)
    after_write: list[Any] = field(default_factory=list)

    # The clock

    @property
    def now(self) -> datetime:
        return self.sandbox.clock.now()

    def clock(self) -> datetime:
        return self.now

    def forward(self, **passed: float) -> None:
        self.sandbox.clock.advance(**passed)

    # Accounts

    def connect(self, user: User) -> Account:
        """The user's account with the calendars that discovery finds, those that can be written to read."""
        provider = self._provider(user.email)
        found = provider.discover()
        provider.close()
        account = Account.objects.create(
            owner=user,
            provider="google",
            name=user.email,
            url=self.root.removesuffix("/calendar/v3"),
            endpoint=self.root,
            username=user.email,
            secret="",
            subject_id=self.sandbox.store.users[user.email].subject,
            addresses_text=user.email,
            invitations_by=Sender.SERVER,
        )
        for remote in found.calendars:
            Calendar.objects.create(
                account=account,
                remote_id=remote.remote_id,
                name=remote.name,
                zone=remote.zone,
                organizer=remote.organizer,
                writable=remote.writable,
                is_read=remote.writable,
                is_target=remote.remote_id == user.email,
            )
        return account

    def calendar(self, user: User, remote_id: str = "") -> Calendar:
        return Calendar.objects.get(account__owner=user, remote_id=remote_id or user.email)

    def second(self, user: User) -> Calendar:
        """Another calendar that the user owns."""
        return Calendar.objects.exclude(remote_id=user.email).get(account__owner=user, writable=True)

    def provider(self, account: Account) -> Provider:
        return self._provider(account.username)

    def _provider(self, address: str) -> Provider:
        wire = Wire(self.page)
        if self.after_write:
            wire.then = self.after_write.pop()
        self.wires.append(wire)
        quota = self.quotas.setdefault(address, Quota())
        return provider_of(address, lambda stale: self._token(address, stale), self.root, now=self.clock, wire=wire,
                           quota=quota)  # fmt: skip

    def _token(self, address: str, stale: str) -> str:
        """As the account's tokens are kept: another one for one that was refused, none once access is withdrawn."""
        if address in self.withdrawn:
            raise ReconnectNeeded("Google no longer lets Tandem in. Connect this account again.")
        if stale or address not in self.tokens:
            self.tokens[address] = self.sandbox.token(address)
        return self.tokens[address]

    def withdraw(self, user: User) -> None:
        """The user takes Tandem's access away on Google's page."""
        self.sandbox.oauth.expire_access(user.email)
        self.sandbox._inside.clear()
        self.withdrawn.add(user.email)

    # Looking and doing

    def sync(self, user: User, remote_id: str = "") -> Calendar:
        calendar = self.calendar(user, remote_id)
        assert sync_calendar(calendar.id, clock=self.clock, by=self.provider)
        calendar.refresh_from_db()
        return calendar

    def sync_all(self, rounds: int = 1) -> None:
        for _ in range(rounds):
            for calendar in Calendar.objects.filter(is_read=True).order_by("id"):
                assert sync_calendar(calendar.id, clock=self.clock, by=self.provider)

    def settle(self) -> None:
        """Look again, hour by hour, until nothing waits for another try, and once more."""
        for _ in range(6):
            waiting = Intent.objects.filter(state=Intent.State.OPEN).exists()
            self.sync_all()
            self.forward(hours=1)
            if not waiting:
                return

    def act(self, user: User, method: str, body: Json | None = None, **parameters: Any) -> Json:
        """What the user does on their own phone."""
        parameters = {"calendarId": "primary", **parameters}
        return self.sandbox.call(user.email, method, body, **parameters)

    def insert(self, user: User, tell: str = "none", **fields: Any) -> str:
        """The user makes an event on their phone, on 24 November from 10 to 11 in Paris; its id."""
        body = {"summary": "Walkthrough", **hours("2026-11-24T10:00:00"), **fields}
        body["attendees"] = [{"email": address} for address in fields.get("attendees", (CHARLIE,))]
        calendar = body.pop("calendarId", "primary")
        return str(self.act(user, "events.insert", body, calendarId=calendar, sendUpdates=tell)["id"])

    def live(self, user: User, remote_id: str = "") -> list[Json]:
        """The events of a calendar as the sandbox holds them now."""
        calendar = self.sandbox.store.calendars[remote_id or user.email]
        return [entry.data | {"id": entry.id} for entry in self.sandbox.store.live(calendar)]

    def mails(self) -> list[tuple[str, str]]:
        return [(mail.kind, mail.to) for mail in self.sandbox.mails.rows]

    def rows(self, user: User | None = None) -> list[reading.EventRow]:
        return reading.section(self.charlie, user or self.alice, self.now).upcoming

    def titles(self, user: User | None = None) -> list[str]:
        return [row.title for row in self.rows(user)]

    def detail(self, row: reading.EventRow, user: User | None = None) -> reading.Detail:
        return reading.detail(row.meeting_id, row.original_start, user or self.alice, self.now)

    def change(self, nth: int = 0, *, tell: bool = True, scope: verbs.Scope = "this", **values: Any) -> Intent:
        """Alice edits the meeting of the `nth` row of charlie's page, as she sees it."""
        row = self.rows()[nth]
        seen = self.detail(row)
        becomes = msgspec.structs.replace(seen.event, **values)
        intent = verbs.change(
            self.alice, seen.meeting, row.original_start, seen.event, becomes, tell=tell, now=self.now, scope=scope
        )
        assert intent is not None
        return intent

    def cancel(self, nth: int = 0, *, tell: bool = True, scope: verbs.Scope = "this") -> Intent:
        row = self.rows()[nth]
        return verbs.cancel(
            self.alice, self.detail(row).meeting, row.original_start, tell=tell, now=self.now, scope=scope
        )

    def schedule(self, event: Event, *, tell: bool = True, user: User | None = None) -> Meeting:
        author = user or self.alice
        return verbs.schedule(author, self.calendar(author), event, tell=tell, record=self.charlie, now=self.now)

    # Oracles

    def at_google(self, user: User, event_id: str, remote_id: str = "primary") -> list[Row]:
        """The occurrences of a series by Google's own count."""
        found: list[Json] = []
        token: Json = {}
        while True:
            page = self.act(user, "events.instances", calendarId=remote_id, eventId=event_id, **token)
            found += page["items"]
            if "nextPageToken" not in page:
                break
            token = {"pageToken": page["nextPageToken"]}
        return sorted((_moment(each["start"]), _moment(each["end"]), each["summary"]) for each in found)

    def here(self, uid: str) -> list[Row]:
        """The occurrences that Tandem shows for a series."""
        rows = Occurrence.objects.filter(series__uid=uid, cancelled=False).exclude(meeting__state="cancelled")
        return sorted(
            (row.starts_at, row.ends_at, canonical.decode(row.meeting.shown).title)
            for row in rows.select_related("meeting")
        )


@contextmanager
def google_world(alice: User, bob: User, now: datetime = NOW) -> Iterator[GoogleWorld]:
    """Connected and empty. In the end everything is delivered, and another look writes nothing."""
    with sandbox_at(now) as (sandbox, root):
        sandbox.quotas.per_user = None
        world = GoogleWorld(sandbox, root, alice, bob, person(alice, "Charlie Baker", CHARLIE))
        for user, address in ((alice, ALICE), (bob, BOB)):
            assert user.email == address
            world.connect(user)
        yield world
        sandbox.faults.clear()
        world.settle()
        settled = len(sandbox.log.writes())
        world.sync_all()
        assert len(sandbox.log.writes()) == settled, "a look without changes wrote something"


def hours(start: str, length: float = 1, zone: str = "Europe/Paris") -> Json:
    """`start` and `end` of an event, wall time in `zone`."""
    begins = datetime.fromisoformat(start)
    ends = begins + timedelta(hours=length)
    return {
        "start": {"dateTime": begins.isoformat(), "timeZone": zone},
        "end": {"dateTime": ends.isoformat(), "timeZone": zone},
    }


def _moment(value: Json) -> datetime:
    return datetime.fromisoformat(value["dateTime"])
