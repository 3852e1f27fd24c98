"""The state of accounts and calendars in words: in step, reading, behind, paused, stopped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Count, Q

from tandem.mailboxes.models import Account, AccountState, Calendar, Sender
from tandem.meetings.models import Intent
from tandem.sync import tokens
from tandem.team.models import Role, User
from tandem.web import when_words
from tandem.web.event_rows import reader_zone
from tandem.web.sync_pill import in_step_until

BEHIND = timedelta(minutes=15)
PROVIDERS = {"caldav": "CalDAV", "google": "Google Calendar", "memory": "Trial calendar"}


@dataclass(frozen=True, slots=True)
class Pill:
    words: str
    css: str
    icon: str
    spins: bool = False


@dataclass(frozen=True, slots=True)
class CalendarView:
    calendar: Calendar
    note: str
    error: str


@dataclass(frozen=True, slots=True)
class AccountView:
    """One account as the page shows it. `progress` is (done, total or None) while a first reading runs."""

    account: Account
    provider: str
    pill: Pill
    last: str
    waiting: int
    calendars: list[CalendarView]
    held: list[Calendar]
    busy: bool
    progress: tuple[int, int | None] | None
    percent: int
    banner: str
    since: str
    sends: str
    ends: str

    @property
    def paused(self) -> bool:
        return self.account.state == AccountState.RECONNECT


def accounts_of(user: User, now: datetime) -> list[AccountView]:
    """The user's accounts, connected ones first, with their calendars. Disconnected ones are left out."""
    waiting = Count("calendars__intents", filter=Q(calendars__intents__state=Intent.State.OPEN), distinct=True)
    own = user.accounts.exclude(state=AccountState.DISCONNECTED).prefetch_related("calendars").annotate(waiting=waiting)
    tz = reader_zone(user)
    return [_view(account, account.waiting, now, tz) for account in own.order_by("created_at")]


def _view(account: Account, waiting: int, now: datetime, tz: ZoneInfo) -> AccountView:
    calendars = sorted((c for c in account.calendars.all() if not c.gone), key=lambda c: (not c.writable, c.name))
    reading = [calendar for calendar in calendars if calendar.is_read]
    busy = account.state == AccountState.ACTIVE and any(is_due(calendar) for calendar in calendars)
    progress = _progress(reading)
    last = [calendar.last_success_at for calendar in reading if calendar.last_success_at]
    return AccountView(
        account=account,
        provider=PROVIDERS.get(account.provider, account.provider),
        pill=_pill(account, reading, waiting, busy, now),
        last=when_words.ago(max(last), now, tz) if last else "",
        waiting=waiting,
        calendars=[_calendar(account, calendar, now, tz) for calendar in calendars],
        held=[calendar for calendar in calendars if calendar.held],
        busy=busy,
        progress=progress,
        percent=min(100, 100 * progress[0] // progress[1]) if progress and progress[1] else 0,
        banner=account.error if account.state == AccountState.RECONNECT else "",
        since=when_words.since(account.error_since, now, tz) if account.error_since else "",
        sends=f"{service(account) if account.invitations_by == Sender.SERVER else 'Tandem'} mails guests",
        ends=_ends(account, now, tz),
    )


def service(account: Account) -> str:
    """The service that keeps this account, as the beginning of a sentence."""
    return "Google" if account.provider == "google" else "The calendar server"


def _ends(account: Account, now: datetime, tz: ZoneInfo) -> str:
    """Until when Google lets us in, where it set an end (an OAuth client in Testing: 7 days)."""
    ends = tokens.ends_at(account) if account.provider == "google" and account.state == AccountState.ACTIVE else None
    if ends is None:
        return ""
    local = ends.astimezone(tz)
    when = f"{when_words.short_day(local.date(), now.astimezone(tz).date())}, {when_words.clock(local)}"
    return f"Google ends this access on {when}: it does so after 7 days, while the company’s client is in Testing."


@dataclass(frozen=True, slots=True)
class GoogleWay:
    """Whether Google accounts can be connected here; if not, `administrators` names those to ask."""

    ready: bool
    administrators: str


def google_way() -> GoogleWay:
    if tokens.has_client():
        return GoogleWay(True, "")
    names = User.objects.filter(role=Role.ADMINISTRATOR, is_active=True).order_by("name").values_list("name", flat=True)
    return GoogleWay(False, " or ".join(names[:3]))


def is_due(calendar: Calendar) -> bool:
    """Whether a look was asked for and has not begun and ended since."""
    return calendar.requested != calendar.done and not calendar.held and not calendar.gone


def _progress(reading: list[Calendar]) -> tuple[int, int | None] | None:
    first = [calendar for calendar in reading if calendar.last_full_at is None and is_due(calendar)]
    if not first:
        return None
    known = [calendar.read_total for calendar in first if calendar.read_total is not None]
    total = sum(known) if len(known) == len(first) else None
    return sum(calendar.read_count for calendar in first), total


def _pill(account: Account, reading: list[Calendar], waiting: int, busy: bool, now: datetime) -> Pill:
    """The worst state of what is on the page: nothing says "In sync" while a calendar shown is not."""
    if account.state == AccountState.RECONNECT:
        return Pill("Paused", "pill-danger", "pause")
    if any(calendar.held for calendar in reading):
        return Pill("Stopped, look first", "pill-danger", "pause")
    if not reading:
        return Pill("No calendar is read", "", "calendar")
    if any(calendar.error for calendar in reading):
        return Pill("Not reached", "pill-warn", "alert")
    if busy:
        return Pill("Syncing", "", "sync", spins=True)
    if any(calendar.last_success_at is None for calendar in reading):
        return Pill("Not read yet", "", "clock")
    if waiting:
        return Pill(f"{when_words.count(waiting, 'edit')} on the way", "", "clock")
    oldest = min(calendar.last_success_at for calendar in reading if calendar.last_success_at)
    if any(now - in_step_until(row, row.last_success_at) > BEHIND for row in reading if row.last_success_at):
        minutes = int((now - oldest).total_seconds() // 60)
        late = f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
        return Pill(f"{late} behind", "pill-warn", "clock")
    return Pill("In sync", "pill-ok", "check")


def _calendar(account: Account, calendar: Calendar, now: datetime, tz: ZoneInfo) -> CalendarView:
    note = "" if calendar.writable else "read only"
    error = calendar.error
    if account.state == AccountState.RECONNECT:
        error = ""  # the banner says it once for all of them
    elif error and calendar.error_since:
        error = f"{error} It is like this {when_words.since(calendar.error_since, now, tz)}."
    return CalendarView(calendar, note, error)
