"""Event rows: one occurrence each, as one viewer may see it. The same on every page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from tandem.calendaring import event as canonical
from tandem.calendaring.event import Event, When
from tandem.crm.models import Identity
from tandem.meetings.models import Copy, Intent, Meeting, Occurrence, Pin
from tandem.meetings.visibility import Facts, Level, Viewer, guests_seen, level
from tandem.meetings.wishes import LIVE, conflicts_of
from tandem.team.models import Alias, User

SHOWING = (*LIVE, Intent.State.REFUSED, Intent.State.RESTORABLE)


@dataclass(frozen=True, slots=True)
class EventRow:
    """One occurrence as a viewer may see it. `when` is in the event's own zone; instants are UTC."""

    occurrence_id: UUID
    meeting_id: UUID
    series_id: UUID
    original_start: str
    title: str
    when: When
    starts_at: datetime
    ends_at: datetime
    level: Level
    owner: User | None
    hue: str
    who: list[str]
    location: str
    status: str
    cancelled: bool
    cancelled_by: str
    past: bool
    sign: str
    error: str
    conflicts: int
    recurring: bool
    private: bool
    declined: bool
    join_url: str

    @property
    def tentative(self) -> bool:
        return self.status == "tentative"


def viewer_of(user: User) -> Viewer:
    return Viewer(user.id, user.addresses())


@dataclass(slots=True)
class Context:
    """What the rows of one page share, read in a handful of queries for all of them."""

    viewer: Viewer
    now: datetime
    users: dict[str, User]
    copies: dict[UUID, list[Copy]]
    intents: dict[UUID, list[Intent]]
    names: dict[str, str]
    linked: set[str]
    pinned: set[UUID]
    events: dict[UUID, Event] = field(default_factory=dict)

    def event(self, meeting: Meeting) -> Event:
        if meeting.id not in self.events:
            self.events[meeting.id] = canonical.decode(meeting.shown)
        return self.events[meeting.id]

    def owners(self, meeting: Meeting) -> list[User]:
        """Who holds a copy, the authority's owner first; for one that waits to be sent, its author."""
        owners = {copy.calendar.account.owner_id: copy.calendar.account.owner for copy in self.copies[meeting.id]}
        for copy in self.copies[meeting.id]:
            if copy.id == meeting.authority_id:
                first = copy.calendar.account.owner
                return [first, *(user for key, user in owners.items() if key != first.id)]
        if not owners:
            for intent in self.intents[meeting.id]:
                owners[intent.calendar.account.owner_id] = intent.calendar.account.owner
        return list(owners.values())

    def facts(self, meeting: Meeting, addresses: Collection[str]) -> Facts:
        linked = meeting.series_id in self.pinned or any(address in self.linked for address in addresses)
        owners = frozenset(user.id for user in self.owners(meeting))
        return Facts(owners, frozenset(addresses), linked, meeting.private)


def context_of(meetings: Iterable[Meeting], user: User, now: datetime) -> Context:
    wanted = {meeting.id: meeting for meeting in meetings}
    events = {key: canonical.decode(meeting.shown) for key, meeting in wanted.items()}
    addresses = {address for event in events.values() for address in event.addresses}
    copies: dict[UUID, list[Copy]] = defaultdict(list)
    held = Copy.objects.filter(meeting__in=wanted, skip="").select_related("calendar__account__owner")
    for copy in held.order_by("id"):
        assert copy.meeting_id is not None
        copies[copy.meeting_id].append(copy)
    intents: dict[UUID, list[Intent]] = defaultdict(list)
    rows = Intent.objects.filter(meeting__in=wanted, state__in=SHOWING)
    for intent in rows.select_related("calendar__account__owner", "author").order_by("created_at"):
        assert intent.meeting_id is not None
        intents[intent.meeting_id].append(intent)
    users = users_by_address(addresses)
    names: dict[str, str] = {}
    known = Identity.objects.filter(address__in=addresses).select_related("record").order_by("via_id", "position")
    linked = set()
    for identity in known:
        if identity.address not in users:
            linked.add(identity.address)
            if identity.via_id is None:
                names.setdefault(identity.address, identity.record.name)
    series = {meeting.series_id for meeting in wanted.values()}
    pinned = set(Pin.objects.filter(series__in=series, refused=False).values_list("series_id", flat=True))
    return Context(viewer_of(user), now, users, copies, intents, names, linked, pinned, events)


def users_by_address(addresses: Collection[str]) -> dict[str, User]:
    found = {user.email: user for user in User.objects.filter(email__in=addresses)}
    for alias in Alias.objects.filter(address__in=addresses).select_related("user"):
        found[alias.address] = alias.user
    return found


