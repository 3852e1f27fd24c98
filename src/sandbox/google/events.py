"""Writing events: insert, import, patch, update, delete, move, and reading one.

Every write goes one way: the client's fields are merged and checked (`content`), compared with what stands
there, held against the rights, written into the organizer's copy, and spread to the guests' (`guests`).
"""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime

from sandbox.google import clock, conference, content, guests, rendering, rights, series, times
from sandbox.google.behaviour import Behaviour
from sandbox.google.mail import Kind, Ledger, Mail
from sandbox.google.problems import (
    Json,
    Problem,
    condition_not_met,
    deleted,
    duplicate,
    invalid,
    not_found,
    not_organizer,
    required,
)
from sandbox.google.store import Calendar, Entry, Store, User

_ID = re.compile(r"[a-v0-9]{5,1024}")
_SIGNIFICANT = {"start", "end", "recurrence", "status"}


@dataclass(frozen=True, slots=True)
class Act:
    """One call that writes: whose, when, who is told, and its number in the request log."""

    user: User
    now: datetime
    request: int
    tell: str = "none"
    conference: bool = False


class Events:
    def __init__(self, store: Store, ledger: Ledger, behaviour: Behaviour) -> None:
        self.store = store
        self.ledger = ledger
        self.behaviour = behaviour

    def insert(self, act: Act, calendar: Calendar, body: Json) -> Entry:
        rights.require_writer(calendar, act.user)
        if "id" in body and "iCalUID" in body:
            raise invalid("Only one of id and iCalUID may be given.")
        wanted = body.get("id")
        if wanted is not None and not _ID.fullmatch(wanted):
            raise invalid("Invalid resource id value.")
        if wanted in calendar.entries:
            if not self.behaviour.undetected_collisions:
                raise duplicate()
            wanted = None
        if body.get("status") == "cancelled":
            raise invalid("Invalid status.")
        if body.get("iCalUID") and calendar.find(body["iCalUID"]) is not None:
            raise duplicate()
        event_id = wanted or self.store.new_id(calendar)
        data = content.clean(content.writable(body), calendar)
        conference.apply(act.conference, data, {}, self.store.random)
        entry = Entry(event_id, data | self._head(act, calendar, body.get("iCalUID") or f"{event_id}@google.com"))
        self.store.put(calendar, entry, now=act.now)
        guests.spread(self.store, calendar, entry, now=act.now)
        self._tell(act, calendar, entry, "invitation", _addresses(data))
        return entry

    def import_(self, act: Act, calendar: Calendar, body: Json) -> Entry:
        """A private copy of an event from elsewhere: nobody is told, no other copy is made."""
        rights.require_writer(calendar, act.user)
        uid = body.get("iCalUID")
        if not uid:
            raise required("iCalUID")
        if "id" in body:
            raise invalid("Only one of id and iCalUID may be given.")
        data = content.clean(content.writable(body) | {"eventType": "default"}, calendar)
        head = self._head(act, calendar, uid)
        if body.get("organizer", {}).get("email"):
            head["organizer"] = dict(body["organizer"])
        own = rendering.mine(calendar, self.store)
        if head["organizer"]["email"] not in own and not own & set(_addresses(data)):
            words = (
                "The owner of the calendar must either be the organizer or an attendee of an event that is imported."
            )
            raise Problem(400, "participantIsNeitherOrganizerNorAttendee", words, domain="calendar")
        found = calendar.find(uid)
        if found is not None and found.data["sequence"] > data["sequence"]:
            raise invalid("Invalid sequence value.")
        entry = found or Entry(self.store.new_id(calendar), {})
        entry.data, entry.gone = data | head | {"privateCopy": True}, ""
        return self.store.put(calendar, entry, now=act.now)

    def patch(self, act: Act, calendar: Calendar, event_id: str, body: Json, etag: str | None) -> Entry:
        entry = self._writable(act, calendar, event_id, etag)
        body = content.writable(_checked_sequence(entry, body)) | _omitted(body)
        if body.get("status") == "cancelled":
            return self._delete(act, calendar, entry)
        if entry.gone and body.get("status") not in {"confirmed", "tentative"}:
            raise deleted()
        if body.pop("attendeesOmitted", False):
            body["attendees"] = self._only_answer(calendar, entry, body.get("attendees"))
        return self._save(act, calendar, entry, content.merged(content.writable(entry.data), body))

    def update(self, act: Act, calendar: Calendar, event_id: str, body: Json, etag: str | None) -> Entry:
        """What the body lacks is deleted: PUT replaces the whole event."""
        entry = self._writable(act, calendar, event_id, etag)
        for name in ("start", "end"):
            if not body.get(name):
                raise required(f"{name} time")
        body = content.writable(_checked_sequence(entry, body)) | _omitted(body)
        if body.get("status") == "cancelled":
            return self._delete(act, calendar, entry)
        if entry.gone and body.get("status") not in {"confirmed", "tentative"}:
            raise deleted()
        if body.pop("attendeesOmitted", False):
            body["attendees"] = self._only_answer(calendar, entry, body.get("attendees"))
        body.setdefault("sequence", entry.data["sequence"])
        if not act.conference and "conferenceData" in entry.data:
            body["conferenceData"] = entry.data["conferenceData"]
        return self._save(act, calendar, entry, body)

    def delete(self, act: Act, calendar: Calendar, event_id: str, etag: str | None) -> None:
        entry = self._writable(act, calendar, event_id, etag, gone=True)
        if entry.gone:
            raise deleted()
        self._delete(act, calendar, entry)

    def move(self, act: Act, calendar: Calendar, event_id: str, target: Calendar) -> Entry:
        """The event gets another organizer. What stays behind is a cancelled event with nothing but its id."""
        entry = self._writable(act, calendar, event_id, None)
        rights.require_writer(target, act.user)
        if entry.parent or entry.data["eventType"] != "default":
            raise invalid("This event cannot be moved.")
        if not rights.is_organizer(self.store, calendar, entry.data):
            raise not_organizer()
        if entry.id in target.entries or target is calendar:
            raise duplicate()
        moved = [entry, *calendar.exceptions_of(entry.id)]
        for each in moved:
            data = deepcopy(each.data) | {"organizer": _organizer(target, self.store)}
            copy = Entry(each.id, data, gone=each.gone, overridden=set(each.overridden))
            self.store.put(target, copy, now=act.now)
            if not rendering.mine(calendar, self.store) & set(_addresses(data)):
                each.gone = "moved"
                if each.parent:
                    self.store.drop(calendar, each)
                else:
                    self.store.put(calendar, each, now=act.now)
            guests.spread(self.store, target, copy, now=act.now)
        self._tell(act, target, entry, "update", _addresses(entry.data))
        return target.entries[entry.id]

    def read(self, calendar: Calendar, event_id: str) -> Entry:
        """Cancelled ones too: `get` always returns them. Raises `Problem` 404."""
        return series.lookup(calendar, event_id)

    def _writable(self, act: Act, calendar: Calendar, event_id: str, etag: str | None, *, gone: bool = False) -> Entry:
        """The entry that a write is about, its condition checked. Raises `Problem` 403, 404, 410, 412."""
        rights.require_writer(calendar, act.user)
        entry = series.lookup(calendar, event_id)
        rights.require_sight(calendar, act.user, entry)
        if etag is not None and etag != "*" and entry.etag not in {part.strip() for part in etag.split(",")}:
            raise condition_not_met()
        if entry.gone == "deleted" and not gone and not rights.is_organizer(self.store, calendar, entry.data):
            raise deleted()
        return entry

    def _save(self, act: Act, calendar: Calendar, entry: Entry, wanted: Json) -> Entry:
        """Write what differs: shared fields into the authority's copy, own ones into this. Else no write."""
        if "eventType" in wanted and wanted["eventType"] != entry.data["eventType"]:
            raise Problem(400, "eventTypeRestriction", "The type of an event cannot be changed.", domain="calendar")
        if entry.parent and wanted.get("recurrence"):
            raise invalid("An instance of a recurring event cannot recur.")
        data = content.clean(wanted | {"eventType": entry.data["eventType"]}, calendar)
        conference.apply(act.conference, data, entry.data, self.store.random)
        kept = {name: value for name, value in entry.data.items() if name in content.READ_ONLY}
        data = kept | data
        changed = _differences(guests.shared(entry.data), guests.shared(data))
        rights.check(self.store, calendar, entry.data, data, changed)
        if not changed and not entry.gone and guests.own(entry.data) == guests.own(data):
            return entry
        if entry.id not in calendar.entries:
            entry.data = deepcopy(entry.data)
        part = guests.own(data)
        if not changed and not entry.gone:
            entry.data = guests.joined(guests.shared(entry.data), part)
            return self.store.put(calendar, entry, now=act.now, quiet=True)
        return self._share(act, calendar, entry, data, part, changed)

    def _share(self, act: Act, calendar: Calendar, entry: Entry, data: Json, part: Json, changed: set[str]) -> Entry:
        before = set(_addresses(entry.data))
        if entry.id not in calendar.entries:
            self.store.put(calendar, entry, now=act.now)
        entry.data, entry.gone = guests.joined(guests.shared(entry.data), part), ""
        home, source = guests.authority(self.store, calendar, entry, now=act.now)
        common = {**guests.shared(source.data), **{name: data[name] for name in changed & data.keys()}}
        for name in changed - data.keys():
            common.pop(name, None)
        if "extendedProperties" in changed:
            common["extendedProperties"] = guests.shared(data).get("extendedProperties", {})
        if changed & _SIGNIFICANT:
            common["sequence"] = source.data["sequence"] + 1
        source.data = guests.joined(deepcopy(common), guests.own(source.data))
        if source.parent:
            source.overridden |= changed
        self.store.put(home, source, now=act.now)
        if source is not entry:
            self.store.put(calendar, entry, now=act.now)
        if changed - {"attendees"} and not source.parent:
            self._follow(act, home, source, changed)
        guests.spread(self.store, home, source, now=act.now)
        self._tell_changes(act, calendar, source, before, changed)
        return entry

    def _follow(self, act: Act, home: Calendar, master: Entry, changed: set[str]) -> None:
        """Exceptions take over what they have not of their own; those whose occurrence is gone end."""
        for exception in home.exceptions_of(master.id):
            still = master.is_series and series.occurrence(master.data, exception.key, home.zone) is not None
            if not still:
                exception.gone = "deleted"
            else:
                for name in changed - exception.overridden - {"recurrence", "start", "end", "sequence"}:
                    exception.data.pop(name, None)
                    if name in master.data:
                        exception.data[name] = deepcopy(master.data[name])
            self.store.put(home, exception, now=act.now)
            guests.spread(self.store, home, exception, now=act.now)

    def _delete(self, act: Act, calendar: Calendar, entry: Entry) -> Entry:
        if entry.gone:
            return entry
        if entry.id not in calendar.entries:
            entry.data = deepcopy(entry.data)
            self.store.put(calendar, entry, now=act.now)
        if not rights.is_organizer(self.store, calendar, entry.data):
            return self._leave(act, calendar, entry)
        for exception in calendar.exceptions_of(entry.id):
            exception.gone = "deleted"
            guests.spread(self.store, calendar, exception, now=act.now)
            self.store.drop(calendar, exception)
        entry.gone = "skipped" if entry.parent else "deleted"
        entry.data["sequence"] += 1
        self.store.put(calendar, entry, now=act.now)
        guests.spread(self.store, calendar, entry, now=act.now)
        self._tell(act, calendar, entry, "cancellation", _addresses(entry.data))
        return entry

    def _leave(self, act: Act, calendar: Calendar, entry: Entry) -> Entry:
        """A guest takes it out of their own calendar: that copy is cancelled, the meeting is not."""
        home, source = guests.authority(self.store, calendar, entry, now=act.now)
        entry.gone = "removed"
        for exception in calendar.exceptions_of(entry.id):
            self.store.drop(calendar, exception)
        guests.note_answer(self.store, calendar, entry, {"responseStatus": "declined"})
        self.store.put(calendar, entry, now=act.now)
        if source is not entry:
            guests.note_answer(self.store, calendar, source, {"responseStatus": "declined"})
            if source.parent:
                source.overridden.add("attendees")
            self.store.put(home, source, now=act.now)
            guests.spread(self.store, home, source, now=act.now)
        self._tell(act, calendar, entry, "reply", [entry.data["organizer"].get("email", "")])
        return entry

    def _only_answer(self, calendar: Calendar, entry: Entry, sent: list[Json] | None) -> list[Json]:
        """`attendeesOmitted`: whatever the list holds, only the participant's own answer is taken from it."""
        mine = rendering.mine(calendar, self.store)
        own = next((guest for guest in sent or () if str(guest.get("email", "")).lower() in mine), None)
        answer = (
            {name: own[name] for name in ("responseStatus", "comment", "additionalGuests") if name in own}
            if own
            else {}
        )
        return [guest | answer if guest["email"] in mine else guest for guest in entry.data.get("attendees", ())]

    def _head(self, act: Act, calendar: Calendar, uid: str) -> Json:
        """What Google sets itself at creation."""
        return {
            "iCalUID": uid,
            "created": clock.stamp(act.now),
            "creator": {"email": act.user.address},
            "organizer": _organizer(calendar, self.store),
        }

    def _tell_changes(self, act: Act, calendar: Calendar, entry: Entry, before: set[str], changed: set[str]) -> None:
        after = set(_addresses(entry.data))
        if not rights.is_organizer(self.store, calendar, entry.data) and not changed - {"attendees"}:
            if before == after:
                self._tell(act, calendar, entry, "reply", [entry.data["organizer"].get("email", "")])
            self._tell(act, calendar, entry, "invitation", sorted(after - before))
            return
        self._tell(act, calendar, entry, "invitation", sorted(after - before))
        self._tell(act, calendar, entry, "cancellation", sorted(before - after))
        if changed - {"attendees"}:
            self._tell(act, calendar, entry, "update", sorted(before & after))

    def _tell(self, act: Act, calendar: Calendar, entry: Entry, kind: Kind, addresses: list[str]) -> None:
        own = rendering.mine(calendar, self.store) | act.user.addresses
        for address in addresses:
            outside = self.store.user_of(address) is None
            if not address or address in own or act.tell == "none" or (act.tell == "externalOnly" and not outside):
                continue
            words = str(entry.data.get("summary", ""))
            mail = (
                act.request,
                clock.stamp(act.now),
                kind,
                act.user.address,
                address,
                calendar.id,
                entry.id,
                entry.uid,
                words,
            )
            self.ledger.rows.append(Mail(*mail))

    def plant(self, calendar: Calendar, resource: Json, *, now: datetime, gone: str = "") -> Entry:
        """Put a resource there as it is, unchecked and untold: dirty data, mail's events, foreign organizers."""
        event_id = resource.get("id") or self.store.new_id(calendar)
        defaults: Json = {
            "iCalUID": f"{event_id}@google.com",
            "status": "confirmed",
            "eventType": "default",
            "sequence": 0,
            "reminders": {"useDefault": True},
            "created": clock.stamp(now),
            "creator": {"email": calendar.owner},
            "organizer": _organizer(calendar, self.store),
        }
        data = defaults | {name: value for name, value in resource.items() if name != "id"}
        for name in ("start", "end"):
            if "dateTime" in data.get(name, {}):
                data[name] = {"timeZone": calendar.zone} | data[name]
        if "originalStartTime" in data and "recurringEventId" not in data:
            raise not_found()
        return self.store.put(calendar, Entry(event_id, data), now=now)


