"""From Google's resources to canonical events. Bad data is a problem of that one object, never of the calendar."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

import msgspec

from tandem.calendaring.event import Event, Guest, Organizer, Response, Status, Visibility, When, zone
from tandem.calendaring.fields import normalise_text
from tandem.calendaring.ics import recurrence
from tandem.calendaring.ics.lines import Unreadable, split
from tandem.calendaring.ics.people import LONGEST_ADDRESS
from tandem.calendaring.ics.read import LONGEST_UID
from tandem.calendaring.ics.values import Zones
from tandem.calendaring.ics.zones import by_name
from tandem.calendaring.identity import normalise_address, recurrence_id_of
from tandem.calendaring.join_link import meeting_link
from tandem.calendaring.provider import RemoteItem
from tandem.providers.google.resources import Group, Moment, Part, Person, Resource

_STATUS: dict[str, Status] = {"tentative": "tentative", "cancelled": "cancelled"}
_VISIBILITY: dict[str, Visibility] = {"public": "public", "private": "private", "confidential": "private"}
_RESPONSES: dict[str, Response] = {"accepted": "accepted", "declined": "declined", "tentative": "tentative"}
_DAY = timedelta(days=1)


def item_of(group: Group, default_zone: str) -> RemoteItem:
    """A group as a remote object: its events, or the problem that keeps it from being read."""
    name = remote_id_of(group)
    try:
        events = _events(group, default_zone)
    except Unreadable as error:
        return RemoteItem(name, group.etag, group.raw, (), problem=error.words)
    except msgspec.ValidationError as error:
        return RemoteItem(name, group.etag, group.raw, (), problem=f"Google sent something unexpected: {error}"[:400])
    return RemoteItem(name, group.etag, group.raw, events)


def remote_id_of(group: Group) -> str:
    """The id of the event or master; of an exception alone, its own."""
    return group.event.id if group.event is not None else min(group.exceptions)


def _events(group: Group, default_zone: str) -> tuple[Event, ...]:
    if group.event is None:
        alone = [event_of(part.resource(), default_zone) for part in group.exceptions.values() if not part.cancelled]
        return tuple(alone)
    resource = group.event.resource()
    master = event_of(resource, default_zone)
    if not master.recurrence:
        return (master,)
    own = [part.resource() for part in group.exceptions.values()]
    taken_out = [recurrence.line("EXDATE", slot_of(found)) for found in own if found.cancelled]
    lines = recurrence.canonical((*master.recurrence, *taken_out))
    overrides = [_override(found, master, default_zone) for found in own if not found.cancelled]
    overrides.sort(key=lambda event: event.recurrence_id)
    return (msgspec.structs.replace(master, recurrence=lines), *overrides)


def cancelled_slots(group: Group) -> dict[str, Part]:
    """The occurrences that were taken out of the series by an exception of their own, by recurrence id."""
    return {slot_of(part.resource()): part for part in group.exceptions.values() if part.cancelled}


def exception_at(group: Group, recurrence_id: str) -> Part | None:
    """The exception, not cancelled, that stands at this slot."""
    for part in group.exceptions.values():
        if not part.cancelled and slot_of(part.resource()) == recurrence_id:
            return part
    return None


def slot_of(resource: Resource) -> str:
    """The canonical recurrence id of an exception, by its `originalStartTime`. Raises `Unreadable`."""
    original = resource.original_start_time
    if original is None:
        return ""
    if original.date:
        return recurrence_id_of(_date(original.date))
    return recurrence_id_of(_instant(original.date_time))


def _override(resource: Resource, master: Event, default_zone: str) -> Event:
    """An exception has its series' UID, whatever it says; of the rule it has nothing."""
    event = event_of(resource, default_zone)
    return msgspec.structs.replace(event, uid=master.uid, recurrence=())


def event_of(resource: Resource, default_zone: str) -> Event:
    """One resource in canonical form. Raises `Unreadable`."""
    if len(resource.i_cal_uid) > LONGEST_UID:
        raise Unreadable("Its UID is too long.")
    when = _when(resource, default_zone)
    location, description = resource.location.strip(), resource.description
    return Event(
        uid=resource.i_cal_uid,
        recurrence_id=slot_of(resource),
        title=" ".join(resource.summary.split("\n")).strip(),
        when=when,
        location=location,
        description=normalise_text(description) if description else "",
        status=_STATUS.get(resource.status, "confirmed"),
        recurrence=_rules(tuple(resource.recurrence), when.zone if when else "", default_zone),
        organizer=_organizer(resource),
        guests=_guests(resource.attendees),
        visibility=_VISIBILITY.get(resource.visibility, "default"),
        free=resource.transparency == "transparent",
        kind=resource.event_type,
        sequence=max(0, resource.sequence),
        join_url=_join_url(resource, location, description),
        reminders=_reminders(resource),
        guests_can_modify=resource.guests_can_modify,
        locked=resource.locked,
    )


