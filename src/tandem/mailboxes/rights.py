"""Who "me" is in an account, and what its owner may write there."""

from __future__ import annotations

from tandem.calendaring.event import Event
from tandem.calendaring.fields import RESPONSE
from tandem.calendaring.plan import Rights
from tandem.mailboxes.models import Account, Calendar
from tandem.team.models import Alias, User


def me(account: Account) -> frozenset[str]:
    """Every address of the account's owner: the account's, the sign-in address, the aliases.

    So are the addresses of calendars of their own under which these invite (Google's further calendars).
    An address that belongs to another user is never "me", whoever typed it.
    """
    own = account.calendars.filter(writable=True).exclude(organizer="").values_list("organizer", flat=True)
    mine = account.owner.addresses() | account.addresses | set(own)
    others = set(User.objects.exclude(id=account.owner_id).filter(email__in=mine).values_list("email", flat=True))
    aliases = Alias.objects.exclude(user=account.owner_id).filter(address__in=mine)
    others |= set(aliases.values_list("address", flat=True))
    return mine - others


def refusal(calendar: Calendar, event: Event | None, mine: frozenset[str], field: str) -> str:
    """Why `field` of `event` may not be written in `calendar`; empty when it may. `event` None: a new one."""
    if not calendar.writable:
        return f"{calendar.name} may only be read, not changed."
    if event is None or event.organizer is None or event.organizer.address in mine:
        return ""
    if field.startswith(RESPONSE) and field.removeprefix(RESPONSE) in mine:
        return ""
    if field == "reminders":
        return ""
    who = event.organizer.name or event.organizer.address
    return f"{who} organizes this meeting, so only they can change it. Ask them, or suggest a time."


def rights(calendar: Calendar, event: Event | None, mine: frozenset[str]) -> Rights:
    return Rights(refusal=lambda field: refusal(calendar, event, mine, field))
