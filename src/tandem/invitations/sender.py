"""Sends the ledger's waiting mails by SMTP: each at most once by itself, never inside a transaction.

A worker claims a mail by a conditional UPDATE before it sends it. A crash between the sending and the
note leaves it claimed; it then counts as uncertain, and only a person sends it again.
"""

from __future__ import annotations

import smtplib
import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from urllib.parse import SplitResult, unquote, urlsplit
from uuid import UUID

from django.conf import settings
from django.db.models import F, Q

from tandem.invitations.models import LedgerEntry
from tandem.team import news
from tandem.team.models import Company

State = LedgerEntry.State

CLAIM = timedelta(minutes=10)
BACKOFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240))
MOST_ATTEMPTS = 22  # three days of the pauses above
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
TIMEOUT = 20.0  # seconds, for each step of the conversation

NO_SMTP = "Mail is not set up here: SMTP_URL is empty. Waiting until it is."
UNCERTAIN = "Tandem stopped while it sent this, so it may or may not have arrived. It is not sent again by itself."
BROKE_OFF = "The mail server broke off before it confirmed. The mail may or may not have arrived."


class OutOfReach(Exception):
    """The mail server can't be used now. `words` says why; nothing was sent."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


def send_due(now: datetime, *, limit: int = 50) -> int:
    """Send up to `limit` waiting mails that are due at `now`; the number that the server took.

    Without SMTP_URL, or while writing is held, they keep waiting.
    """
    _give_up_claims(now)
    due = LedgerEntry.objects.filter(_due(now))
    if not settings.SMTP_URL:
        untold = due.exclude(error=NO_SMTP)
        if untold.exists():
            untold.update(error=NO_SMTP)
            news.mark()
        return 0
    ids = list(due.order_by("created_at", "id").values_list("id", flat=True)[:limit])
    # A restored backup or a cloned database must not mail everybody again.
    if not ids or Company.current().writing_held:
        return 0
    began = time.monotonic()
    sent = 0
    try:
        with _connected() as smtp:
            for entry_id in ids:
                at = now + timedelta(seconds=time.monotonic() - began)
                if entry := _claim(entry_id, at):
                    sent += _send(smtp, entry, at)
    except OutOfReach as error:
        _postpone_all(ids, error.words, now)
    return sent


def resend(entry: LedgerEntry, now: datetime) -> bool:
    """Send a failed, uncertain or waiting mail again, on a person's click. False when there is none to send."""
    again = Q(state__in=(State.FAILED, State.UNCERTAIN, State.WAITING)) & ~Q(message="")
    return bool(
        LedgerEntry.objects.filter(again, id=entry.id).update(
            state=State.WAITING, attempts=0, next_try_at=now, error=""
        )
    )


def _due(now: datetime) -> Q:
    return Q(state=State.WAITING) & (Q(next_try_at=None) | Q(next_try_at__lte=now))


def _give_up_claims(now: datetime) -> None:
    claims = LedgerEntry.objects.filter(state=State.SENDING, next_try_at__lte=now)
    if claims.exists():  # an UPDATE of nothing would still take SQLite's write lock, every few seconds
        claims.update(state=State.UNCERTAIN, next_try_at=None, error=UNCERTAIN)
        news.mark()


def _claim(entry_id: UUID, now: datetime) -> LedgerEntry | None:
    """The entry, now ours to send; None when another worker got there first."""
    claimed = LedgerEntry.objects.filter(_due(now), id=entry_id).update(
        state=State.SENDING, attempts=F("attempts") + 1, next_try_at=now + CLAIM
    )
    return LedgerEntry.objects.get(id=entry_id) if claimed else None


@contextmanager
def _connected() -> Iterator[smtplib.SMTP]:
    """A conversation with the server of SMTP_URL, encrypted where the server can. Raises `OutOfReach`."""
    url = urlsplit(settings.SMTP_URL)
    host = url.hostname or "localhost"
    smtp: smtplib.SMTP | None = None
    try:
        try:
            smtp = _opened(url)
            _signed_in(smtp, url, host)
        except smtplib.SMTPAuthenticationError as error:
            raise OutOfReach(f"{host} refuses Tandem's name or password: {_said(error.smtp_error)}") from error
        except OSError as error:  # smtplib's own errors are OSErrors too
            raise OutOfReach(f"{host} can't be reached for mail: {_plain(error)}") from error
        yield smtp
        with suppress(OSError):
            smtp.quit()
    finally:
        if smtp is not None:
            smtp.close()


