"""The whole story of one look at one calendar. Every trigger (poll, click, edit, CLI) comes through here.

take the lease -> deliver intents -> the window first -> every page of changes, applied and saved
together with the cursor on the last -> deliver again -> note how it went
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from tandem.calendaring import horizon
from tandem.calendaring.provider import (
    CursorExpired,
    Page,
    Provider,
    ProviderError,
    ReconnectNeeded,
)
from tandem.mailboxes.lease import Clock, Lease, LeaseTaken, take
from tandem.mailboxes.models import Account, AccountState, Calendar
from tandem.meetings.models import RemoteObject
from tandem.sync import due, push
from tandem.sync.apply import apply
from tandem.sync.connect import Connect, connect, connected
from tandem.sync.deliver import deliver_intents
from tandem.sync.reading import KnownObjects, gathered
from tandem.team import news
from tandem.team.models import Company, anyone_active, was_active

LOOK_BACK = timedelta(days=31)
POLL_ACTIVE = timedelta(seconds=30)
POLL_NEAR = timedelta(seconds=45)
POLL_QUIET = timedelta(minutes=5)
POLL_PUSHED = timedelta(hours=1)
DEEP = timedelta(days=1)
BACKOFF = (15, 60, 180, 600, 1800)
MANY, SHARE, FEW = 10, 0.2, 2


class Held(Exception):
    """A brake stopped the sync of this calendar: what it read looks like a loss. Nothing was removed."""


@dataclass(frozen=True, slots=True)
class _Look:
    calendar: Calendar
    provider: Provider
    lease: Lease
    clock: Clock

    def save(self, **values: object) -> None:
        """Set these columns of the calendar, and no others, now and in memory."""
        Calendar.objects.filter(id=self.calendar.id).update(**values)
        for name, value in values.items():
            setattr(self.calendar, name, value)


def sync_calendar(calendar_id: UUID, *, clock: Clock, by: Connect = connect) -> bool:
    """Look at one calendar and deliver what waits for it. False when another worker is at it.

    Never raises a `ProviderError`: how it went stands on the calendar's and the account's row.
    Raises `LeaseLost` when this worker was too slow and another took over.
    """
    try:
        with take(f"calendar:{calendar_id}", clock=clock) as lease:
            calendar = Calendar.objects.select_related("account__owner").get(id=calendar_id)
            if calendar.account.state == AccountState.DISCONNECTED or calendar.gone:
                return True
            _guarded_look(calendar, lease, clock, by)
            return True
    except LeaseTaken:
        return False


def _guarded_look(calendar: Calendar, lease: Lease, clock: Clock, by: Connect) -> None:
    requested = calendar.requested
    try:
        with connected(calendar.account, by) as provider:
            look = _Look(calendar, provider, lease, clock)
            _look(look)
    except ReconnectNeeded as error:
        with lease.guarding():
            _note_reconnect(calendar.account, error.words, clock())
            _note_failure(calendar, requested, error, clock())
    except Held as error:
        with lease.guarding():
            Calendar.objects.filter(id=calendar.id).update(held=str(error)[:500], held_removal=True, done=requested)
            news.mark()
    except ProviderError as error:
        with lease.guarding():
            _note_failure(calendar, requested, error, clock())
    else:
        with lease.guarding():
            _note_success(calendar, requested, clock())


def _look(look: _Look) -> None:
    """Deliver first, without a pull: the condition on the write protects it. Then read, page by page."""
    _deliver(look)
    if not look.calendar.is_read and look.provider.push is not None:
        push.stop_unread(look.calendar, look.provider.push, lease=look.lease, now=look.clock())
    if not look.calendar.is_read or look.calendar.held:
        return
    if not look.calendar.window_read:
        _read_window(look)
    try:
        _read_changes(look, look.calendar.cursor)
    except CursorExpired:
        # Deletions since then can't be told any more: everything is listed and compared.
        _read_changes(look, None)
    if look.provider.push is not None:
        push.keep(look.calendar, look.provider.push, lease=look.lease, clock=look.clock)


def _deliver(look: _Look) -> None:
    deliver_intents(look.calendar, look.provider, lease=look.lease, clock=look.clock)


def _read_window(look: _Look) -> None:
    """A bounded first look, so that pages fill in seconds: the last month and the horizon."""
    now = look.clock()
    until = horizon.bound(now, Company.current().horizon_hours)
    for page in gathered(look.provider.window(look.calendar.remote_id, now - LOOK_BACK, until)):
        with look.lease.guarding():
            apply(look.calendar, page.items, (), now=look.clock())
        _deliver(look)
    with look.lease.guarding():
        look.save(window_read=True)
        news.mark()


def _read_changes(look: _Look, cursor: str | None) -> None:
    calendar, now = look.calendar, look.clock()
    if cursor is not None and calendar.last_full_at is not None and calendar.last_full_at < now - DEEP:
        cursor = None
    full = cursor is None
    read, lost = 0, 0
    for page in gathered(look.provider.changes(calendar.remote_id, cursor, KnownObjects(calendar))):
        removed = _confirmed_removals(look, page, lost)
        lost += len(removed)
        with look.lease.guarding():
            apply(calendar, page.items, removed, now=look.clock())
            read += len(page.items)
            if full and page.total is not None:
                look.save(read_count=read, read_total=page.total)
            if page.cursor is not None:
                _save_cursor(look, page.cursor, full=full)
        _deliver(look)


def _save_cursor(look: _Look, cursor: str, *, full: bool) -> None:
    """In one transaction with the last page's data, never before."""
    if full:
        look.save(cursor=cursor, last_full_at=look.clock(), generation=look.calendar.generation + 1)
    elif cursor != look.calendar.cursor:
        look.save(cursor=cursor)


