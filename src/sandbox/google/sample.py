"""The sample's Google accounts: alice and bob of Northwind, and charlie from outside the company."""

from __future__ import annotations

from datetime import timedelta

from sandbox.google.problems import Json
from sandbox.google.sandbox import GoogleSandbox

ALICE, BOB, CHARLIE = "alice@northwind.example", "bob@northwind.example", "charlie@harbor.example"
ZONE = "Europe/Paris"


def people(sandbox: GoogleSandbox) -> None:
    """The accounts, with one more calendar of alice's that bob may read."""
    alice = sandbox.store.add_user(ALICE, "Alice Moreau", ZONE)
    bob = sandbox.store.add_user(BOB, "Bob Tanaka", ZONE)
    sandbox.store.add_user(CHARLIE, "Charlie Winter", "Europe/London")
    meetings = sandbox.store.add_calendar(alice, "Client meetings", ZONE)
    sandbox.store.share(meetings, bob, "reader")


def meetings(sandbox: GoogleSandbox) -> None:
    """A few events around today, none of which mails anybody."""
    day = sandbox.clock.now().date()
    for days, hour, title, guests in (
        (-6, 10, "Kick-off", [CHARLIE]),
        (1, 9, "Proposal review", [CHARLIE, BOB]),
        (3, 14, "Lunch", []),
        (40, 11, "Quarterly review", [CHARLIE]),
    ):
        on = (day + timedelta(days=days)).isoformat()
        body: Json = {
            "summary": title,
            "start": {"dateTime": f"{on}T{hour:02d}:00:00", "timeZone": ZONE},
            "end": {"dateTime": f"{on}T{hour + 1:02d}:00:00", "timeZone": ZONE},
        }
        if guests:
            own = {"email": ALICE, "responseStatus": "accepted"}
            body["attendees"] = [own, *({"email": address} for address in guests)]
        sandbox.call(ALICE, "events.insert", body, calendarId="primary", sendUpdates="none")
    on = (day - timedelta(days=7)).isoformat()
    weekly: Json = {
        "summary": "Team week",
        "start": {"dateTime": f"{on}T09:30:00", "timeZone": ZONE},
        "end": {"dateTime": f"{on}T10:00:00", "timeZone": ZONE},
        "recurrence": ["RRULE:FREQ=WEEKLY"],
        "attendees": [{"email": ALICE, "responseStatus": "accepted"}, {"email": BOB}],
    }
    sandbox.call(ALICE, "events.insert", weekly, calendarId="primary", sendUpdates="none")
