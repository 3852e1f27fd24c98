"""A sandbox whose clock stands still, with alice, her teammate bob, and charlie from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.google import GoogleSandbox
from sandbox.google.clock import Clock
from sandbox.google.problems import Problem
from sandbox.google.sample import ALICE, people

Json = dict[str, Any]
NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)


@pytest.fixture
def google() -> Iterator[GoogleSandbox]:
    sandbox = GoogleSandbox(clock=Clock(NOW))
    people(sandbox)
    sandbox.behaviour.short_pages = False
    yield sandbox
    assert sandbox.api.violations == []


@pytest.fixture
def refusal(google: GoogleSandbox) -> Callable[..., tuple[int, str]]:
    """The status and the reason with which a call is refused."""

    def refused(address: str, method: str, body: Json | None = None, **parameters: Any) -> tuple[int, str]:
        with pytest.raises(Problem) as found:
            google.call(address, method, body, **parameters)
        return found.value.code, found.value.reason

    return refused


@pytest.fixture
def meeting(google: GoogleSandbox) -> Callable[..., Json]:
    """Insert an event of alice's, on 6 January from 10 to 11 in Paris."""

    def insert(by: str = ALICE, tell: str = "none", **fields: Any) -> Json:
        body = {"summary": "Review", "start": at("10:00"), "end": at("11:00"), **fields}
        return google.call(by, "events.insert", body, calendarId="primary", sendUpdates=tell)

    return insert


def at(clock: str, day: str = "2026-01-06", zone: str = "Europe/Paris") -> Json:
    return {"dateTime": f"{day}T{clock}:00", "timeZone": zone}


@pytest.fixture
def pages(google: GoogleSandbox) -> Callable[..., tuple[list[Json], str]]:
    """All items of a list, page by page, and its sync token."""

    def read(address: str = ALICE, calendar: str = "primary", **parameters: Any) -> tuple[list[Json], str]:
        items: list[Json] = []
        token: Json = {}
        while True:
            page = google.call(address, "events.list", calendarId=calendar, **parameters, **token)
            items += page["items"]
            assert ("nextPageToken" in page) + ("nextSyncToken" in page) <= 1
            if "nextPageToken" not in page:
                return items, page.get("nextSyncToken", "")
            token = {"pageToken": page["nextPageToken"]}

    return read
