"""What is in a user's calendars and not among their meetings, each with the reason that sync stored."""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID

from tandem.calendaring import event as canonical
from tandem.calendaring.event import When
from tandem.calendaring.reasons import Skip
from tandem.mailboxes.models import Calendar
from tandem.meetings.models import Copy, RemoteObject
from tandem.team.models import User

LIMIT = 200


@dataclass(frozen=True, slots=True)
class Skipped:
    """One event that does not count. `remote_object` is set where reading it may be tried again."""

    title: str
    when: When | None
    calendar: Calendar
    words: str
    remote_object: UUID | None


def quarantined(user: User) -> list[Skipped]:
    """Events that could not be read, the newest reading first; the rest of their calendars goes on."""
    rows = RemoteObject.objects.filter(calendar__account__owner=user).exclude(problem="").select_related("calendar")
    return [
        Skipped(_title(row.raw) or row.remote_id.rsplit("/", 1)[-1], None, row.calendar, row.problem, row.id)
        for row in rows.order_by("-id")[:LIMIT]
    ]


def not_counted(user: User) -> list[Skipped]:
    """Events that were read and left out by rule: not the user's, no meetings, without a time."""
    rows = Copy.objects.filter(calendar__account__owner=user, remote_object__problem="").exclude(skip="")
    found = []
    for row in rows.select_related("calendar").order_by("-id")[:LIMIT]:
        event = canonical.decode(row.content)
        found.append(Skipped(event.title or "No title", event.when, row.calendar, Skip(row.skip).words, None))
    return found


def count(user: User) -> int:
    """How many there are of both."""
    unread = RemoteObject.objects.filter(calendar__account__owner=user).exclude(problem="").count()
    left_out = Copy.objects.filter(calendar__account__owner=user, remote_object__problem="").exclude(skip="").count()
    return unread + left_out


def read_again(user: User, remote_object: UUID) -> Calendar | None:
    """Have one quarantined event read again at the next look; its calendar, or None when it isn't the user's."""
    row = (
        RemoteObject.objects.filter(id=remote_object, calendar__account__owner=user).select_related("calendar").first()
    )
    if row is None:
        return None
    RemoteObject.objects.filter(id=row.id).update(etag="")
    # A comparison of everything meets it again; the cursor alone would only tell of new changes.
    Calendar.objects.filter(id=row.calendar_id).update(last_full_at=None, cursor=None)
    return row.calendar


def _title(raw: str) -> str:
    """The name on a payload that could not be read, as far as it can be guessed for its owner."""
    found = re.search(r"^SUMMARY[^:\n]*:(.*)$", raw, re.MULTILINE)
    return found.group(1).strip()[:200] if found else ""
