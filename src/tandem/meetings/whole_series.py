"""One edit for all of a series: what it means for the master, and for occurrences edited by themselves."""

from __future__ import annotations

import msgspec

from tandem.calendaring import event as canonical
from tandem.calendaring import fields, reschedule
from tandem.calendaring.event import When
from tandem.calendaring.fields import Change
from tandem.meetings.models import Meeting

OF_THE_SERIES = frozenset({"when", "recurrence"})
"""What the master alone says: the calendar moves its overrides along by itself (`ics.shift`)."""


def of_master(changes: dict[str, fields.Change], master: Meeting) -> dict[str, fields.Change]:
    """An occurrence's changes as changes of its whole series: a moved time moves the master by as much.

    What the series says is what they start from, for the occurrence may have said something else.
    Raises `reschedule.CannotMove`.
    """
    event = canonical.decode(master.shown)
    changes = {
        name: change if name == "when" else (fields.field(name).read(event), change[1])
        for name, change in changes.items()
        if name == "when" or not fields.field(name).same(fields.field(name).read(event), change[1])
    }
    if "when" not in changes:
        return changes
    assert event.when is not None
    was, becomes = (msgspec.convert(value, When) for value in changes["when"])
    rules = reschedule.moved_rules(event.recurrence, was, becomes)
    moved = msgspec.structs.replace(event, when=reschedule.shifted(event.when, was, becomes), recurrence=rules)
    others = {name: change for name, change in changes.items() if name != "when"}
    return {**others, **fields.diff(event, moved)}


def of_overrides(changes: dict[str, Change], master: Meeting) -> list[tuple[Meeting, dict[str, Change]]]:
    """The same changes for each occurrence that was edited by itself and still says what the author saw.

    One that was given a value of its own keeps it.
    """
    found = []
    held = master.series.meetings.filter(state=Meeting.State.LIVE, authority__isnull=False).exclude(recurrence_id="")
    for override in held:
        event = canonical.decode(override.shown)
        followed = {
            name: change
            for name, change in changes.items()
            if name not in OF_THE_SERIES and fields.field(name).same(fields.field(name).read(event), change[0])
        }
        if followed:
            found.append((override, followed))
    return found
