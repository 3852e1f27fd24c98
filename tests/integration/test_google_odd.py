"""What stands in Google's calendars besides plain meetings, through the whole engine: odd, dirty, moved, shared."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from tandem.calendaring.event import Guest, When
from tandem.calendaring.reasons import Skip
from tandem.mailboxes.models import Account
from tandem.meetings import verbs
from tandem.meetings.models import Copy, Intent, Meeting, Occurrence, Pin, RemoteObject
from tandem.team.models import Company, User
from tests.google_world import GoogleWorld, google_world, hours
from tests.mailbox import CHARLIE, meeting

pytestmark = pytest.mark.django_db(transaction=True)

DORA = "dora@outside.example"
MARS = {"dateTime": "2026-11-24T10:00:00+01:00", "timeZone": "Mars/Olympus"}


@pytest.fixture
def world(alice: User, bob: User, company: Company) -> Iterator[GoogleWorld]:
    with google_world(alice, bob) as made:
        yield made


def plant(world: GoogleWorld, name: str, **fields: Any) -> str:
    body = {"id": name, "summary": name, **hours("2026-11-24T10:00:00"), "attendees": [{"email": CHARLIE}], **fields}
    return world.sandbox.plant(world.alice.email, body).id


def states() -> list[str]:
    return sorted(Intent.objects.values_list("state", flat=True))


@pytest.mark.parametrize(
    "fields",
    [
        {"recurrence": ["RRULE:FREQ=SOMETIMES"]},
        {"recurrence": ["RRULE:FREQ=WEEKLY"], "start": MARS},
    ],
)
def test_what_cannot_be_read_is_named_and_the_rest_goes_on(world: GoogleWorld, fields: Any) -> None:
    plant(world, "dirty", **fields)
    plant(world, "clean")
    calendar = world.sync(world.alice)
    assert not calendar.error
    assert world.titles() == ["clean"]
    assert RemoteObject.objects.get(remote_id="dirty").problem
    world.sandbox.plant(world.alice.email, {"id": "dirty", "summary": "mended", **hours("2026-11-25T10:00:00"),
                                            "attendees": [{"email": CHARLIE}]})  # fmt: skip
    world.sync(world.alice)
    assert world.titles() == ["clean", "mended"]


def test_no_kind_of_event_but_meetings_counts_and_what_nobody_knows_does(world: GoogleWorld) -> None:
    for kind in ("outOfOffice", "focusTime", "workingLocation", "birthday", "fromGmail", "somethingNew", "default"):
        plant(world, kind.lower(), eventType=kind)
    world.sync(world.alice)
    assert sorted(world.titles()) == ["default", "fromgmail", "somethingnew"]
    assert Copy.objects.filter(skip=Skip.NOT_A_MEETING).count() == 4


def test_an_occurrence_moved_into_the_window_from_a_series_of_the_past_is_there_once(world: GoogleWorld) -> None:
    series = plant(world, "oldseries", **hours("2026-01-06T10:00:00"), recurrence=["RRULE:FREQ=WEEKLY;COUNT=3"])
    name = f"{series}_20260113T090000Z"
    world.act(world.alice, "events.patch", hours("2026-11-25T10:00:00"), eventId=name, sendUpdates="none")
    for _ in range(3):
        world.sync(world.alice)
        world.forward(hours=25)
    assert RemoteObject.objects.count() == 1
    assert world.here(f"{series}@google.com") == world.at_google(world.alice, series)


@pytest.mark.parametrize("first", ["before", "after"])
def test_invited_to_one_occurrence_and_then_to_all(world: GoogleWorld, first: str) -> None:
    """Bob is no user of the engine here: only alice's account is read."""
    body = {
        "id": "standup",
        "summary": "Standup",
        **hours("2026-11-24T10:00:00"),
        "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=3"],
    }
    world.act(world.bob, "events.insert", body, sendUpdates="none")
    one = {"attendees": [{"email": world.alice.email}, {"email": CHARLIE}]}
    name = "standup_20261201T090000Z"
    world.act(world.bob, "events.patch", one, eventId=name, sendUpdates="none")
    if first == "before":
        world.sync(world.alice)
        assert world.titles() == ["Standup"]
    world.act(world.bob, "events.patch", one, eventId="standup", sendUpdates="none")
    for _ in range(3):
        world.sync(world.alice)
        world.forward(hours=25)
    assert world.here("standup@google.com") == world.at_google(world.bob, "standup")
    assert Copy.objects.values("recurrence_id").distinct().count() == Copy.objects.count()
    world.act(world.bob, "events.patch", {"attendees": []}, eventId="standup", sendUpdates="none")
    world.sync(world.alice)
    assert Meeting.objects.exclude(state=Meeting.State.CANCELLED).exists()


