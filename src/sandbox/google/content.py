"""What an event may say: a client's fields merged, checked and brought into the form in which they are kept."""

from __future__ import annotations

import re
from typing import Any

from sandbox.google import series, times
from sandbox.google.problems import Json, Problem, invalid, required
from sandbox.google.store import Calendar

READ_ONLY = frozenset(
    {"kind", "etag", "id", "htmlLink", "created", "updated", "creator", "organizer", "iCalUID", "locked", "hangoutLink"}
    | {"originalStartTime", "recurringEventId", "privateCopy", "attendeesOmitted", "endTimeUnspecified"}
)
OWN = frozenset({"reminders", "colorId", "eventLabelId"})
"""What a copy has for itself, beside `extendedProperties.private`; all other fields are shared by the guests."""

_EMAIL = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;.]+")
_RESPONSES = {"needsAction", "declined", "tentative", "accepted"}
_VALUES = {
    "status": {"confirmed", "tentative", "cancelled"},
    "visibility": {"default", "public", "private", "confidential"},
    "transparency": {"opaque", "transparent"},
    "eventType": {"default", "focusTime", "outOfOffice", "workingLocation", "birthday", "fromGmail"},
}
_DEFAULTS: Json = {"visibility": "default", "transparency": "opaque", "guestsCanInviteOthers": True}
_DEFAULTS |= {"guestsCanSeeOtherGuests": True, "guestsCanModify": False, "anyoneCanAddSelf": False}
_SPECIAL = {"focusTime", "outOfOffice", "workingLocation"}


def merged(old: Any, patch: Any) -> Any:
    """Patch semantics: objects are merged, null clears, lists and scalars replace ("Performance tips: Patch")."""
    if not isinstance(old, dict) or not isinstance(patch, dict):
        return patch
    result = dict(old)
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def writable(body: Json) -> Json:
    return {name: value for name, value in body.items() if name not in READ_ONLY}


def clean(data: Json, calendar: Calendar) -> Json:
    """The fields of an event, complete, in the form in which they are kept. Raises `Problem` 400."""
    data = {name: value for name, value in _without_nulls(data).items() if _DEFAULTS.get(name) != value}
    for name, allowed in _VALUES.items():
        if name in data and data[name] not in allowed:
            raise invalid(f"Invalid value for field {name}: {data[name]}")
    recurring = bool(data.get("recurrence"))
    for which in ("start", "end"):
        data[which] = times.kept(data.get(which), calendar.zone, which, recurring=recurring)
    times.check_range(data["start"], data["end"])
    if recurring:
        series.check(data["recurrence"], data["start"])
    data.setdefault("status", "confirmed")
    data.setdefault("eventType", "default")
    data.setdefault("reminders", {"useDefault": True})
    data.setdefault("sequence", 0)
    if "attendees" in data:
        data["attendees"] = _guests(data["attendees"])
    _check_reminders(data["reminders"])
    _check_properties(data.get("extendedProperties", {}))
    _check_kind(data, calendar)
    if "colorId" in data and data["colorId"] not in {str(number) for number in range(1, 12)}:
        raise invalid("Invalid color id.")
    return {name: value for name, value in data.items() if value not in ({}, [])}


def _without_nulls(value: Any) -> Any:
    """No answer of Google's says null: what is not there is absent."""
    if isinstance(value, dict):
        return {name: _without_nulls(part) for name, part in value.items() if part is not None}
    return [_without_nulls(part) for part in value] if isinstance(value, list) else value


def _guests(guests: list[Json]) -> list[Json]:
    """Each address once, the last word counts; no answer means `needsAction`."""
    found: dict[str, Json] = {}
    for guest in guests:
        email = str(guest.get("email", "")).strip().lower()
        if not email:
            raise required("attendee email")
        if not _EMAIL.fullmatch(email):
            raise invalid("Invalid attendee email.")
        kept = {
            name: value
            for name, value in guest.items()
            if name not in {"self", "organizer", "id", "asyncOperation"} and value not in (None, False, "", 0)
        }
        kept |= {"email": email, "responseStatus": guest.get("responseStatus") or "needsAction"}
        if kept["responseStatus"] not in _RESPONSES:
            raise invalid(f"Invalid response status: {kept['responseStatus']}")
        found[email] = kept
    return list(found.values())


def _check_reminders(reminders: Json) -> None:
    overrides = reminders.get("overrides") or []
    if overrides and reminders.get("useDefault"):
        words = "Cannot specify both default reminders and overrides at the same time."
        raise Problem(400, "cannotUseDefaultRemindersAndSpecifyOverride", words, domain="calendar")
    if len(overrides) > 5:
        raise invalid("Too many override reminders.")
    for reminder in overrides:
        if reminder.get("method") not in {"email", "popup"} or not 0 <= reminder.get("minutes", -1) <= 40320:
            raise invalid("Invalid reminder.")


def _check_properties(properties: Json) -> None:
    """The limits of "Extended properties": 44 characters a name, 1024 a value, 300 of them, 32 kB in all."""
    for kind in ("private", "shared"):
        found = properties.get(kind) or {}
        if len(found) > 300 or sum(len(name) + len(value) for name, value in found.items()) > 32_768:
            raise invalid("Too many extended properties.")
        if any(len(name) > 44 or len(value) > 1024 for name, value in found.items()):
            raise invalid("An extended property is too long.")


def _check_kind(data: Json, calendar: Calendar) -> None:
    kind = data["eventType"]
    wrong = (kind in _SPECIAL and (not calendar.primary or "attendees" in data)) or kind == "fromGmail"
    wrong |= kind != "outOfOffice" and "outOfOfficeProperties" in data
    wrong |= kind != "focusTime" and "focusTimeProperties" in data
    wrong |= kind == "workingLocation" and "workingLocationProperties" not in data
    wrong |= kind in {"outOfOffice", "focusTime"} and "date" in data["start"]
    wrong |= kind == "birthday" and ("date" not in data["start"] or "attendees" in data or "location" in data)
    if wrong:
        words = "This event type cannot have these fields, or not in this calendar."
        raise Problem(400, "eventTypeRestriction", words, domain="calendar")
