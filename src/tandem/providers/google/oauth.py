"""OAuth 2 and OpenID Connect with Google: the address that asks for consent, codes, refreshing, revoking.

Sources: "Using OAuth 2.0 for Web Server Applications", "OpenID Connect" (Google Identity), RFC 6749, 7009, 7636.
Authlib builds the requests and checks the ID token's claims; httpx2 sends (docs/adr/0011).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlencode

import httpx2
import msgspec
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jws
from joserfc.errors import JoseError

from tandem.calendaring.provider import ProviderError, ReconnectNeeded, Refused, TryLater
from tandem.providers import network
from tandem.providers.http import read_limited, retry_after, transport_error, user_agent

EVENTS = "https://www.googleapis.com/auth/calendar.events"
CALENDARS = "https://www.googleapis.com/auth/calendar.calendarlist.readonly"
SCOPES = ("openid", "email", EVENTS, CALENDARS)
ISSUERS = ("https://accounts.google.com", "accounts.google.com")
TIMEOUT = httpx2.Timeout(20.0, connect=10.0)
_LEEWAY = 300
_BUSY = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Site:
    """Where Google is. `base` is what accounts store; `api` the root of the Calendar API."""

    base: str
    api: str
    authorize: str
    token: str
    revoke: str


GOOGLE = Site(
    base="https://www.googleapis.com",
    api="https://www.googleapis.com/calendar/v3",
    authorize="https://accounts.google.com/o/oauth2/v2/auth",
    token="https://oauth2.googleapis.com/token",  # noqa: S106 (an address)
    revoke="https://oauth2.googleapis.com/revoke",
)


def site_of(base: str) -> Site:
    """The stand-in at `base`; Google itself where it is empty."""
    if base in {"", GOOGLE.base}:
        return GOOGLE
    return Site(base, f"{base}/calendar/v3", f"{base}/o/oauth2/v2/auth", f"{base}/token", f"{base}/revoke")


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """What the console keeps of this installation, with the redirect address registered there."""

    id: str
    secret: str = field(repr=False)
    redirect: str


class Tokens(msgspec.Struct, frozen=True):
    """What opens an account. Times are UTC; `refresh_ends_at` is known of clients in Testing. `repr` hides both."""

    access: str
    refresh: str
    expires_at: datetime
    scopes: tuple[str, ...] = ()
    refresh_ends_at: datetime | None = None

    def __repr__(self) -> str:
        return f"Tokens(until {self.expires_at:%Y-%m-%dT%H:%MZ})"

    def works_at(self, now: datetime, *, margin: timedelta = timedelta(seconds=60)) -> bool:
        """Whether the access token still works, for a request that may take a while."""
        return self.expires_at - now > margin


@dataclass(frozen=True, slots=True)
class Person:
    """Whose Google account it is: OpenID's subject, which never changes, and the address of today."""

    subject: str
    address: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One walk to Google's page and back: what only this browser's session knows."""

    state: str
    verifier: str = field(repr=False)
    nonce: str = field(repr=False)


class _Answer(msgspec.Struct):
    access_token: str
    expires_in: int
    scope: str = ""
    refresh_token: str = ""
    refresh_token_expires_in: int | None = None
    id_token: str = ""


class _Refusal(msgspec.Struct):
    error: str = ""


class OAuth:
    """The token endpoint for one OAuth client. Every method may raise the errors of `calendaring.provider`.

    `transport` replaces the network (tests). `guard` sees every address connected to. `now` is UTC.
    """

    def __init__(
        self,
        client: OAuthClient,
        site: Site = GOOGLE,
        *,
        now: Callable[[], datetime],
        transport: httpx2.BaseTransport | None = None,
        guard: network.Guard | None = None,
    ) -> None:
        self._client = client
        self._site = site
        self._now = now
        self._http = httpx2.Client(
            transport=transport or network.transport(guard),
            timeout=TIMEOUT,
            follow_redirects=False,
            trust_env=False,
            headers={"User-Agent": user_agent(), "Accept": "application/json"},
        )

    def close(self) -> None:
        self._http.close()

    def consent_address(self, attempt: Attempt, *, hint: str = "") -> str:
        """Where the browser goes. `hint` names the account to take; without it Google asks which.

        `prompt=consent` because a refresh token comes on a first consent only, otherwise.
        """
        address: str = prepare_grant_uri(
            self._site.authorize,
            self._client.id,
            "code",
            redirect_uri=self._client.redirect,
            scope=" ".join(SCOPES),
            state=attempt.state,
            nonce=attempt.nonce,
            code_challenge=create_s256_code_challenge(attempt.verifier),  # type: ignore[no-untyped-call]
            code_challenge_method="S256",
            access_type="offline",
            prompt="consent" if hint else "select_account consent",
            login_hint=hint or None,
        )
        return address

    def exchange(self, code: str, attempt: Attempt) -> tuple[Tokens, Person]:
        """The tokens for the code that Google's page gave, and whose they are. `Refused` for a code it won't take."""
        asked = self._now()
        body = prepare_token_request(
            "authorization_code",
            code=code,
            redirect_uri=self._client.redirect,
            code_verifier=attempt.verifier,
            client_id=self._client.id,
            client_secret=self._client.secret,
        )
        answer = self._tokens(body)
        if isinstance(answer, str):
            late = "Google’s page answered too long ago, or its answer was used already. Connect again."
            raise _refusal(answer, Refused(late))
        if not answer.refresh_token:
            raise Refused("Google gave access for an hour only. Connect once more, and agree on Google’s page.")
        return _stored(answer, asked, None), self._person(answer, attempt)

    def refresh(self, tokens: Tokens) -> Tokens:
        """A new access token. Where Google sends no refresh token, the one before stays.

        Raises `ReconnectNeeded` when the access was taken back or has ended.
        """
        asked = self._now()
        body = prepare_token_request(
            "refresh_token",
            refresh_token=tokens.refresh,
            client_id=self._client.id,
            client_secret=self._client.secret,
        )
        answer = self._tokens(body)
        if isinstance(answer, str):
            # a token of another client than the present one comes back as `unauthorized_client`
            name = "invalid_grant" if answer == "unauthorized_client" else answer
            raise _refusal(name, ReconnectNeeded(_ended(tokens, asked)))
        return _stored(answer, asked, tokens)

    def revoke(self, token: str) -> None:
        """End all that this user granted this client (RFC 7009). What has ended already is fine."""
        status, headers, _ = self._post(self._site.revoke, urlencode({"token": token}))
        if status == 400 or 200 <= status < 300:
            return
        raise _trouble(status, headers, self._now())

    def _tokens(self, body: str) -> _Answer | str:
        """What the token endpoint gives, or the name of its refusal (RFC 6749 5.2)."""
        status, headers, content = self._post(self._site.token, body)
        if status in _BUSY or status >= 500:
            raise _trouble(status, headers, self._now())
        try:
            if 200 <= status < 300:
                return msgspec.json.decode(content, type=_Answer)
            return msgspec.json.decode(content, type=_Refusal).error or "unknown"
        except msgspec.MsgspecError as error:
            raise TryLater("Google’s answer could not be understood. Tandem tries again by itself.") from error

    def _post(self, address: str, body: str) -> tuple[int, httpx2.Headers, bytes]:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        try:
            with self._http.stream("POST", address, content=body.encode(), headers=headers) as response:
                return response.status_code, response.headers, read_limited(response)
        except (httpx2.TransportError, httpx2.DecodingError, httpx2.InvalidURL, httpx2.StreamError) as error:
            # a refresh whose answer is lost may simply be asked again: nothing is written by it
            raise transport_error(error, "GET", httpx2.URL(address).host) from error

    def _person(self, answer: _Answer, attempt: Attempt) -> Person:
        """Checked as OpenID Connect Core 3.1.3.7 asks; the signature may be left out, for TLS proves the sender."""
        try:
            token = jws.extract_compact(answer.id_token.encode())
            claims = CodeIDToken(
                msgspec.json.decode(token.payload, type=dict),
                token.headers(),
                {
                    "iss": {"essential": True, "values": list(ISSUERS)},
                    "aud": {"essential": True, "value": self._client.id},
                },
                {"nonce": attempt.nonce, "client_id": self._client.id, "access_token": answer.access_token},
            )
            claims.validate(now=int(self._now().timestamp()), leeway=_LEEWAY)
        except (JoseError, msgspec.MsgspecError) as error:
            raise Refused("Google’s answer does not say for certain whose account this is.") from error
        subject, address = claims.get("sub"), claims.get("email")
        if not (isinstance(subject, str) and isinstance(address, str) and subject and "@" in address):
            raise Refused("Google did not say which address this account has.")
        if claims.get("email_verified") is not True:
            raise Refused(f"Google has not verified {address} yet. Verify it in that Google account first.")
        return Person(subject, address)


def _stored(answer: _Answer, asked: datetime, before: Tokens | None) -> Tokens:
    """Counted from when it was asked for: the answer was on its way for a while."""
    ends = answer.refresh_token_expires_in
    known = before.refresh_ends_at if before and not answer.refresh_token else None
    return Tokens(
        access=answer.access_token,
        refresh=answer.refresh_token or (before.refresh if before else ""),
        expires_at=asked + timedelta(seconds=answer.expires_in),
        scopes=tuple(answer.scope.split()) or (before.scopes if before else ()),
        refresh_ends_at=asked + timedelta(seconds=ends) if ends is not None else known,
    )


def _refusal(name: str, grant: ProviderError) -> ProviderError:
    """What a refusal of the token endpoint means (RFC 6749 5.2); `grant` is what `invalid_grant` means here.

    Where the OAuth client itself is refused, users have nothing to mend: their accounts wait for an administrator.
    """
    if name == "invalid_grant":
        return grant
    if name in _OF_THE_CLIENT:
        return TryLater(f"{_OF_THE_CLIENT[name]} An administrator looks at it in Settings, Company, Google Calendar.")
    if name == "admin_policy_enforced":
        return Refused("Your organisation’s Google administrator does not let Tandem in. Ask them to allow it.")
    return Refused(f"Google refused this and calls it “{name[:60]}”. An administrator finds help in docs/google.md.")


_OF_THE_CLIENT = {
    "invalid_client": "Google does not take this company’s OAuth client: its id or its secret is wrong.",
    "unauthorized_client": "Google does not take this company’s OAuth client: its id or its secret is wrong.",
    "deleted_client": "This company’s OAuth client was deleted at Google.",
    "disabled_client": "This company’s OAuth client is switched off at Google.",
    "redirect_uri_mismatch": "This installation’s redirect address is not registered at Google.",
}


def _ended(tokens: Tokens, now: datetime) -> str:
    if tokens.refresh_ends_at is not None and tokens.refresh_ends_at <= now + timedelta(minutes=5):
        return (
            "Google ended Tandem’s access after its set time: 7 days, while the company’s OAuth client is in Testing. "
            "Reconnect the account; an administrator can publish the client."
        )
    return "Google has ended Tandem’s access to this account: it was taken back, or not used for long. Reconnect it."


def _trouble(status: int, headers: httpx2.Headers, now: datetime) -> TryLater:
    after = retry_after(headers.get("retry-after", ""), now)
    if status in _BUSY:
        return TryLater("Google asks for patience. Tandem tries again by itself.", retry_after=after)
    return TryLater("Google has trouble of its own. Tandem tries again by itself.", retry_after=after)
