"""From what calendars say and people want to what pages show: meetings, occurrences, participants.

`refresh(series ids)` may be called at any time and any number of times; it writes only differences.
It is the only place that chooses authority copies and writes the derived rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import tzdata
from django.db import transaction

from tandem.calendaring import event as canonical
from tandem.calendaring.event import Event
from tandem.calendaring.plan import occurrence_of
from tandem.calendaring.series import BadRecurrence, Slot, is_recurring, last_start, occurrences
from tandem.database import bulk
from tandem.database.keys import new_id
from tandem.mailboxes.models import Account, Calendar
from tandem.mailboxes.rights import me
from tandem.meetings import linking
from tandem.meetings.models import Copy, Intent, Meeting, Occurrence, Participant, Pin, Series
from tandem.meetings.wishes import LIVE, event_of, shown
from tandem.team import news
from tandem.team.models import Company

PAST = timedelta(days=5 * 366)
AHEAD = timedelta(days=400)
ROLL_ON = timedelta(days=370)
EVER = (datetime(2, 1, 1, tzinfo=UTC), datetime(9998, 1, 1, tzinfo=UTC))
CHUNK = 400


@dataclass(slots=True)
class _Mine:
    """Whose addresses are "me" in each account, asked once."""

    known: dict[UUID, frozenset[str]] = field(default_factory=dict)

    def organizes(self, account: Account, event: Event) -> bool:
        """Whether the account's owner is the organizer, or the event is theirs for it has none."""
        if event.organizer is None or not event.organizer.address:
            return True
        if account.id not in self.known:
            self.known[account.id] = me(account)
        return event.organizer.address in self.known[account.id]


@dataclass(slots=True)
class _Loaded:
    """Everything that a refresh of some series reads, in six queries."""

    series: dict[UUID, Series]
    meetings: dict[UUID, list[Meeting]]
    copies: dict[UUID, list[Copy]]
    intents: dict[UUID, list[Intent]]
    events: dict[UUID, Event] = field(default_factory=dict)

    def event(self, copy: Copy) -> Event:
        if copy.id not in self.events:
            self.events[copy.id] = canonical.decode(copy.content)
        return self.events[copy.id]


def refresh(series_ids: Collection[UUID], *, now: datetime) -> None:
    """Bring everything derived of these series up to date, and the records they are on."""
    company_zone = Company.current().time_zone
    ids = sorted(series_ids)
    lock(ids)
    mine = _Mine()
    touched: set[str] = set()
    pinned: set[UUID] = set()
    for at in range(0, len(ids), CHUNK):
        part = ids[at : at + CHUNK]
        with transaction.atomic(savepoint=False):
            loaded = _load(part)
            slots, settled = _settle_meetings(loaded, mine, company_zone, now)
            addresses, written = _write_slots(part, slots, company_zone)
            touched |= addresses
            if settled or written:
                news.mark()
        pinned |= set(Pin.objects.filter(series__in=part).values_list("record_id", flat=True))
    linking.relink_addresses(touched, now=now)
    linking.relink(pinned, now=now)


def lock(series_ids: Iterable[UUID]) -> None:
    """Until the transaction ends nobody else works on these series: two mailboxes' copies of one meeting
    may arrive at once, and the second must see what the first stored. (SQLite has one writer anyway.)"""
    ids = sorted(series_ids)
    for at in range(0, len(ids), CHUNK):
        list(Series.objects.select_for_update().filter(id__in=ids[at : at + CHUNK]).order_by("id").values_list("id"))


def _load(ids: Sequence[UUID]) -> _Loaded:
    series = {row.id: row for row in Series.objects.filter(id__in=ids)}
    meetings: dict[UUID, list[Meeting]] = defaultdict(list)
    for meeting in Meeting.objects.filter(series__in=ids).order_by("recurrence_id"):
        meetings[meeting.series_id].append(meeting)
    copies: dict[UUID, list[Copy]] = defaultdict(list)
    calendars: dict[UUID, Calendar] = {}
    for copy in Copy.objects.filter(meeting__in=[row.id for rows in meetings.values() for row in rows]).order_by("id"):
        # Many copies, few calendars: a join would build an account and an owner for each copy.
        if copy.calendar_id not in calendars:
            calendars[copy.calendar_id] = Calendar.objects.select_related("account__owner").get(id=copy.calendar_id)
        copy.calendar = calendars[copy.calendar_id]
        assert copy.meeting_id is not None
        copies[copy.meeting_id].append(copy)
    intents: dict[UUID, list[Intent]] = defaultdict(list)
    wanted = (*LIVE, Intent.State.REFUSED)
    for intent in Intent.objects.filter(meeting__series__in=ids, state__in=wanted).order_by("created_at", "id"):
        assert intent.meeting_id is not None
        intents[intent.meeting_id].append(intent)
    return _Loaded(series, meetings, copies, intents)


SlotOf = tuple[Slot, Meeting]


