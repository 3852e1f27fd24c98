"""Whom an event started from a record would invite: a choice, with the plain case chosen already."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from tandem.crm.models import Identity, Kind, Record

MOST = 50


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An address to invite, whose it is, and whether the form starts with it chosen."""

    address: str
    name: str
    record: Record
    preselected: bool


def suggested_guests(record: Record) -> list[Suggestion]:
    """The record's own addresses, then its primary contact's, then its people's; each address once.

    Chosen at the start: a person's or lead's first address, an opportunity's primary contact, and
    whoever is the only suggestion. With several people to choose from, nobody is.
    """
    found: dict[str, Suggestion] = {}
    for source in sources(record):
        for identity in own_identities(source):
            first = source.kind in {Kind.PERSON, Kind.LEAD} and identity.position == 0
            chosen = first and source.id in {record.id, record.primary_contact_id}
            found.setdefault(identity.address, Suggestion(identity.address, source.name, source, chosen))
    suggestions = list(found.values())[:MOST]
    if len(suggestions) == 1:
        return [replace(suggestions[0], preselected=True)]
    return suggestions


def sources(record: Record) -> list[Record]:
    """The records whose addresses come into question, nearest first."""
    near = [record]
    if record.primary_contact:
        near.append(record.primary_contact)
    company_id = record.id if record.kind == Kind.COMPANY else record.company_id
    if company_id and record.kind in {Kind.COMPANY, Kind.OPPORTUNITY}:
        near += people_of(company_id)
    return near


def people_of(company_id: UUID) -> list[Record]:
    """The people of a company who have an address, by name; `MOST` at most."""
    people = Record.objects.filter(company_id=company_id, kind=Kind.PERSON)
    return list(people.filter(identities__via=None, identities__isnull=False).distinct().order_by("sort_name")[:MOST])


def own_identities(record: Record) -> list[Identity]:
    return list(record.identities.filter(via=None).order_by("position", "id"))
