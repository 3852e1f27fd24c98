"""A draft of an event: what stands in the form, as typed, and the event that it means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.http import QueryDict

from tandem.calendaring.event import Event, Guest, When, zone
from tandem.calendaring.identity import normalise_address
from tandem.web import event_input, when_words


@dataclass(slots=True)
class Draft:
    """Every field as text. `guests` is `{address: name}` in the order in which they were added."""

    title: str = ""
    date: str = ""
    start: str = ""
    end: str = ""
    end_date: str = ""
    zone: str = "UTC"
    all_day: bool = False
    location: str = ""
    description: str = ""
    calendar: str = ""
    guest_text: str = ""
    tell: bool = True
    scope: str = "this"
    guests: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def typed_when(self) -> event_input.WhenTyped:
        return event_input.WhenTyped(self.date, self.start, self.end, self.end_date, self.zone, self.all_day)


TEXTS = ("title", "date", "start", "end", "end_date", "zone", "location", "description", "calendar", "guest_text")

CONTROLS = dict.fromkeys({*range(32), 127} - {9, 10})
"""For `str.translate`: what no calendar (RFC 5545 3.1) and not every database takes; tab and line end stay."""


def from_post(post: QueryDict) -> Draft:
    """What was sent, with nothing thrown away but control characters. A browser's line ends become ours."""
    texts: dict[str, Any] = {name: post.get(name, "").replace("\r\n", "\n").translate(CONTROLS) for name in TEXTS}
    draft = Draft(all_day="all_day" in post, tell="tell" in post, scope=post.get("scope", "this"), **texts)
    for line in post.getlist("guest"):
        name, _, address = line.translate(CONTROLS).rpartition("<")
        draft.guests[normalise_address(address.rstrip(">"))] = name.strip()
    return draft


OFFICE_OPENS, OFFICE_CLOSES, MORNING = 8, 18, 10
"""Hours between which a new event is proposed, and the hour proposed when today has none left."""
SATURDAY = 5


def new_draft(now: datetime, zone_name: str) -> Draft:
    """An hour when people work, in the author's zone: see `proposed_start`."""
    start = proposed_start(now.astimezone(zone(zone_name)))
    draft = Draft(zone=zone_name)
    _show_when(draft, When.timed(start, start + timedelta(hours=1), zone_name))
    return draft


def proposed_start(local: datetime) -> datetime:
    """The next full hour that leaves time to write the form, or ten o'clock on the next working day."""
    start = (local + timedelta(minutes=75)).replace(minute=0, second=0, microsecond=0)
    if start.weekday() < SATURDAY and OFFICE_OPENS <= start.hour < OFFICE_CLOSES:
        return start
    day = start if start.hour < OFFICE_OPENS else start + timedelta(days=1)
    while day.weekday() >= SATURDAY:
        day += timedelta(days=1)
    return day.replace(hour=MORNING)


def of_event(event: Event, zone_name: str) -> Draft:
    """The form of a meeting that exists. `zone_name` is for all-day events, which have none."""
    draft = Draft(title=event.title, location=event.location, description=event.description, zone=zone_name)
    draft.guests = {guest.address: guest.name for guest in event.guests}
    if event.when:
        _show_when(draft, event.when)
    return draft


def _show_when(draft: Draft, when: When) -> None:
    draft.all_day = when.all_day
    draft.date = when.first_day.isoformat()
    if when.all_day:
        last = when_words.last_all_day(when)
        draft.end_date = last.isoformat() if last != when.first_day else ""
        return
    draft.zone = when.zone
    draft.start, draft.end = when.start[11:16], when.end[11:16]
    draft.end_date = when.end_day.isoformat() if when.end_day != when.first_day else ""


def read(draft: Draft, base: Event, editable: frozenset[str] | None = None) -> Event | None:
    """`base` with what the draft says, or None and `draft.errors` filled.

    `editable` names the fields that this user may change (None: all); the others stay as they were.
    A time that was not touched keeps its exact form, seconds included.
    """
    changes: dict[str, Any] = {}
    if _may(editable, "title"):
        changes["title"] = draft.title.strip()
        if not changes["title"]:
            draft.errors["title"] = "Give the meeting a name."
    if _may(editable, "when"):
        changes["when"] = _read_when(draft, base.when)
    if _may(editable, "location"):
        changes["location"] = draft.location.strip()
    if _may(editable, "description") and draft.description.strip() != base.description.strip():
        changes["description"] = draft.description.strip()
    if _may(editable, "guests"):
        changes["guests"] = _guests(draft.guests, base)
    return None if draft.errors else msgspec.structs.replace(base, **changes)


def _may(editable: frozenset[str] | None, name: str) -> bool:
    return editable is None or name in editable


def _read_when(draft: Draft, before: When | None) -> When | None:
    if before is not None:
        untouched = Draft(zone=draft.zone)
        _show_when(untouched, before)
        if untouched.typed_when == draft.typed_when:
            return before
    when, errors = event_input.read_when(draft.typed_when)
    draft.errors.update(errors)
    return when


def _guests(wanted: Mapping[str, str], base: Event) -> tuple[Guest, ...]:
    """Guests by address; who was invited already keeps answer, role and name."""
    guests = (base.guest(address) or Guest(address, name) for address, name in wanted.items())
    return tuple(sorted(guests, key=lambda guest: guest.address))
