"""VTIMEZONEs for the zones we write (RFC 5545 3.6.5), bounded, from the zone's own transitions.

Each transition of the span stands there. Generators that sample by the month lose short ones, such as
Morocco's weeks of Ramadan.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from tandem.calendaring.event import zone

YEARS_AHEAD = 12


class _Onset(NamedTuple):
    """From `wall` (on the clock as it was before) the offset is `after`."""

    wall: datetime
    before: timedelta
    after: timedelta
    name: str
    daylight: bool


@lru_cache(maxsize=256)
def lines(name: str, year: int) -> tuple[str, ...]:
    """The lines, unfolded, of a VTIMEZONE of the IANA zone `name`, from before `year` to some years after it."""
    year = min(max(year, 1902), 2200)
    start, end = datetime(year - 1, 1, 1, tzinfo=UTC), datetime(year + YEARS_AHEAD, 1, 1, tzinfo=UTC)
    first = start.astimezone(zone(name))
    offset = first.utcoffset() or timedelta()
    standing = _Onset(first.replace(tzinfo=None), offset, offset, first.tzname() or name, bool(first.dst()))
    found: dict[tuple[timedelta, timedelta, str, bool], list[datetime]] = {}
    for onset in [standing, *_onsets(name, start, end)]:
        found.setdefault(onset[1:], []).append(onset.wall)
    text = ["BEGIN:VTIMEZONE", f"TZID:{name}"]
    for (before, after, called, daylight), walls in found.items():
        kind = "DAYLIGHT" if daylight else "STANDARD"
        dates = [wall.strftime("%Y%m%dT%H%M%S") for wall in walls]
        text += [f"BEGIN:{kind}", f"DTSTART:{dates[0]}"]
        text += [f"RDATE:{','.join(dates[1:])}"] if dates[1:] else []
        text += [f"TZNAME:{called}", f"TZOFFSETFROM:{_offset(before)}", f"TZOFFSETTO:{_offset(after)}", f"END:{kind}"]
    return (*text, "END:VTIMEZONE")


def _onsets(name: str, start: datetime, end: datetime) -> Iterator[_Onset]:
    """The changes of offset between two UTC instants, looked for day by day and then to the second."""
    place = zone(name)
    while start < end:
        later = start + timedelta(days=1)
        before, after = start.astimezone(place), later.astimezone(place)
        if before.utcoffset() != after.utcoffset():
            low, high = start, later
            while high - low > timedelta(seconds=1):
                middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
                if middle.astimezone(place).utcoffset() == before.utcoffset():
                    low = middle
                else:
                    high = middle
            was, now = before.utcoffset() or timedelta(), high.astimezone(place)
            wall = (high + was).replace(tzinfo=None)
            yield _Onset(wall, was, now.utcoffset() or timedelta(), now.tzname() or name, bool(now.dst()))
        start = later


def _offset(offset: timedelta) -> str:
    seconds = abs(int(offset.total_seconds()))
    text = f"{'-' if offset < timedelta() else '+'}{seconds // 3600:02}{seconds // 60 % 60:02}"
    return text + (f"{seconds % 60:02}" if seconds % 60 else "")
