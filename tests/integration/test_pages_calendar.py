"""The calendar, what is to decide, and the sample mail: who sees what."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from django.test import Client
from django.utils import timezone

from tandem.calendaring import event as canonical
from tandem.calendaring.event import When
from tandem.crm.models import Record
from tandem.meetings import reading, verbs, wishes
from tandem.meetings.models import Intent, Meeting
from tandem.team.models import Company, Role, User
from tests.mailbox import CHARLIE, arrives, calendar_of, meeting, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def charlie(alice: User, company: Company) -> Record:
    return person(alice, "Charlie Baker", CHARLIE)


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(user: User, address: str, status: int = 200) -> str:
    answer = browser(user).get(address)
    assert answer.status_code == status
    return answer.content.decode()


def all_arrive(user: User, *events: canonical.Event) -> None:
    """Each in a resource of its own."""
    calendar = calendar_of(user)
    for event in events:
        arrives(calendar, event)


def soon(user: User, title: str, *guests: str, days: int = 1, **values: Any) -> canonical.Event:
    start = timezone.now().replace(minute=0, second=0, microsecond=0) + timedelta(days=days)
    values.setdefault("when", When.timed(start, start + timedelta(hours=1), "Europe/Berlin"))
    return meeting(title, title=title, organizer=user.email if guests else "", guests=guests, **values)


@pytest.mark.parametrize("view", ["agenda", "week"])
def test_the_team_sees_mine_linked_ones_masked_and_the_rest_busy(
    alice: User, bob: User, charlie: Record, view: str
) -> None:
    all_arrive(
        alice,
        soon(alice, "Kick-off", CHARLIE),
        soon(alice, "Dentist"),
        soon(alice, "Raise", CHARLIE, visibility="private"),
    )
    day = (timezone.localdate() + timedelta(days=1)).isoformat()
    hers, his = (page(user, f"/calendar?view={view}&from={day}") for user in (alice, bob))
    assert "Dentist" in hers
    assert "Raise" in hers
    assert "Kick-off" in his
    assert "Dentist" not in his
    assert "Raise" not in his
    assert "Busy" in his
    assert "/events/" not in his.split("<main", 1)[1].replace("/events/new", "")


def test_mine_leaves_colleagues_out(alice: User, bob: User, charlie: Record) -> None:
    arrives(calendar_of(alice), soon(alice, "Kick-off", CHARLIE))
    assert "Kick-off" not in page(bob, "/calendar?who=mine")
    assert "Kick-off" in page(alice, "/calendar?who=mine")


def test_an_all_day_event_stands_on_each_of_its_days(alice: User, company: Company) -> None:
    tomorrow = timezone.localdate() + timedelta(days=1)
    event = soon(alice, "Fair", when=When.days(tomorrow, tomorrow + timedelta(days=2)))
    arrives(calendar_of(alice), event)
    assert page(alice, "/calendar").count(">Fair<") == 2


def test_the_day_shows_what_is_on_it_and_leads_to_its_neighbours(alice: User, company: Company) -> None:
    day = timezone.localdate() + timedelta(days=3)
    noon = datetime.combine(day, time(12), ZoneInfo("Europe/Berlin"))
    timed = When.timed(noon, noon + timedelta(hours=1), "Europe/Berlin")
    whole = When.days(day - timedelta(days=2), day + timedelta(days=1))
    all_arrive(alice, soon(alice, "Kick-off", when=timed), soon(alice, "Fair", when=whole))
    shown = page(alice, f"/calendar?view=day&from={day}")
    assert shown.count("<b>Kick-off</b>") == 1
    assert shown.count(">Fair<") == 1
    assert shown.count("day-name") == 1
    assert f"from={day - timedelta(days=1)}" in shown
    assert f"from={day + timedelta(days=1)}" in shown
    after = page(alice, f"/calendar?view=day&from={day + timedelta(days=1)}")
    assert "Kick-off" not in after
    assert "Fair" not in after


@pytest.mark.parametrize(
    "query", ["from=nonsense", "from=9999-12-31", "view=month&who=all", "from=0001-01-01&view=week"]
)
def test_an_address_with_nonsense_still_shows_a_calendar(alice: User, company: Company, query: str) -> None:
    page(alice, f"/calendar?{query}")


def conflict(alice: User) -> Intent:
    """Alice moved the meeting to Hall B; meanwhile the calendar says Hall C."""
    calendar = calendar_of(alice)
    arrives(calendar, soon(alice, "Kick-off", CHARLIE, location="Hall A"))
    one = Meeting.objects.get()
    seen = canonical.decode(one.shown)
    now = timezone.now()
    intent = verbs.change(alice, one, "", seen, msgspec.structs.replace(seen, location="Hall B"), tell=True, now=now)
    assert intent is not None
    arrives(calendar, soon(alice, "Kick-off", CHARLIE, location="Hall C"), now=now)
    intent.state, intent.conflicts = Intent.State.CONFLICT, wishes.dump({"location": "Hall C"})
    intent.save()
    return intent


def test_a_conflict_shows_both_sides_and_the_outcome(alice: User, charlie: Record) -> None:
    html = page(alice, f"/decide/{conflict(alice).id}")
    assert "Hall <ins>B</ins>" in html
    assert "Hall <ins>C</ins>" in html
    assert "The meeting will be at Hall B" in html
    assert "<b>Charlie</b> will be mailed by Tandem." in html


@pytest.mark.parametrize(("choice", "state"), [("mine", Intent.State.OPEN), ("theirs", Intent.State.WITHDRAWN)])
def test_deciding_writes_mine_or_keeps_theirs(alice: User, charlie: Record, choice: str, state: str) -> None:
    intent = conflict(alice)
    browser(alice).post(f"/decide/{intent.id}", {"location": choice, "tell": "on"})
    intent.refresh_from_db()
    assert intent.state == state
    if choice == "mine":
        assert wishes.changes_of(intent)["location"] == ("Hall C", "Hall B")


def test_looking_at_the_other_side_decides_nothing(alice: User, charlie: Record) -> None:
    intent = conflict(alice)
    html = browser(alice).post(f"/decide/{intent.id}", {"do": "all-theirs", "tell": "on"}).content.decode()
    assert "The meeting will be at Hall C" in html
    assert "nobody is mailed" in html
    intent.refresh_from_db()
    assert intent.state == Intent.State.CONFLICT


def test_the_list_leads_to_the_decision_and_a_row_shows_the_sign(alice: User, charlie: Record) -> None:
    intent = conflict(alice)
    assert f"/decide/{intent.id}" in page(alice, "/decide")
    assert "2 edits" in page(alice, "/calendar")
    answer = browser(alice).get(f"/decide?meeting={intent.meeting_id}")
    assert answer.headers["Location"] == f"/decide/{intent.id}"


def test_a_refused_edit_can_be_discarded_and_nothing_else_can(alice: User, charlie: Record) -> None:
    intent = conflict(alice)
    Intent.objects.update(state=Intent.State.REFUSED, error="Too large.", conflicts="{}")
    assert "Too large." in page(alice, "/decide")
    browser(alice).post(f"/decide/{intent.id}/discard", {"back": "https://evil.example/"})
    intent.refresh_from_db()
    assert intent.state == Intent.State.WITHDRAWN
    assert "Nothing to decide" in page(alice, "/decide")


@pytest.mark.parametrize("tell", [True, False])
def test_a_meeting_cancelled_meanwhile_comes_back_with_the_edit_and_tells_as_chosen(
    alice: User, charlie: Record, tell: bool
) -> None:
    intent = conflict(alice)
    Intent.objects.update(state=Intent.State.RESTORABLE, conflicts="{}")
    assert "Cancelled meanwhile" in page(alice, "/decide")
    browser(alice).post(f"/decide/{intent.id}/again", {"tell": "on"} if tell else {})
    again = Intent.objects.get(verb=Intent.Verb.CREATE)
    event = wishes.event_of(again)
    assert event is not None
    assert (event.location, again.tell) == ("Hall B", tell)


def test_a_colleagues_edit_is_not_there(alice: User, bob: User, charlie: Record) -> None:
    intent = conflict(alice)
    assert "Kick-off" not in page(bob, "/decide")
    page(bob, f"/decide/{intent.id}", 404)
    for verb in ("again", "discard"):
        assert browser(bob).post(f"/decide/{intent.id}/{verb}").status_code == 404
    intent.refresh_from_db()
    assert intent.state == Intent.State.CONFLICT


def test_a_button_leads_back_to_our_own_pages_only(alice: User, charlie: Record) -> None:
    intent = conflict(alice)
    answer = browser(alice).post(f"/decide/{intent.id}/discard", {"back": "//evil.example/events/"})
    assert answer.headers["Location"] == "/decide"


LETTER = b"""From: tandem@northwind.example\r
To: charlie@outside.example\r
Subject: Invitation: Kick-off\r
MIME-Version: 1.0\r
Content-Type: multipart/alternative; boundary=b\r
\r
--b\r
Content-Type: text/plain; charset=utf-8\r
\r
Alice invites you. <b>Not bold</b>\r
--b\r
Content-Type: text/calendar; charset=utf-8; method=REQUEST\r
\r
BEGIN:VCALENDAR\r
METHOD:REQUEST\r
END:VCALENDAR\r
--b--\r
"""


def test_without_a_sink_there_is_no_mail_page(alice: User, company: Company, settings: Any) -> None:
    settings.MAIL_SINK = ""
    page(alice, "/mail", 404)


def test_the_sink_shows_letters_with_their_invitation(
    alice: User, company: Company, settings: Any, tmp_path: Path
) -> None:
    settings.MAIL_SINK = str(tmp_path)
    assert "No mail yet" in page(alice, "/mail")
    (tmp_path / "0001.eml").write_bytes(LETTER)
    (tmp_path.parent / "secret.eml").write_bytes(LETTER)
    assert "Invitation: Kick-off" in page(alice, "/mail")
    html = page(alice, "/mail/0001")
    assert "METHOD:REQUEST" in html
    assert "&lt;b&gt;Not bold" in html
    page(alice, "/mail/..%2Fsecret", 404)


def test_sample_mail_is_not_for_readers_only(company: Company, settings: Any, tmp_path: Path) -> None:
    settings.MAIL_SINK = str(tmp_path)
    rita = User.objects.create_user("rita@northwind.example", "Rita Read", role=Role.READ_ONLY)
    page(rita, "/mail", 403)


def section_page(user: User, record: Record) -> str:
    return page(user, f"/people/{record.id}")


def test_a_record_shows_its_meetings_in_every_state(alice: User, bob: User, charlie: Record) -> None:
    all_arrive(
        alice,
        soon(alice, "Kick-off", CHARLIE),
        soon(alice, "Maybe", CHARLIE, days=2, status="tentative"),
        soon(alice, "Retro", CHARLIE, days=-3),
        soon(alice, "Far", CHARLIE, days=60),
        soon(alice, "Secret", CHARLIE, visibility="private"),
    )
    hers, his = section_page(alice, charlie), section_page(bob, charlie)
    assert "1 later meeting<" in hers
    assert "It appears here on" in hers
    assert ">Tentative<" in hers
    assert "is-past" in hers
    assert "You aren’t a guest, so the details stay with Alice." in his
    assert "Secret" not in his
    assert "Far" not in hers.split("is-events", 1)[1]


def test_a_record_without_meetings_says_how_they_will_come(alice: User, charlie: Record) -> None:
    assert f"The next one with {CHARLIE} shows here by itself." in section_page(alice, charlie)
    dana = person(alice, "Dana Quiet")
    html = section_page(alice, dana)
    assert "Dana has no address yet" in html
    assert "Add one, and meetings with Dana appear here." in html


def test_a_waiting_event_says_that_it_is_not_sent(alice: User, charlie: Record) -> None:
    verbs.schedule(
        alice, calendar_of(alice), soon(alice, "Kick-off", CHARLIE), tell=True, record=charlie, now=timezone.now()
    )
    assert "Not sent yet" in section_page(alice, charlie)
    assert reading.section(charlie, alice, timezone.now()).upcoming[0].sign == "waiting"
