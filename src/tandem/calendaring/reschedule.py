"""A whole series moved to another time: where its first event goes, and what its rule says then. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from tandem.calendaring.event import When

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_TIED = ("BYDAY", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYMONTH", "BYSETPOS")


class CannotMove(Exception):
    """The rule ties the series to its days, and which days are meant now is not for us to guess."""

    words = (
        "This series repeats by a rule that names its days. Change the rule in your calendar program, "
        "or move this one meeting."
    )

    def __init__(self) -> None:
        super().__init__(self.words)


def shifted(master: When, was: When, becomes: When) -> When:
    """The master's time when one of its occurrences moves from `was` to `becomes`.

    Wall time moves by as much as the occurrence's; length, zone and all-day are those of `becomes`.
    """
    if becomes.all_day:
        first = master.first_day + (becomes.first_day - was.first_day)
        return When.days(first, first + (becomes.end_day - becomes.first_day))
    start = datetime.fromisoformat(master.start[:10] + "T00:00:00" if master.all_day else master.start)
    wanted = datetime.fromisoformat(becomes.start)
    begins = start + (wanted - datetime.fromisoformat(was.start))
    length: timedelta = datetime.fromisoformat(becomes.end) - wanted
    return When(begins.isoformat(), (begins + length).isoformat(), becomes.zone)


def moved_rules(recurrence: Sequence[str], was: When, becomes: When) -> tuple[str, ...]:
    """The recurrence lines of a series of which one occurrence moves from `was` to `becomes`.

    A weekly rule's weekdays move along; a rule that names no days follows its first event by itself.
    Raises `CannotMove` for another day under any other rule that names its days (RFC 5545 3.3.10).
    """
    days = (becomes.first_day - was.first_day).days
    if not days:
        return tuple(recurrence)
    by = datetime.fromisoformat(becomes.start) - datetime.fromisoformat(was.start)
    return tuple(_moved(line, days, by) if line.startswith("RRULE:") else line for line in recurrence)


def _moved(line: str, days: int, by: timedelta) -> str:
    parts = dict(part.partition("=")[::2] for part in line.removeprefix("RRULE:").split(";") if part)
    tied = {name for name in _TIED if name in parts}
    if not tied:
        return line
    named = parts.get("BYDAY", "").split(",")
    if parts.get("FREQ") != "WEEKLY" or tied != {"BYDAY"} or not set(named) <= set(WEEKDAYS):
        raise CannotMove
    moved = sorted((WEEKDAYS.index(day) + days) % 7 for day in named)
    if "UNTIL" in parts:
        parts["UNTIL"] = _until(parts["UNTIL"], days, by)
    parts["BYDAY"] = ",".join(WEEKDAYS[index] for index in moved)
    return "RRULE:" + ";".join(f"{name}={value}" for name, value in parts.items())


def _until(text: str, days: int, by: timedelta) -> str:
    """UNTIL moves along, so that as many occurrences are left as before."""
    if len(text) == 8:
        return (datetime.fromisoformat(text) + timedelta(days=days)).strftime("%Y%m%d")
    moved = datetime.fromisoformat(text.removesuffix("Z")) + by
    return moved.strftime("%Y%m%dT%H%M%S") + ("Z" if text.endswith("Z") else "")