def _settle_meetings(loaded: _Loaded, mine: _Mine, zone: str, now: datetime) -> tuple[dict[UUID, list[SlotOf]], int]:
    """Choose authorities, write what changed of the meetings, and say when each series takes place.

    Answers with that, and with how many meetings changed.
    """
    changed: list[tuple[object, ...]] = []
    rolls: list[tuple[object, ...]] = []
    slots: dict[UUID, list[SlotOf]] = {}
    for series_id, meetings in loaded.meetings.items():
        events: dict[UUID, Event] = {}
        master_object: UUID | None = None
        for meeting in meetings:
            row, event = _settle(meeting, loaded, mine, events, meetings, master_object)
            if event is not None:
                events[meeting.id] = event
            if not meeting.recurrence_id and meeting.authority_id:
                master_object = _object_of(meeting, loaded)
            if row is not None:
                changed.append(row)
        slots[series_id], until = _slots(meetings, events, loaded, master_object, zone, now)
        if loaded.series[series_id].endless_until != until:
            rolls.append((series_id, until))
    bulk.update(Meeting, ["authority_id", "state", "shown", "title", "private"], changed)
    bulk.update(Series, ["endless_until"], rolls)
    return slots, len(changed)


def _settle(
    meeting: Meeting,
    loaded: _Loaded,
    mine: _Mine,
    events: dict[UUID, Event],
    siblings: Sequence[Meeting],
    master_object: UUID | None,
) -> tuple[tuple[object, ...] | None, Event | None]:
    """The new row of one meeting (None when nothing changed) and the event it shows."""
    before = (meeting.authority_id, meeting.state, meeting.shown, meeting.title, meeting.private)
    copies = loaded.copies.get(meeting.id, [])
    intents = loaded.intents.get(meeting.id, [])
    authority = _authority(meeting, copies, loaded, mine, master_object)
    meeting.authority_id = authority.id if authority else None
    event = loaded.event(authority) if authority else _unheld(meeting, intents, events, siblings)
    if authority:
        account = authority.calendar.account
        if meeting.state != Meeting.State.CANCELLED or mine.organizes(account, loaded.event(authority)):
            meeting.state = Meeting.State.LIVE
    elif event is not None:
        meeting.state = Meeting.State.LIVE
    elif meeting.state == Meeting.State.LIVE:
        meeting.state = Meeting.State.UNSEEN
    if event is not None:
        event = shown(event, intents)
        meeting.shown = canonical.encode(event)
        meeting.title = event.title[:1000]
        meeting.private = event.private
    after = (meeting.authority_id, meeting.state, meeting.shown, meeting.title, meeting.private)
    return (None if after == before else (meeting.id, *after)), event


def _authority(
    meeting: Meeting, copies: Sequence[Copy], loaded: _Loaded, mine: _Mine, master_object: UUID | None
) -> Copy | None:
    """The organizer's copy when its account is connected, else the one it was, else the first seen.

    An override follows its master: the copy in the same remote object speaks for it, and where that
    has none, another mailbox's is out of date and nobody's.
    """
    if not copies:
        return None
    if meeting.recurrence_id and master_object is not None:
        return next((copy for copy in copies if copy.remote_object_id == master_object), None)
    organizers = [copy for copy in copies if mine.organizes(copy.calendar.account, loaded.event(copy))]
    candidates = organizers or copies
    for copy in candidates:
        if copy.id == meeting.authority_id:
            return copy
    return candidates[0]


def _object_of(meeting: Meeting, loaded: _Loaded) -> UUID | None:
    for copy in loaded.copies.get(meeting.id, []):
        if copy.id == meeting.authority_id:
            return copy.remote_object_id
    return None


def _unheld(
    meeting: Meeting, intents: Sequence[Intent], events: dict[UUID, Event], siblings: Sequence[Meeting]
) -> Event | None:
    """What a meeting says that no calendar holds (yet): a create, or an edit of a series' occurrence."""
    for intent in intents:
        if intent.verb == Intent.Verb.CREATE:
            return event_of(intent)
    if meeting.recurrence_id and any(intent.state in LIVE for intent in intents):
        master = next((other for other in siblings if not other.recurrence_id), None)
        if master is not None and master.id in events:
            return occurrence_of(events[master.id], meeting.recurrence_id)
    return None


def _slots(
    meetings: Sequence[Meeting],
    events: dict[UUID, Event],
    loaded: _Loaded,
    master_object: UUID | None,
    zone: str,
    now: datetime,
) -> tuple[list[SlotOf], datetime | None]:
    """When the series takes place, and until when that is worked out (None: to its end)."""
    master = next((meeting for meeting in meetings if not meeting.recurrence_id), None)
    overrides: dict[str, Event] = {}
    by_slot: dict[str, Meeting] = {}
    for meeting in meetings:
        if not meeting.recurrence_id or meeting.id not in events:
            continue
        pending = any(intent.state in LIVE for intent in loaded.intents.get(meeting.id, ()))
        if master_object is None or pending or _object_of(meeting, loaded) == master_object:
            overrides[meeting.recurrence_id] = events[meeting.id]
            by_slot[meeting.recurrence_id] = meeting
    event = events.get(master.id) if master else None
    start, end = now - PAST, now + AHEAD
    until = None
    try:
        if event is not None and is_recurring(event):
            last = last_start(event)
            until = end if last is None or last >= end else None
        else:
            start, end = EVER
        found = occurrences(event, overrides, start=start, end=end, company_zone=zone)
    except BadRecurrence:
        # The reader quarantines such events; one that a person is typing has no slots until it is mended.
        return [], None
    result = []
    for slot in found:
        held_by = by_slot.get(slot.original_start) or master
        if held_by is not None:
            result.append((slot, held_by))
    return result, until


