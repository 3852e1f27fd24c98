"""What colleagues see of each other's meetings, and what they do not."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import Visits
from tests.journeys.visitor import Visitor

pytestmark = pytest.mark.journey


def test_a_colleagues_meeting_shows_but_does_not_open(alice: Visitor, bob: Visitor) -> None:
    priya = alice.open_record("Priya Raman")
    own = alice.event("Contract review").get_by_role("link", name="Contract review").get_attribute("href")
    assert own

    bob.go(priya)
    seen = bob.event("Contract review")
    expect(seen).to_contain_text("the details stay with Alice")
    expect(seen.get_by_role("link")).to_have_count(0)
    bob.expects(403)
    answer = bob.page.goto(bob.url + own)
    assert answer is not None
    assert answer.status == 403
    expect(bob.page.get_by_role("heading", level=1)).to_have_text("The details stay with the people of this meeting")
    expect(bob.page.locator("main .lede")).to_contain_text("Alice")
    expect(bob.page.get_by_text("Contract review")).to_have_count(0)


def test_what_is_linked_to_nobody_is_only_busy_to_colleagues(alice: Visitor, bob: Visitor) -> None:
    alice.go("/calendar")
    expect(alice.page.get_by_role("link", name="Dentist", exact=True)).to_be_visible()
    bob.go("/calendar")
    expect(bob.page.get_by_text("Dentist")).to_have_count(0)
    busy = bob.page.locator(".ag").filter(has_text=re.compile(r"^\s*08:30\s*09:00"))
    expect(busy).to_contain_text("Busy")
    expect(busy).to_contain_text("Alice Moreau")
    expect(busy.get_by_role("link")).to_have_count(0)

    expect(alice.search("Dentist").get_by_role("link", name=re.compile("Dentist"))).to_have_count(1)
    expect(bob.search("Dentist").get_by_role("link", name=re.compile("Dentist"))).to_have_count(0)
    expect(bob.search("Mercière").get_by_role("link")).to_have_count(0)


def test_a_private_meeting_never_shows_its_name_to_a_colleague(alice: Visitor, bob: Visitor) -> None:
    nadia = alice.open_record("Nadia Benali")
    expect(alice.event("Talk about the takeover")).to_contain_text("Private")
    address = alice.event("Talk about the takeover").get_by_role("link").get_attribute("href")
    assert address

    for path in (nadia, f"{nadia}?show=meetings", "/calendar", "/calendar?view=week", "/people?q=Nadia"):
        bob.go(path)
        expect(bob.page.get_by_role("navigation", name="Main", exact=True)).to_be_visible()
        assert "takeover" not in bob.page.content(), path
    expect(bob.search("takeover").get_by_role("link")).to_have_count(0)
    bob.expects(403)
    answer = bob.page.goto(bob.url + address)
    assert answer is not None
    assert answer.status == 403
    assert "takeover" not in bob.page.content()


def test_a_read_only_colleague_looks_and_changes_nothing(visit: Visits) -> None:
    ines = visit("Ines")
    ines.open_record("Priya Raman")
    expect(ines.event("Contract review")).to_be_visible()
    expect(ines.page.get_by_role("link", name=re.compile("[Cc]reate event"))).to_have_count(0)
    ines.expects(403)
    answer = ines.page.goto(ines.url + "/events/new")
    assert answer is not None
    assert answer.status == 403


def test_a_sign_in_link_works_once(alice: Visitor, visit: Visits) -> None:
    alice.go("/users")
    alice.page.get_by_role("link", name="Edit Bob Tanaka").click()
    alice.page.get_by_role("button", name="Make a link").click()
    link = alice.page.get_by_label("Link", exact=True).input_value()

    stranger = visit()
    stranger.sign_in_by(link)
    expect(stranger.page.locator(".side-user")).to_contain_text("Bob Tanaka")
    stranger.expects(410)
    answer = stranger.page.goto(link)
    assert answer is not None
    assert answer.status == 410
    expect(stranger.page.get_by_role("heading", name="This link is used up")).to_be_visible()
