"""Google's token endpoint: what is asked, what its answers and refusals mean, and whose account an ID token names."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import msgspec
import pytest

from tandem.calendaring.provider import ProviderError, ReconnectNeeded, Refused, TryLater
from tandem.providers.google.oauth import GOOGLE, SCOPES, Attempt, OAuth, OAuthClient, Tokens, site_of

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
CLIENT = OAuthClient("1-a.apps.googleusercontent.com", "GOCSPX-secret", "https://crm.example/accounts/google/callback")
ATTEMPT = Attempt("state-1", "v" * 60, "nonce-1")
OLD = Tokens("old-access", "old-refresh", NOW, ("openid",))


def coded(claims: dict[str, Any]) -> str:
    parts = ({"alg": "RS256", "typ": "JWT"}, claims)
    texts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*texts, "c2ln"])


def claims(**changed: Any) -> dict[str, Any]:
    at = int(NOW.timestamp())
    whole = {"iss": "https://accounts.google.com", "aud": CLIENT.id, "azp": CLIENT.id, "sub": "117", "iat": at}
    whole |= {"exp": at + 3600, "nonce": "nonce-1", "email": "alice@northwind.example", "email_verified": True}
    return {name: value for name, value in (whole | changed).items() if value is not None}


def granted(**changed: Any) -> dict[str, Any]:
    whole: dict[str, Any] = {"access_token": "access", "expires_in": 3599, "token_type": "Bearer"}
    whole |= {"refresh_token": "refresh", "scope": " ".join(SCOPES), "id_token": coded(claims())}
    return {name: value for name, value in (whole | changed).items() if value is not None}


def google(
    answer: dict[str, Any] | str, status: int = 200, *, seen: list[httpx2.Request] | None = None, **headers: str
) -> OAuth:
    def handle(request: httpx2.Request) -> httpx2.Response:
        if seen is not None:
            seen.append(request)
        text = answer if isinstance(answer, str) else json.dumps(answer)
        return httpx2.Response(status, text=text, headers={name.replace("_", "-"): v for name, v in headers.items()})

    return OAuth(CLIENT, now=lambda: NOW, transport=httpx2.MockTransport(handle))


def sent(request: httpx2.Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(request.content.decode()).items()}


def test_the_consent_page_is_asked_for_offline_access_with_state_nonce_and_s256() -> None:
    address = urlsplit(google({}).consent_address(ATTEMPT))
    asked = {name: values[0] for name, values in parse_qs(address.query).items()}
    assert f"{address.scheme}://{address.netloc}{address.path}" == GOOGLE.authorize
    assert asked["scope"].split() == list(SCOPES)
    # RFC 7636 4.2: BASE64URL(SHA256(verifier)), without padding
    assert (asked["code_challenge_method"], len(asked["code_challenge"])) == ("S256", 43)
    assert ATTEMPT.verifier not in address.query
    expected = {"state": "state-1", "nonce": "nonce-1", "access_type": "offline", "prompt": "select_account consent"}
    assert {name: asked[name] for name in expected} == expected
    assert "include_granted_scopes" not in asked
    assert "login_hint" not in asked


def test_an_account_to_be_reconnected_is_hinted_at_and_not_asked_for() -> None:
    asked = parse_qs(urlsplit(google({}).consent_address(ATTEMPT, hint="alice@northwind.example")).query)
    assert (asked["login_hint"], asked["prompt"]) == (["alice@northwind.example"], ["consent"])


def test_the_code_is_exchanged_with_the_verifier_and_what_comes_is_counted_from_the_question() -> None:
    seen: list[httpx2.Request] = []
    tokens, person = google(granted(refresh_token_expires_in=604800), seen=seen).exchange("4/0A", ATTEMPT)
    assert str(seen[0].url) == GOOGLE.token
    assert sent(seen[0]) == {
        "grant_type": "authorization_code",
        "code": "4/0A",
        "code_verifier": ATTEMPT.verifier,
        "redirect_uri": CLIENT.redirect,
        "client_id": CLIENT.id,
        "client_secret": CLIENT.secret,
    }
    assert tokens.expires_at == NOW + timedelta(seconds=3599)
    assert tokens.refresh_ends_at == NOW + timedelta(days=7)
    assert (person.subject, person.address) == ("117", "alice@northwind.example")


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "https://evil.example"},
        {"aud": "2-b.apps.googleusercontent.com"},
        {"azp": "2-b.apps.googleusercontent.com"},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": int(NOW.timestamp()) - 3600},
        {"iat": int(NOW.timestamp()) + 3600},
        {"sub": None},
        {"sub": 7},
        {"email": None},
        {"email": "no address"},
        {"email_verified": False},
        {"email_verified": None},
    ],
)
def test_an_id_token_that_is_not_for_us_connects_nobody(wrong: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        google(granted(id_token=coded(claims(**wrong)))).exchange("4/0A", ATTEMPT)


@pytest.mark.parametrize("token", ["", "a.b", "a.b.c", "é.é.é", coded({})[:-5], f"{coded({})}.x"])
def test_an_id_token_that_is_none_connects_nobody(token: str) -> None:
    with pytest.raises(Refused):
        google(granted(id_token=token)).exchange("4/0A", ATTEMPT)


def test_an_hour_of_access_is_not_enough() -> None:
    with pytest.raises(Refused, match="for an hour only"):
        google(granted(refresh_token=None)).exchange("4/0A", ATTEMPT)


def test_the_refresh_token_stays_where_google_sends_none() -> None:
    fresh = google({"access_token": "new", "expires_in": 3599}).refresh(OLD)
    assert (fresh.access, fresh.refresh, fresh.scopes) == ("new", "old-refresh", ("openid",))


def test_a_refresh_token_that_google_changes_is_taken_with_its_own_end() -> None:
    old = msgspec.structs.replace(OLD, refresh_ends_at=NOW)
    assert google({"access_token": "new", "expires_in": 1}).refresh(old).refresh_ends_at == NOW
    changed = google({"access_token": "new", "expires_in": 1, "refresh_token": "newer"}).refresh(old)
    assert (changed.refresh, changed.refresh_ends_at) == ("newer", None)


@pytest.mark.parametrize(
    ("status", "answer", "error", "words"),
    [
        (400, {"error": "invalid_grant"}, ReconnectNeeded, "Reconnect it"),
        (401, {"error": "unauthorized_client"}, ReconnectNeeded, "Reconnect it"),
        (401, {"error": "invalid_client"}, TryLater, "its id or its secret is wrong"),
        (401, {"error": "deleted_client"}, TryLater, "was deleted at Google"),
        (403, {"error": "admin_policy_enforced"}, Refused, "Google administrator"),
        (400, {"error": "something_new"}, Refused, "something_new"),
        (404, {}, Refused, "unknown"),
        (429, {}, TryLater, "asks for patience"),
        (500, {}, TryLater, "trouble of its own"),
        (503, "<html>", TryLater, "trouble of its own"),
        (200, "<html>", TryLater, "could not be understood"),
        (200, {"access_token": 7}, TryLater, "could not be understood"),
        (400, {"error": {"code": 400}}, TryLater, "could not be understood"),
    ],
)
def test_what_a_refusal_means(status: int, answer: Any, error: type[ProviderError], words: str) -> None:
    with pytest.raises(error) as found:
        google(answer, status).refresh(OLD)
    assert words in found.value.words


def test_googles_patience_is_a_minimum() -> None:
    with pytest.raises(TryLater) as found:
        google({}, 503, retry_after="120").refresh(OLD)
    assert found.value.retry_after == 120


def test_the_end_of_a_client_in_testing_is_said() -> None:
    with pytest.raises(ReconnectNeeded, match="7 days"):
        google({"error": "invalid_grant"}, 400).refresh(msgspec.structs.replace(OLD, refresh_ends_at=NOW))


def fails(error: Callable[[httpx2.Request], Exception]) -> OAuth:
    def handle(request: httpx2.Request) -> httpx2.Response:
        raise error(request)

    return OAuth(CLIENT, now=lambda: NOW, transport=httpx2.MockTransport(handle))


@pytest.mark.parametrize("kind", [httpx2.ConnectError, httpx2.ReadTimeout, httpx2.RemoteProtocolError])
def test_no_answer_means_later_whether_or_not_it_was_carried_out(kind: type[httpx2.RequestError]) -> None:
    with pytest.raises(TryLater):
        fails(lambda request: kind("away", request=request)).refresh(OLD)


def test_revoking_what_has_ended_already_is_fine() -> None:
    seen: list[httpx2.Request] = []
    google({"error": "invalid_token"}, 400, seen=seen).revoke("old-refresh")
    assert (str(seen[0].url), sent(seen[0])) == (GOOGLE.revoke, {"token": "old-refresh"})
    with pytest.raises(TryLater):
        google({}, 500).revoke("old-refresh")


def test_a_token_near_its_end_is_not_used_any_more() -> None:
    tokens = msgspec.structs.replace(OLD, expires_at=NOW + timedelta(seconds=61))
    assert tokens.works_at(NOW)
    assert not tokens.works_at(NOW + timedelta(seconds=1))


def test_nothing_secret_is_in_a_repr() -> None:
    shown = repr([OLD, CLIENT, ATTEMPT])
    assert not [secret for secret in ("old-access", "old-refresh", CLIENT.secret, ATTEMPT.verifier) if secret in shown]


def test_a_stand_in_has_all_its_addresses_under_its_base() -> None:
    assert site_of("") is site_of(GOOGLE.base) is GOOGLE
    site = site_of("http://127.0.0.1:8900")
    assert {address.split("8900")[0] for address in (site.api, site.authorize, site.token, site.revoke)} == {
        "http://127.0.0.1:"
    }
