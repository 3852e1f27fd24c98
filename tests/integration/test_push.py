"""Push: channels at a stand-in for Google that really calls, what a call does, and whether calls can reach us."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from sandbox.google import GoogleSandbox
from sandbox.google.faults import Kind
from sandbox.google.sample import ALICE
from tandem import jobs
from tandem.calendaring.provider import Provider, ReconnectNeeded
from tandem.mailboxes.models import Account, AccountState, Calendar, Channel, Sender
from tandem.providers.google.oauth import Tokens
from tandem.sync import accounts, due, push, tokens
from tandem.sync.cycle import sync_calendar
from tandem.team.models import Company, Role, User
from tandem.web.middleware import seen
from tests.google_service import provider_of, sandbox_at, timed

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
Json = dict[str, Any]


@dataclass
class Office:
    """Alice's Google calendar, a stand-in that calls this installation, and one clock for all."""

    alice: User
    google: GoogleSandbox
    root: str
    calendar: Calendar

    def now(self) -> datetime:
        return self.google.clock.now()

    def forward(self, **passed: float) -> None:
        self.google.clock.advance(**passed)

    def provider(self, account: Account) -> Provider:
        return provider_of(ALICE, lambda _stale: self.google.token(ALICE), self.root, now=self.now)

    def look(self) -> Calendar:
        """One look, and every call that it makes Google send."""
        assert sync_calendar(self.calendar.id, clock=self.now, by=self.provider)
        self.google.push.flush()
        self.calendar.refresh_from_db()
        assert not self.calendar.error
        return self.calendar

    def looks(self) -> Calendar:
        """Looks until nothing asks for one."""
        self.look()
        while self.is_due():
            self.look()
        return self.calendar

    def is_due(self) -> bool:
        return self.calendar.id in [calendar for calendar, _ in due.calendars(self.now())]

    def phone(self, **more: Any) -> Json:
        """Alice adds an event on her phone, and Google calls whom it has to call."""
        body = {"summary": "Walkthrough", **timed("2026-11-25T10:00:00"), **more}
        made = self.google.call(ALICE, "events.insert", body, calendarId="primary", sendUpdates="none")
        self.google.push.flush()
        return made

    def channels(self) -> list[Channel]:
        return list(self.calendar.channels.order_by("opened_at"))

    def live(self) -> list[str]:
        """The channels that Google would call now."""
        now = self.now()
        return [each.id for each in self.google.push.channels.values() if not each.stopped and each.ends > now]

    def watches(self) -> int:
        """How often Google was asked for a channel."""
        return len(self.google.log.calls("events.watch"))

    def pause(self) -> timedelta:
        assert self.calendar.next_poll_at is not None
        return self.calendar.next_poll_at - self.now()


@pytest.fixture
def office(alice: User, company: Company, settings: LazySettings, live_server: LiveServer) -> Iterator[Office]:
    with sandbox_at(NOW) as (google, root):
        google.push.late = 0
        settings.PUBLIC_URL = live_server.url
        settings.GOOGLE_SITE = root.removesuffix("/calendar/v3")
        account = Account.objects.create(
            owner=alice,
            provider="google",
            name=ALICE,
            url=settings.GOOGLE_SITE,
            endpoint=root,
            username=ALICE,
            secret="",
            subject_id="1",
            addresses_text=ALICE,
            invitations_by=Sender.SERVER,
        )
        calendar = Calendar.objects.create(
            account=account, remote_id=ALICE, name="Alice", organizer=ALICE, is_read=True, is_target=True
        )
        assert push.self_test(NOW) == ""
        yield Office(alice, google, root, calendar)


def test_the_first_look_opens_a_channel_and_looks_once_more_for_what_came_before_it(office: Office) -> None:
    office.look()
    (channel,) = office.channels()
    assert channel.resource_id
    assert channel.expires_at == NOW + timedelta(days=7)
    assert channel.called_at is not None, "the sync message came"
    assert office.live() == [str(channel.id)]
    assert office.is_due()
    office.look()
    assert not office.is_due()
    assert len(office.channels()) == 1


def test_a_change_calls_and_the_calendar_is_looked_at(office: Office) -> None:
    office.looks()
    jobs.bell.clear()
    office.phone()
    assert office.is_due()
    assert jobs.bell.is_set(), "the pool wakes at once, not at its next glance"
    office.look()
    assert office.calendar.remote_objects.count() == 1
    assert not office.is_due()


