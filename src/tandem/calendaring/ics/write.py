"""Writing: whole VCALENDARs of our own, and the lines that both they and edits are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from tandem.calendaring.event import Event, Guest, When
from tandem.calendaring.ics import vtimezone
from tandem.calendaring.ics.document import Component, Line, make_component
from tandem.calendaring.ics.lines import encode_text, fold
from tandem.calendaring.ics.values import Moment, compact, from_id, stamp, wall_in

PRODID = "-//Tandem//Tandem//EN"

_PARTSTAT = {
    "needs-action": "NEEDS-ACTION",
    "accepted": "ACCEPTED",
    "declined": "DECLINED",
    "tentative": "TENTATIVE",
}
CLASS = {"public": "PUBLIC", "private": "PRIVATE"}


def new(events: Sequence[Event], *, now: datetime, method: str = "", tandem_invites: bool = False) -> str:
    """A VCALENDAR with `events`: a single event, or a series' master and its overrides.

    CRLF line ends, a VTIMEZONE for each zone, DTSTAMP `now`. `method` is for iMIP messages (RFC 5546).
    With `tandem_invites` the guests carry SCHEDULE-AGENT=CLIENT (RFC 6638 7.1): the server then leaves
    inviting them to us. Titles and names can't bring lines of their own.
    """
    calendar = make_component("VCALENDAR", "\r\n", [])
    calendar.parts = [calendar.make("VERSION", "2.0"), calendar.make("PRODID", PRODID)]
    if method:
        calendar.parts.append(calendar.make("METHOD", method.upper()))
    master = next((event for event in events if not event.recurrence_id), None)
    for name, years in _zones(events).items():
        calendar.parts.append(timezone(name, years[0], "\r\n"))
    for event in events:
        slot_zone = master.when.zone if master and master.when else None
        calendar.parts.append(vevent(event, now=now, slot_zone=slot_zone, tandem_invites=tandem_invites))
    return calendar.raw()


def _zones(events: Sequence[Event]) -> dict[str, list[int]]:
    """The zones in use but UTC, each with the years in which its events start, in order."""
    years: dict[str, list[int]] = {}
    for event in events:
        if event.when and event.when.zone and event.when.zone != "UTC":
            years.setdefault(event.when.zone, []).append(event.when.first_day.year)
    return {name: sorted(found) for name, found in years.items()}


def timezone(name: str, year: int, newline: str) -> Component:
    """The VTIMEZONE of an IANA zone, from the year before `year` to some years behind it."""
    parts = [Line.parse(fold(text, newline)) for text in vtimezone.lines(name, year)]
    return Component("VTIMEZONE", parts[0], newline, list(parts[1:-1]), parts[-1])


def vevent(event: Event, *, now: datetime, slot_zone: str | None, tandem_invites: bool) -> Component:
    """A VEVENT. `slot_zone` is the master's zone, in which a RECURRENCE-ID is written."""
    made = make_component("VEVENT", "\r\n", [])
    add = made.parts.append
    add(made.make("UID", encode_text(event.uid)))
    if event.recurrence_id:
        add(moment_line(made, "RECURRENCE-ID", from_id(event.recurrence_id), slot_zone or "UTC"))
    add(made.make("DTSTAMP", stamp(now)))
    add(made.make("CREATED", stamp(now)))
    add(made.make("LAST-MODIFIED", stamp(now)))
    add(made.make("SEQUENCE", str(event.sequence)))
    if event.when:
        made.parts += when_lines(made, event.when)
    made.parts += recurrence_lines(made, event.recurrence, event.when)
    add(made.make("SUMMARY", encode_text(event.title)))
    for name, text in (("LOCATION", event.location), ("DESCRIPTION", event.description)):
        if text:
            add(made.make(name, encode_text(text)))
    add(made.make("STATUS", event.status.upper()))
    if event.visibility in CLASS:
        add(made.make("CLASS", CLASS[event.visibility]))
    if event.free:
        add(made.make("TRANSP", "TRANSPARENT"))
    if event.join_url and event.join_url not in event.location + event.description:
        add(made.make("URL", event.join_url))
    if event.organizer:
        add(organizer_line(made, event.organizer.address, event.organizer.name))
    made.parts += [guest_line(made, guest, tandem_invites=tandem_invites) for guest in event.guests]
    made.parts += [alarm(made, minutes) for minutes in event.reminders]
    return made


def when_lines(component: Component, when: When) -> list[Line | Component]:
    return [
        moment_line(component, "DTSTART", Moment(when.start, when.zone), when.zone),
        moment_line(component, "DTEND", Moment(when.end, when.zone), when.zone),
    ]


def moment_line(
    component: Component, name: str, at: Moment, zone_name: str, extra: Mapping[str, str] | None = None
) -> Line:
    """A property with a DATE, a UTC DATE-TIME, or a DATE-TIME with TZID in `zone_name`."""
    params = dict(extra or {})
    if at.is_date:
        return component.make(name, compact(at.wall), {"VALUE": "DATE", **params})
    if zone_name in {"UTC", ""}:
        return component.make(name, compact(wall_in(at, "UTC")) + "Z", params)
    return component.make(name, compact(wall_in(at, zone_name)), {"TZID": zone_name, **params})


def recurrence_lines(component: Component, recurrence: Sequence[str], when: When | None) -> list[Line]:
    """The lines of a canonical recurrence; its instants are written in the event's zone."""
    lines = []
    for text in recurrence:
        head, _, value = text.partition(":")
        name = head.partition(";")[0].upper()
        if name == "RRULE":
            lines.append(component.make(name, value))
        elif name in {"RDATE", "EXDATE"}:
            lines.append(moment_line(component, name, from_id(value), when.zone if when else "UTC"))
    return lines


def organizer_line(component: Component, address: str, name: str) -> Line:
    return component.make("ORGANIZER", calendar_address(address), {"CN": name} if name else {})


def calendar_address(address: str) -> str:
    """`mailto:` and the address; what is a URI of another kind stays one. No blanks, no line ends."""
    text = "".join(address.split())
    return f"mailto:{text}" if "@" in text and not text.startswith(("urn:", "http:", "https:")) else text


def guest_line(component: Component, guest: Guest, *, tandem_invites: bool) -> Line:
    params = {"CN": guest.name} if guest.name else {}
    if guest.resource:
        params["CUTYPE"] = "RESOURCE"
    params["ROLE"] = "OPT-PARTICIPANT" if guest.optional else "REQ-PARTICIPANT"
    params["PARTSTAT"] = _PARTSTAT[guest.response]
    if guest.response == "needs-action":
        params["RSVP"] = "TRUE"
    if tandem_invites:
        params["SCHEDULE-AGENT"] = "CLIENT"
    return component.make("ATTENDEE", calendar_address(guest.address), params)


def partstat(response: str) -> str:
    return _PARTSTAT[response]


def alarm(component: Component, minutes: int) -> Component:
    """A VALARM `minutes` before the start (RFC 5545 3.6.6)."""
    lines: list[Line | Component] = [
        component.make("ACTION", "DISPLAY"),
        component.make("DESCRIPTION", "Reminder"),
        component.make("TRIGGER", f"-PT{minutes}M"),
    ]
    return make_component("VALARM", component.newline, lines)
