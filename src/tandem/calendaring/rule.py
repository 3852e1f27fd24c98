"""One recurrence rule (RFC 5545 3.3.10): read from its text, and expanded within bounds.

Expansion is python-dateutil's, on naive wall times. It never runs on without end: it starts near the
window, stops at its end, and gives up in words after `MOST_STEPS` steps.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, date, datetime, timedelta
from functools import lru_cache
from math import prod
from typing import Any
from zoneinfo import ZoneInfo

from dateutil import rrule as dateutil_rrule

MOST_STEPS = 100_000

FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY")  # dateutil's numbers
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_UNITS = {
    "WEEKLY": timedelta(weeks=1),
    "DAILY": timedelta(days=1),
    "HOURLY": timedelta(hours=1),
    "MINUTELY": timedelta(minutes=1),
    "SECONDLY": timedelta(seconds=1),
}
# part: lowest and highest value, and whether it may count from the end (negative, never zero)
_NUMBERS = {
    "BYSECOND": (0, 59, False),
    "BYMINUTE": (0, 59, False),
    "BYHOUR": (0, 23, False),
    "BYMONTHDAY": (1, 31, True),
    "BYYEARDAY": (1, 366, True),
    "BYWEEKNO": (1, 53, True),
    "BYMONTH": (1, 12, False),
    "BYSETPOS": (1, 366, True),
}
_LONGEST_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DAY_PARTS = ("BYDAY", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO")


class BadRecurrence(ValueError):
    """A recurrence that cannot be followed. `words` says why, for the person who looks at the event."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule's parts. `until` is a date or an instant as it was written; `by` has the BY… parts.

    `days` are BYDAY's (position, weekday): (0, 1) every Tuesday, (-1, 4) the last Friday.
    """

    freq: str
    interval: int
    count: int | None
    until: date | datetime | None
    wkst: int
    days: tuple[tuple[int, int], ...]
    by: Mapping[str, tuple[int, ...]]

    @property
    def endless(self) -> bool:
        return self.count is None and (self.until is None or self.until.year == MAXYEAR)

    def until_wall(self, tz: ZoneInfo | None) -> datetime | None:
        """The last wall time that UNTIL admits. A DATE on a timed series means that whole day."""
        if self.until is None:
            return None
        if not isinstance(self.until, datetime):
            return datetime.combine(self.until, datetime.max.time())
        if tz is None:
            return datetime.combine(self.until.date(), datetime.max.time())
        if self.until.tzinfo is None:
            return self.until
        if self.until.year in (1, MAXYEAR):  # an hour further may be out of the calendar
            return self.until.replace(tzinfo=None)
        return self.until.astimezone(tz).replace(tzinfo=None)


@lru_cache(maxsize=4096)
def parse(text: str) -> Rule:
    """The rule in `text`, without `RRULE:`. Raises `BadRecurrence` for what RFC 5545 doesn't know."""
    parts: dict[str, str] = {}
    for part in text.strip().strip(";").split(";"):
        name, equals, value = part.partition("=")
        if not equals or not value.strip():
            raise BadRecurrence(f"Its rule has a part that says nothing: “{part}”.")
        parts[name.strip().upper()] = value.strip().upper()
    freq = parts.pop("FREQ", "")
    if freq not in FREQUENCIES:
        raise BadRecurrence(f"Its rule doesn't say how often it repeats: “{freq or text}”.")
    wkst = parts.pop("WKST", "MO")
    if wkst not in WEEKDAYS:
        raise BadRecurrence(f"“{wkst}” is no day on which a week starts.")
    until = parts.pop("UNTIL", None)
    rule = Rule(
        freq=freq,
        interval=_positive("INTERVAL", parts.pop("INTERVAL", "1")),
        count=_positive("COUNT", parts.pop("COUNT")) if "COUNT" in parts else None,
        until=None if until is None else _until(until),
        wkst=WEEKDAYS.index(wkst),
        days=tuple(_day(item) for item in parts.pop("BYDAY").split(",")) if "BYDAY" in parts else (),
        by={name: _numbers(name, value) for name, value in parts.items()},
    )
    _check_possible(rule)
    return rule


def starts(rule: Rule, first: datetime, *, low: datetime, high: datetime, tz: ZoneInfo | None) -> Iterator[datetime]:
    """The rule's wall times in [low, high], ascending, for a series whose DTSTART is `first`.

    All are naive wall times in `tz` (None: dates at midnight). `first` itself comes only if the rule
    names it. Raises `BadRecurrence` when the rule names nothing or repeats too often to follow.
    """
    until = rule.until_wall(tz)
    high = high if until is None else min(high, until)
    if high < first:
        return
    # A rule like "29 February on a Monday in week 3" may never hold, and dateutil would try every day
    # until the year 9999. The calendar repeats after 400 years, weekdays included: counted in a time
    # shortly before 9999, the search ends soon.
    later = (MAXYEAR - high.year) // 400 * 400
    base = first if rule.count is not None else _near(rule, first, low)
    arguments = _arguments(rule, first)
    if rule.count is None:
        arguments["until"] = high.replace(year=high.year + later)
    else:
        arguments["count"] = rule.count
    try:
        found = dateutil_rrule.rrule(dtstart=base.replace(year=base.year + later), **arguments)
        for step, moved in enumerate(found):
            moment = moved.replace(year=moved.year - later)
            if moment > high:
                return
            if moment >= low and moment >= first:
                yield moment
            if step >= MOST_STEPS:
                raise BadRecurrence("It repeats too often to be followed.")
    except (ValueError, OverflowError) as error:
        if isinstance(error, BadRecurrence):
            raise
        raise BadRecurrence("Its rule contradicts itself, so that it never takes place.") from error


