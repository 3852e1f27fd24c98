"""When a series takes place: walls, exceptions, overrides, dirty rules, and that nothing runs on for ever."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from tandem.calendaring.event import Event, Status, When
from tandem.calendaring.series import BadRecurrence, Slot, is_recurring, last_start, occurrences, words

START = datetime(2026, 1, 1, tzinfo=UTC)
YEAR = timedelta(days=365)


def series(*lines: str, when: When | None = None, status: Status = "confirmed") -> Event:
    """Tuesdays at ten in Berlin, from 6 January 2026, unless said otherwise."""
    when = when or When("2026-01-06T10:00:00", "2026-01-06T11:00:00", "Europe/Berlin")
    return Event(uid="weekly", title="Weekly", when=when, recurrence=lines, status=status)


def override(recurrence_id: str, start: str, *, zone: str = "Europe/Berlin", status: Status = "confirmed") -> Event:
    end = (datetime.fromisoformat(start) + timedelta(hours=1)).isoformat()
    return Event(uid="weekly", recurrence_id=recurrence_id, when=When(start, end, zone), status=status)


def slots(
    master: Event | None, *overrides: Event, start: datetime = START, end: datetime | None = None, limit: int = 5000
) -> list[Slot]:
    by_id = {event.recurrence_id: event for event in overrides}
    return occurrences(master, by_id, start=start, end=end or start + YEAR, company_zone="Europe/Berlin", limit=limit)


def starts(*args: Event | None, **kwargs: object) -> list[str]:
    return [slot.when.start for slot in slots(*args, **kwargs)]  # type: ignore[arg-type]


def test_a_single_event_is_one_slot_without_an_original_start() -> None:
    event = series()
    assert slots(event) == [Slot("", event, event.when, False)]  # type: ignore[arg-type]
    assert not is_recurring(event)


def test_an_event_counts_in_a_window_that_it_only_reaches_into() -> None:
    event = series()  # 09:00 to 10:00 UTC
    inside = datetime(2026, 1, 6, 9, 30, tzinfo=UTC)
    assert slots(event, start=inside, end=inside + timedelta(minutes=1))
    assert not slots(event, start=datetime(2026, 1, 6, 10, tzinfo=UTC))
    assert not slots(event, start=START, end=datetime(2026, 1, 6, 9, tzinfo=UTC))


def test_an_event_without_length_counts_where_it_begins() -> None:
    when = When("2026-01-06T10:00:00", "2026-01-06T10:00:00", "UTC")
    at = datetime(2026, 1, 6, 10, tzinfo=UTC)
    assert slots(series(when=when), start=at, end=at + timedelta(minutes=1))
    assert not slots(series(when=when), start=at - timedelta(minutes=1), end=at)


def test_an_end_before_the_start_is_taken_as_no_length() -> None:
    when = When("2026-01-06T10:00:00", "2026-01-06T09:00:00", "UTC")
    (slot,) = slots(series("RRULE:FREQ=DAILY;COUNT=1", when=when))
    assert slot.when == When("2026-01-06T10:00:00", "2026-01-06T10:00:00", "UTC")


def test_the_wall_time_stays_over_a_change_of_clocks() -> None:
    found = slots(series("RRULE:FREQ=WEEKLY;COUNT=14"))
    assert {slot.when.start[11:] for slot in found} == {"10:00:00"}
    assert found[-3].original_start == "20260324T090000Z"
    assert found[-2].original_start == "20260331T080000Z"


def test_a_time_that_the_clocks_skip_moves_forward() -> None:
    when = When("2026-03-28T02:30:00", "2026-03-28T03:00:00", "Europe/Berlin")
    assert starts(series("RRULE:FREQ=DAILY;COUNT=3", when=when)) == [
        "2026-03-28T02:30:00",
        "2026-03-29T03:30:00",
        "2026-03-30T02:30:00",
    ]


def test_a_time_that_comes_twice_is_the_first_one() -> None:
    when = When("2026-10-24T02:30:00", "2026-10-24T03:00:00", "Europe/Berlin")
    found = slots(series("RRULE:FREQ=DAILY;COUNT=2", when=when))
    assert found[1].original_start == "20261025T003000Z"


def test_every_occurrence_lasts_exactly_as_long_as_the_first() -> None:
    when = When("2026-03-27T22:00:00", "2026-03-28T06:00:00", "Europe/Berlin")
    night = slots(series("RRULE:FREQ=DAILY;COUNT=2", when=when))[1].when
    assert night == When("2026-03-28T22:00:00", "2026-03-29T07:00:00", "Europe/Berlin")


def test_all_day_series_stay_dates() -> None:
    when = When("2026-03-27", "2026-03-29")
    found = slots(series("RRULE:FREQ=WEEKLY;COUNT=2", "EXDATE;VALUE=DATE:20260327", when=when))
    assert [(slot.original_start, slot.when) for slot in found] == [("20260403", When("2026-04-03", "2026-04-05"))]


def test_an_all_day_event_lies_at_midnight_in_the_companys_zone() -> None:
    event = series(when=When("2026-01-06", "2026-01-07"))
    just_before = datetime(2026, 1, 5, 23, 0, tzinfo=UTC)
    assert not slots(event, start=START, end=just_before)
    assert slots(event, start=START, end=just_before + timedelta(minutes=1))


def test_exdate_takes_an_occurrence_out_by_instant_or_by_day() -> None:
    for exdate in ("EXDATE:20260113T090000Z", "EXDATE;VALUE=DATE:20260113"):
        assert starts(series("RRULE:FREQ=WEEKLY;COUNT=3", exdate)) == ["2026-01-06T10:00:00", "2026-01-20T10:00:00"]


def test_rdate_adds_one_and_names_none_twice() -> None:
    lines = (
        "RRULE:FREQ=WEEKLY;COUNT=2",
        "RDATE:20260114T120000Z",
        "RDATE:20260113T090000Z",
        "RDATE;VALUE=DATE:20260116",
    )
    assert starts(series(*lines)) == [
        "2026-01-06T10:00:00",
        "2026-01-13T10:00:00",
        "2026-01-14T13:00:00",
        "2026-01-16T10:00:00",
    ]
    assert is_recurring(series("RDATE:20260114T120000Z"))


def test_the_first_start_counts_even_where_the_rule_does_not_name_it() -> None:
    assert starts(series("RRULE:FREQ=WEEKLY;BYDAY=WE;COUNT=1")) == ["2026-01-06T10:00:00", "2026-01-07T10:00:00"]


def test_a_series_that_ended_before_it_began_has_no_occurrence() -> None:
    assert slots(series("RRULE:FREQ=WEEKLY;UNTIL=20260105T090000Z")) == []


@pytest.mark.parametrize("until", ["20260120", "20260120T090000Z", "20260120T100000", "20260126T235959Z"])
def test_until_includes_its_last_day_or_instant_however_it_is_written(until: str) -> None:
    assert len(slots(series(f"RRULE:FREQ=WEEKLY;UNTIL={until}"))) == 3


@pytest.mark.parametrize("until", ["20260120", "20260120T000000Z", "20260120T225959Z"])
def test_until_of_an_all_day_series_is_a_day(until: str) -> None:
    assert len(slots(series(f"RRULE:FREQ=WEEKLY;UNTIL={until}", when=When("2026-01-06", "2026-01-07")))) == 3


def test_an_override_takes_its_slot_where_it_was_moved_to() -> None:
    moved = override("20260113T090000Z", "2026-01-14T15:00:00")
    found = slots(series("RRULE:FREQ=WEEKLY;COUNT=3"), moved)
    assert [(slot.original_start, slot.when.start) for slot in found] == [
        ("20260106T090000Z", "2026-01-06T10:00:00"),
        ("20260113T090000Z", "2026-01-14T15:00:00"),
        ("20260120T090000Z", "2026-01-20T10:00:00"),
    ]
    assert found[1].event is moved


def test_an_override_moved_into_the_window_shows_and_one_moved_out_does_not() -> None:
    master = series("RRULE:FREQ=WEEKLY;COUNT=10")
    start, end = datetime(2026, 1, 12, tzinfo=UTC), datetime(2026, 1, 19, tzinfo=UTC)
    into = override("20260303T090000Z", "2026-01-15T15:00:00")
    out = override("20260113T090000Z", "2026-02-27T15:00:00")
    assert starts(master, into, out, start=start, end=end) == ["2026-01-15T15:00:00"]


def test_an_override_without_its_master_is_a_slot_of_its_own() -> None:
    assert starts(None, override("20260113T090000Z", "2026-01-13T15:00:00")) == ["2026-01-13T15:00:00"]


def test_a_cancelled_override_is_a_cancelled_slot_and_needs_no_time_of_its_own() -> None:
    bare = Event(uid="weekly", recurrence_id="20260113T090000Z", status="cancelled")
    found = slots(series("RRULE:FREQ=WEEKLY;COUNT=2"), bare)
    assert [(slot.when.start, slot.cancelled) for slot in found] == [
        ("2026-01-06T10:00:00", False),
        ("2026-01-13T10:00:00", True),
    ]
    assert [slot.cancelled for slot in slots(None, bare)] == [True]


def test_a_cancelled_master_cancels_every_occurrence() -> None:
    master = series("RRULE:FREQ=WEEKLY;COUNT=2", status="cancelled")
    assert [slot.cancelled for slot in slots(master, override("20260113T090000Z", "2026-01-14T15:00:00"))] == [True] * 2


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SOMETIMES",
        "COUNT=3",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;COUNT=-1",
        "FREQ=DAILY;UNTIL=tomorrow",
        "FREQ=DAILY;UNTIL=20261345",
        "FREQ=WEEKLY;BYDAY=XX",
        "FREQ=MONTHLY;BYDAY=0MO",
        "FREQ=MONTHLY;BYMONTHDAY=32",
        "FREQ=MONTHLY;BYSETPOS=0;BYDAY=MO",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=SECONDLY;BYSETPOS=2",
        "FREQ=HOURLY;INTERVAL=24;BYHOUR=5",
        "FREQ=DAILY;COLOUR=RED",
        "FREQ=DAILY;",
        "",
    ],
)
def test_a_rule_that_cannot_be_followed_is_refused_in_words(rule: str) -> None:
    if rule == "FREQ=DAILY;":
        assert slots(series(f"RRULE:{rule}"), limit=2)
        return
    with pytest.raises(BadRecurrence) as caught:
        slots(series(f"RRULE:{rule}"))
    assert caught.value.words.endswith(".")


@pytest.mark.parametrize("line", ["EXDATE:soon", "RDATE:2026", "EXRULE:FREQ=DAILY", "NONSENSE"])
def test_a_line_that_says_nothing_known_is_refused(line: str) -> None:
    with pytest.raises(BadRecurrence):
        slots(series("RRULE:FREQ=DAILY", line))


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY",
        "FREQ=SECONDLY;COUNT=999999999",
        "FREQ=SECONDLY;BYYEARDAY=366;BYMONTH=1",
        "FREQ=DAILY;BYYEARDAY=366;BYMONTH=1",
        "FREQ=YEARLY;INTERVAL=999999999",
        "FREQ=DAILY;INTERVAL=999999999;COUNT=5",
        "FREQ=MONTHLY;BYDAY=5MO;BYMONTHDAY=1",
        "FREQ=DAILY;UNTIL=99991231T235959Z",
    ],
)
def test_no_rule_runs_on_without_end(rule: str) -> None:
    began = time.process_time()
    master = series(f"RRULE:{rule}", when=When("1996-01-02T10:00:00", "1996-01-02T10:00:01", "America/New_York"))
    with suppress(BadRecurrence):
        slots(master, limit=100)
    with suppress(BadRecurrence):
        last_start(master)
    assert time.process_time() - began < 5


def test_an_endless_series_starts_near_the_window_and_stays_in_step() -> None:
    old = When("2016-01-05T10:00:00", "2016-01-05T11:00:00", "Europe/Berlin")
    for rule in (
        "FREQ=WEEKLY;INTERVAL=3",
        "FREQ=DAILY;INTERVAL=11",
        "FREQ=MONTHLY;INTERVAL=5",
        "FREQ=YEARLY;INTERVAL=3",
    ):
        begun = occurrences(
            series(f"RRULE:{rule}", when=old),
            {},
            start=datetime(2016, 1, 1, tzinfo=UTC),
            end=START + 3 * YEAR,
            company_zone="UTC",
        )
        near = slots(series(f"RRULE:{rule}", when=old), end=START + 3 * YEAR)
        assert near
        assert near == [slot for slot in begun if slot.when.starts_at("UTC") >= START]


def test_no_more_than_the_limit_come_and_the_earliest_first() -> None:
    assert starts(series("RRULE:FREQ=DAILY"), limit=2) == ["2026-01-06T10:00:00", "2026-01-07T10:00:00"]


@pytest.mark.parametrize(
    ("lines", "last"),
    [
        ((), "2026-01-06T09:00"),
        (("RRULE:FREQ=WEEKLY;COUNT=3",), "2026-01-20T09:00"),
        (("RRULE:FREQ=WEEKLY;UNTIL=20260401",), "2026-03-31T08:00"),
        (("RRULE:FREQ=YEARLY;UNTIL=20400101",), "2039-01-06T09:00"),
        (("RRULE:FREQ=WEEKLY;COUNT=3", "RDATE:20270101T000000Z"), "2027-01-01T00:00"),
        (("RRULE:FREQ=WEEKLY;UNTIL=20250101",), "2026-01-06T09:00"),
    ],
)
def test_the_last_start_of_a_series_with_an_end(lines: tuple[str, ...], last: str) -> None:
    assert last_start(series(*lines)) == datetime.fromisoformat(last).replace(tzinfo=UTC)


@pytest.mark.parametrize("rule", ["FREQ=WEEKLY", "FREQ=WEEKLY;UNTIL=99991231T235959Z"])
def test_an_endless_series_has_no_last_start(rule: str) -> None:
    assert last_start(series(f"RRULE:{rule}")) is None


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ((), ""),
        (("RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=TU;COUNT=4",), "Every 2 weeks on Tuesday, 4 times"),
        (("RRULE:FREQ=WEEKLY",), "Every week on Tuesday"),
        (("RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",), "Every weekday"),
        (("RRULE:FREQ=WEEKLY;BYDAY=TH,TU",), "Every week on Tuesday and Thursday"),
        (("RRULE:FREQ=DAILY;UNTIL=20260331T220000Z",), "Every day, until 1 April 2026"),
        (("RRULE:FREQ=MONTHLY",), "Every month on the 6th"),
        (("RRULE:FREQ=MONTHLY;BYDAY=2TU",), "Every month on the second Tuesday"),
        (("RRULE:FREQ=MONTHLY;BYDAY=FR;BYSETPOS=-1",), "Every month on the last Friday"),
        (("RRULE:FREQ=MONTHLY;BYMONTHDAY=1,22,-1",), "Every month on the 1st, 22nd and last day"),
        (("RRULE:FREQ=YEARLY",), "Every year on 6 January"),
        (("RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH",), "Every year on the fourth Thursday of November"),
        (("RRULE:FREQ=YEARLY;BYWEEKNO=20",), "Every year, by a rule of its own"),
        (("RRULE:FREQ=DAILY;COUNT=1", "EXDATE:20260106T090000Z"), "Every day, 1 time, except on 1 date"),
        (("RDATE:20260106T090000Z", "RDATE:20260107T090000Z"), "Repeats on 2 further dates"),
        (("RRULE:FREQ=WEEKLY", "RDATE:20260107T090000Z"), "Every week on Tuesday, and on 1 more date"),
        (("RRULE:FREQ=SOMETIMES",), "Repeats by a rule that Tandem can't follow"),
    ],
)
def test_a_rule_is_said_in_english(lines: tuple[str, ...], said: str) -> None:
    assert words(lines, series().when) == said


def test_a_master_without_a_time_gives_only_its_overrides() -> None:
    assert slots(replace(series("RRULE:FREQ=DAILY"), when=None)) == []
