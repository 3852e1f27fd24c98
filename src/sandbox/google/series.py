"""Series: when they occur, and the occurrences that no exception stands for.

An exception is an entry of its own, `<series id>_<original start>`; every other occurrence is computed.
Rules run on wall time in the zone of the start (RFC 5545 3.3.10). A rule that cannot be read, or a zone that nobody
knows, gives no occurrences: Google holds such events (imports, old clients), and so does the sandbox when planted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from dateutil import rrule

from sandbox.google import times
from sandbox.google.problems import Json, invalid, not_found
from sandbox.google.store import Calendar, Entry

LINE = re.compile(r"(RRULE|EXRULE|RDATE|EXDATE)[;:].+", re.IGNORECASE)
INSTANCE = re.compile(r"(?P<series>.+)_(?P<key>\d{8}(?:T\d{6}Z)?)")
ENDLESS = timedelta(days=730)
"""How far an endless series is expanded when nobody names an end (assumed)."""
MOST = 10_000


def check(lines: list[str], start: Json) -> None:
    """Raises `Problem` 400 for a recurrence that Google would not take."""
    for line in lines:
        if not LINE.fullmatch(line):
            raise invalid("Invalid recurrence rule.")
    try:
        _rules(lines, start)
    except (ValueError, TypeError, KeyError) as fault:
        raise invalid("Invalid recurrence rule.") from fault


def originals(series: Json, *, before: datetime, calendar_zone: str) -> Iterator[Json]:
    """The original starts, as `EventDateTime`s, of all occurrences that start before the UTC instant."""
    start = series["start"]
    try:
        rules = _rules(series["recurrence"], start)
        _placed(_wall(start), start)
    except (ValueError, TypeError, KeyError):
        return
    for number, wall in enumerate(rules):
        found = _placed(wall, start)
        if number >= MOST or times.instant(found, calendar_zone) >= before:
            return
        yield found


def occurrence(series: Json, key: str, calendar_zone: str) -> Json | None:
    """The original start that `key` names, if the series has it."""
    limit = datetime.strptime(key[:8], "%Y%m%d").replace(tzinfo=UTC) + timedelta(days=2)
    for found in originals(series, before=limit, calendar_zone=calendar_zone):
        if times.suffix(found) == key:
            return found
    return None


def computed(series: Entry, original: Json) -> Entry:
    """The occurrence as an entry that is not kept: its series' fields, in its own place."""
    data = {name: value for name, value in series.data.items() if name != "recurrence"}
    key = times.suffix(original)
    data |= {
        "recurringEventId": series.id,
        "originalStartTime": original,
        "start": original,
        "end": _end(series.data, original),
    }
    return Entry(f"{series.id}_{key}", data, changed=series.changed, gone=series.gone)


def lookup(calendar: Calendar, event_id: str) -> Entry:
    """An entry, or the computed occurrence that the id names. Raises `Problem` 404."""
    found = calendar.entries.get(event_id)
    if found is not None:
        return found
    named = INSTANCE.fullmatch(event_id)
    series = calendar.entries.get(named["series"]) if named else None
    if named is None or series is None or not series.is_series:
        raise not_found()
    original = occurrence(series.data, named["key"], calendar.zone)
    if original is None:
        raise not_found()
    return computed(series, original)


def instances(calendar: Calendar, series: Entry, *, before: datetime) -> Iterator[Entry]:
    """Every occurrence in order of its original start, exceptions (cancelled ones too) in their places."""
    own = {entry.key: entry for entry in calendar.exceptions_of(series.id)}
    for original in originals(series.data, before=before, calendar_zone=calendar.zone):
        key = times.suffix(original)
        yield own.pop(key) if key in own else computed(series, original)
    # Moved out of the far future, or of an occurrence that the rule no longer has.
    yield from (entry for entry in own.values() if "start" in entry.data)


