"""What is due: the truth that jobs only wake for. One query each, on our own tables."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from tandem.mailboxes.models import AccountState, Calendar, Channel
from tandem.meetings.models import Intent
from tandem.team.models import Company, User

SMALL = 50
PAUSE = timedelta(seconds=5)
AWAY = timedelta(minutes=5)
CALLBACK = "/hooks/google"
HOUR = timedelta(hours=1)


def request(calendar_ids: Iterable[UUID]) -> None:
    """Ask for a look at these calendars, as soon as may be: a click, an edit, a webhook."""
    Calendar.objects.filter(id__in=list(calendar_ids)).update(requested=F("requested") + 1)


def retry_edits(calendar_ids: Iterable[UUID]) -> None:
    """A person asks for a look now: edits that wait for their next try don't wait any longer."""
    waiting = Intent.objects.filter(calendar__in=list(calendar_ids), state=Intent.State.OPEN)
    waiting.exclude(next_try_at=None).update(next_try_at=None)


def calendars(
    now: datetime, limit: int = 64, *, busy: Iterable[UUID] = (), full: Iterable[UUID] = ()
) -> list[tuple[UUID, UUID]]:
    """(calendar, account) of what wants a look now: asked for first, then by how long it is overdue.

    An account that needs its user is only looked at when asked; a held calendar not at all. Calendars
    in `busy` and accounts in `full` are left out, so that a slow account's don't hide the others'.
    """
    waiting = _deliverable(now)
    asked = ~Q(requested=F("done"))
    polled = Q(is_read=True, account__state=AccountState.ACTIVE) & (Q(next_poll_at=None) | Q(next_poll_at__lte=now))
    deliverable = Q(account__state=AccountState.ACTIVE, is_read=True) & Exists(waiting)
    rows = (
        Calendar.objects.filter(asked | polled | deliverable, gone=False, held="")
        .exclude(account__state=AccountState.DISCONNECTED)
        .exclude(not_before__gt=now)
        .exclude(id__in=list(busy))
        .exclude(account__in=list(full))
        .order_by((F("requested") - F("done")).desc(), F("next_poll_at").asc(nulls_first=True))
        .values_list("id", "account_id")
    )
    return list(rows[:limit])


def _deliverable(now: datetime) -> QuerySet[Intent]:
    """Open intents that a look would deliver: none while writing is held, nor beside one that waits its time.

    It says what `deliver.due` says; were it wider, a calendar would be looked at without a pause.
    """
    opened = Intent.objects.filter(state=Intent.State.OPEN)
    if Company.current().writing_held:
        return opened.none()
    beside = opened.filter(calendar=OuterRef("calendar"), remote_id=OuterRef("remote_id"), next_try_at__gt=now)
    return opened.filter(~Exists(beside), calendar=OuterRef("id"))


def postpone(calendar_id: UUID, now: datetime) -> None:
    """A look came to nothing: whatever asked for it is left, but not looked at again for a while."""
    Calendar.objects.filter(id=calendar_id).update(not_before=now + PAUSE)


def hurry(user: User, now: datetime) -> None:
    """The user is back at their pages: their calendars (in a small company all) are looked at again soon.

    One that calls us when it changes is left asleep, unless `user.last_seen_at`, the time before this one,
    says that they were away, and the last look was before that too.
    """
    sleeping = Calendar.objects.filter(
        account__state=AccountState.ACTIVE, failures=0, next_poll_at__gt=now + timedelta(minutes=1)
    )
    calling = Exists(calling_channels(now).filter(calendar=OuterRef("id")))
    if user.last_seen_at is not None and user.last_seen_at > now - AWAY:
        sleeping = sleeping.exclude(calling)
    else:
        sleeping = sleeping.exclude(calling, last_success_at__gt=now - AWAY)
    if not small_company():
        sleeping = sleeping.filter(account__owner=user)
    sleeping.update(next_poll_at=now)


def calling_channels(now: datetime) -> QuerySet[Channel]:
    """Push channels that have proved themselves and last for an hour: what changes in their calendars, they tell."""
    live = Channel.objects.filter(stopped_at=None, expires_at__gt=now + HOUR, called_at__isnull=False)
    return live.filter(address=callback()) if not Company.current().push_problem else live.none()


def callback() -> str:
    """The address that services call."""
    return settings.PUBLIC_URL + CALLBACK


def small_company() -> bool:
    """Whether so few calendars are read that all of them can be looked at often."""
    return Calendar.objects.filter(is_read=True)[: SMALL + 1].count() <= SMALL
