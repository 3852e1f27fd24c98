"""The dot before a list's next meeting: the hue of the calendar that holds it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from tandem.crm.models import Identity, Record
from tandem.meetings.models import Participant


def next_hues(rows: Sequence[Record]) -> dict[UUID, str]:
    """Hue by record, for the records whose next meeting is found by an address: two queries for a page."""
    times = {row.id: row.next_meeting_at for row in rows if row.next_meeting_at}
    owners: dict[str, list[UUID]] = {}
    for record, address in Identity.objects.filter(record__in=times).values_list("record", "address"):
        owners.setdefault(address, []).append(record)
    found = Participant.objects.filter(
        address__in=owners, starts_at__in=set(times.values()), occurrence__cancelled=False
    )
    hues: dict[UUID, str] = {}
    columns = ("address", "starts_at", "occurrence__meeting__authority__calendar__hue")
    for address, starts_at, hue in found.filter(occurrence__meeting__private=False).values_list(*columns):
        for record in owners[address]:
            if hue and times[record] == starts_at:
                hues.setdefault(record, hue)
    return hues