def _when(resource: Resource, default_zone: str) -> When | None:
    """`end` is exclusive. Dirty data has ends before their starts; such an event has no length, or one day."""
    start, end = resource.start, resource.end or resource.start
    if start is None or end is None:
        return None
    if start.date:
        first = _date(start.date)
        last = _date(end.date or end.date_time[:10])
        return When.days(first, max(last, first + _DAY))
    name = _zone(start, default_zone, recurs=bool(resource.recurrence))
    begins = _instant(start.date_time)
    ends = _instant(end.date_time) if end.date_time else begins
    return When.timed(begins, max(begins, ends), name)


def _zone(moment: Moment, default_zone: str, *, recurs: bool) -> str:
    """The IANA zone of a start. Without one an offset says when it is, which is enough for what doesn't recur."""
    if not moment.time_zone:
        return default_zone
    found = by_name(moment.time_zone)
    if not found and recurs:
        raise Unreadable(f"Its time zone is unknown: {moment.time_zone[:60]!r}.")
    return found or default_zone


@lru_cache(maxsize=4096)
def _instant(text: str) -> datetime:
    """An RFC 3339 time as a UTC instant. Raises `Unreadable`."""
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        if not 1 < moment.year < 9998:
            raise ValueError(text)
        return moment.astimezone(UTC)
    except ValueError:
        raise Unreadable(f"It has a time that is none: {text[:40]!r}.") from None


def _date(text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise Unreadable(f"It has a date that is none: {text[:40]!r}.") from None
    if not 1 < found.year < 9998:
        raise Unreadable(f"It has a date that is none: {text[:40]!r}.")
    return found


@lru_cache(maxsize=4096)
def _rules(lines: Sequence[str], zone_name: str, default_zone: str) -> tuple[str, ...]:
    """`recurrence` in canonical form (RFC 5545 lines, without DTSTART). Raises `Unreadable`."""
    if not lines:
        return ()
    places = Zones(zone_name or default_zone)
    found: list[str] = []
    for line in lines:
        name, params, value = split(line)
        if name == "RRULE":
            found.append(f"RRULE:{recurrence.rule(value)}")
        elif name in {"RDATE", "EXDATE"}:
            found += recurrence.dates(name, value, params, places, zone_name)
    return recurrence.canonical(found)


def _organizer(resource: Resource) -> Organizer | None:
    """An event that its owner made for themselves is nobody's invitation, so it has no organizer."""
    person = resource.organizer
    alone = not resource.attendees and not resource.attendees_omitted
    if person is None or (person.own and alone):
        return None
    address = normalise_address(person.email)
    if not address or len(address) > LONGEST_ADDRESS:
        return None
    return Organizer(address, _display(person, address))


def _guests(people: Sequence[Person]) -> tuple[Guest, ...]:
    """Each address once, ordered. Of two with one address the one that answers counts."""
    found: dict[str, Guest] = {}
    for person in people:
        address = normalise_address(person.email)
        if not address or len(address) > LONGEST_ADDRESS or "\n" in address:
            continue
        known = found.get(address)
        if known is None or known.response == "needs-action":
            found[address] = Guest(
                address,
                _display(person, address),
                _RESPONSES.get(person.response_status, "needs-action"),
                person.optional,
                person.resource,
            )
    return tuple(found[address] for address in sorted(found))


def _display(person: Person, address: str) -> str:
    name = " ".join(person.display_name.split())
    return "" if normalise_address(name) == address else name


def _join_url(resource: Resource, location: str, description: str) -> str:
    """The room that Google keeps for it, then a link of a known service in its texts."""
    points = resource.conference_data.entry_points if resource.conference_data else []
    for point in points:
        if point.entry_point_type == "video" and point.uri.startswith("https://"):
            return point.uri
    if resource.hangout_link.startswith("https://"):
        return resource.hangout_link
    return meeting_link(location, description)


def _reminders(resource: Resource) -> tuple[int, ...]:
    """Those of this event alone; the calendar's own defaults are not the event's."""
    own = resource.reminders
    if own is None or own.use_default:
        return ()
    return tuple(sorted({reminder.minutes for reminder in own.overrides if 0 <= reminder.minutes <= 525600}))


def calendar_zone(name: str) -> str:
    """A calendar's zone as an IANA name, or '' for one that isn't known here."""
    found = by_name(name)
    return str(zone(found).key) if found else ""
