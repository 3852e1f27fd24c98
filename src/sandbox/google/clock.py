"""The sandbox's time: the machine's, moved by tests, or a time that stands until it is moved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class Clock:
    """Aware UTC times. With `at` it stands there; without, it runs with the machine's clock."""

    def __init__(self, at: datetime | None = None) -> None:
        self._at = at
        self._ahead = timedelta(0)

    def now(self) -> datetime:
        return (self._at or datetime.now(UTC)).astimezone(UTC) + self._ahead

    def advance(self, **amount: float) -> None:
        """Move it: `advance(days=7, minutes=1)`."""
        self._ahead += timedelta(**amount)


def stamp(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds, as Google writes `created` and `updated`."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
