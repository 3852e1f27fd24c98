"""Who is who, and which event is which.

Addresses are compared trimmed, NFC, lower-cased and with an IDNA domain; `+tag` and Gmail's dots
are not folded. RECURRENCE-IDs are compared as instants. Titles and times never identify anything.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache

import idna

from tandem.calendaring.event import Event, zone


@lru_cache(maxsize=65536)
def normalise_address(text: str) -> str:
    """`mailto: Ann@Example.COM ` and `ann@example.com` are one address; `ann+x@…` is another.

    A domain that IDNA refuses is kept lower-cased, for calendars hold what people typed.
    """
    address = unicodedata.normalize("NFC", text.strip())
    if address[:7].lower() == "mailto:":
        address = address[7:].strip()
    address = address.lower()
    local, at, domain = address.rpartition("@")
    if not at or domain.isascii():
        return address
    try:
        return f"{local}@{idna.encode(domain, uts46=True).decode()}"
    except idna.IDNAError:
        return address


@dataclass(frozen=True, slots=True)
class SeriesKey:
    """What makes copies in several mailboxes one series (RFC 5545 3.8.4.7: a UID is global).

    The organizer is part of the key, so that an invitation carrying someone's private UID joins its
    sender to nothing. `scope` is empty for a meeting with guests; for an event without guests it is
    its calendar's id, and for one without a UID the id of its remote object.
    """

    uid: str
    organizer: str
    scope: str


def series_key(event: Event, *, calendar_id: str, remote_object_id: str) -> SeriesKey:
    """The key of `event` as it stands in one calendar."""
    if not event.uid:
        return SeriesKey("", "", remote_object_id)
    if not event.guests:
        return SeriesKey(event.uid, event.organizer.address if event.organizer else "", calendar_id)
    return SeriesKey(event.uid, event.organizer.address if event.organizer else "", "")


def recurrence_id_of(original: date | datetime) -> str:
    """The canonical RECURRENCE-ID: a UTC instant (`20260105T090000Z`) or a date (`20260105`)."""
    if isinstance(original, datetime):
        if original.tzinfo is None:
            raise ValueError("a RECURRENCE-ID without a zone is not an instant")
        return original.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    return original.strftime("%Y%m%d")


def original_start(recurrence_id: str, zone_name: str = "UTC") -> date | datetime:
    """The inverse: an aware datetime in `zone_name`, or a date. Raises `ValueError`."""
    if len(recurrence_id) == 8:
        return date.fromisoformat(recurrence_id)
    moment = datetime.strptime(recurrence_id, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return moment.astimezone(zone(zone_name))
