"""Pages of accounts: connecting, choosing calendars, health, and that each user sees only their own."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tandem.calendaring.provider import (
    Credentials,
    Discovery,
    NotACalendarServer,
    ReconnectNeeded,
    RemoteCalendar,
    TryLater,
)
from tandem.mailboxes.models import Account, AccountState, Calendar, Sender
from tandem.mailboxes.secrets import unseal
from tandem.sync import accounts as connecting
from tandem.team.models import Company, Role, User
from tests.mailbox import account_of, arrives, calendar_in, meeting

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse"
FORM = {"url": "cal.example", "username": "alice", "password": PASSWORD, "invitations_by": ""}


class Server:
    """A calendar server as the connect page meets it: what it finds, or the error that it answers with."""

    def __init__(self) -> None:
        self.addresses: tuple[str, ...] = ("alice@northwind.example",)
        self.schedules = False
        self.error: Exception | None = None
        self.asked: list[Credentials] = []

    def provider(self, name: str, credentials: Credentials, endpoint: str = "") -> Server:
        self.asked.append(credentials)
        return self

    def discover(self) -> Discovery:
        if self.error:
            raise self.error
        calendars = (RemoteCalendar("/alice/work/", "Work"), RemoteCalendar("/holidays/", "Holidays", writable=False))
        return Discovery("https://cal.example/", "/alice/", self.addresses, self.schedules, calendars)

    def close(self) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, company: Company) -> Server:
    server = Server()
    monkeypatch.setattr(connecting, "provider_for", server.provider)
    return server


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text(answer: Any) -> str:
    return str(answer.content.decode()).replace("&#x27;", "'")


def test_connecting_stores_the_account_and_asks_which_calendars_to_read(alice: User, server: Server) -> None:
    client = browser(alice)
    answer = client.post("/accounts/connect", FORM)
    account = Account.objects.get()
    assert answer.headers["Location"] == f"/accounts/{account.id}/calendars"
    assert server.asked[0].url == "https://cal.example"
    assert unseal(account.secret) == PASSWORD
    html = text(client.get(answer.headers["Location"]))
    assert "Which calendars shall Tandem read?" in html
    assert "Read only" in html
    assert not Calendar.objects.filter(is_read=True).exists()


def test_the_calendars_that_are_chosen_are_read_and_one_takes_new_events(alice: User, server: Server) -> None:
    client = browser(alice)
    address = client.post("/accounts/connect", FORM).headers["Location"]
    work = Calendar.objects.get(name="Work")
    client.post(address, {"target": str(work.id)})
    work.refresh_from_db()
    assert (work.is_read, work.is_target) == (True, True)
    assert work.requested != work.done
    assert not Calendar.objects.get(name="Holidays").is_read


@pytest.mark.parametrize(
    ("error", "field"),
    [
        (ReconnectNeeded("cal.example does not take this name and password."), "password"),
        (TryLater("cal.example does not answer."), "url"),
        (NotACalendarServer("What answers at cal.example is no CalDAV server."), "url"),
    ],
)
def test_what_goes_wrong_is_a_sentence_and_only_the_password_is_lost(
    alice: User, server: Server, error: ReconnectNeeded | TryLater, field: str
) -> None:
    server.error = error
    answer = browser(alice).post("/accounts/connect", FORM)
    html = text(answer)
    assert answer.status_code == 422
    assert error.words in html
    assert 'value="cal.example"' in html
    assert 'value="alice"' in html
    assert PASSWORD not in html
    assert f'id="c-{"pass" if field == "password" else "url"}-e"' in html
    assert not Account.objects.exists()


def test_a_server_that_does_not_say_whose_it_is_leads_to_one_more_question(alice: User, server: Server) -> None:
    server.addresses = ()
    client = browser(alice)
    html = text(client.post("/accounts/connect", FORM))
    assert "Your own addresses at this account" in html
    assert f'value="{alice.email}"' in html
    assert PASSWORD not in html
    # the password need not be typed again
    client.post("/accounts/connect", {**FORM, "password": "", "addresses": "alice@work.example, a.moreau@work.example"})
    account = Account.objects.get()
    assert account.addresses == {"alice@work.example", "a.moreau@work.example"}
    assert unseal(account.secret) == PASSWORD
    assert "connecting" not in client.session


def test_a_kept_password_goes_to_no_other_server(alice: User, server: Server) -> None:
    server.addresses = ()
    client = browser(alice)
    client.post("/accounts/connect", FORM)
    asked = len(server.asked)
    answer = client.post(
        "/accounts/connect", {**FORM, "url": "evil.example", "password": "", "addresses": "a@b.example"}
    )
    assert answer.status_code == 422
    assert len(server.asked) == asked


def test_own_addresses_have_to_be_addresses(alice: User, server: Server) -> None:
    answer = browser(alice).post("/accounts/connect", {**FORM, "addresses": "alice@work"})
    assert answer.status_code == 422
    assert "alice@work: This address has no ending, such as .com." in text(answer)


def test_who_mails_guests_is_asked_and_kept(alice: User, server: Server) -> None:
    browser(alice).post("/accounts/connect", {**FORM, "invitations_by": "server"})
    assert Account.objects.get().invitations_by == Sender.SERVER


def healthy(user: User) -> Calendar:
    calendar = account_of(user).calendars.get()
    now = timezone.now()
    Calendar.objects.filter(id=calendar.id).update(last_success_at=now, last_full_at=now, window_read=True)
    return calendar


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "In sync"),
        ({"requested": 1}, "Syncing"),
        ({"error": "The server is out of reach."}, "Not reached"),
        ({"held": "180 of 214 meetings are missing."}, "Stopped, look first"),
        ({"last_success_at": timedelta(minutes=-40)}, "40 min behind"),
        ({"is_read": False}, "No calendar is read"),
    ],
)
def test_the_pill_names_the_worst_state(alice: User, company: Company, values: dict[str, Any], words: str) -> None:
    calendar = healthy(alice)
    now = timezone.now()
    placed = {name: now + value if isinstance(value, timedelta) else value for name, value in values.items()}
    Calendar.objects.filter(id=calendar.id).update(**placed)
    html = text(browser(alice).get("/accounts"))
    assert words in html
    assert ("In sync" in html.split("<main", 1)[1]) == (words == "In sync")


def test_a_first_reading_shows_how_far_it_is_and_the_page_looks_again(alice: User, company: Company) -> None:
    calendar = account_of(alice).calendars.get()
    Calendar.objects.filter(id=calendar.id).update(requested=1, read_count=96, read_total=214)
    html = text(browser(alice).get("/accounts"))
    assert "First reading: 96 of 214 meetings" in html
    assert 'hx-trigger="every 2s"' in html


def test_a_page_at_rest_does_not_poll(alice: User, company: Company) -> None:
    healthy(alice)
    assert "every 2s" not in text(browser(alice).get("/accounts"))


def test_a_refused_password_is_a_banner_with_what_is_kept(alice: User, server: Server) -> None:
    account = healthy(alice).account
    Account.objects.update(
        state=AccountState.RECONNECT, error="cal.example refused the password.", error_since=timezone.now()
    )
    client = browser(alice)
    html = text(client.get("/accounts"))
    assert "cal.example refused the password." in html
    assert "Nothing is lost." in html
    server.error = ReconnectNeeded("Still wrong.")
    answer = client.post(f"/accounts/{account.id}/reconnect", {"password": "wrong"})
    assert answer.status_code == 422
    assert "Still wrong." in text(answer)
    assert 'value="wrong"' not in text(answer)


def test_reconnecting_takes_only_the_password(alice: User, server: Server) -> None:
    account = healthy(alice).account
    Account.objects.update(state=AccountState.RECONNECT, subject_id="/alice/", error="Refused.")
    browser(alice).post(f"/accounts/{account.id}/reconnect", {"password": PASSWORD})
    account.refresh_from_db()
    assert (account.state, account.error, unseal(account.secret)) == (AccountState.ACTIVE, "", PASSWORD)


def test_sync_now_asks_for_a_look(alice: User, company: Company) -> None:
    calendar = healthy(alice)
    browser(alice).post(f"/accounts/{calendar.account_id}/sync")
    calendar.refresh_from_db()
    assert calendar.requested != calendar.done


def test_a_stopped_calendar_goes_on_when_its_owner_says_so(alice: User, bob: User, company: Company) -> None:
    calendar = healthy(alice)
    Calendar.objects.filter(id=calendar.id).update(held="180 of 214 meetings are missing in the calendar.")
    assert "180 of 214 meetings are missing" in text(browser(alice).get("/accounts"))
    assert browser(bob).post(f"/accounts/calendars/{calendar.id}/go-on").status_code == 404
    browser(alice).post(f"/accounts/calendars/{calendar.id}/go-on")
    calendar.refresh_from_db()
    assert calendar.held == ""


def test_writing_held_for_the_company_is_said_and_an_administrator_lets_it_go_on(
    alice: User, company: Company, settings: Any, tmp_path: Path
) -> None:
    settings.DATA = tmp_path
    Company.objects.update(writing_held=True, held_reason="This is a restored backup.")
    assert "This is a restored backup." in text(browser(alice).get("/accounts"))
    assert browser(alice).post("/accounts/write-again").status_code == 403
    User.objects.filter(id=alice.id).update(role=Role.ADMINISTRATOR)
    browser(alice).post("/accounts/write-again")
    assert not Company.current().writing_held


def test_disconnecting_asks_first_and_deletes_nothing_there(alice: User, company: Company) -> None:
    calendar = healthy(alice)
    arrives(calendar, meeting())
    client, address = browser(alice), f"/accounts/{calendar.account_id}/disconnect"
    assert "Nothing is deleted in the calendar" in text(client.get(address))
    assert Account.objects.get().state == AccountState.ACTIVE
    client.post(address)
    account = Account.objects.get()
    assert (account.state, account.secret) == (AccountState.DISCONNECTED, "")


@pytest.mark.parametrize("action", ["calendars", "sync", "reconnect", "disconnect", "look"])
def test_another_users_account_does_not_exist(alice: User, bob: User, company: Company, action: str) -> None:
    account = healthy(alice).account
    client = browser(bob)
    assert account.name not in text(client.get("/accounts"))
    assert client.post(f"/accounts/{account.id}/{action}").status_code == 404


def test_nobody_makes_a_colleagues_calendar_their_target(alice: User, bob: User, company: Company) -> None:
    mine, theirs = healthy(alice), healthy(bob)
    browser(alice).post(f"/accounts/{mine.account_id}/calendars", {"read": [str(theirs.id)], "target": str(theirs.id)})
    theirs.refresh_from_db()
    assert theirs.is_target
    assert theirs.is_read


def test_a_read_only_user_connects_nothing_but_may_take_their_account_away(company: Company, server: Server) -> None:
    rita = User.objects.create_user("rita@northwind.example", "Rita Read", role=Role.READ_ONLY)
    client = browser(rita)
    assert client.get("/accounts").status_code == 200
    assert client.post("/accounts/connect", FORM).status_code == 403
    account = healthy(rita).account
    assert client.post(f"/accounts/{account.id}/calendars", {}).status_code == 403
    assert client.post(f"/accounts/{account.id}/disconnect").status_code == 302


def test_a_calendar_that_may_only_be_read_takes_no_new_events(alice: User, company: Company) -> None:
    calendar = healthy(alice)
    holidays = calendar_in(calendar.account, "holidays", writable=False)
    browser(alice).post(f"/accounts/{calendar.account_id}/calendars", {"target": str(holidays.id)})
    holidays.refresh_from_db()
    assert not holidays.is_target
