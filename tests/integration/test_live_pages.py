"""Open pages learn what changed: 304 from one small query while nothing did, the page anew as soon as something has."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tandem.calendaring import event as canonical
from tandem.calendaring.event import Event, When
from tandem.calendaring.provider import ProviderError, ReconnectNeeded, TryLater
from tandem.crm import verbs as crm_verbs
from tandem.crm.models import Kind, Record
from tandem.invitations import sender
from tandem.invitations.models import LedgerEntry
from tandem.mailboxes.models import Account, Calendar
from tandem.meetings import records, verbs
from tandem.meetings.models import Intent, Meeting
from tandem.sync.cycle import sync_calendar
from tandem.team import news
from tandem.team.models import Company, News, User
from tandem.web import live
from tests.mailbox import CHARLIE, arrives, calendar_of, leaves, meeting, person

pytestmark = pytest.mark.django_db


@dataclass
class Page:
    """An open page, as live.js keeps it up to date: the ETag that came last goes with the next question."""

    client: Client
    address: str
    etag: str = ""
    html: str = ""

    def open(self) -> Page:
        answer = self.client.get(self.address)
        assert answer.status_code == 200
        self._keep(answer)
        assert f'data-etag="{self.etag.replace(chr(34), "&quot;")}"' in self.html, "live.js begins with the page's own"
        return self

    def ask(self, etag: str = "") -> int:
        answer = self.client.get(self.address, headers={"X-Tandem-Live": "1", "If-None-Match": etag or self.etag})
        if answer.status_code == 200:
            self._keep(answer)
        return answer.status_code

    def _keep(self, answer: Any) -> None:
        self.etag, self.html = answer.headers["ETag"], answer.content.decode()
        assert answer.headers["Cache-Control"] == "private, no-cache"


@dataclass
class Office:
    """Alice with a meeting in her calendar, that Charlie's record shows. The clock stands, but where tests move it."""

    alice: User
    calendar: Calendar
    charlie: Record
    now: datetime

    def browser(self, user: User | None = None) -> Client:
        client = Client()
        client.force_login(user or self.alice)
        return client

    def page(self, address: str = "") -> Page:
        return Page(self.browser(), address or self.record).open()

    @property
    def record(self) -> str:
        return f"/people/{self.charlie.id}"

    def event(self, **values: Any) -> Event:
        start = self.now.replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
        values.setdefault("title", "Walkthrough")
        when = When.timed(start, start + timedelta(hours=1), "Europe/Berlin")
        return meeting("talk", organizer=self.alice.email, guests=(CHARLIE,), when=when, **values)

    def arrives(self, **values: Any) -> None:
        arrives(self.calendar, self.event(**values), now=self.now)

    def move(self) -> Intent:
        """Alice renames it."""
        one = Meeting.objects.get()
        seen = canonical.decode(one.shown)
        becomes = msgspec.structs.replace(seen, title="Renamed")
        intent = verbs.change(self.alice, one, "", seen, becomes, tell=False, now=self.now)
        assert intent is not None
        return intent

    def look(self, error: ProviderError) -> None:
        def refused(account: Account) -> Any:
            raise error

        assert sync_calendar(self.calendar.id, clock=lambda: self.now, by=refused)


@pytest.fixture
def office(alice: User, company: Company, monkeypatch: pytest.MonkeyPatch) -> Office:
    made = Office(alice, calendar_of(alice), person(alice, "Charlie Baker", CHARLIE), timezone.now())
    made.arrives()
    monkeypatch.setattr(live, "timezone", SimpleNamespace(now=lambda: made.now))
    return made


def addresses(office: Office) -> list[str]:
    one = Meeting.objects.get()
    return [
        office.record,
        f"{office.record}?show=meetings",
        f"/people?preview={office.charlie.id}",
        "/calendar",
        "/calendar?view=week&who=mine",
        f"/events/{one.id}/-",
    ]


def test_while_nothing_changes_the_answer_is_304_from_one_query_that_writes_nothing(office: Office) -> None:
    for address in addresses(office):
        page = office.page(address)
        with CaptureQueriesContext(connection) as queries:
            assert page.ask() == 304
        assert [row["sql"].split()[0] for row in queries.captured_queries] == ["SELECT"], address


def test_a_304_is_bare(office: Office) -> None:
    page = office.page()
    answer = page.client.get(page.address, headers={"X-Tandem-Live": "1", "If-None-Match": page.etag})
    assert answer.content == b""
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert "Content-Security-Policy" not in answer.headers, "it would name another nonce than the page has"
    assert "Set-Cookie" not in answer.headers
    assert not answer.cookies


def test_what_sync_brings_is_on_every_page_that_shows_it(office: Office) -> None:
    pages = [office.page(address) for address in addresses(office)]
    office.arrives(title="Site visit")
    for page in pages:
        before = page.etag
        assert page.ask() == 200
        assert "Site visit" in page.html
        assert page.etag != before
        assert page.ask() == 304


def test_the_same_again_from_sync_changes_no_page(office: Office) -> None:
    page = office.page()
    office.arrives()
    assert page.ask() == 304


def a_colleagues_copy(office: Office) -> None:
    bob = User.objects.create_user("bob@northwind.example", "Bob Lindqvist")
    arrives(calendar_of(bob), office.event(), now=office.now)


def withdrawn(office: Office) -> None:
    verbs.withdraw(office.alice, Intent.objects.get(), now=office.now)


def noted(office: Office) -> None:
    crm_verbs.add_note(office.alice, office.charlie, "Called back.", now=office.now)


