"""How much one account has asked lately: Google allows 600 requests a minute for a user ("Manage quotas")."""

from __future__ import annotations

import threading
from collections import deque

LIMIT = 500
WINDOW = 60.0


class Quota:
    """A sliding window for each account, shared by the threads of this process.

    It stays below Google's limit, so that other programs of the same user have some left.
    """

    def __init__(self, limit: int = LIMIT, window: float = WINDOW) -> None:
        self._limit = limit
        self._window = window
        self._asked: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def take(self, account: str, now: float) -> float:
        """0.0, and the request counts; or how many seconds to wait until the next one may go. `now` in seconds."""
        with self._lock:
            asked = self._asked.setdefault(account, deque())
            while asked and asked[0] <= now - self._window:
                asked.popleft()
            if len(asked) >= self._limit:
                return asked[0] + self._window - now
            asked.append(now)
            return 0.0
