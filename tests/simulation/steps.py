"""What people, other programs and bad luck do. Each step is a function of the world; `STEPS` weighs them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

import msgspec

from tandem.calendaring import ics
from tandem.calendaring.event import Event, Guest, Organizer, When
from tandem.calendaring.ics.lines import Unreadable
from tandem.calendaring.series import BadRecurrence, is_recurring, occurrences
from tandem.mailboxes.models import Calendar
from tandem.meetings import reading, verbs
from tandem.meetings.models import Intent, Meeting, Occurrence
from tandem.meetings.visibility import Hidden
from tandem.meetings.wishes import conflicts_of
from tandem.team.models import User
from tests.simulation.world import OUTSIDERS, World

ZONES = ("Europe/Berlin", "America/New_York", "UTC")
RULES = (("RRULE:FREQ=WEEKLY;COUNT=4",), ("RRULE:FREQ=WEEKLY",), ("RRULE:FREQ=DAILY;COUNT=3",))


def some_when(world: World) -> When:
    chance = world.chance
    if chance.random() < 0.2:
        first = date(2026, 11, 20) + timedelta(days=chance.randrange(30))
        return When.days(first, first + timedelta(days=chance.choice((1, 2))))
    start = world.now.replace(minute=0, second=0) + timedelta(hours=chance.randrange(-72, 24 * 25))
    return When.timed(start, start + timedelta(minutes=chance.choice((30, 60))), chance.choice(ZONES))


def some_guests(world: World, *more: str) -> tuple[Guest, ...]:
    picked = {address for address in (*OUTSIDERS, world.users[1].email) if world.chance.random() < 0.4}
    return tuple(Guest(address) for address in sorted(picked | set(more)))


def some_recurrence(world: World) -> tuple[str, ...]:
    return world.chance.choice(RULES) if world.chance.random() < 0.35 else ()


# People at Tandem's pages


def schedule(world: World) -> str:
    user = world.chance.choice(world.users)
    calendar = world.chance.choice(verbs.targets(user))
    guests = tuple(guest for guest in some_guests(world) if guest.address != user.email)
    event = Event(
        uid="",
        title=world.fresh("made"),
        when=some_when(world),
        guests=guests,
        recurrence=some_recurrence(world),
        visibility="private" if world.chance.random() < 0.15 else "default",
    )
    # UIDs come from the run's own chance, so that a seed replays
    event = msgspec.structs.replace(event, uid=f"uid-{world.chance.getrandbits(40)}")
    record = world.chance.choice([None, *world.records.values()])
    tell = world.chance.random() < 0.6
    verbs.schedule(user, calendar, event, tell=tell, record=record, now=world.now)
    return f"{user.name} schedules {event.title} in {calendar.remote_id} tell={tell} {event.recurrence}"


def _some_detail(world: World) -> tuple[User, reading.Detail] | None:
    user = world.chance.choice(world.users)
    rows = Occurrence.objects.filter(starts_at__lt=world.now + timedelta(days=60)).exclude(cancelled=True)
    ordered = list(rows.order_by("starts_at", "original_start", "meeting__title"))
    if not ordered:
        return None
    for _ in range(4):
        row = world.chance.choice(ordered)
        detail = reading.detail(row.meeting_id, row.original_start, user, world.now)
        if detail.may_edit:
            return user, detail
    return None


def _other(world: World, event: Event) -> dict[str, Any]:
    """Other values for one or two fields."""
    chance, values = world.chance, {}
    for name in chance.sample(["title", "location", "description", "when", "guests", "more"], chance.choice((1, 1, 2))):
        if name in ("title", "location", "description"):
            values[name] = world.fresh(name)
        elif name == "when":
            values[name] = _shift(world, event.when)
        elif name == "guests" and event.guests:
            values["guests"] = tuple(guest for guest in event.guests if guest != chance.choice(event.guests))
        else:
            known = {guest.address: guest for guest in event.guests}
            address = chance.choice(OUTSIDERS)
            values["guests"] = tuple(sorted((known | {address: Guest(address)}).values(), key=lambda g: g.address))
    return values


def _shift(world: World, when: When | None) -> When:
    if when is None or world.chance.random() < 0.15:
        return some_when(world)
    if when.all_day:
        days = timedelta(days=world.chance.choice((-1, 1, 3)))
        return When.days(when.first_day + days, when.end_day + days)
    moved = timedelta(minutes=world.chance.choice((-60, 30, 120, 24 * 60)))
    return When.timed(when.starts_at("UTC") + moved, when.ends_at("UTC") + moved, when.zone)


def change(world: World) -> str:
    found = _some_detail(world)
    if found is None:
        return ""
    user, detail = found
    scope: verbs.Scope = world.chance.choice(("this", "this", "all"))
    becomes = msgspec.structs.replace(detail.event, **_other(world, detail.event))
    tell = world.chance.random() < 0.5
    slot = detail.row.original_start
    verbs.change(user, detail.meeting, slot, detail.event, becomes, tell=tell, now=world.now, scope=scope)
    return f"{user.name} changes {detail.event.title} at {slot!r} ({scope}) tell={tell}"


def cancel(world: World) -> str:
    found = _some_detail(world)
    if found is None:
        return ""
    user, detail = found
    scope: verbs.Scope = world.chance.choice(("this", "this", "all"))
    tell = world.chance.random() < 0.5
    before = {row.id: row.state for row in Intent.objects.all()}
    verbs.cancel(user, detail.meeting, detail.row.original_start, tell=tell, now=world.now, scope=scope)
    for row in Intent.objects.filter(state=Intent.State.WITHDRAWN):
        if before.get(row.id) == Intent.State.REFUSED:
            world.taken_back.add(row.id)
    return f"{user.name} cancels {detail.event.title} at {detail.row.original_start!r} ({scope})"


def _some_intent(world: World, *states: str) -> Intent | None:
    rows = Intent.objects.filter(state__in=states).select_related("calendar__account__owner", "meeting", "author")
    found = list(rows.order_by("created_at", "remote_id", "recurrence_id", "verb", "changes"))
    return world.chance.choice(found) if found else None


def decide(world: World) -> str:
    intent = _some_intent(world, Intent.State.CONFLICT, Intent.State.OPEN)
    if intent is None or not conflicts_of(intent):
        return ""
    choices: dict[str, Any] = {name: world.chance.choice(("mine", "theirs")) for name in conflicts_of(intent)}
    verbs.decide(intent.calendar.account.owner, intent, choices, tell=world.chance.random() < 0.5, now=world.now)
    if intent.verb == Intent.Verb.CANCEL:
        if "mine" not in choices.values():
            world.taken_back.add(intent.id)
    else:
        for name, choice in choices.items():
            if choice == "theirs":
                world.wanted[intent.id].pop(name, None)
        if not world.wanted[intent.id] or Intent.objects.get(id=intent.id).state == Intent.State.WITHDRAWN:
            world.taken_back.add(intent.id)
    return f"decide {intent.verb} {intent.remote_id} {choices}"


def withdraw(world: World) -> str:
    states = Intent.State
    intent = _some_intent(world, states.OPEN, states.CONFLICT, states.REFUSED, states.RESTORABLE)
    if intent is None:
        return ""
    verbs.withdraw(intent.calendar.account.owner, intent, now=world.now)
    world.taken_back.add(intent.id)
    return f"withdraw {intent.verb} {intent.remote_id}"


def retry(world: World) -> str:
    intent = _some_intent(world, Intent.State.OPEN, Intent.State.REFUSED)
    if intent is None:
        return ""
    verbs.retry(intent.calendar.account.owner, intent, now=world.now)
    return f"retry {intent.verb} {intent.remote_id}"


def restore(world: World) -> str:
    intent = _some_intent(world, Intent.State.RESTORABLE)
    if intent is None:
        return ""
    verbs.restore(intent.calendar.account.owner, intent, tell=False, now=world.now)
    world.taken_back.add(intent.id)
    return f"restore {intent.remote_id}"


# Other programs at the servers


def put(world: World) -> str:
    """An event of one's own, an invitation from outside, one of both users, a plain one."""
    owner = world.chance.choice(world.calendars)
    email = owner.account.owner.email
    kind = world.chance.choice(("own", "outside", "shared", "plain", "private"))
    title, uid = world.fresh("put"), f"uid-{world.chance.getrandbits(40)}"
    homes = [owner]
    if kind in ("own", "private"):
        people = [guest for guest in some_guests(world, OUTSIDERS[0]) if guest.address != email]
        organizer: Organizer | None = Organizer(email)
    elif kind == "outside":
        people, organizer = list(some_guests(world, email)), Organizer(OUTSIDERS[0])
    elif kind == "shared":
        people = list(some_guests(world, world.users[1].email))
        organizer = Organizer(world.users[0].email)
        homes = [world.calendars[0], next(c for c in world.calendars if c.account.owner_id == world.users[1].id)]
    else:
        people, organizer = [], None
    event = Event(
        uid=uid,
        title=title,
        when=some_when(world),
        organizer=organizer,
        guests=tuple(people),
        recurrence=some_recurrence(world),
        visibility="private" if kind == "private" else "default",
    )
    for home in homes:
        world.server.put(home.remote_id, f"{home.remote_id}{uid}.ics", ics.new([event], now=world.now))
    return f"put {kind} {title} {uid} in {[home.remote_id for home in homes]} {event.recurrence}"


