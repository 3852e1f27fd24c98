"""The canonical event: what every calendar says, in one form.

Two events that mean the same are equal here, whatever the provider's spelling: addresses are
normalised, descriptions are plain text, times are wall time and an IANA zone. `VERSION` names this
form; copies stored under an older version are recomputed from the raw payload, and nothing is
written to any calendar by that.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

VERSION = 1

Status = Literal["confirmed", "tentative", "cancelled"]
Response = Literal["needs-action", "accepted", "declined", "tentative"]
Visibility = Literal["default", "public", "private"]


@lru_cache(maxsize=512)
def zone(name: str) -> ZoneInfo:
    """The IANA zone called `name`. Raises `zoneinfo.ZoneInfoNotFoundError` for an unknown one."""
    return ZoneInfo(name)


class When(msgspec.Struct, frozen=True, omit_defaults=True):
    """The time of an event, as one atom: start, exclusive end, zone and all-day change together.

    Timed: `start` and `end` are wall times (`2026-01-05T10:00:00`) in `zone`, an IANA name.
    All day: `start` and `end` are dates (`2026-01-05`), `zone` is empty; a date stays a date.
    """

    start: str
    end: str
    zone: str = ""

    @property
    def all_day(self) -> bool:
        return not self.zone

    @property
    def first_day(self) -> date:
        """The date on which it starts, in its own zone."""
        return date.fromisoformat(self.start[:10])

    @property
    def end_day(self) -> date:
        """The exclusive end as a date, in its own zone."""
        return date.fromisoformat(self.end[:10])

    def starts_at(self, company_zone: str) -> datetime:
        """The UTC instant of the start; an all-day event starts at midnight in `company_zone`."""
        return _instant(self.start, self.zone or company_zone)

    def ends_at(self, company_zone: str) -> datetime:
        """The UTC instant of the exclusive end, by the same rule."""
        return _instant(self.end, self.zone or company_zone)

    @property
    def duration(self) -> timedelta:
        """Exact length between the instants (for all-day: whole days)."""
        if self.all_day:
            return self.end_day - self.first_day
        return self.ends_at("UTC") - self.starts_at("UTC")

    @classmethod
    def timed(cls, start: datetime, end: datetime, zone_name: str | None = None) -> When:
        """From aware datetimes. Without `zone_name` the start's own IANA zone is kept, else UTC."""
        name = zone_name or _name_of(start)
        tz = zone(name)
        return cls(_wall(start.astimezone(tz)), _wall(end.astimezone(tz)), name)

    @classmethod
    def days(cls, first: date, end: date) -> When:
        """All day, from `first` to the exclusive `end`."""
        return cls(first.isoformat(), end.isoformat())


class Guest(msgspec.Struct, frozen=True, omit_defaults=True):
    """One attendee. `address` is normalised (see `identity.normalise_address`)."""

    address: str
    name: str = ""
    response: Response = "needs-action"
    optional: bool = False
    resource: bool = False


class Organizer(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who holds the meeting. `address` is normalised."""

    address: str
    name: str = ""


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """One event of a series, or a single one, in canonical form.

    `recurrence_id` is empty for a single event or a series' master; for an override it is the
    original start as a UTC instant (`20260105T090000Z`) or a date (`20260105`), RFC 5545 3.8.4.4.
    `recurrence` holds the master's RRULE, RDATE and EXDATE lines, without folding.
    `guests` is ordered by address; `guests_can_modify` lets them change the event too, and `locked` lets
    nobody change its content (Google). `kind` is `default`, or the provider's word for what is no meeting.
    """

    uid: str
    recurrence_id: str = ""
    title: str = ""
    when: When | None = None
    location: str = ""
    description: str = ""
    status: Status = "confirmed"
    recurrence: tuple[str, ...] = ()
    organizer: Organizer | None = None
    guests: tuple[Guest, ...] = ()
    visibility: Visibility = "default"
    free: bool = False
    kind: str = "default"
    sequence: int = 0
    join_url: str = ""
    reminders: tuple[int, ...] = ()
    guests_can_modify: bool = False
    locked: bool = False

    @property
    def private(self) -> bool:
        return self.visibility == "private"

    def guest(self, address: str) -> Guest | None:
        for guest in self.guests:
            if guest.address == address:
                return guest
        return None

    @property
    def addresses(self) -> frozenset[str]:
        """Everyone on it: guests and the organizer, who is a participant too."""
        own = {self.organizer.address} if self.organizer and self.organizer.address else set()
        return frozenset({guest.address for guest in self.guests} | own)


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Event)


def encode(event: Event) -> str:
    """Canonical JSON, as a copy stores it."""
    return _encoder.encode(event).decode()


def decode(text: str) -> Event:
    """The event that `encode` wrote. Raises `msgspec.ValidationError` for anything else."""
    return _decoder.decode(text)


def _wall(moment: datetime) -> str:
    return moment.replace(tzinfo=None, microsecond=0).isoformat()


def _name_of(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise ValueError("a time without a zone cannot be placed")
    key = getattr(moment.tzinfo, "key", None)
    return key if isinstance(key, str) else "UTC"


@lru_cache(maxsize=4096)
def _instant(wall: str, zone_name: str) -> datetime:
    return datetime.fromisoformat(wall).replace(tzinfo=zone(zone_name)).astimezone(UTC)
