"""Two users, their calendars on servers in memory, a clock, and traps that crash or delay a process."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from django.db import connection

from tandem.calendaring import ics
from tandem.calendaring import provider as providers
from tandem.calendaring.event import Event
from tandem.crm.models import Record
from tandem.mailboxes import models as mailboxes
from tandem.mailboxes.lease import LeaseLost
from tandem.mailboxes.models import Account, AccountState, Calendar, Sender
from tandem.meetings.models import Intent
from tandem.meetings.wishes import changes_of
from tandem.providers.memory import MemoryProvider, MemoryServer, Request
from tandem.sync import due
from tandem.sync.accounts import let_go_on
from tandem.sync.cycle import sync_calendar
from tandem.team.models import Company, User
from tests.mailbox import CHARLIE, NOW, account_of, calendar_in, person

DORA = "dora@outside.example"
OUTSIDERS = (CHARLIE, DORA, "erik@outside.example")


class Crash(Exception):
    """The process died here."""


class Violation(AssertionError):
    """An invariant does not hold."""


Remote = dict[str, Event]
"""What stands under one remote id: its events by recurrence id. Empty when it is gone."""


@dataclass(frozen=True)
class Version:
    """What stood under a remote id from then on."""

    at: datetime
    calendar: str
    remote_id: str
    events: Remote


class Side(Protocol):
    """The other side, as the invariants see it."""

    history: list[Version]
    password_refused: set[str]

    @property
    def writes(self) -> list[Request]: ...
    def held(self, calendar: str) -> dict[str, Remote]:
        """What the calendar holds now, by remote id."""

    def doubled(self, creates: Iterable[Event]) -> list[str]:
        """A sentence for each event that somebody's one create made more than once."""

    def unasked_mails(self, told: set[str]) -> list[str]:
        """A sentence for each mail about another event than those with a remote id in `told`."""

    def end_faults(self) -> None: ...


def events_of(raw: str) -> Remote:
    return {event.recurrence_id: event for event in ics.read(raw, default_zone="UTC")}


class Server(MemoryServer):
    """Keeps every version that ever stood there."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        super().__init__(changes_page=3)
        self.moved_uids: set[str] = set()
        self.history: list[Version] = []
        self.peek = clock

    def put(self, calendar: str, remote_id: str, raw: str) -> str:
        etag = super().put(calendar, remote_id, raw)
        self.history.append(Version(self.peek(), calendar, remote_id, events_of(raw)))
        return etag

    def delete(self, calendar: str, remote_id: str) -> None:
        super().delete(calendar, remote_id)
        self.history.append(Version(self.peek(), calendar, remote_id, {}))

    def held(self, calendar: str) -> dict[str, Remote]:
        return {name: events_of(stored.raw) for name, stored in self.calendars[calendar].items.items()}

    def doubled(self, creates: Iterable[Event]) -> list[str]:
        uids = {event.uid for event in creates}
        count: Counter[str] = Counter()
        for calendar in self.calendars:
            for remote in self.held(calendar).values():
                count.update({event.uid for event in remote.values()} & uids)
        several = {uid: times for uid, times in count.items() if times > 1 and uid not in self.moved_uids}
        return [f"{times} events for the one create of {uid}" for uid, times in several.items()]

    def unasked_mails(self, told: set[str]) -> list[str]:
        return [
            f"{request} could mail" for request in self.writes if not request.silent and request.remote_id not in told
        ]

    def end_faults(self) -> None:
        self.faults.clear()
        self.password_refused.clear()


class Provider(MemoryProvider):
    """Every request may be a process's last, or outlive its lease. None is made inside a transaction."""

    def __init__(self, world: World, owner: str) -> None:
        super().__init__(world.server, owner, now=world.peek)
        self._world = world

    def _asked(self, request: Request):  # type: ignore[no-untyped-def]
        if connection.in_atomic_block:
            raise Violation(f"{request.method} inside a transaction")
        self._world.spring("request", request.calendar)
        return super()._asked(request)


