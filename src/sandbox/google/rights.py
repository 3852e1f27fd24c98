"""Who may change what: the calendar's role, the organizer's word, the guests' few fields.

Sources: `CalendarListEntry.accessRole`, `Event.guestsCanModify`, `guestsCanInviteOthers` and `locked` in the
discovery document; "Handle API errors", `forbiddenForNonOrganizer`.
"""

from __future__ import annotations

from sandbox.google import rendering
from sandbox.google.problems import Json, Problem, needs_writer, not_found, not_organizer
from sandbox.google.store import ROLES, Calendar, Entry, Store, User

_ONLY_ORGANIZER = {"guestsCanModify", "guestsCanInviteOthers", "guestsCanSeeOtherGuests", "anyoneCanAddSelf"}
_LOCKED = {"summary", "description", "location", "start", "end", "recurrence"}
_ANSWER = {"responseStatus", "comment", "additionalGuests"}


def require_writer(calendar: Calendar, user: User) -> None:
    if ROLES.index(calendar.roles[user.address]) < ROLES.index("writerWithoutPrivateAccess"):
        raise needs_writer()


def require_sight(calendar: Calendar, user: User, entry: Entry) -> None:
    """Who may not see private events may not change them either. Raises `Problem` 404 or 403."""
    private = entry.data.get("visibility") in {"private", "confidential"}
    if private and calendar.roles[user.address] == "writerWithoutPrivateAccess":
        raise needs_writer()
    if entry.gone == "moved":
        raise not_found()


def is_organizer(store: Store, calendar: Calendar, data: Json) -> bool:
    return data["organizer"].get("email") in rendering.mine(calendar, store)


def check(store: Store, calendar: Calendar, old: Json, new: Json, changed: set[str]) -> None:
    """Raises `Problem` 403 for a change of shared fields that this copy's owner may not make."""
    if old.get("locked") and changed & _LOCKED:
        raise Problem(403, "forbidden", "The event is locked.", domain="calendar")
    if is_organizer(store, calendar, old):
        return
    if changed & _ONLY_ORGANIZER:
        raise not_organizer()
    if old.get("guestsCanModify"):
        return
    if changed - {"attendees"}:
        raise not_organizer()
    if "attendees" in changed:
        _check_guest_list(rendering.mine(calendar, store), old, new)


def _check_guest_list(own: frozenset[str], old: Json, new: Json) -> None:
    """A guest answers for themselves, and may invite others where that is allowed. Nothing else."""
    before = {guest["email"]: guest for guest in old.get("attendees", ())}
    after = {guest["email"]: guest for guest in new.get("attendees", ())}
    if before.keys() - after.keys():
        raise not_organizer()
    if after.keys() - before.keys() and old.get("guestsCanInviteOthers") is False:
        raise not_organizer()
    for email, guest in before.items():
        free = _ANSWER if email in own else set()
        if _without(guest, free) != _without(after[email], free):
            raise not_organizer()


def _without(guest: Json, names: set[str]) -> Json:
    return {name: value for name, value in guest.items() if name not in names}
