"""A small pool of threads in the server's process: it looks at what is due and keeps the house.

One glance a second (or at once, when the bell rings) asks our tables what is due. A calendar is in
the hands of one thread at most, and one account occupies at most `PER_ACCOUNT` threads, so that a
slow one starves nobody.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from django.db import DatabaseError, connection

from tandem import jobs
from tandem.invitations import sender
from tandem.mailboxes.lease import LeaseLost
from tandem.meetings import linking, projection
from tandem.sync import due, push
from tandem.sync.cycle import sync_calendar
from tandem.team import news
from tandem.team.models import Company

log = structlog.get_logger()

GLANCE = 1.0
WHILE = 3.0
PER_ACCOUNT = 2
ROLL = timedelta(minutes=1)
PROJECT = timedelta(hours=6)


def utc_now() -> datetime:
    return datetime.now(UTC)


def _report(done: Future[None]) -> None:
    """A failure that nobody foresaw is a bug: it is logged whole, and the calendar is looked at again later."""
    error = None if done.cancelled() else done.exception()
    if error is not None:
        log.error("look failed", exc_info=error)


def _close_connection() -> None:
    """This thread's own connection: each thread has one."""
    connection.close()


class _Round:
    """A task that is done again and again, on a thread of its own, whatever became of the last time.

    A database that is busy or restarts, and even a bug, end one time and not the round: it is logged.
    """

    def __init__(self, name: str, task: Callable[[], None], pause: Callable[[], object]) -> None:
        self._name = name
        self._task = task
        self._pause = pause
        self._stopping = threading.Event()
        self._hands = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._thread = threading.Thread(target=self._turn, name=f"{name}-round", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Asks to stop; `join` waits for it."""
        self._stopping.set()

    def join(self) -> None:
        self._thread.join(timeout=10)
        self._hands.shutdown(wait=not self._thread.is_alive())

    def _turn(self) -> None:
        while not self._stopping.is_set():
            error = self._hands.submit(self._task).exception()
            if error is not None:
                log.error("round failed", round=self._name, exc_info=error)
                self._hands.submit(_close_connection)
                self._stopping.wait(GLANCE)
            self._pause()
        self._hands.submit(_close_connection)


class Pool:
    """`start()` once, `stop()` at the end: waits for what is running, which commits page by page."""

    def __init__(self, threads: int = 8, clock: Callable[[], datetime] = utc_now) -> None:
        self._clock = clock
        self._threads = threads
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="sync")
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._running: dict[UUID, UUID] = {}
        self._projected_at: datetime | None = None
        self._push_tested = False
        self._rounds = (
            _Round("keeper", self._hand_out, self._until_the_bell),
            _Round("house", self._house, self._a_moment),
            _Round("mailer", self._mail, self._a_moment),
            _Round("push-test", self._test_push, self._a_moment),
        )

    def start(self) -> None:
        for each in self._rounds:
            each.start()

    def stop(self) -> None:
        self._stopping.set()
        for each in self._rounds:
            each.stop()
        jobs.bell.set()
        for each in self._rounds:
            each.join()
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _until_the_bell(self) -> None:
        jobs.bell.wait(GLANCE)
        jobs.bell.clear()

    def _a_moment(self) -> None:
        self._stopping.wait(GLANCE)

    def _hand_out(self) -> None:
        with self._lock:
            running = dict(self._running)
        full = [account for account, threads in Counter(running.values()).items() if threads >= PER_ACCOUNT]
        if len(running) >= self._threads:
            return
        for calendar_id, account_id in due.calendars(self._clock(), busy=running, full=full):
            with self._lock:
                busy = Counter(self._running.values())
                free = len(self._running) < self._threads
                if not free or calendar_id in self._running or busy[account_id] >= PER_ACCOUNT:
                    continue
                self._running[calendar_id] = account_id
            self._executor.submit(self._sync, calendar_id).add_done_callback(_report)

    def _sync(self, calendar_id: UUID) -> None:
        looked = False
        try:
            looked = sync_calendar(calendar_id, clock=self._clock)
        except (LeaseLost, DatabaseError) as error:
            log.warning("look interrupted", calendar=str(calendar_id), error=type(error).__name__)
        finally:
            try:
                if not looked:
                    # Another worker is at it, or a bug struck: not again at once.
                    due.postpone(calendar_id, self._clock())
            finally:
                # Whatever became of the note: a calendar left in `_running` would never be looked at again.
                connection.close()
                with self._lock:
                    del self._running[calendar_id]
                jobs.bell.set()

    def _house(self) -> None:
        """What time alone makes due: next meetings become last ones, far ones come within the horizon."""
        now = self._clock()
        company = Company.current()
        since = company.rolled_at
        if since is None or since <= now - ROLL:
            linking.roll(since or now - ROLL, now=now)
            Company.objects.filter(id=company.id).update(rolled_at=now)
            news.forget_old(now)
        if self._projected_at is None or self._projected_at <= now - PROJECT:
            self._projected_at = now
            projection.roll_on(now=now)
        projection.rebuild_if_needed(now=now)

    def _mail(self) -> None:
        sender.send_due(self._clock())

    def _test_push(self) -> None:
        """The first time whatever was found before the start, once the server had time to listen."""
        self._stopping.wait(WHILE)
        push.check_if_due(self._clock(), anew=not self._push_tested)
        self._push_tested = True
