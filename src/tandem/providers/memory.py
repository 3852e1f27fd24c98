"""A calendar server in memory, and the provider that speaks to it: for simulations and tests.

It keeps raw iCalendar as a real server does, so every edit goes through `ics.edit`. It has ETags, sync
tokens that can be made to expire, faults on demand, and a log of every request.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote

from tandem.calendaring import ics
from tandem.calendaring.event import Event
from tandem.calendaring.provider import (
    AnswerLost,
    Changed,
    CursorExpired,
    Discovery,
    Edit,
    Known,
    NotFound,
    Page,
    ProviderError,
    ReconnectNeeded,
    Refused,
    RemoteCalendar,
    RemoteItem,
    TryLater,
    Written,
)
from tandem.calendaring.series import BadRecurrence, occurrences
from tandem.providers.items import understood

WRITES = frozenset({"create", "update", "delete"})


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived. `silent` is None for reads; `outcome` is `ok` or the error's name."""

    method: str
    owner: str
    calendar: str = ""
    remote_id: str = ""
    silent: bool | None = None
    guests: bool = False
    outcome: str = "ok"


@dataclass(slots=True)
class Stored:
    """One resource: raw text, version number, and the server's time (its change number) of that version."""

    raw: str
    version: int

    @property
    def etag(self) -> str:
        return f'"{self.version}"'


@dataclass(slots=True)
class MemoryCalendar:
    """A calendar of `owner`. `log` names each changed resource with its change number, oldest first."""

    remote_id: str
    owner: str
    name: str
    writable: bool = True
    items: dict[str, Stored] = field(default_factory=dict)
    log: list[tuple[int, str]] = field(default_factory=list)
    oldest_token: int = 0


@dataclass(slots=True)
class Fault:
    """What goes wrong with the next request called `method` (`*`: any), `times` times.

    `after` True: the server has done what was asked before `error` is raised.
    """

    error: ProviderError
    method: str = "*"
    after: bool = False
    times: int = 1


class MemoryServer:
    """Several owners' calendars. Thread-safe.

    `on_store` may rewrite what is stored, as servers do. `changes_page` is how many items a page of
    changes has. `password_refused` names owners whose credential is revoked.
    """

    def __init__(self, *, changes_page: int = 100, on_store: Callable[[str], str] = lambda raw: raw) -> None:
        self.calendars: dict[str, MemoryCalendar] = {}
        self.addresses: dict[str, tuple[str, ...]] = {}
        self.faults: list[Fault] = []
        self.log: list[Request] = []
        self.password_refused: set[str] = set()
        self.schedules = False
        self.changes_page = changes_page
        # What somebody else does just before a write arrives, and just after it was carried out.
        self.before_write: Callable[[Request], None] = lambda _request: None
        self.after_write: Callable[[Request], None] = lambda _request: None
        self.on_store = on_store
        self.lock = threading.RLock()
        self._changes = 0

    # What tests do as somebody else: another program, another person, the server's administrator.

    def make_calendar(self, owner: str, name: str, *, writable: bool = True) -> str:
        """A new empty calendar; the answer is its remote id. Its owner's address is `<owner>@example.org`
        unless `addresses` says otherwise."""
        remote_id = f"/{owner}/{name}/"
        self.calendars[remote_id] = MemoryCalendar(remote_id, owner, name, writable)
        self.addresses.setdefault(owner, (f"{owner}@example.org",))
        return remote_id

    def put(self, calendar: str, remote_id: str, raw: str) -> str:
        """Store `raw` whatever stands there; the answer is the new ETag."""
        with self.lock:
            self._changes += 1
            home = self.calendars[calendar]
            home.items[remote_id] = Stored(self.on_store(raw), self._changes)
            home.log.append((self._changes, remote_id))
            return home.items[remote_id].etag

    def get(self, calendar: str, remote_id: str) -> str | None:
        stored = self.calendars[calendar].items.get(remote_id)
        return stored.raw if stored else None

    def edit(self, calendar: str, remote_id: str, edit: Edit, *, now: datetime) -> None:
        """What another program changes. Raises `KeyError` when nothing is there."""
        with self.lock:
            raw = self.calendars[calendar].items[remote_id].raw
            self.put(calendar, remote_id, ics.edit(raw, edit, now=now))

    def delete(self, calendar: str, remote_id: str) -> None:
        """Raises `KeyError` when nothing is there."""
        with self.lock:
            self._changes += 1
            del self.calendars[calendar].items[remote_id]
            self.calendars[calendar].log.append((self._changes, remote_id))

    def expire_tokens(self, calendar: str) -> None:
        """Every cursor given out so far is unknown from now on."""
        with self.lock:
            self._changes += 1
            self.calendars[calendar].oldest_token = self._changes

    @property
    def token(self) -> int:
        return self._changes

    # Faults

    def lose_answer(self, method: str = "*", times: int = 1) -> None:
        """The write is carried out, and nobody hears of it."""
        self.faults.append(Fault(AnswerLost("The server did not answer."), method, after=True, times=times))

    def time_out(self, method: str = "*", times: int = 1) -> None:
        """The request does not arrive."""
        self.faults.append(Fault(TryLater("The server did not answer in time."), method, times=times))

    def ask_for_patience(self, seconds: float, method: str = "*", times: int = 1) -> None:
        """429 with Retry-After."""
        error = TryLater("The server asks for patience.", retry_after=seconds)
        self.faults.append(Fault(error, method, times=times))

    def say_changed(self, method: str = "update", times: int = 1) -> None:
        """412, though nothing changed."""
        self.faults.append(Fault(Changed("This event was changed in the meantime."), method, times=times))

    # The log

    @property
    def requests(self) -> list[str]:
        """The names of the methods that were called, in order."""
        return [request.method for request in self.log]

    @property
    def writes(self) -> list[Request]:
        return [request for request in self.log if request.method in WRITES]

    @property
    def mails(self) -> list[Request]:
        """The writes that could have mailed guests."""
        return [request for request in self.writes if request.silent is False and request.guests]

    def take_fault(self, method: str, *, after: bool) -> ProviderError | None:
        for fault in self.faults:
            if fault.method in {"*", method} and fault.after == after:
                fault.times -= 1
                if not fault.times:
                    self.faults.remove(fault)
                return fault.error
        return None


