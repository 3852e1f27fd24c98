"""The horizon at its edge: 744 hours less a minute shows, 744 hours doesn't."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.calendaring import horizon
from tandem.calendaring.event import Event, When
from tandem.calendaring.series import occurrences

BERLIN = ZoneInfo("Europe/Berlin")
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
# One in winter, and each side's change of clocks of 2026 within the 31 days that follow.
MOMENTS = [datetime(2026, month, day, 10, 0, tzinfo=BERLIN) for month, day in ((1, 5), (3, 20), (10, 10))]


@pytest.mark.parametrize("now", MOMENTS)
def test_744_hours_less_a_minute_shows_and_744_hours_does_not(now: datetime) -> None:
    edge = now.astimezone(UTC) + 744 * HOUR
    for moment in (now, now.astimezone(UTC)):
        assert horizon.within(edge - MINUTE, moment)
        assert not horizon.within(edge, moment)
        assert not horizon.within(edge.astimezone(BERLIN), moment)
        assert horizon.enters_at(edge.astimezone(BERLIN)) == moment


def test_the_hours_are_counted_and_not_the_days_on_the_wall() -> None:
    now = datetime(2026, 3, 20, 10, 0, tzinfo=BERLIN).astimezone(UTC)
    same_wall_time = datetime(2026, 4, 20, 10, 0, tzinfo=BERLIN)  # 31 days on the wall, 743 hours
    assert horizon.within(same_wall_time, now)
    assert horizon.within(same_wall_time + HOUR - MINUTE, now)
    assert not horizon.within(same_wall_time + HOUR, now)
    autumn = datetime(2026, 10, 10, 10, 0, tzinfo=BERLIN).astimezone(UTC)
    assert not horizon.within(datetime(2026, 11, 10, 10, 0, tzinfo=BERLIN), autumn)  # 745 hours
    assert horizon.within(datetime(2026, 11, 10, 8, 59, tzinfo=BERLIN), autumn)


def test_an_all_day_event_starts_at_midnight_in_the_companys_zone() -> None:
    when = When("2026-04-20", "2026-04-21")
    midnight = datetime(2026, 4, 20, tzinfo=BERLIN)
    assert when.starts_at("Europe/Berlin") == midnight
    shows_from = midnight.astimezone(UTC) - 744 * HOUR
    assert not horizon.within(when.starts_at("Europe/Berlin"), shows_from)
    assert horizon.within(when.starts_at("Europe/Berlin"), shows_from + MINUTE)
    assert not horizon.within(when.starts_at("America/New_York"), shows_from + MINUTE)


def test_of_an_endless_weekly_series_what_starts_before_the_bound_shows() -> None:
    master = Event(
        uid="weekly",
        when=When("2016-01-05T10:00:00", "2016-01-05T11:00:00", "Europe/Berlin"),
        recurrence=("RRULE:FREQ=WEEKLY",),
    )
    fifth = datetime(2026, 4, 14, 10, 0, tzinfo=BERLIN).astimezone(UTC)
    for now, shown in ((fifth - 744 * HOUR, 4), (fifth - 744 * HOUR + MINUTE, 5)):
        slots = occurrences(master, {}, start=now, end=horizon.bound(now), company_zone="Europe/Berlin")
        assert len([slot for slot in slots if slot.when.starts_at("Europe/Berlin") >= now]) == shown


def test_another_horizon_is_an_administrators_choice() -> None:
    now = MOMENTS[0]
    assert horizon.within(now + 24 * HOUR - MINUTE, now, 24)
    assert not horizon.within(now + 24 * HOUR, now, 24)


@given(
    now=st.datetimes(
        datetime.fromisoformat("2020-01-01"), datetime.fromisoformat("2040-01-01"), timezones=st.just(UTC)
    ),
    minutes=st.integers(-(10**5), 10**5),
)
def test_the_predicate_the_bound_and_the_moment_of_entering_agree(now: datetime, minutes: int) -> None:
    starts_at = now + 744 * HOUR + minutes * MINUTE
    assert horizon.within(starts_at, now) == (starts_at < horizon.bound(now))
    assert horizon.within(starts_at, now) == (now > horizon.enters_at(starts_at))
