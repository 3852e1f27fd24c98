"""One meeting, many copies: what the organizer's copy says reaches the guests', and answers travel back.

Guests with an account here have a copy in their primary calendar; the others are only addresses in the mail
ledger. The organizer's copy is the authority where its calendar is here.
"""

from __future__ import annotations

from copy import deepcopy
from datetime import datetime

from sandbox.google import rendering, series
from sandbox.google.content import OWN
from sandbox.google.problems import Json
from sandbox.google.store import Calendar, Entry, Store


def shared(data: Json) -> Json:
    """The part of an event that all copies have in common."""
    common = {name: value for name, value in data.items() if name not in OWN and name != "extendedProperties"}
    properties = data.get("extendedProperties", {}).get("shared")
    return common | ({"extendedProperties": {"shared": properties}} if properties else {})


def own(data: Json) -> Json:
    """The part that belongs to one copy."""
    part = {name: data[name] for name in OWN if name in data}
    properties = data.get("extendedProperties", {}).get("private")
    return part | ({"extendedProperties": {"private": properties}} if properties else {})


def joined(common: Json, part: Json) -> Json:
    result = {**common, **{name: value for name, value in part.items() if name != "extendedProperties"}}
    properties = {**common.get("extendedProperties", {}), **part.get("extendedProperties", {})}
    return result | ({"extendedProperties": properties} if properties else {})


def materialise(store: Store, calendar: Calendar, uid: str, key: str, *, now: datetime) -> Entry | None:
    """That meeting's copy in that calendar; an occurrence becomes an exception of its own. None if it is not there."""
    found = calendar.find(uid, key)
    if found is not None or not key:
        return found
    master = calendar.find(uid)
    if master is None or master.gone or not master.is_series:
        return None
    original = series.occurrence(master.data, key, calendar.zone)
    if original is None:
        return None
    made = series.computed(master, original)
    made.data = deepcopy(made.data)
    return store.put(calendar, made, now=now)


def authority(store: Store, calendar: Calendar, entry: Entry, *, now: datetime) -> tuple[Calendar, Entry]:
    """The organizer's copy and its calendar; this one where the organizer has no account here."""
    if entry.data.get("privateCopy"):
        return calendar, entry
    organizer = entry.data["organizer"].get("email", "")
    home = store.calendars.get(organizer) or store.primary_of(organizer)
    if home is None or home is calendar or home.deleted:
        return calendar, entry
    found = materialise(store, home, entry.uid, entry.key, now=now)
    return (home, found) if found is not None and not found.gone else (calendar, entry)


def spread(store: Store, home: Calendar, entry: Entry, *, now: datetime) -> None:
    """Bring every guest's copy in line with the authority's."""
    if entry.data.get("privateCopy") or entry.data["organizer"].get("email") not in rendering.mine(home, store):
        return  # Only the organizer's copy speaks for the others; a foreign organizer's guests hear by mail.
    invited = {guest["email"] for guest in entry.data.get("attendees", ())}
    for user in list(store.users.values()):
        theirs = store.calendars[user.address]
        if theirs is home:
            continue
        copy = theirs.find(entry.uid, entry.key)
        if not entry.gone and invited & user.addresses:
            _give(store, theirs, copy, entry, now=now)
        elif entry.key and _has_series(theirs, entry.uid):
            _skip(store, theirs, copy, entry, now=now)
        elif copy is not None and not copy.gone:
            _end(store, theirs, copy, now=now)


def _give(store: Store, theirs: Calendar, copy: Entry | None, entry: Entry, *, now: datetime) -> None:
    if copy is not None and copy.gone == "removed":
        return  # They took it out of their calendar by hand; it stays out.
    master = theirs.find(entry.uid)
    if entry.key and master is not None and master.gone == "removed":
        return
    common = deepcopy(shared(entry.data))
    if copy is None and entry.key and _has_series(theirs, entry.uid):
        copy = materialise(store, theirs, entry.uid, entry.key, now=now)
    if copy is None:
        taken = entry.id in theirs.entries
        copy = Entry(store.new_id(theirs) if taken else entry.id, joined(common, {"reminders": {"useDefault": True}}))
    elif not copy.gone and shared(copy.data) == common:
        return
    else:
        series_id = copy.data.get("recurringEventId")
        copy.data = joined(common, own(copy.data)) | ({"recurringEventId": series_id} if series_id else {})
        copy.gone = ""
    store.put(theirs, copy, now=now)


def _skip(store: Store, theirs: Calendar, copy: Entry | None, entry: Entry, *, now: datetime) -> None:
    """They have the series, and are not (or no longer) on this occurrence."""
    copy = copy or materialise(store, theirs, entry.uid, entry.key, now=now)
    if copy is not None and not copy.gone:
        copy.gone = "deleted" if entry.gone == "deleted" else "skipped"
        store.put(theirs, copy, now=now)


def _end(store: Store, theirs: Calendar, copy: Entry, *, now: datetime) -> None:
    for exception in theirs.exceptions_of(copy.id):
        store.drop(theirs, exception)
    copy.gone = "deleted"
    store.put(theirs, copy, now=now)


def _has_series(calendar: Calendar, uid: str) -> bool:
    found = calendar.find(uid)
    return found is not None and not found.gone and found.is_series


def note_answer(store: Store, calendar: Calendar, home: Entry, answer: Json) -> None:
    """Write the answer of this calendar's owner into the authority's list."""
    mine = rendering.mine(calendar, store)
    home.data["attendees"] = [
        guest | answer if guest["email"] in mine else guest for guest in home.data.get("attendees", ())
    ]
