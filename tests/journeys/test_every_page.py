"""Every page: whole on a phone's width, and with nothing for the browser to complain about."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import Visits
from tests.journeys.events import CALENDAR
from tests.journeys.product import CalendarServer, until
from tests.journeys.visitor import Visitor, day_ahead

pytestmark = pytest.mark.journey

LISTS = ("people", "leads", "companies", "opportunities")
PAGES = (
    "/calendar",
    "/calendar?view=week",
    "/calendar?who=mine",
    "/decide",
    "/search?q=Halden",
    "/accounts",
    "/accounts/connect",
    "/mail",
    "/users",
    "/users/new",
    "/company",
    "/profile",
    "/welcome",
    "/more",
    "/events/new",
    *(f"/{plural}" for plural in LISTS),
    *(f"/{plural}/new" for plural in LISTS),
    "/people?owner=me",
    "/people?met=30&sort=last",
    "/people?quiet=60",
)


def paths(visitor: Visitor) -> list[str]:
    """All of PAGES, and of each kind of record the first one's page, form, preview and meeting."""
    found = list(PAGES)
    for plural in LISTS:
        visitor.go(f"/{plural}")
        row = visitor.page.locator("tr[data-row]").first
        record, key = row.get_attribute("data-open"), row.get_attribute("data-row")
        found += [
            f"{record}",
            f"{record}/edit",
            f"{record}/delete",
            f"/{plural}?preview={key}",
        ]
    visitor.go("/leads")
    found.append(f"{visitor.page.locator('tr[data-row]').first.get_attribute('data-open')}/convert")
    visitor.go("/calendar")
    meeting = visitor.page.locator("a.event-title").first.get_attribute("href")
    visitor.go("/accounts")
    leave = visitor.page.get_by_role("link", name="Disconnect").get_attribute("href")
    visitor.go("/users")
    user = visitor.page.get_by_role("link", name="Edit Bob Tanaka").get_attribute("href")
    return [*found, f"{meeting}", f"{meeting}/edit", f"{meeting}/cancel", f"{leave}", f"{user}"]


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_every_page_fits_and_its_console_is_silent(visit: Visits, phone: bool) -> None:
    alice = visit("Alice", phone=phone)
    wide = []
    for path in paths(alice):
        answer = alice.page.goto(alice.url + path)
        assert answer is not None
        assert answer.status == 200, path
        expect(alice.page.locator("main")).to_be_attached()
        alice.look_again()
        if too_wide := alice.overflow():
            wide.append(f"{path}: {too_wide}")
    assert wide == []


def test_a_page_that_is_not_there_says_so(alice: Visitor) -> None:
    alice.expects(404)
    answer = alice.page.goto(f"{alice.url}/nowhere")
    assert answer is not None
    assert answer.status == 404
    expect(alice.page.get_by_role("heading", level=1)).to_be_visible()


def test_on_a_phone_an_event_is_made_from_the_preview_of_a_person(visit: Visits, alices_server: CalendarServer) -> None:
    alice = visit("Alice", phone=True)
    alice.go("/people")
    assert not alice.overflow()
    alice.page.get_by_role("searchbox").fill("Ingrid")
    alice.page.locator("#list-rows").get_by_role("link", name="Ingrid Solheim").tap()
    preview = alice.page.get_by_label("Preview")
    expect(preview.get_by_role("heading", name="Ingrid Solheim")).to_be_in_viewport()
    assert not alice.overflow()
    preview.get_by_role("link", name="Create event with Ingrid Solheim").tap()

    expect(alice.form.get_by_label("Event name")).to_be_in_viewport()
    assert not alice.overflow()
    alice.fill_event("Clauses, once more", day_ahead(6), "16:00", "16:30")
    expect(alice.form.get_by_role("button", name="Save event")).to_be_in_viewport()
    alice.form.get_by_role("button", name="Save event").tap()
    expect(alice.event("Clauses, once more")).to_contain_text("16:00 – 16:30")
    assert not alice.overflow()
    until(lambda: alices_server.find(CALENDAR, "Clauses, once more"), "the event in the calendar")
