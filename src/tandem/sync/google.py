"""Connecting Google accounts: to Google's page and back, the checks on the way, and what is stored.

`begin` gives the address of Google's page; `arrive` takes what it answers and says whose account it is;
`store` keeps it. Between the last two a person may have to say that the address is right (`is_own`).
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
from django.db import transaction

from tandem.calendaring.identity import normalise_address
from tandem.calendaring.provider import Credentials, ProviderError, ReconnectNeeded
from tandem.mailboxes.lease import Clock
from tandem.mailboxes.models import Account, AccountState, Sender
from tandem.mailboxes.secrets import SecretLost, seal, unseal
from tandem.providers.google.oauth import CALENDARS, EVENTS, Person, Tokens
from tandem.providers.google.oauth import Attempt as Attempt
from tandem.sync import accounts, tokens
from tandem.team.models import Alias, User

NEEDED = {
    EVENTS: "to see and edit your events, so that meetings go both ways",
    CALENDARS: "to see the list of your calendars, so that you can choose among them",
}


class NotConnected(Exception):
    """Google agreed, but this account can't be connected so. `words` say why, and what to do."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


@dataclass(frozen=True, slots=True)
class Arrival:
    """A Google account that its owner opened to us; nothing is stored of it yet. `address` is normalised."""

    subject: str
    address: str
    tokens: Tokens = field(repr=False)

    def sealed(self) -> str:
        """All of it encrypted, for the session while its owner looks at the address."""
        return seal(msgspec.json.encode((self.subject, self.address, self.tokens)).decode())

    @classmethod
    def unsealed(cls, sealed: str) -> Arrival:
        """What `sealed` gave. Raises `SecretLost`."""
        try:
            return cls(*msgspec.json.decode(unseal(sealed), type=tuple[str, str, Tokens]))
        except msgspec.MsgspecError as error:
            raise SecretLost("This is no Google account on its way.") from error


def begin(*, hint: str = "", clock: Clock) -> tuple[str, Attempt]:
    """Google's page for this browser, and what only its session may know. Raises `NoOAuthClient`.

    `hint` is the address of an account that is to be reconnected; without it Google asks which one.
    """
    attempt = Attempt(secrets.token_urlsafe(32), secrets.token_urlsafe(64), secrets.token_urlsafe(24))
    with tokens.oauth(clock) as google:
        return google.consent_address(attempt, hint=hint), attempt


def arrive(user: User, code: str, attempt: Attempt, *, account: Account | None = None, clock: Clock) -> Arrival:
    """Exchange the code and check what came. `account` is the one to be reconnected, if it is that.

    Raises `ProviderError`, and `NotConnected`; then the tokens are given back and nothing is kept.
    """
    with tokens.oauth(clock) as google:
        granted, person = google.exchange(code, attempt)
    arrival = Arrival(person.subject, normalise_address(person.address), granted)
    words = _too_little(granted.scopes) or _another(account, person) or _of_a_colleague(user, arrival)
    if words:
        leave(arrival, clock=clock)
        raise NotConnected(words)
    return arrival


def is_own(user: User, arrival: Arrival) -> bool:
    """Whether the address is one of the user's, or they have said before that this account is theirs."""
    said = Account.objects.filter(owner=user, provider="google", subject_id=arrival.subject)
    return arrival.address in user.addresses() or said.exists()


def store(user: User, arrival: Arrival, *, clock: Clock) -> tuple[Account, bool]:
    """Find the calendars and keep the account; (the account, whether it was here and read already).

    One that is known by Google's own subject id is taken up again with all that waits in it. Raises
    `ProviderError` and `NotConnected`; then the tokens are given back, and nothing is changed.
    """
    site = tokens.site()
    words = _of_a_colleague(user, arrival)
    try:
        if words:
            raise NotConnected(words)
        found = accounts.discover("google", Credentials(site.base, arrival.address, "", _Once(arrival.tokens.access)))
    except (ProviderError, NotConnected):
        leave(arrival, clock=clock)
        raise
    with transaction.atomic():
        account, is_new = Account.objects.update_or_create(
            owner=user,
            provider="google",
            subject_id=arrival.subject,
            defaults={
                "name": arrival.address,
                "url": site.base,
                "endpoint": site.api,
                "username": arrival.address,
                "secret": tokens.seal_tokens(arrival.tokens),
                "addresses_text": arrival.address,
                "invitations_by": Sender.SERVER,
                "state": AccountState.ACTIVE,
                "error": "",
                "error_since": None,
            },
        )
        accounts.store_calendars(account, found.calendars)
        if not is_new:
            accounts.go_on(account)
    return account, account.calendars.filter(is_read=True, gone=False).exists()


def leave(arrival: Arrival, *, clock: Clock) -> None:
    """Its owner goes no further: Google is told that nothing of it is needed."""
    tokens.give_back(arrival.subject, arrival.tokens, clock=clock)


@dataclass(frozen=True, slots=True)
class _Once:
    """The token that came this minute; there is none to follow it."""

    access: str = field(repr=False)

    def __call__(self, stale: str) -> str:
        if stale:
            raise ReconnectNeeded("Google does not take the access that it just gave. Connect once more.")
        return self.access


def _too_little(granted: Sequence[str]) -> str:
    missing = [what for scope, what in NEEDED.items() if scope not in granted]
    if not missing:
        return ""
    ticked = "this one" if len(missing) == 1 else "both"
    return (
        "Nothing was connected, for a tick was missing on Google’s page. "
        f"Connect once more, and leave {ticked} ticked: {'; and '.join(missing)}."
    )


def _another(account: Account | None, person: Person) -> str:
    if account is None or account.subject_id == person.subject:
        return ""
    return (
        f"Nothing was changed: you chose {person.address} at Google, but this is {account.username}. "
        f"Reconnect it with {account.username}, or connect {person.address} as a further account."
    )


def _of_a_colleague(user: User, arrival: Arrival) -> str:
    owner = User.objects.exclude(id=user.id).filter(email=arrival.address).first()
    alias = Alias.objects.exclude(user=user).filter(address=arrival.address).select_related("user").first()
    owner = owner or (alias.user if alias else None)
    if owner is None:
        return ""
    return (
        f"Nothing was connected: {arrival.address} is {owner.name}’s address here, so {owner.name} connects it. "
        "You can choose another Google account."
    )
