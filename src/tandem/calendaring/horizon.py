"""The horizon: how far ahead records show meetings. One predicate and one query bound, side by side.

A meeting shows when its start is before now + 744 h (31 days of 24 hours, whatever the clocks do
between). Nothing is deleted by it, and calendar pages do not use it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

DEFAULT_HOURS = 744


def bound(now: datetime, hours: int = DEFAULT_HOURS) -> datetime:
    """The first instant that is too far: `starts_at < bound(now)` is the query's condition."""
    return now.astimezone(UTC) + timedelta(hours=hours)  # in a zone of its own, Python would count on the wall


def within(starts_at: datetime, now: datetime, hours: int = DEFAULT_HOURS) -> bool:
    """Whether a meeting that starts at `starts_at` shows on its records at `now`."""
    return starts_at < bound(now, hours)


def enters_at(starts_at: datetime, hours: int = DEFAULT_HOURS) -> datetime:
    """The last instant at which a far meeting is still hidden; it shows right after."""
    return starts_at.astimezone(UTC) - timedelta(hours=hours)
