"""The `Provider` for Google Calendar (API v3).

A remote object is a single event, or a series with its exceptions (docs/adr/0010). A cursor is Google's
sync token. What does not count is sorted out on our side, so that a calendar has one cursor and no filter.
Every write says `sendUpdates`, names only what changes, and is made on the condition of the etag of the
very event that it changes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

import httpx2
import msgspec

from tandem.calendaring.event import Event
from tandem.calendaring.identity import normalise_address
from tandem.calendaring.provider import (
    Changed,
    Credentials,
    Discovery,
    Edit,
    Known,
    NotFound,
    Page,
    ReconnectNeeded,
    RemoteCalendar,
    RemoteItem,
    Watched,
    Written,
)
from tandem.providers.google import decode, encode
from tandem.providers.google.client import (
    API,
    Client,
    Params,
    Pause,
    decoded,
    from_milliseconds,
    milliseconds,
    segment,
)
from tandem.providers.google.quota import Quota
from tandem.providers.google.reading import Reader
from tandem.providers.google.resources import Group, group_of
from tandem.providers.google.writing import Writer
from tandem.providers.http import Now
from tandem.providers.network import Guard

CHUNK = 400
"""How many remote objects a page has at most: each page is stored in one transaction."""
_CALENDARS: Params = {
    "maxResults": "250",
    "prettyPrint": "false",
    "fields": "nextPageToken,items(id,summary,summaryOverride,timeZone,backgroundColor,accessRole,deleted)",
}


class _Calendar(msgspec.Struct, rename="camel"):
    id: str
    summary: str = ""
    summary_override: str = ""
    time_zone: str = ""
    background_color: str = ""
    access_role: str = "reader"
    deleted: bool = False


class _Calendars(msgspec.Struct, rename="camel"):
    items: list[_Calendar] = []
    next_page_token: str = ""


class _Channel(msgspec.Struct, rename="camel"):
    resource_id: str
    expiration: str = ""


_calendars = msgspec.json.Decoder(_Calendars)
_channel = msgspec.json.Decoder(_Channel)


def _clock() -> datetime:
    return datetime.now(UTC)


class GoogleProvider:
    """One account at Google. `credentials.bearer` gives its access tokens, `credentials.username` is its address.

    `endpoint` is the root of the API. `guard` sees each IP address before it is connected to. `pause` waits
    before a read is tried again; `quota` counts requests, by default those of this process.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        endpoint: str = "",
        transport: httpx2.BaseTransport | None = None,
        guard: Guard | None = None,
        now: Now = _clock,
        default_zone: str = "UTC",
        pause: Pause = time.sleep,
        quota: Quota | None = None,
        chunk: int = CHUNK,
    ) -> None:
        self._account = normalise_address(credentials.username)
        self._endpoint = endpoint or API
        self._default_zone = default_zone
        self._client = Client(
            credentials.bearer or _no_token,
            account=self._account,
            root=self._endpoint,
            now=now,
            transport=transport,
            guard=guard,
            pause=pause,
            quota=quota,
        )
        self._reader = Reader(self._client, default_zone=default_zone, chunk=chunk)
        self._writer = Writer(self._client, self._reader, account=self._account, default_zone=default_zone)

    def close(self) -> None:
        self._client.close()

    @property
    def push(self) -> GoogleProvider:
        return self

    def discover(self) -> Discovery:
        """The calendars in the user's list; the account's own subject id comes with its tokens, not from here.

        Calendars that show only when their owner is busy are left out: nothing could be read there.
        """
        found: list[RemoteCalendar] = []
        params = dict(_CALENDARS)
        while True:
            page = decoded(_calendars, self._client.get("users/me/calendarList", params))
            found += [_calendar(each) for each in page.items if _is_shown(each)]
            if not page.next_page_token:
                break
            params["pageToken"] = page.next_page_token
        return Discovery(
            endpoint=self._endpoint,
            subject_id=self._account,
            addresses=(self._account,),
            schedules=True,
            calendars=tuple(found),
        )

    def window(self, calendar: str, start: datetime, end: datetime) -> Iterator[Page]:
        return self._reader.window(calendar, start, end)

    def changes(self, calendar: str, cursor: str | None, known: Mapping[str, Known]) -> Iterator[Page]:
        return self._reader.changes(calendar, cursor, known)

    def read(self, calendar: str, remote_id: str) -> RemoteItem | None:
        group = self._reader.whole(calendar, remote_id)
        return self._item(group) if group is not None else None

    def new_remote_id(self, calendar: str, uid: str) -> str:
        return encode.event_id(uid)

    def create(self, calendar: str, remote_id: str, events: Sequence[Event], *, silent: bool) -> Written:
        return Written(self._item(self._writer.create(calendar, remote_id, events, silent=silent)))

    def update(self, calendar: str, base: RemoteItem, edit: Edit, *, silent: bool, now: datetime) -> Written:
        return Written(self._item(self._writer.update(calendar, _group(base), edit, silent=silent)))

    def delete(self, calendar: str, base: RemoteItem, *, silent: bool) -> None:
        self._writer.delete(calendar, _group(base), silent=silent)

    def _item(self, group: Group) -> RemoteItem:
        return decode.item_of(group, self._default_zone)

    # Push

    def watch(self, calendar: str, *, channel_id: str, token: str, address: str, until: datetime) -> Watched:
        """Open a channel ("Push notifications"); it ends when Google says, at most at `until`."""
        body = {
            "id": channel_id,
            "type": "web_hook",
            "address": address,
            "token": token,
            "expiration": milliseconds(until),
        }
        answer = self._client.write(
            "POST", f"calendars/{segment(calendar)}/events/watch", {"prettyPrint": "false"}, body
        )
        channel = decoded(_channel, answer)
        return Watched(channel.resource_id, from_milliseconds(channel.expiration, until))

    def unwatch(self, channel_id: str, resource_id: str) -> None:
        try:
            self._client.write("POST", "channels/stop", {}, {"id": channel_id, "resourceId": resource_id})
        except NotFound:
            return


def _no_token(_stale: str) -> str:
    raise ReconnectNeeded("This account has no key to Google any more. Connect it again.")


def _is_shown(found: _Calendar) -> bool:
    return not found.deleted and found.access_role in {"owner", "writer", "writerWithoutPrivateAccess", "reader"}


def _calendar(found: _Calendar) -> RemoteCalendar:
    writable = found.access_role in {"owner", "writer"}
    return RemoteCalendar(
        remote_id=found.id,
        name=found.summary_override or found.summary or found.id,
        writable=writable,
        color=found.background_color,
        zone=decode.calendar_zone(found.time_zone),
        organizer=normalise_address(found.id) if writable else "",
    )


def _group(base: RemoteItem) -> Group:
    try:
        return group_of(base.raw)
    except msgspec.MsgspecError as error:
        raise Changed("What is stored of this event can't be read any more, so it is read again first.") from error