def _some_item(world: World) -> tuple[Calendar, str, list[Event]] | None:
    pairs = [(c, name) for c in world.calendars for name in sorted(world.server.calendars[c.remote_id].items)]
    if not pairs:
        return None
    calendar, name = world.chance.choice(pairs)
    raw = world.server.get(calendar.remote_id, name)
    assert raw is not None
    return calendar, name, ics.read(raw, default_zone="UTC")


def _slots(world: World, events: list[Event]) -> list[str]:
    master = next((event for event in events if not event.recurrence_id), None)
    overrides = {event.recurrence_id: event for event in events if event.recurrence_id}
    if master is None or not is_recurring(master):
        return sorted(overrides)
    span = world.now - timedelta(days=5), world.now + timedelta(days=40)
    try:
        found = occurrences(master, overrides, start=span[0], end=span[1], company_zone="Europe/Berlin")
    except BadRecurrence:
        return []
    return [slot.original_start for slot in found]


def edit(world: World) -> str:
    found = _some_item(world)
    if found is None:
        return ""
    calendar, name, events = found
    master = next((event for event in events if not event.recurrence_id), None)
    slots = _slots(world, events)
    slot = world.chance.choice(slots) if slots and (master is None or world.chance.random() < 0.5) else ""
    event = next((event for event in events if event.recurrence_id == slot), master or events[0])
    values: dict[str, Any] = {}
    for key, value in _other(world, event).items():
        if key == "when":
            values[key] = msgspec.to_builtins(value)
        elif key == "guests":
            values |= _guest_values(event, value, calendar)
        else:
            values[key] = value
    kind = world.chance.random()
    if kind < 0.06:
        values = {"status": "cancelled"}
    elif kind < 0.12 and not slot:
        values = {"recurrence": list(some_recurrence(world))}
    try:
        world.server.edit(calendar.remote_id, name, {slot: values}, now=world.now)
    except Unreadable as error:
        return f"edit refused {error}"
    return f"edit {name} at {slot!r}: {values}"


