"""Push: calendars that call us when they change, and whether they can reach us at all.

A channel can't be renewed (Google, "Push notifications"): a new one is opened before the old one ends, and
the old one is stopped once the new one has been called. Push is never relied on: whatever fails here is
noted, and polling goes on. The calls themselves arrive in `web/hooks.py`.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx2
import structlog
from django.conf import settings
from django.db.models import QuerySet
from django.utils.crypto import constant_time_compare, salted_hmac

from tandem.calendaring.provider import AnswerLost, Provider, ProviderError, Push, Refused
from tandem.mailboxes.lease import Clock, Lease
from tandem.mailboxes.models import Account, AccountState, Calendar, Channel
from tandem.sync import due
from tandem.team.models import Company

log = structlog.get_logger()

SELF_TEST = "/hooks/self-test/"
PUSHING = frozenset({"google"})
"""The providers that can be asked to call us."""

LIFE = timedelta(days=7)
OVERLAP = timedelta(days=1)
LATE = timedelta(hours=1)
TRY_AGAIN = timedelta(minutes=10)
TRY_REFUSED_AGAIN = timedelta(days=1)
TEST_EVERY, TEST_FAILED_EVERY = timedelta(days=1), timedelta(hours=1)
TIMEOUT = httpx2.Timeout(5.0, connect=3.0)
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def keep(calendar: Calendar, push: Push, *, lease: Lease, clock: Clock) -> None:
    """Have one channel that lives a day at least on a calendar that was just read. Raises `LeaseLost` alone.

    A failure is the row of a channel without a resource id: until that row ends nothing is tried.
    """
    now = clock()
    channels = list(calendar.channels.filter(expires_at__gt=now).order_by("-expires_at", "-opened_at"))
    live = [channel for channel in channels if channel.resource_id and channel.stopped_at is None]
    ours = next((channel for channel in live if channel.address == due.callback()), None)
    if ours is not None and _lasts(ours, now):
        others = [channel for channel in live if channel is not ours]
        if others and ours.called_at is not None:
            stop(others, push, lease=lease, now=now)
        return
    if not any(_waits(channel, now) for channel in channels) and can_call_us(Company.current()):
        _open(calendar, push, lease, clock, overlaps=ours is not None)


def _lasts(channel: Channel, now: datetime) -> bool:
    """Whether it is too early for the next one: a day before the end, or a quarter of a short life."""
    return channel.expires_at - now > min(OVERLAP, (channel.expires_at - channel.opened_at) / 4)


def _waits(channel: Channel, now: datetime) -> bool:
    """Whether this is an attempt that failed, or of which nobody knows yet what became of it."""
    if channel.resource_id:
        return False
    return channel.stopped_at is not None or channel.opened_at > now - TRY_AGAIN


def _open(calendar: Calendar, push: Push, lease: Lease, clock: Clock, *, overlaps: bool) -> None:
    """The row goes first, for the first call may come before the answer."""
    now = clock()
    token = secrets.token_urlsafe(32)
    channel = Channel(
        id=uuid4(), calendar=calendar, token=token, address=due.callback(), opened_at=now, expires_at=now + LIFE
    )
    with lease.guarding():
        calendar.channels.filter(expires_at__lt=now - LATE).delete()
        channel.save(force_insert=True)
    try:
        watched = push.watch(
            calendar.remote_id,
            channel_id=str(channel.id),
            token=token,
            address=channel.address,
            until=channel.expires_at,
        )
    except AnswerLost:
        # It may be open: its first call will say so, and name the resource.
        log.info("push not certain", calendar=str(calendar.id))
        return
    except ProviderError as error:
        _note_failure(channel, error, lease, clock())
        return
    with lease.guarding():
        Channel.objects.filter(id=channel.id).update(resource_id=watched.resource_id, expires_at=watched.expires_at)
        if not overlaps:
            # What changed between the last read and the opening was told to nobody.
            due.request([calendar.id])


def _note_failure(channel: Channel, error: ProviderError, lease: Lease, now: datetime) -> None:
    pause = TRY_REFUSED_AGAIN if isinstance(error, Refused) else TRY_AGAIN
    until = now + max(pause, timedelta(seconds=error.retry_after or 0))
    log.info("push failed", calendar=str(channel.calendar_id), error=type(error).__name__)
    with lease.guarding():
        Channel.objects.filter(id=channel.id, resource_id="").update(stopped_at=now, expires_at=until)


def stop(channels: Sequence[Channel], push: Push, *, lease: Lease, now: datetime) -> None:
    """End these channels, once each; one that the service doesn't end ends by itself. Raises `LeaseLost` alone."""
    with lease.guarding():
        _mark_stopped(channels, now)
    _unwatch(channels, push)


