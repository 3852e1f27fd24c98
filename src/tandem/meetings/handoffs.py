"""Meetings made on the calendar service's own page, from a record here: waiting for them, and claiming them.

A hand-off keeps what the page was filled with. The event that comes of it looks like any other, so it is
told by its guests, its organizer and when it came; the person's word is the record, not the account.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from tandem.calendaring import event as canonical
from tandem.calendaring.event import Event
from tandem.crm.models import Record
from tandem.mailboxes.models import Account, Calendar
from tandem.mailboxes.rights import me
from tandem.meetings import linking, pins
from tandem.meetings.models import Copy, HandOff, Intent, Meeting
from tandem.team import news
from tandem.team.models import Company, User

WAITS = timedelta(minutes=30)
PATIENCE = timedelta(minutes=2)
KEPT = timedelta(days=1)

State = Literal["waiting", "late", "over", "elsewhere"]


def begin(author: User, record: Record, account: Account, event: Event, *, link: str, now: datetime) -> HandOff:
    """Wait for `event`, which `author` goes on to make in `account` at the address `link`.

    The same event handed over once more is the same hand-off, which then waits anew. Those of the author that
    nobody asked about for a day are dropped on the way. Raises `ValueError` for an event without a time.
    """
    if event.when is None:
        raise ValueError("an event is waited for by when it starts")
    guests = "\n".join(sorted(event.addresses - me(account)))
    starts_at = event.when.starts_at(Company.current().time_zone)
    told = {"guests": guests, "title": event.title[:1000], "starts_at": starts_at}
    lasts = {"link": link, "created_at": now, "expires_at": now + WAITS}
    with transaction.atomic():
        User.objects.select_for_update().get(id=author.id)  # one click of a user after the other
        news.mark()
        HandOff.objects.filter(author=author, closed_at=None, created_at__lte=now - KEPT).delete()
        same = HandOff.objects.filter(
            author=author, record=record, account=account, series=None, closed_at=None, **told
        ).first()
        if same is None:
            return HandOff.objects.create(author=author, record=record, account=account, **told, **lasts)
        HandOff.objects.filter(id=same.id).update(**lasts)
        same.refresh_from_db()
        return same


def renew(hand_off: HandOff, *, now: datetime) -> None:
    """The person goes to the page once more, or asks to look: what comes from now on counts again."""
    with transaction.atomic():
        HandOff.objects.filter(id=hand_off.id, series=None).update(expires_at=now + WAITS)
        news.mark()


def forget(hand_off: HandOff, *, now: datetime) -> None:
    """The author need hear no more of it. A meeting that it brought stays on its record."""
    with transaction.atomic():
        HandOff.objects.filter(id=hand_off.id, series=None).delete()
        HandOff.objects.filter(id=hand_off.id).update(closed_at=now, link="")
        news.mark()


@dataclass(frozen=True, slots=True)
class Awaited:
    """A hand-off that its author should hear of. `came_into` is the other account that its event came into."""

    hand_off: HandOff
    state: State
    came_into: str = ""


def of(record: Record, viewer: User, now: datetime) -> list[Awaited]:
    """The hand-offs from `record` that wait or came to nothing, the oldest first. Only their author sees them."""
    mine = HandOff.objects.filter(record=record, author=viewer, closed_at=None, created_at__gt=now - KEPT)
    rows = mine.select_related("account").order_by("created_at", "id")
    return [Awaited(row, _state(row, now), _came_into(row)) for row in rows]


def _state(hand_off: HandOff, now: datetime) -> State:
    if hand_off.series_id is not None:
        return "elsewhere"
    if now >= hand_off.expires_at:
        return "over"
    return "late" if now >= hand_off.created_at + PATIENCE else "waiting"


def _came_into(hand_off: HandOff) -> str:
    if hand_off.series_id is None:
        return ""
    own = Copy.objects.filter(meeting__series=hand_off.series_id, calendar__account__owner=hand_off.author_id)
    return own.values_list("calendar__account__name", flat=True).first() or ""


def claimable(calendar: Calendar, series_ids: Collection[UUID], *, now: datetime) -> set[UUID]:
    """Those of `series_ids`, copies of which are about to come into `calendar`, that a hand-off may wait for.

    They are new to its owner: no account of theirs had a copy, the meeting does not come back from the dead,
    and was not made here. On the first reading of a calendar everything is old. Asked before copies are stored.
    """
    if calendar.last_full_at is None or not _open(calendar, now).exists():
        return set()
    meetings = Meeting.objects.filter(series__in=series_ids)
    owned = Q(copies__calendar__account__owner=calendar.account.owner_id)
    made_here = Q(intents__verb=Intent.Verb.CREATE)
    known = meetings.filter(owned | made_here | ~Q(state=Meeting.State.LIVE))
    return set(series_ids) - set(known.values_list("series_id", flat=True))


def claim(calendar: Calendar, series_ids: Collection[UUID], *, now: datetime) -> None:
    """Put these meetings, which just came into `calendar`, on the records that they were handed off from.

    A hand-off gets one event: one that its author organizes and all its guests take part in; into another
    account than the expected one, with the same guests and no more. Of several the one with the same title and
    start goes first, then the same start, then the oldest. What came into another account is kept to be said.
    """
    if not series_ids:
        return
    mine = me(calendar.account)
    found: list[tuple[int, datetime, HandOff, Meeting, Event]] = []
    waiting = list(_open(calendar, now).select_related("record", "account", "author"))
    for meeting in _firsts(series_ids):
        event = canonical.decode(meeting.shown)
        if event.status == "cancelled" or (event.organizer is not None and event.organizer.address not in mine):
            continue
        for hand_off in waiting:
            rank = _rank(hand_off, event, mine, elsewhere=hand_off.account_id != calendar.account_id)
            if rank is not None:
                found.append((rank, hand_off.created_at, hand_off, meeting, event))
    taken: set[UUID] = set()
    for _, _, hand_off, meeting, event in sorted(found, key=lambda row: row[:2]):
        if not taken & {hand_off.id, meeting.id} and _claim(hand_off, meeting, event, calendar, now):
            taken |= {hand_off.id, meeting.id}


def _open(calendar: Calendar, now: datetime) -> QuerySet[HandOff]:
    author = calendar.account.owner
    if not author.may_edit or not author.is_active:
        return HandOff.objects.none()
    return HandOff.objects.filter(author=author, series=None, closed_at=None, expires_at__gt=now)


def _firsts(series_ids: Collection[UUID]) -> list[Meeting]:
    """The master of each series, or what it has."""
    firsts: dict[UUID, Meeting] = {}
    for meeting in Meeting.objects.filter(series__in=series_ids).order_by("series_id", "recurrence_id"):
        firsts.setdefault(meeting.series_id, meeting)
    return list(firsts.values())


def _rank(hand_off: HandOff, event: Event, mine: frozenset[str], *, elsewhere: bool) -> int | None:
    """How well the event fits, 0 best; None when it is another one.

    With no guests only the start could tell it from any other event of the day.
    """
    guests = set(hand_off.guests.split())
    rooms = {guest.address for guest in event.guests if guest.resource}
    others = event.addresses - mine - rooms - me(hand_off.account)
    if not guests <= event.addresses or (elsewhere and others != guests):
        return None
    starts_at = event.when.starts_at(Company.current().time_zone) if event.when else None
    if starts_at == hand_off.starts_at:
        same_title = event.title.strip().casefold() == hand_off.title.strip().casefold()
        if elsewhere and not (guests or same_title):
            return None
        return (0 if same_title else 2) + int(elsewhere)
    return 4 + int(elsewhere) if guests else None


def _claim(hand_off: HandOff, meeting: Meeting, event: Event, calendar: Calendar, now: datetime) -> bool:
    """False when another worker's event was first."""
    expected = hand_off.account_id == calendar.account_id or _invited(calendar.account, event, hand_off.account)
    done = {"series_id": meeting.series_id, "closed_at": now if expected else None, "link": ""}
    if not HandOff.objects.filter(id=hand_off.id, series=None, closed_at=None).update(**done):
        return False
    touched = pins.put_on(hand_off.record, meeting.series_id, event.addresses, author=hand_off.author)
    linking.relink(touched, now=now)
    return True


def _invited(account: Account, event: Event, by: Account) -> bool:
    """Whether this is a guest's copy in `account` of what was saved in the owner's other account `by`."""
    if event.organizer is None or event.organizer.address not in by.addresses:
        return False
    own = account.addresses - {event.organizer.address}
    return any(guest.address in own for guest in event.guests)
