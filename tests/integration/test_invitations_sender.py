"""Mails reach a real SMTP server, each once: refusals, pauses, lost answers, two workers, no server."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.db import connection
from pytest_django import Settings

from tandem.calendaring.event import Event, Guest, Organizer, When
from tandem.invitations import ledger, sender
from tandem.invitations.models import LedgerEntry
from tandem.mailboxes.models import Account, Calendar
from tandem.meetings.models import Intent
from tandem.team.models import Company, User

# Real transactions: sending happens outside of any, and two workers meet in one test.
pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PRIYA, TOM = Guest("priya@halden.example", "Priya Raman"), Guest("tom@halden.example", "Tom Berg")


class Sink:
    """Takes every mail, but answers as `answers` says for an address; `on_data` runs with each text."""

    def __init__(self) -> None:
        self.got: list[Envelope] = []
        self.answers: dict[str, str] = {}
        self.data_answer = "250 taken"
        self.on_data: Callable[[SMTP], None] = lambda server: None

    async def handle_RCPT(  # noqa: N802 (aiosmtpd's name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if answer := self.answers.get(address):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 fine"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.got.append(envelope)
        self.on_data(server)
        return self.data_answer

    @property
    def addresses(self) -> list[str]:
        return [address for envelope in self.got for address in envelope.rcpt_tos]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def sink(settings: Settings) -> Iterator[Sink]:
    handler = Sink()
    controller = Controller(handler, hostname="127.0.0.1", port=free_port())
    controller.start()
    settings.SMTP_URL = f"smtp://127.0.0.1:{controller.port}"
    settings.MAIL_FROM = "tandem@northwind.example"
    yield handler
    controller.stop()


@pytest.fixture
def invite(company: Company, alice: User) -> Callable[..., list[LedgerEntry]]:
    """Invites these guests to a meeting of alice's, and gives back the entries that wait."""
    account = Account.objects.create(
        owner=alice, provider="caldav", name="alice", url="https://cal.northwind.example/", username="alice",
        secret="", subject_id="alice",
    )  # fmt: skip
    calendar = Calendar.objects.create(account=account, remote_id="work", name="Client meetings")

    def record(*guests: Guest) -> list[LedgerEntry]:
        event = Event(
            uid="u1",
            title="Pilot review – naïve ☃",
            when=When("2026-01-15T14:00:00", "2026-01-15T15:00:00", "Europe/Berlin"),
            description=".\n.. a line with a dot",
            organizer=Organizer(alice.email, alice.name),
            guests=guests,
        )
        wish = Intent.objects.create(
            verb=Intent.Verb.CREATE, calendar=calendar, remote_id="x", tell=True, author=alice, created_at=NOW
        )
        return ledger.record(wish, before=None, after=event, now=NOW)

    return record


def state(entry: LedgerEntry) -> str:
    entry.refresh_from_db()
    return entry.state


def test_a_waiting_mail_arrives_whole_and_is_sent(sink: Sink, invite: Callable[..., list[LedgerEntry]]) -> None:
    entries = invite(PRIYA, TOM)
    assert sender.send_due(NOW) == 2
    assert sink.addresses == [PRIYA.address, TOM.address]
    assert {state(entry) for entry in entries} == {"sent"}
    assert {envelope.mail_from for envelope in sink.got} == {"tandem@northwind.example"}
    assert bytes(sink.got[0].content or b"").decode() == entries[0].message
    assert entries[0].sent_at is not None


def test_what_is_sent_is_not_sent_again(sink: Sink, invite: Callable[..., list[LedgerEntry]]) -> None:
    (entry,) = invite(PRIYA)
    sender.send_due(NOW)
    assert sender.send_due(NOW + timedelta(days=1)) == 0
    assert not sender.resend(entry, NOW) or pytest.fail("a sent mail is not sent again")
    assert len(sink.got) == 1


def test_a_refusal_for_good_fails_with_the_servers_words_and_stops_nobody_else(
    sink: Sink, invite: Callable[..., list[LedgerEntry]]
) -> None:
    sink.answers[PRIYA.address] = "550 no such mailbox here"
    priya, tom = invite(PRIYA, TOM)
    assert sender.send_due(NOW) == 1
    assert (state(priya), state(tom)) == ("failed", "sent")
    assert "no such mailbox here" in priya.error


def test_a_refusal_for_now_waits_longer_each_time(sink: Sink, invite: Callable[..., list[LedgerEntry]]) -> None:
    sink.answers[PRIYA.address] = "451 come back later"
    (entry,) = invite(PRIYA)
    now = NOW
    pauses = []
    for _ in range(3):
        sender.send_due(now)
        assert state(entry) == "waiting"
        assert entry.next_try_at is not None
        pauses.append(round((entry.next_try_at - now) / MINUTE))
        assert sender.send_due(entry.next_try_at - timedelta(seconds=5)) == 0
        now = entry.next_try_at
    assert pauses == [1, 5, 15]
    assert "come back later" in entry.error
    sink.answers.clear()
    assert sender.send_due(now) == 1
    assert (state(entry), entry.error) == ("sent", "")


def test_after_three_days_of_trying_it_is_given_up_in_words(
    sink: Sink, invite: Callable[..., list[LedgerEntry]]
) -> None:
    sink.answers[PRIYA.address] = "451 come back later"
    (entry,) = invite(PRIYA)
    LedgerEntry.objects.update(attempts=sender.MOST_ATTEMPTS - 1)
    sender.send_due(NOW)
    assert state(entry) == "failed"
    assert entry.error.startswith("Given up after 22 tries.")


