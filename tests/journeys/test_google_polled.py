"""Google where it cannot call Tandem, as without a public HTTPS address: the open page follows by polling alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.journeys.google import Google, at, connect
from tests.journeys.product import Product, running
from tests.journeys.visitor import Visitor, day_ahead

pytestmark = pytest.mark.journey

POLL = 30
"""Seconds between two looks while the calendar's owner is here."""


@pytest.fixture(scope="module")
def tandem(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """Under a name that Google takes for no HTTPS address; browsers find each `.localhost` on this machine."""
    with running(tmp_path_factory.mktemp("polled"), "sandbox", "--google", host="tandem.localhost") as product:
        yield product


@pytest.fixture(scope="module")
def kept_sign_ins() -> dict[str, Any]:
    return {}


@pytest.fixture(scope="module")
def google(tandem: Product) -> Google:
    return Google.of(tandem)


def test_without_push_what_moves_in_google_moves_on_the_open_page_at_the_next_poll(
    alice: Visitor, google: Google
) -> None:
    day = day_ahead(5)
    made = google.insert("Alice", "Shelf plan", at(day, "09:00"), at(day, "10:00"), "marcus@halejoinery.example")
    connect(alice, "Alice")
    alice.open_record("Marcus Hale")
    expect(alice.event("Shelf plan")).to_contain_text("09:00 – 10:00")
    alice.page.evaluate("window.stays = true")
    start = at(day, "11:30")
    google.patch("Alice", made, start=start, end=start + timedelta(hours=1))
    expect(alice.event("Shelf plan")).to_contain_text("11:30 – 12:30", timeout=1000 * (POLL + 15))
    assert alice.page.evaluate("window.stays") is True
    assert google.requests("events.watch", "Alice") == []
