"""Journeys: a real browser at the real product, and at the calendar server behind it by plain HTTP.

Each journey has records and meetings of its own, so that they run in any order and leave each other alone.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.journeys.product import CalendarServer, Product, running
from tests.journeys.visitor import Visitor

NAMES = ("chromium", "chromium-browser", "google-chrome")
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where the system's browser is. Without one, journeys are skipped, or fail where they are required."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found:
        return found
    words = "Journeys need Chromium, and this machine has none. On Debian: apt-get install chromium"
    if os.environ.get("TANDEM_REQUIRE_BROWSER") == "1":
        pytest.fail(words, pytrace=False)
    pytest.skip(words)


@pytest.fixture(scope="session")
def tandem(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """Tandem with its sample team, calendar server and mail sink, started once for all journeys."""
    with running(tmp_path_factory.mktemp("sample"), "sandbox") as product:
        yield product


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Closed with its module: while Playwright runs, its thread has an event loop, which Django would refuse."""
    expect.set_options(timeout=15_000)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def kept_sign_ins() -> dict[str, Any]:
    """Each printed link works once: the first journey of a user signs in by it, later ones go on with its cookie."""
    return {}


Visits = Callable[..., Visitor]


@pytest.fixture
def visit(browser: Browser, tandem: Product, kept_sign_ins: dict[str, Any]) -> Iterator[Visits]:
    """`visit("Alice")`: Alice at her browser, signed in; `visit()`: somebody who is not.

    At the end, the browser's console must have been silent.
    """
    opened: list[Visitor] = []

    def come(first_name: str = "", *, phone: bool = False) -> Visitor:
        context = browser.new_context(
            viewport=PHONE if phone else DESKTOP,
            has_touch=phone,
            is_mobile=phone,
            storage_state=kept_sign_ins.get(first_name),
        )
        visitor = Visitor(context, tandem.url)
        opened.append(visitor)
        if first_name and first_name not in kept_sign_ins:
            visitor.sign_in_by(tandem.link(first_name))
            kept_sign_ins[first_name] = context.storage_state()
        return visitor

    yield come
    for visitor in opened:
        visitor.leave()


@pytest.fixture
def alice(visit: Visits) -> Visitor:
    return visit("Alice")


@pytest.fixture
def bob(visit: Visits) -> Visitor:
    return visit("Bob")


@pytest.fixture(scope="session")
def alices_server(tandem: Product) -> CalendarServer:
    """The calendar server as Alice's other programs reach it."""
    return tandem.calendar_server("alice")
