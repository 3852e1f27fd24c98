"""events.list and events.instances: filters, pages, and the sync tokens that say what changed since.

A list is fixed at its first page: its pages name the events of that moment, and its sync token, given on the
last page alone, counts from that moment too. What changes between two pages is told by the next sync.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile

from sandbox.google import series, times
from sandbox.google.behaviour import Behaviour
from sandbox.google.problems import (
    Json,
    bad_parameter,
    full_sync_required,
    invalid,
    time_range_empty,
    updated_min_too_long_ago,
)
from sandbox.google.store import Calendar, Entry, Store

FORBIDDEN = (
    "iCalUID", "orderBy", "privateExtendedProperty", "q", "sharedExtendedProperty", "timeMin", "timeMax", "updatedMin",
)  # fmt: skip
_FREE = {"syncToken", "pageToken", "fields", "alt", "key", "prettyPrint", "quotaUser", "userIp", "oauth_token"}
_DEFAULTS: Json = {"showDeleted": False, "singleEvents": False, "showHiddenInvitations": False, "maxResults": 250}
_GONE_SERIES = timedelta(days=120)
"""How far the cancelled instances of a deleted series are told with `singleEvents=true` ("some months", assumed)."""


@dataclass(slots=True)
class Cursor:
    """What a sync token stands for."""

    calendar: str
    seen: int
    parameters: Json
    given: datetime


@dataclass(slots=True)
class Listing:
    """A list in progress: what remains after a page token."""

    calendar: str
    entries: list[Entry]
    parameters: Json
    seen: int
    cursor: bool
    pages: int = 0


class Lists:
    def __init__(self, store: Store, behaviour: Behaviour) -> None:
        self._store = store
        self._behaviour = behaviour
        self.cursors: dict[str, Cursor] = {}
        self.forgetful = False
        """Taken up from a file, which keeps the newest sync tokens only: an unknown one may have been given."""
        self._listings: dict[str, Listing] = {}

    def expire_sync_tokens(self, calendar: str = "") -> None:
        """Every token given so far (for that calendar) answers 410, and tombstones of deleted events are swept away."""
        for cursor in self.cursors.values():
            if calendar in {"", cursor.calendar}:
                cursor.given = datetime.min.replace(tzinfo=UTC)
        for each in self._store.calendars.values():
            if calendar in {"", each.id}:
                self._sweep(each, None)

    def page(self, calendar: Calendar, parameters: Json) -> tuple[list[Entry], Json]:
        """The entries of one page, and its tokens. Raises `Problem` 400, 410."""
        token = parameters.get("pageToken")
        if token is None:
            listing = self._begin(calendar, parameters)
        else:
            found = self._listings.get(token)
            if found is None or found.calendar != calendar.id or found.parameters != _fixed(parameters, sync=True):
                raise invalid("Invalid page token value.", "pageToken")
            listing = found
        return self._cut(listing, min(parameters.get("maxResults", 250), 2500))

    def instances(self, calendar: Calendar, master: Entry, parameters: Json) -> tuple[list[Entry], Json]:
        """The occurrences of a series, as a list of pages without sync tokens."""
        token = parameters.get("pageToken")
        listing = self._listings.get(token) if token else None
        if token and (listing is None or listing.parameters != _fixed(parameters, sync=True)):
            raise invalid("Invalid page token value.", "pageToken")
        if listing is None:
            _check_range(parameters)
            found = self._expanded(calendar, [master], parameters)
            wanted = parameters.get("originalStart")
            if wanted:
                found = [entry for entry in found if _starts_originally(entry, wanted)]
            listing = Listing(calendar.id, found, _fixed(parameters, sync=True), self._store.latest, cursor=False)
        return self._cut(listing, min(parameters.get("maxResults", 250), 2500))

    def _begin(self, calendar: Calendar, parameters: Json) -> Listing:
        cursor = self._cursor(calendar, parameters)
        if cursor is None:
            self._sweep(calendar, self._store.clock.now() - self._behaviour.tombstone_life)
        _check_range(parameters)
        if parameters.get("orderBy") == "startTime" and not parameters.get("singleEvents"):
            raise bad_parameter("The requested ordering is not available for the particular query.", "orderBy")
        since = parameters.get("updatedMin")
        if since is not None and since < self._store.clock.now() - self._behaviour.updated_min_life:
            raise updated_min_too_long_ago()
        seen = self._store.latest
        after = cursor.seen if cursor else 0
        found: Iterable[Entry] = takewhile(lambda entry: entry.changed > after, reversed(calendar.entries.values()))
        if parameters.get("singleEvents"):
            found = self._expanded(calendar, found, parameters)
        chosen = [entry for entry in found if self._chosen(calendar, entry, parameters, told=cursor is not None)]
        _order(chosen, parameters.get("orderBy"), calendar)
        plain = not any(name in parameters for name in FORBIDDEN)
        return Listing(calendar.id, chosen, _fixed(parameters, sync=True), seen, cursor=plain)

    def _cursor(self, calendar: Calendar, parameters: Json) -> Cursor | None:
        token = parameters.get("syncToken")
        if token is None:
            return None
        for name in FORBIDDEN:
            if name in parameters:
                raise bad_parameter(f"The parameter {name} cannot be given together with syncToken.", name)
        if parameters.get("showDeleted") is False:
            raise bad_parameter("showDeleted cannot be false together with syncToken.", "showDeleted")
        found = self.cursors.get(token)
        if found is None and self.forgetful:
            raise full_sync_required()
        if found is None or found.calendar != calendar.id:
            raise invalid("Invalid sync token value.", "syncToken")
        if self._store.clock.now() - found.given > self._behaviour.sync_token_life:
            raise full_sync_required()
        if found.parameters != _fixed(parameters, sync=False):
            raise bad_parameter("The parameters must be those of the list that gave the sync token.", "syncToken")
        return found

    def _cut(self, listing: Listing, most: int) -> tuple[list[Entry], Json]:
        size = most
        if self._behaviour.short_pages and len(listing.entries) > 1:
            # Sometimes short, sometimes empty, though never twice in a row: a list must come to an end.
            chance = self._store.random.random()
            if chance < 0.2 and listing.pages % 2 == 0:
                size = 0
            elif chance < 0.5:
                size = max(1, min(most, len(listing.entries)) // 2)
        page, rest = listing.entries[:size], listing.entries[size:]
        if rest:
            token = self._token("page")
            self._listings[token] = Listing(
                listing.calendar, rest, listing.parameters, listing.seen, listing.cursor, listing.pages + 1
            )
            return page, {"nextPageToken": token}
        if not listing.cursor:
            return page, {}
        token = self._token("sync")
        fixed = {name: value for name, value in listing.parameters.items() if name != "syncToken"}
        self.cursors[token] = Cursor(listing.calendar, listing.seen, fixed, self._store.clock.now())
        return page, {"nextSyncToken": token}

    def _token(self, kind: str) -> str:
        name = f"{kind}{self._store.random.getrandbits(64)}".encode()
        return "C" + hashlib.blake2b(name, digest_size=18).hexdigest() + "="

    def _sweep(self, calendar: Calendar, before: datetime | None) -> None:
        """Deleted events disappear in the end; cancelled exceptions live as long as their series."""
        for entry in list(calendar.entries.values()):
            kept = not entry.gone or _cancelled_instance(calendar, entry)
            if not kept and (before is None or datetime.fromisoformat(entry.data["updated"]) < before):
                self._store.drop(calendar, entry)

    def _chosen(self, calendar: Calendar, entry: Entry, parameters: Json, *, told: bool) -> bool:
        data = entry.data
        told = told or bool(parameters.get("showDeleted")) or "updatedMin" in parameters
        # Cancelled instances come even unasked, with singleEvents=false (`showDeleted` in the discovery document).
        if entry.gone and not told and (not _cancelled_instance(calendar, entry) or parameters.get("singleEvents")):
            return False
        kinds = parameters.get("eventTypes")
        if kinds and data.get("eventType", "default") not in kinds:
            return False
        if "iCalUID" in parameters and entry.uid != parameters["iCalUID"]:
            return False
        since = parameters.get("updatedMin")
        if since is not None and datetime.fromisoformat(data["updated"]) < since:
            return False
        for which, name in (("private", "privateExtendedProperty"), ("shared", "sharedExtendedProperty")):
            for wish in parameters.get(name, ()):
                key, _, value = wish.partition("=")
                if data.get("extendedProperties", {}).get(which, {}).get(key) != value:
                    return False
        if "q" in parameters and not _found(data, parameters["q"]):
            return False
        return series.overlaps(calendar, entry, parameters.get("timeMin"), parameters.get("timeMax"))

    def _expanded(self, calendar: Calendar, entries: Iterable[Entry], parameters: Json) -> list[Entry]:
        """`singleEvents`: occurrences in the place of series."""
        found: dict[str, Entry] = {}
        now = self._store.clock.now()
        for entry in entries:
            if not entry.is_series:
                found[entry.id] = entry
                continue
            before = parameters.get("timeMax") or max(now, parameters.get("timeMin") or now) + series.ENDLESS
            if entry.gone:
                before = min(before, now + _GONE_SERIES)
            for each in series.instances(calendar, entry, before=before):
                if each.gone and not parameters.get("showDeleted") and "syncToken" not in parameters:
                    continue
                if series.overlaps(calendar, each, parameters.get("timeMin"), parameters.get("timeMax")):
                    found[each.id] = each
        return list(found.values())


def _cancelled_instance(calendar: Calendar, entry: Entry) -> bool:
    """An occurrence taken out of a series that is there: told unasked, for as long as its series lives."""
    series_entry = calendar.entries.get(entry.parent)
    alive = series_entry is not None and not series_entry.gone
    return alive and entry.gone in {"skipped", "removed"}


def _fixed(parameters: Json, *, sync: bool) -> Json:
    """The parameters that all requests of one list, and of its later syncs, must share."""
    fixed = {name: value for name, value in (_DEFAULTS | parameters).items() if name not in _FREE}
    if sync and "syncToken" in parameters:
        fixed["syncToken"] = parameters["syncToken"]
    return fixed


def _check_range(parameters: Json) -> None:
    if "timeMin" in parameters and "timeMax" in parameters and parameters["timeMin"] >= parameters["timeMax"]:
        raise time_range_empty()
    if "timeZone" in parameters and not times.is_zone(parameters["timeZone"]):
        raise invalid("Invalid time zone.", "timeZone")


def _order(entries: list[Entry], wish: str | None, calendar: Calendar) -> None:
    if wish == "startTime":
        entries.sort(key=lambda entry: (times.instant(entry.data["start"], calendar.zone), entry.id))
    elif wish == "updated":
        entries.sort(key=lambda entry: (entry.data["updated"], entry.changed))
    else:
        # "An unspecified, stable order": one that no client can mistake for any other.
        entries.sort(key=lambda entry: hashlib.blake2b(entry.id.encode(), digest_size=8).digest())


def _found(data: Json, words: str) -> bool:
    """Each word in one of the fields that the discovery document lists for `q`."""
    people = [*data.get("attendees", ()), data.get("organizer", {})]
    parts = [data.get("summary"), data.get("description"), data.get("location")]
    parts += [person.get(name) for person in people for name in ("displayName", "email")]
    text = " ".join(part for part in parts if part).casefold()
    return all(word in text for word in words.casefold().split())


def _starts_originally(entry: Entry, wanted: str) -> bool:
    original = entry.data["originalStartTime"]
    try:
        return times.suffix(original) == times.suffix({"dateTime": wanted} if "T" in wanted else {"date": wanted})
    except ValueError as fault:
        raise invalid("Bad Request", "originalStart", reason="badRequest") from fault
