"""What the sandbox holds: users, calendars, and each event as a copy in each calendar that has it."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from sandbox.google import clock
from sandbox.google.problems import Json, not_found

Role = Literal["freeBusyReader", "reader", "writerWithoutPrivateAccess", "writer", "owner"]
ROLES: tuple[str, ...] = ("freeBusyReader", "reader", "writerWithoutPrivateAccess", "writer", "owner")

Gone = Literal["", "deleted", "removed", "moved", "skipped"]
"""How a copy ended: deleted by the organizer (or the guest was taken off), removed by the guest's own hand, moved to
another calendar, or one occurrence skipped of a series that lives."""
_SUBJECT = 100_000_000_000_000_000_000


@dataclass(slots=True)
class User:
    """A Google account. `address` is also the id of its primary calendar; `aliases` reach it too."""

    subject: str
    name: str
    address: str
    zone: str
    aliases: tuple[str, ...] = ()

    @property
    def addresses(self) -> frozenset[str]:
        return frozenset({self.address, *self.aliases})


@dataclass(slots=True)
class Entry:
    """One copy of an event. `data` is the resource without what depends on who looks (`self`, zones of answers).

    `overridden` names the fields that an exception has of its own; the others follow its series.
    """

    id: str
    data: Json
    changed: int = 0
    gone: Gone = ""
    overridden: set[str] = field(default_factory=set)
    cache: dict[tuple[object, ...], str] = field(default_factory=dict)

    @property
    def etag(self) -> str:
        return f'"{3_000_000_000_000_000 + self.changed * 1000}"'

    @property
    def uid(self) -> str:
        return str(self.data["iCalUID"])

    @property
    def parent(self) -> str:
        return str(self.data.get("recurringEventId", ""))

    @property
    def is_series(self) -> bool:
        return bool(self.data.get("recurrence"))

    @property
    def key(self) -> str:
        """Which occurrence of its series an exception stands for; empty otherwise."""
        return self.id[len(self.parent) + 1 :] if self.parent else ""


@dataclass(slots=True)
class Calendar:
    """`owner` is the data owner's address; `roles` what each user may do; `listed` how it stands in their lists."""

    id: str
    summary: str
    zone: str
    owner: str
    roles: dict[str, str]
    entries: dict[str, Entry] = field(default_factory=dict)
    listed: dict[str, Json] = field(default_factory=dict)
    description: str = ""
    location: str = ""
    changed: int = 0
    list_changed: int = 0
    deleted: bool = False
    by_uid: dict[tuple[str, str], str] = field(default_factory=dict)
    exceptions: dict[str, set[str]] = field(default_factory=dict)

    @property
    def primary(self) -> bool:
        return self.id == self.owner

    @property
    def etag(self) -> str:
        return f'"p{self.changed:x}"'

    def find(self, uid: str, key: str = "") -> Entry | None:
        """The copy of that meeting here (its exception, with a key), gone ones included."""
        found = self.by_uid.get((uid, key))
        return self.entries.get(found) if found is not None else None

    def keep(self, entry: Entry) -> None:
        """Put a copy in its place: last, for entries stand in the order of their last change."""
        self.entries.pop(entry.id, None)
        self.entries[entry.id] = entry
        self.by_uid[entry.uid, entry.key] = entry.id
        if entry.parent:
            self.exceptions.setdefault(entry.parent, set()).add(entry.id)

    def exceptions_of(self, series: str) -> list[Entry]:
        return [self.entries[name] for name in sorted(self.exceptions.get(series, ()))]


class Store:
    """Everything, with one counter: each change of a copy gets the next number, and that is what cursors count."""

    def __init__(self, time: clock.Clock, seed: int) -> None:
        self.clock = time
        self.random = random.Random(seed)
        self.users: dict[str, User] = {}
        self.calendars: dict[str, Calendar] = {}
        self.changes = itertools.count(1)
        self.latest = 0
        self.site = "https://www.google.com"
        self.on_change: Callable[[Calendar], None] = lambda calendar: None
        self._subjects = itertools.count(_SUBJECT + 1)

    def add_user(self, address: str, name: str, zone: str, aliases: tuple[str, ...] = ()) -> User:
        """A new account, with its primary calendar."""
        user = User(str(next(self._subjects)), name, address, zone, aliases)
        self.users[address] = user
        self.add_calendar(user, address, zone, calendar_id=address)
        return user

    def add_calendar(self, user: User, summary: str, zone: str, calendar_id: str = "") -> Calendar:
        """A calendar of the user, on their list. Its id is Google's shape of a secondary one unless given."""
        name = calendar_id or f"c_{self.random.getrandbits(160):040x}@group.calendar.google.com"
        made = Calendar(name, summary, zone, user.address, {user.address: "owner"})
        made.listed[user.address] = {"selected": True, "colorId": "14"}
        self.calendars[name] = made
        self.note_list(made)
        return made

    def take_back(self, users: Iterable[User], calendars: Iterable[Calendar]) -> None:
        """Hold these and nothing else, as an earlier process left them."""
        self.users = {user.address: user for user in users}
        self.calendars = {calendar.id: calendar for calendar in calendars}
        self._subjects = itertools.count(max((int(user.subject) for user in self.users.values()), default=_SUBJECT) + 1)

    def share(self, calendar: Calendar, user: User, role: Role) -> None:
        """Let a user see it, and put it on their list."""
        calendar.roles[user.address] = role
        calendar.listed.setdefault(user.address, {"selected": True, "colorId": "7"})
        self.note_list(calendar)

    def calendar(self, calendar_id: str, user: User) -> Calendar:
        """The calendar as that user names it (`primary` is theirs). Raises `Problem` 404 without any right to it."""
        found = self.calendars.get(user.address if calendar_id == "primary" else calendar_id)
        if found is None or found.deleted or user.address not in found.roles:
            raise not_found()
        return found

    def user_of(self, address: str) -> User | None:
        """Whose address that is, if an account here has it."""
        found = self.users.get(address)
        return found or next((user for user in self.users.values() if address in user.aliases), None)

    def primary_of(self, address: str) -> Calendar | None:
        user = self.user_of(address)
        return self.calendars[user.address] if user else None

    def put(self, calendar: Calendar, entry: Entry, *, now: datetime, quiet: bool = False) -> Entry:
        """Keep a copy as changed now. `quiet`: `updated` stays (reminders and colours do not move it)."""
        if not quiet:
            entry.data["updated"] = clock.stamp(now)
        self.latest = entry.changed = calendar.changed = next(self.changes)
        entry.cache.clear()
        calendar.keep(entry)  # the last, so that a sync looks at what changed and no further
        self.on_change(calendar)
        return entry

    def drop(self, calendar: Calendar, entry: Entry) -> None:
        """Forget a copy without a trace."""
        calendar.entries.pop(entry.id, None)
        calendar.by_uid.pop((entry.uid, entry.key), None)
        calendar.exceptions.get(entry.parent, set()).discard(entry.id)

    def note_list(self, calendar: Calendar) -> None:
        """Its place or name in calendar lists changed."""
        self.latest = calendar.list_changed = next(self.changes)

    def new_id(self, calendar: Calendar) -> str:
        """Google's own shape of an event id, free in that calendar."""
        while True:
            made = "".join(self.random.choice("abcdefghijklmnopqrstuv0123456789") for _ in range(26))
            if made not in calendar.entries:
                return made

    def live(self, calendar: Calendar) -> Iterator[Entry]:
        return (entry for entry in calendar.entries.values() if not entry.gone)
