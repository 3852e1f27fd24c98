"""How one event writes its times: as dates, in UTC, floating, or with some TZID. Edits keep that style."""

from __future__ import annotations

from dataclasses import dataclass

from tandem.calendaring.ics.document import Component, Line
from tandem.calendaring.ics.lines import set_param
from tandem.calendaring.ics.values import Moment, Zones, compact, moment, wall_in


@dataclass(frozen=True, slots=True)
class Form:
    """`zone` is IANA (empty for dates); `tzid` is the calendar's own word for it, if it has one."""

    zone: str
    tzid: str = ""
    utc: bool = False

    @classmethod
    def of(cls, line: Line, places: Zones) -> Form:
        """The style of a DTSTART. Raises `Unreadable`."""
        at = moment(line.value, line.params, places)
        utc = not at.is_date and line.value.strip().upper().endswith("Z")
        return cls(at.zone, "" if utc or at.is_date else line.params.get("TZID", ""), utc)

    @classmethod
    def in_zone(cls, zone: str) -> Form:
        """The style for a zone that is new to the calendar ('' for dates)."""
        return cls(zone, "" if zone == "UTC" else zone, zone == "UTC")

    def line(self, component: Component, name: str, at: Moment, *, like: Line | None = None) -> Line:
        """A line `name` that says `at`; of `like` the other parameters stay."""
        head = like.head if like else name
        tzid = None if at.is_date else self.tzid or None
        head = set_param(head, "TZID", tzid)
        head = set_param(head, "VALUE", "DATE" if at.is_date else None)
        return component.written(head, self.value(at))

    def value(self, at: Moment) -> str:
        if at.is_date or not self.zone:
            return compact(at.wall)
        return compact(wall_in(at, self.zone)) + ("Z" if self.utc else "")