def _guest_values(event: Event, guests: tuple[Guest, ...], calendar: Calendar) -> dict[str, Any]:
    wanted = {guest.address for guest in guests}
    had = {guest.address for guest in event.guests}
    values: dict[str, Any] = {f"guest:{address}": None for address in had - wanted}
    values |= {f"guest:{address}": {"name": "", "optional": False} for address in wanted - had}
    if event.organizer is None and wanted:
        values["organizer"] = {"address": calendar.account.owner.email, "name": ""}
    return values


def delete(world: World) -> str:
    found = _some_item(world)
    if found is None:
        return ""
    calendar, name, _ = found
    world.server.delete(calendar.remote_id, name)
    return f"delete {name}"


def move(world: World) -> str:
    """To another calendar of the same account, or back, or a second file of the same UID."""
    found = _some_item(world)
    if found is None:
        return ""
    calendar, name, events = found
    others = [c for c in world.calendars if c.account_id == calendar.account_id and c.id != calendar.id]
    if not others:
        return ""
    world.server.moved_uids |= {event.uid for event in events}
    home = world.chance.choice(others)
    raw = world.server.get(calendar.remote_id, name)
    assert raw is not None
    new = home.remote_id + name.rsplit("/", 1)[1]
    if world.chance.random() < 0.5:
        world.server.delete(calendar.remote_id, name)
        world.server.put(home.remote_id, new, raw)
    else:
        world.server.put(home.remote_id, new, raw)
        world.server.delete(calendar.remote_id, name)
    return f"move {name} to {home.remote_id}"


