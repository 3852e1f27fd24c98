"""Events made on Google's own page, from a record here: which hand-off claims which event, and who hears of it."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from tandem.calendaring.event import Event, When
from tandem.calendaring.provider import RemoteItem
from tandem.crm.models import Kind, Record
from tandem.crm.verbs import RecordData
from tandem.mailboxes.models import Account, Calendar
from tandem.meetings import handoffs, reading, records, verbs
from tandem.meetings.models import HandOff, Meeting, Pin, Series
from tandem.sync.apply import apply
from tandem.team.models import Company, Role, User
from tests.mailbox import CHARLIE, NOW, account_of, arrives, calendar_in, leaves, meeting, person

pytestmark = pytest.mark.django_db
DORA = "dora@outside.example"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def google(alice: User, company: Company) -> Calendar:
    """Alice's calendar at Google, which has been read once already."""
    return read_before(account_of(alice), provider="google", name=alice.email)


def read_before(account: Account, **values: Any) -> Calendar:
    Account.objects.filter(id=account.id).update(**values)
    Calendar.objects.filter(account=account).update(last_full_at=NOW - timedelta(hours=1))
    return Calendar.objects.select_related("account__owner").get(account=account)


@pytest.fixture
def charlie(alice: User, company: Company) -> Record:
    return person(alice, "Charlie Baker", CHARLIE)


def opportunity(alice: User, contact: Record | None, name: str) -> Record:
    data = RecordData(name=name, owner_id=alice.id, primary_contact_id=contact.id if contact else None)
    return records.save(alice, None, Kind.OPPORTUNITY, data, now=NOW)


@pytest.fixture
def first(alice: User, charlie: Record) -> Record:
    return opportunity(alice, charlie, "First deal")


@pytest.fixture
def second(alice: User, charlie: Record, first: Record) -> Record:
    return opportunity(alice, charlie, "Second deal")


def hand_off(record: Record, calendar: Calendar, *guests: str, author: User | None = None, **values: Any) -> HandOff:
    event = meeting("", guests=guests or (CHARLIE,), **values)
    author = author or calendar.account.owner
    return handoffs.begin(author, record, calendar.account, event, link="https://cal.example/form", now=NOW)


def saved(calendar: Calendar, uid: str = "new", *guests: str, after: timedelta = MINUTE, **values: Any) -> None:
    """The event that Alice saved on Google's page arrives."""
    values.setdefault("organizer", calendar.account.owner.email)
    arrives(calendar, meeting(uid, guests=guests or (CHARLIE,), **values), now=NOW + after)


def titles(record: Record, user: User) -> list[str]:
    return [row.title for row in reading.section(record, user, NOW).upcoming]


def came(hand_off: HandOff) -> str:
    """The UID of the series that the hand-off claimed, or an empty string."""
    hand_off.refresh_from_db()
    return hand_off.series.uid if hand_off.series else ""


def test_from_the_second_of_two_opportunities_it_lands_on_exactly_that_one(
    alice: User, google: Calendar, charlie: Record, first: Record, second: Record
) -> None:
    waiting = hand_off(second, google)
    saved(google)
    assert came(waiting) == "new"
    assert waiting.closed_at == NOW + MINUTE
    assert titles(second, alice) == titles(charlie, alice) == ["Walkthrough"]
    assert titles(first, alice) == []
    for record in (first, second):
        record.refresh_from_db()
    assert second.next_meeting_at == NOW + timedelta(days=2)
    assert first.next_meeting_at is None


def test_tandems_own_form_lands_on_exactly_that_one_too(
    alice: User, google: Calendar, charlie: Record, first: Record, second: Record
) -> None:
    event = meeting("own", guests=(CHARLIE,))
    verbs.schedule(alice, google, event, tell=True, record=second, now=NOW)
    assert titles(second, alice) == titles(charlie, alice) == ["Walkthrough"]
    assert titles(first, alice) == []


def test_what_nobody_handed_off_is_on_both_opportunities(
    alice: User, google: Calendar, first: Record, second: Record
) -> None:
    saved(google)
    assert titles(first, alice) == titles(second, alice) == ["Walkthrough"]


