"""OAuth in a browser and at the token endpoint."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from sandbox.google import GoogleSandbox
from sandbox.google.http import Request, Response
from sandbox.google.oauth import PREFIX, Client
from sandbox.google.sample import ALICE, BOB

Json = dict[str, Any]
EVENTS, LISTS = PREFIX + "calendar.events", PREFIX + "calendar.calendarlist.readonly"
BACK = "https://crm.northwind.example/google/callback"
VERIFIER = "v" * 50
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")


@pytest.fixture
def client(google: GoogleSandbox) -> Client:
    return google.oauth.add_client("Tandem", BACK)


def wish(client: Client, **more: str) -> dict[str, str]:
    asked = {"client_id": client.id, "redirect_uri": BACK, "response_type": "code", "state": "s-1"}
    asked |= {"scope": f"openid email {EVENTS} {LISTS}", "access_type": "offline"}
    asked |= {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
    return {name: value for name, value in (asked | more).items() if value}


def get(google: GoogleSandbox, asked: dict[str, str]) -> Response:
    return google.handle(Request("GET", "/o/oauth2/v2/auth", urlencode(asked), {}, b""))


def consent(
    google: GoogleSandbox, asked: dict[str, str], *, ticks: tuple[str, ...] = (EVENTS, LISTS), decision: str = "allow"
) -> dict[str, str]:
    """Continue (or cancel) on the consent page; what the browser brings back to the application."""
    page = get(google, asked | {"authuser": asked.get("authuser", ALICE)}).body.decode()
    found = re.search(r'action="([^"]+)"', page)
    assert found
    sent = urlencode([*(("granted", scope) for scope in ticks), ("decision", decision)]).encode()
    answer = google.handle(Request("POST", "/o/oauth2/v2/auth", urlsplit(unescape(found[1])).query, {}, sent))
    assert answer.status == 302
    address = dict(answer.headers)["Location"]
    assert address.startswith(BACK)
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def post(google: GoogleSandbox, path: str, **sent: str) -> tuple[int, Json]:
    answer = google.handle(Request("POST", path, "", {}, urlencode(sent).encode()))
    return answer.status, json.loads(answer.body)


def exchange(google: GoogleSandbox, client: Client, code: str, **more: str) -> tuple[int, Json]:
    sent = {"client_id": client.id, "client_secret": client.secret, "grant_type": "authorization_code", "code": code}
    return post(google, "/token", **(sent | {"redirect_uri": BACK, "code_verifier": VERIFIER} | more))


def refresh(google: GoogleSandbox, client: Client, token: str) -> tuple[int, Json]:
    sent = {"client_id": client.id, "client_secret": client.secret, "grant_type": "refresh_token"}
    return post(google, "/token", **sent, refresh_token=token)


def connected(google: GoogleSandbox, client: Client, **more: str) -> Json:
    status, tokens = exchange(google, client, consent(google, wish(client, **more))["code"])
    assert status == 200
    return tokens


def lists(google: GoogleSandbox, token: str, path: str = "users/me/calendarList") -> int:
    return google.handle(Request("GET", f"/calendar/v3/{path}", "", {"authorization": f"Bearer {token}"}, b"")).status


def test_the_whole_way_with_chooser_and_consent(google: GoogleSandbox, client: Client) -> None:
    chooser = get(google, wish(client)).body.decode()
    assert ALICE in chooser
    assert BOB in chooser
    back = consent(google, wish(client))
    assert back["state"] == "s-1"
    _, tokens = exchange(google, client, back["code"])
    assert lists(google, tokens["access_token"]) == 200
    claims = json.loads(base64.urlsafe_b64decode(tokens["id_token"].split(".")[1] + "=="))
    assert (claims["email"], claims["aud"]) == (ALICE, client.id)
    assert claims["sub"] == google.store.users[ALICE].subject


def test_a_hint_passes_over_the_chooser_unless_it_is_asked_for(google: GoogleSandbox, client: Client) -> None:
    assert "Continue" in get(google, wish(client, login_hint=BOB)).body.decode()
    assert "Choose" in get(google, wish(client, login_hint=BOB, prompt="select_account consent")).body.decode()


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": "nobody"},
        {"redirect_uri": BACK + "/"},
        {"scope": "everything"},
        {"state": ""},
        {"code_challenge": ""},
        {"code_challenge_method": "plain"},
    ],
)
def test_a_wrong_request_never_goes_back_to_the_application(
    google: GoogleSandbox, client: Client, wrong: dict[str, str]
) -> None:
    assert get(google, wish(client, **wrong)).status == 400


def test_an_unticked_scope_is_not_granted(google: GoogleSandbox, client: Client) -> None:
    back = consent(google, wish(client), ticks=(LISTS,))
    assert EVENTS not in back["scope"].split()
    _, tokens = exchange(google, client, back["code"])
    assert tokens["scope"].split() == ["openid", "email", LISTS]
    assert lists(google, tokens["access_token"]) == 200
    assert lists(google, tokens["access_token"], "calendars/primary/events") == 403
    assert google.log.rows[-1].reason == "insufficientPermissions"


def test_cancel_goes_back_with_access_denied(google: GoogleSandbox, client: Client) -> None:
    assert consent(google, wish(client), decision="deny") == {"error": "access_denied", "state": "s-1"}


def test_a_code_works_once_with_its_verifier_and_address_for_ten_minutes(google: GoogleSandbox, client: Client) -> None:
    code = consent(google, wish(client))["code"]
    assert exchange(google, client, code, code_verifier="w" * 50)[1]["error"] == "invalid_grant"
    assert exchange(google, client, code, redirect_uri="https://other.example")[0] == 400
    assert exchange(google, client, code, client_secret="x")[1]["error"] == "invalid_client"
    status, tokens = exchange(google, client, code)
    assert status == 200
    assert exchange(google, client, code)[1]["error"] == "invalid_grant"
    assert lists(google, tokens["access_token"]) == 401
    late = consent(google, wish(client))["code"]
    google.clock.advance(minutes=10)
    assert exchange(google, client, late)[1]["error"] == "invalid_grant"


def test_a_refresh_token_comes_offline_and_only_the_first_time_unless_asked(
    google: GoogleSandbox, client: Client
) -> None:
    assert "refresh_token" not in connected(google, client, access_type="online")
    assert "refresh_token" in connected(google, client)
    assert "refresh_token" not in connected(google, client)
    assert "refresh_token" in connected(google, client, prompt="consent")


def test_access_ends_after_an_hour_and_is_refreshed(google: GoogleSandbox, client: Client) -> None:
    tokens = connected(google, client)
    google.clock.advance(hours=1)
    assert lists(google, tokens["access_token"]) == 401
    status, fresh = refresh(google, client, tokens["refresh_token"])
    assert (status, lists(google, fresh["access_token"])) == (200, 200)
    assert "refresh_token" not in fresh


def test_a_revoked_grant_ends_both_tokens_at_once(google: GoogleSandbox, client: Client) -> None:
    tokens = connected(google, client)
    assert post(google, "/revoke", token=tokens["access_token"])[0] == 200
    assert lists(google, tokens["access_token"]) == 401
    assert refresh(google, client, tokens["refresh_token"])[1]["error"] == "invalid_grant"
    assert post(google, "/revoke", token=tokens["refresh_token"]) == (
        400,
        {"error": "invalid_token", "error_description": "Token expired or revoked"},
    )


def test_a_user_takes_it_back_at_google(google: GoogleSandbox, client: Client) -> None:
    tokens = connected(google, client)
    google.oauth.withdraw(ALICE)
    assert lists(google, tokens["access_token"]) == 401
    assert refresh(google, client, tokens["refresh_token"])[0] == 400


def test_a_client_in_testing_lives_seven_days_and_knows_its_testers(google: GoogleSandbox, client: Client) -> None:
    google.behaviour.testing_client = True
    client.testers = {ALICE}
    assert get(google, wish(client, authuser=BOB)).status == 403
    tokens = connected(google, client)
    assert tokens["refresh_token_expires_in"] == 7 * 24 * 3600
    google.clock.advance(days=6, hours=23)
    assert refresh(google, client, tokens["refresh_token"])[0] == 200
    google.clock.advance(hours=1)
    assert refresh(google, client, tokens["refresh_token"])[1]["error"] == "invalid_grant"


def test_an_id_token_is_signed_with_the_published_key(google: GoogleSandbox, client: Client) -> None:
    text, _, signature = connected(google, client)["id_token"].rpartition(".")
    assert json.loads(decoded(text.split(".")[0]))["alg"] == "RS256"
    (key,) = json.loads(google.handle(Request("GET", "/oauth2/v3/certs", "", {}, b"")).body)["keys"]
    exponent, modulus = (int.from_bytes(decoded(key[name]), "big") for name in ("e", "n"))
    public = rsa.RSAPublicNumbers(exponent, modulus).public_key()
    public.verify(decoded(signature), text.encode(), padding.PKCS1v15(), hashes.SHA256())


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_userinfo_names_the_account(google: GoogleSandbox, client: Client) -> None:
    token = connected(google, client)["access_token"]
    asked = Request("GET", "/v1/userinfo", "", {"authorization": f"Bearer {token}"}, b"")
    found = json.loads(google.handle(asked).body)
    assert found == {"sub": google.store.users[ALICE].subject, "email": ALICE, "email_verified": True}
