"""Editing: surgery on the lines of the original. What no field of the edit names stays letter by letter.

Decisions, each with a test in tests/unit/test_ics_edit.py:
- SEQUENCE goes up where RFC 5546 2.1.4 demands it (DTSTART, DTEND, DURATION, RRULE, RDATE, EXDATE,
  STATUS) and for LOCATION, its example of a change that can undo an answer. Not for guests or texts.
- When the time of a series changes, its EXDATEs, RDATEs, UNTIL and the RECURRENCE-IDs of its overrides
  move along, so that each still names the same occurrence; an override that stood at its slot's own
  time moves with it, one that had been moved by itself stays.
- One occurrence that is cancelled becomes an EXDATE, for an override with STATUS:CANCELLED shows on in
  many programs. Without a master here, the override says CANCELLED.
- A text that changes loses its other spelling (ALTREP, X-ALT-DESC); a place loses its coordinates.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from datetime import datetime, timedelta

from tandem.calendaring.event import When
from tandem.calendaring.fields import Value
from tandem.calendaring.ics import set_fields, shift
from tandem.calendaring.ics.document import Component, make_component
from tandem.calendaring.ics.forms import Form
from tandem.calendaring.ics.lines import Unreadable
from tandem.calendaring.ics.resource import Resource
from tandem.calendaring.ics.values import Moment, Span, after, from_id, instant, stamp, wall_in
from tandem.calendaring.provider import Edit

SIGNIFICANT = frozenset({"when", "recurrence", "status", "location"})
_ONLY_MASTER = frozenset({"RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID"})

Changes = Mapping[str, Value]


def edit(raw: str, edit: Edit, *, now: datetime, default_zone: str = "UTC", tandem_invites: bool = False) -> str:
    """`raw` with the values of `edit` (`{recurrence id: {field: value}}`) in place.

    Recurrence ids are those of `raw` as it stands. Besides the fields of `calendaring.fields` there is
    `organizer` (`{"address", "name"}`). `default_zone` is where floating times are, as in `read`.
    `tandem_invites` marks added guests with SCHEDULE-AGENT=CLIENT (RFC 6638 7.1).
    Raises `Unreadable` when `raw` can't be read or does not hold what is to be edited.
    """
    resource = Resource.parse(raw, default_zone, tandem_invites=tandem_invites)
    before = {id(event): (event, event.raw()) for event in resource.events}
    significant: set[int] = set()
    renamed: dict[str, str] = {}
    if "" in edit:
        renamed = _edit_whole(resource, edit[""], significant)
    for recurrence_id, changes in edit.items():
        if recurrence_id:
            _edit_occurrence(resource, renamed.get(recurrence_id, recurrence_id), changes, significant)
    for event in resource.events:
        was = before.get(id(event))
        if was is None or was[1] != event.raw():
            _sign(event, now, raise_sequence=id(event) in significant)
    return resource.document.raw()


def _edit_whole(resource: Resource, changes: Changes, significant: set[int]) -> dict[str, str]:
    """The single event or the series. Answers with what its occurrences are called afterwards."""
    master = resource.master
    if master is None:
        raise Unreadable("Only single occurrences of this series are in this calendar, not the series itself.")
    renamed: dict[str, str] = {}
    old = resource.when(master)
    old_dates = resource.dates(master)
    _apply(resource, master, {name: value for name, value in changes.items() if name != "recurrence"}, significant)
    new = resource.when(master)
    if old and new and old != new and resource.recurs(master):
        renamed = shift.series(resource, old, new, keep_rules="recurrence" in changes)
        significant |= {id(event) for event in resource.events}
    if "recurrence" in changes:
        carried = [shift.carried(text, old_dates, old, new) for text in changes["recurrence"] or ()]
        _apply(resource, master, {"recurrence": carried}, significant)
        if not resource.recurs(master):
            resource.drop_overrides()
    if changes.get("status") == "cancelled":
        for event in resource.overrides.values():
            _apply(resource, event, {"status": "cancelled"}, significant)
    return renamed


def _edit_occurrence(resource: Resource, recurrence_id: str, changes: Changes, significant: set[int]) -> None:
    master, override = resource.master, resource.overrides.get(recurrence_id)
    if changes.get("status") == "cancelled" and master is not None:
        if resource.add_exdate(master, recurrence_id):
            significant.add(id(master))
        if override is not None:
            resource.remove(recurrence_id)
        return
    if override is None:
        if master is None or not resource.recurs(master):
            raise Unreadable("This occurrence is not in the calendar any more.")
        if resource.remove_exdate(master, recurrence_id):
            significant.add(id(master))
            changes = {name: value for name, value in changes.items() if (name, value) != ("status", "confirmed")}
        if not changes:
            return
        override = _make_override(resource, master, recurrence_id)
    _apply(resource, override, changes, significant)


def _apply(resource: Resource, event: Component, changes: Changes, significant: set[int]) -> None:
    was = event.raw()
    for name, value in changes.items():
        set_fields.set_field(resource, event, name, value)
    if event.raw() != was and not SIGNIFICANT.isdisjoint(changes):
        significant.add(id(event))


def _make_override(resource: Resource, master: Component, recurrence_id: str) -> Component:
    """A copy of the master for one occurrence, at that occurrence's own time."""
    start_line, when = master.line("DTSTART"), resource.when(master)
    if start_line is None or when is None:
        raise Unreadable("This series has no start time.")
    form = Form.of(start_line, resource.places)
    slot = from_id(recurrence_id)
    if not slot.is_date:
        slot = Moment(wall_in(slot, form.zone), form.zone)
    kept = [part for part in master.parts if part.name not in _ONLY_MASTER]
    made = make_component("VEVENT", master.newline, deepcopy(kept))
    for line in list(made):
        if line.name == "DTSTART":
            made.replace(line, form.line(made, "DTSTART", slot, like=line))
        elif line.name == "DTEND":
            made.replace(line, form.line(made, "DTEND", _end(slot, when), like=line))
    named = form.line(made, "RECURRENCE-ID", slot)
    at = next((at + 1 for at, part in enumerate(made.parts) if part.name == "UID"), 0)
    made.parts.insert(at, named)
    resource.add(recurrence_id, made)
    return made


def _end(slot: Moment, when: When) -> Moment:
    """An occurrence lasts exactly as long as the series' first one (RFC 5545 3.8.5.3)."""
    if slot.is_date:
        return after(slot, Span((when.end_day - when.first_day).days, timedelta()))
    return after(slot, Span(0, instant(Moment(when.end, when.zone)) - instant(Moment(when.start, when.zone))))


def _sign(event: Component, now: datetime, *, raise_sequence: bool) -> None:
    """DTSTAMP, LAST-MODIFIED (RFC 5545 3.8.7) and, for a significant change, SEQUENCE."""
    if raise_sequence:
        line = event.line("SEQUENCE")
        text = line.value.strip() if line else ""
        event.put(event.make("SEQUENCE", str(int(text) + 1 if text.isdecimal() and len(text) < 10 else 1)))
    event.put(event.make("DTSTAMP", stamp(now)))
    event.put(event.make("LAST-MODIFIED", stamp(now)))
