"""What the CRM's verbs do: records, the addresses they lend each other, conversion, deletion."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tandem.crm import search_words, verbs
from tandem.crm.guests import suggested_guests
from tandem.crm.models import Identity, Kind, Record
from tandem.crm.verbs import ConvertData, Invalid, NotAllowed, RecordData
from tandem.team.models import Role, User

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def addresses(record: Record) -> set[str]:
    return set(Identity.objects.filter(record=record).values_list("address", flat=True))


def company_of(user: User, name: str = "Halden Robotics") -> Record:
    return verbs.save(user, None, Kind.COMPANY, RecordData(name=name), now=NOW).record


def person_at(user: User, company: Record | None, *emails: str, name: str = "Priya Raman") -> Record:
    data = RecordData(
        name=name, company_id=company.id if company else None, emails=tuple((email, "work") for email in emails)
    )
    return verbs.save(user, None, Kind.PERSON, data, now=NOW).record


def test_a_company_is_found_by_the_addresses_of_its_people(alice: User) -> None:
    halden = company_of(alice)
    person_at(alice, halden, "Priya@Halden.example")
    assert addresses(halden) == {"priya@halden.example"}


def test_an_opportunity_is_found_by_the_addresses_of_its_primary_contact(alice: User) -> None:
    priya = person_at(alice, None, "priya@halden.example")
    data = RecordData(name="Audit", primary_contact_id=priya.id)
    done = verbs.save(alice, None, Kind.OPPORTUNITY, data, now=NOW)
    assert addresses(done.record) == {"priya@halden.example"}
    assert done.changed == {done.record.id}


def test_saving_says_whose_addresses_changed_and_nobody_elses(alice: User) -> None:
    halden, polder = company_of(alice), company_of(alice, "Polder Bank")
    priya = person_at(alice, halden, "priya@halden.example")
    same = verbs.save(alice, priya, Kind.PERSON, verbs.data_of(priya), now=NOW)
    assert same.changed == frozenset()
    moved = verbs.save(alice, priya, Kind.PERSON, replace(verbs.data_of(priya), company_id=polder.id), now=NOW)
    assert moved.changed == {halden.id, polder.id}
    assert addresses(halden) == set()
    assert addresses(polder) == {"priya@halden.example"}


def test_a_new_primary_contact_lends_and_the_former_one_takes_back(alice: User) -> None:
    priya = person_at(alice, None, "priya@halden.example")
    tom = person_at(alice, None, "tom@eklund.example", name="Tom Eklund")
    deal = verbs.save(alice, None, Kind.OPPORTUNITY, RecordData(name="Audit", primary_contact_id=priya.id), now=NOW)
    verbs.save(alice, deal.record, Kind.OPPORTUNITY, RecordData(name="Audit", primary_contact_id=tom.id), now=NOW)
    assert addresses(deal.record) == {"tom@eklund.example"}


def test_one_address_may_stand_on_two_records(alice: User) -> None:
    first = person_at(alice, None, "office@halden.example")
    second = person_at(alice, None, "office@halden.example", name="Tom Eklund")
    assert addresses(first) == addresses(second) == {"office@halden.example"}


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("priya@halden", "This address has no ending, such as .com."),
        ("priya.halden.example", "This address has no @."),
        ("@halden.example", "This address has nothing before the @."),
        ("priya@", "This address has nothing after the @."),
        ("pri ya@halden.example", "This address has a space in it."),
        ("priya@-halden.example", "“-halden.example” can’t be a mail domain."),
        ("pri..ya@halden.example", "“pri..ya” can’t stand before an @."),
    ],
)
def test_an_impossible_address_is_refused_with_the_reason(alice: User, typed: str, words: str) -> None:
    with pytest.raises(Invalid, match=r"address|domain|before") as refused:
        person_at(alice, None, typed)
    assert (refused.value.field, refused.value.words) == ("emails", words)
    assert not Record.objects.exists()


def test_an_international_domain_is_kept_as_calendars_write_it(alice: User) -> None:
    priya = person_at(alice, None, "Priya@Bücher.example")
    assert addresses(priya) == {"priya@xn--bcher-kva.example"}


def test_reading_roles_change_nothing(alice: User) -> None:
    alice.role = Role.READ_ONLY
    with pytest.raises(NotAllowed, match="read-only"):
        company_of(alice)


def test_saving_leaves_the_meeting_times_that_sync_keeps(alice: User) -> None:
    priya = person_at(alice, None, "priya@halden.example")
    Record.objects.filter(id=priya.id).update(last_meeting_at=NOW)
    verbs.save(alice, priya, Kind.PERSON, replace(verbs.data_of(priya), name="Priya R."), now=NOW)
    priya.refresh_from_db()
    assert (priya.name, priya.last_meeting_at) == ("Priya R.", NOW)


def test_a_converted_lead_keeps_its_id_notes_and_addresses(alice: User) -> None:
    data = RecordData(name="Tom Eklund", company_name="Eklund AB", emails=(("tom@eklund.example", "work"),))
    lead = verbs.save(alice, None, Kind.LEAD, data, now=NOW).record
    verbs.add_note(alice, lead, "Met at the fair.", now=NOW)
    convert = ConvertData(person_name="Tom Eklund", company_name="Eklund AB", opportunity_name="Audit")
    done = verbs.convert(alice, lead, convert, now=NOW)
    person = Record.objects.get(id=lead.id)
    company = Record.objects.get(kind=Kind.COMPANY)
    deal = Record.objects.get(kind=Kind.OPPORTUNITY)
    assert (person.kind, person.company, company.email_domain) == (Kind.PERSON, company, "eklund.example")
    assert addresses(person) == addresses(company) == addresses(deal) == {"tom@eklund.example"}
    assert person.notes.count() == 1
    assert done.changed == {person.id, company.id, deal.id}
    assert search_words.found(Kind.PERSON, "eklund", 9) == {person.id}
    assert search_words.found(Kind.LEAD, "eklund", 9) == set()


def test_free_mail_says_nothing_about_a_new_company(alice: User) -> None:
    data = RecordData(name="Tom Eklund", emails=(("tom@gmail.com", "work"),))
    lead = verbs.save(alice, None, Kind.LEAD, data, now=NOW).record
    verbs.convert(alice, lead, ConvertData(person_name="Tom", company_name="Eklund AB"), now=NOW)
    assert Record.objects.get(kind=Kind.COMPANY).email_domain == ""


def test_deleting_a_person_takes_their_addresses_from_company_and_opportunity(alice: User) -> None:
    halden = company_of(alice)
    priya = person_at(alice, halden, "priya@halden.example")
    deal = verbs.save(alice, None, Kind.OPPORTUNITY, RecordData(name="Audit", primary_contact_id=priya.id), now=NOW)
    assert verbs.delete(alice, priya, now=NOW) == {halden.id, deal.record.id}
    assert not Identity.objects.exists()
    deal.record.refresh_from_db()
    assert deal.record.primary_contact is None


def test_deleting_a_company_leaves_its_people(alice: User) -> None:
    halden = company_of(alice)
    priya = person_at(alice, halden, "priya@halden.example")
    verbs.delete(alice, halden, now=NOW)
    priya.refresh_from_db()
    assert priya.company is None
    assert addresses(priya) == {"priya@halden.example"}


def test_only_author_or_administrator_deletes_a_note(alice: User, bob: User) -> None:
    note = verbs.add_note(alice, company_of(alice), "Keep this.", now=NOW)
    assert note.created_at == NOW
    with pytest.raises(NotAllowed, match="Only who wrote"):
        verbs.delete_note(bob, note)
    bob.role = Role.ADMINISTRATOR
    verbs.delete_note(bob, note)


def test_tags_that_differ_in_case_alone_are_one(alice: User) -> None:
    data = RecordData(name="Priya", tags=("Board", "board", " Phase 2 "))
    priya = verbs.save(alice, None, Kind.PERSON, data, now=NOW).record
    assert sorted(priya.tags.values_list("name", flat=True)) == ["Board", "Phase 2"]


def test_guests_are_chosen_at_the_start_only_where_the_choice_is_plain(alice: User) -> None:
    halden = company_of(alice)
    priya = person_at(alice, halden, "priya@halden.example", "priya@home.example")
    assert [(guest.address, guest.preselected) for guest in suggested_guests(priya)] == [
        ("priya@halden.example", True),
        ("priya@home.example", False),
    ]
    person_at(alice, halden, "tom@halden.example", name="Tom Eklund")
    assert [guest.preselected for guest in suggested_guests(halden)] == [False, False, False]
    data = RecordData(name="Audit", company_id=halden.id, primary_contact_id=priya.id)
    deal = verbs.save(alice, None, Kind.OPPORTUNITY, data, now=NOW).record
    assert [guest.name for guest in suggested_guests(deal) if guest.preselected] == ["Priya Raman"]
