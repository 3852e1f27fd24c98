"""When a series takes place: its rule, its exceptions and its overrides, projected onto a window.

Wall times are kept over DST changes (RFC 5545 3.3.10). A wall time that a DST gap skips is read with
the offset before the gap, so it moves forward; of one that comes twice the first is meant (3.3.5).
Every occurrence lasts exactly as long as the first (3.8.5.3).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from itertools import islice
from typing import NamedTuple
from zoneinfo import ZoneInfo

from tandem.calendaring import rule as rules
from tandem.calendaring.event import Event, When, zone
from tandem.calendaring.identity import original_start, recurrence_id_of
from tandem.calendaring.rule import BadRecurrence, Rule
from tandem.calendaring.rule_words import words

_DAY = timedelta(days=1)
_FIRST_WALL = datetime(1, 1, 3)  # noqa: DTZ001 (wall times; a zone may move them by a day)
_LAST_WALL = datetime(9999, 12, 29)  # noqa: DTZ001


@dataclass(frozen=True, slots=True)
class Slot:
    """One occurrence: the slot it fills, what it says, when it is.

    `original_start` is the canonical recurrence id, empty for a single event. `event` is the override
    that fills the slot, or the master; `when` is this occurrence's own time in either case.
    """

    original_start: str
    event: Event
    when: When
    cancelled: bool


class Recurrence(NamedTuple):
    """A master's RRULE, RDATE and EXDATE lines, read. Dates are canonical texts, as the lines have them."""

    rules: tuple[Rule, ...]
    rdates: tuple[str, ...]
    exdates: frozenset[str]


def is_recurring(event: Event) -> bool:
    """Whether `event` is a master with more than its own start to offer."""
    return not event.recurrence_id and any(line.startswith(("RRULE", "RDATE")) for line in event.recurrence)


def occurrences(
    master: Event | None,
    overrides: Mapping[str, Event],
    *,
    start: datetime,
    end: datetime,
    company_zone: str,
    limit: int = 5000,
) -> list[Slot]:
    """Every occurrence that overlaps [start, end), UTC instants; sorted by start, at most `limit`.

    `overrides` are by recurrence id. One takes its slot even when it was moved into or out of the
    window; one without master, or without a slot in the rule, is a slot of its own. A cancelled one
    gives a slot marked so. All-day times are placed in `company_zone`. Raises `BadRecurrence`.
    """
    placed: list[tuple[datetime, Slot]] = []
    for key, event in overrides.items():
        slot = _overriding(key, event, master)
        begins = slot.when.starts_at(company_zone)
        if _overlaps(begins, slot.when.ends_at(company_zone), start, end):
            placed.append((begins, slot))
    if master is not None and master.when is not None:
        frame = _Frame(master.when, company_zone)
        placed.extend(islice(_of_master(master, overrides, frame, start, end), limit))
    placed.sort(key=lambda pair: (pair[0], pair[1].original_start))
    return [slot for _, slot in placed[:limit]]


def last_start(master: Event) -> datetime | None:
    """The UTC instant at which the last occurrence starts; None when the series has no end.

    An all-day one starts at midnight UTC here: the answer is a bound for "is it over?", give a day
    either way. Overrides moved beyond it are not looked at. Raises `BadRecurrence`.
    """
    if master.when is None:
        raise BadRecurrence("This event has no start time.")
    found = read(master.recurrence)
    if any(rule.endless for rule in found.rules):
        return None
    first = _Frame(master.when, "UTC")
    walls = [wall for rule in found.rules if (wall := _last_wall(rule, first)) is not None]
    walls += [first.wall_of(text) for text in found.rdates]
    return max((first.when_at(wall).starts_at("UTC") for wall in [first.wall, *walls]), default=None)


@lru_cache(maxsize=4096)
def read(lines: tuple[str, ...]) -> Recurrence:
    """A master's recurrence lines, read. Raises `BadRecurrence` for one that says nothing known."""
    found: list[Rule] = []
    dates: dict[str, list[str]] = {"RDATE": [], "EXDATE": []}
    for line in lines:
        head, _, value = line.partition(":")
        name = head.partition(";")[0].upper()
        if name == "RRULE":
            found.append(rules.parse(value))
        elif name in dates:
            dates[name].extend(_checked(text.strip()) for text in value.split(","))
        else:
            raise BadRecurrence(f"“{name}” says nothing about when an event repeats.")
    return Recurrence(tuple(found), tuple(dates["RDATE"]), frozenset(dates["EXDATE"]))


