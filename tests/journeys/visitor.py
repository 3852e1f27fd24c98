"""A person at a browser: what they do in one go, and what their browser complained about meanwhile."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import date, timedelta

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, expect

from tests.journeys.product import DEADLINE

# A page that Tandem answers with 403 or 422 on purpose: the browser notes the status, and no more.
_STATUS = re.compile(r"Failed to load resource: the server responded with a status of (\d+)")
_TELL_VIOLATIONS = (
    "addEventListener('securitypolicyviolation', e => console.error('CSP', e.violatedDirective, e.blockedURI))"
)


class Visitor:
    """One browser window. `page` is Playwright's; the methods are the steps that journeys share."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.url = url
        self.complaints: list[str] = []
        self._allowed: set[str] = set()
        self._context = context
        context.add_init_script(_TELL_VIOLATIONS)
        context.on("console", self._heard)
        context.on("weberror", lambda error: self.complaints.append(f"{error.page and error.page.url}: {error.error}"))
        self.page: Page = context.new_page()
        self.page.set_default_timeout(15_000)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type not in {"error", "warning"}:
            return
        status = _STATUS.search(message.text)
        if not (status and status[1] in self._allowed):
            self.complaints.append(f"{message.page and message.page.url}: {message.text}")

    def expects(self, status: int) -> None:
        """A page of this journey is meant to answer with `status`, which browsers write to the console."""
        self._allowed.add(str(status))

    def leave(self) -> None:
        self._context.close()
        assert self.complaints == []

    # ---- ways ----

    def go(self, path: str) -> Page:
        self.page.goto(self.url + path)
        return self.page

    def sign_in_by(self, link: str) -> None:
        self.page.goto(link)
        self.page.get_by_role("button", name=re.compile("^Sign in as")).click()
        expect(self.page.get_by_role("navigation", name=re.compile("^Main")).first).to_be_attached()

    def open_record(self, name: str, plural: str = "people") -> str:
        """To the page of a record by its list, as one does: type, look at it, open. Gives the page's path."""
        self.go(f"/{plural}")
        self.page.get_by_role("searchbox").fill(name)
        self.page.locator("#list-rows").get_by_role("link", name=name, exact=True).click()
        preview = self.page.get_by_label("Preview")
        expect(preview.get_by_role("heading", name=name)).to_be_visible()
        preview.get_by_role("link", name="Open").click()
        expect(self.page.get_by_role("heading", name=name, level=1)).to_be_visible()
        return self.page.url.removeprefix(self.url)

    def sync(self) -> None:
        """Click "Sync now" and see the account come back in sync."""
        self.go("/accounts")
        self.page.evaluate("document.getElementById('accounts').className = 'before'")
        self.page.get_by_role("button", name="Sync now").click()
        expect(self.page.locator("#accounts:not(.before) .acct .pill")).to_have_text("In sync")

    def search(self, words: str) -> Locator:
        """Search for `words` everywhere; gives what was found."""
        self.go("/search")
        self.page.get_by_role("searchbox").fill(words)
        results = self.page.locator("#results")
        expect(
            results.get_by_role("link").or_(results.get_by_text(f"Nothing begins with “{words}”")).first
        ).to_be_visible()
        return results

    # ---- what is on the page ----

    @property
    def events(self) -> Locator:
        """The Calendar events of the record's page or preview that is open."""
        return self.page.get_by_role("region", name="Calendar events")

    def event(self, title: str) -> Locator:
        """The row of the meeting with exactly this title."""
        return self.events.get_by_role("listitem").filter(has=self.page.get_by_text(title, exact=True))

    @property
    def form(self) -> Locator:
        return self.page.locator("#event-form")

    def fill_event(self, title: str, day: date, start: str, end: str) -> None:
        self.form.get_by_label("Event name").fill(title)
        self.fill_time(day, start, end)

    def fill_time(self, day: date, start: str, end: str) -> None:
        self.form.get_by_label("Date").fill(day.isoformat())
        self.form.get_by_label("Starts").fill(start)
        self.form.get_by_label("Starts").press("Tab")  # the end follows the start, then it is written
        self.form.get_by_label("Ends").fill(end)

    def reload_until(self, look: Callable[[], bool], what: str) -> None:
        """Look at this page again until it shows something that comes by itself. Fails after the deadline."""
        end = time.monotonic() + DEADLINE
        while not look():
            assert time.monotonic() < end, f"Not on {self.page.url} within {DEADLINE:.0f} s: {what}"
            self.page.reload()

    def mail(self, subject: str, words: str) -> str:
        """The calendar part of the sample mail with this subject, its lines unfolded, that has `words` in it."""
        self.go("/mail")
        seen: set[str] = set()
        end = time.monotonic() + DEADLINE
        while True:
            links = self.page.locator(".mail-list").get_by_role("link", name=subject)
            fresh = [href for link in links.all() if (href := link.get_attribute("href") or "") not in seen]
            for href in fresh:
                seen.add(href)
                self.go(href)
                text = self.page.locator(".mail-raw").inner_text().replace("\n ", "")
                if words in text:
                    return text
            assert time.monotonic() < end, f"No mail “{subject}” with {words!r} within {DEADLINE:.0f} s"
            self.go("/mail")

    def look_again(self) -> None:
        """Come back to this tab: what keeps itself up to date is read again, but not behind an open form."""
        live, form = (self.page.locator(part).count() for part in ("[data-live]", "[data-dialog]"))
        if live and not form:
            here = self.page.url
            with self.page.expect_response(lambda response: response.url == here):
                self.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    def overflow(self) -> str:
        """Empty, or how much wider than its window the page is. A phone's own innerWidth grows with the page."""
        window = self.page.viewport_size
        assert window is not None
        width = self.page.evaluate("document.documentElement.scrollWidth")
        return f"{width} px in a window of {window['width']}" if width > window["width"] else ""


def day_ahead(days: int) -> date:
    """A day that is that many days away in Paris too, whatever the hour of the test."""
    return date.today() + timedelta(days=days)  # noqa: DTZ011
