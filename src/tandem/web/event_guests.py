"""Guests of the event form: who they are in the CRM, whom to suggest, and finding them by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from tandem.calendaring.identity import normalise_address
from tandem.crm.guests import Suggestion, suggested_guests
from tandem.crm.models import Identity, Kind, Record
from tandem.team.models import Alias, User
from tandem.web import event_input

MOST = 8


@dataclass(frozen=True, slots=True)
class Chip:
    """One guest as the form shows it. `links_to` names the record's company or the record; `user` a co-worker."""

    address: str
    name: str
    record: Record | None
    user: User | None
    links_to: str

    @property
    def value(self) -> str:
        return f"{self.name} <{self.address}>"

    @property
    def initials(self) -> str:
        if self.record or self.user:
            return self.record.initials if self.record else self.user.initials if self.user else ""
        parts = self.name.split() or [self.address]
        return (parts[0][:1] + (parts[-1][:1] if len(parts) > 1 else "")).upper()


def users_of(addresses: Collection[str]) -> dict[str, User]:
    """Which of `addresses` are co-workers'."""
    found = {user.email: user for user in User.objects.filter(email__in=addresses)}
    for alias in Alias.objects.filter(address__in=addresses).select_related("user"):
        found[alias.address] = alias.user
    return found


def records_of(addresses: Collection[str]) -> dict[str, Record]:
    """The person or lead behind each of `addresses`; the oldest where two share one."""
    own = Identity.objects.filter(address__in=addresses, via=None).select_related("record__company")
    found: dict[str, Record] = {}
    for identity in own.order_by("record__created_at"):
        found.setdefault(identity.address, identity.record)
    return found


def chips(guests: Mapping[str, str]) -> list[Chip]:
    """`{address: name}` as chips, in that order."""
    records, users = records_of(guests), users_of(guests)
    return [_chip(address, name, records.get(address), users.get(address)) for address, name in guests.items()]


def _chip(address: str, name: str, record: Record | None, user: User | None) -> Chip:
    if user:
        return Chip(address, user.name, None, user, "")
    if record:
        return Chip(address, record.name, record, None, record.company.name if record.company else record.name)
    return Chip(address, name or address, None, None, "")


def preselected(record: Record) -> dict[str, str]:
    """The guests that a new event with `record` begins with."""
    return {guest.address: guest.name for guest in suggested_guests(record) if guest.preselected}


def choices(record: Record, taken: Collection[str]) -> list[Suggestion]:
    """Others of the record that one may want to invite too; somebody with two addresses says which."""
    every = suggested_guests(record)
    twice = {name for name, times in Counter(guest.name for guest in every).items() if times > 1}
    found = [guest for guest in every if guest.address not in taken][:MOST]
    return [replace(guest, name=f"{guest.name}, {guest.address}") if guest.name in twice else guest for guest in found]


def matching(text: str, taken: Collection[str]) -> list[Chip]:
    """People, leads and co-workers whose name or address holds `text`, for completion. Two letters at least."""
    words = text.strip()
    if len(words) < 2:
        return []
    found: dict[str, Chip] = {}
    for user in User.objects.filter(is_active=True, name__icontains=words).order_by("name")[:MOST]:
        found[user.email] = _chip(user.email, user.name, None, user)
    for identity in _identities(words):
        record = identity.record
        found.setdefault(identity.address, _chip(identity.address, record.name, record, None))
    return [chip for address, chip in found.items() if address not in taken][:MOST]


def _identities(words: str) -> list[Identity]:
    own = Identity.objects.filter(via=None, record__kind__in=(Kind.PERSON, Kind.LEAD)).select_related("record__company")
    by_name = own.filter(record__sort_name__contains=words.casefold()).order_by("record__sort_name", "position")
    by_address = own.filter(address__contains=normalise_address(words)).order_by("address")
    return [*by_name[:MOST], *by_address[:MOST]]


def understood(text: str) -> tuple[str, str]:
    """What was typed into "Add a guest", as (address, name). Raises `event_input.Unclear`.

    A name counts when exactly one person in the CRM or the team carries it.
    """
    if "@" not in text:
        found = matching(text, ())
        exact = [chip for chip in found if chip.name.casefold() == text.strip().casefold()] or found
        if len({chip.name for chip in exact}) == 1 and exact:
            return exact[0].address, exact[0].name
        if found:
            raise event_input.Unclear("guest_text", "Several people match. Choose one, or write the address.")
    return event_input.read_address(text, "guest_text")
