"""Company users and profiles: administrators keep the first, everybody the second."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from tandem.team.models import Alias, Company, Role, User

PASSWORD = "tandem-for-two-2026"


@pytest.fixture
def as_admin(client: Client, alice: User, company: Company) -> Client:
    alice.role = Role.ADMINISTRATOR
    alice.save()
    client.force_login(alice)
    return client


@pytest.mark.parametrize("path", ["/users", "/users/new", "/users/{id}", "/users/{id}/link"])
def test_only_administrators_keep_users(client: Client, alice: User, bob: User, company: Company, path: str) -> None:
    client.force_login(bob)
    for method in (client.get, client.post):
        response = method(path.format(id=alice.id))
        assert response.status_code == 403
        assert "kept by an administrator" in response.text


def test_a_colleague_is_added_and_comes_in_by_the_link_shown_once(as_admin: Client) -> None:
    page = as_admin.post("/users/new", {"name": "Ines Duarte", "email": "Ines@Northwind.example", "role": "member"})
    ines = User.objects.get(email="ines@northwind.example")
    found = re.search(r"/sign-in/[\w-]+", page.text)
    assert found
    assert (ines.role, ines.time_zone, ines.has_usable_password()) == (Role.MEMBER, "Europe/Berlin", False)
    hers = Client()
    assert hers.post(found.group()).status_code == 302
    assert hers.post("/profile/password", {"password": PASSWORD}).status_code == 302
    assert Client().post("/sign-in", {"email": ines.email, "password": PASSWORD})["Location"] == "/"


def test_an_address_belongs_to_one_user(as_admin: Client, alice: User, bob: User) -> None:
    Alias.objects.create(user=bob, address="bob@home.example")
    for address in (bob.email, "bob@home.example"):
        response = as_admin.post("/users/new", {"name": "Eve", "email": address, "role": "member"})
        assert response.status_code == 422
        assert "belongs to Bob Lindqvist already" in response.text


def test_the_last_administrator_stays_one(as_admin: Client, alice: User) -> None:
    response = as_admin.post(f"/users/{alice.id}", {"name": "Alice", "role": "member", "is_active": "on"})
    assert response.status_code == 422
    assert "only administrator" in response.text
    alice.refresh_from_db()
    assert alice.role == Role.ADMINISTRATOR


def test_who_may_not_sign_in_any_more_is_out_at_once(as_admin: Client, bob: User) -> None:
    his = Client()
    his.force_login(bob)
    as_admin.post(f"/users/{bob.id}", {"name": bob.name, "role": "member"})
    assert his.get("/people").status_code == 302


def test_users_keep_their_name_zone_and_aliases(client: Client, alice: User, bob: User, company: Company) -> None:
    client.force_login(alice)
    typed = {"name": "Alice M.", "time_zone": "Asia/Tokyo", "aliases": "Alice@Home.example\n\nalice@northwind.example"}
    assert client.post("/profile", typed).status_code == 302
    alice.refresh_from_db()
    assert (alice.name, alice.time_zone) == ("Alice M.", "Asia/Tokyo")
    assert alice.addresses() == {"alice@northwind.example", "alice@home.example"}
    refused = client.post("/profile", typed | {"aliases": bob.email})
    assert refused.status_code == 422
    assert "belongs to Bob Lindqvist already" in refused.text
    assert client.post("/profile", typed | {"aliases": "alice@home"}).status_code == 422


def test_a_new_password_needs_the_old_one_and_keeps_this_session(client: Client, alice: User, company: Company) -> None:
    alice.set_password(PASSWORD)
    alice.save()
    client.force_login(alice)
    assert client.post("/profile/password", {"current": "wrong", "password": "another-tandem-9"}).status_code == 422
    assert client.post("/profile/password", {"current": PASSWORD, "password": "short"}).status_code == 422
    assert client.post("/profile/password", {"current": PASSWORD, "password": "another-tandem-9"}).status_code == 302
    assert client.get("/profile").status_code == 200
