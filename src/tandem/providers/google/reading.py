"""Reading a calendar: lists with and without a cursor, the first look, one event or series.

A series' events may be on any page and in any order, and an incremental list tells only those that changed.
So single events are handed on page by page, and series at the end, when all their parts are known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import msgspec

from tandem.calendaring.provider import Known, NotFound, Page, TryLater
from tandem.providers.google import decode
from tandem.providers.google.client import Client, Params, decoded, segment
from tandem.providers.google.resources import FIELDS, Group, Part, group_of, part_of

LARGEST_PAGE = 2500
LIST: Params = {
    "singleEvents": "false",
    "showDeleted": "true",
    "maxResults": str(LARGEST_PAGE),
    "prettyPrint": "false",
    "fields": f"nextPageToken,nextSyncToken,items({FIELDS})",
}
"""The parameters of every list that brings or takes a cursor: Google wants them equal, and one cursor a calendar."""
ONE: Params = {"prettyPrint": "false", "fields": FIELDS}


class _Events(msgspec.Struct, rename="camel"):
    items: list[msgspec.Raw] = []
    next_page_token: str = ""
    next_sync_token: str = ""


_events = msgspec.json.Decoder(_Events)


class Reader:
    """Reads the calendars of one account. `chunk` is how many remote objects a page has at most."""

    def __init__(self, client: Client, *, default_zone: str, chunk: int) -> None:
        self._client = client
        self._default_zone = default_zone
        self._chunk = chunk
        # What we wrote during this look: a list that began before may still tell the version before.
        self._written: dict[str, str] = {}

    def note_written(self, part: Part) -> None:
        self._written[part.id] = part.updated

    def window(self, calendar: str, start: datetime, end: datetime) -> Iterator[Page]:
        """A filtered look of its own: it has no cursor, for one with a filter would not be the calendar's."""
        params = {"timeMin": start.isoformat(), "timeMax": end.isoformat(), "showDeleted": "false"}
        parts = [part for _, found in self._list(calendar, {**LIST, **params}) for part in found]
        groups = _gathered([part for part in parts if part.series or not part.cancelled])
        # Of a series that is not told, an exception alone would look like an invitation to just that one.
        items = [decode.item_of(group, self._default_zone) for group in groups.values() if group.event is not None]
        for at in range(0, len(items), self._chunk):
            yield Page(items=tuple(items[at : at + self._chunk]), fast=True)

    def changes(self, calendar: str, cursor: str | None, known: Mapping[str, Known]) -> Iterator[Page]:
        """Everything, or what changed since `cursor`; see `calendaring.provider`."""
        params = {**LIST, "syncToken": cursor} if cursor is not None else dict(LIST)
        seen: set[str] = set()
        series: list[Part] = []
        removed: list[str] = []
        last = ""
        for token, told in self._list(calendar, params):
            last = token
            # A tombstone may not say when it was made; it is never from before our write of what it ends.
            parts = [part for part in told if not part.updated or part.updated >= self._written.get(part.id, "")]
            singles = [part for part in parts if not (part.series or part.recurs or part.cancelled)]
            series += [part for part in parts if part.series or part.recurs]
            removed += [part.id for part in parts if part.cancelled and not part.series]
            seen |= {part.id for part in singles}
            yield from self._pages([Group(part) for part in singles], known)
        if not last:
            raise TryLater("Google’s list of events broke off. Tandem tries again by itself.")
        if cursor is None:
            groups = _whole(series)
            seen |= {decode.remote_id_of(group) for group in groups}
            removed = [name for name in known if name not in seen]
        else:
            # What became a single event has no exceptions any more, whatever is told of them.
            groups, gone = self._changed_series(calendar, [part for part in series if part.series not in seen], known)
            removed += gone
        yield from self._pages(groups, known)
        yield Page(removed=tuple(dict.fromkeys(removed)), cursor=last, complete=cursor is None)

    def whole(self, calendar: str, remote_id: str) -> Group | None:
        """One event, or a series and every exception of it, cancelled ones too: these live as long as it does."""
        part = self.one(calendar, remote_id)
        if part is None or part.cancelled:
            return None
        if part.series:
            return Group(None, {part.id: part})
        if not part.recurs:
            return Group(part)
        params = {**LIST, "iCalUID": part.resource().i_cal_uid}
        found = [each for _, parts in self._list(calendar, params) for each in parts if each.series == part.id]
        return Group(part, {each.id: each for each in found})

    def one(self, calendar: str, event_id: str) -> Part | None:
        """One event of Google's; None when it is not there. A cancelled one is."""
        try:
            answer = self._client.get(path_of(calendar, event_id), ONE)
        except NotFound:
            return None
        return part_in(answer)

    def instance(self, calendar: str, series: str, original_start: str) -> Part | None:
        """The occurrence of a series that was to start at `original_start` (RFC 3339), as it is now."""
        asked = {"prettyPrint": "false", "fields": f"items({FIELDS})", "originalStart": original_start}
        page = decoded(_events, self._client.get(f"{path_of(calendar, series)}/instances", asked))
        return next((part for part in map(part_of, page.items) if part is not None and not part.cancelled), None)

    def _list(self, calendar: str, params: Params) -> Iterator[tuple[str, list[Part]]]:
        """The pages of one list: the sync token, which only the last has, and the events. Empty pages go on."""
        path = f"calendars/{segment(calendar)}/events"
        asked = dict(params)
        while True:
            page = decoded(_events, self._client.get(path, asked))
            parts = [part for part in map(part_of, page.items) if part is not None]
            yield ("" if page.next_page_token else page.next_sync_token), parts
            if not page.next_page_token:
                return
            asked["pageToken"] = page.next_page_token

    def _pages(self, groups: Iterable[Group], known: Mapping[str, Known]) -> Iterator[Page]:
        items = []
        for group in groups:
            stored = known.get(decode.remote_id_of(group))
            if stored is None or stored.etag != group.etag:
                items.append(decode.item_of(group, self._default_zone))
        for at in range(0, len(items), self._chunk):
            yield Page(items=tuple(items[at : at + self._chunk]))

    def _changed_series(
        self, calendar: str, parts: Sequence[Part], known: Mapping[str, Known]
    ) -> tuple[list[Group], list[str]]:
        """What is stored of each series with the changes in it, and the remote ids that are gone by them."""
        groups: list[Group] = []
        gone: list[str] = []
        for name, group in _gathered(parts).items():
            if group.event is not None or name in known:
                merged = self._merged(calendar, name, group, known)
                if merged is not None:
                    groups.append(merged)
                    gone += [each for each in merged.exceptions if each in known]
                continue
            for part in group.exceptions.values():
                if part.cancelled:
                    gone.append(part.id)
                else:
                    groups.append(Group(None, {part.id: part}))
        return groups, gone

    def _merged(self, calendar: str, name: str, group: Group, known: Mapping[str, Known]) -> Group | None:
        """The stored series with what changed; asked for as a whole where what is stored doesn't suffice."""
        if group.event is not None and group.event.cancelled:
            return None
        stored = _stored(name, known)
        if stored is None and (name in known or any(each.startswith(f"{name}_") for each in known)):
            return self.whole(calendar, name)
        event = group.event or (stored.event if stored else None)
        before = stored.exceptions if stored is not None and event is not None and event.recurs else {}
        return Group(event, {**before, **group.exceptions})


