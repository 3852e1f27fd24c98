"""The wake-up port: `wake(calendar)` and nothing else.

The truth (what is requested, what is done, the next poll, the lease) is in our tables; a job engine
only wakes. On one machine that is the thread pool of `pool.py`, in the server's own process.
"""

from __future__ import annotations

import threading
from uuid import UUID

from django.db import transaction

from tandem.sync import due

bell = threading.Event()


def wake(*calendar_ids: UUID) -> None:
    """Have these calendars looked at as soon as a thread is free, once the running transaction commits.

    In another process than the pool's, the pool sees the request at its next glance, within a second.
    """
    due.request(calendar_ids)
    transaction.on_commit(bell.set)
