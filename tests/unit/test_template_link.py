"""The address of Google's create form: what it carries, and what it never does."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tandem.calendaring.event import Event, Guest, When
from tandem.calendaring.template_link import LONGEST, template_link

ALICE = "alice@northwind.example"
TEN = When("2026-01-05T10:00:00", "2026-01-05T11:30:00", "Europe/Berlin")


def values(address: str) -> dict[str, str]:
    return {name: found[0] for name, found in parse_qs(urlsplit(address).query, strict_parsing=True).items()}


def link(site: str = "", **event: Any) -> str:
    return template_link(Event(uid="", **event), authuser=ALICE, calendar_id="work@group.example", site=site)


def test_everything_that_the_form_takes_in_the_right_account() -> None:
    address = link(
        title="Kick-off & plan",
        when=TEN,
        location="Hall A, Dock 4",
        description="First line\nsecond line",
        guests=(Guest("priya@halden.example"), Guest("tom@halden.example")),
        recurrence=("EXDATE:20260112T090000Z", "RRULE:FREQ=WEEKLY;COUNT=3"),
    )
    assert address.startswith("https://calendar.google.com/calendar/render?action=TEMPLATE&")
    assert values(address) == {
        "action": "TEMPLATE",
        "text": "Kick-off & plan",
        "dates": "20260105T100000/20260105T113000",
        "ctz": "Europe/Berlin",
        "details": "First line\nsecond line",
        "location": "Hall A, Dock 4",
        "add": "priya@halden.example,tom@halden.example",
        "recur": "RRULE:FREQ=WEEKLY;COUNT=3",
        "src": "work@group.example",
        "authuser": ALICE,
    }


def test_all_day_is_dates_with_an_exclusive_end_and_no_zone() -> None:
    found = values(link(title="Fair", when=When("2026-01-05", "2026-01-08")))
    assert found["dates"] == "20260105/20260108"
    assert "ctz" not in found


def test_what_the_event_does_not_say_is_not_there() -> None:
    assert values(link()) == {"action": "TEMPLATE", "src": "work@group.example", "authuser": ALICE}


def test_rooms_are_no_guests() -> None:
    room = Guest("hall-a@resource.example", resource=True)
    assert values(link(guests=(room, Guest("priya@halden.example"))))["add"] == "priya@halden.example"


@pytest.mark.parametrize("text", ["a&authuser=mallory@x.example", "#top", "100 % + more", "Größe “B” 🙂", "<b>\r\n"])
def test_no_text_gets_out_of_its_place(text: str) -> None:
    address = link(title=text, description=text, location=text)
    found = values(address)
    assert (found["text"], found["details"], found["location"], found["authuser"]) == (text, text, text, ALICE)
    assert not urlsplit(address).fragment
    assert address.isascii()


@pytest.mark.parametrize("letter", ["x", "ü", "🙂"])
def test_a_long_description_is_cut_so_that_the_address_stays_short(letter: str) -> None:
    address = link(title="Kick-off", when=TEN, description=letter * 9000, guests=(Guest("priya@halden.example"),))
    assert LONGEST - 60 < len(address) <= LONGEST
    assert values(address)["details"].endswith("…")
    assert values(address)["add"] == "priya@halden.example"


def test_long_titles_and_places_are_cut_and_guests_never() -> None:
    guests = tuple(Guest(f"guest{number}@halden.example") for number in range(200))
    found = values(link(title="ü" * 5000, location="y" * 5000, description="z" * 5000, guests=guests))
    assert len(found["add"].split(",")) == 200
    assert found["text"].endswith("…")
    assert found["location"].endswith("…")
    assert "details" not in found


def test_a_stand_in_takes_the_place_of_google() -> None:
    assert link("http://127.0.0.1:8900/").startswith("http://127.0.0.1:8900/calendar/render?action=TEMPLATE&")


@pytest.mark.parametrize("site", ["javascript:alert(1)", "//evil.example", "ftp://x.example", "data:text/html,x", "x"])
def test_only_http_bases(site: str) -> None:
    with pytest.raises(ValueError, match="https://"):
        link(site)
