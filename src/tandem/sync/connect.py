"""From an account to its provider."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.utils import timezone

from tandem.calendaring.provider import Credentials, Provider, ReconnectNeeded
from tandem.mailboxes.lease import Clock
from tandem.mailboxes.models import Account, Sender
from tandem.mailboxes.secrets import SecretLost, unseal
from tandem.providers import PROVIDERS
from tandem.sync.tokens import AccountBearer

Connect = Callable[[Account], "Provider"]


def provider_for(
    provider: str,
    credentials: Credentials,
    *,
    endpoint: str = "",
    default_zone: str = "UTC",
    tandem_invites: bool = False,
) -> Provider:
    """A provider for these credentials. Raises `KeyError` for a name that is not in the table.

    A stand-in for Google runs on this machine, and may be reached there.
    """
    stand_in = provider == "google" and bool(settings.GOOGLE_SITE)
    return PROVIDERS[provider](
        credentials,
        endpoint=endpoint,
        allow_private_network=settings.ALLOW_PRIVATE_NETWORK or stand_in,
        default_zone=default_zone,
        tandem_invites=tandem_invites,
    )


def credentials_of(account: Account, *, clock: Clock = timezone.now) -> Credentials:
    """What opens a connected account. Raises `ReconnectNeeded` when its password can't be read."""
    if account.provider == "google":
        return Credentials(account.url, account.username, "", AccountBearer(account.id, clock))
    try:
        return Credentials(account.url, account.username, unseal(account.secret))
    except SecretLost as error:
        raise ReconnectNeeded("The password of this account can't be read here. Enter it again.") from error


def connect(account: Account, *, clock: Clock = timezone.now) -> Provider:
    """The provider of a connected account. Raises `ReconnectNeeded` when its password can't be read."""
    return provider_for(
        account.provider,
        credentials_of(account, clock=clock),
        endpoint=account.endpoint,
        default_zone=account.owner.time_zone,
        tandem_invites=account.invitations_by == Sender.TANDEM,
    )


@contextmanager
def connected(account: Account, by: Connect) -> Iterator[Provider]:
    provider = by(account)
    try:
        yield provider
    finally:
        provider.close()
