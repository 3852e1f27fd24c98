"""What people attached to a meeting (pins, refusals) survives every re-read and moves along with it."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from tandem.meetings.models import Copy, Intent, Meeting, Pin


def carry(moves: Iterable[tuple[UUID, UUID]]) -> None:
    """Take pins and intents from a series that lost its last copy to the one its event belongs to now.

    That happens when an event without guests moves to another calendar, or when an event takes on the
    key of a series that is there already: the key changes, the meeting doesn't.
    """
    for old, new in moves:
        if Copy.objects.filter(meeting__series=old).exists() or not Copy.objects.filter(meeting__series=new).exists():
            continue
        kept = set(Pin.objects.filter(series=new).values_list("original_start", "record_id"))
        for pin in Pin.objects.filter(series=old):
            if (pin.original_start, pin.record_id) not in kept:
                pin.series_id = new
                pin.save(update_fields=["series"])
        targets = dict(Meeting.objects.filter(series=new).values_list("recurrence_id", "id"))
        for intent in Intent.objects.filter(meeting__series=old).select_related("meeting"):
            assert intent.meeting is not None
            intent.meeting_id = targets.get(intent.meeting.recurrence_id, intent.meeting_id)
            intent.save(update_fields=["meeting"])
