"""The decision table: what to write for the open intents of one remote object. Pure.

`plan(remote, wishes, rights)` compares what the calendar says with what people want and returns
actions. A writing action cannot be made without the wish it carries out: reading never writes, a
first sync is read-only, echoes cannot loop.

For each field of a wish the calendar's value is one of three:

    still `was`         write `becomes`
    already `becomes`   confirm
    something else      conflict: the calendar's value is live, the person's is kept open

Several wishes on one field make a chain (A to B, B to C). The calendar may stand at any link of it,
for an answer may have been lost in between; only the last value is written.

When a series itself is to change, its occurrences are written before or after it and never together,
for what names them may change with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as attribute
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec

from tandem.calendaring import fields
from tandem.calendaring.event import Event, When
from tandem.calendaring.fields import Changes, Value
from tandem.calendaring.identity import original_start
from tandem.calendaring.series import BadRecurrence, is_recurring, occurrences

Verb = Literal["create", "change", "cancel"]


@dataclass(frozen=True, slots=True)
class Wish:
    """An open intent, as the planner sees it.

    `event` is the whole event for a create, and what the person saw for a cancel. `changes` are
    those of a change that are not settled yet.
    """

    id: str
    verb: Verb
    recurrence_id: str = ""
    changes: Changes = attribute(default_factory=dict)
    event: Event | None = None
    tell: bool = False


@dataclass(frozen=True, slots=True)
class Rights:
    """What may be written here. `refusal` answers with words for a field that may not, else ''."""

    refusal: Callable[[str], str] = lambda _field: ""


@dataclass(frozen=True, slots=True)
class Write:
    """A request that changes the calendar. It exists only on somebody's wish."""

    wishes: tuple[Wish, ...]

    def __post_init__(self) -> None:
        if not self.wishes or not all(isinstance(wish, Wish) for wish in self.wishes):
            raise TypeError("a write needs the wish of a person")

    @property
    def tell(self) -> bool:
        return any(wish.tell for wish in self.wishes)


