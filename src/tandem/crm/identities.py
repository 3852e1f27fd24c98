"""Keeps the addresses by which meetings find records.

A record's own addresses are typed by people. Lent ones follow from them: a company is found through
its people, an opportunity through its primary contact. What a lender lends is wholly determined by
the lender, so that a company of ten thousand people costs one person's rows, not ten thousand.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from tandem.crm.addresses import checked_address
from tandem.crm.models import Identity, Kind, Record


def keep_own(record: Record, emails: Sequence[tuple[str, str]]) -> bool:
    """Makes `emails` (address as typed, category) the record's own. Returns whether an address came or went.

    Raises `addresses.BadAddress`.
    """
    stored = {row.address: row for row in record.identities.filter(via=None)}
    wanted: dict[str, tuple[str, str]] = {}
    for typed, category in emails:
        wanted.setdefault(checked_address(typed), (typed.strip(), category))
    gone = [row.id for address, row in stored.items() if address not in wanted]
    Identity.objects.filter(id__in=gone).delete()
    for position, (address, (typed, category)) in enumerate(wanted.items()):
        row = stored.get(address) or Identity(record=record, address=address)
        if row._state.adding or (row.typed, row.category, row.position) != (typed, category, position):
            row.typed, row.category, row.position = typed, category, position
            row.save()
    return stored.keys() != wanted.keys()


def refresh(record_ids: Iterable[UUID]) -> set[UUID]:
    """Makes right every lent address that these records lend or borrow. Returns the borrowers that changed."""
    lenders = lenders_near(set(record_ids))
    stored = {(row.record_id, row.address, row.via_id): row.id for row in Identity.objects.filter(via__in=lenders)}
    wanted = lent_by(lenders)
    Identity.objects.filter(id__in=[stored[key] for key in stored.keys() - wanted]).delete()
    missing = sorted(wanted - stored.keys(), key=str)
    Identity.objects.bulk_create(
        [Identity(record_id=record, address=address, via_id=via) for record, address, via in missing]
    )
    return {record for record, _, _ in stored.keys() ^ wanted}


def lenders_near(record_ids: set[UUID]) -> set[UUID]:
    """The people who lend to these records or are among them, and who lent to them until now."""
    people = Record.objects.filter(kind=Kind.PERSON)
    # one query for each index: an OR over them would read every person
    near = set(people.filter(id__in=record_ids).values_list("id", flat=True))
    near |= set(people.filter(company__in=record_ids).values_list("id", flat=True))
    contacts = Record.objects.filter(id__in=record_ids).exclude(primary_contact=None)
    lenders = [*contacts.values_list("primary_contact", flat=True)]
    former = Identity.objects.filter(record__in=record_ids).exclude(via=None)
    lenders += former.values_list("via", flat=True)
    return near | {lender for lender in lenders if lender}


def lent_by(lenders: set[UUID]) -> set[tuple[UUID, str, UUID | None]]:
    """(borrower, address, lender) for everything that these people lend."""
    borrowers: dict[UUID, set[UUID]] = {}
    people = Record.objects.filter(id__in=lenders, kind=Kind.PERSON).exclude(company=None)
    for person, company in people.filter(company__kind=Kind.COMPANY).values_list("id", "company"):
        if company:
            borrowers.setdefault(person, set()).add(company)
    opportunities = Record.objects.filter(primary_contact__in=lenders, kind=Kind.OPPORTUNITY)
    for opportunity, contact in opportunities.values_list("id", "primary_contact"):
        if contact:
            borrowers.setdefault(contact, set()).add(opportunity)
    own = Identity.objects.filter(record__in=borrowers, via=None).values_list("record", "address")
    return {(borrower, address, lender) for lender, address in own for borrower in borrowers[lender]}