def _stored(name: str, known: Mapping[str, Known]) -> Group | None:
    raw = known[name].raw() if name in known else ""
    try:
        found = group_of(raw) if raw else None
    except msgspec.MsgspecError:
        return None
    return found if found is not None and found.event is not None else None


def _gathered(parts: Iterable[Part]) -> dict[str, Group]:
    """Events by the series that they belong to, a single one by itself; of one told twice the later counts."""
    events: dict[str, Part] = {}
    exceptions: dict[str, dict[str, Part]] = {}
    for part in parts:
        if part.series:
            exceptions.setdefault(part.series, {})[part.id] = part
        else:
            events[part.id] = part
    names = [*events, *(name for name in exceptions if name not in events)]
    return {name: Group(events.get(name), exceptions.get(name, {})) for name in names}


def _whole(parts: Iterable[Part]) -> list[Group]:
    """The series of a listing of everything. Exceptions without their series stand for themselves."""
    groups: list[Group] = []
    for group in _gathered(parts).values():
        if group.event is None:
            groups += [Group(None, {part.id: part}) for part in group.exceptions.values() if not part.cancelled]
        elif not group.event.cancelled:
            groups.append(group)
    return groups


def path_of(calendar: str, event_id: str) -> str:
    return f"calendars/{segment(calendar)}/events/{segment(event_id)}"


def part_in(answer: bytes) -> Part:
    """The event that a read or a write answered. Raises `TryLater`."""
    try:
        part = part_of(answer)
    except msgspec.DecodeError:
        part = None
    if part is None:
        raise TryLater("Google’s answer could not be read. Tandem tries again by itself.")
    return part