def _opened(url: SplitResult) -> smtplib.SMTP:
    host = url.hostname or "localhost"
    if url.scheme == "smtps":
        return smtplib.SMTP_SSL(host, url.port or 465, timeout=TIMEOUT, context=ssl.create_default_context())
    return smtplib.SMTP(host, url.port or 25, timeout=TIMEOUT)


def _signed_in(smtp: smtplib.SMTP, url: SplitResult, host: str) -> None:
    smtp.ehlo_or_helo_if_needed()
    # A relay on this machine often has a certificate that nobody signed; nothing leaves the machine there.
    if url.scheme != "smtps" and host not in LOOPBACK and smtp.has_extn("starttls"):
        smtp.starttls(context=ssl.create_default_context())
        smtp.ehlo()
    if url.username:
        if not isinstance(smtp.sock, ssl.SSLSocket) and host not in LOOPBACK:
            raise OutOfReach(f"{host} offers no encryption, so Tandem doesn't send it the password.")
        smtp.login(unquote(url.username), unquote(url.password or ""))


def _send(smtp: smtplib.SMTP, entry: LedgerEntry, now: datetime) -> bool:
    """One mail, step by step: until the server has its whole text, a failure means that nothing went out.

    Raises `OutOfReach` when the conversation ended; the entry has been settled then.
    """
    try:
        for code, answer in _addressed(smtp, entry):
            if code not in (250, 251):
                smtp.rset()
                return _refused(entry, code, answer, now)
    except OSError as error:  # smtplib's own errors are OSErrors too
        words = f"The mail server hung up: {_plain(error)}"
        _later(entry, words, now)
        raise OutOfReach(words) from error
    try:
        code, answer = smtp.data(entry.message)
    except smtplib.SMTPDataError as error:
        return _refused(entry, error.smtp_code, error.smtp_error, now)
    except OSError as error:
        _settle(entry, State.UNCERTAIN, error=BROKE_OFF)
        raise OutOfReach(f"The mail server broke off: {_plain(error)}") from error
    if code != 250:
        return _refused(entry, code, answer, now)
    _settle(entry, State.SENT, sent_at=now)
    return True


def _addressed(smtp: smtplib.SMTP, entry: LedgerEntry) -> Iterator[tuple[int, bytes]]:
    yield smtp.mail(settings.MAIL_FROM)
    yield smtp.rcpt(entry.address)


def _refused(entry: LedgerEntry, code: int, answer: bytes | str, now: datetime) -> bool:
    """What a server's refusal means (RFC 5321 4.2.1): 5yz for good, anything else for now."""
    words = f"The mail server refused it: {_said(answer)}"
    if code >= 500:
        _settle(entry, State.FAILED, error=words)
    else:
        _later(entry, words, now)
    return False


def _later(entry: LedgerEntry, words: str, now: datetime) -> None:
    if entry.attempts >= MOST_ATTEMPTS:
        _settle(entry, State.FAILED, error=f"Given up after {entry.attempts} tries. {words}")
        return
    pause = BACKOFF[min(max(entry.attempts, 1), len(BACKOFF)) - 1]
    _settle(entry, State.WAITING, next_try_at=now + pause, error=words)


def _settle(
    entry: LedgerEntry,
    state: LedgerEntry.State,
    *,
    error: str = "",
    next_try_at: datetime | None = None,
    sent_at: datetime | None = None,
) -> None:
    # The number of attempts names the claim: a person may have asked for another one meanwhile.
    ours = LedgerEntry.objects.filter(id=entry.id, attempts=entry.attempts, state__in=(State.SENDING, State.UNCERTAIN))
    ours.update(state=state, error=error[:500], next_try_at=next_try_at, sent_at=sent_at)
    news.mark()


def _postpone_all(ids: Iterable[UUID], words: str, now: datetime) -> None:
    """No mail of this round can go out now: each still unclaimed waits for its next try."""
    for entry_id in ids:
        if entry := _claim(entry_id, now):
            _later(entry, words, now)


def _said(answer: bytes | str) -> str:
    """The server's words, in one line."""
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return " ".join(text.split())


def _plain(error: OSError) -> str:
    return _said(error.strerror or str(error))
