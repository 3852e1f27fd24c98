"""Reading: the VEVENTs of a text as canonical events.

A first import reads tens of thousands of them, so this walks the lines once and keeps what a meeting
needs. What it does not know it passes over; what it can't read raises `Unreadable`, and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from tandem.calendaring.event import Event, Status, Visibility, When
from tandem.calendaring.fields import normalise_text
from tandem.calendaring.ics import people, recurrence
from tandem.calendaring.ics.lines import Params, Unreadable, decode_text, split, unfold
from tandem.calendaring.ics.values import Moment, Zones, after, canonical_id, instant, moment, parse_span
from tandem.calendaring.ics.values import wall_in as in_zone
from tandem.calendaring.join_link import meeting_link

LONGEST_UID = 1000

_STATUS: dict[str, Status] = {"TENTATIVE": "tentative", "CANCELLED": "cancelled"}
_CLASS: dict[str, Visibility] = {"PUBLIC": "public", "PRIVATE": "private", "CONFIDENTIAL": "private"}
_SEVERAL = frozenset({"ATTENDEE", "RRULE", "RDATE", "EXDATE", "CONFERENCE", "X-ALT-DESC"})
_LINK = re.compile(
    r"https://(?:meet\.google\.com|[\w.-]*zoom\.us/(?:j|my|w|s)|teams\.(?:microsoft|live)\.com/"
    r"|[\w.-]*webex\.com|meet\.jit\.si|whereby\.com|[\w.-]*gotomeet\.me|[\w.-]*bigbluebutton\.[\w.]+)"
    r"[^\s<>\"'()\[\]{}]*",
    re.IGNORECASE,
)
_LINK = re.compile(r"https?://[^\s<>\"'\\]+$", re.IGNORECASE)


Properties = Mapping[str, tuple[Params, str]]


@dataclass(slots=True)
class _Component:
    """The lines of one VEVENT, by name: the first of each, and all of those that may come again."""

    one: dict[str, tuple[Params, str]] = field(default_factory=dict)
    many: dict[str, list[str]] = field(default_factory=dict)
    alarms: list[dict[str, tuple[Params, str]]] = field(default_factory=list)

    def text(self, name: str) -> str:
        found = self.one.get(name)
        return decode_text(found[1]) if found else ""

    def word(self, name: str) -> str:
        found = self.one.get(name)
        return found[1].strip().upper() if found else ""


def read(text: str, *, default_zone: str) -> list[Event]:
    """The events of a VCALENDAR, a series' master before its overrides, in canonical form.

    Floating times are times in `default_zone`. Of two with one UID and RECURRENCE-ID the one with the
    higher SEQUENCE counts. A text without any VEVENT (only tasks) gives an empty list.
    Raises `Unreadable`, and nothing else.
    """
    components, definitions = _components(text)
    places = Zones(default_zone, definitions)
    masters: dict[str, When | None] = {}
    events: dict[tuple[str, str], Event] = {}
    for component in sorted(components, key=lambda found: "RECURRENCE-ID" in found.one):
        uid = component.text("UID").strip()
        if len(uid) > LONGEST_UID:
            raise Unreadable("Its UID is too long.")
        event = _event(component, uid, places, masters.get(uid))
        if not event.recurrence_id:
            masters[uid] = event.when
        known = events.get((uid, event.recurrence_id))
        if known is None or known.sequence <= event.sequence:
            events[uid, event.recurrence_id] = event
    return list(events.values())


def _components(text: str) -> tuple[list[_Component], list[list[str]]]:
    """The VEVENTs, and the lines of the VTIMEZONEs. Raises `Unreadable` for a text that breaks off."""
    events: list[_Component] = []
    definitions: list[list[str]] = []
    stack: list[str] = []
    inside = ""
    for line in unfold(text):
        if line[:6] == "BEGIN:" or line[:6].upper() == "BEGIN:":
            _begin(line[6:].strip().upper(), stack, events, definitions)
            inside = stack[1] if len(stack) > 1 else ""
        elif line[:4] == "END:" or line[:4].upper() == "END:":
            if not stack or stack.pop() != line[4:].strip().upper():
                raise Unreadable("Its parts do not end where they should.")
            inside = stack[1] if len(stack) > 1 else ""
        elif inside == "VEVENT":
            _take(line, stack, events[-1])
        if inside == "VTIMEZONE":
            definitions[-1].append(line)
    if stack:
        raise Unreadable("It breaks off in the middle.")
    if not events and "BEGIN:VCALENDAR" not in text.upper():
        raise Unreadable("It is no calendar data.")
    return events, definitions


def _begin(name: str, stack: list[str], events: list[_Component], definitions: list[list[str]]) -> None:
    if not stack and name != "VCALENDAR":
        raise Unreadable("It is no calendar data.")
    if name == "VEVENT" and len(stack) == 1:
        events.append(_Component())
    elif name == "VTIMEZONE" and len(stack) == 1:
        definitions.append([])
    elif name == "VALARM" and stack[1:] == ["VEVENT"]:
        events[-1].alarms.append({})
    stack.append(name)


def _take(line: str, stack: list[str], event: _Component) -> None:
    """One property line of a VEVENT or of an alarm in it. Other parts of an event are passed over."""
    if len(stack) > 2:
        if stack[2:] == ["VALARM"]:
            name, params, value = split(line)
            event.alarms[-1].setdefault(name, (params, value))
    elif line.startswith("ATTENDEE"):
        event.many.setdefault("ATTENDEE", []).append(line)
    else:
        name, params, value = split(line)
        if name in _SEVERAL:
            event.many.setdefault(name, []).append(line)
        else:
            event.one.setdefault(name, (params, value))


def _event(component: _Component, uid: str, places: Zones, master: When | None) -> Event:
    when = when_of(component.one, places)
    organizer = component.one.get("ORGANIZER")
    location, description = component.text("LOCATION").strip(), _description(component)
    recurrence_id = recurrence_id_of(component.one, places, master or when)
    return Event(
        uid=uid,
        recurrence_id=recurrence_id,
        title=" ".join(component.text("SUMMARY").split("\n")).strip(),
        when=when,
        location=location,
        description=description,
        status=_STATUS.get(component.word("STATUS"), "confirmed"),
        recurrence=() if recurrence_id else _recurrence(component, places, when),
        organizer=people.organizer(organizer[1], organizer[0]) if organizer else None,
        guests=people.guests(component.many.get("ATTENDEE", ())),
        visibility=_CLASS.get(component.word("CLASS"), "default"),
        free=component.word("TRANSP") == "TRANSPARENT",
        sequence=_number(component.word("SEQUENCE")),
        join_url=_join_url(component, location, description),
        reminders=_reminders(component.alarms),
    )


def when_of(properties: Properties, places: Zones) -> When | None:
    """The time that DTSTART with DTEND or DURATION mean. Raises `Unreadable`."""
    found = properties.get("DTSTART")
    if found is None or not found[1].strip():
        return None
    start = moment(found[1], found[0], places)
    end = _end(properties, start, places)
    if start.is_date:
        # A day without length would be no day; some clients write the same date twice for one day.
        last = end.wall[:10]
        return When(start.wall, last if last > start.wall else after(start, parse_span("P1D")).wall)
    wall = in_zone(end, start.zone)
    if wall < start.wall and instant(end) < instant(start):
        wall = start.wall
    return When(start.wall, wall, start.zone)


def _end(properties: Properties, start: Moment, places: Zones) -> Moment:
    """The exclusive end: DTEND, or DURATION, or what RFC 5545 3.6.1 says for neither."""
    found = properties.get("DTEND")
    if found and found[1].strip():
        end = moment(found[1], found[0], places, start.zone)
        if end.is_date and not start.is_date:
            return Moment(f"{end.wall}T00:00:00", start.zone)
        return end
    found = properties.get("DURATION")
    if found and found[1].strip():
        end = after(start, parse_span(found[1]))
        return end if start.is_date or instant(end) >= instant(start) else start
    return after(start, parse_span("P1D")) if start.is_date else start


def recurrence_id_of(properties: Properties, places: Zones, slot: When | None) -> str:
    """The canonical RECURRENCE-ID, '' for none. `slot` is the master's time, which tells dates from times.

    RFC 5545 3.8.4.4 wants the master's type and zone; calendars in the wild hold others.
    """
    found = properties.get("RECURRENCE-ID")
    if found is None:
        return ""
    at = moment(found[1], found[0], places, slot.zone if slot else "")
    return canonical_id(aligned(at, slot))


def aligned(at: Moment, slot: When | None) -> Moment:
    """A moment as a date in an all-day series, and as the series' time of day on that date in a timed one."""
    if slot is None or at.is_date == slot.all_day:
        return at
    if slot.all_day:
        return Moment(at.wall[:10], "")
    return Moment(at.wall + slot.start[10:], slot.zone)


