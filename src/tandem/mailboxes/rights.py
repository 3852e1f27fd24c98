"""Who "me" is in an account, and what its owner may write there."""

from __future__ import annotations

from tandem.calendaring.event import Event
from tandem.calendaring.fields import RESPONSE
from tandem.calendaring.plan import Rights
from tandem.mailboxes.models import Account, Calendar
from tandem.team.models import Alias, User

OF_A_CALENDAR = "@group.calendar.google.com"
"""How the addresses end under which Google's further calendars invite: nobody's mailbox."""


def me(account: Account) -> frozenset[str]:
    """Every address of the account's owner: the account's, the sign-in address, the aliases.

    So are the addresses under which the account's further calendars invite (Google).
    An address that belongs to another user is never "me", whoever typed it.
    """
    own = account.calendars.filter(writable=True, organizer__endswith=OF_A_CALENDAR).values_list("organizer", flat=True)
    mine = account.owner.addresses() | account.addresses | set(own)
    others = set(User.objects.exclude(id=account.owner_id).filter(email__in=mine).values_list("email", flat=True))
    aliases = Alias.objects.exclude(user=account.owner_id).filter(address__in=mine)
    others |= set(aliases.values_list("address", flat=True))
    return mine - others


_UNLOCKED = frozenset({"cancel", "reminders", "visibility"})
_ORGANIZERS = frozenset({"cancel", "status", "organizer"})
"""What stays the organizer's where guests may modify a meeting: a guest's own copy cancels nothing."""


def refusal(calendar: Calendar, event: Event | None, mine: frozenset[str], field: str) -> str:
    """Why `field` of `event` may not be written in `calendar`; empty when it may. `event` None: a new one."""
    if not calendar.writable:
        return f"{calendar.name} may only be read, not changed."
    own = event is None or event.organizer is None or event.organizer.address in mine | {calendar.organizer}
    if event is not None and event.locked and field not in _UNLOCKED and not field.startswith(RESPONSE):
        return "This event is locked: the program that made it lets nobody change it here."
    if own:
        return ""
    assert event is not None
    if event.guests_can_modify and field not in _ORGANIZERS:
        return ""
    if field.startswith(RESPONSE) and field.removeprefix(RESPONSE) in mine:
        return ""
    if field == "reminders":
        return ""
    assert event.organizer is not None
    who = event.organizer.name or event.organizer.address
    return f"{who} organizes this meeting, so only they can change it. Ask them, or suggest a time."


def rights(calendar: Calendar, event: Event | None, mine: frozenset[str]) -> Rights:
    return Rights(refusal=lambda field: refusal(calendar, event, mine, field))
