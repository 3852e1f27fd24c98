"""Why something in a calendar is not a meeting of the CRM. Every skip is stored with one of these."""

from __future__ import annotations

from enum import StrEnum

from tandem.calendaring.event import Event


class Skip(StrEnum):
    NOT_YOUR_MEETING = "not-your-meeting"
    NOT_A_MEETING = "not-a-meeting"
    UNREADABLE = "unreadable"
    NO_TIME = "no-time"

    @property
    def words(self) -> str:
        return _WORDS[self]


_WORDS = {
    Skip.NOT_YOUR_MEETING: "You are neither its organizer nor a guest. Switch on “other people's meetings” "
    "for this calendar to count it.",
    Skip.NOT_A_MEETING: "This is focus time, an absence, a working place or a birthday, not a meeting.",
    Skip.UNREADABLE: "Tandem could not read this event. It is left as it is in your calendar.",
    Skip.NO_TIME: "This event has no start time.",
}

NO_MEETINGS = frozenset({"focusTime", "outOfOffice", "workingLocation", "birthday"})


def skip_reason(event: Event, *, me: frozenset[str], count_others: bool) -> Skip | None:
    """Why `event` does not count for the owner of a calendar, or None when it does.

    It counts when one of the account's addresses (`me`) is its organizer or guest, when it has no
    organizer, or when the calendar counts other people's meetings too (`count_others`).
    """
    if event.kind in NO_MEETINGS:
        return Skip.NOT_A_MEETING
    if event.when is None and not event.recurrence_id:
        return Skip.NO_TIME
    if count_others or event.organizer is None or not me.isdisjoint(event.addresses):
        return None
    return Skip.NOT_YOUR_MEETING
