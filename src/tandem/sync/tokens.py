"""Access to Google accounts: the company's OAuth client, and each account's tokens.

Tokens are kept encrypted in `Account.secret` and refreshed by one worker at a time, under the lease
`token:<account>`: it reads again first, for another may have been there, asks Google outside of any
transaction, and saves before anyone uses what came.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from django.conf import settings
from django.utils import timezone

from tandem.calendaring.provider import ProviderError, ReconnectNeeded, TryLater
from tandem.mailboxes.lease import Clock, Lease, LeaseLost, LeaseTaken, take
from tandem.mailboxes.models import Account
from tandem.mailboxes.secrets import SecretLost, seal, unseal
from tandem.providers.google.oauth import OAuth, OAuthClient, Site, Tokens, site_of
from tandem.providers.network import public_only
from tandem.team.models import Company

CALLBACK = "/accounts/google/callback"
LEASE_SECONDS = 120
WAITS, PAUSE = 40, 0.25
"""How often, and for how many seconds, a worker waits for another that refreshes the same token."""


class NoOAuthClient(TryLater):
    """No administrator has given this company an OAuth client, or its secret can't be read here."""


def redirect_address() -> str:
    """Where Google's page sends people back to: what has to be registered there, letter by letter."""
    return f"{settings.PUBLIC_URL}{CALLBACK}"


def set_by_environment() -> bool:
    """Whether environment variables rule over what the settings page keeps."""
    return bool(settings.GOOGLE_CLIENT_ID or settings.GOOGLE_CLIENT_SECRET)


def has_client() -> bool:
    """Whether a Google account can be connected at all."""
    try:
        return bool(oauth_client())
    except NoOAuthClient:
        return False


def oauth_client() -> OAuthClient:
    """The company's OAuth client: the environment's, else the settings page's. Raises `NoOAuthClient`."""
    if set_by_environment():
        client_id, secret = settings.GOOGLE_CLIENT_ID, settings.GOOGLE_CLIENT_SECRET
    else:
        company = Company.current()
        client_id = company.google_client_id
        try:
            secret = unseal(company.google_client_secret) if company.google_client_secret else ""
        except SecretLost as error:
            raise NoOAuthClient(
                "The secret of this company’s Google client can’t be read here. An administrator enters it again."
            ) from error
    if not (client_id and secret):
        raise NoOAuthClient("This company has no Google client yet. An administrator sets it up in Settings, Company.")
    return OAuthClient(client_id, secret, redirect_address())


def site() -> Site:
    """Google, or the stand-in that the settings name."""
    return site_of(settings.GOOGLE_SITE)


@contextmanager
def oauth(clock: Clock) -> Iterator[OAuth]:
    """Google's token endpoint, for this company's client. Raises `NoOAuthClient`."""
    open_network = settings.GOOGLE_SITE or settings.ALLOW_PRIVATE_NETWORK
    made = OAuth(oauth_client(), site(), now=clock, guard=None if open_network else public_only)
    try:
        yield made
    finally:
        made.close()


def seal_tokens(tokens: Tokens) -> str:
    """`tokens` encrypted, as `Account.secret` keeps them."""
    return seal(msgspec.json.encode(tokens).decode())


def unseal_tokens(sealed: str) -> Tokens:
    """What `seal_tokens` was given. Raises `SecretLost`."""
    try:
        return msgspec.json.decode(unseal(sealed), type=Tokens)
    except msgspec.MsgspecError as error:
        raise SecretLost("These are no tokens of Google’s.") from error


def ends_at(account: Account) -> datetime | None:
    """When Google ends the access by itself, where it said so (an OAuth client in Testing); UTC."""
    try:
        return unseal_tokens(account.secret).refresh_ends_at
    except SecretLost:
        return None


@dataclass(frozen=True, slots=True)
class AccountBearer:
    """Gives access tokens of one account (`calendaring.provider.Bearer`), refreshing them when need be."""

    account_id: UUID
    clock: Clock = timezone.now
    sleep: Callable[[float], None] = time.sleep

    def __call__(self, stale: str) -> str:
        """A token that works now, and is not `stale`. Raises `ReconnectNeeded` and `TryLater`."""
        for _ in range(WAITS):
            found = self._usable(stale)
            if found:
                return found
            try:
                with take(f"token:{self.account_id}", clock=self.clock, seconds=LEASE_SECONDS) as lease:
                    return self._refreshed(lease, stale)
            except LeaseTaken:
                self.sleep(PAUSE)
            except LeaseLost as error:
                # another worker thought that this one was gone, and has asked Google itself
                raise TryLater("Google answered too late. Tandem tries again by itself.", retry_after=5) from error
        raise TryLater("Google lets Tandem wait for access. Tandem tries again by itself.", retry_after=15)

    def _usable(self, stale: str) -> str:
        _, tokens = self._stored()
        return self._if_usable(tokens, stale)

    def _if_usable(self, tokens: Tokens, stale: str) -> str:
        return tokens.access if tokens.access != stale and tokens.works_at(self.clock()) else ""

    def _refreshed(self, lease: Lease, stale: str) -> str:
        sealed, tokens = self._stored()
        found = self._if_usable(tokens, stale)
        if found:
            return found  # another worker was here while this one waited for the lease
        try:
            with oauth(self.clock) as google:
                fresh = google.refresh(tokens)
        except ReconnectNeeded:
            if self._stored()[0] == sealed:
                raise
            return self._after_reconnect(stale)
        with lease.guarding():
            mine = Account.objects.filter(id=self.account_id, secret=sealed)
            saved = mine.update(secret=seal_tokens(fresh))
        return fresh.access if saved else self._after_reconnect(stale)

    def _after_reconnect(self, stale: str) -> str:
        """The user reconnected in the meantime: what that brought counts, not what was refreshed here."""
        found = self._usable(stale)
        if not found:
            raise TryLater("This account was just reconnected. Tandem tries again by itself.", retry_after=1)
        return found

    def _stored(self) -> tuple[str, Tokens]:
        """(as stored, the tokens). Raises `ReconnectNeeded` where there is nothing to use."""
        account = Account.objects.filter(id=self.account_id).only("secret", "url").first()
        if account is None or not account.secret:
            raise ReconnectNeeded("This account is disconnected.")
        if account.url != site().base:
            raise ReconnectNeeded("This account was connected to another Google than the present one. Reconnect it.")
        try:
            return account.secret, unseal_tokens(account.secret)
        except SecretLost as error:
            raise ReconnectNeeded("Tandem can’t read its access to this account any more. Reconnect it.") from error


def give_back(subject: str, tokens: Tokens, *, but: UUID | None = None, clock: Clock) -> bool:
    """Revoke `tokens`; whether nothing of them works any more. Never raises: that Google is away keeps nobody.

    Revoking ends all that this person granted, so it is left where another connected account here, other
    than `but`, lives by the same grant.
    """
    living = (
        Account.objects.filter(provider="google", subject_id=subject).exclude(secret="").values_list("id", flat=True)
    )
    if set(living) - {but}:
        return False
    try:
        with oauth(clock) as google:
            google.revoke(tokens.refresh or tokens.access)
    except ProviderError:
        return False
    return True


def give_back_of(account: Account, *, clock: Clock) -> bool:
    """The same for a connected account's tokens, as they are stored now: a worker may just have refreshed them."""
    sealed = Account.objects.filter(id=account.id).values_list("secret", flat=True).first()
    try:
        tokens = unseal_tokens(sealed or "")
    except SecretLost:
        return False
    return give_back(account.subject_id, tokens, but=account.id, clock=clock)