def test_an_opportunity_of_another_guest_keeps_the_meeting(
    alice: User, google: Calendar, first: Record, second: Record
) -> None:
    doras = opportunity(alice, person(alice, "Dora Quiet", DORA), "Dora's deal")
    hand_off(second, google)
    saved(google, "new", CHARLIE, DORA)
    assert titles(second, alice) == titles(doras, alice) == ["Walkthrough"]
    assert titles(first, alice) == []


def test_a_sibling_that_was_chosen_by_hand_keeps_it(
    alice: User, google: Calendar, first: Record, second: Record
) -> None:
    waiting = hand_off(second, google)
    series = Series.objects.create(uid="new", organizer=alice.email)
    Pin.objects.create(series=series, record=first, author=alice)
    saved(google)
    assert came(waiting) == "new"
    assert titles(first, alice) == titles(second, alice) == ["Walkthrough"]


def test_a_guest_who_is_added_later_does_not_bring_it_to_the_sibling(
    alice: User, google: Calendar, first: Record, second: Record
) -> None:
    hand_off(second, google, DORA)
    saved(google, "new", DORA)
    saved(google, "new", DORA, CHARLIE)
    assert titles(second, alice) == ["Walkthrough"]
    assert titles(first, alice) == []


def test_a_person_whose_address_brings_it_needs_no_pin(google: Calendar, charlie: Record) -> None:
    waiting = hand_off(charlie, google)
    saved(google)
    assert came(waiting) == "new"
    assert not Pin.objects.exists()


def test_a_person_without_an_address_gets_it_by_a_pin(alice: User, google: Calendar) -> None:
    dana = person(alice, "Dana Quiet")
    hand_off(dana, google)
    saved(google)
    assert titles(dana, alice) == ["Walkthrough"]


def test_changed_on_googles_page_it_is_claimed_all_the_same(alice: User, google: Calendar, second: Record) -> None:
    waiting = hand_off(second, google)
    saved(google, "new", CHARLIE, DORA, title="Lunch", starts_in=timedelta(days=5))
    assert came(waiting) == "new"


def test_a_series_is_claimed_once_with_all_its_occurrences(alice: User, google: Calendar, second: Record) -> None:
    waiting = hand_off(second, google)
    saved(google, recurrence=("RRULE:FREQ=WEEKLY;COUNT=3",))
    assert came(waiting) == "new"
    assert titles(second, alice) == ["Walkthrough"] * 3


@pytest.mark.parametrize(
    "what",
    [
        {"guests": (DORA,)},
        {"organizer": CHARLIE, "guests": ("alice@northwind.example", CHARLIE)},
        {"status": "cancelled"},
        {"after": timedelta(minutes=30)},
    ],
    ids=["other guests", "organized by somebody else", "cancelled", "expired"],
)
def test_not_claimed(google: Calendar, second: Record, what: dict[str, Any]) -> None:
    waiting = hand_off(second, google)
    guests = what.pop("guests", (CHARLIE,))
    saved(google, "new", *guests, **what)
    assert came(waiting) == ""


def test_an_event_that_was_there_before_is_not_claimed_when_it_changes(google: Calendar, second: Record) -> None:
    saved(google)
    waiting = hand_off(second, google)
    saved(google, title="Walkthrough, moved", starts_in=timedelta(days=3))
    assert came(waiting) == ""


def test_an_event_that_moves_here_from_another_calendar_of_the_account_is_not_claimed(
    google: Calendar, second: Record
) -> None:
    other = calendar_in(google.account, "other", last_full_at=NOW)
    for order in ("copy first", "tombstone first"):
        saved(other, order)
        waiting = hand_off(second, google)
        if order == "tombstone first":
            leaves(other, order)
        saved(google, order)
        assert came(waiting) == ""


def test_nothing_is_claimed_on_the_first_reading(google: Calendar, second: Record) -> None:
    waiting = hand_off(second, google)
    google.last_full_at = None
    saved(google)
    assert came(waiting) == ""


def test_a_second_event_is_not_claimed_by_the_same_hand_off(
    alice: User, google: Calendar, first: Record, second: Record
) -> None:
    waiting = hand_off(second, google)
    saved(google, "new")
    saved(google, "newer")
    assert came(waiting) == "new"
    assert len(titles(second, alice)) == 2
    assert len(titles(first, alice)) == 1