class MemoryProvider:
    """The `Provider` of `owner` at a `MemoryServer`. A cursor is the number of the last change it has seen."""

    def __init__(
        self,
        server: MemoryServer,
        owner: str,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        default_zone: str = "UTC",
    ) -> None:
        self.server = server
        self.owner = owner
        self._now = now
        self._default_zone = default_zone

    def close(self) -> None:
        """Nothing is held."""

    @property
    def push(self) -> None:
        """It is polled."""
        return

    def discover(self) -> Discovery:
        with self._asked(Request("discover", self.owner)):
            mine = [found for found in self.server.calendars.values() if found.owner == self.owner]
            return Discovery(
                endpoint="memory:",
                subject_id=f"memory:{self.owner}",
                addresses=self.server.addresses.get(self.owner, ()),
                schedules=self.server.schedules,
                calendars=tuple(RemoteCalendar(found.remote_id, found.name, found.writable) for found in mine),
            )

    def new_remote_id(self, calendar: str, uid: str) -> str:
        return f"{calendar}{quote(uid, safe='@')}.ics"

    def window(self, calendar: str, start: datetime, end: datetime) -> Iterator[Page]:
        with self._asked(Request("window", self.owner, calendar)):
            items = [self._item(name, stored) for name, stored in sorted(self._calendar(calendar).items.items())]
        inside = [item for item in items if self._overlaps(item, start, end)]
        for at in range(0, len(inside), self.server.changes_page):
            yield Page(items=tuple(inside[at : at + self.server.changes_page]), fast=True)

    def changes(self, calendar: str, cursor: str | None, known: Mapping[str, Known]) -> Iterator[Page]:
        full = cursor is None
        with self._asked(Request("changes", self.owner, calendar)):
            home = self._calendar(calendar)
            since = int(cursor) if cursor is not None else 0
            if cursor is not None and since < home.oldest_token:
                raise CursorExpired("The server no longer knows what it said last.")
            names = sorted(home.items) if full else sorted({name for at, name in home.log if at > since})
            missing = tuple(name for name in known if name not in home.items) if full else ()
            removed = missing or tuple(name for name in names if name not in home.items)
            wanted = [name for name in names if name in home.items and not _same(home.items[name], known.get(name))]
            items = [self._item(name, home.items[name]) for name in wanted]
            token = self.server.token
        size = self.server.changes_page
        chunks = [tuple(items[at : at + size]) for at in range(0, len(items), size)] or [()]
        for chunk in chunks[:-1]:
            yield Page(items=chunk, total=len(items) if full else None)
        yield Page(chunks[-1], removed, str(token), complete=full, total=len(items) if full else None)

    def read(self, calendar: str, remote_id: str) -> RemoteItem | None:
        with self._asked(Request("read", self.owner, calendar, remote_id)):
            stored = self._calendar(calendar).items.get(remote_id)
            return self._item(remote_id, stored) if stored else None

    def create(self, calendar: str, remote_id: str, events: Sequence[Event], *, silent: bool) -> Written:
        guests = any(event.guests for event in events)
        with self._asked(Request("create", self.owner, calendar, remote_id, silent, guests)):
            if remote_id in self._writable(calendar).items:
                raise Changed("There is an event of this name already.")
            etag = self.server.put(calendar, remote_id, ics.new(events, now=self._now()))
        return self._read_back(calendar, remote_id, etag)

    def update(self, calendar: str, base: RemoteItem, edit: Edit, *, silent: bool, now: datetime) -> Written:
        try:
            raw = ics.edit(base.raw, edit, now=now, default_zone=self._default_zone)
        except ics.Unreadable as error:
            raise Refused(f"Tandem can't write this: {error.words}") from error
        guests = any(event.guests for event in base.events) or "ATTENDEE" in raw
        with self._asked(Request("update", self.owner, calendar, base.remote_id, silent, guests)):
            self._condition(calendar, base)
            etag = self.server.put(calendar, base.remote_id, raw)
        return self._read_back(calendar, base.remote_id, etag)

    def delete(self, calendar: str, base: RemoteItem, *, silent: bool) -> None:
        guests = any(event.guests for event in base.events)
        with self._asked(Request("delete", self.owner, calendar, base.remote_id, silent, guests)):
            if base.remote_id in self._writable(calendar).items:
                self._condition(calendar, base)
                self.server.delete(calendar, base.remote_id)

    def _condition(self, calendar: str, base: RemoteItem) -> None:
        stored = self._writable(calendar).items.get(base.remote_id)
        if stored is None or stored.etag != base.etag:
            raise Changed("This event was changed in the calendar in the meantime.")

    def _read_back(self, calendar: str, remote_id: str, etag: str) -> Written:
        with self.server.lock:
            stored = self._calendar(calendar).items.get(remote_id)
            if stored is None:
                raise NotFound("The event was removed from the calendar right after it was written.")
            return Written(self._item(remote_id, stored), ours=stored.etag == etag)

    def _calendar(self, calendar: str) -> MemoryCalendar:
        found = self.server.calendars.get(calendar)
        if found is None:
            raise NotFound("This calendar is no longer there.")
        return found

    def _writable(self, calendar: str) -> MemoryCalendar:
        found = self._calendar(calendar)
        if not found.writable:
            raise Refused("The server lets you read this calendar, not change it.")
        return found

    def _item(self, remote_id: str, stored: Stored) -> RemoteItem:
        return understood(RemoteItem(remote_id, stored.etag, stored.raw, ()), self._default_zone)

    def _overlaps(self, item: RemoteItem, start: datetime, end: datetime) -> bool:
        """An unreadable one counts: a server that can't expand it gives it rather than not."""
        master = next((event for event in item.events if not event.recurrence_id), None)
        overrides = {event.recurrence_id: event for event in item.events if event.recurrence_id}
        try:
            zone = self._default_zone
            return not item.events or bool(
                occurrences(master, overrides, start=start, end=end, company_zone=zone, limit=1)
            )
        except BadRecurrence:
            return True

    def _asked(self, request: Request) -> _Asked:
        return _Asked(self.server, request)


