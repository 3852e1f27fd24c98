"""Who will be told of a save, and by whom: said before it, and kept by the ledger after it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tandem.calendaring import fields
from tandem.calendaring.event import Event, Guest
from tandem.calendaring.fields import GUEST
from tandem.crm.models import Identity, Kind
from tandem.mailboxes.models import Account, Sender
from tandem.mailboxes.rights import me
from tandem.team.models import Alias, User

MOST_NAMES = 4
GOOGLE = "google"

# What a guest is told of. The rest (reminders, visibility, answers) is the organizer's own.
_TOLD_FIELDS = frozenset({"title", "when", "location", "description", "status", "recurrence"})


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence in two parts: `who` is bold on a page (empty when nobody is told), `rest` follows it."""

    who: str
    rest: str

    def __str__(self) -> str:
        return self.who + self.rest


@dataclass(frozen=True, slots=True)
class Audience:
    """Who is told of what: `requests` get the event as it is now, `cancels` that it is over for them.

    `everyone` says that the event itself is cancelled, and not only these guests' part in it.
    `changed` are the names of the fields that differ, none for a new event.
    """

    requests: tuple[Guest, ...] = ()
    cancels: tuple[Guest, ...] = ()
    everyone: bool = False
    changed: tuple[str, ...] = ()


def teller(account: Account) -> str:
    """Who mails the guests of meetings in this account: "tandem" or "server"."""
    return Sender.SERVER.value if account.invitations_by == Sender.SERVER else Sender.TANDEM.value


def audience(before: Event | None, after: Event | None, mine: frozenset[str]) -> Audience:
    """Who is told when `before` becomes `after` (None: not there). Never `mine`, never rooms.

    All guests hear of a change that concerns them; those who come or go hear of that. An event that
    somebody else organizes is theirs to tell.
    """
    event = after or before
    if event is None or (event.organizer is not None and event.organizer.address not in mine):
        return Audience()
    if after is None or after.status == "cancelled":
        gone = before is None or before.status == "cancelled"
        return Audience() if gone or before is None else Audience(cancels=_others(before, mine), everyone=True)
    if before is None or before.status == "cancelled":
        return Audience(requests=_others(after, mine))
    changed = tuple(name for name in fields.diff(before, after) if name in _TOLD_FIELDS or name.startswith(GUEST))
    if not changed:
        return Audience()
    invited = {guest.address for guest in after.guests}
    cancels = tuple(guest for guest in _others(before, mine) if guest.address not in invited)
    return Audience(_others(after, mine), cancels, changed=changed)


def told(guests: Sequence[Guest], account: Account, tell: bool) -> Told:
    """Who of `guests` will be mailed and by whom; the account's owner and rooms are left out.

    "**Priya and Tom** will be mailed by Tandem." · "Nobody will be mailed."
    """
    mine = me(account)
    others = [guest for guest in guests if guest.address not in mine and not guest.resource]
    if not others or not tell:
        return Told("", f"Nobody will be mailed.{_silence(account) if others else ''}")
    return Told(_listed(_names(others)), f" will be mailed by {teller_name(account)}.")


def teller_name(account: Account) -> str:
    """`Tandem`, `Google`, `your calendar server`, as sentences name who mails."""
    if teller(account) == Sender.TANDEM.value:
        return "Tandem"
    return "Google" if account.provider == GOOGLE else "your calendar server"


def _silence(account: Account) -> str:
    """What it does all the same that guests are not told; empty where silence is silence."""
    if teller(account) == Sender.TANDEM.value:
        return ""
    if account.provider == GOOGLE:
        # Calendar API v3, `sendUpdates`: with `none` some mail might still go out, and events may not sync to
        # external calendars, or be lost for some users.
        return " Google may still tell some guests, and it may not reach every guest’s calendar."
    # RFC 6638 3.2: such a server mails whenever guests change; we can't ask it not to.
    return " Your calendar server may still tell guests by itself."


def sentence(guests: Sequence[Guest], account: Account, tell: bool) -> str:
    """`told` in one piece."""
    return str(told(guests, account, tell))


def _others(event: Event, mine: frozenset[str]) -> tuple[Guest, ...]:
    return tuple(guest for guest in event.guests if guest.address not in mine and not guest.resource)


def _names(guests: Sequence[Guest]) -> list[str]:
    """First names where they say enough, whole names where two are alike, addresses of strangers."""
    known = _known_names({guest.address for guest in guests})
    whole = [known.get(guest.address) or guest.name or guest.address for guest in guests]
    firsts = [name.split()[0] if name.strip() else name for name in whole]
    seen = Counter(firsts)
    return [
        first if seen[first] == 1 and not first.endswith(".") else name
        for first, name in zip(firsts, whole, strict=True)
    ]


def _known_names(addresses: set[str]) -> dict[str, str]:
    """Names of those whom the CRM or the team knows, by address. Two records of one address name nobody."""
    found = Identity.objects.filter(address__in=addresses, via=None, record__kind__in=(Kind.PERSON, Kind.LEAD))
    pairs = set(found.values_list("address", "record__name"))
    once = Counter(address for address, _ in pairs)
    names = {address: name for address, name in pairs if once[address] == 1}
    names.update(Alias.objects.filter(address__in=addresses).values_list("address", "user__name"))
    names.update(User.objects.filter(email__in=addresses).values_list("email", "name"))
    return names


def _listed(names: Iterable[str]) -> str:
    """`Priya`, `Priya and Tom`, `Priya, Tom, Ann and 3 others`."""
    items = list(names)
    if len(items) > MOST_NAMES:
        items = [*items[: MOST_NAMES - 1], f"{len(items) - MOST_NAMES + 1} others"]
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