def stop_unread(calendar: Calendar, push: Push, *, lease: Lease, now: datetime) -> None:
    """The calendar is no longer read: nobody needs to hear of its changes. Raises `LeaseLost` alone."""
    channels = list(_running(now).filter(calendar=calendar))
    if channels:
        stop(channels, push, lease=lease, now=now)


def stop_all(account: Account, provider: Provider, *, now: datetime) -> None:
    """End every channel of the account, as well as may be, before its credential goes. Outside of transactions."""
    channels = list(_running(now).filter(calendar__account=account))
    if provider.push is not None and channels:
        _mark_stopped(channels, now)
        _unwatch(channels, provider.push)


def forget_all(account: Account, *, now: datetime) -> None:
    """The access to the account ended, and its channels may have ended with it: new ones after reconnecting."""
    _running(now).filter(calendar__account=account).update(stopped_at=now)


def calling(account: Account, *, now: datetime) -> set[UUID]:
    """The calendars of the account that have a channel."""
    return set(_running(now).filter(calendar__account=account).values_list("calendar_id", flat=True))


def _running(now: datetime) -> QuerySet[Channel]:
    return Channel.objects.filter(stopped_at=None, expires_at__gt=now)


def _mark_stopped(channels: Sequence[Channel], now: datetime) -> None:
    """The rows stay until they end: a stopped channel may still deliver."""
    Channel.objects.filter(id__in=[channel.id for channel in channels]).update(stopped_at=now)


def _unwatch(channels: Sequence[Channel], push: Push) -> None:
    for channel in channels:
        if channel.resource_id:
            try:
                push.unwatch(str(channel.id), channel.resource_id)
            except ProviderError as error:
                log.info("push not stopped", calendar=str(channel.calendar_id), error=type(error).__name__)
                return


def can_call_us(company: Company) -> bool:
    """Whether services reach this installation, as far as the last test knows."""
    return company.push_tested_at is not None and not company.push_problem


def check_if_due(now: datetime, *, anew: bool = False) -> None:
    """Test the callback where somebody needs it: once a day, and every hour while it fails.

    `anew`: whatever was found last, for PUBLIC_URL may be another since.
    """
    company = Company.current()
    every = TEST_FAILED_EVERY if company.push_problem else TEST_EVERY
    if not anew and company.push_tested_at is not None and company.push_tested_at > now - every:
        return
    if Account.objects.filter(provider__in=PUSHING, state=AccountState.ACTIVE).exists():
        self_test(now)


def self_test(now: datetime) -> str:
    """Ask PUBLIC_URL for what only this installation can answer. The problem in words, "" for none; it is stored.

    Once all is well, the calendars that can call us are looked at, for a look opens their channels.
    Outside of transactions.
    """
    company = Company.current()
    problem = _problem_at(settings.PUBLIC_URL)[:300]
    Company.objects.filter(id=company.id).update(push_tested_at=now, push_problem=problem)
    if not problem and not can_call_us(company):
        read = Calendar.objects.filter(is_read=True, gone=False, account__state=AccountState.ACTIVE)
        due.request(read.filter(account__provider__in=PUSHING).values_list("id", flat=True))
    return problem


def answer_to(nonce: UUID) -> str:
    """What this installation, and no other, answers to a self-test."""
    return salted_hmac("tandem.sync.push", str(nonce)).hexdigest()


def _problem_at(base: str) -> str:
    parts = urlsplit(base)
    stand_in = settings.GOOGLE_SITE and parts.hostname in LOOPBACK
    if parts.scheme != "https" and not stand_in:
        return f"PUBLIC_URL is {base}; Google calls only HTTPS addresses."
    nonce = uuid4()
    try:
        with (
            httpx2.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=False) as client,
            client.stream("GET", f"{base}{SELF_TEST}{nonce}") as response,
        ):
            if response.is_redirect:
                return f"{base} sends callers on to another address; PUBLIC_URL must be the one that answers."
            said = _beginning(response)
    except httpx2.TransportError as error:
        return _unreachable(base, error)
    except (httpx2.InvalidURL, httpx2.DecodingError, httpx2.StreamError):
        return f"Another program answers at {base}, or PUBLIC_URL is no address at all."
    if response.status_code != 200 or not constant_time_compare(said, answer_to(nonce)):
        return f"Another program answers at {base}, not this Tandem."
    return ""


def _beginning(response: httpx2.Response, size: int = 200) -> bytes:
    """As much of the body as our own answer could have."""
    said = b""
    for part in response.iter_raw():
        said += part
        if len(said) > size:
            break
    return said[:size]


def _unreachable(base: str, error: httpx2.TransportError) -> str:
    said = str(error).lower()
    if "certificate" in said:
        return f"The certificate of {base} isn’t valid, so Google doesn’t call it."
    if isinstance(error, httpx2.RemoteProtocolError) or "ssl" in said:
        return f"What answers at {base} isn’t a web server with HTTPS, so it isn’t this Tandem."
    return f"Nobody answers at {base}."