def overlaps(calendar: Calendar, entry: Entry, after: datetime | None, before: datetime | None) -> bool:
    """Whether it, or any occurrence of it, ends after `after` and starts before `before`."""
    if not entry.is_series:
        return _within(calendar, entry.data, after, before)
    starts = times.instant(entry.data["start"], calendar.zone)
    if before is not None and starts >= before:
        return False
    if after is None:
        return True
    length = times.instant(entry.data["end"], calendar.zone) - starts
    horizon = before or max(after, starts) + ENDLESS
    for original in originals(entry.data, before=horizon, calendar_zone=calendar.zone):
        if times.instant(original, calendar.zone) + length > after:
            return True
    return False


def _within(calendar: Calendar, data: Json, after: datetime | None, before: datetime | None) -> bool:
    if "start" not in data:
        return True
    if before is not None and times.instant(data["start"], calendar.zone) >= before:
        return False
    return after is None or times.instant(data["end"], calendar.zone) > after


def _rules(lines: list[str], start: Json) -> rrule.rruleset:
    first = _wall(start)
    rules = rrule.rruleset()
    if not any(line.upper().startswith(("RRULE", "RDATE")) for line in lines):
        raise ValueError("nothing recurs")
    for line in lines:
        head, _, value = line.partition(":")
        name, _, parameters = head.partition(";")
        if name.upper() in {"RRULE", "EXRULE"}:
            rule = rrule.rrulestr(_local_until(value, start), dtstart=first)
            if not isinstance(rule, rrule.rrule):
                raise ValueError("one line, one rule")
            rules.rrule(rule) if name.upper() == "RRULE" else rules.exrule(rule)
            continue
        for text in value.split(","):
            moment = _listed(text, parameters, start)
            rules.rdate(moment) if name.upper() == "RDATE" else rules.exdate(moment)
    if any(line.upper().startswith("RDATE") for line in lines):
        rules.rdate(first)
    return rules


def _local_until(rule: str, start: Json) -> str:
    """UNTIL as wall time, for rules run on wall time. A date on a timed event means the end of that day."""
    found = re.search(r"UNTIL=(\d{8})(T\d{6})?(Z)?", rule, re.IGNORECASE)
    if not found:
        return rule
    if not found[2]:
        wall = f"{found[1]}T235959"
    elif found[3]:
        moment = datetime.strptime(found[1] + found[2], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
        wall = moment.astimezone(times.zone(start.get("timeZone", "UTC"))).strftime("%Y%m%dT%H%M%S")
    else:
        wall = found[1] + found[2]
    return rule.replace(found[0], f"UNTIL={wall}")


def _listed(text: str, parameters: str, start: Json) -> datetime:
    """A value of RDATE or EXDATE as wall time in the zone of the start. Raises `ValueError`."""
    if len(text) == 8:
        day = datetime.strptime(text, "%Y%m%d")  # noqa: DTZ007 - a wall time
        return day if "date" in start else datetime.combine(day, _wall(start).time())
    wall = datetime.strptime(text.rstrip("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007 - a wall time
    named = re.search(r"TZID=([^;:]+)", parameters)
    source = UTC if text.endswith("Z") else times.zone(named[1]) if named else None
    if source is None or "date" in start:
        return wall
    return wall.replace(tzinfo=source).astimezone(times.zone(start["timeZone"])).replace(tzinfo=None)


def _wall(value: Json) -> datetime:
    if "date" in value:
        return datetime.fromisoformat(value["date"])
    return datetime.fromisoformat(value["dateTime"]).replace(tzinfo=None)


def _placed(wall: datetime, start: Json) -> Json:
    if "date" in start:
        return {"date": wall.date().isoformat()}
    moment = wall.replace(tzinfo=times.zone(start["timeZone"]))
    return {"dateTime": moment.isoformat(timespec="seconds"), "timeZone": start["timeZone"]}


def _end(series: Json, original: Json) -> Json:
    """The series' length from there: days for days, wall time for timed ones."""
    if "date" in original:
        length = date.fromisoformat(series["end"]["date"]) - date.fromisoformat(series["start"]["date"])
        return {"date": (date.fromisoformat(original["date"]) + length).isoformat()}
    lasts = times.instant(series["end"], "UTC") - times.instant(series["start"], "UTC")
    return _placed(_wall(original) + lasts, series["start"])
