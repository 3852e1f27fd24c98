"""The pill that tells how sync stands: the worst state of the viewer's own accounts, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tandem.mailboxes.models import Account, AccountState, Calendar
from tandem.team.models import Company, User
from tandem.web import clock

BEHIND = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class SyncPill:
    """`tone` is "", "ok", "warn" or "danger"; `name` is whose account it speaks of, `short` fits a phone."""

    tone: str
    icon: str
    name: str
    short: str
    rest: str = ""


def sync_pill(user: User, now: datetime) -> SyncPill:
    """The worst news first: stopped, behind, on its way, in step."""
    accounts = list(Account.objects.filter(owner=user).exclude(state=AccountState.DISCONNECTED).order_by("name"))
    if not accounts:
        return SyncPill("", "cloud", "", "No calendar yet")
    for account in accounts:
        if account.state == AccountState.RECONNECT:
            return SyncPill("danger", "pause", account.name, "Reconnect")
    if Company.current().writing_held:
        return SyncPill("warn", "pause", "", "Writing is paused")
    calendars = list(Calendar.objects.filter(account__in=accounts, is_read=True, gone=False).select_related("account"))
    if not calendars:
        return SyncPill("", "cloud", accounts[0].name, "No calendar chosen")
    return min((pill_of(calendar, now) for calendar in calendars), key=lambda found: found[0])[1]


def pill_of(calendar: Calendar, now: datetime) -> tuple[tuple[int, datetime], SyncPill]:
    """How bad one calendar's state is (the smaller, the worse), and its words."""
    name, seen = calendar.account.name, calendar.last_success_at
    if calendar.held:
        return (0, now), SyncPill("danger", "pause", name, "Stopped")
    if calendar.error:
        return (1, now), SyncPill("warn", "alert", name, "Behind", f" {since(seen, now)}")
    if seen is None or not calendar.window_read:
        return (2, now), SyncPill("", "sync", name, "First sync")
    if now - in_step_until(calendar, seen) > BEHIND:
        return (3, seen), SyncPill("warn", "clock", name, "Behind", f" {since(seen, now)}")
    if in_step_until(calendar, seen) - seen > BEHIND:
        return (4, seen), SyncPill("ok", "check", name, "In sync")
    return (4, seen), SyncPill("ok", "check", name, "In sync", f" {ago(seen, now)}")


def in_step_until(calendar: Calendar, seen: datetime) -> datetime:
    """Until when the look at `seen` is good enough: one that calls us when it changes is asked again in an hour."""
    return max(seen, calendar.next_poll_at or seen)


def ago(seen: datetime, now: datetime) -> str:
    """In minutes at the least, for open pages show it for one."""
    return "just now" if now - seen < timedelta(minutes=1) else clock.ago(seen, now)


def since(seen: datetime | None, now: datetime) -> str:
    return f"since {clock.moment_within(seen, now)}" if seen else "from the start"
