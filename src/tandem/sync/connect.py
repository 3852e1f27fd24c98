"""From an account to its provider: the only door to `tandem.providers`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings

from tandem.calendaring.provider import Credentials, Provider, ReconnectNeeded
from tandem.mailboxes.models import Account, Sender
from tandem.mailboxes.secrets import SecretLost, unseal
from tandem.providers import PROVIDERS

Connect = Callable[[Account], "Provider"]


def provider_for(
    provider: str,
    credentials: Credentials,
    *,
    endpoint: str = "",
    default_zone: str = "UTC",
    tandem_invites: bool = False,
) -> Provider:
    """A provider for these credentials. Raises `KeyError` for a name that is not in the table."""
    return PROVIDERS[provider](
        credentials,
        endpoint=endpoint,
        allow_private_network=settings.ALLOW_PRIVATE_NETWORK,
        default_zone=default_zone,
        tandem_invites=tandem_invites,
    )


def connect(account: Account) -> Provider:
    """The provider of a connected account. Raises `ReconnectNeeded` when its password can't be read."""
    try:
        password = unseal(account.secret)
    except SecretLost as error:
        raise ReconnectNeeded("The password of this account can't be read here. Enter it again.") from error
    return provider_for(
        account.provider,
        Credentials(account.url, account.username, password),
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
