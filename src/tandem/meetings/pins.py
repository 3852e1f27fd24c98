"""Links that a person makes by starting a meeting from a record. Sync never undoes them."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from tandem.crm.models import Identity, Kind, Record
from tandem.meetings import linking
from tandem.meetings.models import Pin
from tandem.team.models import User


def put_on(record: Record, series_id: UUID, addresses: Collection[str], *, author: User) -> set[UUID]:
    """Put a new meeting of `addresses` on the record that `author` started it from.

    An opportunity is pinned always, and the meeting is refused on its siblings: the other opportunities of
    the same primary contact, which would have it by that contact alone. So with several open ones it is on
    the one that was chosen; a sibling that it is pinned to by hand keeps it. A person, lead or company is
    pinned when no address brings it there. Answers with the records concerned; the caller relinks them.
    """
    if record.kind != Kind.OPPORTUNITY and _found_by(record, addresses):
        return set()
    Pin.objects.update_or_create(
        series_id=series_id, original_start="", record=record, defaults={"refused": False, "author": author}
    )
    siblings = _siblings(record)
    for sibling in siblings:
        Pin.objects.get_or_create(
            series_id=series_id, original_start="", record_id=sibling, defaults={"refused": True, "author": author}
        )
    return {record.id, *siblings}


def _found_by(record: Record, addresses: Collection[str]) -> bool:
    linking_ones = set(addresses) - linking.users_addresses()
    return Identity.objects.filter(record=record, address__in=linking_ones).exists()


def _siblings(record: Record) -> list[UUID]:
    """Whoever is on the meeting now: a guest who is added later must not bring it to them either."""
    if record.kind != Kind.OPPORTUNITY or record.primary_contact_id is None:
        return []
    same = Record.objects.filter(kind=Kind.OPPORTUNITY, primary_contact=record.primary_contact_id)
    return list(same.exclude(id=record.id).values_list("id", flat=True))