class World:
    """One run. `chance` decides everything, so that a seed replays."""

    server: Any
    """A `Side`; steps of other programs know more of it."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        random.seed(seed)  # jitter inside sync
        self.now = NOW
        self.company = Company.objects.create(id=1, name="Northwind", time_zone="Europe/Berlin")
        names = (("alice", "Alice Moreau"), ("bob", "Bob Lindqvist"))
        self.users = [User.objects.create_user(f"{key}@northwind.example", name) for key, name in names]
        self.make_server()
        self.records: dict[str, Record] = {}
        self.calendars: list[Calendar] = []
        for number, user in enumerate(self.users):
            self.connect(user, "work", *(["home"] if self.chance.random() < 0.5 else []), number=number)
        for address in OUTSIDERS[:2]:
            self.records[address] = person(self.users[0], address.partition("@")[0].title(), address)
        self.trap: tuple[str, int] | None = None
        self.log: list[str] = []
        self.counter = 0
        self.wanted: dict[UUID, dict[str, object]] = {}
        self.taken_back: set[UUID] = set()
        self.told: set[UUID] = set()
        self.places: dict[UUID, set[str]] = defaultdict(set)

    def make_server(self) -> None:
        self.server = Server(self.peek)
        self.server.after_write = lambda request: self.spring("after", request.calendar)

    def connect(self, user: User, first: str, *others: str, number: int) -> None:
        account = account_of(user)
        made = [account.calendars.get(), *(calendar_in(account, name) for name in others)]
        for name, calendar in zip((first, *others), made, strict=True):
            calendar.remote_id = self.server.make_calendar(user.email, name)
            calendar.save()
        self.server.addresses[user.email] = (user.email,)
        self.calendars += made
        if number == 1:
            Account.objects.filter(owner=user).update(invitations_by=Sender.SERVER)

    # Time and traps

    def peek(self) -> datetime:
        return self.now

    def clock(self) -> datetime:
        self.spring("clock", "")
        return self.now

    def spring(self, where: str, calendar: str) -> None:
        """The n-th thing that this process does is its last, or it falls asleep there."""
        if self.trap is None:
            return
        kind, left = self.trap
        if left > 0:
            self.trap = (kind, left - 1)
            return
        if kind == "sleep" and (connection.in_atomic_block or not calendar):
            return
        self.trap = None
        if kind == "crash":
            raise Crash(where)
        self.now += timedelta(minutes=10)
        for row in Calendar.objects.filter(remote_id=calendar):
            self.sync(row, note="another worker")

    def fresh(self, prefix: str) -> str:
        self.counter += 1
        return f"{prefix}-{self.counter:04}."

    def note(self, text: str) -> None:
        self.log.append(f"{self.now:%d %H:%M:%S} {text}")

    # The application's processes

    def provider(self, account: Account) -> providers.Provider:
        return Provider(self, account.owner.email)

    def sync(self, calendar: Calendar, note: str = "") -> None:
        self.note(f"sync {calendar.remote_id} {note} {self.trap or ''}")
        try:
            sync_calendar(calendar.id, clock=self.clock, by=self.provider)
        except Crash as crash:
            self.note(f"  crashed at {crash}")
            if self.chance.random() < 0.5:
                # A process that is killed gives no lease back.
                until = self.now + timedelta(seconds=90)
                mailboxes.Lease.objects.filter(name=f"calendar:{calendar.id}").update(token="dead", expires_at=until)
        except LeaseLost:
            self.note("  lost its lease")
        finally:
            if note != "another worker":
                self.trap = None

    def remember(self) -> None:
        """Note what people wanted, when they first wanted it."""
        for intent in Intent.objects.all():
            if intent.id not in self.wanted:
                self.note(f"  intent {intent.verb} {intent.remote_id}#{intent.recurrence_id} {intent.changes}")
                self.wanted[intent.id] = {name: becomes for name, (_, becomes) in changes_of(intent).items()}
            if intent.tell:
                self.told.add(intent.id)
            self.places[intent.id].add(intent.remote_id)

    def settle(self, rounds: int = 8) -> None:
        """Faults end, passwords come back, people let brakes go, time moves on."""
        self.server.end_faults()
        self.trap = None
        for _ in range(rounds):
            self.now += timedelta(hours=1)
            self.note("round")
            for calendar in Calendar.objects.order_by("remote_id"):
                if calendar.held:
                    let_go_on(calendar)
                if calendar.account.state == AccountState.RECONNECT:
                    due.request([calendar.id])
                self.sync(calendar)
                self.remember()
