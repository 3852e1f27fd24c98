"""What people attached to a meeting (pins, refusals) survives every re-read and moves along with it."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from tandem.meetings.models import Copy, Intent, Meeting, Pin


def carry(moves: Iterable[tuple[UUID, UUID]]) -> set[UUID]:
    """Take pins and intents from a series that lost its last copy to the one its event belongs to now.

    Answers with the series that got some. An occurrence that only an intent names goes along as it is.

    That happens when an event without guests moves to another calendar, or when an event takes on the
    key of a series that is there already: the key changes, the meeting doesn't.
    """
    carried: set[UUID] = set()
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
            slot = intent.meeting.recurrence_id
            if slot not in targets:
                Meeting.objects.filter(id=intent.meeting.id).update(series=new)
                targets[slot] = intent.meeting.id
            intent.meeting_id = targets[slot]
            intent.save(update_fields=["meeting"])
        carried.add(new)
    return carried
