"""What a calendar said becomes rows: remote objects, copies, series and meetings.

Reading never writes to any calendar. Call inside `Lease.guarding`; `apply` does no I/O but the database's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

import structlog
from django.db import DataError, IntegrityError, transaction
from django.db.models import Q

from tandem.calendaring import event as canonical
from tandem.calendaring.event import Event
from tandem.calendaring.identity import SeriesKey, series_key
from tandem.calendaring.provider import RemoteItem
from tandem.calendaring.reasons import Skip, skip_reason
from tandem.calendaring.series import BadRecurrence, is_recurring, last_start
from tandem.database import bulk
from tandem.database.keys import new_id
from tandem.mailboxes.models import Calendar
from tandem.mailboxes.rights import me
from tandem.meetings import attachments, handoffs, projection
from tandem.meetings.models import Copy, Intent, Meeting, RemoteObject, Series
from tandem.team import news

log = structlog.get_logger()

CHUNK = 400
BAD_DATA = (DataError, IntegrityError, ArithmeticError, LookupError, ValueError, TypeError)
"""What one event may cause that nobody foresaw: too long, too far, no such zone. Never a reason to stop all."""


@dataclass(slots=True)
class _Batch:
    """What one page changes, gathered before it is written."""

    calendar: Calendar
    mine: frozenset[str]
    now: datetime
    objects: dict[str, RemoteObject]
    copies: dict[UUID, dict[str, Copy]]
    planned: dict[str, Series]
    events: list[tuple[RemoteObject, Event, str, Copy | None]] = field(default_factory=list)
    ended: list[Copy] = field(default_factory=list)
    touched: set[UUID] = field(default_factory=set)
    claimable: set[UUID] = field(default_factory=set)
    moved: set[tuple[UUID, UUID]] = field(default_factory=set)


def apply(calendar: Calendar, items: Sequence[RemoteItem], removed: Sequence[str], *, now: datetime) -> set[UUID]:
    """Store what was read; answer with the series it touched.

    `removed` are remote ids that the calendar no longer holds, each confirmed already. When the whole
    can't be stored it is done one by one, and the item that can't be is quarantined with its problem.
    """
    try:
        with transaction.atomic():
            return _apply(calendar, items, removed, now)
    except BAD_DATA:
        # A lone item gets its second chance too: another calendar may have stored the same meeting just now.
        log.warning("page stored one by one", calendar=str(calendar.id), items=len(items))
    touched: set[UUID] = set()
    for item in items:
        try:
            with transaction.atomic():
                touched |= _apply(calendar, [item], [], now)
        except BAD_DATA as error:
            touched |= _quarantine(calendar, item, error, now)
    for remote_id in removed:
        with transaction.atomic():
            touched |= _apply(calendar, [], [remote_id], now)
    return touched


def _quarantine(calendar: Calendar, item: RemoteItem, error: Exception, now: datetime) -> set[UUID]:
    """Keep the item with its problem; what was known of it stays. One without a storable name is passed over."""
    log.warning("event quarantined", calendar=str(calendar.id), error=type(error).__name__)
    problem = f"Something in this event can't be stored here ({type(error).__name__})."
    raw = item.raw.encode(errors="replace").decode().replace("\0", "")
    try:
        with transaction.atomic():
            return _apply(calendar, [replace(item, raw=raw, events=(), problem=problem)], [], now)
    except BAD_DATA:
        return set()


def _apply(calendar: Calendar, items: Sequence[RemoteItem], removed: Sequence[str], now: datetime) -> set[UUID]:
    batch = _load(calendar, [item.remote_id for item in items] + list(removed), now)
    changed = [item for item in items if _is_new(batch.objects.get(item.remote_id), item)]
    _store_objects(batch, changed)
    for item in changed:
        _sort_out(batch, item)
    for remote_id in removed:
        stored = batch.objects.get(remote_id)
        if stored is not None:
            batch.ended += batch.copies.get(stored.id, {}).values()
    _end_copies(batch)
    _store_copies(batch)
    gone = [batch.objects[remote_id].id for remote_id in removed if remote_id in batch.objects]
    bulk.delete(RemoteObject, gone)
    batch.touched |= attachments.carry(batch.moved | _twins(batch))
    projection.refresh(batch.touched, now=now)
    handoffs.claim(calendar, batch.claimable, now=now)
    if changed or gone:
        # Whose mailboxes hold a meeting shows on pages too, even where the meeting itself stays as it was.
        news.mark()
    return batch.touched


def recount(calendar: Calendar, *, now: datetime) -> None:
    """Decide anew which stored events count: "me" or the calendar's switch changed. Nothing is read."""
    remote_ids = list(calendar.remote_objects.filter(problem="").values_list("remote_id", flat=True))
    for at in range(0, len(remote_ids), CHUNK):
        batch = _load(calendar, remote_ids[at : at + CHUNK], now)
        by_id = {stored.id: stored for stored in batch.objects.values()}
        for object_id, copies in batch.copies.items():
            for copy in copies.values():
                event = canonical.decode(copy.content)
                batch.events.append((by_id[object_id], event, _skip(batch, event) or "", copy))
        _store_copies(batch)
        batch.touched |= attachments.carry(batch.moved)
        projection.refresh(batch.touched, now=now)