def test_a_channel_that_calls_is_polled_hourly_and_one_that_does_not_as_ever(office: Office) -> None:
    User.objects.update(last_seen_at=NOW)
    office.looks()
    assert timedelta(minutes=50) < office.pause() < timedelta(minutes=70)
    Channel.objects.update(called_at=None)
    office.look()
    assert office.pause() < timedelta(minutes=1)


def test_without_push_it_is_polled_every_30_seconds_while_its_owner_is_here(office: Office) -> None:
    Company.objects.update(push_problem="Nobody answers.")
    User.objects.update(last_seen_at=NOW)
    office.looks()
    assert office.channels() == []
    assert office.pause() < timedelta(minutes=1)
    User.objects.update(last_seen_at=None)
    office.look()
    assert timedelta(minutes=4) < office.pause() < timedelta(minutes=6)


def test_presence_leaves_a_calendar_that_calls_asleep_until_somebody_was_away(office: Office) -> None:
    office.looks()
    alice = User.objects.get(id=office.alice.id)
    seen(alice, office.now())
    assert not office.is_due(), "it was looked at just now"
    for _ in range(10):
        office.forward(minutes=1)
        seen(alice, office.now())
    assert not office.is_due(), "alice was here all the time"
    office.forward(minutes=20)
    seen(alice, office.now())
    assert office.is_due()


def test_a_new_channel_overlaps_the_old_one_which_is_stopped_once_the_new_one_has_called(office: Office) -> None:
    office.looks()
    office.forward(days=5, hours=23)
    office.looks()
    assert len(office.channels()) == 1
    office.forward(hours=2)
    office.look()
    old, new = office.channels()
    assert (old.stopped_at, new.stopped_at) == (None, None)
    assert set(office.live()) == {str(old.id), str(new.id)}
    assert not office.is_due(), "the old one heard what the opening of the new one might have missed"
    office.look()
    old, new = office.channels()
    assert old.stopped_at is not None
    assert office.live() == [str(new.id)]


def test_a_channel_that_calls_an_old_address_is_replaced(office: Office, settings: LazySettings) -> None:
    office.looks()
    settings.PUBLIC_URL = settings.PUBLIC_URL.replace("localhost", "127.0.0.1")
    office.look()
    old, new = office.channels()
    assert old.address != new.address
    assert office.is_due(), "what changed meanwhile was told at the wrong door"
    office.looks()
    assert office.live() == [str(new.id)]


def test_a_channel_with_a_short_life_is_not_opened_anew_at_every_look(office: Office) -> None:
    office.looks()
    Channel.objects.update(expires_at=NOW + timedelta(hours=2))
    office.look()
    assert office.watches() == 1
    office.forward(hours=1, minutes=35)
    office.look()
    assert office.watches() == 2


def test_the_old_channel_stays_while_the_new_one_has_not_called(office: Office) -> None:
    office.looks()
    office.forward(days=6, hours=1)
    office.look()
    _, new = office.channels()
    Channel.objects.filter(id=new.id).update(called_at=None)
    office.look()
    assert len(office.live()) == 2


def test_a_stopped_channel_may_call_once_more(office: Office) -> None:
    office.looks()
    office.forward(days=6, hours=1)
    office.looks()
    office.look()
    office.google.push.late = 1
    office.phone()
    assert [delivery.status for delivery in office.google.push.deliveries[-2:]] == [204, 204]
    assert office.is_due()


@pytest.mark.parametrize("kind", ["500", "429", "403 quotaExceeded"])
def test_a_service_that_opens_no_channel_hinders_no_look_and_is_asked_again_later(office: Office, kind: Kind) -> None:
    office.google.faults.add(kind, "events.watch")
    User.objects.update(last_seen_at=NOW)
    office.phone()
    office.looks()
    assert office.calendar.remote_objects.count() == 1
    assert office.pause() < timedelta(minutes=1)
    assert office.live() == []
    office.look()
    assert office.watches() == 1, "not again at once"
    office.forward(minutes=11)
    office.looks()
    assert len(office.live()) == 1
    assert timedelta(minutes=50) < office.pause()


def test_a_calendar_that_google_lets_nobody_watch_is_asked_for_again_only_the_next_day(office: Office) -> None:
    office.google.behaviour.plain_callbacks = False
    office.looks()
    office.forward(hours=23)
    office.looks()
    assert office.watches() == 1
    office.forward(hours=2)
    office.looks()
    assert office.watches() == 2
    office.google.log.rows.clear()  # what was refused on purpose


