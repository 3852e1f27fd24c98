"""Quotas: requests a minute for each user and for the project, and bursts on one calendar, in sliding windows."""

from __future__ import annotations

import random
from collections import defaultdict, deque
from datetime import datetime, timedelta

from sandbox.google.problems import quota_exceeded, too_many_requests, user_rate_limit

_MINUTE = timedelta(minutes=1)


class Quotas:
    """`None` sets a limit aside. Google may answer 403 or 429 for the same limit; here the seed decides."""

    def __init__(self, seed: int) -> None:
        self.per_user: int | None = 600
        self.per_project: int | None = 10_000
        self.writes_per_calendar: int | None = None
        self._random = random.Random(seed)
        self._taken: dict[str, deque[datetime]] = defaultdict(deque)

    def take(self, user: str, now: datetime) -> None:
        """Count a request. Raises `Problem` 403 or 429; a refused request does not count."""
        if self._full(user, self.per_user, now):
            raise self._random.choice((user_rate_limit, too_many_requests))()
        if self._full("", self.per_project, now):
            raise too_many_requests()
        self._taken[user].append(now)
        self._taken[""].append(now)

    def take_write(self, calendar: str, now: datetime) -> None:
        """Count a write to a calendar. Raises `Problem` 403 `quotaExceeded`."""
        name = f"calendar {calendar}"
        if self._full(name, self.writes_per_calendar, now):
            raise quota_exceeded()
        if self.writes_per_calendar is not None:
            self._taken[name].append(now)

    def _full(self, name: str, limit: int | None, now: datetime) -> bool:
        window = self._taken[name]
        while window and window[0] <= now - _MINUTE:
            window.popleft()
        return limit is not None and len(window) >= limit