def _load(calendar: Calendar, remote_ids: Sequence[str], now: datetime) -> _Batch:
    objects: dict[str, RemoteObject] = {}
    for at in range(0, len(remote_ids), CHUNK):
        part = remote_ids[at : at + CHUNK]
        objects |= {row.remote_id: row for row in calendar.remote_objects.filter(remote_id__in=part)}
    copies: dict[UUID, dict[str, Copy]] = defaultdict(dict)
    ids = [row.id for row in objects.values()]
    for at in range(0, len(ids), CHUNK):
        for copy in Copy.objects.filter(remote_object__in=ids[at : at + CHUNK]).select_related("meeting__series"):
            copies[copy.remote_object_id][copy.recurrence_id] = copy
    return _Batch(calendar, me(calendar.account), now, objects, copies, _planned(calendar, remote_ids))


def _planned(calendar: Calendar, remote_ids: Sequence[str]) -> dict[str, Series]:
    """The series that people made here and whose event now arrives, by remote id."""
    found: dict[str, Series] = {}
    for at in range(0, len(remote_ids), CHUNK):
        rows = calendar.intents.filter(verb=Intent.Verb.CREATE, remote_id__in=remote_ids[at : at + CHUNK])
        for intent in rows.exclude(meeting=None).select_related("meeting__series"):
            assert intent.meeting is not None
            found[intent.remote_id] = intent.meeting.series
    return found


def _is_new(stored: RemoteObject | None, item: RemoteItem) -> bool:
    return stored is None or stored.etag != item.etag or stored.raw != item.raw or bool(stored.problem)


def _store_objects(batch: _Batch, items: Iterable[RemoteItem]) -> None:
    rows = []
    for item in items:
        stored = batch.objects.get(item.remote_id)
        if stored is None:
            stored = RemoteObject(id=new_id(), calendar=batch.calendar, remote_id=item.remote_id)
            batch.objects[item.remote_id] = stored
        stored.etag, stored.schedule_tag, stored.raw = item.etag, item.schedule_tag, item.raw
        stored.problem = (item.problem or _bad_rule(item.events))[:500]
        rows.append(
            (
                stored.id,
                batch.calendar.id,
                item.remote_id,
                item.etag,
                item.schedule_tag,
                item.raw,
                stored.problem,
            )
        )
    columns = ["id", "calendar_id", "remote_id", "etag", "schedule_tag", "raw", "problem"]
    bulk.upsert(RemoteObject, columns, rows, key=["id"], update=columns[3:])


def _bad_rule(events: Sequence[Event]) -> str:
    """Why the rule of a series can't be followed; such an item is quarantined, and the rest goes on."""
    for event in events:
        if is_recurring(event):
            try:
                last_start(event)
            except BadRecurrence as error:
                return str(error)
    return ""


def _sort_out(batch: _Batch, item: RemoteItem) -> None:
    """Which copies of one object stay, which came, which ended.

    An unreadable version of an event that was readable ends nothing: what was known stays shown.
    """
    stored = batch.objects[item.remote_id]
    known = batch.copies.get(stored.id, {})
    if stored.problem and (known or not item.events):
        return
    seen = set()
    for event in item.events:
        if event.recurrence_id in seen:
            continue
        seen.add(event.recurrence_id)
        skip = Skip.UNREADABLE if stored.problem else _skip(batch, event)
        batch.events.append((stored, event, skip or "", known.get(event.recurrence_id)))
    batch.ended += [copy for recurrence_id, copy in known.items() if recurrence_id not in seen]


