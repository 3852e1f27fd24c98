"""The `Provider` for CalDAV servers.

A remote object is a calendar resource: a whole series with its overrides. Its remote id is the decoded
path, a calendar's too. A cursor is `list:` after a first listing, then `sync:<token>` (RFC 6578), or
`ctag:<value>` for servers without that.

CalDAV has no switch for mail on a write: a server with `calendar-auto-schedule` mails when it sees
guests. SCHEDULE-AGENT=CLIENT (RFC 6638 7.1) tells it not to, for good, so it is set only with
`tandem_invites`, when Tandem itself sends this account's invitations, and only on what is written
`silent`. The RFC puts it on the ATTENDEEs; on ORGANIZER it would speak of replies.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote

import httpx2

from tandem.calendaring import ics
from tandem.calendaring.event import Event
from tandem.calendaring.ics.values import stamp
from tandem.calendaring.provider import (
    AnswerLost,
    Changed,
    Credentials,
    CursorExpired,
    Discovery,
    Edit,
    Known,
    NotFound,
    Page,
    Refused,
    RemoteItem,
    TryLater,
    Written,
)
from tandem.providers.caldav import quirks, xml
from tandem.providers.caldav.client import CHUNK, Client, item_of
from tandem.providers.caldav.discovery import discover, start_url
from tandem.providers.http import Answer, Http, Now
from tandem.providers.items import understood
from tandem.providers.network import Guard

FIRST = "list:"
"""The cursor after a first listing, which brings no token."""


def _clock() -> datetime:
    return datetime.now(UTC)


class CalDavProvider:
    """One account at one CalDAV server.

    `endpoint` is what discovery found (empty before it). `guard` sees each IP address before it is
    connected to. `default_zone` (IANA) is where floating times are.
    """

    chunk = CHUNK
    """How many resources one request asks for, and one page has."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        endpoint: str = "",
        transport: httpx2.BaseTransport | None = None,
        guard: Guard | None = None,
        now: Now = _clock,
        default_zone: str = "UTC",
        tandem_invites: bool = False,
    ) -> None:
        self._http = Http(credentials, now=now, transport=transport, guard=guard)
        self._client = Client(self._http, endpoint or start_url(credentials.url))
        self._address = endpoint or credentials.url
        self._now = now
        self._default_zone = default_zone
        self._tandem_invites = tandem_invites

    def close(self) -> None:
        self._http.close()

    @property
    def push(self) -> None:
        """It is polled."""
        return

    def discover(self) -> Discovery:
        found = discover(self._http, self._address)
        self._client.endpoint = found.endpoint
        return found

    def new_remote_id(self, calendar: str, uid: str) -> str:
        """`<calendar>/<uid>.ics`; what is not safe in a path of any server is quoted, and stays so."""
        name = quote(uid, safe="@-_.").replace("%", "=")
        return f"{calendar.rstrip('/')}/{name[:200].lstrip('.') or 'event'}.ics"

    # Reading

    def window(self, calendar: str, start: datetime, end: datetime) -> Iterator[Page]:
        answer = self._client.report(calendar, xml.time_range(stamp(start), stamp(end)), depth=1)
        try:
            found = self._client.multistatus(answer, "REPORT")
        except Refused:
            # No calendar-query here. The first look is for speed only; the full listing follows.
            return
        items = [self._item(item) for item in map(item_of, found) if item is not None]
        for at in range(0, len(items), self.chunk):
            yield Page(items=tuple(items[at : at + self.chunk]), fast=True)

    def changes(self, calendar: str, cursor: str | None, known: Mapping[str, Known]) -> Iterator[Page]:
        kind, _, value = (cursor or "").partition(":")
        if cursor is None:
            yield from self._list(calendar, known)
        elif kind == "ctag":
            yield from self._compare(calendar, value, known)
        elif kind in {"list", "sync"}:
            yield from self._sync(calendar, value, known)
        else:
            raise CursorExpired("This cursor is of another provider.")

    def _list(self, calendar: str, known: Mapping[str, Known]) -> Iterator[Page]:
        """All ETags by PROPFIND, what differs by multiget; no token yet.

        The next look lists once more by sync-collection, which brings the token and what changed since.
        Not at once: a first sync-collection makes some servers write down a history of every resource
        (Radicale takes a millisecond for each), and the meetings need not wait for that.
        """
        yield from self._listed(calendar, known, cursor=FIRST)

    def _sync(self, calendar: str, token: str, known: Mapping[str, Known]) -> Iterator[Page]:
        """sync-collection (RFC 6578), again and again while the server says that there is more (507)."""
        full, listed = not token, set[str]()
        while True:
            answer = self._client.report(calendar, xml.sync_collection(token), depth=0)
            if full and not listed and quirks.no_sync_collection(answer.status):
                yield from self._compare(calendar, "", known)
                return
            found = self._synced(answer, token)
            if full and not found.sync_token:
                yield from self._compare(calendar, "", known)
                return
            etags, gone = _members(found, calendar)
            listed |= etags.keys()
            if not found.truncated:
                break
            if not found.sync_token or found.sync_token == token:
                raise TryLater("The calendar server stops in the middle of its answer.")
            token = found.sync_token
            yield from self._pages(calendar, etags, known, Page(removed=tuple(gone)), total=False)
        last = Page(removed=tuple(gone), cursor=f"sync:{found.sync_token or token}")
        if full:
            missing = tuple(path for path in known if path not in listed)
            last = Page(removed=missing, cursor=f"sync:{found.sync_token}", complete=True)
        yield from self._pages(calendar, etags, known, last, total=full and len(etags) == len(listed))

    def _synced(self, answer: Answer, token: str) -> xml.Multistatus:
        if token and quirks.forgot_token(answer.status, answer.body):
            raise CursorExpired("The calendar server no longer knows what it said last.")
        return self._client.multistatus(answer, "REPORT")

    def _compare(self, calendar: str, known_ctag: str, known: Mapping[str, Known]) -> Iterator[Page]:
        """For servers without sync-collection: the calendar's ctag, and when it differs all ETags."""
        wanted = (f"{xml.SERVER}getctag",)
        found = self._client.propfind(calendar, wanted, depth=0)
        # Asked before the listing: a change in between is seen again next time, and never missed.
        ctag = next((resource.text(wanted[0]) for resource in found), "")
        if ctag and ctag == known_ctag:
            yield Page(cursor=f"ctag:{ctag}")
            return
        yield from self._listed(calendar, known, cursor=f"ctag:{ctag}")

    def _listed(self, calendar: str, known: Mapping[str, Known], *, cursor: str) -> Iterator[Page]:
        listing = self._client.propfind(calendar, (f"{xml.DAV}getetag", f"{xml.DAV}resourcetype"), depth=1)
        if not listing.resources:
            raise TryLater("The calendar server lists nothing, not even the calendar.")
        etags, _ = _members(listing, calendar)
        missing = tuple(path for path in known if path not in etags)
        last = Page(removed=missing, cursor=cursor, complete=True)
        yield from self._pages(calendar, etags, known, last, total=True)

    def _pages(
        self, calendar: str, etags: Mapping[str, str], known: Mapping[str, Known], last: Page, *, total: bool
    ) -> Iterator[Page]:
        """What differs from `known`, in pages; the last has what `last` says."""
        wanted = [path for path, etag in etags.items() if not _is_known(path, etag, known)]
        count = len(wanted) if total else None
        chunks = [wanted[at : at + self.chunk] for at in range(0, len(wanted), self.chunk)] or [[]]
        for index, chunk in enumerate(chunks):
            found = self._client.multiget(calendar, chunk) if chunk else {}
            items = tuple(self._item(item) for item in found.values() if item is not None)
            gone = tuple(path for path, item in found.items() if item is None and path in known)
            if index < len(chunks) - 1:
                yield Page(items=items, removed=gone, total=count)
            else:
                yield replace(last, items=items, removed=last.removed + gone, total=count)

    def read(self, calendar: str, remote_id: str) -> RemoteItem | None:
        item = self._client.get(remote_id)
        if item is not None and not item.etag:
            # Without an ETag nothing could be written on condition; a report knows it.
            item = self._client.multiget(calendar, [remote_id])[remote_id]
        return self._item(item) if item else None

    def _item(self, item: RemoteItem) -> RemoteItem:
        return understood(item, self._default_zone)

    # Writing

    def create(self, calendar: str, remote_id: str, events: Sequence[Event], *, silent: bool) -> Written:
        text = ics.new(events, now=self._now(), tandem_invites=self._tandem_invites and silent)
        answer = self._client.put(remote_id, text, {"If-None-Match": "*"})
        return self._read_back(calendar, remote_id, answer)

    def update(self, calendar: str, base: RemoteItem, edit: Edit, *, silent: bool, now: datetime) -> Written:
        try:
            marks = self._tandem_invites and silent
            text = ics.edit(base.raw, edit, now=now, default_zone=self._default_zone, tandem_invites=marks)
        except ics.Unreadable as error:
            raise Refused(f"Tandem can't write this: {error.words}") from error
        answer = self._client.put(base.remote_id, text, _condition(base))
        return self._read_back(calendar, base.remote_id, answer)

    def delete(self, calendar: str, base: RemoteItem, *, silent: bool) -> None:
        # RFC 6638 8.1: a guest who removes their copy is not to decline by that.
        headers = {"Schedule-Reply": "F"} if silent else {}
        self._client.delete(base.remote_id, {**_condition(base), **headers})

    def _read_back(self, calendar: str, remote_id: str, answer: Answer) -> Written:
        """Servers rewrite what they store, even when they give an ETag for it: only a GET tells."""
        try:
            item = self.read(calendar, remote_id)
        except (TryLater, Refused) as error:
            raise AnswerLost("The change was sent; what became of it is looked up again.") from error
        if item is None:
            raise NotFound("The event was removed from the calendar right after it was written.")
        etag = answer.headers.get("etag", "")
        return Written(item, ours=not etag or quirks.same_version(etag, item.etag))


def _members(found: xml.Multistatus, calendar: str) -> tuple[dict[str, str], list[str]]:
    """The calendar's resources with their ETags, and those of which the answer says that they are gone."""
    etags: dict[str, str] = {}
    gone: list[str] = []
    for resource in found:
        if resource.status == 507 or quirks.is_collection(resource.path, calendar):
            continue
        if resource.status in {404, 410}:
            gone.append(resource.path)
        elif f"{xml.DAV}getetag" in resource.properties or not resource.status:
            etags[resource.path] = resource.text(f"{xml.DAV}getetag")
    return etags, [path for path in gone if path not in etags]


def _is_known(path: str, etag: str, known: Mapping[str, Known]) -> bool:
    return bool(etag) and path in known and quirks.same_version(etag, known[path].etag)


def _condition(base: RemoteItem) -> dict[str, str]:
    """What must still stand. A Schedule-Tag outlives the answers of guests (RFC 6638 3.2.10)."""
    if base.schedule_tag:
        return {"If-Schedule-Tag-Match": quirks.condition(base.schedule_tag)}
    if base.etag:
        return {"If-Match": quirks.condition(base.etag)}
    raise Changed("The calendar server gave no version of this event, so it has to be read again first.")
