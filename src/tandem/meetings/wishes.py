"""Open intents: their JSON, and what a page shows of an event with them on it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from tandem.calendaring import event as canonical
from tandem.calendaring import fields
from tandem.calendaring.event import Event
from tandem.calendaring.fields import Change, Value
from tandem.calendaring.plan import Verb, Wish
from tandem.meetings.models import Intent

LIVE = (Intent.State.OPEN, Intent.State.CONFLICT)

_VERBS: dict[str, Verb] = {"create": "create", "change": "change", "cancel": "cancel"}
_changes = msgspec.json.Decoder(dict[str, tuple[Value, Value]])
_values = msgspec.json.Decoder(dict[str, Value])


def dump(values: object) -> str:
    return msgspec.json.encode(values).decode()


def changes_of(intent: Intent) -> dict[str, Change]:
    """`{field: (was, becomes)}` of what is not settled yet."""
    return _changes.decode(intent.changes)


def conflicts_of(intent: Intent) -> dict[str, Value]:
    """`{field: the calendar's value}` of the fields in conflict."""
    return _values.decode(intent.conflicts)


def event_of(intent: Intent) -> Event | None:
    return canonical.decode(intent.event) if intent.event else None


def wish_of(intent: Intent) -> Wish:
    """The intent as the planner sees it. Fields that wait for a decision are left out."""
    held = conflicts_of(intent)
    return Wish(
        id=str(intent.id),
        verb=_VERBS[intent.verb],
        recurrence_id=intent.recurrence_id,
        changes={name: change for name, change in changes_of(intent).items() if name not in held},
        event=event_of(intent),
        tell=intent.tell,
    )


def shown(event: Event, intents: Iterable[Intent]) -> Event:
    """`event` as its author wants it: with every open change on it, but what is in conflict."""
    for intent in intents:
        if intent.state not in LIVE:
            continue
        if intent.verb == Intent.Verb.CANCEL and intent.state == Intent.State.OPEN:
            event = msgspec.structs.replace(event, status="cancelled")
        elif intent.verb == Intent.Verb.CHANGE:
            event = fields.overlay(event, wish_of(intent).changes)
    return event
