"""Connecting accounts, choosing calendars, disconnecting: the connect page's door to providers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from django.db import transaction

from tandem.calendaring.identity import normalise_address
from tandem.calendaring.provider import Credentials, Discovery, ProviderError, RemoteCalendar
from tandem.database import bulk
from tandem.mailboxes.models import Account, AccountState, Calendar, Sender
from tandem.mailboxes.secrets import seal
from tandem.meetings import projection
from tandem.meetings.models import Copy, RemoteObject
from tandem.sync import due, push, tokens
from tandem.sync.apply import recount
from tandem.sync.connect import connect as provider_of
from tandem.sync.connect import connected, credentials_of, provider_for
from tandem.team.models import HUES, User


class AddressesNeeded(Exception):
    """The server does not say which addresses are the owner's: the connect page asks for them."""


class AnotherAccount(Exception):
    """The credential opens another account than the one that is to be reconnected."""


def connect(
    user: User,
    credentials: Credentials,
    *,
    provider: str = "caldav",
    addresses: Sequence[str] = (),
    invitations_by: str = "",
    now: datetime,
) -> Account:
    """Discover the account and store it, its password encrypted, with its calendars (none read yet).

    An account that is known by the service's own subject id is taken up again, nothing is doubled.
    Raises `ProviderError` with words for the page, and `AddressesNeeded`.
    """
    found = discover(provider, credentials)
    own = sorted({normalise_address(text) for text in (*found.addresses, *addresses) if text.strip()})
    if not own:
        raise AddressesNeeded
    with transaction.atomic():
        account, _ = Account.objects.update_or_create(
            owner=user,
            provider=provider,
            subject_id=found.subject_id,
            defaults={
                "name": f"{credentials.username} at {_host(found.endpoint or credentials.url)}",
                "url": credentials.url,
                "endpoint": found.endpoint,
                "username": credentials.username,
                "secret": seal(credentials.password),
                "addresses_text": "\n".join(own),
                "invitations_by": invitations_by or (Sender.SERVER if found.schedules else Sender.TANDEM),
                "state": AccountState.ACTIVE,
                "error": "",
                "error_since": None,
            },
        )
        store_calendars(account, found.calendars)
    return account


def reconnect(account: Account, password: str, *, now: datetime) -> None:
    """A new password for the same account. Raises `ProviderError`, or `AnotherAccount`.

    Intents that waited go out at once; nothing is doubled, for calendars are known by their remote ids.
    """
    found = discover(account.provider, Credentials(account.url, account.username, password))
    if found.subject_id != account.subject_id:
        raise AnotherAccount(f"This password opens another account ({found.subject_id}). Connect it as a new one.")
    with transaction.atomic():
        account.secret, account.endpoint = seal(password), found.endpoint
        account.state, account.error, account.error_since = AccountState.ACTIVE, "", None
        account.save(update_fields=["secret", "endpoint", "state", "error", "error_since"])
        store_calendars(account, found.calendars)
        go_on(account)


def go_on(account: Account) -> None:
    """An account is back: its calendars are looked at, and edits that waited for their next try go out at once."""
    calendars = list(account.calendars.values_list("id", flat=True))
    due.retry_edits(calendars)
    due.request(calendars)


def refresh_calendars(account: Account, *, now: datetime) -> None:
    """Look for new and vanished calendars. Raises `ProviderError`."""
    found = discover(account.provider, credentials_of(account))
    with transaction.atomic():
        store_calendars(account, found.calendars)


def choose_calendars(
    account: Account,
    *,
    read: Iterable[UUID],
    target: UUID | None,
    counts_others: Iterable[UUID] = (),
    now: datetime,
) -> None:
    """Which calendars are read, and which one takes new events (one for each user; None leaves it).

    A calendar that is no longer read is forgotten here and untouched there; its waiting edits stay.
    """
    reading, others = set(read), set(counts_others)
    with transaction.atomic():
        for calendar in account.calendars.filter(gone=False):
            was_read, counted = calendar.is_read, calendar.counts_others
            calendar.is_read = calendar.id in reading
            calendar.counts_others = calendar.id in others
            calendar.save(update_fields=["is_read", "counts_others"])
            if was_read and not calendar.is_read:
                forget(calendar, now=now)
            elif counted != calendar.counts_others:
                recount(calendar, now=now)
        if target is not None:
            mine = Calendar.objects.filter(account__owner=account.owner_id)
            mine.exclude(id=target).update(is_target=False)
            mine.filter(id=target, writable=True).update(is_target=True)
        # What isn't read any more gets a last look, which ends its push channel.
        due.request(reading | push.calling(account, now=now))