def test_a_meeting_in_a_further_calendar_invites_under_that_calendars_name(world: GoogleWorld) -> None:
    calendar = world.second(world.alice)
    verbs.schedule(
        world.alice, calendar, meeting("", guests=(CHARLIE,)), tell=True, record=world.charlie, now=world.now
    )
    world.sync(world.alice, calendar.remote_id)
    assert [(row.title, row.sign) for row in world.rows()] == [("Walkthrough", "")]
    assert not Copy.objects.exclude(skip="").exists()
    world.change(title="Proposal")
    world.sync(world.alice, calendar.remote_id)
    (event,) = world.live(world.alice, calendar.remote_id)
    assert (event["summary"], event["organizer"]["email"]) == ("Proposal", calendar.remote_id)
    assert world.mails() == [("invitation", CHARLIE), ("update", CHARLIE)]
    assert Meeting.objects.count() == 1
    world.cancel()
    world.sync(world.alice, calendar.remote_id)
    assert world.live(world.alice, calendar.remote_id) == []


def test_the_first_guest_and_the_last_one_leave_it_the_same_meeting(world: GoogleWorld) -> None:
    world.insert(world.alice, attendees=())
    world.sync(world.alice)
    made = Meeting.objects.get()
    Pin.objects.create(series=made.series, record=world.charlie, author=world.alice)
    world.change(guests=(Guest(DORA),))
    world.sync_all(rounds=2)
    assert [guest["email"] for guest in world.live(world.alice)[0]["attendees"]] == [DORA]
    assert world.mails() == [("invitation", DORA)]
    world.change(guests=())
    world.sync_all(rounds=2)
    assert "attendees" not in world.live(world.alice)[0]
    assert world.mails()[1:] == [("cancellation", DORA)]
    assert Meeting.objects.get().id == made.id
    assert world.titles() == ["Walkthrough"]
    assert states() == ["confirmed", "confirmed"]


def test_the_daily_comparison_of_everything_changes_nothing(world: GoogleWorld) -> None:
    series = plant(world, "standup", recurrence=["RRULE:FREQ=WEEKLY;COUNT=9"])
    world.act(world.alice, "events.delete", eventId=f"{series}_20261201T090000Z", sendUpdates="none")
    world.act(world.alice, "events.patch", {"summary": "x"}, eventId=f"{series}_20261208T090000Z", sendUpdates="none")
    plant(world, "single")
    world.sync(world.alice)
    before = list(Meeting.objects.order_by("id").values_list("id", "updated_at"))
    generation = world.calendar(world.alice).generation
    for _ in range(2):
        world.forward(hours=25)
        assert not world.sync(world.alice).held
    assert world.calendar(world.alice).generation == generation + 2
    assert list(Meeting.objects.order_by("id").values_list("id", "updated_at")) == before


def test_deleted_and_confirmed_again_at_google_it_is_back(world: GoogleWorld) -> None:
    event_id = world.insert(world.alice)
    world.sync(world.alice)
    world.act(world.alice, "events.delete", eventId=event_id, sendUpdates="none")
    world.sync(world.alice)
    assert world.titles() == []
    world.act(world.alice, "events.patch", {"status": "confirmed"}, eventId=event_id, sendUpdates="none")
    world.sync(world.alice)
    assert world.titles() == ["Walkthrough"]
    assert Meeting.objects.count() == 1


def days(world: GoogleWorld) -> str:
    body = {"start": {"date": "2026-11-24"}, "end": {"date": "2026-11-26"}, "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=5"]}
    return world.insert(world.alice, attendees=(CHARLIE, world.bob.email), **body)


def day_rows(world: GoogleWorld, event_id: str) -> None:
    world.sync_all(rounds=2)
    answer = world.act(world.alice, "events.instances", eventId=event_id)
    found = list(answer["items"])
    while "nextPageToken" in answer:
        answer = world.act(world.alice, "events.instances", eventId=event_id, pageToken=answer["nextPageToken"])
        found += answer["items"]
    rows = Occurrence.objects.filter(series__uid=f"{event_id}@google.com", cancelled=False).order_by("starts_on")
    assert sorted((str(row.starts_on), str(row.ends_on), row.meeting.title) for row in rows) == sorted(
        (each["start"].get("date", "None"), each["end"].get("date", "None"), each["summary"]) for each in found
    )


