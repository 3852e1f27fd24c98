"""From a TZID to an IANA zone: by its name, its Windows name, the end of a global name, or its offsets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from zoneinfo import available_timezones

from dateutil.rrule import rrulestr
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from tandem.calendaring.event import zone
from tandem.calendaring.ics.lines import Unreadable, split

_OFFSET = re.compile(r"([+-])(\d\d)(\d\d)(\d\d)?$")
_FIXED = re.compile(r"(?:UTC|GMT)(?:([+-])(\d{1,2}):?(\d\d)?)?$", re.IGNORECASE)
_FINE = re.compile("HOUR|MINUTE|SECOND")
_NO_PLACES = {"Factory", "localtime", "posixrules"}


@lru_cache(maxsize=1)
def _iana() -> dict[str, str]:
    return {name.lower(): name for name in sorted(available_timezones() - _NO_PLACES)}


@lru_cache(maxsize=1)
def _windows() -> dict[str, str]:
    known = _iana()
    return {name.lower(): known[iana.lower()] for name, iana in WINDOWS_TO_OLSON.items() if iana.lower() in known}


@lru_cache(maxsize=4096)
def by_name(tzid: str) -> str:
    """The IANA name that `tzid` means, or '' when its name alone does not say."""
    text = tzid.strip().strip('"').lower()
    found = _iana().get(text) or _windows().get(text)
    if found:
        return found
    if text.startswith("tzone://microsoft/utc"):
        return "UTC"
    # "/freeassociation.sourceforge.net/Europe/Berlin", "/citadel.org/20210210_1/America/Indiana/Knox"
    parts = [part for part in text.split("/") if part]
    for length in (3, 2, 1):
        found = _iana().get("/".join(parts[-length:])) if len(parts) > length else None
        if found:
            return found
    return _fixed(text)


def _fixed(text: str) -> str:
    match = _FIXED.match(text)
    if match is None:
        return ""
    sign, hours, minutes = match.groups()
    if not sign or not int(hours):
        return "UTC"
    # POSIX turns the sign round: Etc/GMT-1 is one hour ahead of UTC.
    name = f"etc/gmt{'-' if sign == '+' else '+'}{int(hours)}"
    return "" if int(minutes or 0) else _iana().get(name, "")


def resolve(tzid: str, definitions: Sequence[Sequence[str]], year: int) -> str:
    """The IANA name for `tzid`.

    `definitions` are the logical lines of each VTIMEZONE in the same text; `year` is that in which
    offsets are compared. Raises `Unreadable` for a zone that nothing tells.
    """
    found = by_name(tzid)
    if found:
        return found
    for lines in definitions:
        if any(split(line)[0] == "TZID" and split(line)[2].strip() == tzid for line in lines):
            found = _by_definition(tuple(lines), min(max(year, 1971), 2037))
            if found:
                return found
    raise Unreadable(f"It uses a time zone that Tandem does not know: {tzid[:80]}.")


@lru_cache(maxsize=512)
def _by_definition(lines: tuple[str, ...], year: int) -> str:
    """The zone whose offsets are those of a VTIMEZONE throughout `year`; '' when there is none."""
    for line in lines:
        name, _, value = split(line)
        if name == "X-LIC-LOCATION" and by_name(value):
            return by_name(value)
    probes = [datetime(year, month, day, 12, tzinfo=UTC) for month in range(1, 13) for day in (1, 11, 21)]
    try:
        onsets = sorted(_onsets(lines, year))
    except (KeyError, ValueError, TypeError, OverflowError):
        return ""
    offsets = [_offset_at(onsets, probe) for probe in probes]
    for candidate in _candidates():
        place = zone(candidate)
        if all(probe.astimezone(place).utcoffset() == offset for probe, offset in zip(probes, offsets, strict=True)):
            return candidate
    return ""


@lru_cache(maxsize=1)
def _candidates() -> tuple[str, ...]:
    """Well-known places first: what Windows maps to, then all the others."""
    return tuple(dict.fromkeys(["UTC", "Europe/Berlin", "America/New_York", *_windows().values(), *_iana().values()]))


def _offset_at(onsets: Sequence[tuple[datetime, timedelta, timedelta]], moment: datetime) -> timedelta | None:
    current = onsets[0][1] if onsets else None
    for begins, _, after in onsets:
        if begins <= moment:
            current = after
    return current


def _onsets(lines: Sequence[str], year: int) -> Iterator[tuple[datetime, timedelta, timedelta]]:
    """The instants up to `year` at which an observance begins, with the offsets before and after."""
    observance: dict[str, str] | None = None
    for line in lines:
        name, _, value = split(line)
        if name == "BEGIN" and value.strip().upper() in {"STANDARD", "DAYLIGHT"}:
            observance = {}
        elif name == "END" and observance is not None:
            yield from _observance(observance, year)
            observance = None
        elif observance is not None:
            observance[name] = f"{observance[name]},{value}" if name == "RDATE" and name in observance else value


def _observance(values: dict[str, str], year: int) -> Iterator[tuple[datetime, timedelta, timedelta]]:
    before, after = _offset(values["TZOFFSETFROM"]), _offset(values["TZOFFSETTO"])
    fixed = timezone(before)
    for wall in _begins(values, year):
        if wall.year <= year:
            yield wall.replace(tzinfo=fixed).astimezone(UTC), before, after


def _begins(values: dict[str, str], year: int) -> list[datetime]:
    start = _wall(values["DTSTART"])
    begins = [start, *(_wall(text) for text in values.get("RDATE", "").split(",") if text)]
    rule = re.sub(r"UNTIL=(\d{8}T\d{6})Z", r"UNTIL=\1", values.get("RRULE", "").upper())
    if rule:
        # Only what a clock change can be: a rule by the second would keep us busy for hours.
        if not re.fullmatch(r"[A-Z0-9;=,+-]{1,200}", rule) or "FREQ=YEARLY" not in rule or _FINE.search(rule):
            raise ValueError(rule)
        # Two years are enough to know what rules throughout the second.
        first = max(start, datetime(year - 1, 1, 1))  # noqa: DTZ001 (a wall time)
        begins += rrulestr(rule, dtstart=start).between(first, datetime(year, 12, 31), inc=True)  # noqa: DTZ001
    return begins


def _wall(text: str) -> datetime:
    return datetime.strptime(text.strip()[:15], "%Y%m%dT%H%M%S")  # noqa: DTZ007 (a wall time)


def _offset(text: str) -> timedelta:
    match = _OFFSET.match(text.strip())
    if match is None:
        raise ValueError(text)
    sign, hours, minutes, seconds = match.groups()
    size = timedelta(hours=int(hours), minutes=int(minutes), seconds=int(seconds or 0))
    return -size if sign == "-" else size
