"""From canonical values to the bodies of inserts and patches: only what is to change, lists whole.

PATCH merges objects, clears with null, and replaces lists ("Performance tips: Patch semantics"). So a list
of guests is always the one that was read, object by object, with the change in it.
"""

from __future__ import annotations

import hashlib
from base64 import b32hexencode
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tandem.calendaring.event import Event, Guest, When
from tandem.calendaring.fields import GUEST, RESPONSE, Value
from tandem.calendaring.identity import normalise_address
from tandem.calendaring.provider import Refused

Body = dict[str, Any]

_RESPONSES = {"needs-action": "needsAction", "accepted": "accepted", "declined": "declined", "tentative": "tentative"}
_ANSWERS = frozenset({"email", "responseStatus", "comment", "additionalGuests"})


def event_id(uid: str) -> str:
    """The id under which an event with this UID is created: base32hex, 52 characters ("Events: insert")."""
    return b32hexencode(hashlib.sha256(uid.encode()).digest()).decode().rstrip("=").lower()


def insert_body(event: Event, name: str) -> Body:
    """A new event. `id` and never `iCalUID` beside it; the organizer is the calendar's, whatever `event` says."""
    body: Body = {"id": name, "summary": event.title, "status": event.status}
    if event.when is not None:
        body |= _times(event.when)
    if event.location:
        body["location"] = event.location
    if event.description:
        body["description"] = event.description
    if event.recurrence:
        body["recurrence"] = list(event.recurrence)
    if event.guests:
        body["attendees"] = [_attendee(guest) for guest in event.guests]
    if event.visibility != "default":
        body["visibility"] = event.visibility
    if event.free:
        body["transparency"] = "transparent"
    if event.reminders:
        body["reminders"] = _reminders(event.reminders)
    return body


def patch_body(values: Mapping[str, Value], original: Mapping[str, Any], *, own: frozenset[str]) -> Body:
    """What a PATCH says for these fields. `original` is the resource as read, `own` are the calendar's addresses.

    Empty when nothing of it is Google's to hold (an organizer that the calendar itself is).
    Raises `Refused` for what can't be written without harm.
    """
    body: Body = {}
    guests: dict[str, Value] = {}
    answers: dict[str, Value] = {}
    for name, value in values.items():
        if name.startswith(GUEST):
            guests[name.removeprefix(GUEST)] = value
        elif name.startswith(RESPONSE):
            answers[name.removeprefix(RESPONSE)] = value
        elif name == "organizer":
            _check_organizer(value, own)
        else:
            body |= _plain(name, value)
    if guests or answers:
        body |= _attendees(original, guests, answers)
    return body


def _plain(name: str, value: Value) -> Body:
    if name == "when":
        return _times(msgspec.convert(value, When), patch=True)
    if name == "recurrence":
        return {"recurrence": list(value) or None}
    if name == "reminders":
        return {"reminders": _reminders(value)}
    names = {"title": "summary"}
    return {names.get(name, name): value}


def _check_organizer(value: Value, own: frozenset[str]) -> None:
    address = (value or {}).get("address", "")
    if address and address not in own:
        raise Refused("Google decides who organizes an event: the calendar that it is in.")


def _times(when: When, *, patch: bool = False) -> Body:
    """`start` and `end`. A patch clears the other kind of time, which would otherwise stay beside it."""
    if when.all_day:
        clear: Body = {"dateTime": None, "timeZone": None} if patch else {}
        return {"start": {"date": when.start, **clear}, "end": {"date": when.end, **clear}}
    clear = {"date": None} if patch else {}
    return {
        "start": {"dateTime": when.start, "timeZone": when.zone, **clear},
        "end": {"dateTime": when.end, "timeZone": when.zone, **clear},
    }


def _reminders(minutes: Sequence[int]) -> Body:
    return {"useDefault": False, "overrides": [{"method": "popup", "minutes": each} for each in minutes]}


def _attendee(guest: Guest) -> Body:
    body: Body = {"email": guest.address, "responseStatus": _RESPONSES[guest.response]}
    if guest.name:
        body["displayName"] = guest.name
    if guest.optional:
        body["optional"] = True
    if guest.resource:
        body["resource"] = True
    return body


def _attendees(original: Mapping[str, Any], guests: Mapping[str, Value], answers: Mapping[str, Value]) -> Body:
    """The whole list with the change in it, or, for one's own answer alone, that answer."""
    listed = [dict(attendee) for attendee in original.get("attendees") or ()]
    if not guests:
        # The documented way to answer: the rest of the list, which may not even be known, is left alone.
        mine = [a for a in listed if a.get("self") and normalise_address(a.get("email", "")) in answers]
        if len(mine) == len(answers):
            changed = [_answered(attendee, answers) for attendee in mine]
            return {
                "attendeesOmitted": True,
                "attendees": [{k: v for k, v in attendee.items() if k in _ANSWERS} for attendee in changed],
            }
    if original.get("attendeesOmitted"):
        raise Refused("Google does not show you all guests of this meeting, so the list can't be changed from here.")
    kept = []
    waiting = dict(guests)
    for attendee in listed:
        address = normalise_address(attendee.get("email", ""))
        value = waiting.pop(address, ...)
        if value is None:
            continue
        if value is not ...:
            attendee = _invited(attendee, value)
        kept.append(_answered(attendee, answers))
    for address, value in waiting.items():
        if value is not None:
            kept.append(_invited({"email": address, "responseStatus": "needsAction"}, value))
    return {"attendees": kept}


def _invited(attendee: Mapping[str, Any], value: Mapping[str, Any]) -> Body:
    """One guest with the name and part that a person gave them; the rest of the object as it was."""
    changed = dict(attendee)
    if value.get("name"):
        changed["displayName"] = str(value["name"])
    if value.get("optional"):
        changed["optional"] = True
    else:
        changed.pop("optional", None)
    return changed


def _answered(attendee: Mapping[str, Any], answers: Mapping[str, Value]) -> Body:
    value = answers.get(normalise_address(attendee.get("email", "")))
    return dict(attendee) if value is None else {**attendee, "responseStatus": _RESPONSES[value]}
