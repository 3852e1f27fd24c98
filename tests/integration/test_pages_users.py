"""Company users and profiles: administrators keep the first, everybody the second."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from tandem.meetings.models import Copy
from tandem.team.models import Alias, Company, Role, User
from tests.mailbox import arrives, calendar_of, meeting

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


def test_users_keep_their_name_and_zone_but_claim_no_addresses(client: Client, alice: User, company: Company) -> None:
    client.force_login(alice)
    typed = {"name": "Alice M.", "time_zone": "Asia/Tokyo", "aliases": "charlie@outside.example"}
    assert client.post("/profile", typed).status_code == 302
    alice.refresh_from_db()
    assert (alice.name, alice.time_zone) == ("Alice M.", "Asia/Tokyo")
    assert alice.addresses() == {"alice@northwind.example"}


def test_an_administrator_gives_further_addresses_and_meetings_count_at_once(as_admin: Client, bob: User) -> None:
    calendar = calendar_of(bob)
    arrives(calendar, meeting(organizer="charlie@outside.example", guests=("bob@home.example",)))
    assert Copy.objects.get().skip
    typed = {"name": bob.name, "role": "member", "is_active": "on", "aliases": "Bob@Home.example\n\n" + bob.email}
    assert as_admin.post(f"/users/{bob.id}", typed).status_code == 302
    assert bob.addresses() == {"bob@northwind.example", "bob@home.example"}
    assert not Copy.objects.get().skip
    taken = as_admin.post(f"/users/{bob.id}", typed | {"aliases": "alice@northwind.example"})
    assert taken.status_code == 422
    assert "belongs to Alice Moreau already" in taken.text
    assert as_admin.post(f"/users/{bob.id}", typed | {"aliases": "bob@home"}).status_code == 422


def test_the_company_page_is_for_administrators(as_admin: Client, bob: User) -> None:
    bobs = Client()
    bobs.force_login(bob)
    assert bobs.get("/company").status_code == 403
    assert as_admin.get("/company").status_code == 200
    saved = as_admin.post("/company", {"name": "Northwind", "time_zone": "Europe/Paris", "horizon_days": "14"})
    assert saved.status_code == 302
    assert Company.current().horizon_hours == 14 * 24
    assert as_admin.post("/company", {"name": "", "time_zone": "Mars", "horizon_days": "0"}).status_code == 422
    as_admin.post("/company/pause")
    assert Company.current().writing_held
    as_admin.post("/accounts/write-again")
    assert not Company.current().writing_held


def test_what_does_not_count_is_listed_with_its_reason_for_its_owner_only(
    client: Client, alice: User, bob: User, company: Company
) -> None:
    arrives(calendar_of(alice), meeting(organizer="charlie@outside.example", guests=("d@x.example",), title="Theirs"))
    client.force_login(alice)
    page = client.get("/accounts/skipped").text
    assert "Theirs" in page
    assert "neither its organizer nor a guest" in page
    client.force_login(bob)
    assert "Theirs" not in client.get("/accounts/skipped").text


def test_a_new_password_needs_the_old_one_and_keeps_this_session(client: Client, alice: User, company: Company) -> None:
    alice.set_password(PASSWORD)
    alice.save()
    client.force_login(alice)
    assert client.post("/profile/password", {"current": "wrong", "password": "another-tandem-9"}).status_code == 422
    assert client.post("/profile/password", {"current": PASSWORD, "password": "short"}).status_code == 422
    assert client.post("/profile/password", {"current": PASSWORD, "password": "another-tandem-9"}).status_code == 302
    assert client.get("/profile").status_code == 200
