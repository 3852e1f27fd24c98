"""What people do at Google's own pages, and what Google does to us."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from sandbox.google.problems import Json, Problem
from tandem.calendaring.event import When
from tandem.mailboxes.models import Calendar
from tests.simulation import steps
from tests.simulation.google_world import GoogleWorld
from tests.simulation.steps import some_guests, some_recurrence, some_when
from tests.simulation.world import OUTSIDERS, World

_ANSWERS = ("accepted", "declined", "tentative")


def _google(world: World) -> GoogleWorld:
    assert isinstance(world, GoogleWorld)
    return world


def _times(when: When) -> Json:
    if when.all_day:
        return {"start": {"date": when.start}, "end": {"date": when.end}}
    zone = {"timeZone": when.zone}
    return {"start": {"dateTime": when.start, **zone}, "end": {"dateTime": when.end, **zone}}


def put(world: World) -> str:
    """An event of one's own with guests, a plain or private one, an invitation from outside."""
    google = _google(world)
    owner = world.chance.choice(world.calendars)
    email = owner.account.owner.email
    kind = world.chance.choice(("own", "outside", "plain", "private", "focusTime"))
    body: Json = {"summary": world.fresh("put"), **_times(some_when(world))}
    if recurrence := some_recurrence(world):
        body["recurrence"] = list(recurrence)
    if kind in ("own", "private", "outside"):
        people = [guest.address for guest in some_guests(world, OUTSIDERS[0]) if guest.address != email]
        body["attendees"] = [{"email": address} for address in people]
    if kind == "private":
        body["visibility"] = "private"
    if kind == "outside":
        body["attendees"].append({"email": email, "responseStatus": "needsAction"})
        body["organizer"] = {"email": OUTSIDERS[0]}
        google.server.sandbox.plant(owner.remote_id, body)
        google.server.look()
    elif kind == "focusTime" and owner.remote_id == email and "dateTime" in body["start"]:
        _call(google, email, "events.insert", {**body, "eventType": "focusTime"}, calendarId=owner.remote_id)
    else:
        _call(google, email, "events.insert", body, calendarId=owner.remote_id)
    return f"put {kind} {body['summary']} in {owner.remote_id} {body.get('recurrence', '')}"


def _call(world: GoogleWorld, email: str, method: str, body: Json | None = None, **parameters: Any) -> str:
    """With `sendUpdates=none`: what people mail from Google is not our affair. The problem's reason, or ''."""
    try:
        world.server.call(email, method, body, sendUpdates="none", **parameters)
    except Problem as problem:
        return problem.reason
    return ""


def _some_entry(world: GoogleWorld) -> tuple[Calendar, str, Json] | None:
    """A calendar, the id of an event or of one occurrence of a series in it, and what it says."""
    pairs = []
    for calendar in world.calendars:
        home = world.server.sandbox.store.calendars[calendar.remote_id]
        pairs += [(calendar, entry.id) for entry in home.entries.values() if not entry.gone and not entry.parent]
    if not pairs:
        return None
    calendar, name = world.chance.choice(sorted(pairs, key=lambda pair: (pair[0].remote_id, pair[1])))
    email = calendar.account.owner.email
    found = world.server.sandbox.call(email, "events.get", calendarId=calendar.remote_id, eventId=name)
    if found.get("recurrence") and world.chance.random() < 0.55:
        span = {
            "timeMin": (world.now - timedelta(days=5)).isoformat(),
            "timeMax": (world.now + timedelta(days=40)).isoformat(),
        }
        items: list[Json] = []
        token: Json = {}
        while True:
            page = world.server.sandbox.call(
                email, "events.instances", calendarId=calendar.remote_id, eventId=name, **span, **token
            )
            items += page.get("items", [])
            if "nextPageToken" not in page:
                break
            token = {"pageToken": page["nextPageToken"]}
        if items:
            found = world.chance.choice(items)
    return calendar, found["id"], found


def edit(world: World) -> str:
    google = _google(world)
    chosen = _some_entry(google)
    if chosen is None:
        return ""
    calendar, name, found = chosen
    body = _other(google, found)
    problem = _call(
        google, calendar.account.owner.email, "events.patch", body, calendarId=calendar.remote_id, eventId=name
    )
    return f"edit {name} in {calendar.remote_id}: {body} {problem}"