class _Asked:
    """One request on its way: the lock, the faults before and after it, and its line in the log."""

    def __init__(self, server: MemoryServer, request: Request) -> None:
        self._server = server
        self._request = request

    def __enter__(self) -> None:
        if self._request.method in WRITES:
            self._server.before_write(self._request)
        self._server.lock.acquire()
        try:
            self._check()
        except ProviderError as error:
            self._note(error)
            self._server.lock.release()
            raise

    def _check(self) -> None:
        error = self._server.take_fault(self._request.method, after=False)
        if error is not None:
            raise error
        if self._request.owner in self._server.password_refused:
            raise ReconnectNeeded("The server does not take this user name and password.")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        try:
            late = self._server.take_fault(self._request.method, after=True) if error is None else None
            self._note(error or late)
            if late is not None:
                raise late
        finally:
            self._server.lock.release()
        if error is None and self._request.method in WRITES:
            self._server.after_write(self._request)

    def _note(self, error: BaseException | None) -> None:
        outcome = type(error).__name__ if error is not None else "ok"
        asked = self._request
        self._server.log.append(
            Request(asked.method, asked.owner, asked.calendar, asked.remote_id, asked.silent, asked.guests, outcome)
        )


def _same(stored: Stored, known: Known | None) -> bool:
    return known is not None and known.etag == stored.etag
