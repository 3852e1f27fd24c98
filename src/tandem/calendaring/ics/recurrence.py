"""RRULE, RDATE and EXDATE in one form, so that two that mean the same are equal.

Canonical lines: `RRULE:` with its parts in RFC order, upper case, lists sorted, defaults left out;
`RDATE` and `EXDATE` one line for each value, UTC instants (`EXDATE:20260105T090000Z`) or dates
(`EXDATE;VALUE=DATE:20260105`), sorted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from tandem.calendaring.ics.lines import Params, Unreadable
from tandem.calendaring.ics.values import Zones, canonical_id, moment

_ORDER = (
    "RSCALE", "FREQ", "UNTIL", "COUNT", "INTERVAL", "BYSECOND", "BYMINUTE", "BYHOUR", "BYDAY",
    "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYMONTH", "BYSETPOS", "WKST", "SKIP",
)  # fmt: skip
_DEFAULTS = {("INTERVAL", "1"), ("WKST", "MO"), ("SKIP", "OMIT"), ("RSCALE", "GREGORIAN")}
_WEEK = {"MO": 0, "TU": 1, "WE": 2, "TH": 3, "FR": 4, "SA": 5, "SU": 6}
_DAY = re.compile(r"([+-]?)(\d{0,2})(MO|TU|WE|TH|FR|SA|SU)$")


@lru_cache(maxsize=4096)
def rule(value: str) -> str:
    """A RRULE's value in canonical form. What is no rule is only put in order; `series` refuses it."""
    parts: dict[str, str] = {}
    for part in value.strip().upper().split(";"):
        name, equals, text = part.partition("=")
        if equals and name.strip():
            parts.setdefault(name.strip(), _list(name.strip(), text.replace(" ", "")))
    names = sorted(parts, key=lambda name: (_ORDER.index(name) if name in _ORDER else len(_ORDER), name))
    return ";".join(f"{name}={parts[name]}" for name in names if (name, parts[name]) not in _DEFAULTS)


def _list(name: str, text: str) -> str:
    if not name.startswith("BY") or not text:
        return text
    values = text.split(",")
    if name == "BYDAY":
        days = [_DAY.match(value) for value in values]
        if not all(days):
            return text
        keys = [(_WEEK[day[3]], int(f"{day[1]}{day[2] or 0}")) for day in days if day]
        names = {index: weekday for weekday, index in _WEEK.items()}
        return ",".join(f"{number or ''}{names[weekday]}" for weekday, number in sorted(set(keys)))
    if all(re.fullmatch(r"[+-]?\d{1,3}", value) for value in values):
        return ",".join(str(number) for number in sorted({int(value) for value in values}))
    return text


def dates(name: str, value: str, params: Params, places: Zones, floating: str) -> list[str]:
    """The canonical lines of one RDATE or EXDATE line. Values that are no time are left out.

    Of a PERIOD the start counts. `floating` is the zone of values without one.
    """
    lines = []
    for text in value.split(","):
        try:
            at = moment(text.partition("/")[0], params, places, floating)
            lines.append(line(name, canonical_id(at)))
        except Unreadable:
            continue
    return lines


def line(name: str, recurrence_id: str) -> str:
    """The canonical line of one RDATE or EXDATE value in the form of a recurrence id."""
    return f"{name};VALUE=DATE:{recurrence_id}" if len(recurrence_id) == 8 else f"{name}:{recurrence_id}"


def canonical(lines: Iterable[str]) -> tuple[str, ...]:
    """Canonical lines in their order: RRULEs, then RDATEs, then EXDATEs, each once."""
    order = {"RRULE": 0, "RDATE": 1, "EXDATE": 2}
    return tuple(sorted(set(lines), key=lambda text: (order.get(re.split("[;:]", text)[0], 3), text)))
