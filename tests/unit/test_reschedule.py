"""A series moved as a whole: the first event goes along, and so do the weekdays of its rule."""

from __future__ import annotations

import pytest

from tandem.calendaring.event import When
from tandem.calendaring.reschedule import CannotMove, moved_rules, shifted

MASTER = When("2026-11-03T10:00:00", "2026-11-03T11:00:00", "Europe/Paris")  # a Tuesday
FOURTH = When("2026-11-24T10:00:00", "2026-11-24T11:00:00", "Europe/Paris")
LATER = When("2026-11-24T14:30:00", "2026-11-24T15:00:00", "Europe/Paris")
THURSDAY = When("2026-11-26T10:00:00", "2026-11-26T11:00:00", "Europe/Paris")


def test_the_first_event_moves_by_as_much_as_the_occurrence() -> None:
    assert shifted(MASTER, FOURTH, LATER) == When("2026-11-03T14:30:00", "2026-11-03T15:00:00", "Europe/Paris")
    assert shifted(MASTER, FOURTH, THURSDAY) == When("2026-11-05T10:00:00", "2026-11-05T11:00:00", "Europe/Paris")


def test_an_all_day_series_stays_one_day_long() -> None:
    first, second = When("2026-11-03", "2026-11-04"), When("2026-11-10", "2026-11-11")
    assert shifted(first, second, When("2026-11-12", "2026-11-14")) == When("2026-11-05", "2026-11-07")


def test_another_hour_leaves_the_rule_alone() -> None:
    rules = ("RRULE:FREQ=MONTHLY;BYDAY=1TU", "EXDATE:20261201T090000Z")
    assert moved_rules(rules, FOURTH, LATER) == rules


@pytest.mark.parametrize(
    ("rule", "moved"),
    [
        ("RRULE:FREQ=WEEKLY;BYDAY=TU", "RRULE:FREQ=WEEKLY;BYDAY=TH"),
        ("RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=9;BYDAY=TU,SA", "RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=9;BYDAY=MO,TH"),
        ("RRULE:FREQ=WEEKLY;UNTIL=20261222T090000Z;BYDAY=TU", "RRULE:FREQ=WEEKLY;UNTIL=20261224T090000Z;BYDAY=TH"),
        ("RRULE:FREQ=WEEKLY;UNTIL=20261222;BYDAY=TU", "RRULE:FREQ=WEEKLY;UNTIL=20261224;BYDAY=TH"),
        ("RRULE:FREQ=WEEKLY;COUNT=4", "RRULE:FREQ=WEEKLY;COUNT=4"),
        ("RRULE:FREQ=DAILY", "RRULE:FREQ=DAILY"),
    ],
)
def test_a_weekly_rules_days_move_along(rule: str, moved: str) -> None:
    assert moved_rules((rule,), FOURTH, THURSDAY) == (moved,)


@pytest.mark.parametrize(
    "rule", ["RRULE:FREQ=MONTHLY;BYDAY=1TU", "RRULE:FREQ=YEARLY;BYMONTH=11", "RRULE:FREQ=WEEKLY;BYDAY=TU;BYMONTH=11"]
)
def test_a_rule_that_means_its_days_is_not_guessed_at(rule: str) -> None:
    with pytest.raises(CannotMove):
        moved_rules((rule,), FOURTH, THURSDAY)
