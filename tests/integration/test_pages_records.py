"""The pages of records: what they show, take in and refuse, and to whom."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tandem.crm import verbs
from tandem.crm.models import Identity, Kind, Note, Record
from tandem.crm.verbs import RecordData
from tandem.team.models import Company, Role, User

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
PLURALS = ("leads", "people", "companies", "opportunities")


@pytest.fixture
def as_alice(client: Client, alice: User, company: Company) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def as_reader(bob: User, company: Company) -> Client:
    bob.role = Role.READ_ONLY
    bob.save()
    client = Client()
    client.force_login(bob)
    return client


@pytest.fixture
def priya(alice: User) -> Record:
    data = RecordData(name="Priya Raman", job_title="VP Operations", emails=(("priya@halden.example", "work"),))
    return verbs.save(alice, None, Kind.PERSON, data, now=NOW).record


def made(alice: User, kind: Kind, name: str, **values: Any) -> Record:
    return verbs.save(alice, None, kind, RecordData(name=name, **values), now=NOW).record


@pytest.mark.parametrize("plural", PLURALS)
def test_an_empty_list_says_what_will_be_here(as_alice: Client, plural: str) -> None:
    assert f"No {plural} yet" in as_alice.get(f"/{plural}").text


@pytest.mark.parametrize("plural", PLURALS)
def test_a_record_is_made_shown_listed_edited_and_deleted(as_alice: Client, plural: str) -> None:
    response = as_alice.post(f"/{plural}/new", {"name": "Halden <b>", "status": "open"})
    record = Record.objects.get()
    assert response["Location"] == f"/{plural}/{record.id}"
    for path in (
        f"/{plural}",
        f"/{plural}?preview={record.id}",
        f"/{plural}/{record.id}",
        f"/{plural}/{record.id}/edit",
    ):
        page = as_alice.get(path)
        assert page.status_code == 200
        assert "Halden &lt;b&gt;" in page.text
        assert "Halden <b>" not in page.text
    as_alice.post(f"/{plural}/{record.id}/edit", {"name": "Polder", "status": "open"})
    record.refresh_from_db()
    assert record.name == "Polder"
    assert "Nobody will be mailed" in as_alice.get(f"/{plural}/{record.id}/delete").text
    assert Record.objects.exists()
    as_alice.post(f"/{plural}/{record.id}/delete")
    assert not Record.objects.exists()


def test_the_preview_alone_answers_htmx(as_alice: Client, priya: Record) -> None:
    headers = {"HX-Request": "true", "HX-Target": "preview"}
    text = as_alice.get(f"/people?preview={priya.id}", headers=headers).text
    assert text.lstrip().startswith("<aside")
    assert "priya@halden.example" in text
    assert "Calendar events" in text


def test_a_short_preview_address_opens_the_list(as_alice: Client, priya: Record) -> None:
    assert as_alice.get(f"/people/{priya.id}/preview")["Location"] == f"/people?preview={priya.id}"


@pytest.mark.parametrize(
    "query",
    [
        "preview=x",
        "preview=01a205a4-b839-70cc-a831-03a8a93d639d",
        "sort=evil",
        "owner=x",
        "met=-1",
        "company=%00",
        "met=01000000000000",
        "quiet=00001" + 5000 * "9",
    ],
)
def test_an_address_edited_by_hand_still_shows_the_list(as_alice: Client, priya: Record, query: str) -> None:
    response = as_alice.get(f"/people?{query}")
    assert response.status_code == 200
    assert "Priya Raman" in response.text


def test_an_owner_who_is_nobody_is_said_beside_the_field(as_alice: Client, priya: Record) -> None:
    owner = "01a205a4-b839-70cc-a831-03a8a93d639d"
    response = as_alice.post(f"/people/{priya.id}/edit", {"name": "Priya Raman", "owner": owner})
    assert response.status_code == 422
    assert "This colleague isn’t here any more." in response.text


def test_an_owner_who_left_stays_until_another_is_chosen(as_alice: Client, bob: User, priya: Record) -> None:
    Record.objects.filter(id=priya.id).update(owner=bob)
    User.objects.filter(id=bob.id).update(is_active=False)
    assert f'<option value="{bob.id}" selected>' in as_alice.get(f"/people/{priya.id}/edit").text


@pytest.mark.parametrize("parameter", ["company", "primary_contact"])
def test_names_are_looked_for_without_what_no_database_takes(as_alice: Client, priya: Record, parameter: str) -> None:
    assert "Priya Raman" in as_alice.get("/people/options", {parameter: "pri\0ya"}).text


def test_a_cursor_that_cannot_be_read_leads_to_the_first_page(as_alice: Client, priya: Record) -> None:
    assert as_alice.get("/people?owner=me&after=x")["Location"] == "/people?owner=me"


def test_an_impossible_address_is_said_beside_it_and_what_was_typed_stays(as_alice: Client, priya: Record) -> None:
    typed = {"name": "Priya R.", "email": ["priya@halden", "ok@halden.example"], "email_category": ["work", "personal"]}
    response = as_alice.post(f"/people/{priya.id}/edit", typed)
    assert response.status_code == 422
    assert "This address has no ending, such as .com." in response.text
    assert 'aria-describedby="email-1-error"' in response.text
    assert 'value="priya@halden"' in response.text
    assert 'value="ok@halden.example"' in response.text
    assert 'value="Priya R."' in response.text
    priya.refresh_from_db()
    assert priya.name == "Priya Raman"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("company", "Nowhere Ltd", "No company is called “Nowhere Ltd”."),
        ("value", "much", "This isn’t an amount."),
        ("close_date", "soon", "This isn’t a date."),
        ("name", "", "A name is needed."),
    ],
)
def test_each_wrong_field_says_why(as_alice: Client, field: str, value: str, words: str) -> None:
    response = as_alice.post("/opportunities/new", {"name": "Audit", field: value})
    assert response.status_code == 422
    assert words in response.text


def test_a_shared_address_is_allowed_and_said(as_alice: Client, priya: Record) -> None:
    response = as_alice.post("/people/new", {"name": "Tom", "email": "Priya@halden.example"}, follow=True)
    assert "priya@halden.example is on Priya Raman too" in response.text
    assert Identity.objects.filter(address="priya@halden.example").count() == 2


def test_a_person_joins_the_company_named(as_alice: Client, alice: User, priya: Record) -> None:
    halden = made(alice, Kind.COMPANY, "Halden Robotics")
    as_alice.post(f"/people/{priya.id}/edit", {"name": "Priya", "company": "halden robotics"})
    priya.refresh_from_db()
    assert priya.company == halden
    assert "Halden Robotics" in as_alice.get("/companies/options?company=hal").text


def test_add_another_without_a_script_gives_a_line_and_saves_nothing(as_alice: Client) -> None:
    response = as_alice.post("/people/new", {"name": "Tom", "email": "tom@eklund.example", "more": "email"})
    assert response.status_code == 200
    assert response.text.count('name="email"') == 2
    assert not Record.objects.exists()


def test_a_lead_becomes_a_person_and_its_old_address_leads_there(as_alice: Client, alice: User) -> None:
    lead = made(alice, Kind.LEAD, "Tom Eklund", company_name="Eklund AB")
    typed = {
        "person_name": "Tom Eklund",
        "company": "Eklund AB",
        "opportunity": "Audit",
        "value": "1,000",
        "currency": "EUR",
    }
    assert as_alice.post(f"/leads/{lead.id}/convert", typed)["Location"] == f"/people/{lead.id}"
    assert as_alice.get(f"/leads/{lead.id}")["Location"] == f"/people/{lead.id}"
    deal = Record.objects.get(kind=Kind.OPPORTUNITY)
    assert (deal.value_cents, deal.primary_contact_id, deal.company and deal.company.name) == (
        100000,
        lead.id,
        "Eklund AB",
    )


def test_a_record_has_one_address(as_alice: Client, priya: Record) -> None:
    assert as_alice.get(f"/companies/{priya.id}").status_code == 404
    assert as_alice.get(f"/companies/{priya.id}/edit").status_code == 404


def test_a_note_is_added_by_a_plain_form_and_through_htmx(as_alice: Client, priya: Record) -> None:
    path = f"/people/{priya.id}/notes"
    assert as_alice.post(path, {"text": "First."}).status_code == 302
    assert "Second." in as_alice.post(path, {"text": "Second."}, headers={"HX-Request": "true"}).text
    empty = as_alice.post(path, {"text": "  "})
    assert empty.status_code == 422
    assert "The note is empty." in empty.text
    assert Note.objects.count() == 2
    as_alice.post(f"/notes/{Note.objects.order_by('created_at')[0].id}/delete")
    assert Note.objects.get().text == "Second."


def test_a_website_is_a_link_only_when_it_is_one(as_alice: Client, alice: User) -> None:
    evil = made(alice, Kind.COMPANY, "Evil", website="javascript:alert(1)")
    assert 'href="javascript' not in as_alice.get(f"/companies/{evil.id}").text


def test_search_finds_records_by_name_and_address(as_alice: Client, priya: Record) -> None:
    for text in ("pri", "raman", "priya@hal"):
        assert "Priya Raman" in as_alice.get("/search", {"q": text}).text
    assert "Nothing begins with" in as_alice.get("/search", {"q": "zz\x00"}).text


def test_read_only_users_see_every_record(as_reader: Client, priya: Record) -> None:
    for path in ("/people", f"/people?preview={priya.id}", f"/people/{priya.id}", "/search?q=priya"):
        assert "Priya Raman" in as_reader.get(path).text


def test_read_only_users_find_no_button_that_changes_anything(as_reader: Client, priya: Record) -> None:
    for path in ("/people", f"/people?preview={priya.id}", f"/people/{priya.id}", "/opportunities"):
        text = as_reader.get(path).text
        for word in ("/new", "/edit", "/delete", "/notes"):
            assert word not in text, (path, word)


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(
    "path", ["/people/new", "/people/{id}/edit", "/people/{id}/delete", "/leads/{id}/convert", "/people/{id}/notes"]
)
def test_read_only_users_are_told_why_they_may_not(as_reader: Client, priya: Record, path: str, method: str) -> None:
    response = getattr(as_reader, method)(path.format(id=priya.id), {"name": "Eve", "text": "Eve"})
    assert response.status_code == 403
    assert "Your role is read-only" in response.text
    assert Record.objects.get().name == "Priya Raman"
    assert not Note.objects.exists()


def test_teammates_edit_each_others_records(bob: User, company: Company, priya: Record) -> None:
    client = Client()
    client.force_login(bob)
    assert client.post(f"/people/{priya.id}/edit", {"name": "Priya R."}).status_code == 302


def test_times_are_shown_in_the_readers_zone(as_alice: Client, alice: User, priya: Record) -> None:
    Record.objects.filter(id=priya.id).update(next_meeting_at=datetime(2031, 6, 3, 22, 30, tzinfo=UTC))
    assert "Wed 4 Jun 2031, 00:30" in as_alice.get("/people").text
    User.objects.filter(id=alice.id).update(time_zone="America/New_York")
    assert "Tue 3 Jun 2031, 18:30" in as_alice.get("/people").text


def test_a_list_costs_the_same_number_of_queries_however_long(
    as_alice: Client, alice: User, django_assert_max_num_queries: Any
) -> None:
    halden = made(alice, Kind.COMPANY, "Halden")
    for at in range(30):
        made(alice, Kind.PERSON, f"Person {at}", company_id=halden.id, owner_id=alice.id)
    alice.last_seen_at = timezone.now()
    alice.save()
    with django_assert_max_num_queries(16):
        as_alice.get("/people")
