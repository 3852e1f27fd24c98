"""./start --google: the sample team on the stand-in for Google, from an empty folder, and again."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import httpx2
import pytest

from sandbox import google_sample
from sandbox.events import resources
from sandbox.google import GoogleSandbox
from tests.integration.test_start_surroundings import DAYS
from tests.journeys.product import Product, running

ROOT = Path(__file__).parents[2]
ALICE, BOB, INES = (f"{name}@northwind.example" for name in ("alice", "bob", "ines"))


def told(said: str, what: str) -> str:
    found = re.search(what, said)
    assert found, said
    return found[1]


def api_root(said: str) -> str:
    return told(said, r"can be pointed at it: (\S+)")


def events(said: str, who: str) -> list[dict[str, Any]]:
    """All events in the primary calendar of `who`, asked for as any Google client would, with the printed token."""
    headers = {"Authorization": "Bearer " + told(said, rf"{who}\s+token (\S+)")}
    items: list[dict[str, Any]] = []
    page: dict[str, str] = {}
    while True:
        answer = httpx2.get(f"{api_root(said)}calendars/primary/events", params=page, headers=headers).json()
        items += answer["items"]
        if "nextPageToken" not in answer:
            return sorted(items, key=lambda each: str(each["id"]))
        page = {"pageToken": answer["nextPageToken"]}


def links(product: Product) -> list[str]:
    return re.findall(r"http://\S+/sign-in/\S+", product.said)


def test_the_first_start_has_meetings_that_nobody_is_connected_to_and_a_second_goes_on(tmp_path: Path) -> None:
    with running(tmp_path, "sandbox", "--google") as tandem:
        first = tandem.said
        assert len(links(tandem)) == 3
        alices, bobs = events(first, "alice"), events(first, "bob")
        assert len(alices) > 30
        assert len(bobs) > 15
        assert events(first, "ines") == []
        page = httpx2.get(f"{tandem.url}/", follow_redirects=True)
        assert page.status_code == 200
    with running(tmp_path, "sandbox", "--google") as again:
        assert api_root(again.said) == api_root(first)
        assert (events(again.said, "alice"), events(first, "bob")) == (alices, bobs)
    state = json.loads((tmp_path / "google" / "state.json").read_text())
    assert state["mails"] == []
    assert [client["name"] for client in state["clients"]] == ["Tandem"]
    callbacks = {f"{each.url}/accounts/google/callback" for each in (tandem, again)}
    assert set(state["clients"][0]["redirects"]) == callbacks
    assert (tmp_path / "google").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("folder", "entry", "words"), [("google", (), "--google"), ("radicale", ("--google",), "without")]
)
def test_the_two_samples_are_not_mixed(tmp_path: Path, folder: str, entry: tuple[str, ...], words: str) -> None:
    (tmp_path / folder).mkdir()
    surroundings = os.environ | {"TANDEM_DATA": str(tmp_path), "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    ended = subprocess.run(
        [sys.executable, "-m", "sandbox", *entry, "--port", "1"], env=surroundings, capture_output=True, text=True
    )
    assert ended.returncode == 1
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr


def made(today: date) -> GoogleSandbox:
    google = GoogleSandbox()
    google.behaviour.short_pages = False
    google_sample.people(google)
    google_sample.meetings(google, resources(today))
    return google


def titled(google: GoogleSandbox, who: str, title: str, calendar: str = "primary") -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    page: dict[str, str] = {}
    while True:
        answer = google.call(who, "events.list", calendarId=calendar, showDeleted=True, **page)
        items += [each for each in answer["items"] if each.get("summary") == title]
        if "nextPageToken" not in answer:
            return items
        page = {"pageToken": answer["nextPageToken"]}


@pytest.mark.parametrize("today", DAYS)
def test_the_meetings_are_sound_on_any_day_and_nobody_was_told(today: date) -> None:
    google = made(today)
    assert google.api.violations == []
    assert google.mails.rows == []
    held = {entry.uid for calendar in google.store.calendars.values() for entry in calendar.entries.values()}
    assert len(held) == len({each.name for each in resources(today)})


def test_the_meetings_are_as_google_keeps_them() -> None:
    google = made(date(2026, 11, 18))
    weekly = titled(google, ALICE, "Halden weekly")[0]
    where = {"calendarId": "primary", "eventId": weekly["id"]}
    shown = google.call(ALICE, "events.instances", **where, showDeleted=True)["items"]
    assert {each["summary"] for each in shown if "summary" in each} == {"Halden weekly", "Halden weekly (moved)"}
    assert [each["originalStartTime"]["dateTime"][:10] for each in shown if each["status"] == "cancelled"] == [
        "2026-12-01"
    ]
    assert weekly["extendedProperties"]["private"] == {"x-northwind-room": "blue", "x-agenda-colour": "teal"}
    assert titled(google, ALICE, "Talk about the takeover")[0]["visibility"] == "private"
    assert titled(google, ALICE, "Orchard & Vale, maybe")[0]["status"] == "tentative"
    assert "date" in titled(google, ALICE, "Trade fair in Lyon")[0]["start"]
    assert titled(google, BOB, "Service desk, weekly from Tokyo")[0]["start"]["timeZone"] == "Asia/Tokyo"
    [personal] = [each.id for each in google.store.calendars.values() if each.summary == "Personal"]
    assert titled(google, ALICE, "Dentist", personal)


def test_a_meeting_of_both_is_one_and_an_invitation_from_outside_stays_its_organizers() -> None:
    google = made(date(2026, 11, 18))
    alices, bobs = (titled(google, who, "Shop plans, with Bob") for who in (ALICE, BOB))
    assert len(alices) == len(bobs) == 1
    assert alices[0]["iCalUID"] == bobs[0]["iCalUID"]
    assert bobs[0]["organizer"] == {"email": ALICE}
    [steering] = titled(google, ALICE, "Steering group, Tidewell")
    assert steering["organizer"] == {"email": "s.osei@tidewell.example"}
