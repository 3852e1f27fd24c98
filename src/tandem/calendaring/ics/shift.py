"""When a series moves, what names its occurrences moves along (RFC 5545 3.8.4.4, 3.8.5.1 and .2).

An occurrence is named by its original start. Its wall time moves by as much as the series' start did,
so that 10:00 becomes 11:00 on both sides of a clock change.
"""

from __future__ import annotations

import re
from collections.abc import Set
from datetime import datetime, timedelta

from tandem.calendaring.event import When
from tandem.calendaring.ics import recurrence
from tandem.calendaring.ics.document import Component, Line
from tandem.calendaring.ics.forms import Form
from tandem.calendaring.ics.lines import Unreadable
from tandem.calendaring.ics.resource import Resource
from tandem.calendaring.ics.set_fields import set_field
from tandem.calendaring.ics.values import (
    Moment,
    canonical_id,
    compact,
    from_id,
    moment,
    parse_wall,
    wall_in,
)

_UNTIL = re.compile(r"(UNTIL=)([0-9TZ]+)", re.IGNORECASE)


def shifted(at: Moment, old: When, new: When) -> Moment:
    """Where an occurrence that began at `at` begins when the series moves from `old` to `new`."""
    wall = wall_in(at, old.zone) if at.zone and old.zone else at.wall
    try:
        moved = datetime.fromisoformat(wall) + (datetime.fromisoformat(new.start) - datetime.fromisoformat(old.start))
    except OverflowError:
        raise Unreadable("The series would leave the calendar.") from None
    if new.all_day or (at.is_date and not old.all_day):
        return Moment(moved.date().isoformat(), "")
    return Moment(moved.isoformat(), new.zone)


def name(recurrence_id: str, old: When, new: When) -> str:
    """The canonical recurrence id after the move."""
    return canonical_id(shifted(from_id(recurrence_id), old, new))


def carried(line: str, known: Set[str], old: When | None, new: When | None) -> str:
    """A wanted RDATE or EXDATE line that was there before the move, as it is called after it."""
    if line not in known or not old or not new or old == new:
        return line
    kind = re.split("[;:]", line)[0]
    return recurrence.line(kind, name(line.rpartition(":")[2], old, new))


def series(resource: Resource, old: When, new: When, *, keep_rules: bool) -> dict[str, str]:
    """Move everything that names occurrences; the master itself has moved already.

    Answers with `{old recurrence id: new one}` of the overrides. UNTIL moves along, so that as many
    occurrences are left as before, but with `keep_rules`.
    """
    master = resource.master
    start = master.line("DTSTART") if master else None
    if master is None or start is None:
        return {}
    form = Form.of(start, resource.places)
    for line in master.lines("RDATE", "EXDATE"):
        master.replace(line, _dates(resource, master, line, form, old, new))
    for line in [] if keep_rules else master.lines("RRULE"):
        value = _UNTIL.sub(lambda match: match[1] + _until(match[2], old, new), line.value)
        if value != line.value:
            master.replace(line, master.written(line.head, value))
    renamed: dict[str, str] = {}
    moved: dict[str, Component] = {}
    for known, override in resource.overrides.items():
        renamed[known] = name(known, old, new)
        moved[renamed[known]] = override
        _override(resource, override, form, known, old, new)
    resource.overrides = moved
    return renamed


def _dates(resource: Resource, master: Component, line: Line, form: Form, old: When, new: When) -> Line:
    """One RDATE or EXDATE line. Of a period the start moves; its end, when it is a time, moves too."""
    floating, texts, shown = old.zone, [], Moment(new.start, new.zone)
    for text in line.value.split(","):
        first, slash, rest = text.partition("/")
        try:
            shown = shifted(moment(first, line.params, resource.places, floating), old, new)
            tail = rest
            if slash and not rest.strip().upper().startswith(("P", "+P", "-P")):
                tail = form.value(shifted(moment(rest, line.params, resource.places, floating), old, new))
            texts.append(form.value(shown) + slash + tail)
        except Unreadable:
            texts.append(text)
    made = form.line(master, line.name, shown, like=line)
    head = made.head + (";VALUE=PERIOD" if "/" in line.value and not new.all_day else "")
    return master.written(head, ",".join(texts))


def _until(text: str, old: When, new: When) -> str:
    """UNTIL, a date or a UTC instant (RFC 5545 3.3.10)."""
    try:
        wall = parse_wall(text)
        at = Moment(wall, "") if len(wall) == 10 else Moment(wall, "UTC" if text[-1] in "zZ" else old.zone or "UTC")
        if at.is_date and not old.all_day and not new.all_day:
            days = new.first_day - old.first_day
            return compact((datetime.fromisoformat(wall) + days).date().isoformat())
        moved = shifted(at, old, new)
        if old.all_day and not new.all_day and at.is_date:
            return compact(wall_in(moved, "UTC")) + "Z"
    except (Unreadable, OverflowError):
        return text
    return compact(moved.wall) if moved.is_date else compact(wall_in(moved, "UTC")) + "Z"


def _override(resource: Resource, override: Component, form: Form, known: str, old: When, new: When) -> None:
    line, when = override.line("RECURRENCE-ID"), resource.when(override)
    if line is None:
        return
    slot = from_id(known)
    own = Moment(when.start, when.zone) if when else None
    moved = shifted(slot, old, new)
    override.replace(line, form.line(override, "RECURRENCE-ID", moved, like=line))
    if own is not None and when is not None and canonical_id(own) == known and when.duration == old.duration:
        start = moved if moved.is_date else Moment(wall_in(moved, new.zone), new.zone)
        length: timedelta = datetime.fromisoformat(new.end) - datetime.fromisoformat(new.start)
        end = (datetime.fromisoformat(start.wall) + length).isoformat()
        value = {"start": start.wall, "end": end[: len(start.wall)], "zone": start.zone}
        set_field(resource, override, "when", value)