class _Frame:
    """A master's own time, and how wall times of its series become occurrences."""

    def __init__(self, when: When, company_zone: str) -> None:
        self.all_day = when.all_day
        self.zone = when.zone
        self.tz = zone(when.zone or company_zone)
        self.wall = datetime.fromisoformat(when.start)
        # A calendar may hold an end before its start; such an occurrence has no length.
        self.duration = max(when.duration, timedelta(0))
        # In days and hours around a window, so that a zone's change of clocks loses nothing at its edge.
        self.margin = timedelta(days=1) if when.all_day else timedelta(hours=3)

    @property
    def rule_zone(self) -> ZoneInfo | None:
        return None if self.all_day else self.tz

    def instants(self, wall: datetime) -> tuple[datetime, datetime]:
        """The UTC instants of the occurrence that begins at `wall`, and of its exclusive end."""
        begins = wall.replace(tzinfo=self.tz).astimezone(UTC)
        if self.all_day:
            return begins, (wall + self.duration).replace(tzinfo=self.tz).astimezone(UTC)
        return begins, begins + self.duration

    def when_at(self, wall: datetime) -> When:
        if self.all_day:
            return When.days(wall.date(), wall.date() + self.duration)
        begins, ends = self.instants(wall)
        return When.timed(begins, ends, self.zone)

    def key_of(self, wall: datetime) -> str:
        return recurrence_id_of(wall.date() if self.all_day else wall.replace(tzinfo=self.tz))

    def wall_of(self, text: str) -> datetime:
        """An RDATE as wall time. A date on a timed series means the series' own time on that day."""
        moment = original_start(text, self.zone or "UTC")
        if isinstance(moment, datetime):
            return datetime.combine(moment.date(), time()) if self.all_day else moment.replace(tzinfo=None)
        return datetime.combine(moment, self.wall.time())

    def walls_around(self, start: datetime, end: datetime) -> tuple[datetime, datetime]:
        """Wall times between which everything that overlaps [start, end) begins."""
        low, high = (moment.astimezone(self.tz).replace(tzinfo=None) for moment in (start, end))
        reach = self.duration + self.margin
        return max(low, _FIRST_WALL + reach) - reach, min(high, _LAST_WALL) + self.margin


def _of_master(
    master: Event, overrides: Mapping[str, Event], frame: _Frame, start: datetime, end: datetime
) -> Iterator[tuple[datetime, Slot]]:
    """The master's own occurrences in the window: the slots that no override takes and no EXDATE closes."""
    cancelled = master.status == "cancelled"
    found = read(master.recurrence)
    single = not found.rules and not found.rdates
    low, high = frame.walls_around(start, end)
    before = None
    for wall in [frame.wall] if single else _walls(found, frame, low, high):
        begins, ends = frame.instants(wall)
        # A gap in DST makes two wall times one instant; so do an RDATE and a rule that agree.
        if begins == before or not _overlaps(begins, ends, start, end):
            continue
        before = begins
        key = frame.key_of(wall)
        if key not in overrides and not _excluded(found, key, wall):
            yield begins, Slot("" if single else key, master, frame.when_at(wall), cancelled)


def _walls(found: Recurrence, frame: _Frame, low: datetime, high: datetime) -> Iterator[datetime]:
    """Wall times in [low, high] of DTSTART, the RDATEs and the rules together, ascending."""
    single = [frame.wall_of(text) for text in found.rdates]
    ends = [rule.until_wall(frame.rule_zone) for rule in found.rules]
    # DTSTART counts even where the rule doesn't name it, unless every rule ended before it: that is
    # how some calendars write that a series was deleted from its first occurrence on.
    if not ends or any(until is None or until >= frame.wall for until in ends):
        single.append(frame.wall)
    named = (rules.starts(rule, frame.wall, low=low, high=high, tz=frame.rule_zone) for rule in found.rules)
    return heapq.merge(sorted(wall for wall in single if low <= wall <= high), *named)


def _excluded(found: Recurrence, key: str, wall: datetime) -> bool:
    """Whether EXDATE closes this slot; a date closes all of its day, in timed series too."""
    if not found.exdates:
        return False
    return key in found.exdates or wall.strftime("%Y%m%d") in found.exdates


def _overriding(key: str, event: Event, master: Event | None) -> Slot:
    """The slot of an override; without a time of its own (a bare cancellation) it keeps the slot's."""
    when = event.when
    if when is None:
        try:
            moment = original_start(key)
        except ValueError:
            raise BadRecurrence(f"“{key}” names no occurrence.") from None
        if master is not None and master.when is not None:
            frame = _Frame(master.when, "UTC")
            when = frame.when_at(frame.wall_of(key))
        elif isinstance(moment, datetime):
            when = When.timed(moment, moment, "UTC")
        else:
            when = When.days(moment, moment + _DAY)
    cancelled = event.status == "cancelled" or (master is not None and master.status == "cancelled")
    return Slot(key, event, when, cancelled)


def _overlaps(begins: datetime, ends: datetime, start: datetime, end: datetime) -> bool:
    """Whether [begins, ends) meets [start, end); something without length counts where it begins."""
    return begins < end and (ends > start or begins >= start)


def _last_wall(rule: Rule, frame: _Frame) -> datetime | None:
    """The last wall time that a rule with an end names, or None when it names none."""
    until = rule.until_wall(frame.rule_zone)
    if until is None or rule.count is not None:
        high = until or _LAST_WALL
        return max(rules.starts(rule, frame.wall, low=frame.wall, high=high, tz=frame.rule_zone), default=None)
    for back in (_DAY, 400 * _DAY, 9 * 366 * _DAY, until - frame.wall):
        low = max(frame.wall, until - back) if until - _FIRST_WALL > back else frame.wall
        if (
            last := max(rules.starts(rule, frame.wall, low=low, high=until, tz=frame.rule_zone), default=None)
        ) is not None:
            return last
    return None


def _checked(text: str) -> str:
    try:
        original_start(text)
    except ValueError:
        raise BadRecurrence(f"“{text}” is no date on which it could repeat.") from None
    return text


__all__ = ["BadRecurrence", "Recurrence", "Slot", "is_recurring", "last_start", "occurrences", "read", "words"]
