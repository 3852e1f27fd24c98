"""Where events stand in a week: days, lanes for what overlaps, rows for whole days. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

Item = TypeVar("Item")

SHORTEST = 25
"""Minutes that a block is drawn with at least, so that its name can be read."""


@dataclass(frozen=True, slots=True)
class Block(Generic[Item]):
    """One event on one day. `start` and `end` in minutes since midnight; `lane` of `lanes` side by side."""

    item: Item
    start: int
    end: int
    lane: int
    lanes: int

    @property
    def narrow(self) -> bool:
        return self.lanes > 1

    @property
    def short(self) -> bool:
        return self.end - self.start <= 30 and not self.narrow

    @property
    def tight(self) -> bool:
        return self.end - self.start < 60


@dataclass(frozen=True, slots=True)
class Band(Generic[Item]):
    """A whole-day event over `first` to `last` of the shown days (0-based, last included), in one row."""

    item: Item
    first: int
    last: int
    row: int


@dataclass(frozen=True, slots=True)
class Timed(Generic[Item]):
    item: Item
    starts_at: datetime
    ends_at: datetime


def blocks(items: Iterable[Timed[Item]], day: date, tz: ZoneInfo) -> list[Block[Item]]:
    """What happens on `day` in `tz`, cut at its midnights, with lanes. Minutes are wall time.

    An hour that comes twice is drawn once: what happens in both of it stands side by side.
    """
    cut = sorted(_on(items, day, tz), key=lambda part: (part[1], -part[2]))
    found: list[Block[Item]] = []
    cluster: list[tuple[Item, int, int, int]] = []
    until = -1
    for item, start, end in cut:
        if cluster and start >= until:
            found += _closed(cluster)
            cluster, until = [], -1
        free = {lane for _, _, other_end, lane in cluster if other_end > start}
        lane = next(lane for lane in range(len(cut)) if lane not in free)
        cluster.append((item, start, end, lane))
        until = max(until, end)
    return found + _closed(cluster)


def _closed(cluster: Sequence[tuple[Item, int, int, int]]) -> list[Block[Item]]:
    lanes = max((lane for *_, lane in cluster), default=0) + 1
    return [Block(item, start, end, lane, lanes) for item, start, end, lane in cluster]


def _on(items: Iterable[Timed[Item]], day: date, tz: ZoneInfo) -> Iterable[tuple[Item, int, int]]:
    midnight = datetime.combine(day, time(), tz).astimezone(UTC)
    following = datetime.combine(day + timedelta(days=1), time(), tz).astimezone(UTC)
    for timed in items:
        starts_at, ends_at = timed.starts_at.astimezone(UTC), timed.ends_at.astimezone(UTC)
        if starts_at >= following or (ends_at <= midnight and starts_at < midnight):
            continue
        start = 0 if starts_at < midnight else _minute(starts_at, tz)
        end = 1440 if ends_at >= following else _minute(ends_at, tz)
        if end <= start:  # the clock went back meanwhile: as long as it lasts
            end = min(1440, start + (ends_at - max(starts_at, midnight)) // timedelta(minutes=1))
        start = min(start, 1440 - SHORTEST)
        yield timed.item, start, max(end, start + SHORTEST)


def _minute(moment: datetime, tz: ZoneInfo) -> int:
    local = moment.astimezone(tz)
    return local.hour * 60 + local.minute


def bands(items: Iterable[tuple[Item, date, date]], first_day: date, days: int) -> list[Band[Item]]:
    """Whole-day events (first and last day included) as bands in as few rows as they need."""
    found: list[Band[Item]] = []
    rows: list[int] = []
    for item, first, last in sorted(items, key=lambda part: (part[1], -(part[2] - part[1]).days)):
        left, right = max(0, (first - first_day).days), min(days - 1, (last - first_day).days)
        if right < 0 or left > days - 1:
            continue
        row = next((number for number, end in enumerate(rows) if end < left), len(rows))
        rows[row:] = [right, *rows[row + 1 :]]
        found.append(Band(item, left, right, row))
    return found