def _confirmed_removals(look: _Look, page: Page, lost: int) -> Sequence[str]:
    """The removals that count. A mass deletion stops and asks; a listing's gap is asked about, one by one.

    `lost` is how many this look has removed already, for a loss may come in small pages.
    """
    if not page.removed:
        return ()
    stored = RemoteObject.objects.filter(calendar=look.calendar)
    known = set(stored.filter(remote_id__in=page.removed[:20000]).values_list("remote_id", flat=True))
    if not known:
        return ()
    total = stored.count() + lost
    missing = len(known) + lost
    mass = missing > MANY and missing > total * SHARE
    emptied = page.complete and missing == total > FEW
    if not look.calendar.removal_allowed and (mass or emptied):
        raise Held(
            f"{missing} of {total} events are missing in {look.calendar.name}. "
            f"{'No more were' if lost else 'Nothing was'} removed here. Look first, then decide."
        )
    if not page.complete:
        return sorted(known)
    return [gone for gone in sorted(known) if look.provider.read(look.calendar.remote_id, gone) is None]


def _note_success(calendar: Calendar, requested: int, now: datetime) -> None:
    Calendar.objects.filter(id=calendar.id).update(
        done=requested,
        failures=0,
        error="",
        error_since=None,
        last_success_at=now,
        removal_allowed=False,
        next_poll_at=now + _pause(calendar, now),
    )
    mended = Account.objects.filter(id=calendar.account_id, state=AccountState.RECONNECT).update(
        state=AccountState.ACTIVE, error="", error_since=None
    )
    if mended or calendar.error or calendar.last_success_at is None:
        news.mark()


def _pause(calendar: Calendar, now: datetime) -> timedelta:
    """Often while the owner looks at pages, seldom otherwise; spread, so that calendars don't march in step.

    In a small company a colleague at work is reason enough, for they see the same meetings. One that calls
    us is looked at now and then all the same, for a call may get lost.
    """
    pause = POLL_QUIET
    if due.calling_channels(now).filter(calendar=calendar).exists():
        pause = POLL_PUSHED
    elif was_active(calendar.account.owner, now):
        pause = POLL_ACTIVE
    elif anyone_active(now) and due.small_company():
        pause = POLL_NEAR
    return pause * random.uniform(0.9, 1.1)  # noqa: S311 (jitter, no secret)


def _note_failure(calendar: Calendar, requested: int, error: ProviderError, now: datetime) -> None:
    seconds = BACKOFF[min(calendar.failures, len(BACKOFF) - 1)]
    pause = max(seconds, error.retry_after or 0) * random.uniform(1, 1.3)  # noqa: S311 (jitter, no secret)
    values: dict[str, object] = {
        "done": requested,
        "failures": calendar.failures + 1,
        "error": error.words[:500],
        "error_since": calendar.error_since or now,
        "next_poll_at": now + timedelta(seconds=pause),
    }
    Calendar.objects.filter(id=calendar.id).update(**values)
    if calendar.error != values["error"]:
        news.mark()


def _note_reconnect(account: Account, words: str, now: datetime) -> None:
    """The account pauses and keeps its intents; a banner asks its owner to reconnect."""
    paused = Account.objects.filter(id=account.id, state=AccountState.ACTIVE).update(
        state=AccountState.RECONNECT, error=words[:500], error_since=now
    )
    if paused:
        push.forget_all(account, now=now)
        news.mark()