def test_an_answer_that_got_lost_leaves_a_channel_that_its_first_call_makes_known(office: Office) -> None:
    office.google.faults.add("lost after", "events.watch")
    office.look()
    (channel,) = office.channels()
    assert channel.resource_id == office.google.push.channels[str(channel.id)].resource_id
    office.forward(minutes=11)
    office.looks()
    assert office.live() == [str(channel.id)]
    assert timedelta(minutes=50) < office.pause()


def test_no_channel_is_opened_before_calls_are_known_to_reach_us(office: Office) -> None:
    Company.objects.update(push_tested_at=None)
    office.looks()
    assert office.channels() == []
    assert push.self_test(NOW) == ""
    assert office.is_due(), "the looks that open channels are asked for"
    office.looks()
    assert len(office.live()) == 1


def test_a_calendar_that_is_read_no_more_calls_no_more(office: Office) -> None:
    office.looks()
    accounts.choose_calendars(office.calendar.account, read=[], target=None, now=office.now())
    assert office.is_due()
    office.look()
    assert office.live() == []
    assert not office.is_due()
    office.google.push.late = 1
    office.phone()
    assert office.google.push.deliveries[-1].status == 204
    assert not office.is_due()


def keys(office: Office) -> Account:
    """Alice's account with tokens that work."""
    account = office.calendar.account
    token = Tokens(office.google.token(ALICE), "", timezone.now() + timedelta(hours=1))
    account.secret = tokens.seal_tokens(token)
    account.save()
    return account


def test_disconnecting_stops_every_channel(office: Office) -> None:
    office.looks()
    accounts.disconnect(keys(office), now=office.now())
    assert office.live() == []
    assert all(channel.stopped_at for channel in office.channels())


def test_a_service_that_stops_no_channel_keeps_nobody_from_leaving(office: Office) -> None:
    office.looks()
    office.google.faults.add("500", "channels.stop", times=9)
    accounts.disconnect(keys(office), now=office.now())
    assert Account.objects.get().state == AccountState.DISCONNECTED
    assert all(channel.stopped_at for channel in office.channels())


def test_after_a_lost_access_the_channel_is_another_one(office: Office) -> None:
    office.looks()

    def locked_out(account: Account) -> Provider:
        raise ReconnectNeeded("Connect this account again.")

    sync_calendar(office.calendar.id, clock=office.now, by=locked_out)
    office.calendar.refresh_from_db()
    assert office.pause() < timedelta(minutes=5)
    office.looks()
    old, new = office.channels()
    assert old.stopped_at is not None
    assert new.called_at is not None


# Calls


@pytest.fixture
def channel(office: Office) -> Channel:
    office.looks()
    return office.channels()[0]


def call(channel_id: object, token: str, state: str = "exists", **more: Any) -> int:
    headers = {"X-Goog-Channel-ID": str(channel_id), "X-Goog-Channel-Token": token, "X-Goog-Resource-State": state}
    answer = Client(enforce_csrf_checks=True).post("/hooks/google", headers=headers, **more)
    if answer.status_code == 404:
        assert answer.content == b"", "an unknown channel and a wrong token look the same"
    return answer.status_code


def test_who_does_not_know_the_token_is_told_nothing(office: Office, channel: Channel) -> None:
    for channel_id, token in [
        (uuid4(), channel.token),
        (channel.id, ""),
        (channel.id, channel.token[:-1]),
        (channel.id, "ö"),
        ("nonsense", channel.token),
        ("", ""),
        (uuid4(), "-" * 43),
    ]:
        assert call(channel_id, token) == 404
    assert not office.is_due()
    assert call(channel.id, channel.token) == 204
    assert office.is_due()


def test_a_call_takes_two_queries_and_a_flood_only_counts(
    office: Office, channel: Channel, django_assert_max_num_queries: Any
) -> None:
    before = Calendar.objects.get().requested
    for _ in range(20):
        with django_assert_max_num_queries(2):
            assert call(channel.id, channel.token) == 204
    assert Calendar.objects.get().requested == before + 20
    office.look()
    assert not office.is_due(), "one look for all of them"


def test_the_sync_message_proves_the_channel_and_asks_for_no_look(office: Office, channel: Channel) -> None:
    Channel.objects.update(called_at=None)
    assert call(channel.id, channel.token, "sync") == 204
    assert not office.is_due()
    assert Channel.objects.get().called_at is not None