def test_a_series_of_days_is_edited_from_both_sides(world: GoogleWorld) -> None:
    event_id = days(world)
    world.sync_all()
    world.change(1, title="This one")
    day_rows(world, event_id)
    world.change(2, when=When.days(date(2026, 12, 10), date(2026, 12, 11)))
    day_rows(world, event_id)
    world.cancel(3)
    day_rows(world, event_id)
    world.act(world.alice, "events.delete", eventId=f"{event_id}_20261222", sendUpdates="none")
    day_rows(world, event_id)
    world.change(0, title="All of them", scope="all")
    day_rows(world, event_id)
    world.act(world.alice, "events.patch", {"summary": "Theirs"}, eventId=f"{event_id}_20261201", sendUpdates="none")
    day_rows(world, event_id)
    assert set(states()) == {"confirmed"}
    assert "All of them" in world.titles()


def test_a_series_of_days_moves_by_a_day(world: GoogleWorld) -> None:
    event_id = days(world)
    world.sync_all()
    world.cancel(1)
    world.sync_all()
    world.change(0, when=When.days(date(2026, 11, 25), date(2026, 11, 26)), scope="all")
    day_rows(world, event_id)


def test_a_series_becomes_one_of_days(world: GoogleWorld) -> None:
    rule = {"recurrence": ["RRULE:FREQ=WEEKLY;COUNT=3"]}
    event_id = world.insert(world.alice, attendees=(CHARLIE,), **rule)
    world.sync_all()
    world.change(0, when=When.days(date(2026, 11, 24), date(2026, 11, 25)), scope="all")
    day_rows(world, event_id)


def test_one_occurrence_becomes_a_day(world: GoogleWorld) -> None:
    rule = {"recurrence": ["RRULE:FREQ=WEEKLY;COUNT=3"]}
    event_id = world.insert(world.alice, attendees=(CHARLIE,), **rule)
    world.sync_all()
    world.change(1, when=When.days(date(2026, 12, 2), date(2026, 12, 3)))
    world.sync_all(rounds=2)
    found = world.act(world.alice, "events.get", eventId=f"{event_id}_20261201T090000Z")
    assert (found["start"], found["end"]) == ({"date": "2026-12-02"}, {"date": "2026-12-03"})
    assert [str(row.starts_on) for row in Occurrence.objects.order_by("starts_at")] == ["None", "2026-12-02", "None"]


@pytest.mark.parametrize("there", ["changed", "moved", "taken out"])
@pytest.mark.parametrize("here", ["changed", "taken out"])
def test_one_occurrence_at_once_from_both_sides_is_never_overwritten(world: GoogleWorld, here: str, there: str) -> None:
    event_id = world.insert(world.alice, recurrence=["RRULE:FREQ=WEEKLY;COUNT=3"])
    name = f"{event_id}_20261201T090000Z"
    world.sync_all()
    if here == "changed":
        world.change(1, title="Mine")
    else:
        world.cancel(1)
    if there == "taken out":
        world.act(world.alice, "events.delete", eventId=name, sendUpdates="none")
    else:
        body = {"summary": "Theirs"} if there == "changed" else hours("2026-12-02T15:00:00")
        world.act(world.alice, "events.patch", body, eventId=name, sendUpdates="none")
    world.settle()
    assert world.here(f"{event_id}@google.com") == world.at_google(world.alice, event_id)
    titles = [title for _, _, title in world.at_google(world.alice, event_id)]
    (intent,) = Intent.objects.all()
    expected = {
        ("changed", "changed"): ("conflict", ["Walkthrough", "Theirs", "Walkthrough"]),
        ("changed", "moved"): ("confirmed", ["Walkthrough", "Mine", "Walkthrough"]),
        ("changed", "taken out"): ("restorable", ["Walkthrough", "Walkthrough"]),
        ("taken out", "changed"): ("conflict", ["Walkthrough", "Theirs", "Walkthrough"]),
        ("taken out", "moved"): ("conflict", ["Walkthrough", "Walkthrough", "Walkthrough"]),
        ("taken out", "taken out"): ("confirmed", ["Walkthrough", "Walkthrough"]),
    }
    assert (intent.state, titles) == expected[here, there]


