"""Dates, times, periods and durations: RFC 5545 3.3.4 to 3.3.9, in both directions.

A *wall* is a time as a clock on the wall shows it, in ISO form: `2026-01-05T10:00:00`, or a date
`2026-01-05`. With the IANA name of a zone it is an instant; a date has no zone (`""`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from tandem.calendaring.event import zone
from tandem.calendaring.ics import zones
from tandem.calendaring.ics.lines import Params, Unreadable

_DURATION = re.compile(
    r"([+-])?P(?:(\d{1,5})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,7})M)?(?:(\d{1,8})S)?)?$", re.IGNORECASE
)


class Moment(NamedTuple):
    """A wall and its zone; `zone` is empty for a date."""

    wall: str
    zone: str

    @property
    def is_date(self) -> bool:
        return len(self.wall) == 10


class Span(NamedTuple):
    """A duration: `days` are nominal (days on the wall), `exact` is time that passes (RFC 5545 3.3.6)."""

    days: int
    exact: timedelta


@dataclass(slots=True)
class Zones:
    """How times of one text are placed: its VTIMEZONEs (logical lines), and the zone of floating times."""

    default: str
    definitions: Sequence[Sequence[str]] = ()
    _known: dict[str, str] = field(default_factory=dict)

    def resolve(self, tzid: str, value: str) -> str:
        """The IANA name of `tzid`. Raises `Unreadable`."""
        found = self._known.get(tzid)
        if found is None:
            year = int(value[:4]) if value[:4].isdigit() else 2000
            found = self._known[tzid] = zones.resolve(tzid, self.definitions, year)
        return found


def moment(value: str, params: Params, places: Zones, floating: str = "") -> Moment:
    """A DATE or DATE-TIME. A floating time is one of `floating`, or else of the default zone.

    Raises `Unreadable` for what is neither.
    """
    wall = parse_wall(value)
    if len(wall) == 10:
        return Moment(wall, "")
    if value[-1] in "Zz" or value.rstrip()[-1] in "Zz":
        return Moment(wall, "UTC")
    tzid = params.get("TZID")
    return Moment(wall, places.resolve(tzid, value) if tzid else floating or places.default)


@lru_cache(maxsize=32768)
def parse_wall(value: str) -> str:
    """`20260105T100000Z` as `2026-01-05T10:00:00`, `20260105` as `2026-01-05`. Raises `Unreadable`."""
    text = value.strip().upper().removesuffix("Z").replace("-", "").replace(":", "")
    digits = text.replace("T", "", 1)
    try:
        if not (digits.isascii() and digits.isdigit()) or not 1 < int(digits[:4]) < 9998:
            raise ValueError(value)
        if len(text) == 8:
            return date(int(text[:4]), int(text[4:6]), int(text[6:8])).isoformat()
        if len(text) not in (13, 15) or text[8] != "T":
            raise ValueError(value)
        day, clock = text[:8], text[9:].ljust(6, "0")
        # A leap second (RFC 5545 3.3.12) has no place in our clocks.
        second = min(int(clock[4:6]), 59) if int(clock[4:6]) <= 60 else 99
        wall = datetime(int(day[:4]), int(day[4:6]), int(day[6:8]), int(clock[:2]), int(clock[2:4]), second)  # noqa: DTZ001
    except ValueError:
        raise Unreadable(f"It has a time that is none: {value[:40]!r}.") from None
    return wall.isoformat()


@lru_cache(maxsize=4096)
def parse_span(value: str) -> Span:
    """A DURATION. Raises `Unreadable`."""
    match = _DURATION.match(value.strip())
    if match is None or not any(match.groups()[1:]):
        raise Unreadable(f"It has a duration that is none: {value[:40]!r}.")
    sign = -1 if match.group(1) == "-" else 1
    weeks, days, hours, minutes, seconds = (int(group or 0) for group in match.groups()[1:])
    return Span(sign * (7 * weeks + days), sign * timedelta(hours=hours, minutes=minutes, seconds=seconds))


@lru_cache(maxsize=32768)
def instant(at: Moment) -> datetime:
    """The UTC instant of a moment with a zone. Raises `Unreadable` beyond the calendar's ends.

    A wall time that the clocks skip is read with the offset before the gap, an ambiguous one as the
    first (RFC 5545 3.3.5); that is what fold=0 does.
    """
    try:
        return datetime.fromisoformat(at.wall).replace(tzinfo=zone(at.zone)).astimezone(UTC)
    except OverflowError:
        raise Unreadable(f"It has a time out of all calendars: {at.wall}.") from None


def wall_in(at: Moment, zone_name: str) -> str:
    """The same instant on the clocks of another zone."""
    if at.zone == zone_name:
        return at.wall
    return wall_of(instant(at), zone_name)


def wall_of(moment: datetime, zone_name: str) -> str:
    return moment.astimezone(zone(zone_name)).replace(tzinfo=None).isoformat()


def after(start: Moment, span: Span) -> Moment:
    """`start` and then `span`: first its days on the wall, then its time. Raises `Unreadable`."""
    try:
        if start.is_date:
            days = span.days + span.exact.days
            return Moment((date.fromisoformat(start.wall) + timedelta(days=days)).isoformat(), "")
        wall = (datetime.fromisoformat(start.wall) + timedelta(days=span.days)).isoformat()
        if not span.exact:
            return Moment(wall, start.zone)
        return Moment(wall_of(instant(Moment(wall, start.zone)) + span.exact, start.zone), start.zone)
    except OverflowError:
        raise Unreadable("It lasts longer than any calendar.") from None


def canonical_id(at: Moment) -> str:
    """A moment in the one form in which RECURRENCE-IDs are compared (see `identity`)."""
    if at.is_date:
        return at.wall.replace("-", "")
    return compact(wall_of(instant(at), "UTC")) + "Z"


def compact(wall: str) -> str:
    """A wall as iCalendar writes it."""
    return wall.replace("-", "").replace(":", "")


def from_id(recurrence_id: str) -> Moment:
    """The inverse of `canonical_id`: a date, or a moment in UTC. Raises `Unreadable`."""
    wall = parse_wall(recurrence_id)
    return Moment(wall, "" if len(wall) == 10 else "UTC")


def stamp(now: datetime) -> str:
    """`now` as a UTC DATE-TIME."""
    return now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
