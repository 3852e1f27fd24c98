"""Edits in words: what an intent would change, and how each side of a conflict reads. Pure but for the models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from tandem.calendaring import fields
from tandem.calendaring.event import When
from tandem.calendaring.fields import GUEST, RESPONSE, Value
from tandem.meetings import wishes
from tandem.meetings.models import Intent
from tandem.web import when_words

STATUS = {"confirmed": "Confirmed", "tentative": "Tentative", "cancelled": "Cancelled"}
ANSWERS = {"accepted": "Accepted", "declined": "Declined", "tentative": "Maybe", "needs-action": "No answer yet"}
SEEN = {"default": "Team sees the details", "public": "Team sees the details", "private": "Private"}


def label(field: str) -> str:
    """`Name`, `Time`, `Guest ann@example.com`."""
    return fields.field(field).label


def value_words(field: str, value: Value, tz: ZoneInfo, now: datetime) -> tuple[str, str]:
    """A field's value as (what stands out, the small line under it), times in the reader's zone."""
    if field == "when":
        return _time(value, tz, now)
    if field.startswith(GUEST):
        return (f"{value.get('name') or field.removeprefix(GUEST)} is invited", "") if value else ("Not invited", "")
    if field.startswith(RESPONSE):
        return ANSWERS.get(str(value), "No answer yet"), ""
    if field == "status":
        return STATUS.get(str(value), str(value)), ""
    if field == "visibility":
        return SEEN.get(str(value), str(value)), ""
    if field == "recurrence":
        return ("Repeats", "; ".join(value)) if value else ("Does not repeat", "")
    return (str(value), "") if value else ("Nothing", "")


def _time(value: Value, tz: ZoneInfo, now: datetime) -> tuple[str, str]:
    if not value:
        return "No time", ""
    when = msgspec.convert(value, When)
    today = now.astimezone(tz).date()
    if when.all_day:
        first, last = when.first_day, when_words.last_all_day(when)
        days = when_words.day_words(first, today)
        return "All day", days if first == last else f"{days} – {when_words.day_words(last, today)}"
    start, end = when.starts_at("UTC").astimezone(tz), when.ends_at("UTC").astimezone(tz)
    small = f"{when_words.day_words(start.date(), today)}, {when_words.zone_words(str(tz), start).split(',')[0]}"
    if end.date() != start.date():
        return f"{when_words.clock(start)} – {when_words.day_words(end.date(), today)}, {when_words.clock(end)}", small
    return f"{when_words.clock(start)} – {when_words.clock(end)}", small


def short(field: str, value: Value, tz: ZoneInfo, now: datetime) -> str:
    """A value in one phrase: `Thu 11 Dec, 15:00 – 16:00`."""
    strong, small = value_words(field, value, tz, now)
    if field == "when" and value:
        return f"{small.rsplit(',', 1)[0]}, {strong}" if strong != "All day" else f"{small}, all day"
    return strong


def what(intent: Intent, tz: ZoneInfo, now: datetime) -> str:
    """One sentence for a list: `Create it`, `Cancel it`, `Time: Thu 11 Dec, 15:00 – 16:00; Place: Halden`."""
    if intent.verb == Intent.Verb.CREATE:
        return "Create this meeting"
    if intent.verb == Intent.Verb.CANCEL:
        return "Cancel this meeting"
    changes = wishes.changes_of(intent)
    return "; ".join(f"{label(name)}: {short(name, becomes, tz, now)}" for name, (_, becomes) in changes.items())


@dataclass(frozen=True, slots=True)
class Side:
    """One version of one field: `text` with the part that differs from the other side marked by `cut`."""

    same: str
    differs: str
    small: str


@dataclass(frozen=True, slots=True)
class Row:
    """One field in conflict. `pick` is the side chosen so far: `mine` or `theirs`."""

    field: str
    label: str
    mine: Side
    theirs: Side
    pick: str


def rows(intent: Intent, choices: Mapping[str, str], tz: ZoneInfo, now: datetime) -> list[Row]:
    """The fields to decide, mine beside theirs, in the order in which forms show them."""
    changes, theirs = wishes.changes_of(intent), wishes.conflicts_of(intent)
    if intent.verb == Intent.Verb.CANCEL:
        return [_cancel_row(theirs, choices, tz, now)]
    found = []
    for name in sorted(theirs, key=_order):
        was, mine = changes.get(name, (None, None))
        left, right = value_words(name, mine, tz, now), value_words(name, theirs[name], tz, now)
        before = "" if name == "when" or was == theirs[name] else f"Was: {short(name, was, tz, now)}" if was else ""
        same = _common(left[0], right[0])
        found.append(
            Row(
                name,
                label(name),
                Side(left[0][:same], left[0][same:], left[1] or before),
                Side(right[0][:same], right[0][same:], right[1] or before),
                choices.get(name, "mine"),
            )
        )
    return found


CANCEL = "cancel"
"""What the one choice is called when a meeting was changed while somebody cancelled it here."""


def fields_to_decide(intent: Intent) -> list[str]:
    """The names of the choices on the page of `intent`."""
    return [CANCEL] if intent.verb == Intent.Verb.CANCEL else list(wishes.conflicts_of(intent))


def _cancel_row(theirs: Mapping[str, Value], choices: Mapping[str, str], tz: ZoneInfo, now: datetime) -> Row:
    changed = "; ".join(f"{label(name)}: {short(name, value, tz, now)}" for name, value in theirs.items())
    kept = Side("Kept", "", f"Changed meanwhile. {changed}".strip())
    return Row(CANCEL, "The meeting", Side("Cancelled", "", ""), kept, choices.get(CANCEL, "mine"))


def _order(name: str) -> tuple[int, str]:
    known = ["title", "when", "location", "description", "status", "recurrence", "visibility"]
    return (known.index(name) if name in known else len(known), name)


def _common(left: str, right: str) -> int:
    """How many letters both begin with, cut at a word: only the rest is set in bold."""
    length = 0
    for a, b in zip(left, right, strict=False):
        if a != b:
            break
        length += 1
    return left.rfind(" ", 0, length + 1) + 1 if " " in left[: length + 1] else 0


def outcome(intent: Intent, choices: Mapping[str, str], tz: ZoneInfo, now: datetime) -> str:
    """`The meeting will be at 15:00, in hall B entrance.`: what the chosen sides make of it."""
    changes, theirs = wishes.changes_of(intent), wishes.conflicts_of(intent)
    if intent.verb == Intent.Verb.CANCEL:
        return "The meeting will be cancelled" if choices.get(CANCEL, "mine") == "mine" else "The meeting stays"
    parts = []
    for name in sorted(theirs, key=_order):
        value = changes[name][1] if choices.get(name, "mine") == "mine" and name in changes else theirs[name]
        parts.append(_will(name, value, tz, now))
    return f"The meeting will {', and '.join(parts)}" if parts else "The meeting stays as it is"


def _will(name: str, value: Value, tz: ZoneInfo, now: datetime) -> str:
    words = short(name, value, tz, now)
    if name == "when":
        return f"be on {words}"
    if name == "title":
        return f"be called “{words}”"
    if name == "location":
        return f"be at {words}" if value else "have no place"
    if name == "description":
        return "have this description" if value else "have no description"
    if name == "status":
        return f"be {words.lower()}"
    if name.startswith(GUEST):
        who = name.removeprefix(GUEST)
        return f"have {value.get('name') or who} as guest" if value else f"be without {who}"
    return f"have {label(name).lower()} {words}"
