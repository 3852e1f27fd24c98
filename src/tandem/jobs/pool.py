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
from tandem.sync import due
from tandem.sync.cycle import sync_calendar
from tandem.team.models import Company

log = structlog.get_logger()

GLANCE = 1.0
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


class Pool:
    """`start()` once, `stop()` at the end: waits for what is running, which commits page by page."""

    def __init__(self, threads: int = 8, clock: Callable[[], datetime] = utc_now) -> None:
        self._clock = clock
        self._threads = threads
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="sync")
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._running: dict[UUID, UUID] = {}
        self._keeper = threading.Thread(target=self._keep, name="sync-keeper", daemon=True)
        self._mailer = threading.Thread(target=self._mail, name="mailer", daemon=True)
        self._projected_at: datetime | None = None

    def start(self) -> None:
        self._keeper.start()
        self._mailer.start()

    def stop(self) -> None:
        self._stopping.set()
        jobs.bell.set()
        self._keeper.join(timeout=10)
        self._mailer.join(timeout=10)
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _keep(self) -> None:
        while not self._stopping.is_set():
            jobs.bell.clear()
            try:
                self._hand_out()
                self._house()
            except DatabaseError as error:
                # A busy or restarting database is no reason to stop looking; the next glance tries again.
                log.warning("glance failed", error=type(error).__name__)
                connection.close()
            except Exception:  # a bug in one task must not end all syncing; it is logged whole
                log.exception("glance failed")
                connection.close()
                self._stopping.wait(GLANCE)
            jobs.bell.wait(GLANCE)
        connection.close()

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
        if self._projected_at is None or self._projected_at <= now - PROJECT:
            self._projected_at = now
            projection.roll_on(now=now)
        projection.rebuild_if_needed(now=now)

    def _mail(self) -> None:
        while not self._stopping.is_set():
            try:
                sender.send_due(self._clock())
            except DatabaseError as error:
                log.warning("mail round failed", error=type(error).__name__)
                connection.close()
            except Exception:  # one mail's bug must not end all mailing; it is logged whole
                log.exception("mail round failed")
                connection.close()
            self._stopping.wait(GLANCE)
        connection.close()
