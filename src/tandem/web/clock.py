"""Dates in words, in the zone that is active for the reader. `now` comes from the caller."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import available_timezones

from django.utils import timezone


def local_date(value: datetime | date) -> date:
    """The reader's calendar day of an instant; a date stays itself."""
    return timezone.localtime(value).date() if isinstance(value, datetime) else value


def day(value: datetime | date, now: datetime) -> str:
    """`Thu 11 Dec`, "Today", "Yesterday", "Tomorrow", and the year when it is another one."""
    when, today = local_date(value), local_date(now)
    near = {0: "Today", -1: "Yesterday", 1: "Tomorrow"}.get((when - today).days)
    return near or f"{when:%a} {short_day(when, now)}"


def short_day(value: datetime | date, now: datetime) -> str:
    """`11 Dec`, "Today", or `11 Dec 2024` in another year. A near January or December needs no year."""
    when, today = local_date(value), local_date(now)
    if when == today:
        return "Today"
    near = when.year == today.year or abs((when - today).days) < 90
    return f"{when.day} {when:%b}" if near else f"{when.day} {when:%b %Y}"


def moment(value: datetime | date, now: datetime) -> str:
    """The day, and the time when there is one: `Thu 11 Dec, 14:00`."""
    words = day(value, now)
    return f"{words}, {timezone.localtime(value):%H:%M}" if isinstance(value, datetime) else words


def moment_within(value: datetime | date, now: datetime) -> str:
    """`moment` amid a sentence: `today, 10:30`, `Thu 11 Dec, 14:00`."""
    words = moment(value, now)
    near = words.startswith(("Today", "Yesterday", "Tomorrow"))
    return words[0].lower() + words[1:] if near else words


def ago(value: datetime, now: datetime) -> str:
    """How long since: `40 s ago`, `3 min ago`, `2 h ago`; the moment itself after a day."""
    gone = max(now - value, timedelta())
    if gone < timedelta(minutes=1):
        return f"{gone.seconds} s ago"
    if gone < timedelta(hours=1):
        return f"{gone.seconds // 60} min ago"
    if gone < timedelta(days=1):
        return f"{gone.seconds // 3600} h ago"
    return moment_within(value, now)


def zone_words(name: str) -> str:
    """`America/New_York` as people say it: "New York time"."""
    return "UTC" if name == "UTC" else name.rpartition("/")[2].replace("_", " ") + " time"


def zone_names() -> list[str]:
    """The zones a person may choose: places, and UTC."""
    return sorted(name for name in available_timezones() if name == "UTC" or ("/" in name and "Etc/" not in name))
