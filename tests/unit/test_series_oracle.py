"""Our projection beside `recurring-ical-events`, over rules, zones, changes of clocks and exceptions."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import icalendar
import recurring_ical_events
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tandem.calendaring.event import Event, When
from tandem.calendaring.identity import original_start
from tandem.calendaring.series import occurrences

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC")
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")

intervals = st.sampled_from(["", ";INTERVAL=2", ";INTERVAL=3"])
some_days = st.lists(st.sampled_from(DAYS), min_size=1, max_size=3, unique=True).map(",".join)
positions = st.sampled_from(["1", "2", "3", "-1"])
frequencies = st.one_of(
    st.just("FREQ=DAILY"),
    st.builds("FREQ=DAILY;BYDAY={}".format, some_days),
    st.just("FREQ=WEEKLY"),
    st.builds("FREQ=WEEKLY;BYDAY={}".format, some_days),
    st.builds("FREQ=WEEKLY;WKST=SU;BYDAY={}".format, some_days),
    st.just("FREQ=MONTHLY"),
    st.builds("FREQ=MONTHLY;BYMONTHDAY={}".format, st.sampled_from(["1", "15", "29", "31", "-1", "5,20"])),
    st.builds("FREQ=MONTHLY;BYDAY={}{}".format, positions, st.sampled_from(DAYS)),
    st.builds("FREQ=MONTHLY;BYDAY={};BYSETPOS={}".format, some_days, positions),
    st.just("FREQ=YEARLY"),
    st.builds(
        "FREQ=YEARLY;BYMONTH={};BYDAY={}{}".format, st.sampled_from(["1", "3", "10"]), positions, st.sampled_from(DAYS)
    ),
    st.just("FREQ=YEARLY;BYYEARDAY=1,100,-1"),
)
ends = st.one_of(
    st.just(""),
    st.integers(1, 60).map(";COUNT={}".format),
    st.dates(date(2025, 6, 1), date(2027, 6, 1)).map(lambda day: f";UNTIL={day:%Y%m%d}T233000Z"),
)
rules = st.builds("RRULE:{}{}{}".format, frequencies, intervals, ends)
walls = st.datetimes(datetime.fromisoformat("2024-01-01"), datetime.fromisoformat("2026-06-01")).map(
    lambda wall: wall.replace(minute=wall.minute // 15 * 15, second=0, microsecond=0)
)
windows = st.tuples(st.dates(date(2026, 1, 1), date(2026, 12, 1)), st.integers(1, 120))


def ours(master: Event, overrides: dict[str, Event], start: datetime, end: datetime) -> list[tuple[str, str]]:
    """(original start, start as an instant or a date) of every occurrence that begins in the window."""
    found = occurrences(master, overrides, start=start, end=end, company_zone="UTC")
    return sorted(
        (slot.original_start, _text(original_start_of(slot.when)))
        for slot in found
        if slot.when.starts_at("UTC") >= start
    )


def original_start_of(when: When) -> date | datetime:
    return when.first_day if when.all_day else when.starts_at("UTC")


def theirs(master: Event, overrides: dict[str, Event], start: datetime, end: datetime) -> list[tuple[str, str]]:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:test"]
    for key, event in [("", master), *overrides.items()]:
        assert event.when is not None
        lines += ["BEGIN:VEVENT", f"UID:{event.uid}", "DTSTAMP:20260101T000000Z"]
        for name, wall in (("DTSTART", event.when.start), ("DTEND", event.when.end)):
            moment = wall.replace("-", "").replace(":", "")
            lines.append(
                f"{name};VALUE=DATE:{moment}" if event.when.all_day else f"{name};TZID={event.when.zone}:{moment}"
            )
        if key:
            lines.append(f"RECURRENCE-ID{';VALUE=DATE' if len(key) == 8 else ''}:{key}")
        lines += [*event.recurrence, "END:VEVENT"]
    calendar = icalendar.Calendar.from_ical("\r\n".join([*lines, "END:VCALENDAR", ""]))
    found = recurring_ical_events.of(calendar).between(start, end)
    pairs = [(_text(item["RECURRENCE-ID"].dt), _text(item["DTSTART"].dt)) for item in found]
    first = _text(start if not master.when or not master.when.all_day else start.date())
    return sorted(pair for pair in pairs if pair[1] >= first)


def _text(moment: date | datetime) -> str:
    if isinstance(moment, datetime):
        return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    return moment.strftime("%Y%m%d")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rule=rules, wall=walls, zone=st.sampled_from(ZONES), window=windows, data=st.data())
def test_timed_series_agree(
    rule: str, wall: datetime, zone: str, window: tuple[date, int], data: st.DataObject
) -> None:
    when = When(wall.isoformat(), (wall + timedelta(hours=1)).isoformat(), zone)
    start = datetime(window[0].year, window[0].month, window[0].day, tzinfo=UTC)
    end = start + timedelta(days=window[1])
    plain = Event(uid="u", when=when, recurrence=(rule,))
    keys = [key for key, _ in ours(plain, {}, start - timedelta(days=40), end + timedelta(days=40))]
    out = data.draw(st.lists(st.sampled_from(keys), max_size=3, unique=True)) if keys else []
    extra = data.draw(st.lists(walls, max_size=2)) if zone == "UTC" else []
    lines = [f"EXDATE:{key}" for key in out] + [f"RDATE:{moment:%Y%m%dT%H%M%SZ}" for moment in extra]
    master = Event(uid="u", when=when, recurrence=(rule, *lines))
    moved = data.draw(st.lists(st.sampled_from(keys), max_size=2, unique=True)) if keys else []
    overrides = {key: _moved(key, zone, data.draw(st.integers(-30, 30))) for key in moved if key not in out}
    assert ours(master, overrides, start, end) == theirs(master, overrides, start, end)


def _moved(key: str, zone: str, days: int) -> Event:
    moment = original_start(key, zone)
    assert isinstance(moment, datetime)
    wall = moment.replace(tzinfo=None) + timedelta(days=days, hours=1)
    return Event(uid="u", recurrence_id=key, when=When(wall.isoformat(), (wall + timedelta(hours=2)).isoformat(), zone))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rule=rules, wall=walls, length=st.integers(1, 4), window=windows, data=st.data())
def test_all_day_series_agree(
    rule: str, wall: datetime, length: int, window: tuple[date, int], data: st.DataObject
) -> None:
    rule = rule.replace("T233000Z", "")
    when = When.days(wall.date(), wall.date() + timedelta(days=length))
    start = datetime(window[0].year, window[0].month, window[0].day, tzinfo=UTC)
    end = start + timedelta(days=window[1])
    keys = [key for key, _ in ours(Event(uid="u", when=when, recurrence=(rule,)), {}, start, end)]
    out = data.draw(st.lists(st.sampled_from(keys), max_size=3, unique=True)) if keys else []
    master = Event(uid="u", when=when, recurrence=(rule, *(f"EXDATE;VALUE=DATE:{key}" for key in out)))
    assert ours(master, {}, start, end) == theirs(master, {}, start, end)
