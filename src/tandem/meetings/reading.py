"""What pages read of meetings: a record's section, the calendar, one meeting, search.

Every function takes the viewer and asks `visibility` before anything leaves here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q

from tandem.calendaring import event as canonical
from tandem.calendaring import horizon
from tandem.calendaring.event import Event
from tandem.calendaring.plan import occurrence_of
from tandem.crm.models import Record
from tandem.mailboxes.models import Account, Calendar
from tandem.mailboxes.rights import me, refusal
from tandem.meetings import linking
from tandem.meetings import rows as event_rows
from tandem.meetings.models import Copy, Intent, Meeting, Occurrence, Participant
from tandem.meetings.rows import SHOWING, EventRow, context_of, row_of, rows_of, viewer_of
from tandem.meetings.visibility import Hidden, Level, Viewer
from tandem.team.models import Company, User

UPCOMING, PAST = 50, 5


@dataclass(frozen=True, slots=True)
class Section:
    """The Calendar events of a record. `later` counts what lies beyond the horizon, a series once."""

    upcoming: list[EventRow]
    past: list[EventRow]
    earlier: int
    later: int
    later_first_appears: date | None
    later_first_starts: datetime | None
    addresses: bool


def section(record: Record, user: User, now: datetime, *, past_limit: int = PAST) -> Section:
    """Upcoming and past meetings of `record` as `user` may see them, up to the horizon."""
    company = Company.current()
    found = linking.occurrences_of(record).filter(meeting__state__in=["live", "cancelled"])
    found = found.filter(_may_know(viewer_of(user)))
    bound = horizon.bound(now, company.horizon_hours)
    upcoming = found.filter(ends_at__gt=now, starts_at__lt=bound).order_by("starts_at", "id")[:UPCOMING]
    before = found.filter(ends_at__lte=now)
    past = before.order_by("-starts_at", "id")[:past_limit]
    ahead = found.filter(starts_at__gte=bound, cancelled=False)
    later = ahead.values("series_id").distinct().count()
    first = ahead.order_by("starts_at").values_list("starts_at", flat=True).first()
    rows = [_without(record, row) for row in rows_of([*upcoming, *past], user, now)]
    split = len(upcoming)
    appears = horizon.enters_at(first, company.horizon_hours) if first else None
    return Section(
        upcoming=rows[:split],
        past=rows[split:],
        earlier=max(0, before.count() - len(past)),
        later=later,
        later_first_appears=appears.astimezone(ZoneInfo(user.time_zone)).date() if appears else None,
        later_first_starts=first,
        addresses=bool(linking.addresses_of(record)),
    )


def _without(record: Record, row: EventRow) -> EventRow:
    """On a person's own page the row names the others."""
    others = [name for name in row.who if name != record.name]
    return row if len(others) == len(row.who) else replace(row, who=others)


def _may_know(viewer: Viewer) -> Q:
    """On a record, what would only be "busy" is absent: its presence there would tell with whom it is."""
    mine = Copy.objects.filter(calendar__account__owner=viewer.id, skip="").values("meeting_id")
    invited = Participant.objects.filter(address__in=viewer.addresses).values("occurrence_id")
    return Q(meeting__private=False) | Q(meeting__in=mine) | Q(id__in=invited)


def agenda(user: User, start: datetime, end: datetime, *, team: bool, now: datetime) -> list[EventRow]:
    """Every occurrence that overlaps [start, end): one's own, or the whole team's as one may see it."""
    found = Occurrence.objects.filter(starts_at__lt=end, ends_at__gt=start, meeting__state__in=["live", "cancelled"])
    if not team:
        viewer = viewer_of(user)
        mine = Copy.objects.filter(calendar__account__owner=user, skip="").values("meeting_id")
        pending = Intent.objects.filter(calendar__account__owner=user, state__in=SHOWING).values("meeting_id")
        invited = Participant.objects.filter(address__in=viewer.addresses, starts_at__lt=end).values("occurrence_id")
        found = found.filter(Q(meeting__in=mine) | Q(meeting__in=pending) | Q(id__in=invited))
    return rows_of(list(found.order_by("starts_at", "ends_at", "id")[:1000]), user, now)


def search(user: User, text: str, now: datetime, limit: int = 20) -> list[EventRow]:
    """Meetings whose title has `text`, that the viewer may know of, the nearest in time first."""
    words = text.strip()
    if not words:
        return []
    found = Occurrence.objects.filter(
        _may_know(viewer_of(user)), meeting__title__icontains=words, meeting__state__in=["live", "cancelled"]
    )
    ahead = list(found.filter(ends_at__gt=now).order_by("starts_at")[: limit * 3])
    behind = list(found.filter(ends_at__lte=now).order_by("-starts_at")[: limit * 3])
    rows = [row for row in rows_of([*ahead, *behind], user, now) if row.level is not Level.BUSY]
    seen: set[UUID] = set()
    unique: list[EventRow] = []
    for row in rows:
        if row.series_id not in seen:
            seen.add(row.series_id)
            unique.append(row)
    return unique[:limit]


def occurrence_event(meeting: Meeting, original_start: str) -> Event | None:
    """What is shown at one slot of a meeting: the event itself, or a series' occurrence there."""
    event = canonical.decode(meeting.shown)
    if not original_start or event.recurrence_id == original_start:
        return event
    return occurrence_of(event, original_start)


