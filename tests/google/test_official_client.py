"""Google's own Python client, driven against the sandbox over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httplib2
import pytest
from google.oauth2.credentials import Credentials
from google_auth_httplib2 import AuthorizedHttp
from googleapiclient.discovery import build_from_document
from googleapiclient.errors import HttpError

from sandbox.google import GoogleSandbox
from sandbox.google.sample import ALICE, CHARLIE

Json = dict[str, Any]
DAY = "2026-01-06"


@pytest.fixture
def client(google: GoogleSandbox) -> Iterator[Any]:
    google.behaviour.short_pages = True
    package = find_spec("googleapiclient")
    assert package is not None
    assert package.submodule_search_locations
    folder = Path(package.submodule_search_locations[0])
    document = json.loads((folder / "discovery_cache/documents/calendar.v3.json").read_text())
    with google.serve() as address:
        document |= {"rootUrl": f"{address}/", "baseUrl": f"{address}/calendar/v3/"}
        http = AuthorizedHttp(Credentials(google.token(ALICE)), http=httplib2.Http())
        with build_from_document(document, http=http) as service:
            yield service
        http.close()


def event(number: int, **more: Any) -> Json:
    start, end = f"{DAY}T{number:02d}:00:00+01:00", f"{DAY}T{number:02d}:30:00+01:00"
    return {"summary": f"Meeting {number}", "start": {"dateTime": start}, "end": {"dateTime": end}, **more}


def everything(client: Any, **parameters: Any) -> tuple[list[Json], str, int]:
    items: list[Json] = []
    pages = 0
    request = client.events().list(calendarId="primary", **parameters)
    while True:
        page = request.execute()
        items += page["items"]
        pages += 1
        following = client.events().list_next(request, page)
        if following is None:
            return items, page["nextSyncToken"], pages
        request = following


def status(request: Any) -> int:
    with pytest.raises(HttpError) as refused:
        request.execute()
    return int(refused.value.resp.status)


def test_a_scenario_from_the_first_list_to_410(google: GoogleSandbox, client: Any) -> None:
    events = client.events()
    assert [row["accessRole"] for row in client.calendarList().list().execute()["items"]] == ["owner", "owner"]
    made = [
        events.insert(calendarId="primary", body=event(hour), sendUpdates="none").execute() for hour in range(7, 19)
    ]

    items, token, pages = everything(client, showDeleted=True, maxResults=5)
    assert {item["id"] for item in items} == {item["id"] for item in made}
    assert len(items) == 12
    assert pages >= 3

    guests = [{"email": CHARLIE}]
    ours = {"id": "tandem0001", **event(20, attendees=guests)}
    first = events.insert(calendarId="primary", body=ours, sendUpdates="all").execute()
    assert status(events.insert(calendarId="primary", body=ours, sendUpdates="all")) == 409
    assert [mail.to for mail in google.mails.rows] == [CHARLIE]

    patch = events.patch(calendarId="primary", eventId="tandem0001", body={"summary": "Moved"}, sendUpdates="none")
    patch.headers["If-Match"] = first["etag"]
    assert patch.execute()["summary"] == "Moved"
    assert status(patch) == 412

    weekly = event(21, recurrence=["RRULE:FREQ=WEEKLY;COUNT=4"])
    for side in ("start", "end"):
        weekly[side]["timeZone"] = "Europe/Paris"
    series = events.insert(calendarId="primary", body=weekly, sendUpdates="none").execute()
    second = events.instances(calendarId="primary", eventId=series["id"], maxResults=50).execute()
    names = [item["id"] for item in second["items"]]
    events.patch(calendarId="primary", eventId=f"{series['id']}_20260113T200000Z", body={"location": "Hall"}).execute()
    assert all(name.startswith(series["id"]) for name in names)

    events.delete(calendarId="primary", eventId=made[0]["id"], sendUpdates="none").execute()
    assert status(events.delete(calendarId="primary", eventId=made[0]["id"])) == 410

    changes, later, _ = everything(client, syncToken=token, showDeleted=True, maxResults=5)
    told = {item["id"]: item for item in changes}
    assert told.keys() == {"tandem0001", series["id"], f"{series['id']}_20260113T200000Z", made[0]["id"]}
    assert told[made[0]["id"]].keys() == {"kind", "etag", "id", "status"}
    assert everything(client, syncToken=later, showDeleted=True, maxResults=5)[0] == []

    google.expire_sync_tokens()
    assert status(events.list(calendarId="primary", syncToken=later, showDeleted=True, maxResults=5)) == 410
    assert len(everything(client, showDeleted=True, maxResults=5)[0]) == 14


def test_it_opens_and_stops_a_channel(client: Any) -> None:
    body = {"id": "channel-1", "type": "web_hook", "address": "https://crm.northwind.example/google"}
    channel = client.events().watch(calendarId="primary", body=body).execute()
    stop = {"id": "channel-1", "resourceId": channel["resourceId"]}
    client.channels().stop(body=stop).execute()
    assert status(client.channels().stop(body=stop)) == 404
