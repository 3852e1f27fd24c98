"""Out: open intents become conditional writes, and the answers become rows.

An attempt is noted before its request goes out, so that after a crash the object is read before
anything is written again. A write that met a changed object (412), or whose answer was lost, is
planned anew from what the calendar says now.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Max, Min, Q

from tandem.calendaring import fields
from tandem.calendaring.event import Event
from tandem.calendaring.plan import (
    Action,
    Confirm,
    Conflict,
    Create,
    Delete,
    Refuse,
    Restorable,
    Update,
    Wish,
    Write,
    event_at,
    plan,
)
from tandem.calendaring.provider import (
    AnswerLost,
    Changed,
    NotFound,
    Provider,
    Refused,
    RemoteItem,
    RemovedSince,
    TryLater,
)
from tandem.database import bulk
from tandem.invitations import ledger
from tandem.mailboxes.lease import Clock, Lease
from tandem.mailboxes.models import Calendar, Sender
from tandem.mailboxes.rights import me, rights
from tandem.meetings import projection
from tandem.meetings.models import Copy, Intent, RemoteObject
from tandem.meetings.verbs import NEW
from tandem.meetings.wishes import changes_of, conflicts_of, dump, event_of, wish_of
from tandem.sync import due as requests
from tandem.sync import waiting
from tandem.sync.apply import apply
from tandem.sync.reading import stored_item
from tandem.team import news
from tandem.team.models import Company

ROUNDS = 4
WRITES_A_MINUTE = 60
BACKOFF = (5, 20, 60, 180, 600, 1800)

Remote = Mapping[str, Event]


@dataclass(frozen=True, slots=True)
class _Work:
    """What every step of delivering to one calendar needs."""

    calendar: Calendar
    provider: Provider
    lease: Lease
    clock: Clock
    mine: frozenset[str]


def due(calendar: Calendar, now: datetime) -> list[str]:
    """The remote ids with intents to deliver now, oldest first.

    None while writing is held, and none in a calendar that its owner switched off: its edits wait.
    """
    if Company.current().writing_held or calendar.held or not calendar.is_read:
        return []
    rows = (
        Intent.objects.filter(calendar=calendar, state=Intent.State.OPEN)
        .values("remote_id")
        .annotate(oldest=Min("created_at"), until=Max("next_try_at"))
        .filter(Q(until=None) | Q(until__lte=now))
        .order_by("oldest")
    )
    return [row["remote_id"] for row in rows]


def deliver_intents(calendar: Calendar, provider: Provider, *, lease: Lease, clock: Clock) -> int:
    """Deliver what is due; the number of remote objects seen to.

    Raises `ReconnectNeeded` and `LeaseLost`; everything else stands on the intent that met it.
    """
    work: _Work | None = None
    seen = 0
    for remote_id in due(calendar, clock()):
        if _too_many_writes(calendar, lease, clock()):
            break
        work = work or _Work(calendar, provider, lease, clock, me(calendar.account))
        _deliver(work, remote_id)
        seen += 1
    return seen


def _too_many_writes(calendar: Calendar, lease: Lease, now: datetime) -> bool:
    """The brake: a loop or a script gone wrong stops here until a person says go on."""
    recent = Intent.objects.filter(
        calendar__account=calendar.account_id, settled_at__gt=now - timedelta(minutes=1), state=Intent.State.CONFIRMED
    ).count()
    if recent < WRITES_A_MINUTE:
        return False
    calendar.held = f"{recent} events were written within a minute. Tandem stopped so that you can look first."
    with lease.guarding():
        calendar.save(update_fields=["held"])
    return True


def _deliver(work: _Work, remote_id: str) -> None:
    """See to one remote object: plan, write on condition, read back; again when it changed meanwhile."""
    if remote_id.startswith(NEW):
        remote_id = _name(work, remote_id)
    for attempt in range(ROUNDS):
        intents = waiting.opened(work.calendar, remote_id)
        if not intents:
            return
        try:
            if attempt or waiting.is_uncertain(work.calendar, remote_id, intents):
                _read_again(work, remote_id)
            _attempt(work, remote_id)
            return
        except (Changed, AnswerLost, NotFound) as error:
            last = error.words
        except TryLater as error:
            _later(work, intents, error.words, error.retry_after)
            return
        except RemovedSince as error:
            _give_back(work, remote_id, error.words)
            return
        except Refused as error:
            _refuse(work, remote_id, error.words)
            return
    _later(work, intents, last, None)


def _refuse(work: _Work, remote_id: str, words: str) -> None:
    """What was to be written is refused. What was settled beside it (a conflict, say) stays as it is."""
    with work.lease.guarding():
        intents = waiting.opened(work.calendar, remote_id)
        for intent in intents:
            _settle(work, intent, Intent.State.REFUSED, error=words)
        projection.refresh(_series_of(intents), now=work.clock())


def _give_back(work: _Work, remote_id: str, words: str) -> None:
    """A new event arrived, unheard of by us, and somebody removed it: its author may bring it back.

    Guests who were to be told of it were told when it arrived.
    """
    with work.lease.guarding():
        intents = waiting.opened(work.calendar, remote_id)
        for intent in intents:
            if intent.verb == Intent.Verb.CREATE:
                _tell(intent, {}, None, event_of(intent), work.clock())
            settled = Intent.State.CONFIRMED if intent.verb == Intent.Verb.CANCEL else Intent.State.RESTORABLE
            _settle(work, intent, settled, error=words)
        projection.refresh(_series_of(intents), now=work.clock())


def _name(work: _Work, provisional: str) -> str:
    """Give a new event the remote id under which it is created, before anything is sent."""
    remote_id = work.provider.new_remote_id(work.calendar.remote_id, provisional.removeprefix(NEW))
    with work.lease.guarding():
        Intent.objects.filter(calendar=work.calendar, remote_id=provisional).update(remote_id=remote_id)
    return remote_id


def _read_again(work: _Work, remote_id: str) -> None:
    """What the calendar says of this object right now becomes what is stored."""
    item = work.provider.read(work.calendar.remote_id, remote_id)
    with work.lease.guarding():
        apply(work.calendar, [item] if item else [], [] if item else [remote_id], now=work.clock())


def _attempt(work: _Work, remote_id: str) -> None:
    """One round: plan, settle what needs no writing, write the rest, and store what the calendar then says."""
    stored = RemoteObject.objects.filter(calendar=work.calendar, remote_id=remote_id).first()
    if stored is not None and stored.problem:
        # What is known of it is an older version, which a person's `was` must not be compared with.
        raise Refused(f"The calendar's newest version of this event can't be read: {stored.problem}")
    base = stored_item(stored) if stored else None
    remote: Remote | None = {event.recurrence_id: event for event in base.events} if base else None
    with work.lease.guarding():
        write = _plan_and_settle(work, remote_id, remote)
    if write is None:
        return
    item = _send(work, remote_id, write, base)
    with work.lease.guarding():
        apply(work.calendar, [item] if item else [], [] if item else [remote_id], now=work.clock())
        _confirm_written(work, write, remote, item)


def _plan_and_settle(work: _Work, remote_id: str, remote: Remote | None) -> Write | None:
    """Carry out what writes nothing; note the attempt at what does, and answer with it."""
    intents = waiting.locked(work.calendar, remote_id)
    if remote is None:
        intents = [intent for intent in intents if not _follow(work, intent, intents)]
        if _may_be_elsewhere(work, intents):
            waiting.put_off(intents, work.clock())
            return None
    master = next(iter(remote.values()), None) if remote else None
    may = rights(work.calendar, master, work.mine)
    actions = plan(
        remote, [wish_of(intent) for intent in intents], may, undecided=waiting.undecided(work.calendar, remote_id)
    )
    by_id = {str(intent.id): intent for intent in intents}
    unheard = waiting.never_created(work.calendar, remote_id)
    # A create that turns out to have arrived took later edits along, and tells of what came of it all.
    arrived = any(isinstance(action, Confirm) and action.wish.verb == "create" for action in actions)
    for action in actions:
        if not isinstance(action, Write):
            _carry_out(work, action, by_id, remote, unheard=unheard, arrived=arrived)
    write = actions[-1] if actions and isinstance(actions[-1], Write) else None
    if write is not None:
        _note_attempt([by_id[wish.id] for wish in write.wishes], work.clock())
    else:
        waiting.put_off([intent for intent in intents if intent.state == Intent.State.OPEN], work.clock())
    projection.refresh(_series_of(intents), now=work.clock())
    return write


def _follow(work: _Work, intent: Intent, intents: Sequence[Intent]) -> bool:
    """Whether the meeting went to another calendar of the account: then the edit goes after it."""
    if intent.meeting is None or any(other.verb == Intent.Verb.CREATE for other in intents):
        return False
    copies = Copy.objects.filter(
        meeting__series=intent.meeting.series_id,
        recurrence_id__in=["", intent.recurrence_id],
        calendar__account=work.calendar.account_id,
        calendar__is_read=True,
    )
    held = copies.exclude(calendar=work.calendar, remote_object__remote_id=intent.remote_id)
    copy = held.select_related("remote_object").order_by("recurrence_id").first()
    if copy is None:
        return False
    intent.calendar_id, intent.remote_id, intent.sent_at = copy.calendar_id, copy.remote_object.remote_id, None
    intent.save(update_fields=["calendar", "remote_id", "sent_at"])
    requests.request([copy.calendar_id])
    return True


def _may_be_elsewhere(work: _Work, intents: Sequence[Intent]) -> bool:
    """Whether what is gone from here may have been moved to another calendar of the account, and not been read there.

    Then nothing is said of these intents until the others have been looked at. One that fails or is stopped
    keeps nobody waiting.
    """
    if not intents or any(intent.verb == Intent.Verb.CREATE for intent in intents):
        return False
    now = work.clock()
    since = min((intent.missing_since for intent in intents if intent.missing_since), default=now)
    for intent in intents:
        if intent.missing_since is None:
            intent.missing_since = since
            intent.save(update_fields=["missing_since"])
    others = Calendar.objects.filter(account=work.calendar.account_id, is_read=True, gone=False, held="", error="")
    unread = others.exclude(id=work.calendar.id).exclude(last_success_at__gt=since)
    late = list(unread.values_list("id", flat=True))
    requests.request(late)
    return bool(late)


def _confirm_written(work: _Work, write: Write, remote: Remote | None, item: RemoteItem | None) -> None:
    """The write arrived. The intents are read anew, for a person may have decided about them meanwhile."""
    after = {event.recurrence_id: event for event in item.events} if item else None
    rows = Intent.objects.select_for_update(of=("self",)).filter(id__in=[wish.id for wish in write.wishes])
    by_id = {str(intent.id): intent for intent in rows.select_related("author", "meeting")}
    for wish in write.wishes:
        # What a create carried along is told with the create; what a delete swept away, not at all.
        carried = isinstance(write, Create | Delete) and wish is not write.wishes[0]
        written = None if wish.verb != "change" else _written(write, wish)
        _confirm(work, by_id[wish.id], remote, after, written, tell=not carried)
    projection.refresh(_series_of(list(by_id.values())), now=work.clock())


def _written(write: Write, wish: Wish) -> frozenset[str]:
    """The fields of a change that went out. What its author decided since then is another matter."""
    if isinstance(write, Update) and write.edit.get(wish.recurrence_id, {}).get("status") != "cancelled":
        return frozenset(wish.changes.keys() & write.edit.get(wish.recurrence_id, {}).keys())
    return frozenset(wish.changes)


def _series_of(intents: Sequence[Intent]) -> set[UUID]:
    return {intent.meeting.series_id for intent in intents if intent.meeting}


def _note_attempt(intents: Sequence[Intent], now: datetime) -> None:
    for intent in intents:
        intent.sent_at, intent.attempts = now, intent.attempts + 1
        intent.save(update_fields=["sent_at", "attempts"])


def _send(work: _Work, remote_id: str, write: Write, base: RemoteItem | None) -> RemoteItem | None:
    """The one place where anything is written to a calendar."""
    calendar = work.calendar.remote_id
    silent = work.calendar.account.invitations_by != Sender.SERVER or not write.tell
    if isinstance(write, Create):
        return work.provider.create(calendar, remote_id, write.events, silent=silent).item
    assert base is not None
    if isinstance(write, Update):
        return work.provider.update(calendar, base, write.edit, silent=silent, now=work.clock()).item
    assert isinstance(write, Delete)
    work.provider.delete(calendar, base, silent=silent)
    return None


def _carry_out(
    work: _Work, action: Action, by_id: Mapping[str, Intent], remote: Remote | None, *, unheard: bool, arrived: bool
) -> None:
    """The actions that write nothing to the calendar."""
    if isinstance(action, Confirm):
        intent = by_id[action.wish.id]
        # What was so before we sent anything was not our doing, and is not ours to tell.
        ours = intent.verb != Intent.Verb.CHANGE or (intent.sent_at is not None and not arrived)
        tell = ours and (remote is not None or not unheard)
        _confirm(work, intent, None, remote, action.fields, tell=tell)
    elif isinstance(action, Conflict):
        intent = by_id[action.wish.id]
        intent.conflicts = dump({**conflicts_of(intent), **action.theirs})
        intent.save(update_fields=["conflicts"])
        news.mark()
        if not _unsettled(intent):
            _settle(work, intent, Intent.State.CONFLICT)
    elif isinstance(action, Refuse):
        _settle(work, by_id[action.wish.id], Intent.State.REFUSED, error=action.words)
    elif isinstance(action, Restorable):
        words = "The meeting was cancelled in the calendar before this edit arrived there."
        _settle(work, by_id[action.wish.id], Intent.State.RESTORABLE, error=words)


def _confirm(
    work: _Work,
    intent: Intent,
    before: Remote | None,
    after: Remote | None,
    confirmed: frozenset[str] | None,
    *,
    tell: bool = True,
) -> None:
    """The calendar holds these fields of the intent (all without a conflict when `confirmed` is None)."""
    changes, conflicts = changes_of(intent), conflicts_of(intent)
    done = {name: change for name, change in changes.items() if name not in conflicts}
    if confirmed is not None:
        done = {name: change for name, change in done.items() if name in confirmed}
    now_event = event_at(after, intent.recurrence_id) if after is not None else None
    if tell:
        _tell(intent, done, before, now_event, work.clock())
    intent.changes = dump({name: change for name, change in changes.items() if name not in done})
    intent.save(update_fields=["changes"])
    if intent.verb != Intent.Verb.CHANGE or not _unsettled(intent):
        _settle(work, intent, Intent.State.CONFLICT if conflicts else Intent.State.CONFIRMED)


def _tell(
    intent: Intent, done: Mapping[str, fields.Change], before: Remote | None, after: Event | None, now: datetime
) -> None:
    """Hand what reached the calendar to the ledger, which knows whom to tell and whether to."""
    if intent.verb == Intent.Verb.CREATE:
        ledger.record(intent, before=None, after=after, now=now)
    elif intent.verb == Intent.Verb.CANCEL:
        was = event_at(before, intent.recurrence_id) if before is not None else _as_heard(intent)
        ledger.record(intent, before=was, after=None, now=now)
    elif after is not None and done:
        was = after
        for name, (value, _) in done.items():
            was = fields.field(name).write(was, value)
        ledger.record(intent, before=was, after=after, now=now)


def _as_heard(intent: Intent) -> Event | None:
    """What the author of a cancel saw, less the guests whose invitation never reached the calendar."""
    event = event_of(intent)
    beside = Intent.objects.filter(calendar=intent.calendar_id, remote_id=intent.remote_id, verb=Intent.Verb.CHANGE)
    for other in beside.exclude(state=Intent.State.CONFIRMED):
        for name, (was, _) in changes_of(other).items():
            if event is not None and name.startswith(fields.GUEST) and was is None:
                event = fields.field(name).write(event, None)
    return event


def _unsettled(intent: Intent) -> bool:
    """Whether a change has fields that are neither confirmed nor in conflict."""
    held = conflicts_of(intent)
    return any(name not in held for name in changes_of(intent))


def _settle(work: _Work, intent: Intent, state: Intent.State, *, error: str = "") -> None:
    intent.state, intent.error, intent.next_try_at = state, error[:500], None
    intent.settled_at = work.clock() if state == Intent.State.CONFIRMED else None
    intent.save(update_fields=["state", "error", "next_try_at", "settled_at"])
    news.mark()


def _later(work: _Work, intents: Sequence[Intent], words: str, retry_after: float | None) -> None:
    """Try again: the service's own Retry-After is the minimum, with jitter on top."""
    attempts = max(intent.attempts for intent in intents)
    pause = BACKOFF[min(attempts, len(BACKOFF) - 1)]
    seconds = max(pause, retry_after or 0) * random.uniform(1, 1.3)  # noqa: S311 (jitter, no secret)
    at = work.clock() + timedelta(seconds=seconds)
    rows: list[tuple[UUID, object, object]] = [(intent.id, at, words[:500]) for intent in intents]
    with work.lease.guarding():
        bulk.update(Intent, ["next_try_at", "error"], rows)
        news.mark()
