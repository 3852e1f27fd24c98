"""What people type into the event form."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tandem.calendaring.event import When
from tandem.web import when_words
from tandem.web.event_input import Unclear, WhenTyped, read_address, read_date, read_time, read_when, read_zone
from tandem.web.week_layout import Timed, bands, blocks

PARIS = ZoneInfo("Europe/Paris")


@pytest.mark.parametrize(
    ("text", "hour", "minute"),
    [
        ("9:00", 9, 0),
        ("09:00", 9, 0),
        ("9.30", 9, 30),
        ("0930", 9, 30),
        ("9", 9, 0),
        ("9am", 9, 0),
        ("12 am", 0, 0),
        ("12pm", 12, 0),
        ("9:30 PM", 21, 30),
        ("14h15", 14, 15),
    ],
)
def test_a_time_is_understood_in_the_ways_people_write_it(text: str, hour: int, minute: int) -> None:
    assert read_time(text, "start") == time(hour, minute)


@pytest.mark.parametrize("text", ["", "24:00", "9:60", "13pm", "0am", "soon", "9:0:0"])
def test_what_is_no_time_is_said_beside_the_field(text: str) -> None:
    with pytest.raises(Unclear) as refused:
        read_time(text, "start")
    assert refused.value.field == "start"
    assert refused.value.words.endswith(".")


@pytest.mark.parametrize("text", ["2026-01-05", "5.1.2026", "5/1/2026", "5 Jan 2026", "5 January 2026"])
def test_a_date_is_understood_in_the_ways_people_write_it(text: str) -> None:
    assert read_date(text, "date") == date(2026, 1, 5)


@pytest.mark.parametrize("text", ["", "2026-02-29", "31.4.2026", "tomorrow", "0001-01-01"])
def test_a_day_that_no_calendar_has_is_refused(text: str) -> None:
    with pytest.raises(Unclear):
        read_date(text, "date")


def test_a_place_is_zone_enough_and_an_unknown_one_is_refused() -> None:
    assert read_zone("oslo") == "Europe/Oslo"
    assert read_zone("America/New York") == "America/New_York"
    with pytest.raises(Unclear):
        read_zone("Atlantis")


def typed(start: str = "10:00", end: str = "11:00", **values: str | bool) -> WhenTyped:
    fields: dict[str, Any] = {"date": "2026-01-05", "end_date": "", "zone": "Europe/Paris", "all_day": False}
    return WhenTyped(start=start, end=end, **(fields | values))


def test_an_event_over_midnight_needs_its_second_day() -> None:
    assert read_when(typed("22:00", "02:00"))[1] == {"end": "The meeting ends before it starts."}
    when, _ = read_when(typed("22:00", "02:00", end_date="2026-01-06"))
    assert when == When("2026-01-05T22:00:00", "2026-01-06T02:00:00", "Europe/Paris")


def test_an_hour_that_the_clocks_skip_is_refused_and_one_that_comes_twice_is_not() -> None:
    _, errors = read_when(typed("02:30", "04:00", date="2026-03-29"))
    assert errors == {"start": "On 29 March the clocks jump over 02:30 in Paris."}
    when, errors = read_when(typed("02:30", "04:00", date="2026-10-25"))
    assert when is not None
    assert not errors


def test_the_end_of_an_all_day_event_is_exclusive() -> None:
    assert read_when(typed(all_day=True))[0] == When("2026-01-05", "2026-01-06")
    assert read_when(typed(all_day=True, end_date="2026-01-07"))[0] == When("2026-01-05", "2026-01-08")
    assert "end_date" in read_when(typed(all_day=True, end_date="2026-01-04"))[1]


def test_every_wrong_field_is_named_at_once() -> None:
    _, errors = read_when(typed("x", "y", date="z", zone="q"))
    assert errors.keys() == {"date", "start", "end", "zone"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Ann Lee <Ann@Example.COM>", ("ann@example.com", "Ann Lee")),
        ("mailto:ann@example.com", ("ann@example.com", "")),
        ("ann@bücher.example", ("ann@xn--bcher-kva.example", "")),
    ],
)
def test_an_address_is_read_with_its_name(text: str, found: tuple[str, str]) -> None:
    assert read_address(text) == found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("priya@halden", "This address has no ending, such as .com."),
        ("priya", "Nobody here has this name."),
        ("pri ya@halden.example", "This address has a character that mail servers don’t take."),
        ("priya@-halden.example", "The part after @ is no name that mail can be sent to."),
    ],
)
def test_what_is_no_address_is_said_in_words(text: str, words: str) -> None:
    with pytest.raises(Unclear) as refused:
        read_address(text)
    assert words in refused.value.words


def at(hour: int, minute: int = 0, day: int = 9) -> datetime:
    return datetime(2025, 12, day, hour, minute, tzinfo=PARIS).astimezone(UTC)


def test_what_overlaps_stands_side_by_side_and_what_follows_gets_the_whole_width() -> None:
    items = [
        Timed("a", at(9), at(10)),
        Timed("b", at(9, 30), at(10, 30)),
        Timed("c", at(10), at(11)),
        Timed("d", at(11), at(12)),
    ]
    found = {block.item: (block.lane, block.lanes) for block in blocks(items, date(2025, 12, 9), PARIS)}
    assert found == {"a": (0, 2), "b": (1, 2), "c": (0, 2), "d": (0, 1)}


def test_an_event_over_midnight_has_a_part_on_both_days() -> None:
    items = [Timed("night", at(22), at(2, day=10))]
    assert [(b.start, b.end) for b in blocks(items, date(2025, 12, 9), PARIS)] == [(22 * 60, 1440)]
    assert [(b.start, b.end) for b in blocks(items, date(2025, 12, 10), PARIS)] == [(0, 120)]
    assert blocks(items, date(2025, 12, 11), PARIS) == []


def test_whole_days_share_a_row_where_they_can() -> None:
    monday = date(2025, 12, 8)
    items = [(name, monday + timedelta(days=a), monday + timedelta(days=b)) for name, a, b in
             [("x", -2, 1), ("y", 2, 3), ("z", 3, 9), ("w", 8, 9)]]  # fmt: skip
    assert [(b.item, b.first, b.last, b.row) for b in bands(items, monday, 7)] == [
        ("x", 0, 1, 0),
        ("y", 2, 3, 0),
        ("z", 3, 6, 1),
    ]


def test_times_read_as_people_write_them() -> None:
    when = When("2025-12-11T14:00:00", "2025-12-11T15:00:00", "Europe/Paris")
    start, end = when.starts_at("UTC"), when.ends_at("UTC")
    assert when_words.span(when, start, end, PARIS) == "Thu 14:00 – 15:00"
    assert when_words.full_span(when, start, end, PARIS, date(2025, 12, 9)) == "Thu 11 Dec, 14:00 – 15:00"
    two_days = When("2025-12-10", "2025-12-12")
    assert when_words.span(two_days, start, end, PARIS) == "Wed – Thu, all day"
    assert when_words.and_list(["Priya", "Tom", "Ann"]) == "Priya, Tom and Ann"
    assert when_words.zone_words("Asia/Kolkata", start) == "Kolkata, GMT+5:30"
