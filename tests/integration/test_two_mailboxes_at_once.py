"""Two workers store two mailboxes' copies of the same meetings at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.db import connection

from tandem.calendaring import ics
from tandem.mailboxes.models import Account
from tandem.meetings import reading
from tandem.meetings.models import Meeting, Series
from tandem.providers.memory import MemoryProvider, MemoryServer
from tandem.sync.cycle import sync_calendar
from tandem.team.models import Company, User
from tests.mailbox import CHARLIE, calendar_of, meeting, person

pytestmark = pytest.mark.django_db(transaction=True)
MEETINGS = 30


@pytest.mark.parametrize("attempt", range(3))
def test_they_become_one_meeting_each(alice: User, bob: User, company: Company, attempt: int) -> None:
    server = MemoryServer(changes_page=5)
    charlie = person(alice, "Charlie Baker", CHARLIE)
    calendars = []
    for user in (alice, bob):
        calendar = calendar_of(user)
        calendar.remote_id = server.make_calendar(user.email, "work")
        calendar.save()
        calendars.append(calendar)
        # Each mailbox lists them in another order, as servers do.
        for number in range(MEETINGS):
            event = meeting(f"m{number}", organizer=alice.email, guests=(alice.email, bob.email, CHARLIE))
            name = number if user == alice else MEETINGS - number
            server.put(
                calendar.remote_id, f"{calendar.remote_id}{name:02}.ics", ics.new([event], now=datetime.now(UTC))
            )

    def provider(account: Account) -> MemoryProvider:
        return MemoryProvider(server, account.owner.email)

    def look(calendar_id: object) -> Callable[[], bool]:
        def run() -> bool:
            try:
                return sync_calendar(calendar_id, clock=lambda: datetime.now(UTC), by=provider)  # type: ignore[arg-type]
            finally:
                connection.close()

        return run

    with ThreadPoolExecutor(2) as pool:
        assert all(done.result() for done in [pool.submit(look(calendar.id)) for calendar in calendars])
    assert Series.objects.count() == Meeting.objects.count() == MEETINGS
    assert set(Meeting.objects.values_list("authority__calendar", flat=True)) == {calendars[0].id}
    now = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
    assert len(reading.section(charlie, bob, now).upcoming) == MEETINGS
