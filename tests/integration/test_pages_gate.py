"""The door: who gets in, how often one may try, and what the first run does."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core.handlers.base import BaseHandler
from django.test import Client, RequestFactory
from django.utils import timezone

from tandem.team import links
from tandem.team.models import Company, Role, SignInLink, User

PASSWORD = "tandem-for-two-2026"


@pytest.fixture
def signed_up(alice: User) -> User:
    alice.set_password(PASSWORD)
    alice.save()
    return alice


def sign_in(client: Client, password: str, **extra: str) -> int:
    data = {"email": " Alice@Northwind.example", "password": password, **extra}
    return client.post("/sign-in", data).status_code


@pytest.mark.parametrize(
    "path", ["/", "/people", "/people/new", "/search", "/profile", "/users", "/more", "/accounts", "/calendar"]
)
def test_nothing_is_shown_before_signing_in(client: Client, alice: User, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 302
    assert response["Location"].startswith("/sign-in")


def test_htmx_is_sent_to_the_sign_in_page_as_a_whole(client: Client, alice: User) -> None:
    response = client.get("/people", headers={"HX-Request": "true"})
    assert (response.status_code, response["HX-Redirect"]) == (204, "/sign-in")


def test_the_right_password_leads_where_one_wanted_to_go(client: Client, signed_up: User) -> None:
    response = client.post("/sign-in", {"email": signed_up.email, "password": PASSWORD, "next": "/people?owner=me"})
    assert response["Location"] == "/people?owner=me"


@pytest.mark.parametrize("evil", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "\\\\evil.example"])
def test_signing_in_never_leads_to_another_site(client: Client, signed_up: User, evil: str) -> None:
    response = client.post("/sign-in", {"email": signed_up.email, "password": PASSWORD, "next": evil})
    assert response["Location"] == "/"


def test_a_wrong_password_says_nothing_about_whether_the_address_exists(client: Client, signed_up: User) -> None:
    known = client.post("/sign-in", {"email": signed_up.email, "password": "wrong"})
    unknown = client.post("/sign-in", {"email": "nobody@northwind.example", "password": "wrong"})
    words = re.compile(r'id="sign-in-error".*?</p>', re.S)
    assert known.status_code == unknown.status_code == 422
    assert words.findall(known.text) == words.findall(unknown.text)


def test_after_ten_wrong_tries_even_the_right_password_waits(client: Client, signed_up: User) -> None:
    assert [sign_in(client, "wrong") for _ in range(10)] == [422] * 10
    assert sign_in(client, PASSWORD) == 429
    elsewhere = client.post("/sign-in", {"email": signed_up.email, "password": PASSWORD}, REMOTE_ADDR="192.0.2.7")
    assert elsewhere.status_code == 302


def test_a_right_password_starts_the_count_anew(client: Client, signed_up: User) -> None:
    assert [sign_in(client, "wrong") for _ in range(9)] == [422] * 9
    assert sign_in(client, PASSWORD) == 302
    client.post("/sign-out")
    assert [sign_in(client, "wrong") for _ in range(9)] == [422] * 9


def test_who_left_does_not_get_in(client: Client, signed_up: User) -> None:
    signed_up.is_active = False
    signed_up.save()
    assert sign_in(client, PASSWORD) == 422


def test_a_link_survives_a_preview_and_signs_in_once(client: Client, alice: User) -> None:
    token = links.create(alice, now=timezone.now())
    page = client.get(f"/sign-in/{token}")
    assert "Sign in as Alice" in page.text
    assert client.get(f"/sign-in/{token}").status_code == 200
    assert client.post(f"/sign-in/{token}")["Location"] == "/"
    assert client.get("/people").status_code == 200
    assert Client().post(f"/sign-in/{token}").status_code == 410
    assert Client().get(f"/sign-in/{token}").status_code == 410


def test_a_link_expires_and_its_token_is_stored_nowhere(client: Client, alice: User) -> None:
    token = links.create(alice, now=timezone.now() - timedelta(days=3))
    assert client.post(f"/sign-in/{token}").status_code == 410
    assert not SignInLink.objects.filter(token_hash__contains=token).exists()


def test_signing_out_needs_a_post(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get("/sign-out").status_code == 405
    client.post("/sign-out")
    assert client.get("/people").status_code == 302


FIRST = {
    "name": "Alice Moreau",
    "email": "Alice@Northwind.example",
    "password": PASSWORD,
    "company": "Northwind",
    "time_zone": "Europe/Oslo",
}


@pytest.mark.django_db
def test_the_first_run_makes_the_administrator_and_signs_them_in(client: Client) -> None:
    assert client.get("/people")["Location"] == "/welcome"
    assert client.get("/sign-in")["Location"] == "/welcome"
    assert client.post("/welcome", FIRST)["Location"] == "/welcome"
    user = User.objects.get()
    assert (user.email, user.role, user.time_zone) == ("alice@northwind.example", Role.ADMINISTRATOR, "Europe/Oslo")
    assert Company.current().name == "Northwind"
    assert "Welcome, Alice" in client.get("/welcome").text


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("email", "alice@northwind", "This address has no ending, such as .com."),
        ("password", "short", "at least 10 characters"),
        ("time_zone", "Europe/Nowhere", "This time zone isn’t known."),
        ("name", " ", "This is needed."),
    ],
)
def test_the_first_run_says_beside_the_field_what_is_wrong(client: Client, field: str, value: str, words: str) -> None:
    response = client.post("/welcome", FIRST | {field: value})
    assert response.status_code == 422
    assert words in response.text
    assert f'aria-describedby="id_{field}-error"' in response.text
    assert not User.objects.exists()


def test_the_first_run_page_is_closed_once_there_is_a_user(client: Client, alice: User) -> None:
    assert client.post("/welcome", FIRST | {"email": "eve@evil.example"})["Location"] == "/sign-in"
    assert User.objects.count() == 1


def test_no_page_runs_a_script_or_style_that_is_not_ours(client: Client, alice: User) -> None:
    client.force_login(alice)
    response = client.get("/people")
    policy = response["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script(?![^>]*src=)[^>]*>|<style(?![^>]*nonce)|\sstyle=|\son[a-z]+=", response.text)


def test_presence_is_written_once_a_minute_at_most(client: Client, alice: User) -> None:
    client.force_login(alice)
    client.get("/people")
    alice.refresh_from_db()
    seen = alice.last_seen_at
    client.get("/people")
    alice.refresh_from_db()
    assert seen is not None
    assert alice.last_seen_at == seen


def test_a_page_that_is_missing_says_so_in_words(client: Client, alice: User) -> None:
    client.force_login(alice)
    response = client.get("/nothing-here")
    assert response.status_code == 404
    assert "There is nothing at this address" in response.text


def test_head_is_answered_as_get_is_without_its_body(alice: User) -> None:
    # Django's test client takes the body away itself; a handler gives what the server gets.
    pages = BaseHandler()
    pages.load_middleware()
    got, head = (pages.get_response(ask("/sign-in")) for ask in (RequestFactory().get, RequestFactory().head))
    assert got.content
    assert head.content == b""
    assert (head.status_code, head["Content-Length"]) == (got.status_code, str(len(got.content)))


def test_under_another_host_name_it_says_that_it_has_another_address(client: Client, alice: User) -> None:
    response = client.get("/people", headers={"host": "evil.example"})
    assert response.status_code == 400
    assert "PUBLIC_URL" in response.text
    assert "evil.example" not in response.text