def test_a_colleagues_hand_off_claims_nothing_of_mine(alice: User, bob: User, google: Calendar, second: Record) -> None:
    bobs = read_before(account_of(bob), provider="google", name=bob.email)
    waiting = hand_off(second, bobs)
    saved(google)
    assert came(waiting) == ""


def test_the_organizers_copy_is_claimed_though_a_colleagues_came_first(
    alice: User, bob: User, google: Calendar, first: Record, second: Record
) -> None:
    bobs = read_before(account_of(bob), provider="google", name=bob.email)
    waiting = hand_off(second, google, CHARLIE, bob.email)
    invited = meeting("new", organizer=alice.email, guests=(CHARLIE, bob.email))
    arrives(bobs, invited, now=NOW + MINUTE)
    assert came(waiting) == ""
    arrives(google, invited, now=NOW + MINUTE)
    assert came(waiting) == "new"
    assert titles(second, bob) == ["Walkthrough"]
    assert titles(first, bob) == []


def test_what_was_made_here_is_not_taken_for_the_hand_offs_event(alice: User, google: Calendar, second: Record) -> None:
    waiting = hand_off(second, google)
    made = verbs.schedule(
        alice, google, meeting("own", organizer=alice.email, guests=(CHARLIE,)), tell=False, record=None, now=NOW
    )
    intent = made.intents.get()
    intent.remote_id = f"{google.remote_id}own.ics"
    intent.save(update_fields=["remote_id"])
    saved(google, "own")
    assert came(waiting) == ""
    assert Meeting.objects.count() == 1


def test_of_several_the_one_with_the_same_title_and_start_then_the_same_start_then_the_oldest(
    alice: User, google: Calendar, first: Record, second: Record
) -> None:
    oldest = hand_off(first, google, title="Kick-off", starts_in=timedelta(days=9))
    start = hand_off(first, google, title="Other")
    exact = hand_off(second, google, title="Plan")
    saved(google, "a", title="plan ")
    assert came(exact) == "a"
    saved(google, "b", title="Something")
    assert came(start) == "b"
    saved(google, "c", title="Something", starts_in=timedelta(days=20))
    assert came(oldest) == "c"


def test_of_several_events_at_once_each_goes_to_its_own(google: Calendar, first: Record, second: Record) -> None:
    hand_offs = {
        "later": hand_off(first, google, title="Later", starts_in=timedelta(days=9)),
        "plan": hand_off(second, google, title="Plan"),
    }
    alices: dict[str, Any] = {"organizer": "alice@northwind.example", "guests": (CHARLIE,)}
    events = [meeting("later", title="Later, changed", **alices), meeting("plan", title="Plan", **alices)]
    items = [RemoteItem(event.uid, "1", event.uid, (event,)) for event in events]
    apply(google, items, [], now=NOW + MINUTE)
    assert {name: came(waiting) for name, waiting in hand_offs.items()} == {"later": "later", "plan": "plan"}


def test_without_guests_only_the_start_can_tell_which_it_is(google: Calendar, second: Record) -> None:
    call = Event(uid="", title="Call", when=meeting("").when)
    waiting = handoffs.begin(google.account.owner, second, google.account, call, link="", now=NOW)
    saved(google, "other", DORA, title="Call", starts_in=timedelta(days=4))
    assert came(waiting) == ""
    arrives(google, meeting("call", title="Call, prepared"), now=NOW + MINUTE)
    assert came(waiting) == "call"


def test_an_all_day_event_is_told_by_its_day(google: Calendar, second: Record) -> None:
    day = When("2026-11-30", "2026-12-01")
    older = hand_off(second, google, title="Older")
    fair = hand_off(second, google, title="Fair", when=day)
    saved(google, "fair", title="Fair in Hall A", when=day)
    assert (came(fair), came(older)) == ("fair", "")


def test_one_whose_role_only_reads_now_claims_nothing(alice: User, google: Calendar, second: Record) -> None:
    waiting = hand_off(second, google)
    User.objects.filter(id=alice.id).update(role=Role.READ_ONLY)
    saved(Calendar.objects.select_related("account__owner").get(id=google.id))
    assert came(waiting) == ""