def test_series_with_dates_taken_out_by_the_rule_itself(world: GoogleWorld) -> None:
    rule = ("RRULE:FREQ=WEEKLY;COUNT=4", "EXDATE:20261201T090000Z")
    world.schedule(meeting("", guests=(CHARLIE,), recurrence=rule))
    world.sync_all(rounds=2)
    (event,) = world.live(world.alice)
    assert world.here(f"{event['id']}@google.com") == world.at_google(world.alice, event["id"])
    assert len(world.here(f"{event['id']}@google.com")) == 3
    world.cancel(1)
    world.sync_all(rounds=2)
    assert world.here(f"{event['id']}@google.com") == world.at_google(world.alice, event["id"])
    assert len(world.here(f"{event['id']}@google.com")) == 2


def test_wall_time_is_kept_over_the_change_of_clocks(world: GoogleWorld) -> None:
    event_id = world.insert(world.alice, **hours("2027-03-16T10:00:00"), recurrence=["RRULE:FREQ=WEEKLY;COUNT=4"])
    world.forward(days=110)
    world.sync_all()
    world.change(3, title="After")
    world.sync_all(rounds=2)
    assert world.here(f"{event_id}@google.com") == world.at_google(world.alice, event_id)
    assert len({row[0].hour for row in world.here(f"{event_id}@google.com")}) == 2


def test_a_guest_who_may_modify_changes_it_in_their_own_copy(world: GoogleWorld) -> None:
    """Charlie's meeting, charlie not being here: alice is a guest who may modify."""
    world.sandbox.store.add_user("erin@outside.example", "Erin", "Europe/Paris")
    body = {"summary": "Theirs", **hours("2026-11-24T10:00:00"), "guestsCanModify": True}
    body["attendees"] = [{"email": world.alice.email}, {"email": CHARLIE}]
    world.sandbox.call("erin@outside.example", "events.insert", body, calendarId="primary", sendUpdates="none")
    world.sync_all()
    world.change(title="Ours")
    world.sync_all(rounds=2)
    assert [event["summary"] for event in world.live(world.alice, "erin@outside.example")] == ["Ours"]
    assert states() == ["confirmed"]


def test_a_meeting_that_only_its_organizer_may_change_says_so_and_writes_nothing(world: GoogleWorld) -> None:
    world.sandbox.store.add_user("erin@outside.example", "Erin", "Europe/Paris")
    body = {"summary": "Theirs", **hours("2026-11-24T10:00:00")}
    body["attendees"] = [{"email": world.alice.email}, {"email": CHARLIE}]
    world.sandbox.call("erin@outside.example", "events.insert", body, calendarId="primary", sendUpdates="none")
    world.sync_all()
    with pytest.raises(verbs.NotAllowed):
        world.change(title="Ours")


def test_rights_that_end_between_reading_and_writing_refuse_for_good_with_words(world: GoogleWorld) -> None:
    event_id = world.insert(world.alice)
    world.sync_all()
    intent = world.change(title="Mine")
    world.sandbox.store.calendars[world.alice.email].roles[world.alice.email] = "reader"
    world.sync(world.alice)
    intent.refresh_from_db()
    assert intent.state == Intent.State.REFUSED
    assert "change" in intent.error
    writes = len(world.sandbox.log.writes())
    for _ in range(3):
        world.forward(hours=1)
        world.sync(world.alice)
    assert len(world.sandbox.log.writes()) == writes
    assert world.live(world.alice)[0]["id"] == event_id


def test_a_limit_of_google_puts_an_edit_off_for_as_long_as_it_says(world: GoogleWorld) -> None:
    world.insert(world.alice)
    world.sync_all()
    intent = world.change(title="Mine")
    world.sandbox.faults.add("403 userRateLimitExceeded", "events.patch")
    world.sync(world.alice)
    intent.refresh_from_db()
    assert intent.state == Intent.State.OPEN
    assert intent.next_try_at is not None
    assert intent.next_try_at > world.now
    assert [row.sign for row in world.rows()] == ["waiting"]
    assert Account.objects.get(owner=world.alice).state == "active"


def test_an_own_reminder_here_is_nobody_elses(world: GoogleWorld) -> None:
    world.insert(world.alice, attendees=(CHARLIE, world.bob.email))
    world.sync_all()
    world.change(reminders=(15,), tell=False)
    world.sync_all(rounds=2)
    assert world.live(world.alice)[0]["reminders"]["overrides"] == [{"method": "popup", "minutes": 15}]
    assert world.live(world.bob)[0]["reminders"] == {"useDefault": True}
