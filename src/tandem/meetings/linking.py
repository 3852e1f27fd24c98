"""Which meetings are on which record: a join of participants and identities, plus pins and refusals.

Nothing is copied: an address added to a record brings its past and future meetings in the same
transaction, an address removed takes them away. Only the columns *last meeting* and *next meeting*
are kept on the record (`relink`), so that lists can sort by them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import TypeVar
from uuid import UUID

from django.db import transaction
from django.db.models import Case, DateTimeField, F, Max, Min, Q, QuerySet, When

from tandem.calendaring import horizon
from tandem.crm.models import Identity, Record
from tandem.database import bulk
from tandem.meetings.models import Occurrence, Participant, Pin
from tandem.team.models import Alias, Company, User

CHUNK = 400
T = TypeVar("T")


def users_addresses() -> frozenset[str]:
    """Every address of every user: these never link, whatever record carries them."""
    return frozenset({*User.objects.values_list("email", flat=True), *Alias.objects.values_list("address", flat=True)})


def addresses_of(record: Record) -> list[str]:
    """The addresses by which meetings find `record`, lent ones included, own users' left out."""
    found = Identity.objects.filter(record=record).values_list("address", flat=True).distinct()
    users = users_addresses()
    return [address for address in found if address not in users]


def occurrences_of(record: Record) -> QuerySet[Occurrence]:
    """Every occurrence on `record`, by its addresses and pins, less the refused ones.

    Visibility is not decided here: whoever shows them asks `visibility`.
    """
    by_address = Participant.objects.filter(address__in=addresses_of(record)).values("occurrence_id")
    condition = Q(id__in=by_address)
    pins = list(Pin.objects.filter(record=record))
    for pin in pins:
        if not pin.refused:
            condition |= _slot(pin)
    for pin in pins:
        if pin.refused:
            condition &= ~_slot(pin)
    return Occurrence.objects.filter(condition)


def _slot(pin: Pin) -> Q:
    whole = Q(series_id=pin.series_id)
    return whole & Q(original_start=pin.original_start) if pin.original_start else whole


def records_of(occurrence: Occurrence, addresses: Collection[str]) -> list[Record]:
    """The records that an occurrence with these participants is on, in the order of their names."""
    users = users_addresses()
    linking = [address for address in addresses if address not in users]
    found = set(Identity.objects.filter(address__in=linking).values_list("record_id", flat=True))
    pins = Pin.objects.filter(series=occurrence.series_id, original_start__in=["", occurrence.original_start])
    for pin in pins:
        if pin.refused:
            found.discard(pin.record_id)
        else:
            found.add(pin.record_id)
    return list(Record.objects.filter(id__in=found).select_related("company").order_by("sort_name"))


def people_by_address(addresses: Collection[str]) -> dict[str, Record]:
    """The person or lead who has each address; where several have it, the first by name."""
    rows = Identity.objects.filter(address__in=addresses, via=None).select_related("record__company")
    found: dict[str, Record] = {}
    for identity in rows.order_by("record__sort_name"):
        found.setdefault(identity.address, identity.record)
    return found


def relink_addresses(addresses: Iterable[str], *, now: datetime) -> None:
    """Recompute last and next for every record that one of `addresses` identifies."""
    records: set[UUID] = set()
    for part in _chunks(addresses):
        records |= set(Identity.objects.filter(address__in=part).values_list("record_id", flat=True))
    relink(records, now=now)


def relink(record_ids: Iterable[UUID], *, now: datetime) -> None:
    """Recompute *last meeting* and *next meeting* of these records. Their identities are right already."""
    users = users_addresses()
    bound = horizon.bound(now, Company.current().horizon_hours)
    for part in _chunks(sorted(record_ids)):
        with transaction.atomic():
            # In one order and locked, for another mailbox's meetings with the same people may arrive at once.
            list(Record.objects.select_for_update().filter(id__in=part).order_by("id").values_list("id"))
            _relink_some(part, users, now, bound)


def relink_all(*, now: datetime) -> None:
    """Recompute last and next of every record: the horizon was moved."""
    relink(list(Record.objects.values_list("id", flat=True)), now=now)


Span = tuple[datetime | None, datetime | None]


def _relink_some(record_ids: Sequence[UUID], users: frozenset[str], now: datetime, bound: datetime) -> None:
    identities = list(Identity.objects.filter(record__in=record_ids).values_list("record_id", "address"))
    spans = _spans({address for _, address in identities if address not in users}, now, bound)
    found: dict[UUID, Span] = dict.fromkeys(record_ids, (None, None))
    for record_id, address in identities:
        if address in spans:
            found[record_id] = _wider(found[record_id], spans[address])
    for record in Record.objects.filter(id__in=record_ids, pins__isnull=False).distinct():
        found[record.id] = _span(occurrences_of(record), now, bound)
    stored = {
        row[0]: (row[1], row[2])
        for row in Record.objects.filter(id__in=record_ids).values_list("id", "last_meeting_at", "next_meeting_at")
    }
    changed = [(key, *span) for key, span in found.items() if key in stored and stored[key] != span]
    bulk.update(Record, ["last_meeting_at", "next_meeting_at"], changed)


def _public() -> Q:
    """Meetings that every colleague may know of: neither cancelled nor private."""
    return Q(cancelled=False, meeting__private=False)


def _last(path: str, now: datetime) -> Max:
    return Max(Case(When(**{f"{path}__lte": now}, then=F(path)), output_field=DateTimeField()))


def _next(path: str, now: datetime, bound: datetime) -> Min:
    ahead = {f"{path}__gt": now, f"{path}__lt": bound}
    return Min(Case(When(**ahead, then=F(path)), output_field=DateTimeField()))


def _spans(addresses: Collection[str], now: datetime, bound: datetime) -> dict[str, Span]:
    rows = (
        Participant.objects.filter(address__in=addresses)
        .filter(occurrence__cancelled=False, occurrence__meeting__private=False)
        .values("address")
        .annotate(last=_last("starts_at", now), next=_next("starts_at", now, bound))
        .values_list("address", "last", "next")
    )
    return {address: (last, upcoming) for address, last, upcoming in rows}


def _span(occurrences: QuerySet[Occurrence], now: datetime, bound: datetime) -> Span:
    row = occurrences.filter(_public()).aggregate(last=_last("starts_at", now), next=_next("starts_at", now, bound))
    return row["last"], row["next"]


def _wider(a: Span, b: Span) -> Span:
    last = max((moment for moment in (a[0], b[0]) if moment), default=None)
    upcoming = min((moment for moment in (a[1], b[1]) if moment), default=None)
    return last, upcoming


def roll(since: datetime, *, now: datetime) -> None:
    """Time went on: records whose next meeting began, or for which one came within the horizon."""
    hours = Company.current().horizon_hours
    begun = Record.objects.filter(next_meeting_at__lte=now).values_list("id", flat=True)
    relink(list(begun), now=now)
    entered = Participant.objects.filter(
        starts_at__gte=horizon.bound(since, hours), starts_at__lt=horizon.bound(now, hours)
    )
    relink_addresses(list(entered.values_list("address", flat=True).distinct()), now=now)
    pinned = Record.objects.filter(
        pins__series__occurrences__starts_at__gte=horizon.bound(since, hours),
        pins__series__occurrences__starts_at__lt=horizon.bound(now, hours),
    )
    relink(list(pinned.values_list("id", flat=True).distinct()), now=now)


def _chunks(items: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(items)
    while part := list(islice(rest, CHUNK)):
        yield part
