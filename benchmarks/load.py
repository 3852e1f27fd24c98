"""What is measured on: a Radicale full of meetings, and the people they are held with."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta

from sandbox.radicale import Radicale

OWNER = "alice@northwind.example"
COLLECTION = "alice/bench"
GUESTS = 3

_EVENT = """BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//Bench//EN\r
BEGIN:VEVENT\r
UID:{uid}\r
DTSTAMP:20250101T000000Z\r
DTSTART:{start:%Y%m%dT%H%M%SZ}\r
DTEND:{end:%Y%m%dT%H%M%SZ}\r
SUMMARY:Meeting {number}\r
LOCATION:Room {room}\r
DESCRIPTION:Agenda\\, numbers\\, next steps for meeting {number}.\r
ORGANIZER;CN=Alice Moreau:mailto:{owner}\r
{guests}END:VEVENT\r
END:VCALENDAR\r
"""


def person_address(number: int) -> str:
    return f"person{number}@customer{number % 500}.example"


def fill(radicale: Radicale, events: int, people: int) -> None:
    """Write `events` straight into the storage folder: quicker than a PUT each. The server must not run yet.

    Every event has three guests among `people` addresses, a year back and two months ahead of now.
    """
    folder = radicale.storage / "collection-root" / COLLECTION
    folder.mkdir(parents=True)
    (folder / ".Radicale.props").write_text(json.dumps({"tag": "VCALENDAR", "D:displayname": "Bench"}))
    chance = random.Random(7)
    first = datetime.now(UTC).replace(hour=8, minute=0, second=0, microsecond=0) - timedelta(days=365)
    for number in range(events):
        (folder / f"event-{number}.ics").write_text(_event(number, first, people, chance), newline="")


def _event(number: int, first: datetime, people: int, chance: random.Random) -> str:
    start = first + timedelta(days=chance.randrange(425), minutes=15 * chance.randrange(40))
    guests = "".join(
        f"ATTENDEE;CN=Person {who};PARTSTAT=ACCEPTED;ROLE=REQ-PARTICIPANT:mailto:{person_address(who)}\r\n"
        for who in chance.sample(range(people), GUESTS)
    )
    return _EVENT.format(
        uid=f"event-{number}@bench.example",
        start=start,
        end=start + timedelta(hours=1),
        number=number,
        room=number % 40,
        owner=OWNER,
        guests=guests,
    )


def listing(url: str, password: str) -> bytes:
    """Everything in the collection by one REPORT, as the server sends it."""
    import httpx2

    body = (
        '<C:calendar-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop><D:getetag/>'
        '<C:calendar-data/></D:prop><C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>'
    )
    with httpx2.Client(base_url=url, auth=("alice", password), timeout=600) as client:
        answer = client.request(
            "REPORT",
            f"/{COLLECTION}/",
            content=body,
            headers={"Depth": "1", "Content-Type": "application/xml; charset=utf-8"},
        )
        answer.raise_for_status()
        return answer.content