@dataclass(frozen=True, slots=True)
class Create(Write):
    """Put `events` (a master or single event first) where nothing is."""

    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class Update(Write):
    """Edit the original: `edit` is `{recurrence id: {field: value}}`."""

    edit: Mapping[str, Mapping[str, Value]] = attribute(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delete(Write):
    """Remove the whole remote object."""


@dataclass(frozen=True, slots=True)
class Confirm:
    """The calendar holds these fields of the wish (all of it when `fields` is None)."""

    wish: Wish
    fields: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Conflict:
    """Somebody else changed the same: `theirs` is what the calendar says now, for each field."""

    wish: Wish
    theirs: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Refuse:
    """This user may not write that. `words` is for them to read."""

    wish: Wish
    words: str


@dataclass(frozen=True, slots=True)
class Restorable:
    """The calendar's side was cancelled meanwhile. The wish is kept and can be brought back."""

    wish: Wish


Action = Create | Update | Delete | Confirm | Conflict | Refuse | Restorable
Remote = Mapping[str, Event]


def plan(
    remote: Remote | None, wishes: Sequence[Wish], rights: Rights, *, undecided: Sequence[Changes] = ()
) -> list[Action]:
    """What to do about `wishes`, in their order, for one remote object.

    `remote` maps recurrence ids to events as the calendar last said; None when the object is not there.
    At most one writing action comes out, last in the list. `undecided` are edits of the series that wait
    for a person: a wish for an occurrence that only they bring about gets no action, and waits too.
    """
    allowed, actions = _sift(wishes, rights)
    if not allowed:
        return actions
    creating = allowed[0].verb == "create"
    if remote is None:
        return actions + (_plan_new(allowed) if creating else _plan_gone(allowed))
    if creating:
        # Ours is there: an earlier attempt arrived. What differs is somebody's later edit.
        actions.append(Confirm(allowed[0]))
        allowed = allowed[1:]
    return actions + _plan_existing(remote, allowed, undecided)


def _sift(wishes: Sequence[Wish], rights: Rights) -> tuple[list[Wish], list[Action]]:
    allowed: list[Wish] = []
    refused: list[Action] = []
    for wish in wishes:
        names = list(wish.changes) if wish.verb == "change" else [wish.verb]
        words = next((text for text in map(rights.refusal, names) if text), "")
        if words:
            refused.append(Refuse(wish, words))
        else:
            allowed.append(wish)
    return allowed, refused


def _plan_new(wishes: list[Wish]) -> list[Action]:
    """Nothing is there yet: one create carries the later edits along; a cancel undoes it unsent."""
    first, later = wishes[0], wishes[1:]
    if any(wish.verb == "cancel" and not wish.recurrence_id for wish in later):
        return [Confirm(wish) for wish in wishes]
    assert first.event is not None
    event = first.event
    carried = [first]
    for wish in later:
        if wish.verb == "change" and not wish.recurrence_id:
            event = fields.overlay(event, wish.changes)
            carried.append(wish)
    return [Create(tuple(carried), (event,))]


def _plan_gone(wishes: list[Wish]) -> list[Action]:
    """The object is not there: a cancel has its will, an edit is kept until its author decides."""
    return [Confirm(wish) if wish.verb == "cancel" else Restorable(wish) for wish in wishes]


@dataclass(slots=True)
class _Chain:
    """The values that the open wishes give one field, in order."""

    name: str
    start: Value
    links: list[tuple[Wish, Value]]

    @property
    def last(self) -> Value:
        return self.links[-1][1]

    def holds(self, value: Value) -> bool:
        same = fields.field(self.name).same
        return same(self.start, value) or any(same(becomes, value) for _, becomes in self.links[:-1])


def _plan_existing(remote: Remote, wishes: list[Wish], undecided: Sequence[Changes]) -> list[Action]:
    actions: list[Action] = []
    conflicts: dict[str, dict[str, Value]] = {}
    confirmed: dict[str, set[str]] = {}
    edit: dict[str, dict[str, Value]] = {}
    writing: list[Wish] = []
    by_id = {wish.id: wish for wish in wishes}
    changing: list[Wish] = []
    moves = [*undecided, *(wish.changes for wish in wishes if wish.verb == "change" and not wish.recurrence_id)]
    wishes = [wish for wish in wishes if not _waits_for_series(remote, wish, moves)]
    for wish in wishes:
        if wish.verb == "change" and _is_over(remote, wish):
            actions.append(Restorable(wish))
        elif wish.verb == "change":
            changing.append(wish)
    for recurrence_id, chains in _chains(changing, conflicts).items():
        event = event_at(remote, recurrence_id)
        assert event is not None
        for chain in chains:
            value = fields.field(chain.name).read(event)
            ids = [wish.id for wish, _ in chain.links]
            if fields.field(chain.name).same(value, chain.last):
                for wish_id in ids:
                    confirmed.setdefault(wish_id, set()).add(chain.name)
            elif chain.holds(value):
                edit.setdefault(recurrence_id, {})[chain.name] = chain.last
                writing += [by_id[wish_id] for wish_id in ids]
            else:
                for wish_id in ids:
                    conflicts.setdefault(wish_id, {})[chain.name] = value
    for wish in (wish for wish in wishes if wish.verb == "cancel"):
        answer = _plan_cancel(remote, wish, changing)
        if isinstance(answer, Delete):
            # The whole goes, and with it, once that is done, the edits that were on their way.
            return [Delete((wish, *(other for other in wishes if other is not wish)))]
        if isinstance(answer, Update):
            for recurrence_id, values in answer.edit.items():
                edit[recurrence_id] = dict(values)
            writing.append(wish)
        else:
            actions.append(answer)
    actions += [Confirm(by_id[wish_id], frozenset(names)) for wish_id, names in confirmed.items()]
    actions += [Conflict(by_id[wish_id], theirs) for wish_id, theirs in conflicts.items()]
    if edit:
        edit = _first_part(edit)
        carried = {wish.id: wish for wish in writing if wish.recurrence_id in edit}
        actions.append(Update(tuple(carried.values()), edit))
    return actions


def _is_over(remote: Remote, wish: Wish) -> bool:
    """Whether the calendar no longer has what the wish changes, or says that it is cancelled."""
    event = event_at(remote, wish.recurrence_id)
    return event is None or (event.status == "cancelled" and "status" not in wish.changes)


def _waits_for_series(remote: Remote, wish: Wish, moves: Sequence[Changes]) -> bool:
    """Whether `wish` means an occurrence that only an edit of the series, still to be written, brings about."""
    if not wish.recurrence_id or event_at(remote, wish.recurrence_id) is not None or "" not in remote:
        return False
    if (override := remote.get(wish.recurrence_id)) is not None and override.status == "cancelled":
        return False
    master = remote[""]
    for changes in moves:
        if not _SLOTS.isdisjoint(changes):
            master = fields.overlay(master, changes)
            if occurrence_of(master, wish.recurrence_id) is not None:
                return True
    return False


_SLOTS = frozenset({"when", "recurrence"})


def _first_part(edit: dict[str, dict[str, Value]]) -> dict[str, dict[str, Value]]:
    """Occurrences by the names that they have now, before a change of their series that renames them."""
    if "" in edit and len(edit) > 1 and not _SLOTS.isdisjoint(edit[""]):
        return {name: values for name, values in edit.items() if name}
    return edit


def _chains(wishes: Sequence[Wish], conflicts: dict[str, dict[str, Value]]) -> dict[str, list[_Chain]]:
    """Fold the wishes' changes into one chain for each field of each event.

    A wish whose author saw another value than the chain's last is in conflict with the chain.
    """
    found: dict[tuple[str, str], _Chain] = {}
    for wish in wishes:
        for name, (was, becomes) in wish.changes.items():
            key = (wish.recurrence_id, name)
            chain = found.get(key)
            same = fields.field(name).same
            if chain is None:
                found[key] = _Chain(name, was, [(wish, becomes)])
            elif same(chain.last, was) or same(chain.last, becomes):
                chain.links.append((wish, becomes))
            else:
                conflicts.setdefault(wish.id, {})[name] = chain.last
    grouped: dict[str, list[_Chain]] = {}
    for (recurrence_id, _), chain in found.items():
        grouped.setdefault(recurrence_id, []).append(chain)
    return grouped


def _plan_cancel(remote: Remote, wish: Wish, changing: Sequence[Wish]) -> Action:
    event = event_at(remote, wish.recurrence_id)
    if event is None or event.status == "cancelled":
        return Confirm(wish)
    expected = event
    for other in changing:
        if other.recurrence_id == wish.recurrence_id:
            expected = fields.overlay(expected, other.changes)
    if wish.event is not None:
        theirs = _changed_since(wish.event, event, expected)
        if theirs:
            return Conflict(wish, theirs)
    if not wish.recurrence_id or set(remote) == {wish.recurrence_id}:
        return Delete((wish,))
    return Update((wish,), {wish.recurrence_id: {"status": "cancelled"}})


def _changed_since(seen: Event, event: Event, expected: Event) -> dict[str, Value]:
    """The fields in which the calendar says neither what the person saw nor what is on its way."""
    seen = msgspec.structs.replace(seen, recurrence=event.recurrence if seen.recurrence_id else seen.recurrence)
    pending = fields.diff(seen, expected)
    return {name: fields.field(name).read(event) for name in fields.diff(seen, event) if name in pending}


def event_at(remote: Remote, recurrence_id: str) -> Event | None:
    """The event that stands at `recurrence_id`: an override, or the master's own occurrence.

    None when the series has no such slot any more, or it was taken out of the series.
    """
    event = remote.get(recurrence_id)
    if event is not None:
        return None if event.status == "cancelled" and recurrence_id else event
    master = remote.get("")
    if master is None or not recurrence_id:
        return None
    return occurrence_of(master, recurrence_id)


def occurrence_of(master: Event, recurrence_id: str) -> Event | None:
    """The master as it takes place at one slot: its time shifted there, without the rule."""
    if not is_recurring(master) or master.when is None or not recurrence_id:
        return None
    try:
        slot = _slot_at(master, recurrence_id)
    except (BadRecurrence, ValueError):
        return None
    if slot is None:
        return None
    return msgspec.structs.replace(master, recurrence_id=recurrence_id, recurrence=(), when=slot)


def _slot_at(master: Event, recurrence_id: str) -> When | None:
    original = original_start(recurrence_id)
    if not isinstance(original, datetime):
        original = datetime(original.year, original.month, original.day, tzinfo=UTC)
    slots = occurrences(master, {}, start=original, end=original + timedelta(seconds=1), company_zone="UTC")
    return next((slot.when for slot in slots if slot.original_start == recurrence_id), None)
