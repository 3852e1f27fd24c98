"""Where events stand in a day and a week: over clock changes, midnights and overlaps."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from tandem.web.week_layout import SHORTEST, Timed, bands, blocks

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = ["Europe/Berlin", "America/New_York", "America/Havana", "America/Sao_Paulo", "Asia/Kolkata"]
# Windows of three days around clock changes; Havana's and Sao Paulo's are at midnight.
CHANGES = [
    date(2026, 3, 28),
    date(2026, 10, 24),
    date(2026, 3, 7),
    date(2026, 10, 31),
    date(2018, 2, 17),
    date(2018, 11, 3),
]

spans = st.lists(st.tuples(st.integers(-1500, 4500), st.integers(0, 3000)), max_size=12)


def _timed(name: str, start: datetime, minutes: int) -> Timed[str]:
    return Timed(name, start, start + timedelta(minutes=minutes))


def _places(items: list[Timed[str]], day: date, tz: ZoneInfo = BERLIN) -> list[tuple[str, int, int, int]]:
    return [(block.item, block.start, block.end, block.lane) for block in blocks(items, day, tz)]


@given(st.sampled_from(ZONES), st.sampled_from(CHANGES), spans)
def test_each_event_stands_once_on_each_day_it_covers_and_no_two_in_one_place(
    zone: str, first: date, drawn: list[tuple[int, int]]
) -> None:
    tz = ZoneInfo(zone)
    origin = datetime(first.year, first.month, first.day, tzinfo=UTC)
    items = [_timed(str(i), origin + timedelta(minutes=at), length) for i, (at, length) in enumerate(drawn)]
    for number in range(3):
        day = first + timedelta(days=number)
        found = blocks(items, day, tz)
        covering = []
        for item in items:
            last = max(item.starts_at, item.ends_at - timedelta(microseconds=1))
            if item.starts_at.astimezone(tz).date() <= day <= last.astimezone(tz).date():
                covering.append(item.item)
        assert sorted(block.item for block in found) == sorted(covering)
        for block in found:
            assert 0 <= block.start <= block.end - SHORTEST <= 1440 - SHORTEST
            assert 0 <= block.lane < block.lanes
        for one, other in combinations(found, 2):
            if one.start < other.end and other.start < one.end:
                assert one.lane != other.lane
                assert one.lanes == other.lanes


@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(0, 9)), max_size=12))
def test_whole_days_never_cover_each_other_and_stay_in_the_week(drawn: list[tuple[int, int]]) -> None:
    monday = date(2026, 3, 23)
    items = [(i, monday + timedelta(days=at), monday + timedelta(days=at + more)) for i, (at, more) in enumerate(drawn)]
    found = bands(items, monday, 7)
    assert sorted(band.item for band in found) == [
        i for i, (at, more) in enumerate(drawn) if at <= 6 and at + more >= 0
    ]
    assert all(0 <= band.first <= band.last <= 6 for band in found)
    for one, other in combinations(found, 2):
        assert one.row != other.row or one.last < other.first or other.last < one.first


def test_both_half_past_twos_of_the_long_day_stand_side_by_side() -> None:
    summer, winter = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    items = [_timed("summer", summer, 30), _timed("winter", winter, 30)]
    assert _places(items, date(2026, 10, 25)) == [("summer", 150, 180, 0), ("winter", 150, 180, 1)]


def test_an_event_that_ends_on_the_hand_it_began_on_is_as_high_as_it_is_long() -> None:
    item = _timed("over the change", datetime(2026, 10, 25, 0, 30, tzinfo=UTC), 60)
    assert _places([item], date(2026, 10, 25)) == [("over the change", 150, 210, 0)]


def test_the_short_day_keeps_the_hours_of_the_wall() -> None:
    item = _timed("over the gap", datetime(2026, 3, 29, 0, 30, tzinfo=UTC), 60)
    assert _places([item], date(2026, 3, 29)) == [("over the gap", 90, 210, 0)]


def test_over_midnight_is_cut_and_an_end_at_midnight_stays_on_its_day() -> None:
    late = datetime(2026, 6, 1, 23, tzinfo=BERLIN)
    assert _places([_timed("late", late, 120)], date(2026, 6, 1)) == [("late", 1380, 1440, 0)]
    assert _places([_timed("late", late, 120)], date(2026, 6, 2)) == [("late", 0, 60, 0)]
    assert _places([_timed("late", late, 60)], date(2026, 6, 2)) == []


def test_a_moment_before_midnight_is_not_on_the_next_day() -> None:
    moment = datetime(2026, 6, 1, 23, 59, 30, tzinfo=BERLIN)
    assert _places([_timed("moment", moment, 0)], date(2026, 6, 1)) == [("moment", 1415, 1440, 0)]
    assert _places([_timed("moment", moment, 0)], date(2026, 6, 2)) == []