def addresses_changed(user: User, *, now: datetime) -> None:
    """The user's addresses are others now: which events count is decided anew, without reading them."""
    with transaction.atomic():
        for calendar in Calendar.objects.filter(account__owner=user, is_read=True).select_related("account__owner"):
            recount(calendar, now=now)


def disconnect(account: Account, *, now: datetime) -> None:
    """Delete the credential and forget what was read. Nothing is deleted in the calendar itself.

    Meetings that another account sees stay; the others become unseen, their links and notes kept.
    Google is told first that its access has ended; that it can't be reached keeps nobody from leaving.
    """
    if account.provider == "google":
        with suppress(ProviderError), connected(account, provider_of) as provider:
            push.stop_all(account, provider, now=now)
        tokens.give_back_of(account, clock=lambda: now)
    with transaction.atomic():
        account.state, account.secret, account.error = AccountState.DISCONNECTED, "", ""
        account.save(update_fields=["state", "secret", "error"])
        account.calendars.update(is_target=False, is_read=False)
        for calendar in account.calendars.all():
            forget(calendar, now=now)


def forget(calendar: Calendar, *, now: datetime) -> None:
    """Drop what was read of a calendar, as if it had never been looked at."""
    copies = list(Copy.objects.filter(calendar=calendar).values_list("id", "meeting__series_id"))
    series = {series_id for _, series_id in copies if series_id}
    bulk.delete(Copy, [copy_id for copy_id, _ in copies])
    bulk.delete(RemoteObject, list(calendar.remote_objects.values_list("id", flat=True)))
    projection.refresh(series, now=now)
    calendar.cursor, calendar.window_read, calendar.last_full_at = None, False, None
    calendar.read_count, calendar.read_total = 0, None
    fields = ["cursor", "window_read", "last_full_at", "read_count", "read_total"]
    calendar.save(update_fields=fields)


def let_go_on(calendar: Calendar) -> None:
    """A person looked at what a brake stopped, and says go on.

    Where that was a look that would have removed many events, the next one may; this once.
    """
    calendar.removal_allowed = calendar.held_removal
    calendar.held, calendar.held_removal = "", False
    calendar.save(update_fields=["held", "held_removal", "removal_allowed"])
    due.request([calendar.id])


def discover(provider: str, credentials: Credentials) -> Discovery:
    """What the service says about the account and its calendars. Raises `ProviderError`."""
    client = provider_for(provider, credentials)
    try:
        return client.discover()
    finally:
        client.close()


def store_calendars(account: Account, found: Sequence[RemoteCalendar]) -> None:
    """What discovery found, inside the caller's transaction. Calendars that it lacks are marked as gone."""
    known = {calendar.remote_id: calendar for calendar in account.calendars.all()}
    used = Calendar.objects.filter(account__owner=account.owner_id).count()
    hues = _hues(account.owner)
    for remote in found:
        calendar = known.pop(remote.remote_id, None)
        if calendar is None:
            hue = hues[used % len(hues)]
            used += 1
            calendar = Calendar(account=account, remote_id=remote.remote_id, hue=hue)
        calendar.name, calendar.writable = remote.name[:300], remote.writable
        calendar.zone, calendar.organizer, calendar.gone = remote.zone, remote.organizer, False
        # only these of a known one: a worker may be saving its cursor at this moment
        names = ["name", "writable", "zone", "organizer", "gone"]
        calendar.save(update_fields=None if calendar._state.adding else names)
    for calendar in known.values():
        calendar.gone = True
        calendar.save(update_fields=["gone"])


def _hues(owner: User) -> list[str]:
    """The user's own hue first, then those that are no colleague's, for a hue says whose a meeting is."""
    taken = set(User.objects.exclude(id=owner.id).values_list("hue", flat=True))
    return [owner.hue, *(hue for hue in HUES if hue != owner.hue and hue not in taken)]


def _host(url: str) -> str:
    return url.split("://", 1)[-1].split("/", 1)[0].rsplit("@", 1)[-1]
