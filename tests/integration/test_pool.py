"""The pool looks at what is due by itself, and goes on whatever happens to one look."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.conf import LazySettings
from django.db.models import F

from tandem import jobs
from tandem.calendaring import ics
from tandem.crm.models import Record
from tandem.jobs.pool import Pool, _Round
from tandem.mailboxes.models import Account, Calendar
from tandem.sync import accounts, cycle
from tandem.team.models import Company, User
from tests.mailbox import CHARLIE, meeting, person
from tests.radicale import RadicaleServer, radicale_server

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["radicale_server"]


def eventually(what: Callable[[], bool], seconds: float = 15) -> bool:
    until = time.monotonic() + seconds
    while not what():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture
def calendar(radicale_server: RadicaleServer, alice: User, company: Company, settings: LazySettings) -> Calendar:
    settings.ALLOW_PRIVATE_NETWORK = True
    path = radicale_server.make_calendar("alice", f"pool-{time.monotonic_ns()}")
    now = datetime.now(UTC)
    account = accounts.connect(alice, radicale_server.credentials("alice"), addresses=[alice.email], now=now)
    found = account.calendars.get(remote_id=path)
    accounts.choose_calendars(account, read=[found.id], target=found.id, now=now)
    return found


@pytest.fixture
def pool(calendar: Calendar) -> Iterator[Pool]:
    made = Pool(threads=2)
    made.start()
    yield made
    made.stop()


def test_what_is_put_there_is_here_as_soon_as_somebody_wakes_it(
    pool: Pool, calendar: Calendar, radicale_server: RadicaleServer, alice: User
) -> None:
    charlie: Record = person(alice, "Charlie Baker", CHARLIE)
    now = datetime.now(UTC)
    soon = now + timedelta(days=1) - datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
    event = meeting(organizer=alice.email, guests=(CHARLIE,), starts_in=soon)
    radicale_server.put("alice", f"{calendar.remote_id}one.ics", ics.new([event], now=now))
    jobs.wake(calendar.id)
    assert eventually(lambda: Record.objects.filter(id=charlie.id, next_meeting_at__isnull=False).exists())
    assert eventually(lambda: Calendar.objects.filter(id=calendar.id, done=F("requested")).exists())


def test_a_bug_in_one_look_stops_neither_the_pool_nor_the_others(
    pool: Pool, calendar: Calendar, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Calendar.objects.create(
        account=Account.objects.get(), remote_id="/alice/broken/", name="broken", is_read=True
    )
    looked: list[UUID] = []

    def look(calendar_id: UUID, **_: object) -> bool:
        looked.append(calendar_id)
        if calendar_id == broken.id:
            raise RuntimeError("a bug")
        return bool(cycle.sync_calendar(calendar_id, clock=lambda: datetime.now(UTC)))

    monkeypatch.setattr("tandem.jobs.pool.sync_calendar", look)
    jobs.wake(broken.id)
    assert eventually(lambda: broken.id in looked)
    jobs.wake(calendar.id)
    assert eventually(lambda: calendar.id in looked)
    time.sleep(1.5)
    assert looked.count(broken.id) == 1, "a look that failed is not tried again at once"


def test_a_round_goes_on_after_a_failure() -> None:
    done = threading.Event()
    times: list[int] = []

    def task() -> None:
        times.append(1)
        if len(times) == 1:
            raise RuntimeError("once")
        done.set()

    turned = _Round("test", task, lambda: None)
    turned.start()
    assert done.wait(5)
    turned.stop()
    turned.join()
