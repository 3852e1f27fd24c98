"""What people type into an event form, read kindly: times, dates, zones, addresses. Pure.

Every reader raises `Unclear` with a sentence for the field; nothing is guessed silently.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from email.utils import parseaddr
from functools import lru_cache
from typing import TypeVar
from zoneinfo import available_timezones

from tandem.calendaring.event import When, zone
from tandem.calendaring.identity import normalise_address

Read = TypeVar("Read")


class Unclear(Exception):
    """`words` says beside `field` what is wrong and how to say it."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field
        self.words = words


_TIME = re.compile(r"^(\d{1,2})(?:[:.h ]?(\d{2}))?\s*(am|pm|a\.m\.|p\.m\.)?$", re.IGNORECASE)
_DATES = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%d %b %Y", "%d %B %Y", "%a %d %b %Y")


def read_time(text: str, field: str) -> time:
    """`9:00`, `09:00`, `9.30`, `0930`, `9am`, `9:30 pm`, `9`. Raises `Unclear`."""
    match = _TIME.match(text.strip())
    if not match:
        raise Unclear(field, "Write a time such as 9:00, 9.30 or 9am." if text.strip() else "Say at what time.")
    hour, minute = int(match[1]), int(match[2] or 0)
    half = (match[3] or "").lower()[:1]
    if half:
        if not 1 <= hour <= 12:
            raise Unclear(field, f"{hour} is no hour before am or pm.")
        hour = hour % 12 + (12 if half == "p" else 0)
    if hour > 23 or minute > 59:
        raise Unclear(field, "A day has no such time. Write one such as 9:00 or 21:30.")
    return time(hour, minute)


def read_date(text: str, field: str) -> date:
    """`2026-01-05` as browsers send it, also `5.1.2026`, `5/1/2026`, `5 Jan 2026`. Raises `Unclear`."""
    words = text.strip()
    if not words:
        raise Unclear(field, "Say on which day.")
    for shape in _DATES:
        try:
            found = datetime.strptime(words, shape).replace(tzinfo=UTC).date()
        except ValueError:
            continue
        if not 1970 <= found.year <= 2200:
            raise Unclear(field, "That year is too far away for a calendar.")
        return found
    raise Unclear(field, "No calendar has this day. Write one such as 2026-01-05 or 5 Jan 2026.")


@lru_cache(maxsize=1)
def zone_names() -> tuple[str, ...]:
    """Every place that a person may choose, without the historic spellings."""
    areas = ("Africa/", "America/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/")
    return ("UTC", *sorted(name for name in available_timezones() if name.startswith(areas)))


def read_zone(text: str, field: str = "zone") -> str:
    """An IANA name; a place alone (`oslo`) will do. Raises `Unclear`."""
    words = text.strip().replace(" ", "_")
    if words in available_timezones():
        return words
    for name in zone_names():
        if words and words.lower() in (name.lower(), name.rsplit("/", 1)[-1].lower()):
            return name
    raise Unclear(field, "No time zone has this name. Write a place such as Europe/Paris.")


@dataclass(frozen=True, slots=True)
class WhenTyped:
    """The fields of the form as they were typed."""

    date: str
    start: str
    end: str
    end_date: str
    zone: str
    all_day: bool


def read_when(typed: WhenTyped) -> tuple[When | None, dict[str, str]]:
    """The time, or None and a sentence for each field that is wrong."""
    errors: dict[str, str] = {}
    first = _kept(errors, read_date, typed.date, "date")
    last = _kept(errors, read_date, typed.end_date, "end_date") if typed.end_date.strip() else first
    if typed.all_day:
        if first and last and last < first:
            errors["end_date"] = "The meeting ends before it starts."
        return (When.days(first, last + timedelta(days=1)), {}) if first and last and not errors else (None, errors)
    start = _kept(errors, read_time, typed.start, "start")
    end = _kept(errors, read_time, typed.end, "end")
    name = _kept(errors, read_zone, typed.zone, "zone")
    if errors or first is None or last is None or start is None or end is None or name is None:
        return None, errors
    wall = [datetime.combine(day, hour, tzinfo=zone(name)) for day, hour in ((first, start), (last, end))]
    for field, moment in zip(("start", "end"), wall, strict=True):
        if not _exists(moment):
            errors[field] = f"On {moment.day} {moment:%B} the clocks jump over {moment:%H:%M} in {_place(name)}."
    if not errors and wall[1].astimezone(UTC) <= wall[0].astimezone(UTC):
        field = "end_date" if last < first else "end"
        errors[field] = "The meeting ends before it starts." if wall[1] != wall[0] else "The meeting has no length."
    return (None, errors) if errors else (When.timed(wall[0], wall[1], name), {})


def _kept(errors: dict[str, str], reader: Callable[[str, str], Read], text: str, field: str) -> Read | None:
    try:
        return reader(text, field)
    except Unclear as unclear:
        errors[unclear.field] = unclear.words
        return None


def _exists(moment: datetime) -> bool:
    """Whether a wall time happens at all: in the gap of a DST change it comes back as another one."""
    back = moment.astimezone(UTC).astimezone(moment.tzinfo)
    return back.replace(tzinfo=None) == moment.replace(tzinfo=None)


def _place(name: str) -> str:
    return name.rsplit("/", 1)[-1].replace("_", " ")


_LOCAL = re.compile(r"^[^\s@<>(),;:\"\[\]\x00-\x1f\x7f]+$")


def read_address(text: str, field: str = "guest") -> tuple[str, str]:
    """`Ann Lee <ann@example.com>` or `ann@example.com` as (normalised address, name). Raises `Unclear`."""
    name, found = parseaddr(text.strip())
    address = normalise_address(found or text)
    local, at, domain = address.rpartition("@")
    if not at or not local:
        raise Unclear(field, "Nobody here has this name. Write an address such as ann@example.com.")
    if not _LOCAL.match(local) or ".." in address or local[0] == "." or local[-1] == ".":
        raise Unclear(field, "This address has a character that mail servers don’t take.")
    if "." not in domain.strip("."):
        raise Unclear(field, "This address has no ending, such as .com.")
    labels = domain.split(".")
    if any(not re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", label) for label in labels) or len(address) > 254:
        raise Unclear(field, "The part after @ is no name that mail can be sent to.")
    return address, name.strip()