# Bad luck


def fault(world: World) -> str:
    chance, server = world.chance, world.server
    kind = chance.choice(("lose", "time_out", "patience", "changed", "expire", "password", "password back"))
    method = chance.choice(("create", "update", "delete", "*", "changes", "read"))
    if kind == "lose":
        server.lose_answer(chance.choice(("create", "update", "delete")), times=chance.choice((1, 1, 2)))
    elif kind == "time_out":
        server.time_out(method, times=chance.choice((1, 2)))
    elif kind == "patience":
        server.ask_for_patience(chance.choice((10, 400)), method)
    elif kind == "changed":
        server.say_changed(chance.choice(("create", "update", "delete")), times=chance.choice((1, 5)))
    elif kind == "expire":
        server.expire_tokens(chance.choice(world.calendars).remote_id)
    elif kind == "password":
        server.password_refused.add(chance.choice(world.users).email)
    else:
        server.password_refused.clear()
    return f"fault {kind} {method}"


def sync(world: World) -> str:
    world.sync(world.chance.choice(world.calendars))
    return "synced"


def crash(world: World) -> str:
    world.trap = ("crash", world.chance.randrange(14))
    world.sync(world.chance.choice(world.calendars))
    return "synced with a crash"


def sleep(world: World) -> str:
    world.trap = ("sleep", world.chance.randrange(6))
    world.sync(world.chance.choice(world.calendars))
    return "synced, sleeping"


def wait(world: World) -> str:
    world.now += timedelta(seconds=world.chance.choice((1, 30, 200, 4000, 100000)))
    return "waited"


Step = Callable[[World], str]
OURS: dict[Step, int] = {
    schedule: 6,
    change: 12,
    cancel: 4,
    decide: 4,
    withdraw: 2,
    retry: 2,
    restore: 1,
    sync: 18,
    crash: 4,
    sleep: 2,
    wait: 6,
}
STEPS: dict[Step, int] = {**OURS, put: 6, edit: 10, delete: 2, move: 2, fault: 5}


def take_step(world: World, steps: Mapping[Step, int]) -> None:
    step = world.chance.choices(list(steps), list(steps.values()))[0]
    try:
        done = step(world)
    except (verbs.NotAllowed, verbs.Invalid, Hidden, Occurrence.DoesNotExist, Meeting.DoesNotExist) as refused:
        done = f"{step.__name__}: {type(refused).__name__} {refused}"
    if done:
        world.note(done)
    world.remember()
