"""Pages of events: the form, one meeting, and who may open what."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from django.test import Client
from django.utils import timezone

from tandem.calendaring import event as canonical
from tandem.calendaring.event import When
from tandem.crm.models import Kind, Record
from tandem.crm.verbs import RecordData
from tandem.mailboxes.models import Calendar
from tandem.meetings import records, wishes
from tandem.meetings.models import Intent, Meeting
from tandem.team.models import Company, Role, User
from tests.mailbox import CHARLIE, arrives, calendar_in, calendar_of, meeting, person

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def charlie(alice: User, company: Company) -> Record:
    return person(alice, "Charlie Baker", CHARLIE)


@pytest.fixture
def rita(db: None) -> User:
    """A colleague who may only read."""
    return User.objects.create_user("rita@northwind.example", "Rita Read", role=Role.READ_ONLY)


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(client: Client, address: str, status: int = 200, **headers: Any) -> str:
    answer = client.get(address, **headers)
    assert answer.status_code == status, answer.content.decode()[:2000]
    return answer.content.decode()


def soon(**values: Any) -> canonical.Event:
    """A meeting of alice with charlie in two days from the clock that pages use."""
    values.setdefault("organizer", "alice@northwind.example")
    values.setdefault("guests", (CHARLIE,))
    start = timezone.now().replace(minute=0, second=0, microsecond=0) + timedelta(days=values.pop("days", 2))
    values.setdefault("when", When.timed(start, start + HOUR, "Europe/Berlin"))
    return meeting(**values)


def the_meeting(uid: str = "walkthrough") -> Meeting:
    return Meeting.objects.get(series__uid=uid, recurrence_id="")


def filled(html: str, **changes: Any) -> dict[str, Any]:
    """What a browser would send of the form on the page, with some fields changed by hand."""
    form: dict[str, Any] = {"guest": []}
    for tag in re.findall(r"<input[^>]*>", html):
        fields = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        name = fields.get("name")
        unticked = fields.get("type") in {"checkbox", "radio"} and " checked" not in tag
        if not name or unticked or " disabled" in tag:
            continue
        value = fields.get("value", "on").replace("&lt;", "<").replace("&gt;", ">")
        if name == "guest":
            form["guest"].append(value)
        else:
            form[name] = value
    form["description"] = ""
    if selected := re.search(r'name="calendar"[^>]*><option value="([^"]+)"', html):
        form["calendar"] = selected[1]
    form.update(changes)
    return {name: value for name, value in form.items() if value is not None}


def new_form(client: Client, record: Record | None = None) -> str:
    return page(client, f"/events/new?record={record.id}" if record else "/events/new")


def test_a_new_event_starts_with_the_persons_address_and_says_where_it_goes(alice: User, charlie: Record) -> None:
    calendar = calendar_of(alice)
    html = new_form(browser(alice), charlie)
    assert f'value="Charlie Baker &lt;{CHARLIE}&gt;"' in html
    assert "links to Charlie Baker" in html
    assert f"<b>{calendar.name}</b>" in html
    assert calendar.account.name in html
    assert "<b>Charlie</b> will be mailed by Tandem." in html


def test_without_a_calendar_the_form_says_so_and_leads_to_connecting(alice: User, charlie: Record) -> None:
    html = new_form(browser(alice), charlie)
    assert "No calendar is connected yet" in html
    assert "/accounts/connect" in html


def test_a_person_without_an_address_gets_a_hint_instead_of_a_guest(alice: User, company: Company) -> None:
    calendar_of(alice)
    dana = person(alice, "Dana Quiet")
    html = new_form(browser(alice), dana)
    assert "Dana Quiet has no address yet. Add one" in html
    assert "Nobody will be mailed: there are no guests." in html


def test_a_company_with_several_people_offers_a_choice_and_chooses_nobody(alice: User, company: Company) -> None:
    calendar_of(alice)
    halden = records.save(alice, None, Kind.COMPANY, RecordData(name="Halden"), now=timezone.now())
    for name in ("Priya Raman", "Tom Eklund"):
        person(alice, name, f"{name.split()[0].lower()}@halden.example", company=halden)
    html = new_form(browser(alice), halden)
    assert 'name="guest"' not in html
    assert 'value="guest-add:priya@halden.example"' in html
    assert 'value="guest-add:tom@halden.example"' in html


def save_new(client: Client, record: Record, **changes: Any) -> Any:
    return client.post("/events/new", filled(new_form(client, record), record=str(record.id), **changes), follow=True)


def test_saving_makes_one_intent_and_says_who_will_be_mailed(alice: User, charlie: Record) -> None:
    calendar = calendar_of(alice)
    answer = save_new(browser(alice), charlie, title="Kick-off")
    intent = Intent.objects.get()
    assert (intent.calendar, intent.verb, intent.tell, intent.author) == (calendar, "create", True, alice)
    event = wishes.event_of(intent)
    assert event is not None
    assert [guest.address for guest in event.guests] == [CHARLIE]
    assert f"Saved in {calendar.name}. Charlie will be mailed by Tandem." in answer.content.decode()
    assert answer.redirect_chain[-1][0] == f"/people/{charlie.id}"


def test_saving_wakes_the_calendar(alice: User, charlie: Record) -> None:
    calendar = calendar_of(alice)
    before = calendar.requested
    save_new(browser(alice), charlie, title="Kick-off")
    calendar.refresh_from_db()
    assert calendar.requested > before


def test_a_form_sent_twice_makes_one_meeting(alice: User, charlie: Record) -> None:
    calendar_of(alice)
    client = browser(alice)
    form = filled(new_form(client, charlie), title="Kick-off")
    first, second = client.post("/events/new", form), client.post("/events/new", form)
    assert (first.status_code, second.status_code) == (302, 302)
    assert first.headers["Location"] == second.headers["Location"]
    assert Intent.objects.count() == Meeting.objects.count() == 1


def test_a_form_made_for_somebody_else_is_refused(alice: User, bob: User, charlie: Record) -> None:
    calendar_of(alice)
    calendar_of(bob)
    form = filled(new_form(browser(alice), charlie), title="Kick-off")
    assert browser(bob).post("/events/new", form).status_code == 403
    assert not Meeting.objects.exists()


def test_nobody_saves_into_a_colleagues_calendar(alice: User, bob: User, charlie: Record) -> None:
    mine, theirs = calendar_of(alice), calendar_of(bob)
    save_new(browser(alice), charlie, title="Kick-off", calendar=str(theirs.id))
    assert Intent.objects.get().calendar == mine


def test_the_second_calendar_is_taken_when_it_is_chosen(alice: User, charlie: Record) -> None:
    calendar = calendar_of(alice)
    travel = calendar_in(calendar.account, "travel")
    save_new(browser(alice), charlie, title="Trip", calendar=str(travel.id))
    assert Intent.objects.get().calendar == travel


def test_an_event_beyond_the_horizon_says_when_it_will_be_here(alice: User, charlie: Record) -> None:
    calendar = calendar_of(alice)
    day = timezone.localdate() + timedelta(days=80)
    answer = save_new(browser(alice), charlie, title="Far", date=day.isoformat(), start="12:00", end="13:00")
    assert f"In {calendar.name} now, here on" in answer.content.decode()


@pytest.mark.parametrize(
    ("field", "changes", "words"),
    [
        ("title", {"title": "  "}, "Give the meeting a name."),
        ("end", {"start": "14:00", "end": "13:00"}, "The meeting ends before it starts."),
        ("start", {"start": "25:00"}, "A day has no such time."),
        ("start", {"start": "noonish"}, "Write a time such as 9:00, 9.30 or 9am."),
        ("date", {"date": "2026-02-30"}, "No calendar has this day."),
        ("zone", {"zone": "Middle Earth"}, "No time zone has this name."),
        ("start", {"date": "2027-03-28", "start": "02:30", "end": "04:00"}, "the clocks jump over 02:30 in Berlin"),
        ("guest_text", {"guest_text": "dana@halden"}, "This address has no ending, such as .com."),
    ],
)
def test_what_cannot_be_is_said_beside_its_field_and_nothing_typed_is_lost(
    alice: User, charlie: Record, field: str, changes: dict[str, str], words: str
) -> None:
    calendar_of(alice)
    client = browser(alice)
    typed = {"title": "Kick-off", "location": "Hall <B>", **changes}
    answer = client.post("/events/new", filled(new_form(client, charlie), **typed))
    html = answer.content.decode()
    assert answer.status_code == 422
    assert words in html.replace("&#x27;", "'")
    assert re.search(rf'name="{field}"[^>]*aria-invalid="true"', html)
    assert 'value="Hall &lt;B&gt;"' in html
    assert not Meeting.objects.exists()


def test_a_guest_who_was_typed_but_not_added_is_shown_before_anything_is_saved(alice: User, charlie: Record) -> None:
    calendar_of(alice)
    client = browser(alice)
    answer = client.post("/events/new", filled(new_form(client, charlie), title="X", guest_text="dana@halden.example"))
    html = answer.content.decode()
    assert "Added to the guests. Look, then save." in html
    assert "not in CRM" in html
    assert not Meeting.objects.exists()


def test_a_guest_can_be_found_by_name_and_taken_off_again(alice: User, charlie: Record) -> None:
    calendar_of(alice)
    client = browser(alice)
    client.get("/events/new")
    form = filled(new_form(client), guest_text="charlie")
    assert "guest-add:Charlie Baker &lt;" in client.post("/events/guests", form).content.decode()
    added = client.post("/events/new", form | {"do": "guest-add"}).content.decode()
    assert "links to Charlie Baker" in added
    taken = client.post("/events/new", filled(added, do=f"guest-remove:{CHARLIE}")).content.decode()
    assert "links to Charlie Baker" not in taken


def test_control_characters_are_left_out_of_what_was_typed(alice: User, charlie: Record) -> None:
    calendar_of(alice)
    client = browser(alice)
    form = filled(new_form(client, charlie), title="Qu\0ar\x0bterly", location="Hall\x07 2")
    assert "Charlie Baker" in client.post("/events/guests", form | {"guest_text": "ba\0ker", "guest": []}).text
    client.post("/events/new", form)
    meeting = Meeting.objects.get()
    assert meeting.title == "Quarterly"
    assert canonical.decode(meeting.shown).location == "Hall 2"


def test_switching_telling_off_is_said_and_kept(alice: User, charlie: Record) -> None:
    calendar_of(alice)
    client = browser(alice)
    form = filled(new_form(client, charlie), title="Quiet", tell=None)
    assert "Nobody will be mailed." in client.post("/events/new", form | {"do": "refresh"}).content.decode()
    client.post("/events/new", form)
    assert Intent.objects.get().tell is False


def test_an_all_day_event_keeps_its_days(alice: User, charlie: Record) -> None:
    calendar_of(alice)
    save_new(browser(alice), charlie, title="Fair", all_day="on", date="2027-01-05", end_date="2027-01-06")
    event = wishes.event_of(Intent.objects.get())
    assert event is not None
    assert event.when == When("2027-01-05", "2027-01-07")


def test_htmx_gets_the_form_as_a_panel_and_is_sent_on_after_saving(alice: User, charlie: Record) -> None:
    calendar_of(alice)
    client = browser(alice)
    here = f"http://testserver/people/{charlie.id}"
    headers: dict[str, Any] = {"HTTP_HX_REQUEST": "true", "HTTP_HX_CURRENT_URL": here}
    html = page(client, f"/events/new?record={charlie.id}", **headers)
    assert html.startswith("<dialog")
    answer = client.post("/events/new", filled(html, title="Kick-off", record=str(charlie.id)), **headers)
    assert answer.headers["HX-Redirect"] == f"/people/{charlie.id}"


def test_a_read_only_user_creates_and_changes_nothing(alice: User, rita: User, charlie: Record) -> None:
    arrives(calendar_of(alice), soon())
    client = browser(rita)
    address = f"/events/{the_meeting().id}/-"
    assert "read-only" in page(client, "/events/new", 403)
    page(client, f"{address}/edit", 403)
    assert client.post(f"{address}/cancel").status_code == 403
    assert not Intent.objects.exists()


def test_the_owner_sees_everything_of_a_meeting(alice: User, charlie: Record) -> None:
    arrives(calendar_of(alice), soon(location="Hall B", description="See https://halden.example/a?b=1. <script>"))
    html = page(browser(alice), f"/events/{the_meeting().id}/-")
    assert "Hall B" in html
    assert 'href="https://halden.example/a?b=1"' in html
    assert "<script>" not in html.split("<main", 1)[1]
    assert f"/people/{charlie.id}" in html
    assert "No answer yet" in html


def test_a_colleague_is_told_why_a_meeting_does_not_open(alice: User, bob: User, charlie: Record) -> None:
    arrives(calendar_of(alice), soon(title="Merger talks", location="Hall B"))
    html = page(browser(bob), f"/events/{the_meeting().id}/-", 403)
    assert "This is Alice’s meeting. You see when it is and who from your records is there." in html
    assert "Hall B" not in html


@pytest.mark.parametrize("kind", ["unlinked", "private"])
def test_what_is_only_busy_leaks_no_title(alice: User, bob: User, charlie: Record, kind: str) -> None:
    event = soon(title="Surgery", guests=()) if kind == "unlinked" else soon(title="Surgery", visibility="private")
    arrives(calendar_of(alice), event)
    address = f"/events/{the_meeting().id}/-"
    assert "Surgery" not in page(browser(bob), address, 403)
    assert "Surgery" not in page(browser(bob), f"{address}/edit", 403)
    assert "Surgery" not in page(browser(bob), f"{address}/cancel", 403)


def test_a_meeting_that_is_not_there_is_not_found(alice: User, company: Company) -> None:
    page(browser(alice), "/events/01a20000-0000-7000-8000-000000000000/-", 404)


def test_a_change_carries_what_the_person_saw_and_only_what_they_changed(alice: User, charlie: Record) -> None:
    calendar = calendar_of(alice)
    arrives(calendar, soon(title="Walkthrough", location="Hall A"))
    client, address = browser(alice), f"/events/{the_meeting().id}/-/edit"
    form = filled(page(client, address), location="Hall B")
    # meanwhile the calendar says something else; the person did not see that
    arrives(calendar, soon(title="Walkthrough", location="Hall C"))
    client.post(address, form)
    intent = Intent.objects.get()
    assert dict(wishes.changes_of(intent)) == {"location": ("Hall A", "Hall B")}


def test_saving_without_a_change_makes_no_intent(alice: User, charlie: Record) -> None:
    arrives(calendar_of(alice), soon(description=""))
    client, address = browser(alice), f"/events/{the_meeting().id}/-/edit"
    answer = client.post(address, filled(page(client, address)), follow=True)
    assert "Nothing was changed" in answer.content.decode()
    assert not Intent.objects.exists()


def test_an_untouched_time_keeps_its_seconds(alice: User, charlie: Record) -> None:
    event = soon()
    assert event.when is not None
    odd = msgspec.structs.replace(event, when=When(event.when.start[:-2] + "30", event.when.end, event.when.zone))
    arrives(calendar_of(alice), odd)
    client, address = browser(alice), f"/events/{the_meeting().id}/-/edit"
    client.post(address, filled(page(client, address), title="New name"))
    assert list(wishes.changes_of(Intent.objects.get())) == ["title"]


def test_a_forged_base_is_refused(alice: User, charlie: Record) -> None:
    arrives(calendar_of(alice), soon())
    client, address = browser(alice), f"/events/{the_meeting().id}/-/edit"
    form = filled(page(client, address), title="X", base="forged")
    assert client.post(address, form).status_code == 403
    assert not Intent.objects.exists()


def test_a_meeting_somebody_else_organizes_says_who_may_change_it(alice: User, charlie: Record) -> None:
    arrives(calendar_of(alice), soon(organizer=CHARLIE, guests=(alice.email, CHARLIE)))
    html = page(browser(alice), f"/events/{the_meeting().id}/-")
    assert "organizes this meeting, so only they can change it" in html
    assert "/edit" not in html


def test_cancelling_asks_and_says_who_will_be_mailed(alice: User, charlie: Record) -> None:
    calendar = calendar_of(alice)
    arrives(calendar, soon())
    client, address = browser(alice), f"/events/{the_meeting().id}/-/cancel"
    html = page(client, address)
    assert "<b>Charlie</b> will be mailed by Tandem." in html
    assert not Intent.objects.exists()
    answer = client.post(address, {"tell": "on"}, follow=True)
    intent = Intent.objects.get()
    assert (intent.verb, intent.tell) == ("cancel", True)
    assert answer.redirect_chain[-1][0] == f"/people/{charlie.id}"
    assert f"Cancelled in {calendar.name}. Charlie will be mailed by Tandem." in answer.content.decode()


def series_of_three(calendar: Calendar) -> list[str]:
    """A weekly series of three with charlie; the original starts of its occurrences."""
    arrives(calendar, soon(uid="weekly", recurrence=("RRULE:FREQ=WEEKLY;COUNT=3",)))
    rows = the_meeting("weekly").series.occurrences.order_by("starts_at")
    return [row.original_start for row in rows]


@pytest.mark.parametrize(("scope", "recurrence_id"), [("this", True), ("all", False)])
def test_one_meeting_of_a_series_or_all_of_them(alice: User, charlie: Record, scope: str, recurrence_id: bool) -> None:
    second = series_of_three(calendar_of(alice))[1]
    client, address = browser(alice), f"/events/{the_meeting('weekly').id}/{second}/edit"
    html = page(client, address)
    assert "All meetings of the series" in html
    client.post(address, filled(html, title="Renamed", scope=scope))
    assert Intent.objects.get().recurrence_id == (second if recurrence_id else "")


def test_a_refused_edit_stands_on_the_page_with_its_reason_and_can_be_tried_again(alice: User, charlie: Record) -> None:
    arrives(calendar_of(alice), soon(location="Hall A"))
    client, address = browser(alice), f"/events/{the_meeting().id}/-"
    client.post(f"{address}/edit", filled(page(client, f"{address}/edit"), location="Hall B"))
    Intent.objects.update(state=Intent.State.REFUSED, error="The calendar is full.")
    html = page(client, address)
    assert "Not saved" in html
    assert "The calendar is full." in html
    client.post(f"/decide/{Intent.objects.get().id}/again", {"back": address})
    assert Intent.objects.get().state == Intent.State.OPEN
    assert "Not sent yet" in page(client, address)