@pytest.mark.parametrize("gone", ["disconnected", "unread", "vanished"])
def test_nothing_is_done_for_a_calendar_that_is_not_read(office: Office, channel: Channel, gone: str) -> None:
    if gone == "disconnected":
        Account.objects.update(state=AccountState.DISCONNECTED)
    Calendar.objects.update(is_read=gone != "unread", gone=gone == "vanished")
    before = Calendar.objects.get().requested
    assert call(channel.id, channel.token) == 204
    assert Calendar.objects.get().requested == before


def test_only_a_small_post_is_a_call(office: Office, channel: Channel) -> None:
    for method in ("get", "put", "delete", "patch", "head"):
        assert getattr(Client(), method)("/hooks/google").status_code == 405
    assert call(channel.id, channel.token, data=b"x" * 70_000, content_type="application/json") == 413


# Can services call us?


@contextmanager
def server(status: int = 200, body: bytes = b"It works!", **headers: str) -> Iterator[tuple[HTTPServer, str]]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    made = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield made, f"127.0.0.1:{made.server_address[1]}"
    finally:
        made.shutdown()
        made.server_close()


def certificate(folder: Path) -> ssl.SSLContext:
    """Of a server that signed it itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    start = datetime.now(UTC) - timedelta(days=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


@pytest.fixture
def tested(company: Company, settings: LazySettings) -> Callable[[str], str]:
    settings.GOOGLE_SITE = "http://127.0.0.1:8900"

    def test(address: str) -> str:
        settings.PUBLIC_URL = address
        words = push.self_test(NOW)
        stored = Company.objects.get()
        assert (stored.push_tested_at, stored.push_problem) == (NOW, words)
        return words

    return test


def test_google_calls_only_https(tested: Callable[[str], str], settings: LazySettings) -> None:
    assert tested("http://crm.example") == "PUBLIC_URL is http://crm.example; Google calls only HTTPS addresses."
    settings.GOOGLE_SITE = ""
    assert "only HTTPS" in tested("http://127.0.0.1:8000")


def test_a_certificate_that_nobody_signed(tested: Callable[[str], str], tmp_path: Path) -> None:
    with server() as (made, address):
        made.socket = certificate(tmp_path).wrap_socket(made.socket, server_side=True, do_handshake_on_connect=False)
        made.handle_error = lambda *_: None  # type: ignore[method-assign]
        assert "certificate of https://127.0.0.1" in tested(f"https://{address}")


@pytest.mark.parametrize("body", [b"It works!", b"", b"x" * 100_000])
def test_another_program_answers(tested: Callable[[str], str], body: bytes) -> None:
    with server(body=body) as (_, address):
        assert tested(f"http://{address}") == f"Another program answers at http://{address}, not this Tandem."


def test_what_answers_speaks_no_https(tested: Callable[[str], str]) -> None:
    with server() as (_, address):
        assert "HTTPS" in tested(f"https://{address}")


def test_a_redirect_is_not_followed(tested: Callable[[str], str]) -> None:
    with server(302, Location="http://127.0.0.1:1/") as (_, address):
        assert "sends callers on to another address" in tested(f"http://{address}")


def test_nobody_answers(tested: Callable[[str], str]) -> None:
    with server() as (_, address):
        pass
    assert tested(f"http://{address}") == f"Nobody answers at http://{address}."


def test_an_address_that_is_none_is_said_too(tested: Callable[[str], str]) -> None:
    assert tested("https://no name.example")


def test_the_test_is_repeated_daily_and_hourly_while_it_fails(office: Office, settings: LazySettings) -> None:
    def tested_again(**later: float) -> bool:
        now = NOW + timedelta(**later)
        push.check_if_due(now)
        return Company.objects.get().push_tested_at == now

    assert not tested_again(hours=23)
    push.check_if_due(NOW + timedelta(minutes=1), anew=True)
    assert Company.objects.get().push_tested_at == NOW + timedelta(minutes=1)
    assert tested_again(hours=25)
    settings.PUBLIC_URL = "http://crm.example"
    assert tested_again(hours=50)
    assert not tested_again(hours=50, minutes=59)
    assert tested_again(hours=51, minutes=1)
    Account.objects.update(state=AccountState.DISCONNECTED)
    assert not tested_again(hours=99)


def test_an_administrator_tests_again_and_others_do_not(office: Office, settings: LazySettings) -> None:
    settings.PUBLIC_URL = "http://crm.example"
    browser = Client()
    browser.force_login(office.alice)
    assert browser.post("/company/push-test").status_code == 403
    User.objects.update(role=Role.ADMINISTRATOR)
    answer = browser.post("/company/push-test", follow=True)
    assert "Google calls only HTTPS addresses" in answer.content.decode()
