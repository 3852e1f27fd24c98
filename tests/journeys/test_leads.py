"""A record finds its meetings by its address, whenever it comes to be, and keeps them when it becomes another."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.journeys.events import put_event
from tests.journeys.product import CalendarServer
from tests.journeys.visitor import Visitor, day_ahead

pytestmark = pytest.mark.journey

CHARLIE = "charlie@outside.example"


def test_a_new_lead_has_its_meetings_at_once_and_keeps_them_as_a_person(
    alice: Visitor, alices_server: CalendarServer
) -> None:
    put_event(alices_server, "charlie-past", "First words with Charlie", day_ahead(-9), CHARLIE)
    put_event(alices_server, "charlie-next", "Charlie comes by", day_ahead(9), CHARLIE)
    alice.sync()

    alice.go("/leads")
    alice.page.get_by_role("link", name="Add lead").click()
    panel = alice.page.get_by_role("dialog")
    panel.get_by_label("Name", exact=True).fill("Charlie Outside")
    panel.get_by_label("Company", exact=True).fill("Outside Studio")
    panel.get_by_label("Email 1", exact=True).fill(CHARLIE.upper())
    panel.get_by_role("button", name="Save").click()
    expect(alice.page.get_by_role("heading", name="Charlie Outside", level=1)).to_be_visible()
    expect(alice.event("Charlie comes by")).to_be_visible()
    expect(alice.event("First words with Charlie")).to_be_visible()

    alice.page.locator(".record-act").get_by_role("link", name="Convert").click()
    alice.page.get_by_role("dialog").get_by_role("button", name="Convert").click()
    expect(alice.page.get_by_text("is a person now")).to_be_visible()
    assert "/people/" in alice.page.url
    expect(alice.page.get_by_role("link", name="Outside Studio").first).to_be_visible()
    expect(alice.event("Charlie comes by")).to_be_visible()
    expect(alice.event("First words with Charlie")).to_be_visible()

    alice.event("Charlie comes by").get_by_role("link", name="Charlie comes by").click()
    expect(alice.page.get_by_role("definition").filter(has_text="Charlie Outside").first).to_be_visible()