def _positive(name: str, text: str) -> int:
    if not re.fullmatch(r"\+?\d{1,9}", text) or int(text) == 0:
        raise BadRecurrence(f"{name} of its rule is “{text}”, and must be a number from 1.")
    return int(text)


def _until(text: str) -> date | datetime:
    try:
        if re.fullmatch(r"\d{8}", text):
            return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 (a date)
        if text.endswith("Z"):
            return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        return datetime.strptime(text, "%Y%m%dT%H%M%S")  # noqa: DTZ007 (wall time of the series)
    except ValueError:
        raise BadRecurrence(f"Its rule ends at “{text}”, which is no date.") from None


def _day(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)", text.strip())
    position = int(found[1] or 0) if found else 99
    if not found or abs(position) > 53 or (found[1] and position == 0):
        raise BadRecurrence(f"“{text}” in its rule is no weekday.")
    return position, WEEKDAYS.index(found[2])


def _numbers(name: str, text: str) -> tuple[int, ...]:
    if name not in _NUMBERS:
        raise BadRecurrence(f"Its rule has a part that no calendar knows: “{name}”.")
    lowest, highest, signed = _NUMBERS[name]
    values = []
    for item in text.split(","):
        if not re.fullmatch(r"[+-]?\d{1,3}", item.strip()):
            raise BadRecurrence(f"{name} of its rule is “{text}”, which is no list of numbers.")
        value = int(item)
        if not lowest <= (abs(value) if signed else value) <= highest:
            raise BadRecurrence(f"{name} of its rule has {value}, and goes from {lowest} to {highest}.")
        values.append(value)
    return tuple(values)


def _check_possible(rule: Rule) -> None:
    """Refuse at once what can never hold, for dateutil would look for it second by second."""
    months = rule.by.get("BYMONTH", tuple(range(1, 13)))
    month_days = rule.by.get("BYMONTHDAY", (1,))
    if not any(abs(day) <= _LONGEST_MONTHS[month - 1] for month in months for day in month_days):
        raise BadRecurrence("Its rule names a day that its months don't have.")
    positions = rule.by.get("BYSETPOS", (1,))
    if min(abs(position) for position in positions) > _most_in_a_period(rule):
        raise BadRecurrence("Its rule names a position that no period reaches.")


def _most_in_a_period(rule: Rule) -> int:
    """How many occurrences one period of the rule can hold at most, which BYSETPOS counts."""
    coarse = FREQUENCIES.index(rule.freq)
    finer = (("HOURLY", "BYHOUR"), ("MINUTELY", "BYMINUTE"), ("SECONDLY", "BYSECOND"))
    times = prod(len(set(rule.by.get(part, (0,)))) for unit, part in finer if coarse < FREQUENCIES.index(unit))
    return times * {"YEARLY": 366, "MONTHLY": 31, "WEEKLY": 7}.get(rule.freq, 1)


def _arguments(rule: Rule, first: datetime) -> dict[str, Any]:
    """dateutil's arguments, with what the rule takes from DTSTART spelled out: `_near` moves DTSTART."""
    by = {name: list(values) for name, values in rule.by.items()}
    if rule.days:
        days = [dateutil_rrule.weekday(day, position or None) for position, day in rule.days]
    elif rule.freq == "WEEKLY" and not any(part in by for part in _DAY_PARTS):
        days = [dateutil_rrule.weekday(first.weekday())]
    else:
        days = []
    if rule.freq in ("YEARLY", "MONTHLY") and not days and not any(part in by for part in _DAY_PARTS):
        by["BYMONTHDAY"] = [first.day]
        if rule.freq == "YEARLY":
            by.setdefault("BYMONTH", [first.month])
    for unit, part, value in (
        ("HOURLY", "BYHOUR", first.hour),
        ("MINUTELY", "BYMINUTE", first.minute),
        ("SECONDLY", "BYSECOND", first.second),
    ):
        if FREQUENCIES.index(rule.freq) < FREQUENCIES.index(unit):
            by.setdefault(part, [value])
    arguments: dict[str, Any] = {name.lower(): values for name, values in by.items()}
    if "BYDAY" in arguments or days:
        arguments["byweekday"] = days
    return {"freq": FREQUENCIES.index(rule.freq), "interval": rule.interval, "wkst": rule.wkst, **arguments}


def _near(rule: Rule, first: datetime, low: datetime) -> datetime:
    """A DTSTART in step with `first` that lies at least a period before `low`, or `first` itself."""
    if rule.freq in _UNITS:
        period = _UNITS[rule.freq] * rule.interval if rule.interval < 10**6 else timedelta.max
        steps = (low - first) // period - 1 if low > first else 0
        return first + period * steps if steps > 0 else first
    months = rule.interval * (12 if rule.freq == "YEARLY" else 1)
    apart = (low.year - first.year) * 12 + low.month - first.month
    steps = apart // months - 1
    if steps <= 0:
        return first
    years, month = divmod(first.month - 1 + months * steps, 12)
    # The first of the month: each month has one, and `_arguments` names the day that the rule means.
    base = first.replace(day=1, month=1 if rule.freq == "YEARLY" else month + 1, year=first.year + years)
    return base.replace(hour=0, minute=0, second=0)
