"""What must hold once faults have ended and time has moved on."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from tandem.calendaring import fields
from tandem.calendaring.event import Event
from tandem.calendaring.plan import event_at
from tandem.calendaring.reasons import skip_reason
from tandem.calendaring.series import occurrences
from tandem.invitations.models import LedgerEntry
from tandem.mailboxes.rights import me
from tandem.meetings import linking, reading
from tandem.meetings.models import Intent, RemoteObject
from tandem.meetings.visibility import Level
from tandem.meetings.wishes import event_of
from tests.simulation.world import Version, Violation, World

STATE = Intent.State


def check(world: World) -> None:
    _intents(world)
    _events_of_creates(world)
    _writes(world)
    _ledger(world)
    _quiet(world)
    _sections(world)
    _privacy(world)


def _require(condition: object, words: str) -> None:
    if not condition:
        raise Violation(words)


def _intents(world: World) -> None:
    """Every edit is in the remote, or waits visibly for a person, or a person took it back."""
    kept = set(Intent.objects.values_list("id", flat=True))
    _require(set(world.wanted) <= kept, "an intent is gone")
    for intent in Intent.objects.all():
        name = f"{intent.verb} of {intent.remote_id}#{intent.recurrence_id} {intent.changes}"
        decision = Intent.objects.filter(remote_id=intent.remote_id, recurrence_id="", state=STATE.CONFLICT)
        behind = bool(intent.recurrence_id) and decision.exists()
        _require(behind or intent.state != STATE.OPEN, f"{name} is still open: {intent.error}")
        if intent.state == STATE.WITHDRAWN:
            _require(intent.id in world.taken_back, f"{name} was withdrawn by nobody")
        if intent.state == STATE.CONFLICT:
            _require(intent.conflicts != "{}", f"{name} waits for a decision about nothing")
        if intent.state == STATE.CONFIRMED:
            _require(_carried_out(world, intent), f"{name} is confirmed and never reached its calendar")


def _versions(world: World, intent: Intent) -> list[Version]:
    found = [row for row in world.server.history if row.remote_id in world.places[intent.id]]
    before = [row for row in found if row.at < intent.created_at]
    return before[-1:] + [row for row in found if row.at >= intent.created_at]


def _carried_out(world: World, intent: Intent) -> bool:
    versions = _versions(world, intent)
    if intent.verb == Intent.Verb.CREATE:
        return bool(versions) or _cancelled_unsent(intent)
    if intent.verb == Intent.Verb.CANCEL:
        return any(_without(row, intent.recurrence_id) for row in versions) or not versions
    if Intent.objects.filter(
        verb="cancel",
        calendar=intent.calendar,
        remote_id=intent.remote_id,
        recurrence_id__in=["", intent.recurrence_id],
    ).exists():
        return True
    return all(
        _held(versions, intent.recurrence_id, name, becomes) or _superseded(intent, name)
        for name, becomes in world.wanted[intent.id].items()
    )


def _cancelled_unsent(intent: Intent) -> bool:
    return Intent.objects.filter(verb="cancel", remote_id=intent.remote_id, recurrence_id="").exists()


def _without(row: Version, recurrence_id: str) -> bool:
    event = event_at(row.events, recurrence_id)
    return event is None or event.status == "cancelled"


def _held(versions: list[Version], recurrence_id: str, name: str, becomes: object) -> bool:
    field = fields.field(name)
    for row in versions:
        event = event_at(row.events, recurrence_id)
        if event is not None and field.same(field.read(event), becomes):
            return True
    return False


def _superseded(intent: Intent, name: str) -> bool:
    later = Intent.objects.filter(
        calendar=intent.calendar, remote_id=intent.remote_id, created_at__gte=intent.created_at
    ).exclude(id=intent.id)
    return later.exists()


def _events_of_creates(world: World) -> None:
    creates = [event for row in Intent.objects.filter(verb="create") if (event := event_of(row))]
    for words in world.server.doubled(creates):
        raise Violation(words)


def _writes(world: World) -> None:
    intents: dict[str, set[str]] = defaultdict(set)
    for intent in Intent.objects.all():
        for place in world.places[intent.id]:
            intents[place].add(intent.verb)
    told = {place for key in world.told for place in world.places[key]}
    for request in world.server.writes:
        verbs = intents.get(request.remote_id, set())
        fits = "create" in verbs if request.method == "create" else verbs
        _require(fits, f"{request} belongs to no intent")
    for words in world.server.unasked_mails(told):
        raise Violation(f"{words}, and nobody asked for it")


def _ledger(world: World) -> None:
    seen: set[tuple[object, str]] = set()
    for entry in LedgerEntry.objects.select_related("intent"):
        key = (entry.intent_id, entry.address)
        _require(key not in seen, f"{entry} twice for one intent")
        seen.add(key)
        _require(entry.intent_id in world.told, f"{entry} though nobody was to be told")
        versions = [row for row in world.server.history if row.remote_id in world.places[entry.intent_id]]
        known = any(event.guest(entry.address) for row in versions for event in row.events.values())
        _require(known, f"{entry} for {entry.intent} of an event that never was in a calendar with them on it")


def _quiet(world: World) -> None:
    before = len(world.server.writes)
    state = _state()
    world.settle(2)
    _require(len(world.server.writes) == before, "a settled calendar was written to")
    _require(_state() == state, "what is stored went on changing without a cause")


def _state() -> list[tuple[object, ...]]:
    return sorted(RemoteObject.objects.values_list("calendar_id", "remote_id", "etag"))


# What pages show, against what the servers hold

Row = tuple[str, str, datetime, str]


def _sections(world: World) -> None:
    start, end = world.now - timedelta(days=40), world.now + timedelta(days=31)
    versions = _held_now(world)
    for address, record in world.records.items():
        rows = linking.occurrences_of(record).filter(starts_at__gte=start, starts_at__lt=end)
        shown: set[Row] = set()
        for row in rows.filter(cancelled=False, meeting__state="live").select_related("series", "meeting"):
            event = reading.occurrence_event(row.meeting, row.original_start)
            if event is not None and address in event.addresses:
                shown.add((row.series.uid, row.original_start, row.starts_at, event.title))
        _compare(world, address, shown, versions, start, end)


def _held_now(world: World) -> dict[str, list[tuple[str, frozenset[str], list[Event]]]]:
    """UID to every (remote id, owner's addresses, events) that holds it."""
    found: dict[str, list[tuple[str, frozenset[str], list[Event]]]] = defaultdict(list)
    for calendar in world.calendars:
        mine = me(calendar.account)
        for name, remote in world.server.held(calendar.remote_id).items():
            events = list(remote.values())
            found[events[0].uid].append((name, mine, events))
    return found


def _compare(
    world: World,
    address: str,
    shown: set[Row],
    held: dict[str, list[tuple[str, frozenset[str], list[Event]]]],
    start: datetime,
    end: datetime,
) -> None:
    unsent = {
        event.uid
        for row in Intent.objects.filter(verb="create").exclude(state__in=[STATE.CONFIRMED, STATE.WITHDRAWN])
        if (event := event_of(row))
    }
    by_uid: dict[str, set[Row]] = defaultdict(set)
    for row in shown:
        by_uid[row[0]].add(row)
    for uid in set(by_uid) | set(held):
        if uid in unsent:
            continue
        places = held.get(uid, [])
        ours = by_uid.get(uid, set())
        if not places:
            _require(not ours, f"{uid} is shown to {address} and no calendar holds it: {ours}")
            continue
        options = [_expected(events, mine, address, start, end) for _, mine, events in places]
        organized = [
            option
            for option, (_, mine, events) in zip(options, places, strict=True)
            if events[0].organizer is None or events[0].organizer.address in mine
        ]
        if organized:
            options = organized
        elif _organizer_is_ours(world, places[0][2][0]):
            # The organizer's own copy is gone, so the meeting is cancelled for the guests.
            options = [*options, set()]
        _require(
            any(ours == option for option in options),
            f"{uid} on {address}: shown {sorted(map(str, ours))}\n"
            f" calendars say {[sorted(map(str, option)) for option in options]}",
        )


def _organizer_is_ours(world: World, event: Event) -> bool:
    return event.organizer is not None and event.organizer.address in {user.email for user in world.users}


def _expected(events: list[Event], mine: frozenset[str], address: str, start: datetime, end: datetime) -> set[Row]:
    counted = [event for event in events if skip_reason(event, me=mine, count_others=False) is None]
    master = next((event for event in counted if not event.recurrence_id), None)
    overrides = {event.recurrence_id: event for event in counted if event.recurrence_id}
    slots = occurrences(master, overrides, start=start - timedelta(days=3), end=end, company_zone="Europe/Berlin")
    rows = set()
    for slot in slots:
        begins = slot.when.starts_at("Europe/Berlin")
        live = not slot.cancelled and slot.event.status != "cancelled"
        if live and address in slot.event.addresses and start <= begins < end:
            rows.add((slot.event.uid, slot.original_start, begins, slot.event.title))
    return rows


def _privacy(world: World) -> None:
    """Bob sees nothing of what is only busy to him."""
    alice, bob = world.users
    secret: set[str] = set()
    known: set[str] = set()
    for calendar in world.calendars:
        for remote in world.server.held(calendar.remote_id).values():
            for event in remote.values():
                if calendar.account.owner_id == alice.id and event.private:
                    (known if bob.email in event.addresses else secret).add(event.title)
    held_by_bob = {
        event.title
        for calendar in world.calendars
        if calendar.account.owner_id == bob.id
        for remote in world.server.held(calendar.remote_id).values()
        for event in remote.values()
    }
    span = world.now - timedelta(days=40), world.now + timedelta(days=60)
    rows = reading.agenda(bob, *span, team=True, now=world.now)
    for record in world.records.values():
        section = reading.section(record, bob, world.now, past_limit=50)
        rows += [*section.upcoming, *section.past]
    seen = {row.title for row in rows}
    for title in secret - known - held_by_bob:
        _require(title not in seen, f"{title} is private, and Bob sees it")
        _require(not reading.search(bob, title, world.now), f"{title} is private, and Bob finds it")
    for row in rows:
        _require(row.level is not Level.BUSY or row.title == "Busy", f"{row.title} leaks")