def rows_of(occurrences: Sequence[Occurrence] | QuerySet[Occurrence], user: User, now: datetime) -> list[EventRow]:
    """The rows of these occurrences, in their order."""
    ids = {occurrence.meeting_id for occurrence in occurrences}
    meetings = {meeting.id: meeting for meeting in Meeting.objects.filter(id__in=ids)}
    context = context_of(meetings.values(), user, now)
    return [row_of(occurrence, meetings[occurrence.meeting_id], context) for occurrence in occurrences]


def row_of(occurrence: Occurrence, meeting: Meeting, context: Context) -> EventRow:
    event = context.event(meeting)
    facts = context.facts(meeting, event.addresses)
    seen = level(context.viewer, facts)
    owners = context.owners(meeting)
    owner = next((user for user in owners if user.id == context.viewer.id), owners[0] if owners else None)
    sign, error, conflicts = _sign(context.intents[meeting.id]) if seen is Level.DETAILS else ("", "", 0)
    busy = seen is Level.BUSY
    return EventRow(
        occurrence_id=occurrence.id,
        meeting_id=meeting.id,
        series_id=meeting.series_id,
        original_start=occurrence.original_start,
        title="Busy" if busy else event.title or "No title",
        when=_when(occurrence, event),
        starts_at=occurrence.starts_at,
        ends_at=occurrence.ends_at,
        level=seen,
        owner=owner,
        hue="slate" if busy or (meeting.private and seen is Level.DETAILS) else _hue(meeting, owner, context),
        who=_who(event, seen, owners, context),
        location=event.location if seen is Level.DETAILS else "",
        status=event.status,
        cancelled=occurrence.cancelled,
        cancelled_by=_canceller(event, seen, context) if occurrence.cancelled else "",
        past=occurrence.ends_at <= context.now,
        sign=sign,
        error=error,
        conflicts=conflicts,
        recurring=bool(occurrence.original_start),
        private=meeting.private,
        declined=_declined(event, owner, context),
        join_url=event.join_url if seen is Level.DETAILS else "",
    )


def _declined(event: Event, owner: User | None, context: Context) -> bool:
    """Whether the viewer said no to it."""
    if owner is None or owner.id != context.viewer.id:
        return False
    return any(guest.response == "declined" for guest in event.guests if guest.address in context.viewer.addresses)


def _when(occurrence: Occurrence, event: Event) -> When:
    """The time of this very occurrence, in the zone in which the event was made."""
    if occurrence.starts_on is not None and occurrence.ends_on is not None:
        return When.days(occurrence.starts_on, occurrence.ends_on)
    zone = event.when.zone if event.when else "UTC"
    return When.timed(occurrence.starts_at, occurrence.ends_at, zone or "UTC")


def _hue(meeting: Meeting, owner: User | None, context: Context) -> str:
    """Whose calendar: one's own calendars by their colour, a colleague's by theirs."""
    if owner is None:
        return "slate"
    if owner.id == context.viewer.id:
        for copy in context.copies[meeting.id]:
            if copy.calendar.account.owner_id == owner.id:
                return copy.calendar.hue
        for intent in context.intents[meeting.id]:
            return intent.calendar.hue
    return owner.hue


def _who(event: Event, seen: Level, owners: Sequence[User], context: Context) -> list[str]:
    if seen is Level.BUSY:
        return [owners[0].name] if owners else []
    known = frozenset(context.linked | context.users.keys())
    addresses = sorted(guests_seen(event, seen, known))
    mine = context.viewer.addresses
    people = ["you"] if any(user.id == context.viewer.id for user in owners) or mine & set(addresses) else []
    people += [user.name for user in owners if user.id != context.viewer.id]
    given = {guest.address: guest.name for guest in event.guests}
    for address in addresses:
        if address in mine:
            continue
        user = context.users.get(address)
        name = user.name if user else context.names.get(address) or given.get(address) or address
        if name not in people and not (user and user.id == context.viewer.id):
            people.append(name)
    return people


def _canceller(event: Event, seen: Level, context: Context) -> str:
    if seen is Level.BUSY or event.organizer is None:
        return ""
    if event.organizer.address in context.viewer.addresses:
        return "you"
    user = context.users.get(event.organizer.address)
    return user.name if user else context.names.get(event.organizer.address) or event.organizer.name


def _sign(intents: Sequence[Intent]) -> tuple[str, str, int]:
    """The worst of what its intents say: conflict, refused, waiting."""
    conflicts = sum(len(conflicts_of(intent)) for intent in intents if intent.state in LIVE)
    if conflicts:
        return "conflict", "", conflicts
    for intent in intents:
        if intent.state in (Intent.State.REFUSED, Intent.State.RESTORABLE):
            return "refused", intent.error, 0
    for intent in intents:
        if intent.state == Intent.State.OPEN:
            return "waiting", intent.error, 0
    return "", "", 0