def test_saved_in_another_account_it_is_claimed_and_said(
    alice: User, google: Calendar, first: Record, second: Record
) -> None:
    home = _home(alice)
    waiting = hand_off(second, google)
    saved(home, "new", organizer="alice@home.example")
    assert came(waiting) == "new"
    assert waiting.closed_at is None
    assert titles(second, alice) == ["Walkthrough"]
    assert titles(first, alice) == []
    (said,) = handoffs.of(second, alice, NOW + 2 * MINUTE)
    assert (said.state, said.came_into) == ("elsewhere", "alice@home.example")
    handoffs.forget(waiting, now=NOW + 3 * MINUTE)
    assert handoffs.of(second, alice, NOW + 4 * MINUTE) == []
    assert titles(second, alice) == ["Walkthrough"]


def _home(alice: User) -> Calendar:
    account = Account.objects.create(
        owner=alice,
        provider="caldav",
        name="alice@home.example",
        url="https://home.example/",
        username="alice",
        secret="",
        subject_id="/home/",
        addresses_text="alice@home.example",
    )
    calendar_in(account, "home")
    return read_before(account)


def test_a_copy_in_the_account_that_was_invited_too_is_where_it_was_expected(
    alice: User, google: Calendar, second: Record
) -> None:
    home = _home(alice)
    waiting = hand_off(second, google)
    saved(home, "new", CHARLIE, "alice@home.example", organizer=alice.email)
    assert came(waiting) == "new"
    assert waiting.closed_at is not None
    assert handoffs.of(second, alice, NOW + 2 * MINUTE) == []


def test_in_another_account_only_the_very_same_guests_count(alice: User, google: Calendar, second: Record) -> None:
    home = _home(alice)
    waiting = hand_off(second, google)
    saved(home, "more", CHARLIE, DORA, organizer="alice@home.example")
    assert came(waiting) == ""


def test_the_same_event_handed_off_twice_waits_once(google: Calendar, second: Record) -> None:
    for _ in range(2):
        hand_off(second, google)
    assert HandOff.objects.count() == 1


def test_own_addresses_are_no_guests(alice: User, google: Calendar, second: Record) -> None:
    waiting = hand_off(second, google, CHARLIE, alice.email)
    assert waiting.guests == CHARLIE


@pytest.mark.parametrize(
    ("after", "state"),
    [
        (timedelta(seconds=119), "waiting"),
        (timedelta(minutes=2), "late"),
        (timedelta(minutes=30), "over"),
        (timedelta(hours=23, minutes=59), "over"),
        (timedelta(days=1), None),
    ],
)
def test_it_says_how_long_it_waits_for_a_day_at_most(
    alice: User, bob: User, google: Calendar, second: Record, after: timedelta, state: str | None
) -> None:
    hand_off(second, google)
    assert [said.state for said in handoffs.of(second, alice, NOW + after)] == ([state] if state else [])
    assert handoffs.of(second, bob, NOW + after) == []


def test_looking_again_waits_anew(alice: User, google: Calendar, second: Record) -> None:
    waiting = hand_off(second, google)
    handoffs.renew(waiting, now=NOW + timedelta(hours=2))
    saved(google, after=timedelta(hours=2, minutes=5))
    assert came(waiting) == "new"


def test_old_ones_go_when_a_new_one_comes(alice: User, google: Calendar, second: Record) -> None:
    hand_off(second, google, title="Old")
    HandOff.objects.update(created_at=NOW - timedelta(days=2))
    hand_off(second, google, title="New")
    assert HandOff.objects.get().title == "New"


# The pages.


@pytest.fixture
def browser(alice: User) -> Client:
    return visitor(alice)


