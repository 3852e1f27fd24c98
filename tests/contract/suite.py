"""What every provider must do: one class of tests, inherited once for each provider.

A `Service` is the other side: a calendar server on which the tests act as another program would.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from functools import partial
from typing import Protocol

import msgspec
import pytest

from tandem.calendaring.event import Event, Guest, Organizer, When
from tandem.calendaring.provider import (
    AnswerLost,
    Changed,
    CursorExpired,
    Known,
    Page,
    Provider,
    Refused,
    RemoteItem,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
BERLIN = "Europe/Berlin"


class Service(Protocol):
    provider: Provider
    """One whose pages have 20 objects at most."""
    calendar: str
    readonly: str
    """A calendar in which only others may write; it holds one event at least."""
    secret: str
    """A password or token that the provider was given and must never show."""

    tells_totals: bool
    """Its listings say how many objects there are."""
    fills_pages: bool
    """No page but the last is shorter than it may be."""
    keeps_cursors: bool
    """Where nothing changed its cursor stays the same."""
    reads_back: bool
    """What a write answers with was read after it, and may be somebody else's later version."""

    def remote_id(self, name: str) -> str:
        """Under which `put` keeps what is called `name`, whether or not it is there."""

    def put(self, name: str, raw: str) -> str:
        """Another program stores the iCalendar text `raw`, in place of what it called so before. The remote id."""

    def put_unreadable(self, name: str) -> str:
        """Another program left something there that nobody can make an event of. Its remote id."""

    def get(self, remote_id: str) -> str | None:
        """All that stands there now, as a text of any form: two that are equal say that nothing changed."""

    def delete(self, remote_id: str) -> None: ...
    def as_created(self, event: Event, remote_id: str) -> Event:
        """What `event`, created there, is when it is read: some services give it a UID and an organizer."""

    def forget_cursors(self) -> None:
        """Whatever cursor was given out for `calendar` is unknown from now on."""

    def lose_next_answer(self) -> None:
        """The next write is carried out, and no answer comes."""

    def write_after_next_write(self, name: str, raw: str) -> None:
        """Another program stores `raw` right after our next write."""

    @property
    def requests(self) -> int: ...
    @property
    def writes(self) -> int: ...


class CalendarFiles:
    """The part of a `Service` that keeps iCalendar as it is sent, one resource for each remote object.

    `store` puts `raw` at a remote id, as another program does.
    """

    calendar: str
    store: Callable[[str, str], object]
    tells_totals = fills_pages = keeps_cursors = reads_back = True

    def remote_id(self, name: str) -> str:
        return f"{self.calendar}{name}.ics"

    def put(self, name: str, raw: str) -> str:
        self.store(self.remote_id(name), raw)
        return self.remote_id(name)

    def put_unreadable(self, name: str) -> str:
        lines = ("SUMMARY:Bad", "DTSTART;TZID=Mars/Olympus:20261201T100000")
        return self.put(name, resource(*lines, uid=name))

    def as_created(self, event: Event, remote_id: str) -> Event:
        return event


def resource(*lines: str, uid: str = "planning@example.org") -> str:
    """A calendar resource as another program stores it, with one VEVENT around `lines`."""
    return vcalendar(vevent(*lines, uid=uid))


def vevent(*lines: str, uid: str = "planning@example.org") -> str:
    return "\r\n".join(["BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20261101T080000Z", *lines, "END:VEVENT"])


def vcalendar(*components: str) -> str:
    head = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Another program//EN"]
    return "\r\n".join([*head, *components, "END:VCALENDAR", ""])


PLANNING = (
    "SUMMARY:Planning",
    "DTSTART;TZID=Europe/Berlin:20261201T100000",
    "DTEND;TZID=Europe/Berlin:20261201T110000",
)
WEEKLY = (
    "SUMMARY:Weekly",
    "DTSTART;TZID=Europe/Berlin:20261201T100000",
    "DTEND;TZID=Europe/Berlin:20261201T110000",
    "RRULE:FREQ=WEEKLY;COUNT=5",
)
SECOND = "20261208T090000Z"


