"""The Provider protocol: what sync asks of a calendar service, and the errors it may get.

Glossary, for this module and everything above it:

account       what a user connected: a server, a name, a credential
calendar      one collection of an account, named by `RemoteCalendar.remote_id`
remote object what is read and edited as one thing: a whole series with its exceptions, or a single event
              (CalDAV: a resource; Google: the events of one series together, see docs/adr/0010)
remote id     the name of a remote object inside its calendar (CalDAV: the decoded path; Google: the id of
              the event, of a series that of its master)
raw           the payload as the service sent it; the only thing ever edited for a write
etag          the service's name for one version of a remote object
cursor        what the service wants to hear to say what changed since; opaque here
edit          `{recurrence id: {field: value}}`, what a write puts in place of what stands there

A provider does I/O and translation only. It holds no state about meetings, takes its transport from
outside, and never writes unless `create`, `update` or `delete` is called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from tandem.calendaring.event import Event
from tandem.calendaring.fields import Value

Edit = Mapping[str, Mapping[str, Value]]


@dataclass(frozen=True, slots=True)
class RemoteCalendar:
    """A calendar as discovery found it. `color` is `#rrggbb` or empty; `zone` an IANA name or empty.

    `organizer` is the address under which its events invite, where the service decides that (Google: the
    calendar's own id); empty where the account's address is used.
    """

    remote_id: str
    name: str
    writable: bool = True
    color: str = ""
    zone: str = ""
    organizer: str = ""


@dataclass(frozen=True, slots=True)
class Discovery:
    """What connecting found. `addresses` are the owner's, normalised; empty when the server won't say.

    `schedules` is True where the server itself mails guests (RFC 6638 `calendar-auto-schedule`).
    `endpoint` is stored and used from then on; nothing is guessed from it later.
    """

    endpoint: str
    subject_id: str
    addresses: tuple[str, ...]
    schedules: bool
    calendars: tuple[RemoteCalendar, ...]


@dataclass(frozen=True, slots=True)
class RemoteItem:
    """One remote object as read. `events` is empty and `problem` says why when it cannot be read."""

    remote_id: str
    etag: str
    raw: str
    events: tuple[Event, ...]
    schedule_tag: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A part of what changed. Only the last page has a `cursor`, saved with its data in one transaction.

    `removed` are ids that the service said are gone, or that a listing of everything did not meet.
    `complete` on the last page says that the pages rest on a listing of everything: their removals
    count only after each absence has been confirmed. `fast` marks the bounded first look.
    """

    items: tuple[RemoteItem, ...] = ()
    removed: tuple[str, ...] = ()
    cursor: str | None = None
    complete: bool = False
    fast: bool = False
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored of a remote object, for services that only say what they hold, or what changed in it.

    `raw` reads the stored payload from the database, for those who need it; empty when there is none.
    """

    etag: str
    raw: Callable[[], str] = str


@dataclass(frozen=True, slots=True)
class Written:
    """The remote object right after a write, read back from the service."""

    item: RemoteItem
    ours: bool = True
    """False when the read back shows a version that somebody else wrote after ours."""


class ProviderError(Exception):
    """Something that the service refused or could not do. `words` is for the user who looks at it."""

    def __init__(self, words: str, *, retry_after: float | None = None) -> None:
        super().__init__(words)
        self.words = words
        self.retry_after = retry_after


class TryLater(ProviderError):
    """The service is out of reach, busy, or asks for patience. `retry_after` (seconds) is a minimum."""


class AnswerLost(TryLater):
    """The request went out and no answer came: it may have been carried out. Read before any retry."""


class Changed(ProviderError):
    """412: the remote object is no longer (or already) what the condition said. Read, plan again."""


class NotFound(ProviderError):
    """The remote object or calendar is not there."""


class RemovedSince(ProviderError):
    """What a create was to make has been there, from an earlier attempt, and somebody removed it since."""


class CursorExpired(ProviderError):
    """The cursor is unknown to the service: everything must be compared again."""


class ReconnectNeeded(ProviderError):
    """The credential is refused. Only the user can mend this."""


class Refused(ProviderError):
    """This write is refused for good: no right, no valid content, too large."""


class NotACalendarServer(ProviderError):
    """What answers at the address speaks another protocol."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A push channel that the service granted: its own name for what is watched, and when it ends (UTC)."""

    resource_id: str
    expires_at: datetime


class Push(Protocol):
    """A service that calls us when a calendar changed. Raises the errors above."""

    def watch(self, calendar: str, *, channel_id: str, token: str, address: str, until: datetime) -> Watched:
        """Have `address` (HTTPS) called when `calendar` changes, with `channel_id` and `token`, `until` at most."""

    def unwatch(self, channel_id: str, resource_id: str) -> None:
        """End a channel. One that is gone already is fine."""


class Provider(Protocol):
    """One account at one service. Every method may raise the errors above, and no others."""

    @property
    def push(self) -> Push | None:
        """How the service can be asked to call us; None for one that can't, which is polled alone."""

    def discover(self) -> Discovery:
        """Find the account's principal, addresses and calendars. Writes nothing."""

    def window(self, calendar: str, start: datetime, end: datetime) -> Iterator[Page]:
        """A bounded first look, newest needs first: what overlaps [start, end). Pages are `fast`."""

    def changes(self, calendar: str, cursor: str | None, known: Mapping[str, Known]) -> Iterator[Page]:
        """What changed since `cursor`; everything without one. The last page has the new cursor.

        `known` (remote id to what is stored; read lazily, it may be large) lets a service without cursors
        compare etags, and lets a full listing fetch only what differs: an item whose etag is known is not
        fetched, and a known id that the listing lacks is `removed`. Raises `CursorExpired` for a cursor
        that the service forgot.
        """

    def read(self, calendar: str, remote_id: str) -> RemoteItem | None:
        """One remote object now, or None when it is not there."""

    def create(self, calendar: str, remote_id: str, events: Sequence[Event], *, silent: bool) -> Written:
        """Put a new series under the remote id that we chose (`new_remote_id`).

        Raises `Changed` if it exists, and `RemovedSince` where the service knows that it did.
        """

    def update(self, calendar: str, base: RemoteItem, edit: Edit, *, silent: bool, now: datetime) -> Written:
        """Edit the parsed original `base.raw`, on the condition that `base.etag` still stands.

        `edit` names events by recurrence id (`""`: the single event or the master); an occurrence that
        has no override yet gets one. `{"status": "cancelled"}` for one occurrence takes it out of the
        series (EXDATE). What no field of `edit` names stays as it is, letter by letter. SEQUENCE is
        raised where RFC 5546 2.1.4 asks (time, recurrence), DTSTAMP and LAST-MODIFIED become `now`.
        """

    def delete(self, calendar: str, base: RemoteItem, *, silent: bool) -> None:
        """Remove the remote object, on the condition that `base.etag` still stands. Gone already is fine."""

    def new_remote_id(self, calendar: str, uid: str) -> str:
        """The remote id under which a new event with `uid` is created."""

    def close(self) -> None:
        """Give back connections."""


Bearer = Callable[[str], str]
"""Gives an access token that works now; called with one that was just refused, it gets another (else "").

Raises `ReconnectNeeded` and `TryLater`.
"""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What opens an account: a password, or what gives access tokens (`bearer`). Never logged; `repr` hides both.

    `url` is the server (Google: the base address of its API), `username` the name or address at it.
    """

    url: str
    username: str
    password: str = field(repr=False)
    bearer: Bearer | None = field(default=None, repr=False)
