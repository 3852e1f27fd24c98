"""Calendar services behind `tandem.calendaring.provider`. No Django here.

`PROVIDERS` is the table of them: one line for each, its name as accounts store it.
"""

from __future__ import annotations

from typing import Protocol

from tandem.calendaring.provider import Credentials, Provider
from tandem.providers.caldav import CalDavProvider
from tandem.providers.google import GoogleProvider
from tandem.providers.google.oauth import site_of
from tandem.providers.network import public_only


class Factory(Protocol):
    """Makes the provider of an account. `endpoint` is what discovery found, empty before it.

    `default_zone` (IANA) is where floating times are; `tandem_invites` says that Tandem, not the
    server, sends this account's invitations although the server could (see `caldav.provider`).
    """

    def __call__(
        self,
        credentials: Credentials,
        *,
        endpoint: str,
        allow_private_network: bool,
        default_zone: str = "UTC",
        tandem_invites: bool = False,
    ) -> Provider: ...


def _caldav(
    credentials: Credentials,
    *,
    endpoint: str,
    allow_private_network: bool,
    default_zone: str = "UTC",
    tandem_invites: bool = False,
) -> Provider:
    return CalDavProvider(
        credentials,
        endpoint=endpoint,
        guard=None if allow_private_network else public_only,
        default_zone=default_zone,
        tandem_invites=tandem_invites,
    )


def _google(
    credentials: Credentials,
    *,
    endpoint: str,
    allow_private_network: bool,
    default_zone: str = "UTC",
    tandem_invites: bool = False,
) -> Provider:
    """Google mails guests itself, whoever is asked to: `tandem_invites` means nothing here."""
    return GoogleProvider(
        credentials,
        endpoint=endpoint or site_of(credentials.url).api,
        guard=None if allow_private_network else public_only,
        default_zone=default_zone,
    )


PROVIDERS: dict[str, Factory] = {"caldav": _caldav, "google": _google}
