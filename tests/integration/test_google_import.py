"""10,000 events imported from Google while it refuses, fails and loses answers: each there once, nothing written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from sandbox.google import GoogleSandbox
from tandem.mailboxes.models import Calendar
from tandem.meetings.models import Copy, Meeting, Occurrence, RemoteObject
from tandem.sync import due
from tandem.sync.cycle import sync_calendar
from tandem.team.models import Company, User
from tests.google_service import Json
from tests.google_world import GoogleWorld, google_world
from tests.mailbox import CHARLIE, NOW

pytestmark = pytest.mark.django_db(transaction=True)

EVENTS = 10_000
LOOKS = 40


@pytest.fixture
def world(alice: User, bob: User, company: Company) -> Iterator[GoogleWorld]:
    with google_world(alice, bob) as made:
        yield made


def fill(sandbox: GoogleSandbox, calendar: str) -> Counter[str]:
    """Singles, weekly series, changed and cancelled occurrences of them; how many of which."""
    made: Counter[str] = Counter()
    start = NOW - timedelta(days=700)
    for number in range(EVENTS):
        begins = start + timedelta(hours=2 * number)
        body: Json = {"id": f"event{number:05d}", "summary": f"Event {number}", **times(begins)}
        if number % 3 == 0:
            body["attendees"] = [{"email": CHARLIE, "responseStatus": "accepted"}]
        kind = "exceptions" if number % 100 in {51, 52} else "series" if number % 100 == 50 else "singles"
        if kind == "series":
            body["recurrence"] = ["RRULE:FREQ=WEEKLY;COUNT=3"]
        elif kind == "exceptions":
            body |= exception_of(number - number % 100 + 50, start, week=number % 100 - 50)
        sandbox.plant(calendar, body)
        made[kind] += 1
    return made


def exception_of(series: int, start: datetime, week: int) -> Json:
    """The second occurrence of a series moved by an hour, or the third one cancelled."""
    original = start + timedelta(hours=2 * series, weeks=week)
    name = f"event{series:05d}"
    return {
        "id": f"{name}_{original:%Y%m%dT%H%M%SZ}",
        "recurringEventId": name,
        "iCalUID": f"{name}@google.com",
        "originalStartTime": {"dateTime": original.isoformat(), "timeZone": "UTC"},
        "status": "confirmed" if week == 1 else "cancelled",
        "attendees": [{"email": CHARLIE}],
        **times(original + timedelta(hours=1)),
    }


def times(begins: datetime) -> Json:
    return {
        "start": {"dateTime": begins.isoformat(), "timeZone": "UTC"},
        "end": {"dateTime": (begins + timedelta(hours=1)).isoformat(), "timeZone": "UTC"},
    }


def look_until_done(world: GoogleWorld, calendar: Calendar) -> int:
    """As the pool does: at once when asked, later when the last look failed. The number of looks that took."""
    due.request([calendar.id])
    for number in range(1, LOOKS):
        calendar.refresh_from_db()
        if calendar.cursor and not calendar.error:
            return number - 1
        if calendar.id in dict(due.calendars(world.now)):
            assert sync_calendar(calendar.id, clock=world.clock, by=world.provider)
        else:
            assert calendar.next_poll_at is not None
            world.forward(seconds=max(1.0, (calendar.next_poll_at - world.now).total_seconds()))
    raise AssertionError(f"not done after {LOOKS} looks: {calendar.error}")


def test_ten_thousand_events_arrive_once_through_refusals_errors_and_lost_answers(world: GoogleWorld) -> None:
    made = fill(world.sandbox, world.alice.email)
    assert made.total() == EVENTS
    world.page = 250
    faults = world.sandbox.faults
    for kind in ("429", "403 rateLimitExceeded", "500", "503", "lost before", "lost after"):
        faults.add(kind, "events.list", times=None, chance=0.04)
    # Long enough that a look gives up in the middle of the list, twice.
    faults.add("503", "events.list", skip=15, times=8)
    calendar = world.calendar(world.alice)
    looks = look_until_done(world, calendar)
    assert {kind for _, kind in faults.struck} >= {
        "429",
        "403 rateLimitExceeded",
        "500",
        "503",
        "lost before",
        "lost after",
    }
    assert len(faults.struck) > 30
    assert looks > 1

    objects = RemoteObject.objects.filter(calendar=calendar)
    assert objects.count() == made["singles"] + made["series"]
    there = {event["id"] for event in world.live(world.alice) if "recurringEventId" not in event}
    assert set(objects.values_list("remote_id", flat=True)) == there
    assert not objects.exclude(problem="").exists()
    moved = made["exceptions"] // 2
    assert Copy.objects.count() == Meeting.objects.count() == made["singles"] + made["series"] + moved
    # Each series takes place three times less the one that was cancelled.
    assert Occurrence.objects.filter(cancelled=False).count() == made["singles"] + 2 * made["series"]

    assert {row.verb for row in world.sandbox.log.outside()} == {"GET"}
    assert world.mails() == []

    faults.clear()
    before = len(world.sandbox.log.outside())
    world.sync(world.alice)
    assert len(world.sandbox.log.outside()) == before + 1
    assert Copy.objects.count() == made["singles"] + made["series"] + moved
