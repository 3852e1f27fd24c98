"""The calendar: agenda, week and day, one's own or the team's. What is not for the reader shows as busy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils import timezone

from tandem.meetings import reading
from tandem.meetings.rows import EventRow
from tandem.web import event_rows, live, week_layout, when_words
from tandem.web.event_rows import RowView, reader_zone
from tandem.web.request import SignedInRequest

AGENDA_DAYS = 14
DAYS = {"agenda": AGENDA_DAYS, "week": 7, "day": 1}
FROM_HOUR = 7


@dataclass(frozen=True, slots=True)
class Shown:
    """What the calendar shows: `view` agenda, week or day, from `first` for `days`, `who` mine or team."""

    view: str
    who: str
    first: date
    days: int
    today: date

    @property
    def end(self) -> date:
        return self.first + timedelta(days=self.days)


def _shown(request: SignedInRequest, now: datetime) -> Shown:
    today = now.astimezone(reader_zone(request.user)).date()
    asked = request.GET.get("view", "")
    view = asked if asked in DAYS else "agenda"
    who = "mine" if request.GET.get("who") == "mine" else "team"
    try:
        first = date.fromisoformat(request.GET.get("from", ""))
    except ValueError:
        first = today
    first = min(max(first, date(1971, 1, 1)), date(2199, 1, 1))
    monday = first - timedelta(days=first.weekday())
    return Shown(view, who, monday if view == "week" else first, DAYS[view], today)


@live.page
def calendar(request: SignedInRequest) -> HttpResponse:
    now, tz = timezone.now(), reader_zone(request.user)
    shown = _shown(request, now)
    rows = reading.agenda(
        request.user, _midnight(shown.first, tz), _midnight(shown.end, tz), team=shown.who == "team", now=now
    )
    views = [event_rows.view(row, request.user, now) for row in rows]
    context = {
        "shown": shown,
        "title": _title(shown),
        "short_title": _title(shown, "%b", "%b"),
        "previous": (shown.first - timedelta(days=shown.days)).isoformat(),
        "next": shown.end.isoformat(),
        "strip": _strip(shown, views),
        "nav": "calendar",
    }
    if shown.view != "agenda":
        return render(request, "agenda/week.html", context | _week(shown, views, now, tz))
    return render(request, "agenda/agenda.html", context | {"days": _days(shown, views, now, tz)})


def _midnight(day: date, tz: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), tz)


def _title(shown: Shown, month: str = "%B", year: str = "%b %Y") -> str:
    """`Mon 8 December 2025`, `8 – 14 December 2025`, `29 Dec – 4 Jan 2026`; a phone's are short."""
    first, last = shown.first, shown.end - timedelta(days=1)
    if first == last:
        words = f"{first:%a} {first.day} {first:{month}}"
        return f"{words} {first.year}" if "%Y" in year else words
    if first.month == last.month:
        words = f"{first.day} – {last.day} {last:{month}}"
        return f"{words} {last.year}" if "%Y" in year else words
    return f"{first.day} {first:%b} – {last.day} {last:{year}}"


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the agenda. `whole` are its all-day events; `now_before` the index at which now stands."""

    date: date
    today: bool
    whole: list[tuple[RowView, str]]
    rows: list[RowView]
    now_before: int | None
    now: str


def _spans(view: RowView, day: date, tz: ZoneInfo) -> bool:
    """Whether a timed event has a part on `day`; one that ends at midnight has not."""
    row = view.row
    return row.starts_at < _midnight(day + timedelta(days=1), tz) and (
        row.ends_at > _midnight(day, tz) or row.starts_at >= _midnight(day, tz)
    )


def _days(shown: Shown, views: Sequence[RowView], now: datetime, tz: ZoneInfo) -> list[Day]:
    """The days that have something, and today always."""
    found = []
    for number in range(shown.days):
        day = shown.first + timedelta(days=number)
        whole = [
            (view, _until(view.row, day))
            for view in views
            if view.row.when.all_day and view.row.when.first_day <= day <= when_words.last_all_day(view.row.when)
        ]
        rows = [view for view in views if not view.row.when.all_day and _spans(view, day, tz)]
        today = day == shown.today
        if whole or rows or today:
            before = sum(1 for view in rows if view.row.starts_at <= now) if today else None
            found.append(Day(day, today, whole, rows, before, when_words.clock(now.astimezone(tz))))
    return found


def _until(row: EventRow, day: date) -> str:
    last = when_words.last_all_day(row.when)
    return (
        f"until {last:%a}"
        if last != day and (last - day).days < 7
        else f"until {last.day} {last:%b}"
        if last != day
        else ""
    )


def _strip(shown: Shown, views: Sequence[RowView]) -> list[tuple[date, bool, int]]:
    """The week's days for the phone: (day, weekend, how many events)."""
    monday = shown.first - timedelta(days=shown.first.weekday())
    days = [monday + timedelta(days=number) for number in range(7)]
    return [(day, day.weekday() > 4, sum(1 for view in views if view.day == day)) for day in days]


@dataclass(frozen=True, slots=True)
class Column:
    day: date
    today: bool
    off: bool
    blocks: list[tuple[str, week_layout.Block[RowView]]]


def _week(shown: Shown, views: Sequence[RowView], now: datetime, tz: ZoneInfo) -> dict[str, object]:
    """Columns, bands and the positions that go into the one style element with a nonce."""
    timed = [
        week_layout.Timed(view, view.row.starts_at, view.row.ends_at) for view in views if not view.row.when.all_day
    ]
    whole = [(v, v.row.when.first_day, when_words.last_all_day(v.row.when)) for v in views if v.row.when.all_day]
    columns: list[Column] = []
    positions: list[tuple[str, week_layout.Block[RowView]]] = []
    for number in range(shown.days):
        day = shown.first + timedelta(days=number)
        blocks = [(f"b{number}-{i}", block) for i, block in enumerate(week_layout.blocks(timed, day, tz))]
        positions += blocks
        columns.append(Column(day, day == shown.today, day.weekday() > 4, blocks))
    local = now.astimezone(tz)
    early = min([block.start // 60 for _, block in positions] + [FROM_HOUR])
    return {
        "columns": columns,
        "bands": [(f"a{i}", band) for i, band in enumerate(week_layout.bands(whole, shown.first, shown.days))],
        "positions": positions,
        "from_hour": early,
        "span": 24 - early,
        "hours": list(range(early + 1, 24)),
        "now_minute": local.hour * 60 + local.minute,
        "now_words": when_words.clock(local),
        "zone": when_words.zone_words(str(tz), _midnight(shown.first, tz)).split(", ")[1],
        "week_number": shown.first.isocalendar().week,
    }


urls: list[URLPattern] = [path("calendar", calendar, name="calendar")]
