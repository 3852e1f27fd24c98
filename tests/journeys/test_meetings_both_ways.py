"""Meetings travel between Alice's pages and her calendar server, in both directions."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.events import CALENDAR, put_event
from tests.journeys.product import CalendarServer, Resource, until
from tests.journeys.visitor import Visitor, day_ahead

pytestmark = pytest.mark.journey


def uid_of(resource: Resource) -> str:
    found = re.search(r"^UID:(\S+)", resource.text, re.MULTILINE)
    assert found, resource.text
    return found[1]


def lines(resource: Resource) -> list[str]:
    return resource.text.replace("\r\n ", "").splitlines()


def test_a_new_event_reaches_the_calendar_and_its_guest_and_a_move_there_comes_back(
    alice: Visitor, alices_server: CalendarServer
) -> None:
    lucia = alice.open_record("Lucía Prieto")
    alice.events.get_by_role("link", name="Create event with Lucía Prieto").click()
    expect(alice.form.locator(".guest")).to_contain_text("Lucía Prieto")
    expect(alice.form.locator("#event-effects")).to_contain_text("Lucía will be mailed by Tandem.")
    alice.fill_event("Hygiene plan", day_ahead(3), "10:00", "11:00")
    alice.form.get_by_role("button", name="Save event").click()
    expect(alice.event("Hygiene plan")).to_contain_text("10:00 – 11:00")

    stored = until(lambda: alices_server.find(CALENDAR, "Hygiene plan"), "the event in the calendar")
    assert f"DTSTART;TZID=Europe/Paris:{day_ahead(3):%Y%m%d}T100000" in stored.text
    invitation = alice.mail("Invitation: Hygiene plan", "METHOD:REQUEST")
    assert f"UID:{uid_of(stored)}\n" in invitation
    assert re.search(r"^ORGANIZER[^:]*:mailto:alice@northwind\.example$", invitation, re.MULTILINE)
    assert re.search(r"^ATTENDEE[^:]*:mailto:front\.desk@solanaclinics\.example$", invitation, re.MULTILINE)

    moved = stored.text.replace("T100000\r\n", "T143000\r\n").replace("T110000\r\n", "T153000\r\n")
    alices_server.put(stored.path, moved.replace("Hygiene plan", "Hygiene plan\\, part one"), instead_of=stored)
    alice.sync()

    alice.go(lucia)
    expect(alice.event("Hygiene plan, part one")).to_contain_text("14:30 – 15:30")
    expect(alice.event("Hygiene plan")).to_have_count(0)


def test_the_plus_of_the_preview_creates_an_event_too(alice: Visitor, alices_server: CalendarServer) -> None:
    alice.go("/people")
    alice.page.get_by_role("searchbox").fill("Fatima")
    alice.page.locator("#list-rows").get_by_role("link", name="Fatima Zahra Idrissi").click()
    alice.page.get_by_label("Preview").get_by_role("link", name="Create event with Fatima Zahra Idrissi").click()
    expect(alice.form.locator(".guest")).to_contain_text("Fatima Zahra Idrissi")
    alice.fill_event("A first sketch", day_ahead(4), "09:30", "10:00")
    alice.form.get_by_role("button", name="Save event").click()

    expect(alice.page.get_by_role("heading", name="Fatima Zahra Idrissi", level=1)).to_be_visible()
    expect(alice.event("A first sketch")).to_contain_text("9:30 – 10:00")
    stored = until(lambda: alices_server.find(CALENDAR, "A first sketch"), "the event in the calendar")
    assert "mailto:fz.idrissi@atlas-studio.example" in stored.text.replace("\r\n ", "")


def test_an_edit_changes_what_it_names_and_a_cancelled_meeting_goes(
    alice: Visitor, alices_server: CalendarServer
) -> None:
    before = put_event(alices_server, "press-day", "Press day", day_ahead(5), "peter.novak@dispatch.example")
    alice.sync()
    peter = alice.open_record("Peter Novak")
    alice.event("Press day").get_by_role("link", name="Press day").click()
    alice.page.get_by_role("link", name="Change").click()
    alice.fill_event("Press morning", day_ahead(6), "11:00", "12:15")
    expect(alice.form.locator("#event-effects")).to_contain_text("Peter will be mailed by Tandem.")
    alice.form.get_by_role("button", name="Save changes").click()
    expect(alice.page.get_by_role("heading", name="Press morning")).to_be_visible()

    after = until(lambda: alices_server.find(CALENDAR, "Press morning"), "the new name in the calendar")
    assert after.path == before.path
    gone, new = (set(lines(a)) - set(lines(b)) for a, b in ((before, after), (after, before)))
    names = {re.split("[:;]", line)[0] for line in gone | new}
    assert names <= {"SUMMARY", "DTSTART", "DTEND", "DTSTAMP", "LAST-MODIFIED", "SEQUENCE"}, (gone, new)
    assert [line for line in lines(before) if "X-" in line] == [line for line in lines(after) if "X-" in line]
    update = alice.mail("Press morning", "METHOD:REQUEST")
    assert "UID:press-day\n" in update
    assert "SEQUENCE:3\n" in update

    alice.go(peter)
    alice.event("Press morning").get_by_role("link", name="Press morning").click()
    alice.page.get_by_role("link", name="Cancel meeting").click()
    expect(alice.page.locator("#event-effects")).to_contain_text("Peter will be mailed by Tandem.")
    alice.page.get_by_role("button", name="Cancel the meeting").click()
    expect(alice.page.get_by_role("heading", name="Peter Novak", level=1)).to_be_visible()

    until(lambda: alices_server.get(after.path) is None, "the event gone from the calendar")
    cancellation = alice.mail("Press morning", "METHOD:CANCEL")
    assert "UID:press-day\n" in cancellation
    assert "STATUS:CANCELLED\n" in cancellation
    alice.go(peter)
    alice.reload_until(lambda: alice.event("Press morning").count() == 0, "the cancelled meeting gone")


def test_edits_on_both_sides_wait_for_a_decision(alice: Visitor, alices_server: CalendarServer) -> None:
    stored = put_event(alices_server, "course", "Course outline", day_ahead(5), "moussa@baobab.example")
    alice.sync()
    moussa = alice.open_record("Moussa Faye")
    alice.event("Course outline").get_by_role("link", name="Course outline").click()
    alice.page.get_by_role("link", name="Change").click()
    alice.form.get_by_label("Event name").fill("Course outline, chapters")
    theirs = alices_server.put(
        stored.path, stored.text.replace("Course outline", "Course outline\\, moved online"), instead_of=stored
    )
    alice.form.get_by_role("button", name="Save changes").click()
    expect(alice.page.get_by_role("status").filter(has_text="Saved in Client meetings.")).to_be_visible()

    alice.go(moussa)
    alice.reload_until(lambda: alice.events.get_by_text("2 edits").count() == 1, "the conflict on the record")
    untouched = alices_server.get(stored.path)
    assert untouched == theirs

    alice.page.get_by_role("link", name="To decide").click()
    alice.page.get_by_role("listitem").filter(has_text="Course outline").get_by_role("link").click()
    expect(alice.page.get_by_role("group", name="Fields that differ")).to_contain_text("moved online")
    alice.page.get_by_role("radio", name=re.compile("chapters")).check()
    alice.page.get_by_role("button", name="Save this version").click()

    until(lambda: alices_server.find(CALENDAR, "Course outline, chapters"), "my version in the calendar")
    alice.go(moussa)
    alice.reload_until(lambda: alice.events.get_by_text("2 edits").count() == 0, "the conflict settled")
    expect(alice.event("Course outline, chapters")).to_be_visible()
    alice.go("/decide")
    expect(alice.page.get_by_text("Nothing to decide")).to_be_visible()


def test_edits_on_both_sides_in_different_fields_both_survive(alice: Visitor, alices_server: CalendarServer) -> None:
    stored = put_event(alices_server, "walk", "Walk through", day_ahead(5), "luc.ferrand@vauban.example")
    alice.sync()
    luc = alice.open_record("Luc Ferrand")
    alice.event("Walk through").get_by_role("link", name="Walk through").click()
    alice.page.get_by_role("link", name="Change").click()
    alice.form.get_by_label("Where").fill("Workshop, gate 2")
    theirs = stored.text.replace("SUMMARY:Walk through", "SUMMARY:Long walk through")
    alices_server.put(stored.path, theirs, instead_of=stored)
    alice.form.get_by_role("button", name="Save changes").click()

    def both() -> bool:
        now = alices_server.get(stored.path)
        return now is not None and "LOCATION:Workshop\\, gate 2\r\n" in now.text

    until(both, "my place in the calendar")
    assert alices_server.find(CALENDAR, "Long walk through")
    alice.sync()
    alice.go(luc)
    alice.event("Long walk through").get_by_role("link", name="Long walk through").click()
    expect(alice.page.get_by_role("definition").filter(has_text="Workshop, gate 2")).to_be_visible()
    expect(alice.page.get_by_text("2 edits")).to_have_count(0)


def test_what_is_deleted_in_the_calendar_is_gone_from_the_record(alice: Visitor, alices_server: CalendarServer) -> None:
    stored = put_event(alices_server, "tasting", "Tasting", day_ahead(7), "imogen@orchardvale.example")
    alice.sync()
    imogen = alice.open_record("Imogen Vale")
    expect(alice.event("Tasting")).to_be_visible()
    alices_server.delete(stored)
    alice.sync()
    alice.go(imogen)
    expect(alice.events).to_contain_text("Orchard & Vale, maybe")
    expect(alice.event("Tasting")).to_have_count(0)
