"""OAuth 2 as Google does it: clients, codes, tokens, and how each of them ends.

Sources: "Using OAuth 2.0 for Web Server Applications", "OpenID Connect", "OAuth 2.0: Refresh token expiration".
A refresh token comes only with `access_type=offline`, and only on a user's first consent or `prompt=consent`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sandbox.google import id_token
from sandbox.google.behaviour import Behaviour
from sandbox.google.problems import Json, unauthenticated
from sandbox.google.store import Store, User

ACCESS_LIFE = timedelta(seconds=3599)
CODE_LIFE = timedelta(minutes=10)
TESTING_LIFE = timedelta(days=7)
MOST_REFRESH_TOKENS = 100
PREFIX = "https://www.googleapis.com/auth/"
IDENTITY = {"openid", "email", "profile", PREFIX + "userinfo.email", PREFIX + "userinfo.profile"}


class OAuthProblem(Exception):
    """A refusal of the token endpoint: `error`, its description, and the HTTP status."""

    def __init__(self, error: str, description: str, code: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.code = code


@dataclass(slots=True)
class Client:
    """What the console keeps of an application."""

    id: str
    secret: str
    name: str
    redirects: set[str] = field(default_factory=set)
    testers: set[str] | None = None
    """With `Behaviour.testing_client`: who may sign in at all (None: everyone)."""


@dataclass(frozen=True, slots=True)
class Request:
    """An authorization request that passed its checks."""

    client: str
    redirect: str
    scopes: tuple[str, ...]
    state: str
    challenge: str
    method: str
    offline: bool
    consent: bool
    nonce: str = ""
    hint: str = ""


@dataclass(slots=True)
class Code:
    request: Request
    user: str
    scopes: tuple[str, ...]
    given: datetime
    used: bool = False


@dataclass(slots=True)
class Grant:
    """A refresh token, and what hangs on it. `ended` says why it is worth nothing any more."""

    token: str
    client: str
    user: str
    scopes: tuple[str, ...]
    given: datetime
    ended: str = ""


@dataclass(slots=True)
class Access:
    user: str
    scopes: tuple[str, ...]
    ends: datetime
    client: str
    grant: Grant | None
    revoked: bool = False


class OAuth:
    def __init__(self, store: Store, behaviour: Behaviour, seed: int) -> None:
        self._store = store
        self._behaviour = behaviour
        self._random = random.Random(seed)
        self.clients: dict[str, Client] = {}
        self.grants: dict[str, Grant] = {}
        self.codes: dict[str, Code] = {}
        self.access: dict[str, Access] = {}
        self.issuer = "https://accounts.google.com"

    def add_client(self, name: str, *redirects: str) -> Client:
        number = self._random.randint(10**11, 10**12 - 1)
        made = Client(f"{number}-{self._letters(32)}.apps.googleusercontent.com", f"GOCSPX-{self._letters(28)}", name)
        made.redirects.update(redirects)
        self.clients[made.id] = made
        return made

    def user_of(self, token: str) -> tuple[User, frozenset[str]]:
        """Whose access token that is, and its scopes. Raises `Problem` 401."""
        found = self.access.get(token)
        if found is None or found.revoked or found.ends <= self._store.clock.now():
            raise unauthenticated()
        if found.grant is not None and found.grant.ended:
            raise unauthenticated()
        return self._store.users[found.user], frozenset(found.scopes)

    def personal_token(self, user: User, *scopes: str, life: timedelta = timedelta(days=365)) -> str:
        """An access token without the dance, for tests and for whoever points a client here."""
        wanted = scopes or (PREFIX + "calendar", "openid", "email", "profile")
        return self._issue(user.address, wanted, "", None, life)

    def lasting_token(self, user: User) -> str:
        """A personal token with a month left or more: a known one, else a new one."""
        least = self._store.clock.now() + timedelta(days=30)
        known = (
            token
            for token, each in self.access.items()
            if each.user == user.address and not each.client and not each.revoked and each.ends > least
        )
        return next(known, "") or self.personal_token(user)

    def allowed(self, request: Request, user: User) -> bool:
        """A client in Testing lets in its testers alone."""
        testers = self.clients[request.client].testers
        return not self._behaviour.testing_client or testers is None or user.address in testers

    def code(self, request: Request, user: User, scopes: tuple[str, ...]) -> str:
        """The user consented to these scopes."""
        code = f"4/0A{self._letters(60)}"
        self.codes[code] = Code(request, user.address, scopes, self._store.clock.now())
        return code

    def token(self, form: Mapping[str, str]) -> Json:
        """The token endpoint. Raises `OAuthProblem`."""
        client = self.clients.get(form.get("client_id", ""))
        if client is None:
            raise OAuthProblem("invalid_client", "The OAuth client was not found.", 401)
        if not hmac.compare_digest(form.get("client_secret", ""), client.secret):
            raise OAuthProblem("invalid_client", "Unauthorized", 401)
        if form.get("grant_type") == "authorization_code":
            return self._exchange(client, form)
        if form.get("grant_type") == "refresh_token":
            return self._refresh(client, form)
        raise OAuthProblem("unsupported_grant_type", f"Invalid grant_type: {form.get('grant_type', '')}")

    def revoke(self, token: str) -> None:
        """Either kind of token; with it goes all that the user granted this client. Raises `OAuthProblem`."""
        access = self.access.get(token)
        grant = self.grants.get(token) or (access.grant if access else None)
        if (grant is None and access is None) or (grant is not None and grant.ended) or (access and access.revoked):
            raise OAuthProblem("invalid_token", "Token expired or revoked")
        if access is not None:
            access.revoked = True
        if grant is not None:
            self.withdraw(grant.user, grant.client)

    def withdraw(self, user: str, client: str = "") -> None:
        """The user takes back their consent, at their Google account's page."""
        for grant in self.grants.values():
            if grant.user == user and client in {"", grant.client}:
                grant.ended = grant.ended or "revoked"

    def expire_access(self, user: str = "") -> None:
        """Access tokens end now; refresh tokens stay."""
        for access in self.access.values():
            if user in {"", access.user}:
                access.ends = self._store.clock.now()

    def userinfo(self, token: str) -> Json:
        """The OpenID Connect claims that the scopes allow. Raises `Problem` 401."""
        user, scopes = self.user_of(token)
        if not scopes & IDENTITY:
            raise unauthenticated()
        return {"sub": user.subject, **_claims(user, scopes)}

    def tokeninfo(self, token: str) -> Json:
        """Raises `OAuthProblem` for a token that is none."""
        found = self.access.get(token)
        left = int((found.ends - self._store.clock.now()).total_seconds()) if found else 0
        if found is None or found.revoked or left <= 0 or (found.grant is not None and found.grant.ended):
            raise OAuthProblem("invalid_token", "Invalid Value")
        user = self._store.users[found.user]
        body = {"aud": found.client, "azp": found.client, "scope": " ".join(found.scopes), "expires_in": str(left)}
        return body | {"exp": str(int(found.ends.timestamp())), "access_type": "offline", "sub": user.subject}

    def _exchange(self, client: Client, form: Mapping[str, str]) -> Json:
        found = self.codes.get(form.get("code", ""))
        now = self._store.clock.now()
        if found is None or found.request.client != client.id or found.given + CODE_LIFE <= now:
            raise OAuthProblem("invalid_grant", "Malformed auth code.")
        if found.used:
            # RFC 6749 4.1.2: a code that comes twice may be a stolen one.
            self.withdraw(found.user, client.id)
            raise OAuthProblem("invalid_grant", "Bad Request")
        if form.get("redirect_uri") != found.request.redirect:
            raise OAuthProblem("redirect_uri_mismatch", "Bad Request")
        if found.request.challenge and not _proves(form.get("code_verifier", ""), found.request):
            raise OAuthProblem("invalid_grant", "Invalid code verifier.")
        found.used = True
        known = any(
            grant.user == found.user and grant.client == client.id and not grant.ended for grant in self.grants.values()
        )
        grant = None
        if found.request.offline and (found.request.consent or not known):
            grant = self._grant(client, found.user, found.scopes, now)
        return self._answer(found.user, found.scopes, client, grant, new=grant is not None, nonce=found.request.nonce)

    def _refresh(self, client: Client, form: Mapping[str, str]) -> Json:
        grant = self.grants.get(form.get("refresh_token", ""))
        if grant is None or grant.client != client.id:
            raise OAuthProblem("invalid_grant", "Bad Request")
        if grant.ended or self._too_old(grant):
            raise OAuthProblem("invalid_grant", "Token has been expired or revoked.")
        return self._answer(grant.user, grant.scopes, client, grant, new=False)

    def _grant(self, client: Client, user: str, scopes: tuple[str, ...], now: datetime) -> Grant:
        made = Grant(f"1//0{self._letters(80)}", client.id, user, scopes, now)
        self.grants[made.token] = made
        live = [each for each in self.grants.values() if (each.user, each.client, each.ended) == (user, client.id, "")]
        for oldest in live[:-MOST_REFRESH_TOKENS]:
            oldest.ended = "too many"
        return made

    def _too_old(self, grant: Grant) -> bool:
        """A client in Testing: 7 days, unless it asked for nothing but who the user is."""
        now = self._store.clock.now()
        more = set(grant.scopes) - IDENTITY
        return bool(self._behaviour.testing_client and more and grant.given + TESTING_LIFE <= now)

    def _answer(
        self, user: str, scopes: tuple[str, ...], client: Client, grant: Grant | None, *, new: bool, nonce: str = ""
    ) -> Json:
        token = self._issue(user, scopes, client.id, grant, ACCESS_LIFE)
        seconds = int(ACCESS_LIFE.total_seconds())
        body: Json = {"access_token": token, "expires_in": seconds, "scope": " ".join(scopes), "token_type": "Bearer"}
        if new and grant is not None:
            body["refresh_token"] = grant.token
        if grant is not None and self._behaviour.testing_client and set(scopes) - IDENTITY:
            left = grant.given + TESTING_LIFE - self._store.clock.now()
            body["refresh_token_expires_in"] = int(left.total_seconds())
        if "openid" in scopes:
            person = self._store.users[user]
            now = self._store.clock.now()
            claims: Json = {"iss": self.issuer, "aud": client.id, "azp": client.id, "sub": person.subject}
            claims |= {
                "iat": int(now.timestamp()),
                "exp": int(now.timestamp()) + seconds,
                **_claims(person, set(scopes)),
            }
            body["id_token"] = id_token.signed(claims | ({"nonce": nonce} if nonce else {}))
        return body

    def _issue(self, user: str, scopes: tuple[str, ...], client: str, grant: Grant | None, life: timedelta) -> str:
        token = f"ya29.a0{self._letters(64)}"
        self.access[token] = Access(user, scopes, self._store.clock.now() + life, client, grant)
        return token

    def _letters(self, count: int) -> str:
        alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
        return "".join(self._random.choice(alphabet) for _ in range(count))


def _claims(user: User, scopes: set[str] | frozenset[str]) -> Json:
    claims: Json = {}
    if scopes & {"email", PREFIX + "userinfo.email"}:
        claims |= {"email": user.address, "email_verified": True}
    if scopes & {"profile", PREFIX + "userinfo.profile"}:
        claims |= {"name": user.name}
    return claims


def _proves(verifier: str, request: Request) -> bool:
    if request.method == "S256":
        digest = hashlib.sha256(verifier.encode()).digest()
        verifier = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    return hmac.compare_digest(verifier, request.challenge)
