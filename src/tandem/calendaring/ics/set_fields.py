"""One setter for each field: which lines of a VEVENT hold it, and how they change."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from tandem.calendaring.event import Guest, When
from tandem.calendaring.fields import GUEST, RESPONSE, Value
from tandem.calendaring.ics import people, recurrence, write
from tandem.calendaring.ics.document import Component, Line
from tandem.calendaring.ics.forms import Form
from tandem.calendaring.ics.lines import Unreadable, decode_text, encode_text, set_param
from tandem.calendaring.ics.read import minutes_before
from tandem.calendaring.ics.resource import Resource
from tandem.calendaring.ics.values import Moment


def set_field(resource: Resource, event: Component, name: str, value: Value) -> None:
    """Put `value` into the lines of field `name`. Raises `KeyError` for a name that is no field."""
    if name.startswith(GUEST):
        _set_guest(resource, event, name.removeprefix(GUEST), value)
    elif name.startswith(RESPONSE):
        _set_response(event, name.removeprefix(RESPONSE), value)
    else:
        _SETTERS[name](resource, event, value)


def _set_text(event: Component, name: str, text: str) -> bool:
    """A TEXT property with its parameters; its ALTREP, another spelling of the old text, goes. True if changed."""
    old = event.line(name)
    if (decode_text(old.value) if old else "") == text:
        return False
    if not text:
        event.drop(name)
        return True
    head = set_param(set_param(old.head, "ALTREP", None), "ENCODING", None) if old else name
    event.put(event.written(head, encode_text(text)))
    return True


def _set_title(_: Resource, event: Component, value: Value) -> None:
    _set_text(event, "SUMMARY", value or "")


def _set_location(_: Resource, event: Component, value: Value) -> None:
    if _set_text(event, "LOCATION", value or ""):
        event.drop("GEO", "X-APPLE-STRUCTURED-LOCATION")


def _set_description(_: Resource, event: Component, value: Value) -> None:
    if _set_text(event, "DESCRIPTION", value or ""):
        event.drop("X-ALT-DESC")


def _set_word(event: Component, name: str, word: str) -> None:
    """A property that is one keyword; '' takes it out."""
    old = event.line(name)
    if not word:
        event.drop(name)
    elif old is None or old.value.strip().upper() != word:
        event.put(event.written(old.head if old else name, word))


def _set_status(_: Resource, event: Component, value: Value) -> None:
    if value != "confirmed" or event.line("STATUS") is not None:
        _set_word(event, "STATUS", str(value).upper())


def _set_visibility(_: Resource, event: Component, value: Value) -> None:
    old = event.line("CLASS")
    if value == "private" and old is not None and old.value.strip().upper() == "CONFIDENTIAL":
        return
    _set_word(event, "CLASS", write.CLASS.get(value, ""))


def _set_when(resource: Resource, event: Component, value: Value) -> None:
    """DTSTART and DTEND, in the style that stands there unless the zone changes; DURATION gives way to DTEND."""
    if value is None:
        raise Unreadable("A meeting needs a time.")
    when, old = msgspec.convert(value, When), resource.when(event)
    if when == old:
        return
    start, end = event.line("DTSTART"), event.line("DTEND")
    form = Form.of(start, resource.places) if start else Form.in_zone(when.zone)
    if form.zone != when.zone:
        form = Form.in_zone(when.zone)
        if form.zone:
            resource.need_zone(form.zone, when)
    made = form.line(event, "DTSTART", Moment(when.start, when.zone), like=start)
    event.put(made)
    ends = form.line(event, "DTEND", Moment(when.end, when.zone), like=end)
    if event.lines("DTEND", "DURATION"):
        event.put_all(["DTEND", "DURATION"], [ends])
    else:
        event.put_all(["DTSTART"], [made, ends])
    flag = event.line("X-MICROSOFT-CDO-ALLDAYEVENT")
    if flag is not None and (old is None or old.all_day != when.all_day):
        event.replace(flag, event.written(flag.head, "TRUE" if when.all_day else "FALSE"))


def _set_recurrence(resource: Resource, event: Component, value: Value) -> None:
    """RRULE, RDATE and EXDATE lines: those that mean the same as before are not touched."""
    wanted = recurrence.canonical(value or ())
    rules = [text for text in wanted if text.startswith("RRULE")]
    if sorted(f"RRULE:{recurrence.rule(line.value)}" for line in event.lines("RRULE")) != sorted(rules):
        event.put_all(["RRULE"], [event.make("RRULE", text.removeprefix("RRULE:")) for text in rules])
    for kind in ("RDATE", "EXDATE"):
        names = [text.partition(":")[2] for text in wanted if text.startswith(kind)]
        resource.keep_dates(event, kind, set(names).__contains__)
        there = {name for line in event.lines(kind) for _, name in resource.values(event, line)}
        for name in names:
            if name not in there:
                event.add(resource.date_line(event, kind, name))


def _guest_lines(event: Component, address: str) -> list[Line]:
    return [line for line in event.lines("ATTENDEE") if people.address_of(line.value, line.params) == address]


def _set_guest(resource: Resource, event: Component, address: str, value: Value) -> None:
    lines = _guest_lines(event, address)
    if value is None:
        for line in lines:
            event.remove(line)
        return
    optional, name = bool(value.get("optional", False)), str(value.get("name") or "")
    if not lines:
        guest = Guest(address, name, optional=optional)
        event.add(write.guest_line(event, guest, tandem_invites=resource.tandem_invites))
        return
    for line in lines:
        _update_guest(event, line, name, optional)


def _update_guest(event: Component, line: Line, name: str, optional: bool) -> None:
    head, known = line.head, people.read_guest(line.text)
    if known is None or known.optional != optional:
        head = set_param(head, "ROLE", "OPT-PARTICIPANT" if optional else "REQ-PARTICIPANT")
    if name and known is not None and known.name != name:
        head = set_param(head, "CN", name)
    if head != line.head:
        event.replace(line, event.written(head, line.value))


def _set_response(event: Component, address: str, value: Value) -> None:
    lines = _guest_lines(event, address)
    if not lines:
        raise Unreadable(f"{address} is not invited.")
    for line in lines:
        known = people.read_guest(line.text)
        if known is None or known.response != value:
            event.replace(line, event.written(set_param(line.head, "PARTSTAT", write.partstat(value)), line.value))


def _set_organizer(resource: Resource, event: Component, value: Value) -> None:
    """The organizer of this event, and of all others of the series that have none (RFC 6638 3.2.4.2)."""
    if not value:
        event.drop("ORGANIZER")
        return
    address = str(value["address"])
    known = event.line("ORGANIZER")
    if known is not None and people.address_of(known.value, known.params) == address:
        return
    event.put(write.organizer_line(event, address, str(value.get("name") or "")))
    for other in resource.events:
        if other.line("ORGANIZER") is None:
            other.put(write.organizer_line(other, address, str(value.get("name") or "")))


def _set_reminders(_: Resource, event: Component, value: Value) -> None:
    """Alarms by minutes before the start; alarms of another kind are not touched."""
    wanted = {int(minutes) for minutes in value or ()}
    there = set()
    for alarm in event.components("VALARM"):
        minutes = minutes_before(alarm.properties())
        if minutes is not None and minutes not in wanted:
            event.remove(alarm)
        elif minutes is not None:
            there.add(minutes)
    for minutes in sorted(wanted - there):
        event.parts.append(write.alarm(event, minutes))


_SETTERS: dict[str, Callable[[Resource, Component, Value], None]] = {
    "title": _set_title,
    "when": _set_when,
    "location": _set_location,
    "description": _set_description,
    "status": _set_status,
    "recurrence": _set_recurrence,
    "visibility": _set_visibility,
    "organizer": _set_organizer,
    "reminders": _set_reminders,
}