def meeting(uid: str = "new@example.org") -> Event:
    return Event(
        uid,
        title="Kick-off",
        when=When("2026-12-02T09:00:00", "2026-12-02T10:00:00", BERLIN),
        organizer=Organizer("alice@northwind.example", "Alice Moreau"),
        guests=(Guest("charlie@halden.example", "Charlie"),),
    )


def all_of(pages: list[Page]) -> tuple[dict[str, RemoteItem], set[str], str]:
    """Items, removed ids and cursor of one run of `changes`; only its last page may have a cursor."""
    assert all(page.cursor is None and not page.complete for page in pages[:-1])
    assert pages[-1].cursor is not None
    items = {item.remote_id: item for page in pages for item in page.items}
    return items, {name for page in pages for name in page.removed}, pages[-1].cursor


def known(items: Mapping[str, RemoteItem]) -> dict[str, Known]:
    return {name: Known(item.etag, partial(str, item.raw)) for name, item in items.items()}


class ProviderContract:
    """Inherit it, and give a fixture `service`."""

    @pytest.fixture
    def provider(self, service: Service) -> Provider:
        return service.provider

    def read(self, service: Service, remote_id: str) -> RemoteItem:
        item = service.provider.read(service.calendar, remote_id)
        assert item is not None
        return item

    def listing(self, service: Service) -> tuple[dict[str, RemoteItem], str]:
        """Everything, and a cursor that has settled: a first listing may leave the token to the next look."""
        items, _, first = all_of(list(service.provider.changes(service.calendar, None, {})))
        changed, removed, cursor = all_of(list(service.provider.changes(service.calendar, first, known(items))))
        assert (changed, removed) == ({}, set())
        return items, cursor

    # Discovery

    def test_discovery_finds_both_calendars_and_their_rights_without_writing(self, service: Service):
        found = service.provider.discover()
        calendars = {calendar.remote_id: calendar for calendar in found.calendars}
        assert calendars[service.calendar].writable
        assert not calendars[service.readonly].writable
        assert found.endpoint
        assert found.subject_id
        assert service.writes == 0

    def test_discovery_twice_gives_the_same_subject(self, service: Service):
        assert service.provider.discover() == service.provider.discover()

    def test_the_password_is_never_shown(self, service: Service):
        assert service.secret not in repr(vars(service.provider))

    # Create

    def test_a_created_event_reads_back_as_what_was_asked_for(self, service: Service, provider: Provider):
        remote_id = provider.new_remote_id(service.calendar, "new@example.org")
        written = provider.create(service.calendar, remote_id, [meeting()], silent=True)
        assert written.ours
        assert written.item.remote_id == remote_id
        assert written.item.etag
        assert written.item.events == (service.as_created(meeting(), remote_id),)
        assert self.read(service, remote_id) == written.item

    def test_a_series_with_an_override_is_created_as_one_object(self, service: Service, provider: Provider):
        master = msgspec.structs.replace(meeting(), recurrence=("RRULE:FREQ=WEEKLY;COUNT=4",))
        override = msgspec.structs.replace(
            meeting(), recurrence_id="20261209T080000Z", when=When("2026-12-09T15:00:00", "2026-12-09T16:00:00", BERLIN)
        )
        remote_id = provider.new_remote_id(service.calendar, "new@example.org")
        written = provider.create(service.calendar, remote_id, [master, override], silent=True)
        # Some services create the series first, and then move the occurrence.
        found = {msgspec.structs.replace(event, sequence=0) for event in written.item.events}
        assert found == {service.as_created(event, remote_id) for event in (master, override)}

    def test_an_all_day_event_stays_one(self, service: Service, provider: Provider):
        day = msgspec.structs.replace(meeting(), when=When.days(date(2026, 12, 24), date(2026, 12, 27)))
        remote_id = provider.new_remote_id(service.calendar, day.uid)
        item = provider.create(service.calendar, remote_id, [day], silent=True).item
        assert item.events == (service.as_created(day, remote_id),)

    def test_creating_where_something_stands_is_refused_and_changes_nothing(self, service: Service, provider: Provider):
        remote_id = service.put("planning", resource(*PLANNING))
        before = service.get(remote_id)
        with pytest.raises(Changed):
            provider.create(service.calendar, remote_id, [meeting("planning@example.org")], silent=True)
        assert service.get(remote_id) == before

    def test_creating_in_a_read_only_calendar_is_refused_for_good(self, service: Service, provider: Provider):
        remote_id = provider.new_remote_id(service.readonly, "new@example.org")
        with pytest.raises(Refused) as refused:
            provider.create(service.readonly, remote_id, [meeting()], silent=True)
        assert "read this calendar, not change it" in refused.value.words
        assert service.get(remote_id) is None

    def test_a_create_whose_answer_is_lost_is_found_by_reading(self, service: Service, provider: Provider):
        remote_id = provider.new_remote_id(service.calendar, "new@example.org")
        service.lose_next_answer()
        with pytest.raises(AnswerLost):
            provider.create(service.calendar, remote_id, [meeting()], silent=True)
        assert self.read(service, remote_id).events == (service.as_created(meeting(), remote_id),)
        with pytest.raises(Changed):
            provider.create(service.calendar, remote_id, [meeting()], silent=True)

    @pytest.mark.parametrize(
        "uid", ["plain", "with space/slash@example.org", "ünï-cödé-会議", "a?b#c%20d&e=f+g", "..", "x" * 400]
    )
    def test_any_uid_makes_a_remote_id_that_works(self, service: Service, provider: Provider, uid: str):
        remote_id = provider.new_remote_id(service.calendar, uid)
        item = provider.create(service.calendar, remote_id, [meeting(uid)], silent=True).item
        assert item.events[0].uid == service.as_created(meeting(uid), remote_id).uid
        items, cursor = self.listing(service)
        assert remote_id in items
        provider.delete(service.calendar, item, silent=True)
        _, removed, _ = all_of(list(provider.changes(service.calendar, cursor, known(items))))
        assert removed == {remote_id}

    def test_texts_of_all_scripts_survive(self, service: Service, provider: Provider):
        text = 'Überblick; 会議, \\ "Zitat" \n👩‍👩‍👧‍👦 ' * 8
        event = msgspec.structs.replace(
            meeting(), title='Ärger; mit, \\ "Wörtern" 🎉', description=text.strip(), location="Zürich, Büro; 4"
        )
        remote_id = provider.new_remote_id(service.calendar, event.uid)
        item = provider.create(service.calendar, remote_id, [event], silent=True).item
        assert item.events[0].title == event.title
        assert item.events[0].location == event.location
        assert [line.rstrip() for line in event.description.split("\n")] == item.events[0].description.split("\n")

    # Update

    def test_an_update_changes_the_named_field_and_nothing_else(self, service: Service, provider: Provider):
        guests = (
            "ORGANIZER;CN=Alice:mailto:alice@northwind.example",
            "ATTENDEE;CN=Bob;PARTSTAT=ACCEPTED:mailto:bob@northwind.example",
            "DESCRIPTION:Bring numbers",
            "LOCATION:Room 4",
        )
        base = self.read(service, service.put("planning", resource(*PLANNING, *guests)))
        written = provider.update(service.calendar, base, {"": {"title": "New"}}, silent=True, now=NOW)
        assert written.ours
        assert written.item.etag != base.etag
        assert written.item.events == (msgspec.structs.replace(base.events[0], title="New"),)

    def test_an_update_of_an_old_version_is_refused_and_changes_nothing(self, service: Service, provider: Provider):
        remote_id = service.put("planning", resource(*PLANNING))
        base = self.read(service, remote_id)
        service.put("planning", resource("SUMMARY:Theirs", *PLANNING[1:]))
        with pytest.raises(Changed):
            provider.update(service.calendar, base, {"": {"title": "Mine"}}, silent=True, now=NOW)
        assert self.read(service, remote_id).events[0].title == "Theirs"

    def test_an_update_of_something_deleted_changes_nothing(self, service: Service, provider: Provider):
        remote_id = service.put("planning", resource(*PLANNING))
        base = self.read(service, remote_id)
        service.delete(remote_id)
        with pytest.raises(Changed):
            provider.update(service.calendar, base, {"": {"title": "Mine"}}, silent=True, now=NOW)
        assert service.get(remote_id) is None

    def test_a_version_that_somebody_wrote_after_ours_is_told(self, service: Service, provider: Provider):
        remote_id = service.put("planning", resource(*PLANNING))
        base = self.read(service, remote_id)
        items, cursor = self.listing(service)
        service.write_after_next_write("planning", resource("SUMMARY:Theirs", *PLANNING[1:]))
        written = provider.update(service.calendar, base, {"": {"title": "Mine"}}, silent=True, now=NOW)
        assert written.ours is not service.reads_back
        assert written.item.events[0].title == ("Theirs" if service.reads_back else "Mine")
        held = known(items) | {remote_id: Known(written.item.etag, partial(str, written.item.raw))}
        later, _, _ = all_of(list(provider.changes(service.calendar, cursor, held)))
        assert [item.events[0].title for item in later.values()] == ([] if service.reads_back else ["Theirs"])

    def test_an_update_whose_answer_is_lost_is_found_by_reading(self, service: Service, provider: Provider):
        remote_id = service.put("planning", resource(*PLANNING))
        base = self.read(service, remote_id)
        service.lose_next_answer()
        with pytest.raises(AnswerLost):
            provider.update(service.calendar, base, {"": {"title": "Mine"}}, silent=True, now=NOW)
        assert self.read(service, remote_id).events[0].title == "Mine"

    def test_updating_in_a_read_only_calendar_is_refused_for_good(self, service: Service, provider: Provider):
        items, _, _ = all_of(list(provider.changes(service.readonly, None, {})))
        base = next(iter(items.values()))
        with pytest.raises(Refused):
            provider.update(service.readonly, base, {"": {"title": "Mine"}}, silent=True, now=NOW)

    def test_what_can_not_be_edited_is_refused_without_a_write(self, service: Service, provider: Provider):
        base = self.read(service, service.put("planning", resource(*PLANNING)))
        with pytest.raises(Refused):
            provider.update(service.calendar, base, {SECOND: {"title": "Mine"}}, silent=True, now=NOW)
        assert service.writes == 0

    def test_guests_come_and_go_without_disturbing_each_other(self, service: Service, provider: Provider):
        guests = (
            "ORGANIZER:mailto:alice@northwind.example",
            "ATTENDEE;CN=Bob;PARTSTAT=ACCEPTED;X-MARK=1:mailto:bob@northwind.example",
            "ATTENDEE;PARTSTAT=TENTATIVE:mailto:charlie@halden.example",
        )
        base = self.read(service, service.put("planning", resource(*PLANNING, *guests)))
        edit = {"guest:charlie@halden.example": None, "guest:dora@halden.example": {"name": "Dora", "optional": True}}
        item = provider.update(service.calendar, base, {"": edit}, silent=True, now=NOW).item
        assert item.events[0].guests == (
            Guest("bob@northwind.example", "Bob", "accepted"),
            Guest("dora@halden.example", "Dora", optional=True),
        )

    # Series

    def test_an_occurrence_that_is_edited_gets_an_override(self, service: Service, provider: Provider):
        base = self.read(service, service.put("weekly", resource(*WEEKLY)))
        item = provider.update(service.calendar, base, {SECOND: {"title": "This one"}}, silent=True, now=NOW).item
        master, override = sorted(item.events, key=lambda event: event.recurrence_id)
        assert master == base.events[0]
        assert (override.recurrence_id, override.title) == (SECOND, "This one")
        assert override.when == When("2026-12-08T10:00:00", "2026-12-08T11:00:00", BERLIN)

    def test_an_occurrence_that_is_cancelled_is_taken_out(self, service: Service, provider: Provider):
        base = self.read(service, service.put("weekly", resource(*WEEKLY)))
        item = provider.update(service.calendar, base, {SECOND: {"status": "cancelled"}}, silent=True, now=NOW).item
        assert [event.recurrence for event in item.events] == [("RRULE:FREQ=WEEKLY;COUNT=5", f"EXDATE:{SECOND}")]

    def test_an_override_without_its_master_is_read_and_edited(self, service: Service, provider: Provider):
        alone = resource("RECURRENCE-ID;TZID=Europe/Berlin:20261208T100000", *PLANNING)
        base = self.read(service, service.put("alone", alone))
        assert [event.recurrence_id for event in base.events] == [SECOND]
        item = provider.update(service.calendar, base, {SECOND: {"title": "New"}}, silent=True, now=NOW).item
        assert [(event.recurrence_id, event.title) for event in item.events] == [(SECOND, "New")]

    # Delete

    def test_a_deleted_event_is_gone(self, service: Service, provider: Provider):
        remote_id = service.put("planning", resource(*PLANNING))
        provider.delete(service.calendar, self.read(service, remote_id), silent=True)
        assert provider.read(service.calendar, remote_id) is None

    def test_deleting_what_is_gone_is_fine(self, service: Service, provider: Provider):
        remote_id = service.put("planning", resource(*PLANNING))
        base = self.read(service, remote_id)
        service.delete(remote_id)
        provider.delete(service.calendar, base, silent=True)

    def test_deleting_an_old_version_is_refused(self, service: Service, provider: Provider):
        remote_id = service.put("planning", resource(*PLANNING))
        base = self.read(service, remote_id)
        service.put("planning", resource("SUMMARY:Theirs", *PLANNING[1:]))
        with pytest.raises(Changed):
            provider.delete(service.calendar, base, silent=True)
        assert service.get(remote_id) is not None

    # Changes

    def test_a_full_listing_has_everything_and_says_so(self, service: Service, provider: Provider):
        names = {service.put(f"e{number}", resource(*PLANNING, uid=f"e{number}")) for number in range(7)}
        pages = list(provider.changes(service.calendar, None, {}))
        items, removed, _ = all_of(pages)
        assert set(items) == names
        assert not removed
        assert pages[-1].complete
        assert {page.total for page in pages} == ({7} if service.tells_totals else {None})
        assert all(item.etag and item.events for item in items.values())

    def test_an_empty_calendar_lists_as_empty(self, service: Service, provider: Provider):
        pages = list(provider.changes(service.calendar, None, {}))
        assert all_of(pages)[0] == {}
        assert pages[-1].complete

    def test_a_large_listing_comes_in_pages(self, service: Service, provider: Provider):
        for number in range(25):
            service.put(f"e{number}", resource(*PLANNING, uid=f"e{number}"))
        pages = list(provider.changes(service.calendar, None, {}))
        assert all(len(page.items) <= 20 for page in pages)
        assert len(pages) == 2 or (len(pages) > 2 and not service.fills_pages)
        assert len(all_of(pages)[0]) == 25

    def test_a_cursor_brings_only_what_changed_since(self, service: Service, provider: Provider):
        first = service.put("one", resource(*PLANNING, uid="one"))
        second = service.put("two", resource(*PLANNING, uid="two"))
        third = service.put("three", resource(*PLANNING, uid="three"))
        items, cursor = self.listing(service)
        service.put("two", resource("SUMMARY:Changed", *PLANNING[1:], uid="two"))
        service.delete(third)
        fourth = service.put("four", resource(*PLANNING, uid="four"))
        changed, removed, after = all_of(list(provider.changes(service.calendar, cursor, known(items))))
        assert set(changed) == {second, fourth}
        assert changed[second].events[0].title == "Changed"
        assert removed == {third}
        assert first not in changed
        assert all_of(list(provider.changes(service.calendar, after, {})))[0] == {}

    def test_nothing_changed_is_one_request_and_no_write(self, service: Service, provider: Provider):
        service.put("one", resource(*PLANNING))
        items, cursor = self.listing(service)
        before, writes = service.requests, service.writes
        changed, removed, after = all_of(list(provider.changes(service.calendar, cursor, known(items))))
        assert (changed, removed) == ({}, set())
        assert after == cursor or not service.keeps_cursors
        assert service.requests - before == 1
        assert service.writes == writes

    def test_our_own_write_comes_back_without_its_content(self, service: Service, provider: Provider):
        remote_id = service.put("one", resource(*PLANNING))
        items, cursor = self.listing(service)
        written = provider.update(service.calendar, items[remote_id], {"": {"title": "Mine"}}, silent=True, now=NOW)
        changed, removed, _ = all_of(
            list(
                provider.changes(
                    service.calendar, cursor, {remote_id: Known(written.item.etag, partial(str, written.item.raw))}
                )
            )
        )
        assert (changed, removed) == ({}, set())

    def test_a_full_listing_fetches_only_what_differs_and_names_what_is_missing(
        self, service: Service, provider: Provider
    ):
        same = service.put("same", resource(*PLANNING, uid="same"))
        changed = service.put("changed", resource(*PLANNING, uid="changed"))
        gone = service.put("gone", resource(*PLANNING, uid="gone"))
        items, _ = self.listing(service)
        service.put("changed", resource("SUMMARY:Changed", *PLANNING[1:], uid="changed"))
        service.delete(gone)
        pages = list(provider.changes(service.calendar, None, known(items)))
        found, removed, _ = all_of(pages)
        assert set(found) == {changed}
        assert removed == {gone}
        assert same not in removed
        assert pages[-1].complete

    def test_a_forgotten_cursor_says_so_and_a_listing_works_after_it(self, service: Service, provider: Provider):
        remote_id = service.put("one", resource(*PLANNING))
        _, cursor = self.listing(service)
        service.forget_cursors()
        with pytest.raises(CursorExpired):
            list(provider.changes(service.calendar, cursor, {}))
        items, _ = self.listing(service)
        assert set(items) == {remote_id}

    def test_one_unreadable_object_is_named_and_the_rest_goes_on(self, service: Service, provider: Provider):
        bad = service.put_unreadable("bad")
        good = service.put("good", resource(*PLANNING, uid="good"))
        items, _ = self.listing(service)
        assert set(items) == {bad, good}
        assert items[bad].problem
        assert items[bad].events == ()
        assert items[bad].raw
        assert items[good].events
        assert not items[good].problem

    def test_reading_what_is_not_there_is_none(self, service: Service, provider: Provider):
        assert provider.read(service.calendar, service.remote_id("nothing")) is None

    # The first look

    def test_the_window_has_what_overlaps_it_and_no_cursor(self, service: Service, provider: Provider):
        inside = service.put("inside", resource(*PLANNING, uid="inside"))
        old = ("DTSTART:20200101T100000Z", "DTEND:20200101T110000Z")
        service.put("old", resource("SUMMARY:Old", *old, uid="old"))
        series = service.put("series", resource("SUMMARY:Long", *old, "RRULE:FREQ=DAILY", uid="series"))
        start, end = datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 12, 20, tzinfo=UTC)
        pages = list(provider.window(service.calendar, start, end))
        assert all(page.fast and page.cursor is None for page in pages)
        assert {item.remote_id for page in pages for item in page.items} == {inside, series}
        assert service.writes == 0


class CalendarFileContract(ProviderContract):
    """The same, and what only holds where iCalendar text is kept as it is sent."""

    def test_unknown_lines_survive_an_update_letter_by_letter(self, service: Service, provider: Provider):
        unknown = (
            'X-CRM-ID;X-WHY="a:b;c":do-not-touch\\, ever',
            "X-LONG:" + "ä" * 30,
            "CATEGORIES:ONE,TWO",
        )
        alarm = ("BEGIN:VALARM", "ACTION:AUDIO", "TRIGGER;VALUE=DATE-TIME:20261201T070000Z", "X-A:b", "END:VALARM")
        remote_id = service.put("planning", resource(*PLANNING, *unknown, *alarm))
        before = service.get(remote_id) or ""
        base = self.read(service, remote_id)
        provider.update(service.calendar, base, {"": {"title": "New", "location": "Room 5"}}, silent=True, now=NOW)
        after = service.get(remote_id) or ""
        touched = ("SUMMARY", "LOCATION", "DTSTAMP", "LAST-MODIFIED", "SEQUENCE")
        assert [line for line in before.splitlines() if not line.startswith(touched)] == [
            line for line in after.splitlines() if not line.startswith(touched)
        ]