def _recurrence(component: _Component, places: Zones, when: When | None) -> tuple[str, ...]:
    if not component.many:
        return ()
    lines: list[str] = []
    for line in component.many.get("RRULE", ()):
        rule = recurrence.rule(split(line)[2])
        if rule:
            lines.append(f"RRULE:{rule}")
    for line in (*component.many.get("RDATE", ()), *component.many.get("EXDATE", ())):
        name, params, value = split(line)
        lines += recurrence.dates(name, value, params, places, when.zone if when else "")
    return recurrence.canonical(lines) if lines else ()


def _description(component: _Component) -> str:
    text = component.text("DESCRIPTION")
    if not text:
        for line in component.many.get("X-ALT-DESC", ()):
            _, params, value = split(line)
            if params.get("FMTTYPE", "").lower() == "text/html":
                text = decode_text(value)
    return normalise_text(text) if text else ""


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _join_url(component: _Component, location: str, description: str) -> str:
    """Where to join: what is said to be that, then a link of a known service, then the event's URL."""
    for text in _said(component):
        if _LINK.match(text.strip()):
            return text.strip()
    if link := meeting_link(location, description):
        return link
    url = component.one.get("URL")
    return url[1].strip() if url and _LINK.match(url[1].strip()) else ""


def _said(component: _Component) -> Iterator[str]:
    for line in component.many.get("CONFERENCE", ()):
        yield split(line)[2]
    for name in ("X-GOOGLE-CONFERENCE", "X-MICROSOFT-SKYPETEAMSMEETINGURL"):
        if name in component.one:
            yield component.one[name][1]


def _reminders(alarms: Iterable[Properties]) -> tuple[int, ...]:
    found = {minutes_before(alarm) for alarm in alarms} if alarms else set()
    return tuple(sorted(minutes for minutes in found if minutes is not None))


def minutes_before(alarm: Properties) -> int | None:
    """The minutes before the start at which a VALARM rings; None for one that rings otherwise."""
    params, value = alarm.get("TRIGGER", ({}, ""))
    action = alarm.get("ACTION", ({}, "DISPLAY"))[1].strip().upper()
    if params.get("RELATED", "").upper() == "END" or action not in {"DISPLAY", "AUDIO", "EMAIL"}:
        return None
    return _minutes(value)


@lru_cache(maxsize=256)
def _minutes(value: str) -> int | None:
    try:
        span = parse_span(value)
    except Unreadable:
        return None
    minutes = -(span.days * 1440 + int(span.exact.total_seconds() // 60))
    return minutes if 0 <= minutes <= 525600 else None