@pytest.mark.parametrize(("answer", "expected"), [("554 looks like spam", "failed"), ("452 disk full", "waiting")])
def test_a_text_may_be_refused_too(
    sink: Sink, invite: Callable[..., list[LedgerEntry]], answer: str, expected: str
) -> None:
    sink.data_answer = answer
    (entry,) = invite(PRIYA)
    assert sender.send_due(NOW) == 0
    assert state(entry) == expected
    assert answer[4:] in entry.error


def test_without_a_mail_server_mails_wait_and_say_so(
    settings: Settings, invite: Callable[..., list[LedgerEntry]]
) -> None:
    settings.SMTP_URL = ""
    (entry,) = invite(PRIYA)
    assert sender.send_due(NOW) == 0
    assert (state(entry), entry.error) == ("waiting", sender.NO_SMTP)


def test_a_mail_server_that_is_down_costs_one_try_and_loses_nothing(
    settings: Settings, invite: Callable[..., list[LedgerEntry]]
) -> None:
    settings.SMTP_URL = f"smtp://127.0.0.1:{free_port()}"
    entries = invite(PRIYA, TOM)
    assert sender.send_due(NOW) == 0
    for entry in entries:
        assert (state(entry), entry.attempts, entry.next_try_at) == ("waiting", 1, NOW + MINUTE)
        assert "can't be reached" in entry.error


def test_a_password_is_not_sent_without_encryption_to_another_machine(
    sink: Sink, settings: Settings, monkeypatch: pytest.MonkeyPatch, invite: Callable[..., list[LedgerEntry]]
) -> None:
    port = settings.SMTP_URL.rpartition(":")[2]
    settings.SMTP_URL = f"smtp://tandem:secret@mail.northwind.example:{port}"
    monkeypatch.setattr(
        socket, "create_connection", lambda *args, real=socket.create_connection, **kw: real(("127.0.0.1", int(port)))
    )
    (entry,) = invite(PRIYA)
    assert sender.send_due(NOW) == 0
    assert (state(entry), sink.got) == ("waiting", [])
    assert "offers no encryption" in entry.error
    assert "secret" not in entry.error


def test_a_lost_answer_after_the_text_leaves_it_uncertain_and_never_sends_it_twice(
    sink: Sink, invite: Callable[..., list[LedgerEntry]]
) -> None:
    def hang_up(server: SMTP) -> None:
        server.transport.abort()

    sink.on_data = hang_up
    (entry,) = invite(PRIYA)
    assert sender.send_due(NOW) == 0
    assert (state(entry), entry.error) == ("uncertain", sender.BROKE_OFF)
    sink.on_data = lambda server: None
    assert sender.send_due(NOW + timedelta(days=1)) == 0
    assert len(sink.got) == 1
    assert sender.resend(entry, NOW)
    assert sender.send_due(NOW) == 1
    assert state(entry) == "sent"
    texts = {bytes(envelope.content or b"") for envelope in sink.got}
    assert len(texts) == 1, "the same mail with the same Message-ID, so that the guest sees one"


def test_a_worker_that_died_leaves_its_mail_uncertain_after_ten_minutes(
    sink: Sink, invite: Callable[..., list[LedgerEntry]]
) -> None:
    (entry,) = invite(PRIYA)
    assert sender._claim(entry.id, NOW) is not None
    assert sender.send_due(NOW + 9 * MINUTE) == 0
    assert state(entry) == "sending"
    assert sender.send_due(NOW + 10 * MINUTE) == 0
    assert (state(entry), entry.error, sink.got) == ("uncertain", sender.UNCERTAIN, [])


def test_two_workers_at_once_send_each_mail_once(sink: Sink, invite: Callable[..., list[LedgerEntry]]) -> None:
    invite(*(Guest(f"g{number:02}@halden.example") for number in range(12)))
    counts: list[int] = []

    def work() -> None:
        try:
            counts.append(sender.send_due(NOW))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == 12
    assert sorted(sink.addresses) == [f"g{number:02}@halden.example" for number in range(12)]


def test_while_writing_is_held_no_mail_goes_out(
    sink: Sink, company: Company, invite: Callable[..., list[LedgerEntry]]
) -> None:
    (entry,) = invite(PRIYA)
    Company.objects.update(writing_held=True)
    assert sender.send_due(NOW) == 0
    assert (state(entry), sink.got) == ("waiting", [])


def test_a_person_may_send_a_failed_mail_again(sink: Sink, invite: Callable[..., list[LedgerEntry]]) -> None:
    sink.answers[PRIYA.address] = "550 no such mailbox"
    (entry,) = invite(PRIYA)
    sender.send_due(NOW)
    sink.answers.clear()
    assert sender.resend(entry, NOW)
    assert sender.send_due(NOW) == 1
    assert state(entry) == "sent"


def test_no_more_than_the_limit_go_out_in_a_round_and_the_oldest_first(
    sink: Sink, invite: Callable[..., list[LedgerEntry]]
) -> None:
    invite(PRIYA, TOM)
    assert sender.send_due(NOW, limit=1) == 1
    assert sink.addresses == [PRIYA.address]
