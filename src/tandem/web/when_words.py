"""Times as people write them: `Thu 14:00 – 15:00`, `3 Jan`, `40 s ago`. Pure, in the reader's zone."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from tandem.calendaring.event import When

NO_BREAK = "\u00a0"


def day_words(day: date, today: date) -> str:
    """`Thu 11 Dec`, with the year when it isn't this one."""
    words = f"{day:%a} {day.day} {day:%b}"
    return words if day.year == today.year else f"{words} {day.year}"


def short_day(day: date, today: date) -> str:
    """`3 Jan`, kept on one line; with the year when it is more than eleven months off."""
    words = f"{day.day}{NO_BREAK}{day:%b}"
    return words if abs((day - today).days) < 335 else f"{words} {day.year}"


def clock(moment: datetime) -> str:
    return f"{moment:%H:%M}"


def span(when: When, starts_at: datetime, ends_at: datetime, tz: ZoneInfo) -> str:
    """Weekday and hours for a row that shows the date itself: `Thu 14:00 – 15:00`, `Thu, all day`."""
    if when.all_day:
        return _days(when)
    start, end = starts_at.astimezone(tz), ends_at.astimezone(tz)
    if end <= start:
        return f"{start:%a} {clock(start)}"
    if _last_day(start, end) == start.date():
        return f"{start:%a} {clock(start)} – {clock(end)}"
    return f"{start:%a} {clock(start)} – {end:%a} {clock(end)}"


def full_span(when: When, starts_at: datetime, ends_at: datetime, tz: ZoneInfo, today: date) -> str:
    """The whole time in one line: `Thu 11 Dec, 14:00 – 15:00`, `Wed 10 – Thu 11 Dec, all day`."""
    if when.all_day:
        first, last = when.first_day, last_all_day(when)
        if first == last:
            return f"{day_words(first, today)}, all day"
        return f"{day_words(first, today)} – {day_words(last, today)}, all day"
    start, end = starts_at.astimezone(tz), ends_at.astimezone(tz)
    if _last_day(start, end) == start.date():
        hours = clock(start) if end <= start else f"{clock(start)} – {clock(end)}"
        return f"{day_words(start.date(), today)}, {hours}"
    return f"{day_words(start.date(), today)}, {clock(start)} – {day_words(end.date(), today)}, {clock(end)}"


def _last_day(start: datetime, end: datetime) -> date:
    """Midnight is still the evening before."""
    return max(start, end - timedelta(seconds=1)).date()


def last_all_day(when: When) -> date:
    """The last day that an all-day event covers; one with an end before its start covers its first."""
    return max(when.first_day, when.end_day - timedelta(days=1))


def _days(when: When) -> str:
    first, last = when.first_day, last_all_day(when)
    if first == last:
        return f"{first:%a}, all day"
    if (last - first).days < 7:
        return f"{first:%a} – {last:%a}, all day"
    return f"{first:%a} – {last:%a} {last.day} {last:%b}, all day"


def ago(moment: datetime, now: datetime, tz: ZoneInfo) -> str:
    """`40 s ago`, `12 min ago`, `today 08:11`, `Fri 5 Dec, 17:12`: from then to `now`."""
    seconds = max(0, int((now - moment).total_seconds()))
    if seconds < 60:
        return f"{seconds} s ago"
    if seconds < 3600:
        return f"{seconds // 60} min ago"
    return at(moment, now, tz)


def at(moment: datetime, now: datetime, tz: ZoneInfo) -> str:
    """`today 08:11`, `yesterday 17:12`, `Fri 5 Dec, 17:12`."""
    local, today = moment.astimezone(tz), now.astimezone(tz).date()
    if local.date() == today:
        return f"today {clock(local)}"
    if local.date() == today - timedelta(days=1):
        return f"yesterday {clock(local)}"
    return f"{day_words(local.date(), today)}, {clock(local)}"


def since(moment: datetime, now: datetime, tz: ZoneInfo) -> str:
    """`since 08:12`, `since yesterday 17:12`."""
    local = moment.astimezone(tz)
    if local.date() == now.astimezone(tz).date():
        return f"since {clock(local)}"
    return f"since {at(moment, now, tz)}"


def zone_words(name: str, at_moment: datetime) -> str:
    """`Paris, GMT+1`: the place of an IANA zone and its offset at that moment."""
    place = name.rsplit("/", 1)[-1].replace("_", " ")
    offset = at_moment.astimezone(ZoneInfo(name)).utcoffset() or timedelta()
    minutes = int(offset.total_seconds() // 60)
    sign = "−" if minutes < 0 else "+"
    hours, rest = divmod(abs(minutes), 60)
    amount = f"{hours}:{rest:02d}" if rest else f"{hours}"
    return f"{place}, GMT{sign}{amount}" if minutes else f"{place}, GMT"


def names(people: list[str], *, most: int = 3) -> str:
    """`you, Tom Eklund`, or `Anneke de Vries and 3 more` when there are too many for a line."""
    if len(people) <= most:
        return ", ".join(people)
    return f"{people[0]} and {len(people) - 1} more"


def and_list(words: list[str]) -> str:
    """`Priya and Tom`, `Priya, Tom and Ann`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def count(number: int, one: str, many: str = "") -> str:
    """`1 edit`, `2 edits`."""
    return f"{number} {one if number == 1 else many or one + 's'}"
