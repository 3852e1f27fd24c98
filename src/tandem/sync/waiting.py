"""The intents that wait for one remote object, and what is known of how far they have come."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from tandem.calendaring import fields
from tandem.mailboxes.models import Calendar
from tandem.meetings.models import Intent, RemoteObject
from tandem.meetings.wishes import changes_of

IDLE = timedelta(seconds=30)


def opened(calendar: Calendar, remote_id: str) -> list[Intent]:
    rows = Intent.objects.filter(calendar=calendar, remote_id=remote_id, state=Intent.State.OPEN)
    return list(rows.select_related("author", "meeting").order_by("created_at", "id"))


def locked(calendar: Calendar, remote_id: str) -> list[Intent]:
    """The open intents as they are now, and until the transaction ends: a person may decide or withdraw meanwhile."""
    ids = [intent.id for intent in opened(calendar, remote_id)]
    list(Intent.objects.select_for_update().filter(id__in=ids).order_by("id"))
    return opened(calendar, remote_id)


def is_uncertain(calendar: Calendar, remote_id: str, intents: Sequence[Intent]) -> bool:
    """Whether the calendar must be asked first: an attempt went out, or nothing is known of what is to change."""
    if any(intent.sent_at for intent in intents):
        return True
    new = any(intent.verb == Intent.Verb.CREATE for intent in intents)
    return not new and not RemoteObject.objects.filter(calendar=calendar, remote_id=remote_id).exists()


def never_created(calendar: Calendar, remote_id: str) -> bool:
    """Whether this is a meeting of ours whose create never reached the calendar: its guests know of nothing."""
    creates = Intent.objects.filter(calendar=calendar, remote_id=remote_id, verb=Intent.Verb.CREATE)
    return creates.exclude(state=Intent.State.CONFIRMED).exists()


def undecided(calendar: Calendar, remote_id: str) -> list[fields.Changes]:
    """Edits of the whole series that wait for a person to decide."""
    rows = Intent.objects.filter(calendar=calendar, remote_id=remote_id, recurrence_id="", verb=Intent.Verb.CHANGE)
    return [changes_of(row) for row in rows.exclude(conflicts="{}").filter(state=Intent.State.CONFLICT)]


def put_off(intents: Sequence[Intent], now: datetime) -> None:
    """Nothing can be done about these yet: not again at once."""
    for intent in intents:
        intent.next_try_at = now + IDLE
        intent.save(update_fields=["next_try_at"])
