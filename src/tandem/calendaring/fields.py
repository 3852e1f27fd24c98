"""One row for each field of an event: how its value is read, set, compared and called.

Values are JSON-able, as intents store them in `{field: (was, becomes)}`. Guests are fields of their
own, one for each address (`guest:ann@example.com`), so that edits of different guests never collide;
the answer to an invitation (`response:…`) is apart from the guest.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from tandem.calendaring.event import Event, Guest, Organizer, When

Value = Any  # str, bool, list, dict or None, as JSON has them
Change = tuple[Value, Value]
Changes = Mapping[str, Change]

GUEST = "guest:"
RESPONSE = "response:"


@dataclass(frozen=True, slots=True)
class Field:
    """`read` takes the value out of an event, `write` returns the event with another one.

    `own` marks what belongs to one copy (an answer, reminders) and not to the meeting.
    """

    name: str
    label: str
    read: Callable[[Event], Value]
    write: Callable[[Event, Value], Event]
    same: Callable[[Value, Value], bool] = lambda a, b: bool(a == b)
    own: bool = False


def _plain(name: str, label: str, *, own: bool = False) -> Field:
    return Field(
        name,
        label,
        lambda event: getattr(event, name),
        lambda event, value: msgspec.structs.replace(event, **{name: value}),
        own=own,
    )


def normalise_text(text: str) -> str:
    """A description as plain text: HTML that a provider wrapped around it is no change."""
    if "<" in text and re.search(r"</?(?:p|br|div|span|a|b|i|u|ul|ol|li|html|body)\b", text, re.IGNORECASE):
        text = re.sub(r"<(?:br|/p|/div|/li)\b[^>]*>", "\n", text, flags=re.IGNORECASE)
        text = html.unescape(re.sub(r"<[^>]+>", "", text))
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " ").split("\n")]
    return "\n".join(lines).strip()


def _write_recurrence(event: Event, value: Value) -> Event:
    return msgspec.structs.replace(event, recurrence=tuple(value))


def _write_organizer(event: Event, value: Value) -> Event:
    organizer = msgspec.convert(value, Organizer) if value else None
    return msgspec.structs.replace(event, organizer=organizer)


def _same_organizer(a: Value, b: Value) -> bool:
    """The same address; a display name that a provider filled in is no change."""
    return (a or {}).get("address") == (b or {}).get("address")


def _same_when(a: Value, b: Value) -> bool:
    """The same instants in the same zone. `None` is only itself."""
    if a is None or b is None:
        return a is b
    left, right = msgspec.convert(a, When), msgspec.convert(b, When)
    if left.zone != right.zone:
        return False
    return left.starts_at("UTC") == right.starts_at("UTC") and left.ends_at("UTC") == right.ends_at("UTC")


_FIELDS = {
    field.name: field
    for field in (
        _plain("title", "Name"),
        Field(
            "when",
            "Time",
            lambda event: msgspec.to_builtins(event.when) if event.when else None,
            lambda event, value: msgspec.structs.replace(event, when=msgspec.convert(value, When) if value else None),
            _same_when,
        ),
        _plain("location", "Place"),
        Field(
            "description",
            "Description",
            lambda event: event.description,
            lambda event, value: msgspec.structs.replace(event, description=value),
            lambda a, b: normalise_text(a or "") == normalise_text(b or ""),
        ),
        _plain("status", "Status"),
        Field(
            "recurrence",
            "Repeats",
            lambda event: list(event.recurrence),
            _write_recurrence,
            lambda a, b: sorted(a or ()) == sorted(b or ()),
        ),
        _plain("visibility", "Visibility"),
        Field(
            "organizer",
            "Organizer",
            lambda event: msgspec.to_builtins(event.organizer) if event.organizer else None,
            _write_organizer,
            _same_organizer,
        ),
        Field(
            "reminders",
            "Reminders",
            lambda event: list(event.reminders),
            lambda event, value: msgspec.structs.replace(event, reminders=tuple(value)),
            own=True,
        ),
    )
}


def _guest_field(address: str) -> Field:
    """Whether `address` is invited: `{"name": …, "optional": …}`, or None when it is not."""

    def read(event: Event) -> Value:
        guest = event.guest(address)
        return None if guest is None else {"name": guest.name, "optional": guest.optional}

    def write(event: Event, value: Value) -> Event:
        others = [guest for guest in event.guests if guest.address != address]
        if value is not None:
            known = event.guest(address) or Guest(address)
            name = str(value.get("name") or known.name)
            others.append(msgspec.structs.replace(known, name=name, optional=bool(value.get("optional", False))))
        return msgspec.structs.replace(event, guests=tuple(sorted(others, key=lambda guest: guest.address)))

    def same(a: Value, b: Value) -> bool:
        # A provider may fill in or drop a display name; that is no change of who is invited.
        if a is None or b is None:
            return a is b
        return bool(a.get("optional", False)) == bool(b.get("optional", False))

    return Field(GUEST + address, f"Guest {address}", read, write, same)


def _response_field(address: str) -> Field:
    def read(event: Event) -> Value:
        guest = event.guest(address)
        return None if guest is None else guest.response

    def write(event: Event, value: Value) -> Event:
        guests = (
            msgspec.structs.replace(guest, response=value) if guest.address == address else guest
            for guest in event.guests
        )
        return msgspec.structs.replace(event, guests=tuple(guests))

    return Field(RESPONSE + address, "Answer", read, write, own=True)


def field(name: str) -> Field:
    """The row for `name`. Raises `KeyError` for a name that is no field."""
    if name.startswith(GUEST):
        return _guest_field(name.removeprefix(GUEST))
    if name.startswith(RESPONSE):
        return _response_field(name.removeprefix(RESPONSE))
    return _FIELDS[name]


def overlay(event: Event, changes: Changes) -> Event:
    """`event` with every `becomes` of `changes` in place: what a page shows for an open intent."""
    for name, (_, becomes) in changes.items():
        event = field(name).write(event, becomes)
    return event


def diff(was: Event, becomes: Event) -> dict[str, Change]:
    """The changes that lead from `was` to `becomes`, one for each field and each guest."""
    names = [*_FIELDS, *(GUEST + address for address in _invited(was, becomes))]
    changes: dict[str, Change] = {}
    for name in names:
        row = field(name)
        before, after = row.read(was), row.read(becomes)
        if not row.same(before, after):
            changes[name] = (before, after)
    return changes


def _invited(*events: Event) -> list[str]:
    return sorted({guest.address for event in events for guest in event.guests})
