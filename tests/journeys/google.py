"""The stand-in for Google as the sample's people meet it: other programs by its API, browsers by its pages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import httpx2
from playwright.sync_api import Page, expect

from tests.journeys.product import Product, until
from tests.journeys.visitor import Visitor

Json = dict[str, Any]
LOOK = 0.2
"""Between two looks: Google counts requests by the minute, and so does its stand-in."""


def at(day: date, clock: str) -> datetime:
    """A wall time: `at(day, "09:00")`."""
    return datetime.fromisoformat(f"{day.isoformat()}T{clock}:00")


def address(name: str) -> str:
    """Of one of the team by the first name; other addresses stay as they are."""
    return name if "@" in name else f"{name.lower()}@northwind.example"


@dataclass(frozen=True, slots=True)
class Google:
    """The stand-in that a product printed, with a token for each of the team."""

    site: str
    tokens: dict[str, str]

    @classmethod
    def of(cls, product: Product) -> Google:
        root = re.search(r"can be pointed at it: (\S+)/calendar/v3/", product.said)
        assert root, product.said
        return cls(root[1], dict(re.findall(r"^  (\w+)\s+token (\S+)$", product.said, re.MULTILINE)))

    # ---- as a phone, by the API ----

    def events(self, who: str, **parameters: str) -> list[Json]:
        """Events of the primary calendar of `who`, which the parameters of `events.list` choose."""
        items: list[Json] = []
        page: dict[str, str] = {}
        while True:
            found = self.call(who, "GET", "events", **parameters, **page)
            items += found["items"]
            if "nextPageToken" not in found:
                return items
            page = {"pageToken": found["nextPageToken"]}

    def titled(self, who: str, title: str) -> list[Json]:
        return [event for event in self.events(who, q=title) if event.get("summary") == title]

    def wait_for(self, who: str, title: str) -> Json:
        """The one event with this title, as soon as it is there."""
        found = until(lambda: self.titled(who, title), f"“{title}” in {who}’s Google calendar", pause=LOOK)
        assert len(found) == 1, found
        return found[0]

    def insert(self, who: str, title: str, start: datetime, end: datetime, *guests: str) -> Json:
        """An event that `who` makes on their phone, without a mail. Times are wall times in Paris."""
        body = {"summary": title, "start": _time(start), "end": _time(end)}
        people = [{"email": address(who), "responseStatus": "accepted"}, *({"email": guest} for guest in guests)]
        return self.call(who, "POST", "events", body | {"attendees": people}, sendUpdates="none")

    def patch(self, who: str, event: Json, **fields: Any) -> Json:
        """Fields as the API has them; a datetime is a wall time in Paris. Nobody is mailed."""
        body = {name: _time(value) if isinstance(value, datetime) else value for name, value in fields.items()}
        return self.call(who, "PATCH", f"events/{event['id']}", body, sendUpdates="none")

    def call(self, who: str, verb: str, path: str, body: Json | None = None, **parameters: str) -> Json:
        answer = httpx2.request(
            verb,
            f"{self.site}/calendar/v3/calendars/primary/{path}",
            params=parameters,
            json=body,
            headers={"Authorization": f"Bearer {self.tokens[who.lower()]}"},
            timeout=20,
        )
        assert answer.status_code < 300, answer.text
        found: Json = answer.json() if answer.content else {}
        return found

    # ---- what the stand-in notes ----

    def mails(self, title: str) -> list[tuple[str, str]]:
        """(kind, recipient) of each mail that Google would have sent about events with this title, in their order."""
        rows: list[Json] = httpx2.get(f"{self.site}/_sandbox/mails", timeout=20).json()
        return [(row["kind"], row["to"]) for row in rows if row["summary"] == title]

    def requests(self, method: str, who: str) -> list[Json]:
        """What came in of `method` ("events.insert") for `who`, phones included."""
        rows: list[Json] = httpx2.get(f"{self.site}/_sandbox/requests", timeout=20).json()
        return [row for row in rows if (row["method"], row["user"]) == (method, address(who))]

    # ---- as their owner, at their Google account ----

    def allowed(self, who: str) -> list[str]:
        """The applications that `who` let in, as Google's page of third-party connections names them."""
        page = httpx2.get(f"{self.site}/connections", timeout=20).text
        return re.findall(rf"<p>([^<]+) has access to the calendars of [^<]+ \({re.escape(address(who))}\)", page)

    def take_back_access(self, who: str) -> None:
        """What the button on Google's page of third-party connections does."""
        answer = httpx2.post(f"{self.site}/connections", data={"user": address(who), "client": ""}, timeout=20)
        assert answer.status_code == 302, answer.text


def _time(wall: datetime) -> Json:
    return {"dateTime": wall.isoformat(timespec="seconds"), "timeZone": "Europe/Paris"}


# ---- the walk through Google's pages ----


def choose_account(page: Page, account: str) -> None:
    expect(page.get_by_role("heading", name="Choose an account")).to_be_visible()
    page.get_by_role("link", name=account).click()


def consent(page: Page, *, without: str = "") -> None:
    """Go on with all ticks that the page comes with, or without the one that says `without`."""
    expect(page.get_by_role("heading", name="Tandem wants access to your Google Account")).to_be_visible()
    for tick in page.get_by_role("checkbox").all():
        expect(tick).to_be_checked()
    if without:
        page.get_by_role("checkbox", name=without).uncheck()
    page.get_by_role("button", name="Continue").click()


def connect(visitor: Visitor, first_name: str) -> None:
    """From the accounts page through Google's to calendars that are read."""
    visitor.go("/accounts")
    visitor.page.get_by_role("link", name="Connect Google").first.click()
    choose_account(visitor.page, address(first_name))
    consent(visitor.page)
    expect(visitor.page.get_by_role("heading", name="Connected. Which calendars")).to_be_visible()
    visitor.page.get_by_role("button", name="Start reading").click()
    expect(visitor.page.locator(".acct .pill")).to_have_text("In sync")
