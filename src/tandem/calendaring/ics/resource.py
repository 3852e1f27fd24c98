"""One calendar resource for editing: the components of a series, by the names `read` gives them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tandem.calendaring.event import When
from tandem.calendaring.ics import recurrence
from tandem.calendaring.ics.document import Component, Document, Line, parse
from tandem.calendaring.ics.forms import Form
from tandem.calendaring.ics.lines import Unreadable, unfold
from tandem.calendaring.ics.read import recurrence_id_of, when_of
from tandem.calendaring.ics.values import Zones, canonical_id, from_id, moment
from tandem.calendaring.ics.write import timezone


@dataclass(slots=True)
class Resource:
    """`master` is the single event or the series; `overrides` are by canonical recurrence id."""

    document: Document
    places: Zones
    tandem_invites: bool = False
    master: Component | None = None
    overrides: dict[str, Component] = field(default_factory=dict)

    @classmethod
    def parse(cls, raw: str, default_zone: str, *, tandem_invites: bool = False) -> Resource:
        """Raises `Unreadable`."""
        document = parse(raw)
        calendar = document.calendar
        definitions = [_all_lines(part) for part in calendar.components("VTIMEZONE")]
        found = cls(document, Zones(default_zone, definitions), tandem_invites)
        events = calendar.components("VEVENT")
        for event in events:
            if event.line("RECURRENCE-ID") is None:
                found.master = _newer(found.master, event)
        slot = found.when(found.master) if found.master else None
        for event in events:
            if event.line("RECURRENCE-ID") is not None:
                name = recurrence_id_of(event.properties(), found.places, slot or found.when(event))
                found.overrides[name] = _newer(found.overrides.get(name), event)
        return found

    @property
    def events(self) -> list[Component]:
        return ([self.master] if self.master else []) + list(self.overrides.values())

    def when(self, event: Component) -> When | None:
        return when_of(event.properties(), self.places)

    def recurs(self, event: Component) -> bool:
        return bool(event.lines("RRULE", "RDATE"))

    def add(self, recurrence_id: str, event: Component) -> None:
        """A new override, behind the last event."""
        parts = self.document.calendar.parts
        last = max(at for at, part in enumerate(parts) if part.name == "VEVENT")
        parts.insert(last + 1, event)
        self.overrides[recurrence_id] = event

    def remove(self, recurrence_id: str) -> None:
        self.document.calendar.remove(self.overrides.pop(recurrence_id))

    def drop_overrides(self) -> None:
        """A meeting that no longer repeats has no other occurrences."""
        for recurrence_id in list(self.overrides):
            self.remove(recurrence_id)

    def need_zone(self, name: str, when: When) -> None:
        """See that the calendar defines the zone `name` (RFC 5545 3.2.19)."""
        calendar = self.document.calendar
        defined = calendar.components("VTIMEZONE")
        if name == "UTC" or any(_says(part, "TZID") == name for part in defined):
            return
        at = max((at + 1 for at, part in enumerate(calendar.parts) if part.name == "VTIMEZONE"), default=None)
        if at is None:
            at = next(at for at, part in enumerate(calendar.parts) if isinstance(part, Component))
        calendar.parts.insert(at, timezone(name, when.first_day.year, calendar.newline))

    # Exceptions and extra dates

    def dates(self, event: Component) -> set[str]:
        """The canonical RDATE and EXDATE lines of an event."""
        return {
            recurrence.line(line.name, name)
            for line in event.lines("RDATE", "EXDATE")
            for _, name in self.values(event, line)
        }

    def values(self, event: Component, line: Line) -> list[tuple[str, str]]:
        """Each value of an RDATE or EXDATE line, as it stands there and in canonical form ('' for none)."""
        zone = self._zone(event)
        return [(text, self._name(text, line, zone)) for text in line.value.split(",")]

    def _zone(self, event: Component) -> str:
        start = event.line("DTSTART")
        return moment(start.value, start.params, self.places).zone if start else ""

    def _name(self, text: str, line: Line, zone: str) -> str:
        try:
            return canonical_id(moment(text.partition("/")[0], line.params, self.places, zone))
        except Unreadable:
            return ""

    def add_exdate(self, master: Component, recurrence_id: str) -> bool:
        """Take an occurrence out of the series. False when it is out already."""
        if recurrence.line("EXDATE", recurrence_id) in self.dates(master):
            return False
        master.add(self.date_line(master, "EXDATE", recurrence_id))
        return True

    def remove_exdate(self, master: Component, recurrence_id: str) -> bool:
        """Bring an occurrence back. False when it was not out."""
        return self.keep_dates(master, "EXDATE", lambda name: name != recurrence_id)

    def keep_dates(self, event: Component, kind: str, wanted: Callable[[str], bool]) -> bool:
        """Drop the RDATE or EXDATE values that are not `wanted`; lines without such stay as they are."""
        changed = False
        for line in event.lines(kind):
            values = self.values(event, line)
            kept = [text for text, name in values if not name or wanted(name)]
            if len(kept) == len(values):
                continue
            changed = True
            if kept:
                event.replace(line, event.written(line.head, ",".join(kept)))
            else:
                event.remove(line)
        return changed

    def date_line(self, event: Component, kind: str, recurrence_id: str) -> Line:
        """An RDATE or EXDATE line in the style of the event's DTSTART."""
        start = event.line("DTSTART")
        if start is None:
            raise Unreadable("This series has no start time.")
        return Form.of(start, self.places).line(event, kind, from_id(recurrence_id))


def _newer(known: Component | None, event: Component) -> Component:
    """Of two components with one name the one that `read` takes: the higher SEQUENCE, else the later."""
    if known is None or _sequence(known) <= _sequence(event):
        return event
    return known


def _sequence(event: Component) -> int:
    text = _says(event, "SEQUENCE")
    return int(text) if text.isdecimal() and len(text) < 10 else 0


def _says(component: Component, name: str) -> str:
    line = component.line(name)
    return line.value.strip() if line else ""


def _all_lines(component: Component) -> list[str]:
    return [line for line in unfold(component.raw()) if line]