def _other(world: GoogleWorld, found: Json) -> Json:
    chance = world.chance
    kind = chance.choice(("title", "location", "description", "when", "when", "guests", "recurrence", "status"))
    if kind == "when":
        return _shifted(world, found)
    if kind == "guests":
        people = list(found.get("attendees", []))
        if people and chance.random() < 0.5:
            people.remove(chance.choice(people))
        address = chance.choice(OUTSIDERS)
        if all(person["email"] != address for person in people):
            people.append({"email": address})
        return {"attendees": people}
    if kind == "recurrence" and "recurringEventId" not in found:
        return {"recurrence": list(some_recurrence(world)) or None}
    if kind == "status" and "recurringEventId" in found:
        return {"status": "cancelled"}
    if kind in ("location", "description"):
        return {kind: world.fresh(kind)}
    return {"summary": world.fresh("title")}


def _shifted(world: GoogleWorld, found: Json) -> Json:
    """Another time of the same kind, or another kind of time."""
    if world.chance.random() < 0.15 and "recurringEventId" not in found and "recurrence" not in found:
        body = _times(some_when(world))
        for name in ("start", "end"):
            body[name] |= {"dateTime": None, "timeZone": None} if "date" in body[name] else {"date": None}
        return body
    if "date" in found["start"]:
        days = timedelta(days=world.chance.choice((-1, 1, 3)))
        return {
            name: {"date": (date.fromisoformat(found[name]["date"]) + days).isoformat()} for name in ("start", "end")
        }
    when = When.timed(*(_instant(found[name]) for name in ("start", "end")), found["start"].get("timeZone", "UTC"))
    moved = timedelta(minutes=world.chance.choice((-60, 30, 120, 24 * 60)))
    zone = when.zone
    return _times(When.timed(when.starts_at("UTC") + moved, when.ends_at("UTC") + moved, zone))


def _instant(value: Json) -> Any:
    return datetime.fromisoformat(value["dateTime"])


def answer(world: World) -> str:
    google = _google(world)
    chosen = _some_entry(google)
    if chosen is None:
        return ""
    calendar, name, found = chosen
    email = calendar.account.owner.email
    if not any(person.get("self") for person in found.get("attendees", [])):
        return ""
    own = {"email": email, "responseStatus": world.chance.choice(_ANSWERS)}
    body = {"attendeesOmitted": True, "attendees": [own]}
    problem = _call(google, email, "events.patch", body, calendarId=calendar.remote_id, eventId=name)
    return f"answer {name} in {calendar.remote_id}: {own['responseStatus']} {problem}"


def delete(world: World) -> str:
    google = _google(world)
    chosen = _some_entry(google)
    if chosen is None:
        return ""
    calendar, name, _ = chosen
    email = calendar.account.owner.email
    problem = _call(google, email, "events.delete", calendarId=calendar.remote_id, eventId=name)
    return f"delete {name} in {calendar.remote_id} {problem}"


def move(world: World) -> str:
    """To another calendar of the same account."""
    google = _google(world)
    chosen = _some_entry(google)
    if chosen is None:
        return ""
    calendar, name, _ = chosen
    others = [c for c in world.calendars if c.account_id == calendar.account_id and c.id != calendar.id]
    if not others:
        return ""
    home = world.chance.choice(others)
    email = calendar.account.owner.email
    problem = _call(
        google, email, "events.move", calendarId=calendar.remote_id, eventId=name, destination=home.remote_id
    )
    return f"move {name} from {calendar.remote_id} to {home.remote_id} {problem}"


FAULTS: tuple[Any, ...] = (
    *("lost before", "lost after", "429", "403 rateLimitExceeded", "403 quotaExceeded", "500", "503"),
    *("expire", "password", "password back", "collisions"),
)


def fault(world: World) -> str:
    google = _google(world)
    chance, sandbox = world.chance, google.server.sandbox
    kind = chance.choice(FAULTS)
    method = chance.choice(("events.insert", "events.patch", "events.delete", "events.list", "events.get", "events.*"))
    if kind == "expire":
        sandbox.expire_sync_tokens(chance.choice(world.calendars).remote_id)
    elif kind == "password":
        google.server.password_refused.add(chance.choice(world.users).email)
    elif kind == "password back":
        google.server.password_refused.clear()
    elif kind == "collisions":
        sandbox.behaviour.undetected_collisions = chance.random() < 0.5
    else:
        # What a collision doubled unnoticed can be taken away only if that is not refused again and again.
        most = (1, 1, 2) if method in ("events.delete", "events.*") else (1, 1, 2, 6)
        sandbox.faults.add(kind, method, times=chance.choice(most))
    return f"fault {kind} {method}"


STEPS: dict[steps.Step, int] = {**steps.OURS, put: 6, edit: 10, answer: 2, delete: 2, move: 1, fault: 5}