def visitor(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def html(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def words(client: Client, record: Record) -> str:
    """The section of a record's page that shows its calendar events."""
    section = html(client, page_of(record)).split("is-events", 1)[1].split("</section>", 1)[0]
    return " ".join(re.sub(r"<[^>]+>", " ", section).split())


def page_of(record: Record) -> str:
    return f"/{'people' if record.kind == Kind.PERSON else 'opportunities'}/{record.id}"


def form_of(client: Client, record: Record | None, **changes: Any) -> dict[str, Any]:
    page = html(client, f"/events/new?record={record.id}" if record else "/events/new")
    token = re.search(r'name="token" value="([^"]+)"', page)
    assert token is not None
    day = (timezone.localdate() + timedelta(days=2)).isoformat()
    when = {"date": day, "start": "10:00", "end": "11:00", "end_date": "", "zone": "Europe/Berlin"}
    guests = re.findall(r'name="guest" value="([^"]+)"', page)
    named = {"record": str(record.id)} if record else {}
    return {"token": token[1], "guest": guests, "title": "Kick-off", "do": "hand-off", **named, **when, **changes}


def link_in(page: str) -> dict[str, str]:
    found = re.search(r'data-handed-off="([^"]+)"', unescape(page))
    assert found is not None, page
    assert found[1] in re.findall(r'href="([^"]+)" target="_blank" rel="noopener noreferrer"', unescape(page))
    return {name: values[0] for name, values in parse_qs(urlsplit(found[1]).query).items()}


def test_the_form_offers_googles_page_in_the_accounts_name(google: Calendar, charlie: Record, browser: Client) -> None:
    page = html(browser, f"/events/new?record={charlie.id}")
    assert 'value="hand-off"' in page
    assert "Google Calendar opens in <b>alice@northwind.example</b>" in page
    assert 'value="hand-off"' in html(browser, "/events/new")


@pytest.mark.parametrize("values", [{"provider": "caldav"}, {"state": "reconnect"}])
def test_it_offers_it_for_connected_google_accounts_only(
    google: Calendar, charlie: Record, browser: Client, values: dict[str, str]
) -> None:
    Account.objects.update(**values)
    assert 'value="hand-off"' not in html(browser, f"/events/new?record={charlie.id}")
    answer = browser.post("/events/new", form_of(browser, charlie))
    assert "data-handed-off" not in answer.content.decode()
    assert not HandOff.objects.exists()


def test_the_offer_follows_the_calendar_that_is_chosen(
    alice: User, google: Calendar, charlie: Record, browser: Client
) -> None:
    home = _home(alice)
    form = form_of(browser, charlie, do="refresh", calendar=str(home.id))
    assert 'value="hand-off"' not in browser.post("/events/new", form).content.decode()
    form["calendar"] = str(google.id)
    assert 'value="hand-off"' in browser.post("/events/new", form).content.decode()


def test_a_click_stores_the_hand_off_and_leads_on_with_what_the_form_says_now(
    alice: User, google: Calendar, second: Record, browser: Client
) -> None:
    form = form_of(browser, second, location="Hall A", description="Bring boots", guest_text=DORA)
    answer = browser.post("/events/new", form)
    link = link_in(answer.content.decode())
    day = form["date"].replace("-", "")
    assert link == {
        "action": "TEMPLATE",
        "text": "Kick-off",
        "dates": f"{day}T100000/{day}T110000",
        "ctz": "Europe/Berlin",
        "location": "Hall A",
        "details": "Bring boots",
        "add": f"{CHARLIE},{DORA}",
        "src": google.remote_id,
        "authuser": alice.email,
    }
    kept = HandOff.objects.get()
    assert (kept.record, kept.account, kept.author) == (second, google.account, alice)
    assert (kept.guests.split(), kept.title) == ([CHARLIE, DORA], "Kick-off")
    assert kept.expires_at - kept.created_at == timedelta(minutes=30)
    assert not Meeting.objects.exists()
    assert "Waiting for your event from Google Calendar" in words(browser, second)


def test_the_answer_may_be_followed_under_the_content_policy(google: Calendar, second: Record, browser: Client) -> None:
    answer = browser.post("/events/new", form_of(browser, second))
    assert answer.status_code == 200
    assert "form-action 'self'" in answer.headers["Content-Security-Policy"]


def test_a_stand_in_takes_googles_place(google: Calendar, second: Record, browser: Client, settings: Any) -> None:
    settings.GOOGLE_SITE = "http://127.0.0.1:8900"
    page = browser.post("/events/new", form_of(browser, second)).content.decode()
    assert 'data-handed-off="http://127.0.0.1:8900/calendar/render?' in page


def test_no_name_is_needed_there_but_a_time_that_can_be(google: Calendar, second: Record, browser: Client) -> None:
    assert "text" not in link_in(browser.post("/events/new", form_of(browser, second, title="")).content.decode())
    HandOff.objects.all().delete()
    for wrong in ({"start": "25:00"}, {"guest_text": "dora@outside"}):
        answer = browser.post("/events/new", form_of(browser, second, **wrong))
        assert answer.status_code == 422
        assert "A day has no such time" in answer.content.decode() or "no ending" in answer.content.decode()
    assert not HandOff.objects.exists()


def test_from_the_calendar_nothing_waits(google: Calendar, browser: Client) -> None:
    link_in(browser.post("/events/new", form_of(browser, None)).content.decode())
    assert not HandOff.objects.exists()


def test_a_forged_or_a_foreign_form_stores_nothing(
    bob: User, google: Calendar, second: Record, browser: Client
) -> None:
    read_before(account_of(bob), provider="google")
    assert visitor(bob).post("/events/new", form_of(browser, second)).status_code == 403
    checked = Client(enforce_csrf_checks=True)
    checked.force_login(google.account.owner)
    assert checked.post("/events/new", form_of(browser, second)).status_code == 403
    assert not HandOff.objects.exists()


def handed_off(browser: Client, record: Record, *, ago: timedelta = timedelta(0)) -> HandOff:
    browser.post("/events/new", form_of(browser, record))
    waiting = HandOff.objects.get()
    HandOff.objects.update(created_at=waiting.created_at - ago, expires_at=waiting.expires_at - ago)
    waiting.refresh_from_db()
    return waiting


def test_after_two_minutes_the_record_asks_where_it_was_saved(
    alice: User, bob: User, google: Calendar, first: Record, second: Record, browser: Client
) -> None:
    handed_off(browser, second, ago=2 * MINUTE)
    said = words(browser, second)
    assert "Not here yet. Saved in another account?" in said
    assert "Kick-off is expected in alice@northwind.example." in said
    assert "Look now Open it again Forget it" in said
    for client, record in ((visitor(bob), second), (browser, first)):
        assert "Not here yet" not in words(client, record)


def test_look_now_looks_into_all_calendars_and_waits_anew(
    alice: User, google: Calendar, second: Record, browser: Client
) -> None:
    home = _home(alice)
    waiting = handed_off(browser, second, ago=40 * MINUTE)
    assert "was expected in" in words(browser, second)
    answer = browser.post(f"/hand-offs/{waiting.id}/look", {"back": f"/opportunities?preview={second.id}"})
    assert answer.headers["Location"] == f"/opportunities?preview={second.id}"
    assert {row.requested for row in Calendar.objects.filter(id__in=[google.id, home.id])} == {1}
    assert "is expected in" in words(browser, second)


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:x", ""])
def test_no_button_leads_to_another_site(google: Calendar, second: Record, browser: Client, back: str) -> None:
    waiting = handed_off(browser, second)
    answer = browser.post(f"/hand-offs/{waiting.id}/look", {"back": back})
    assert answer.headers["Location"] == page_of(second)


def test_open_it_again_leads_to_the_same_page(google: Calendar, second: Record, browser: Client) -> None:
    waiting = handed_off(browser, second, ago=40 * MINUTE)
    answer = browser.get(f"/hand-offs/{waiting.id}/again")
    assert answer.headers["Location"] == waiting.link
    waiting.refresh_from_db()
    assert waiting.expires_at > timezone.now()


def test_forget_it(google: Calendar, second: Record, browser: Client) -> None:
    waiting = handed_off(browser, second)
    assert browser.get(f"/hand-offs/{waiting.id}/forget").status_code == 405
    browser.post(f"/hand-offs/{waiting.id}/forget")
    assert not HandOff.objects.exists()
    assert "Waiting for" not in words(browser, second)


def test_nobody_else_touches_a_hand_off(bob: User, google: Calendar, second: Record, browser: Client) -> None:
    waiting = handed_off(browser, second)
    bobs = visitor(bob)
    assert bobs.get(f"/hand-offs/{waiting.id}/again").status_code == 404
    for deed in ("look", "forget"):
        assert bobs.post(f"/hand-offs/{waiting.id}/{deed}").status_code == 404
    assert HandOff.objects.count() == 1


def test_what_came_into_another_account_is_said_until_it_was_read(
    alice: User, google: Calendar, second: Record, browser: Client
) -> None:
    waiting = handed_off(browser, second)
    saved(_home(alice), "new", organizer="alice@home.example", after=timezone.now() - NOW)
    said = words(browser, second)
    assert "Saved in alice@home.example" in said
    assert "Kick-off was expected in alice@northwind.example. It is on this record all the same. All right" in said
    browser.post(f"/hand-offs/{waiting.id}/forget")
    assert "Saved in" not in words(browser, second)
    assert came(waiting) == "new"
