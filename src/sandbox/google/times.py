"""`EventDateTime` as the API takes it, keeps it and shows it.

Kept: `{"date": …}`, or `{"dateTime": wall time with its offset in the event's zone, "timeZone": IANA name}`.
Shown: the same instant with the offset of the *calendar's* zone (or of the parameter `timeZone`), while the
field `timeZone` still names the event's own.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sandbox.google.problems import Json, Problem, invalid, required, time_range_empty


@lru_cache(maxsize=512)
def zone(name: str) -> ZoneInfo:
    """Raises `ZoneInfoNotFoundError` or `ValueError` for a name that is none."""
    return ZoneInfo(name)


def is_zone(name: str) -> bool:
    try:
        zone(name)
    except (ZoneInfoNotFoundError, ValueError, IsADirectoryError):
        return False
    return True


def kept(value: Json | None, calendar_zone: str, which: str, *, recurring: bool) -> Json:
    """What a client sent for `which` ("start" or "end"), as it is kept. Raises `Problem` 400."""
    value = {name: part for name, part in (value or {}).items() if part is not None}
    if "date" in value and "dateTime" in value:
        # A patch merges: {"date": …} over a timed event leaves both, unless dateTime is sent as null.
        raise invalid(f"Invalid {which} time.")
    if "date" in value:
        return {"date": date.fromisoformat(value["date"]).isoformat()}
    if "dateTime" not in value:
        raise required(f"{which} time")
    name = value.get("timeZone", "")
    if name and not is_zone(name):
        raise invalid(f"Invalid time zone definition for {which} time.")
    moment = _moment(value["dateTime"], which)
    if not name and (moment.tzinfo is None or recurring):
        raise Problem(400, "required", f"Missing time zone definition for {which} time.")
    name = name or calendar_zone
    placed = moment.astimezone(zone(name)) if moment.tzinfo else moment.replace(tzinfo=zone(name))
    return {"dateTime": placed.isoformat(timespec="seconds"), "timeZone": name}


def check_range(start: Json, end: Json) -> None:
    """Raises `Problem` 400 when both are not of a kind, or the end is not after the start."""
    if ("date" in start) != ("date" in end):
        raise invalid("Start and end times must either both be date or both be dateTime.")
    if "date" in start:
        if end["date"] <= start["date"]:
            raise time_range_empty("end")
    elif instant(end, "UTC") < instant(start, "UTC"):
        raise time_range_empty("end")


def instant(value: Json, calendar_zone: str) -> datetime:
    """The UTC instant; a day begins at midnight in the calendar's zone."""
    if "date" in value:
        midnight = datetime.combine(date.fromisoformat(value["date"]), time(), zone(calendar_zone))
        return midnight.astimezone(UTC)
    moment = datetime.fromisoformat(value["dateTime"])
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone(value.get("timeZone") or calendar_zone))
    return moment.astimezone(UTC)


def shown(value: Json, answer_zone: str) -> Json:
    """As an answer shows it, in the zone of the answer."""
    if "dateTime" not in value:
        return value
    moment = instant(value, answer_zone).astimezone(zone(answer_zone))
    text = moment.isoformat(timespec="seconds")
    return value | {"dateTime": text.replace("+00:00", "Z")}


def suffix(value: Json) -> str:
    """What names an occurrence in ids: `20260105T090000Z`, or `20260105` for a day."""
    if "date" in value:
        return str(value["date"]).replace("-", "")
    return instant(value, "UTC").strftime("%Y%m%dT%H%M%SZ")


def _moment(text: str, which: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as fault:
        raise invalid(f"Invalid {which} time.") from fault
