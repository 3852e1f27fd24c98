"""./start --clean: from an empty folder to a connected calendar, and out of it again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys.conftest import DESKTOP
from tests.journeys.events import strangers_event
from tests.journeys.product import Product, running
from tests.journeys.visitor import Visitor, day_ahead
from tests.radicale import PASSWORDS, RadicaleServer

pytestmark = pytest.mark.journey


@pytest.fixture
def clean(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """What ./start --clean starts, allowed to reach a calendar server on this machine."""
    data = tmp_path_factory.mktemp("clean")
    with running(data, "tandem", "serve", TANDEM_ALLOW_PRIVATE_NETWORK="1") as product:
        yield product


@pytest.fixture
def newcomer(browser: Browser, clean: Product) -> Iterator[Visitor]:
    visitor = Visitor(browser.new_context(viewport=DESKTOP), clean.url)
    yield visitor
    visitor.leave()


@pytest.fixture
def server(chromium: str) -> Iterator[RadicaleServer]:
    """A calendar server with two calendars of Alice's, a meeting in one of them."""
    with RadicaleServer() as started:
        work = started.make_calendar("alice", "work", title="Work")
        started.make_calendar("alice", "family", title="Family")
        event = strangers_event("first-visit", "First visit", day_ahead(4), "charlie@outside.example")
        started.put("alice", work + "first-visit.ics", event)
        yield started


def set_up(alice: Visitor) -> None:
    alice.go("/")
    page = alice.page
    expect(page.get_by_role("heading", name="Set up Tandem")).to_be_visible()
    page.get_by_label("Your name").fill("Alice Moreau")
    page.get_by_label("Your email").fill("alice@northwind.example")
    page.get_by_label("Password").fill("a long enough secret")
    page.get_by_label("Your company’s name").fill("Northwind")
    page.get_by_label("Time zone").fill("Europe/Berlin")
    page.get_by_role("button", name="Set up").click()
    expect(page.get_by_role("heading", name="Welcome, Alice")).to_be_visible()


def type_account(alice: Visitor, url: str, password: str) -> None:
    alice.page.get_by_label("Server’s address").fill(url)
    alice.page.get_by_label("User name").fill("alice")
    alice.page.get_by_label("Password").fill(password)
    alice.page.get_by_role("button", name="Connect", exact=True).click()


def test_the_first_run_makes_the_administrator_who_connects_a_calendar_and_leaves_it(
    newcomer: Visitor, server: RadicaleServer
) -> None:
    alice = newcomer
    set_up(alice)
    alice.page.get_by_role("link", name="Connect a calendar", exact=True).click()

    alice.expects(422)
    type_account(alice, server.url, "not her password")
    expect(alice.page.get_by_label("Password")).to_have_attribute("aria-invalid", "true")
    expect(alice.page.locator("#c-pass-e")).to_contain_text("password")
    expect(alice.page.get_by_label("User name")).to_have_value("alice")

    type_account(alice, server.url, PASSWORDS["alice"])
    # Radicale does not say which addresses are hers, so Tandem asks, and keeps the password meanwhile
    expect(alice.page.get_by_label("Your own addresses at this account")).to_have_value("alice@northwind.example")
    alice.page.get_by_role("button", name="Connect with these addresses").click()

    expect(alice.page.get_by_role("heading", name="Connected. Which calendars shall Tandem read?")).to_be_visible()
    expect(alice.page.get_by_role("checkbox", name="Read Work")).to_be_checked()
    alice.page.get_by_role("checkbox", name="Read Family").uncheck()
    alice.page.get_by_role("radio", name="New events go to Work").check()
    alice.page.get_by_role("button", name="Start reading").click()
    expect(alice.page.locator(".acct .pill")).to_have_text("In sync")
    expect(alice.page.get_by_role("checkbox", name="Read Family")).not_to_be_checked()

    alice.go("/people/new")
    alice.page.get_by_label("Name", exact=True).fill("Charlie Outside")
    alice.page.get_by_label("Email 1", exact=True).fill("charlie@outside.example")
    alice.page.get_by_role("button", name="Save", exact=True).click()
    expect(alice.event("First visit")).to_be_visible()
    charlie = alice.page.url.removeprefix(alice.url)

    alice.go("/accounts")
    alice.page.get_by_role("link", name="Disconnect").click()
    expect(alice.page.get_by_text("Nothing is deleted in the calendar, and nobody is mailed.")).to_be_visible()
    alice.page.get_by_role("button", name="Disconnect").click()
    expect(alice.page.get_by_role("heading", name="No calendar is connected yet")).to_be_visible()
    assert server.get("alice", "/alice/work/first-visit.ics") is not None
    alice.go(charlie)
    expect(alice.event("First visit")).to_have_count(0)