@dataclass(frozen=True, slots=True)
class GuestRow:
    """A guest of a meeting, and the record or user behind the address."""

    address: str
    name: str
    response: str
    optional: bool
    record: Record | None
    is_user: bool
    is_you: bool


@dataclass(frozen=True, slots=True)
class Detail:
    """A meeting, opened. `why_not` says in words why it may not be edited; empty when it may.

    `calendar` is where an edit would be written: the authority copy's, or where a new one waits to go.
    `shows_on` is the day on which a meeting beyond the horizon appears on its records.
    """

    row: EventRow
    meeting: Meeting
    event: Event
    calendar: Calendar | None
    account: Account | None
    organizer_name: str
    guests: list[GuestRow]
    records: list[Record]
    why_not: str
    editable_fields: frozenset[str]
    changes: list[Intent]
    shows_on: date | None

    @property
    def may_edit(self) -> bool:
        return not self.why_not

    @property
    def later(self) -> bool:
        return self.shows_on is not None


FIELDS = ("title", "when", "location", "description", "recurrence", "visibility", "guests", "status")


def detail(meeting_id: UUID, original_start: str, user: User, now: datetime) -> Detail:
    """One meeting at one slot, opened by `user`.

    Raises `Hidden` with words when the viewer may not open it, `Occurrence.DoesNotExist` when there is none.
    """
    named = Meeting.objects.filter(id=meeting_id).first()
    found = Occurrence.objects.select_related("meeting")
    if named is None:
        raise Occurrence.DoesNotExist
    occurrence = found.get(series=named.series_id, original_start=original_start)
    meeting = occurrence.meeting
    context = context_of([meeting], user, now)
    row = row_of(occurrence, meeting, context)
    if row.level is not Level.DETAILS:
        raise Hidden(_why_hidden(row), row.level)
    event = occurrence_event(meeting, original_start) or context.event(meeting)
    calendar = writing_calendar(meeting)
    company = Company.current()
    far = not horizon.within(occurrence.starts_at, now, company.horizon_hours)
    appears = horizon.enters_at(occurrence.starts_at, company.horizon_hours).astimezone(ZoneInfo(user.time_zone))
    why_not = why_not_editable(calendar, event, user)
    return Detail(
        row=row,
        meeting=meeting,
        event=event,
        calendar=calendar,
        account=calendar.account if calendar else None,
        organizer_name=_organizer_name(event, context),
        guests=_guest_rows(event, user, context),
        records=linking.records_of(occurrence, event.addresses),
        why_not=why_not,
        editable_fields=frozenset() if why_not else frozenset(FIELDS),
        changes=context.intents[meeting.id],
        shows_on=appears.date() if far else None,
    )


def _why_hidden(row: EventRow) -> str:
    whose = f"{row.owner.name.split()[0]}’s meeting" if row.owner else "a colleague’s meeting"
    if row.level is Level.BUSY:
        return f"This is {whose}, and it is private. You see only when it is."
    return f"This is {whose}. You see when it is and who from your records is there."


def _organizer_name(event: Event, context: event_rows.Context) -> str:
    if event.organizer is None:
        return ""
    user = context.users.get(event.organizer.address)
    if user is not None:
        return user.name
    return context.names.get(event.organizer.address) or event.organizer.name or event.organizer.address


def _guest_rows(event: Event, user: User, context: event_rows.Context) -> list[GuestRow]:
    records = linking.people_by_address([guest.address for guest in event.guests])
    rows = []
    for guest in event.guests:
        colleague = context.users.get(guest.address)
        record = None if colleague else records.get(guest.address)
        name = colleague.name if colleague else record.name if record else guest.name or guest.address
        you = colleague is not None and colleague.id == user.id
        rows.append(GuestRow(guest.address, name, guest.response, guest.optional, record, colleague is not None, you))
    return rows


def writing_calendar(meeting: Meeting) -> Calendar | None:
    """Where an edit of this meeting is written: the authority copy's calendar, or a waiting create's.

    An occurrence without a copy of its own is written where its series' master is.
    """
    if meeting.authority_id:
        copy = Copy.objects.select_related("calendar__account__owner").filter(id=meeting.authority_id).first()
        if copy is not None:
            return copy.calendar
    if meeting.recurrence_id:
        master = Meeting.objects.filter(series=meeting.series_id, recurrence_id="").first()
        if master is not None:
            return writing_calendar(master)
    intent = meeting.intents.filter(verb=Intent.Verb.CREATE, state__in=SHOWING)
    waiting = intent.select_related("calendar__account__owner").first()
    return waiting.calendar if waiting else None


def why_not_editable(calendar: Calendar | None, event: Event, user: User) -> str:
    """Why `user` may not change this meeting, in words; empty when they may."""
    if not user.may_edit:
        return "Your role is read-only, so meetings can't be changed."
    if calendar is None:
        return "No connected calendar holds this meeting any more."
    owner = calendar.account.owner
    if owner.id != user.id:
        return f"{owner.name} organizes this meeting, so only {owner.name.split()[0]} can change it."
    if calendar.account.state == "disconnected":
        return f"{calendar.account.name} is disconnected. Connect it again to change this meeting."
    return refusal(calendar, event, me(calendar.account), "title")
