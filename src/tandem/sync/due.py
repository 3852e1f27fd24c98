"""What is due: the truth that jobs only wake for. One query each, on our own tables."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q

from tandem.mailboxes.models import AccountState, Calendar
from tandem.meetings.models import Intent
from tandem.team.models import User

ACTIVE = timedelta(minutes=5)
POLL = timedelta(seconds=30)
PAUSE = timedelta(seconds=5)


def request(calendar_ids: Iterable[UUID]) -> None:
    """Ask for a look at these calendars, as soon as may be: a click, an edit, a webhook."""
    Calendar.objects.filter(id__in=list(calendar_ids)).update(requested=F("requested") + 1)


def calendars(now: datetime, limit: int = 64) -> list[tuple[UUID, UUID]]:
    """(calendar, account) of what wants a look now: asked for first, then by how long it is overdue.

    An account that needs its user is only looked at when asked; a held calendar not at all.
    """
    waiting = Intent.objects.filter(calendar=OuterRef("id"), state=Intent.State.OPEN).filter(
        Q(next_try_at=None) | Q(next_try_at__lte=now)
    )
    asked = ~Q(requested=F("done"))
    polled = Q(is_read=True, account__state=AccountState.ACTIVE) & (Q(next_poll_at=None) | Q(next_poll_at__lte=now))
    deliverable = Q(account__state=AccountState.ACTIVE) & Exists(waiting)
    rows = (
        Calendar.objects.filter(asked | polled | deliverable, gone=False, held="")
        .exclude(account__state=AccountState.DISCONNECTED)
        .exclude(not_before__gt=now)
        .order_by((F("requested") - F("done")).desc(), F("next_poll_at").asc(nulls_first=True))
        .values_list("id", "account_id")
    )
    return list(rows[:limit])


def postpone(calendar_id: UUID, now: datetime) -> None:
    """A look came to nothing: whatever asked for it is left, but not looked at again for a while."""
    Calendar.objects.filter(id=calendar_id).update(not_before=now + PAUSE)


def hurry(user: User, now: datetime) -> None:
    """The user is back at their pages: their calendars are polled within the short interval again."""
    Calendar.objects.filter(
        account__owner=user, account__state=AccountState.ACTIVE, failures=0, next_poll_at__gt=now + POLL
    ).update(next_poll_at=now)