def renamed(office: Office) -> None:
    data = replace(crm_verbs.data_of(office.charlie), name="Charles Baker")
    records.save(office.alice, office.charlie, Kind.PERSON, data, now=office.now)


@pytest.mark.parametrize(
    "happens",
    [
        pytest.param(lambda office: leaves(office.calendar, "talk", office.now), id="it leaves the calendar"),
        pytest.param(a_colleagues_copy, id="a colleague's mailbox has it too"),
        pytest.param(lambda office: office.move(), id="an edit waits"),
        pytest.param(noted, id="a note"),
        pytest.param(renamed, id="a record is saved"),
        pytest.param(lambda office: office.look(TryLater("Nobody answers.")), id="the calendar is out of reach"),
        pytest.param(lambda office: office.look(ReconnectNeeded("Refused.")), id="the account has to be reconnected"),
    ],
)
def test_whatever_pages_show_moves_them(office: Office, happens: Callable[[Office], object]) -> None:
    page = office.page()
    happens(office)
    assert page.ask() == 200
    assert page.ask() == 304


def test_an_edit_that_is_settled_moves_them_too(office: Office) -> None:
    office.move()
    page = office.page()
    assert "Renamed" in page.html
    withdrawn(office)
    assert page.ask() == 200
    assert "Renamed" not in page.html


def test_the_same_trouble_again_moves_nothing(office: Office) -> None:
    office.look(TryLater("Nobody answers."))
    page = office.page()
    office.look(TryLater("Nobody answers."))
    assert page.ask() == 304


def test_a_mail_that_went_out_shows(office: Office) -> None:
    intent = office.move()
    entry = LedgerEntry.objects.create(
        intent=intent,
        series=Meeting.objects.get().series,
        address=CHARLIE,
        method=LedgerEntry.Method.REQUEST,
        told_by="tandem",
        state=LedgerEntry.State.SENDING,
        attempts=1,
        created_at=office.now,
        on_word_of=office.alice,
        message="x",
    )
    page = office.page(f"/events/{Meeting.objects.get().id}/-")
    sender._settle(entry, LedgerEntry.State.SENT, sent_at=office.now)
    assert page.ask() == 200
    assert "Tandem mailed the invitation" in page.html


def test_an_etag_is_of_one_viewer_one_address_and_one_minute(office: Office, bob: User) -> None:
    page = office.page()
    his = Page(office.browser(bob), page.address).open()
    again = Page(office.browser(), page.address).open()
    assert len({page.etag, his.etag, again.etag}) == 3
    assert his.ask(page.etag) == 200
    assert again.ask(page.etag) == 200, "another browser of hers is another session"
    assert office.page("/calendar").ask(page.etag) == 200
    assert page.ask('"' + "0" * 64 + '"') == 200
    assert page.ask("*") == 200
    assert page.ask() == 304
    office.now += timedelta(minutes=1)
    assert page.ask() == 200, "what is past, or starts soon, is another matter now"


def test_who_signed_out_or_was_locked_out_is_not_told_that_all_is_well(office: Office) -> None:
    page = office.page()
    office.alice.is_active = False
    office.alice.save()
    office.now += timedelta(minutes=1)
    assert page.ask() == 302, "within a minute"
    User.objects.update(is_active=True)
    page = office.page()
    page.client.logout()
    assert page.ask() == 302


def test_only_live_js_is_answered_so(office: Office) -> None:
    """A browser that goes to the page gets it anew: a stored one would say "Saved" twice, under a stale nonce."""
    page = office.page()
    assert page.client.get(page.address, headers={"If-None-Match": page.etag}).status_code == 200
    answer = page.client.get(page.address, headers={"HX-Request": "true", "HX-Target": "preview"})
    assert "ETag" not in answer.headers


def test_what_is_said_once_waits_for_the_page_that_its_reader_goes_to(office: Office) -> None:
    page = office.page()
    note = crm_verbs.add_note(office.alice, office.charlie, "Called back.", now=office.now)
    page.client.post(f"/notes/{note.id}/delete")
    assert page.ask() == 200
    assert "Deleted the note" not in page.html
    assert "Deleted the note" in page.open().html


def test_a_page_read_anew_is_presence_and_a_304_is_none(office: Office) -> None:
    long_ago = timezone.now() - timedelta(minutes=5)
    page = office.page()
    User.objects.update(last_seen_at=long_ago)
    assert page.ask() == 304
    assert User.objects.get().last_seen_at == long_ago
    office.arrives(title="Site visit")
    assert page.ask() == 200
    assert User.objects.get().last_seen_at > long_ago


def test_old_marks_are_forgotten_and_the_version_still_moves(db: None) -> None:
    before = news.version()
    news.mark()
    marked = news.version()
    assert marked != before
    news.forget_old(timezone.now() + timedelta(minutes=9))
    assert news.version() == marked
    news.forget_old(timezone.now() + timedelta(minutes=11))
    assert not News.objects.exists()
    news.mark()
    assert news.version() not in (before, marked)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer")
@pytest.mark.django_db(transaction=True)
def test_two_writers_do_not_wait_for_each_other_and_neither_is_missed() -> None:
    """The one that took the smaller number commits last: the newest number alone would not tell."""

    def other() -> None:
        news.mark()
        connection.close()

    with transaction.atomic():
        news.mark()
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(timeout=10)
        assert not thread.is_alive()
        seen: list[news.Version] = []
        reader = threading.Thread(target=lambda: (seen.append(news.version()), connection.close()))
        reader.start()
        reader.join(timeout=10)
    assert news.version() != seen[0]
    assert news.version()[1] == seen[0][1]
