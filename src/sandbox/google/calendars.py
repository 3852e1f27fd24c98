"""Calendars, and each user's list of them, with its own pages and sync tokens."""

from __future__ import annotations

from typing import Any

from sandbox.google import times
from sandbox.google.problems import (
    Json,
    Problem,
    bad_parameter,
    full_sync_required,
    invalid,
    needs_owner,
    not_found,
    required,
)
from sandbox.google.store import ROLES, Calendar, Store, User

_LIST_FIELDS = ("summaryOverride", "colorId", "backgroundColor", "foregroundColor", "hidden", "selected",
                "defaultReminders", "notificationSettings")  # fmt: skip


class Calendars:
    def __init__(self, store: Store) -> None:
        self._store = store
        self.cursors: dict[str, int] = {}
        self._pages: dict[str, tuple[list[Json], int]] = {}

    def expire_sync_tokens(self) -> None:
        self.cursors = dict.fromkeys(self.cursors, -1)

    def page(self, user: User, parameters: Json) -> Json:
        """calendarList.list: at most 250 on a page. Raises `Problem` 400, 410."""
        size = min(parameters.get("maxResults", 100), 250)
        if "pageToken" in parameters:
            if parameters["pageToken"] not in self._pages:
                raise invalid("Invalid page token value.", "pageToken")
            rows, seen = self._pages[parameters["pageToken"]]
        else:
            rows, seen = self._rows(user, parameters), self._store.latest
        token = f"cl{self._store.random.getrandbits(80):020x}"
        body: Json = {"kind": "calendar#calendarList", "etag": f'"p{seen:x}"', "items": rows[:size]}
        if rows[size:]:
            self._pages[token] = (rows[size:], seen)
            return body | {"nextPageToken": token}
        self.cursors[token] = seen
        return body | {"nextSyncToken": token}

    def entry(self, user: User, calendar_id: str) -> Json:
        """calendarList.get. Raises `Problem` 404 for what is not on the user's list."""
        calendar = self._store.calendar(calendar_id, user)
        if user.address not in calendar.listed or calendar.listed[user.address].get("deleted"):
            raise not_found()
        return self._row(user, calendar)

    def put_entry(self, user: User, calendar_id: str, body: Json) -> Json:
        """calendarList.insert, patch and update."""
        calendar = self._store.calendar(calendar_id, user)
        kept = calendar.listed.setdefault(user.address, {"colorId": "7"})
        kept.pop("deleted", None)
        kept.update({name: body[name] for name in _LIST_FIELDS if body.get(name) is not None})
        self._store.note_list(calendar)
        return self._row(user, calendar)

    def remove_entry(self, user: User, calendar_id: str) -> None:
        calendar = self._store.calendar(calendar_id, user)
        if calendar.owner == user.address:
            raise Problem(403, "cannotUnsubscribeFromOwnCalendar", "Owners cannot unsubscribe.", domain="calendar")
        calendar.listed[user.address] = {"deleted": True}
        self._store.note_list(calendar)

    def show(self, calendar: Calendar) -> Json:
        body = {"kind": "calendar#calendar", "etag": f'"c{calendar.list_changed:x}"', "id": calendar.id}
        body |= {"summary": calendar.summary, "timeZone": calendar.zone}
        return body | self._more(calendar)

    def insert(self, user: User, body: Json) -> Json:
        if not body.get("summary"):
            raise required("title")
        made = self._store.add_calendar(user, body["summary"], _zone(body, "UTC"))
        return self.change(user, made, body)

    def change(self, user: User, calendar: Calendar, body: Json) -> Json:
        """calendars.patch and update: owners only."""
        _require_owner(user, calendar)
        calendar.summary = body.get("summary") or calendar.summary
        calendar.description = body.get("description", calendar.description) or ""
        calendar.location = body.get("location", calendar.location) or ""
        calendar.zone = _zone(body, calendar.zone)
        for entry in calendar.entries.values():
            entry.cache.clear()
        self._store.note_list(calendar)
        return self.show(calendar)

    def delete(self, user: User, calendar: Calendar) -> None:
        """A secondary calendar goes; a primary one can only be cleared."""
        _require_owner(user, calendar)
        if calendar.primary:
            raise invalid("Cannot delete primary calendar.", reason="cannotDeletePrimaryCalendar")
        calendar.deleted = True
        self._store.note_list(calendar)

    def _rows(self, user: User, parameters: Json) -> list[Json]:
        seen = self._seen(parameters)
        least = ROLES.index(parameters.get("minAccessRole", ROLES[0]))
        rows = []
        for calendar in self._store.calendars.values():
            kept = calendar.listed.get(user.address)
            if kept is None or calendar.list_changed <= seen or user.address not in calendar.roles:
                continue
            gone = calendar.deleted or kept.get("deleted", False)
            told = "syncToken" in parameters
            if gone and not told and not parameters.get("showDeleted"):
                continue
            if kept.get("hidden") and not told and not parameters.get("showHidden"):
                continue
            if ROLES.index(calendar.roles[user.address]) >= least:
                rows.append(self._row(user, calendar))
        return rows

    def _seen(self, parameters: Json) -> int:
        token = parameters.get("syncToken")
        if token is None:
            return -1
        for name in ("minAccessRole", "showOwnOrganizationOnly"):
            if name in parameters:
                raise bad_parameter(f"The parameter {name} cannot be given together with syncToken.", name)
        for name in ("showDeleted", "showHidden"):
            if parameters.get(name) is False:
                raise bad_parameter(f"{name} cannot be false together with syncToken.", name)
        if token not in self.cursors:
            raise invalid("Invalid sync token value.", "syncToken")
        if self.cursors[token] < 0:
            raise full_sync_required()
        return self.cursors[token]

    def _row(self, user: User, calendar: Calendar) -> Json:
        kept = dict(calendar.listed[user.address])
        etag = f'"l{calendar.list_changed:x}"'
        if calendar.deleted or kept.get("deleted"):
            return {"kind": "calendar#calendarListEntry", "etag": etag, "id": calendar.id, "deleted": True}
        row: Json = {
            "kind": "calendar#calendarListEntry",
            "etag": etag,
            "id": calendar.id,
            "summary": calendar.summary,
            "timeZone": calendar.zone,
            "colorId": "14",
            "backgroundColor": "#9fe1e7",
            "foregroundColor": "#000000",
            "accessRole": calendar.roles[user.address],
            "defaultReminders": [{"method": "popup", "minutes": 10}],
        }
        row |= kept
        return row | self._more(calendar) | ({"primary": True} if calendar.id == user.address else {})

    def _more(self, calendar: Calendar) -> Json:
        more: dict[str, Any] = {"conferenceProperties": {"allowedConferenceSolutionTypes": ["hangoutsMeet"]}}
        if calendar.description:
            more["description"] = calendar.description
        if calendar.location:
            more["location"] = calendar.location
        return more | ({} if calendar.primary else {"dataOwner": calendar.owner})


def _zone(body: Json, default: str) -> str:
    name = body.get("timeZone") or default
    if not times.is_zone(name):
        raise invalid("Invalid time zone.")
    return str(name)


def _require_owner(user: User, calendar: Calendar) -> None:
    if calendar.roles[user.address] != "owner":
        raise needs_owner()