def _write_slots(series_ids: Sequence[UUID], slots: dict[UUID, list[SlotOf]], zone: str) -> tuple[set[str], int]:
    """Make occurrences and participants equal to `slots`; answer with every address concerned, and with
    how many rows that took."""
    over = set(
        Meeting.objects.filter(series__in=series_ids, recurrence_id="", state=Meeting.State.CANCELLED).values_list(
            "series_id", flat=True
        )
    )
    stored = {(row.series_id, row.original_start): row for row in Occurrence.objects.filter(series__in=series_ids)}
    people: dict[UUID, dict[str, UUID]] = defaultdict(dict)
    if stored:
        rows = Participant.objects.filter(occurrence__series__in=series_ids)
        for occurrence_id, address, row_id in rows.values_list("occurrence_id", "address", "id"):
            people[occurrence_id][address] = row_id
    occurrence_rows: list[tuple[object, ...]] = []
    participant_rows: list[tuple[object, ...]] = []
    lost: list[UUID] = []
    touched = {address for known in people.values() for address in known}
    for series_id, found in slots.items():
        for slot, meeting in found:
            old = stored.pop((series_id, slot.original_start), None)
            occurrence_id = old.id if old else new_id()
            row = _row(occurrence_id, series_id, slot, meeting, zone, over=series_id in over)
            if old is None or _differs(old, row):
                occurrence_rows.append(row)
            addresses = _attending(slot.event)
            touched |= addresses
            known = people.get(occurrence_id, {})
            lost += [known[address] for address in known.keys() - addresses]
            moved = old is None or old.starts_at != row[4]
            participant_rows += [
                (known.get(address) or new_id(), address, row[4], occurrence_id)
                for address in sorted(addresses)
                if moved or address not in known
            ]
    lost += [row_id for row in stored.values() for row_id in people.get(row.id, {}).values()]
    bulk.delete(Participant, lost)
    bulk.delete(Occurrence, [row.id for row in stored.values()])
    when = ["starts_at", "ends_at", "starts_on", "ends_on", "cancelled"]
    columns = ["id", "series_id", "meeting_id", "original_start", *when]
    bulk.upsert(Occurrence, columns, occurrence_rows, key=["id"], update=columns[1:])
    columns = ["id", "address", "starts_at", "occurrence_id"]
    bulk.upsert(Participant, columns, participant_rows, key=["id"], update=["starts_at"])
    return touched, len(lost) + len(stored) + len(occurrence_rows) + len(participant_rows)


def _row(
    occurrence_id: UUID, series_id: UUID, slot: Slot, meeting: Meeting, zone: str, *, over: bool
) -> tuple[object, ...]:
    """`over`: the series was cancelled as a whole, whatever a guest's copy says of one occurrence."""
    when = slot.when
    first: date | None = when.first_day if when.all_day else None
    end: date | None = when.end_day if when.all_day else None
    cancelled = over or slot.cancelled or slot.event.status == "cancelled" or meeting.state == Meeting.State.CANCELLED
    starts_at, ends_at = when.starts_at(zone), when.ends_at(zone)
    return (occurrence_id, series_id, meeting.id, slot.original_start, starts_at, ends_at, first, end, cancelled)


def _differs(old: Occurrence, row: tuple[object, ...]) -> bool:
    stored = (old.meeting_id, old.original_start, old.starts_at, old.ends_at, old.starts_on, old.ends_on, old.cancelled)
    return stored != row[2:]


def _attending(event: Event) -> frozenset[str]:
    """Whose records the occurrence is on: guests and the organizer, but no rooms and resources."""
    rooms = {guest.address for guest in event.guests if guest.resource}
    return frozenset(address for address in event.addresses - rooms if address and len(address) <= 254)


def rebuild_if_needed(*, now: datetime) -> int:
    """Work out every series anew when the time zone data or the company's zone is another than before.

    Answers how many series were touched. Interrupted, it starts again; only differences are written.
    """
    company = Company.current()
    made_with = f"{tzdata.IANA_VERSION} {company.time_zone}"
    if company.projected_with == made_with:
        return 0
    ids = list(Series.objects.values_list("id", flat=True))
    for at in range(0, len(ids), CHUNK):
        with transaction.atomic():
            refresh(ids[at : at + CHUNK], now=now)
    Company.objects.filter(id=company.id).update(projected_with=made_with)
    return len(ids)


def roll_on(*, now: datetime, limit: int = 2000) -> int:
    """Project series that go on further ahead; called daily. Answers how many were touched."""
    due: Iterable[UUID] = Series.objects.filter(endless_until__lt=now + ROLL_ON).values_list("id", flat=True)[:limit]
    ids = list(due)
    with transaction.atomic():
        refresh(ids, now=now)
    return len(ids)
