"""The decision table: what is written, for which wish, and what is left to people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from tandem.calendaring import fields
from tandem.calendaring.event import Event, Guest, Organizer, When
from tandem.calendaring.plan import (
    Confirm,
    Conflict,
    Create,
    Delete,
    Refuse,
    Restorable,
    Rights,
    Update,
    Wish,
    Write,
    plan,
)

WHEN = When("2026-12-11T14:00:00", "2026-12-11T15:00:00", "Europe/Paris")
EVENT = Event(uid="walkthrough", title="Walkthrough", when=WHEN, location="Storgata 12")
WEEKLY = Event(uid="weekly", title="Weekly", when=WHEN, recurrence=("RRULE:FREQ=WEEKLY;COUNT=4",))
SECOND = "20261218T130000Z"
ALL = Rights()


def replaced(event: Event, **values: Any) -> Event:
    return msgspec.structs.replace(event, **values)


def edit(event: Event, wish_id: str = "1", recurrence_id: str = "", **values: Any) -> Wish:
    return Wish(wish_id, "change", recurrence_id, fields.diff(event, replaced(event, **values)))


def kinds(actions: Sequence[object]) -> list[type]:
    return [type(action) for action in actions]


def test_without_a_wish_nothing_is_done() -> None:
    assert plan({"": EVENT}, [], ALL) == []
    assert plan(None, [], ALL) == []


@pytest.mark.parametrize("write", [Write, Create, Update, Delete])
def test_a_write_cannot_be_made_without_a_wish(write: type[Write]) -> None:
    with pytest.raises(TypeError):
        write(())
    with pytest.raises(TypeError):
        write(("not a wish",))  # type: ignore[arg-type]


def test_a_field_that_still_says_was_is_written() -> None:
    wish = edit(EVENT, title="Proposal")
    assert plan({"": EVENT}, [wish], ALL) == [Update((wish,), {"": {"title": "Proposal"}})]


def test_a_field_that_already_says_becomes_is_confirmed_and_not_written() -> None:
    wish = edit(EVENT, title="Proposal")
    assert plan({"": replaced(EVENT, title="Proposal")}, [wish], ALL) == [Confirm(wish, frozenset({"title"}))]


def test_a_field_that_says_something_else_is_a_conflict_and_not_written() -> None:
    wish = edit(EVENT, title="Proposal")
    assert plan({"": replaced(EVENT, title="Theirs")}, [wish], ALL) == [Conflict(wish, {"title": "Theirs"})]


def test_fields_that_nobody_else_touched_go_through_beside_a_conflict() -> None:
    wish = edit(EVENT, title="Proposal", location="Hall B")
    actions = plan({"": replaced(EVENT, title="Theirs")}, [wish], ALL)
    assert actions == [Conflict(wish, {"title": "Theirs"}), Update((wish,), {"": {"location": "Hall B"}})]


def test_edits_of_different_guests_never_collide() -> None:
    alice, charlie = Guest("alice@northwind.example"), Guest("charlie@outside.example")
    wish = edit(EVENT, guests=(alice,))
    theirs = replaced(EVENT, guests=(charlie,))
    assert plan({"": theirs}, [wish], ALL) == [
        Update((wish,), {"": {"guest:alice@northwind.example": {"name": "", "optional": False}}})
    ]


def test_a_chain_of_edits_is_written_once_with_its_last_value() -> None:
    first = edit(EVENT, "1", title="B")
    second = edit(replaced(EVENT, title="B"), "2", title="C")
    assert plan({"": EVENT}, [first, second], ALL) == [Update((first, second), {"": {"title": "C"}})]


@pytest.mark.parametrize("arrived", ["B", "C"])
def test_a_chain_whose_answer_was_lost_is_no_conflict(arrived: str) -> None:
    first = edit(EVENT, "1", title="B")
    second = edit(replaced(EVENT, title="B"), "2", title="C")
    actions = plan({"": replaced(EVENT, title=arrived)}, [first, second], ALL)
    if arrived == "B":
        assert actions == [Update((first, second), {"": {"title": "C"}})]
    else:
        assert {action.wish.id for action in actions if isinstance(action, Confirm)} == {"1", "2"}
        assert not any(isinstance(action, Write) for action in actions)


def test_two_people_in_the_crm_who_saw_the_same_value_are_in_conflict() -> None:
    alices, bobs = edit(EVENT, "1", title="Alice's"), edit(EVENT, "2", title="Bob's")
    assert plan({"": EVENT}, [alices, bobs], ALL) == [
        Conflict(bobs, {"title": "Alice's"}),
        Update((alices,), {"": {"title": "Alice's"}}),
    ]


def test_a_create_goes_where_nothing_is_and_carries_later_edits() -> None:
    create = Wish("1", "create", event=EVENT)
    later = edit(EVENT, "2", title="Proposal")
    assert plan(None, [create, later], ALL) == [Create((create, later), (replaced(EVENT, title="Proposal"),))]


def test_a_create_that_arrived_already_is_confirmed() -> None:
    create = Wish("1", "create", event=EVENT)
    assert plan({"": EVENT}, [create], ALL) == [Confirm(create)]


def test_a_create_taken_back_before_it_was_sent_writes_nothing() -> None:
    create, cancel = Wish("1", "create", event=EVENT), Wish("2", "cancel", event=EVENT)
    assert plan(None, [create, cancel], ALL) == [Confirm(create), Confirm(cancel)]


def test_an_edit_of_what_was_cancelled_meanwhile_is_kept() -> None:
    wish = edit(EVENT, title="Proposal")
    assert plan(None, [wish], ALL) == [Restorable(wish)]


def test_a_cancel_removes_the_object() -> None:
    cancel = Wish("1", "cancel", event=EVENT)
    assert plan({"": EVENT}, [cancel], ALL) == [Delete((cancel,))]


def test_a_cancel_of_what_is_gone_is_done() -> None:
    cancel = Wish("1", "cancel", event=EVENT)
    assert plan(None, [cancel], ALL) == [Confirm(cancel)]


def test_a_cancel_of_what_changed_meanwhile_asks_first() -> None:
    cancel = Wish("1", "cancel", event=EVENT)
    moved = replaced(EVENT, when=When("2026-12-12T14:00:00", "2026-12-12T15:00:00", "Europe/Paris"))
    (action,) = plan({"": moved}, [cancel], ALL)
    assert isinstance(action, Conflict)
    assert set(action.theirs) == {"when"}


def test_a_cancel_after_ones_own_waiting_edit_does_not_ask() -> None:
    change = edit(EVENT, "1", title="Proposal")
    cancel = Wish("2", "cancel", event=replaced(EVENT, title="Proposal"))
    assert plan({"": EVENT}, [change, cancel], ALL) == [Delete((cancel, change))]


def test_one_occurrence_is_edited_by_its_own_slot() -> None:
    occurrence = replaced(
        WEEKLY,
        recurrence_id=SECOND,
        recurrence=(),
        when=When("2026-12-18T14:00:00", "2026-12-18T15:00:00", "Europe/Paris"),
    )
    wish = edit(occurrence, "1", SECOND, title="Moved to hall B")
    assert plan({"": WEEKLY}, [wish], ALL) == [Update((wish,), {SECOND: {"title": "Moved to hall B"}})]


def test_one_occurrence_is_cancelled_without_touching_the_series() -> None:
    cancel = Wish("1", "cancel", SECOND)
    assert plan({"": WEEKLY}, [cancel], ALL) == [Update((cancel,), {SECOND: {"status": "cancelled"}})]


def test_an_occurrence_that_left_the_series_is_kept_for_its_author() -> None:
    occurrence = replaced(WEEKLY, recurrence_id=SECOND, recurrence=())
    wish = edit(occurrence, "1", SECOND, title="Moved")
    without = replaced(WEEKLY, recurrence=(*WEEKLY.recurrence, f"EXDATE:{SECOND}"))
    assert plan({"": without}, [wish], ALL) == [Restorable(wish)]


def test_what_the_user_may_not_write_is_refused_with_the_reason() -> None:
    wish = edit(EVENT, title="Proposal")
    rights = Rights(refusal=lambda field: "Bob organizes this meeting." if field == "title" else "")
    assert plan({"": EVENT}, [wish], rights) == [Refuse(wish, "Bob organizes this meeting.")]


def test_the_first_guest_makes_the_author_the_organizer() -> None:
    wish = edit(EVENT, guests=(Guest("charlie@outside.example"),), organizer=Organizer("alice@northwind.example"))
    (action,) = plan({"": EVENT}, [wish], ALL)
    assert isinstance(action, Update)
    assert set(action.edit[""]) == {"guest:charlie@outside.example", "organizer"}


def test_a_description_rewritten_as_html_is_no_change() -> None:
    plain, rich = replaced(EVENT, description="Agenda"), replaced(EVENT, description="<p>Agenda</p>")
    assert fields.diff(plain, rich) == {}
    wish = edit(plain, description="New agenda")
    assert kinds(plan({"": rich}, [wish], ALL)) == [Update]
