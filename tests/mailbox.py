"""Mailboxes without a server: what a calendar said is handed to `sync.apply` as a provider would read it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from tandem.calendaring.event import Event, Guest, Organizer, When
from tandem.calendaring.provider import RemoteItem
from tandem.crm.models import Kind, Record
from tandem.crm.verbs import RecordData
from tandem.mailboxes.models import Account, Calendar
from tandem.meetings import records
from tandem.sync.apply import apply
from tandem.team.models import User

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
CHARLIE = "charlie@outside.example"


def account_of(user: User, *addresses: str) -> Account:
    """An account with one calendar that is read and takes new events."""
    account = Account.objects.create(
        owner=user,
        provider="caldav",
        name=f"{user.email} at cal.example",
        url="https://cal.example/",
        username=user.email,
        secret="",
        subject_id=f"/{user.email}/",
        addresses_text="\n".join(addresses or [user.email]),
    )
    calendar_in(account, "work", is_target=True)
    return account


def calendar_in(account: Account, name: str, **values: Any) -> Calendar:
    path = f"/{account.owner.email}/{name}/"
    return Calendar.objects.create(account=account, remote_id=path, name=name, is_read=True, **values)


def calendar_of(user: User, *addresses: str) -> Calendar:
    return account_of(user, *addresses).calendars.get()


def meeting(
    uid: str = "walkthrough",
    *,
    organizer: str = "",
    guests: tuple[str, ...] = (),
    starts_in: timedelta = timedelta(days=2),
    hours: float = 1,
    **values: Any,
) -> Event:
    """An event that starts `starts_in` from NOW, in Paris."""
    start = NOW + starts_in
    values.setdefault("when", When.timed(start, start + timedelta(hours=hours), "Europe/Paris"))
    return Event(
        uid=uid,
        title=values.pop("title", "Walkthrough"),
        organizer=Organizer(organizer) if organizer else None,
        guests=tuple(Guest(address) for address in sorted(guests)),
        **values,
    )


def arrives(calendar: Calendar, *events: Event, name: str = "", now: datetime = NOW) -> None:
    """The calendar holds these events in one resource, named after the first one's UID."""
    remote_id = f"{calendar.remote_id}{name or events[0].uid}.ics"
    raw = "\n".join(msgspec.json.encode(event).decode() for event in events)
    item = RemoteItem(remote_id, f'"{abs(hash(raw))}"', raw, tuple(events))
    apply(calendar, [item], [], now=now)


def leaves(calendar: Calendar, uid: str, now: datetime = NOW) -> None:
    """The calendar no longer holds the resource."""
    apply(calendar, [], [f"{calendar.remote_id}{uid}.ics"], now=now)


def person(user: User, name: str, *addresses: str, company: Record | None = None) -> Record:
    emails = tuple((address, "work") for address in addresses)
    data = RecordData(name=name, owner_id=user.id, emails=emails, company_id=company.id if company else None)
    return records.save(user, None, Kind.PERSON, data, now=NOW)
