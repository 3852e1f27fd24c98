"""`python -m benchmarks.first_read`: Tandem's first sync of one calendar, in a fresh data folder.

Takes its job as JSON on standard input ({url, password, people}) and prints JSON: seconds of the
sync alone, what it found, and the most memory that the process used. Migrating, making the people
and connecting the account are done before the clock starts.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from datetime import UTC, datetime
from uuid import UUID

import django

from benchmarks.load import OWNER, person_address


def main() -> None:
    job = json.load(sys.stdin)
    django.setup()
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)
    calendar_id = _prepare(job["url"], job["password"], job["people"])

    from tandem.crm.models import Identity
    from tandem.mailboxes.models import Calendar
    from tandem.meetings.models import Meeting, Participant
    from tandem.sync.cycle import sync_calendar

    started, used = time.perf_counter(), time.process_time()
    sync_calendar(calendar_id, clock=lambda: datetime.now(UTC))
    seconds, cpu = time.perf_counter() - started, time.process_time() - used
    # The look after the first asks the server for its sync token; from then on a look is one small request.
    sync_calendar(calendar_id, clock=lambda: datetime.now(UTC))
    started = time.perf_counter()
    sync_calendar(calendar_id, clock=lambda: datetime.now(UTC))
    again = time.perf_counter() - started
    calendar = Calendar.objects.get(id=calendar_id)
    linked = Participant.objects.filter(address__in=Identity.objects.values("address")).count()
    found = {
        "seconds": seconds,
        "again": again,
        "cpu": cpu,
        "meetings": Meeting.objects.count(),
        "linked": linked,
        "error": calendar.error or calendar.held,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(found))


def _prepare(url: str, password: str, people: int) -> UUID:
    """A user with a connected account, and the people. Returns the calendar's id."""
    from tandem.calendaring.provider import Credentials
    from tandem.crm.models import EmailCategory, Identity, Kind, Record
    from tandem.database import bulk
    from tandem.database.keys import new_id
    from tandem.sync import accounts
    from tandem.team.models import Company, Role, User

    now = datetime.now(UTC)
    Company.current()
    alice = User.objects.create_user(OWNER, "Alice Moreau", role=Role.ADMINISTRATOR)
    records = [
        Record(id=new_id(), kind=Kind.PERSON, name=f"Person {n}", sort_name=f"person {n}") for n in range(people)
    ]
    Record.objects.bulk_create(records, batch_size=500)
    columns = ("id", "record_id", "address", "typed", "category", "position")
    rows = (
        (new_id(), record.id, person_address(number), person_address(number), EmailCategory.WORK.value, 0)
        for number, record in enumerate(records)
    )
    bulk.insert(Identity, columns, rows)
    account = accounts.connect(alice, Credentials(url, "alice", password), addresses=(OWNER,), now=now)
    calendar = account.calendars.get(name="Bench")
    accounts.choose_calendars(account, read={calendar.id}, target=calendar.id, now=now)
    return calendar.id


if __name__ == "__main__":
    main()