def _skip(batch: _Batch, event: Event) -> Skip | None:
    return skip_reason(event, me=batch.mine, count_others=batch.calendar.counts_others)


def _end_copies(batch: _Batch) -> None:
    """Only the organizer's copy cancels a meeting; a guest's copy that goes away just ends."""
    cancelled: list[tuple[object, ...]] = []
    for copy in batch.ended:
        meeting = copy.meeting
        if meeting is None:
            continue
        batch.touched.add(meeting.series_id)
        event = canonical.decode(copy.content)
        own = event.organizer is None or event.organizer.address in batch.mine
        if own and meeting.authority_id == copy.id and not _held_elsewhere(meeting, copy):
            cancelled.append((meeting.id, Meeting.State.CANCELLED.value))
    bulk.delete(Copy, [copy.id for copy in batch.ended])
    bulk.update(Meeting, ["state"], cancelled)


def _held_elsewhere(meeting: Meeting, ended: Copy) -> bool:
    """Whether the same account holds the meeting in another place: it was moved, not cancelled."""
    account = ended.calendar.account_id
    return meeting.copies.filter(calendar__account=account).exclude(id=ended.id).exists()


def _twins(batch: _Batch) -> set[tuple[UUID, UUID]]:
    """The owner's own events that may have gone from one calendar of the account to another: the pairs of
    series with one UID, in both orders, for the copy may arrive before or after the tombstone.

    One without guests has its calendar in its key; one with guests has another organizer there where
    calendars invite under names of their own (Google). Different organizers are paired only where both are "me".
    """
    calendars = {str(key) for key in batch.calendar.account.calendars.values_list("id", flat=True)}
    if len(calendars) < 2:
        return set()
    held = Series.objects.exclude(uid="").filter(Q(scope__in=calendars) | Q(scope="", organizer__in=batch.mine))
    own = batch.mine | {""}
    pairs = set()
    ids = list(batch.touched)
    for at in range(0, len(ids), CHUNK):
        here = list(held.filter(id__in=ids[at : at + CHUNK]))
        others: dict[str, list[Series]] = defaultdict(list)
        for other in held.filter(uid__in={row.uid for row in here}):
            others[other.uid].append(other)
        for row in here:
            for other in others[row.uid]:
                alike = other.organizer == row.organizer or {other.organizer, row.organizer} <= own
                if alike and other.id != row.id:
                    pairs |= {(other.id, row.id), (row.id, other.id)}
    return pairs


def _store_copies(batch: _Batch) -> None:
    keys: dict[int, SeriesKey] = {}
    for index, (stored, event, skip, _) in enumerate(batch.events):
        if not skip:
            key = series_key(event, calendar_id=str(batch.calendar.id), remote_object_id=str(stored.id))
            keys[index] = _kept(key, _series_before(batch, index))
    keys = _same_series_in_one_object(batch, keys)
    _rekey(batch, keys)
    series = _series_ids(set(keys.values()))
    projection.lock(series.values())
    came = {series[key] for index, key in keys.items() if batch.events[index][3] is None}
    batch.claimable = handoffs.claimable(batch.calendar, came, now=batch.now)
    meetings = _meeting_ids(batch, keys, series)
    rows = []
    for index, (stored, event, skip, known) in enumerate(batch.events):
        series_id = series[keys[index]] if index in keys else None
        meeting_id = meetings[(series_id, event.recurrence_id)] if series_id else None
        if series_id:
            batch.touched.add(series_id)
        old = _series_before(batch, index)
        if old is not None and old.id != series_id:
            batch.touched.add(old.id)
            if series_id:
                batch.moved.add((old.id, series_id))
        copy_id = known.id if known else new_id()
        content = canonical.encode(event)
        rows.append(
            (copy_id, stored.id, batch.calendar.id, meeting_id, event.recurrence_id, content, canonical.VERSION, skip)
        )
    columns = ["id", "remote_object_id", "calendar_id", "meeting_id", "recurrence_id", "content", "version", "skip"]
    bulk.upsert(Copy, columns, rows, key=["id"], update=["meeting_id", "content", "version", "skip"])