def _organizer(calendar: Calendar, store: Store) -> Json:
    user = store.users.get(calendar.id)
    return {"email": calendar.id} if user else {"email": calendar.id, "displayName": calendar.summary}


def _addresses(data: Json) -> list[str]:
    return [guest["email"] for guest in data.get("attendees", ())]


def _differences(old: Json, new: Json) -> set[str]:
    names = (old.keys() | new.keys()) - content.READ_ONLY - {"sequence"}
    return {name for name in names if not _same(name, old.get(name), new.get(name))}


def _same(name: str, old: object, new: object) -> bool:
    if (
        name in {"start", "end"}
        and isinstance(old, dict)
        and isinstance(new, dict)
        and "dateTime" in old
        and "dateTime" in new
    ):
        return old.get("timeZone") == new.get("timeZone") and times.instant(old, "UTC") == times.instant(new, "UTC")
    return old == new


def _checked_sequence(entry: Entry, body: Json) -> Json:
    if body.get("sequence") is not None and body["sequence"] < entry.data["sequence"]:
        raise invalid(
            "Invalid sequence value. The specified sequence number is below the current sequence number of the "
            "resource. Re-fetch the resource and use its sequence number on the following request."
        )
    return body


def _omitted(body: Json) -> Json:
    return {"attendeesOmitted": True} if body.get("attendeesOmitted") else {}
