"""A copy as an answer shows it: to this viewer, in this zone, as sparse as Google is with what is gone."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from sandbox.google import times
from sandbox.google.problems import Json
from sandbox.google.store import Calendar, Entry, Store

_TIMES = ("start", "end", "originalStartTime")
_BUSY = (
    "start",
    "end",
    "originalStartTime",
    "recurrence",
    "recurringEventId",
    "iCalUID",
    "transparency",
    "updated",
    "created",
)


@dataclass(frozen=True, slots=True)
class Look:
    """Who looks and how: the role at the calendar, the zone of the answer, the most guests to show."""

    role: str
    zone: str
    most_guests: int | None = None
    addresses: frozenset[str] = frozenset()
    details: bool = False
    """Whether even what is gone shows what it was: `get` always does, lists only where Google documents it."""
    creator: str = ""


def event(store: Store, calendar: Calendar, entry: Entry, look: Look) -> Json:
    """The resource, after `Event` of the discovery document."""
    if entry.gone == "moved" or (entry.gone and not look.details and entry.gone != "removed"):
        return _tombstone(entry, look)
    head = {"kind": "calendar#event", "etag": entry.etag, "id": entry.id}
    data = entry.data
    if _hidden(data, look):
        busy = {name: data[name] for name in _BUSY if name in data}
        body = {"status": "cancelled" if entry.gone else data["status"], "visibility": "private", **busy}
        return head | _placed(body, look.zone)
    body = {name: value for name, value in data.items() if name != "source" or look.creator == data["creator"]["email"]}
    body["status"] = "cancelled" if entry.gone else data["status"]
    body["htmlLink"] = html_link(store, calendar, entry)
    body["creator"] = _person(data["creator"], calendar, store)
    body["organizer"] = _person(data["organizer"], calendar, store)
    _show_guests(body, calendar, store, look)
    return head | _placed(body, look.zone)


def html_link(store: Store, calendar: Calendar, entry: Entry) -> str:
    """Google's shape of a link: the event's id and its calendar's, in base 64."""
    return f"{store.site}/calendar/event?eid={link_name(calendar, entry)}"


def link_name(calendar: Calendar, entry: Entry) -> str:
    return base64.urlsafe_b64encode(f"{entry.id} {calendar.id}".encode()).decode().rstrip("=")


def mine(calendar: Calendar, store: Store) -> frozenset[str]:
    """The addresses that are `self` in this calendar: a primary one's are its user's, another has only its id."""
    user = store.users.get(calendar.id)
    return user.addresses if user else frozenset({calendar.id})


def _tombstone(entry: Entry, look: Look) -> Json:
    """`Event.status`: a deleted event guarantees only `id`, a cancelled exception its place in the series too."""
    sparse: Json = {"kind": "calendar#event", "etag": entry.etag, "id": entry.id, "status": "cancelled"}
    if entry.parent:
        sparse["recurringEventId"] = entry.parent
        sparse["originalStartTime"] = times.shown(entry.data["originalStartTime"], look.zone)
    return sparse


def _hidden(data: Json, look: Look) -> bool:
    if look.role == "freeBusyReader":
        return True
    private = data.get("visibility") in {"private", "confidential"}
    return private and look.role in {"reader", "writerWithoutPrivateAccess"}


def _placed(body: Json, zone: str) -> Json:
    for name in _TIMES:
        if name in body:
            body[name] = times.shown(body[name], zone)
    return body


def _person(person: Json, calendar: Calendar, store: Store) -> Json:
    return {**person, "self": True} if person.get("email") in mine(calendar, store) else dict(person)


def _show_guests(body: Json, calendar: Calendar, store: Store, look: Look) -> None:
    guests = body.get("attendees")
    if not guests:
        body.pop("attendees", None)
        return
    own = mine(calendar, store)
    shown = []
    for guest in guests:
        seen = dict(guest)
        if guest["email"] == body["organizer"].get("email"):
            seen["organizer"] = True
        if guest["email"] in own:
            seen["self"] = True
        shown.append(seen)
    concealed = body.get("guestsCanSeeOtherGuests") is False and not body["organizer"].get("self")
    too_many = look.most_guests is not None and len(shown) > look.most_guests
    if concealed or too_many:
        # Only the participant is returned (`maxAttendees`), and the client must not take that for the list.
        shown = [guest for guest in shown if guest.get("self")]
        body["attendeesOmitted"] = True
    body["attendees"] = shown