def _kept(key: SeriesKey, old: Series | None) -> SeriesKey:
    """A meeting that lost its last guest is that meeting still: the guests' mailboxes know it by its old key."""
    if old is not None and key.scope and (old.uid, old.organizer, old.scope) == (key.uid, key.organizer, ""):
        return SeriesKey(old.uid, old.organizer, "")
    return key


def _same_series_in_one_object(batch: _Batch, keys: dict[int, SeriesKey]) -> dict[int, SeriesKey]:
    """A resource is one series: overrides whose guests or organizer differ still belong to its master."""
    masters = {
        batch.events[index][0].id: key for index, key in keys.items() if not batch.events[index][1].recurrence_id
    }
    result = {}
    for index, key in keys.items():
        master = masters.get(batch.events[index][0].id)
        result[index] = master if master is not None and master.uid == key.uid else key
    return result


def _rekey(batch: _Batch, keys: dict[int, SeriesKey]) -> None:
    """An event that got its first guest or another organizer has a new key, and is the same meeting still.

    Its series takes the new key, unless that is taken (then the copies move there) or another
    mailbox holds a copy under the old one.
    """
    for index, key in keys.items():
        stored = batch.events[index][0]
        old = _series_before(batch, index)
        if old is None or (old.uid, old.organizer, old.scope) == (key.uid, key.organizer, key.scope):
            continue
        taken = Series.objects.filter(uid=key.uid, organizer=key.organizer, scope=key.scope).exists()
        shared = Copy.objects.filter(meeting__series=old).exclude(remote_object=stored.id).exists()
        if not taken and not shared:
            old.organizer, old.scope, old.uid = key.organizer, key.scope, key.uid
            old.save(update_fields=["uid", "organizer", "scope"])


def _series_before(batch: _Batch, index: int) -> Series | None:
    """The series that an event belonged to so far: its copy's, or that of the create which it answers."""
    stored, _, _, known = batch.events[index]
    if known is not None:
        return known.meeting.series if known.meeting is not None else None
    return batch.planned.get(stored.remote_id)


def _series_ids(keys: set[SeriesKey]) -> dict[SeriesKey, UUID]:
    found: dict[SeriesKey, UUID] = {}
    uids = list({key.uid for key in keys})
    for at in range(0, len(uids), CHUNK):
        for row in Series.objects.filter(uid__in=uids[at : at + CHUNK]):
            found[SeriesKey(row.uid, row.organizer, row.scope)] = row.id
    missing = sorted(keys - found.keys(), key=lambda key: (key.uid, key.organizer, key.scope))
    if missing:
        # Another mailbox may be storing the same meeting right now: whoever comes second takes the first's row.
        rows = [(new_id(), key.uid, key.organizer, key.scope, None) for key in missing]
        columns = ["id", "uid", "organizer", "scope", "endless_until"]
        if bulk.upsert(Series, columns, rows, key=columns[1:4], update=[]) < len(rows):
            return _series_ids(keys)
        found |= {key: row[0] for key, row in zip(missing, rows, strict=True)}
    return {key: found[key] for key in keys}


def _meeting_ids(
    batch: _Batch, keys: dict[int, SeriesKey], series: dict[SeriesKey, UUID]
) -> dict[tuple[UUID | None, str], UUID]:
    wanted: dict[tuple[UUID | None, str], Event] = {}
    for index, key in keys.items():
        event = batch.events[index][1]
        wanted[(series[key], event.recurrence_id)] = event
    found: dict[tuple[UUID | None, str], UUID] = {}
    ids = list(series.values())
    for at in range(0, len(ids), CHUNK):
        for known in Meeting.objects.filter(series__in=ids[at : at + CHUNK]).only("id", "series_id", "recurrence_id"):
            found[(known.series_id, known.recurrence_id)] = known.id
    rows = []
    for slot, event in wanted.items():
        if slot not in found:
            found[slot] = new_id()
            shown = canonical.encode(event)
            row = (found[slot], *slot, None, Meeting.State.LIVE.value, shown, event.title[:1000], event.private)
            rows.append((*row, batch.now))
    columns = ["id", "series_id", "recurrence_id", "authority_id", "state", "shown", "title", "private"]
    bulk.insert(Meeting, [*columns, "updated_at"], rows)
    return found
