"""A recurrence in English, as pages and mails say it: "Every 2 weeks on Tuesday, 4 times"."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import MAXYEAR, date

from tandem.calendaring.event import When, zone
from tandem.calendaring.rule import FREQUENCIES, BadRecurrence, Rule, parse

_UNITS = dict(zip(FREQUENCIES, ("year", "month", "week", "day", "hour", "minute", "second"), strict=True))
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_POSITIONS = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", -1: "last", -2: "second last"}


def words(recurrence: Sequence[str], when: When | None) -> str:
    """A master's lines in English; empty when it doesn't repeat. Never raises: what cannot be said is said so.

    `when` is the master's own time, from which a rule takes what it doesn't name.
    """
    rules = [line.partition(":")[2] for line in recurrence if line.upper().startswith("RRULE")]
    extra = sum(line.count(",") + 1 for line in recurrence if line.upper().startswith("RDATE"))
    without = sum(line.count(",") + 1 for line in recurrence if line.upper().startswith("EXDATE"))
    if not rules and not extra:
        return ""
    try:
        said = "; ".join(_rule(parse(text), when) for text in rules)
    except BadRecurrence:
        return "Repeats by a rule that Tandem can't follow"
    if extra:
        more = f"on {extra} {'more' if said else 'further'} {_plural(extra, 'date')}"
        said = f"{said}, and {more}" if said else f"Repeats {more}"
    return f"{said}, except on {without} {_plural(without, 'date')}" if without else said


def _rule(rule: Rule, when: When | None) -> str:
    unit = _UNITS[rule.freq]
    often = f"Every {unit}" if rule.interval == 1 else f"Every {rule.interval} {unit}s"
    on = _on(rule, when)
    if on is None:
        return f"{often}, by a rule of its own{_end(rule, when)}"
    if rule.freq == "WEEKLY" and rule.interval == 1 and sorted(rule.days) == [(0, day) for day in range(5)]:
        return f"Every weekday{_end(rule, when)}"
    return f"{often}{on}{_end(rule, when)}"


def _on(rule: Rule, when: When | None) -> str | None:
    """ " on Tuesday", " on the 15th"; None for a rule too special for a short sentence."""
    parts = set(rule.by)
    first = when.first_day if when else None
    if rule.freq == "WEEKLY" and not parts:
        days = [day for _, day in sorted(rule.days, key=lambda item: item[1])] or ([first.weekday()] if first else [])
        return f" on {_list([_DAYS[day] for day in days])}" if days else ""
    if rule.freq == "MONTHLY" and parts <= {"BYMONTHDAY", "BYSETPOS"}:
        return _on_in_month(rule, first)
    if rule.freq == "YEARLY":
        return _on_in_year(rule, first)
    return "" if not parts and not rule.days else None


def _on_in_month(rule: Rule, first: date | None) -> str | None:
    positions = rule.by.get("BYSETPOS", ())
    if rule.days:
        if "BYMONTHDAY" in rule.by or len(positions) > 1 or (positions and len(rule.days) > 1):
            return None
        named = [(position or (positions[0] if positions else 0), day) for position, day in rule.days]
        if any(position not in _POSITIONS for position, _ in named):
            return None
        return f" on the {_list([f'{_POSITIONS[position]} {_DAYS[day]}' for position, day in named])}"
    if positions:
        return None
    days = rule.by.get("BYMONTHDAY", (first.day,) if first else ())
    if any(day < -1 for day in days):
        return None
    return f" on the {_list(['last day' if day == -1 else _ordinal(day) for day in days])}" if days else ""


def _on_in_year(rule: Rule, first: date | None) -> str | None:
    if set(rule.by) - {"BYMONTH", "BYMONTHDAY"}:
        return None
    months = rule.by.get("BYMONTH", (first.month,) if first else ())
    if len(months) != 1:
        return None
    month = _MONTHS[months[0] - 1]
    if rule.days:
        if "BYMONTH" not in rule.by or "BYMONTHDAY" in rule.by or any(at not in _POSITIONS for at, _ in rule.days):
            return None
        return f" on the {_list([f'{_POSITIONS[at]} {_DAYS[day]}' for at, day in rule.days])} of {month}"
    if "BYMONTHDAY" in rule.by and "BYMONTH" not in rule.by:
        return None
    days = rule.by.get("BYMONTHDAY", (first.day,) if first else ())
    return f" on {_list([str(day) for day in days])} {month}" if days and min(days) > 0 else None


def _end(rule: Rule, when: When | None) -> str:
    ends = ""
    if rule.count is not None:
        ends += f", {rule.count} {_plural(rule.count, 'time')}"
    last = rule.until_wall(zone(when.zone) if when and when.zone else None)
    if last is not None and last.year < MAXYEAR:
        ends += f", until {last.day} {_MONTHS[last.month - 1]} {last.year}"
    return ends


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _plural(number: int, word: str) -> str:
    return word if number == 1 else f"{word}s"


def _list(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
