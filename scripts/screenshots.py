"""Pictures of a started sample for README.md: `python -m scripts.screenshots <sign-in link>`.

The link is one that `./start` prints for Alice. It needs Playwright of the developers' requirements; CHROMIUM names a
browser when Playwright has none of its own. Pictures go to docs/screens, small enough for a page of text.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

SCREENS = Path(__file__).resolve().parent.parent / "docs" / "screens"
SIZE: ViewportSize = {"width": 1260, "height": 620}
PERSON = "Priya Raman"


def take(page: Page, name: str) -> None:
    """Without what moves: the pointer rests outside, and animations have ended."""
    page.mouse.move(0, 0)
    page.screenshot(path=SCREENS / f"{name}.png", animations="disabled")


def signed_in(browser: Browser, link: str) -> Page:
    parts = urlsplit(link)
    page = browser.new_context(base_url=f"{parts.scheme}://{parts.netloc}", viewport=SIZE).new_page()
    page.goto(link)
    page.get_by_role("button").first.click()
    page.wait_for_url("**/calendar")
    return page


def people(page: Page) -> None:
    page.goto("/people?sort=next")
    page.get_by_role("link", name=PERSON, exact=True).click()
    page.locator("#preview.is-open").wait_for()
    take(page, "people")


def person(page: Page) -> None:
    page.locator("#preview").get_by_role("link", name="Open").click()
    page.get_by_role("heading", level=1, name=PERSON).wait_for()
    take(page, "person")


def event_form(page: Page) -> None:
    page.get_by_role("link", name="Create event", exact=False).first.click()
    form = page.locator("dialog[open]")
    form.get_by_label("Event name").fill("Phase plan review")
    form.get_by_label("Where").fill("Halden, Storgata 12")
    take(page, "event-form")


def week(page: Page, theme: str) -> None:
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    page.goto("/calendar?view=week")
    take(page, f"week-{theme}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("link", help="a sign-in link that ./start printed")
    link = parser.parse_args().link
    SCREENS.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM"), args=["--no-sandbox"])
        page = signed_in(browser, link)
        people(page)
        person(page)
        event_form(page)
        for theme in ("light", "dark"):
            week(page, theme)
        browser.close()


if __name__ == "__main__":
    main()
