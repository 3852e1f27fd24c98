"""./start --google: through Google's pages to a connected calendar, and what is said when the walk goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.journeys.google import Google, address, choose_account, consent
from tests.journeys.product import Product, running, until
from tests.journeys.visitor import Visitor, day_ahead

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def tandem(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with running(tmp_path_factory.mktemp("google"), "sandbox", "--google") as product:
        yield product


@pytest.fixture(scope="module")
def kept_sign_ins() -> dict[str, Any]:
    return {}


@pytest.fixture(scope="module")
def google(tandem: Product) -> Google:
    return Google.of(tandem)


def test_alice_connects_google_sees_her_meetings_and_invites_a_guest_who_is_told_once(
    alice: Visitor, google: Google
) -> None:
    page = alice.page
    alice.go("/accounts")
    expect(page.get_by_role("heading", name="No calendar is connected yet")).to_be_visible()
    page.get_by_role("link", name="Connect Google").click()
    choose_account(page, address("Alice"))
    consent(page)

    expect(page.get_by_role("heading", name="Connected. Which calendars shall Tandem read?")).to_be_visible()
    expect(page.get_by_role("checkbox", name="Read alice@northwind.example")).to_be_checked()
    expect(page.get_by_role("radio", name="New events go to alice@northwind.example")).to_be_checked()
    page.get_by_role("checkbox", name="Read Personal").uncheck()
    page.get_by_role("button", name="Start reading").click()
    expect(page.locator(".acct .pill")).to_have_text("In sync")
    expect(page.get_by_role("heading", name="alice@northwind.example")).to_be_visible()

    alice.open_record("Oslo line, second phase", "opportunities")
    expect(alice.event("Contract review")).to_be_visible()
    alice.events.get_by_role("link", name="Create event with").click()
    expect(alice.form.locator(".guest")).to_contain_text("Priya Raman")
    expect(alice.form.locator("#event-effects")).to_contain_text("alice@northwind.example")
    expect(alice.form.locator("#event-effects")).to_contain_text("Google")
    alice.fill_event("Ramp-up plan", day_ahead(3), "10:00", "11:00")
    alice.form.get_by_role("button", name="Save event").click()
    expect(alice.event("Ramp-up plan")).to_contain_text("10:00 – 11:00")

    made = google.wait_for("Alice", "Ramp-up plan")
    assert made["start"]["dateTime"].startswith(f"{day_ahead(3).isoformat()}T10:00:00")
    assert [guest["email"] for guest in made["attendees"]].count("priya.raman@halden.example") == 1
    until(lambda: google.mails("Ramp-up plan"), "the invitation", pause=0.2)
    alice.sync()
    assert google.mails("Ramp-up plan") == [("invitation", "priya.raman@halden.example")]
    alice.go("/mail")
    expect(page.get_by_role("link", name="Ramp-up plan")).to_have_count(0)


def test_a_scope_left_out_connects_nothing_and_says_which(bob: Visitor, google: Google) -> None:
    page = bob.page
    bob.go("/accounts")
    page.get_by_role("link", name="Connect Google").click()
    choose_account(page, address("Bob"))
    consent(page, without="View and edit events")
    words = page.get_by_role("alert")
    expect(words).to_contain_text("Nothing was connected")
    expect(words).to_contain_text("to see and edit your events")
    expect(page.get_by_role("heading", name="No calendar is connected yet")).to_be_visible()
    assert google.allowed("Bob") == []


def test_consent_refused_connects_nothing(bob: Visitor) -> None:
    page = bob.page
    bob.go("/accounts")
    page.get_by_role("link", name="Connect Google").click()
    choose_account(page, address("Bob"))
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was connected: Google’s page was left with Cancel.")


def test_another_account_than_ones_own_is_asked_about_and_a_colleagues_is_theirs(bob: Visitor, google: Google) -> None:
    page = bob.page
    bob.go("/accounts")
    page.get_by_role("link", name="Connect Google").click()
    choose_account(page, "alice.moreau@mailbox.example")
    consent(page)
    expect(page.get_by_role("heading", name="Is this the Google account you meant?")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("alice.moreau@mailbox.example")
    page.get_by_role("button", name="Don’t connect").click()
    expect(page.get_by_role("status")).to_contain_text("was not connected")

    page.get_by_role("link", name="Connect Google").click()
    choose_account(page, address("Ines"))
    consent(page)
    expect(page.get_by_role("alert")).to_contain_text("ines@northwind.example is Ines Duarte’s address here")
    expect(page.get_by_role("heading", name="No calendar is connected yet")).to_be_visible()
    assert google.allowed("Bob") == google.allowed("Ines") == google.allowed("alice.moreau@mailbox.example") == []
