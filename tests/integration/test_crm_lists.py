"""Lists: every row once, in one order, page by page; filters and search narrow them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tandem.crm import lists, search_words, verbs
from tandem.crm.lists import BadCursor, Filters
from tandem.crm.models import Kind, Record
from tandem.crm.names import fold
from tandem.crm.verbs import RecordData
from tandem.team.models import User

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
NAMES = ["Ängström", "angela", "Zoë", "bob", "Łukasz", "O’Neill", "de Vries", "Élodie", "Straße", "_x", "李雷"]


@pytest.fixture
def people(alice: User) -> list[Record]:
    """Eleven people; some have a company, some a last or a next meeting."""
    companies = [
        verbs.save(alice, None, Kind.COMPANY, RecordData(name=name), now=NOW).record for name in ("Zeta", "acme")
    ]
    made = []
    for at, name in enumerate(NAMES):
        company = companies[at % 2] if at % 3 else None
        data = RecordData(name=name, company_id=company.id if company else None, owner_id=alice.id if at % 2 else None)
        person = verbs.save(alice, None, Kind.PERSON, data, now=NOW).record
        met = NOW - timedelta(days=at % 4) if at % 2 else None
        coming = NOW + timedelta(hours=at // 2) if at % 3 == 0 else None
        Record.objects.filter(id=person.id).update(last_meeting_at=met, next_meeting_at=coming)
        made.append(person)
    return made


def walk(sort: str, *, size: int, reverse: bool = False) -> list[Record]:
    rows: list[Record] = []
    after, position = "", 0
    while True:
        page = lists.read(Record.objects.filter(kind=Kind.PERSON), sort, reverse=reverse, after=after, size=size)
        assert page.position == position
        rows += page.rows
        position += len(page.rows)
        after = page.after
        if not after:
            return rows


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("sort", ["name", "company", "next", "last", "created"])
def test_paging_shows_every_row_once_in_the_order_of_one_long_page(
    people: list[Record], sort: str, reverse: bool
) -> None:
    whole = walk(sort, size=100, reverse=reverse)
    assert {row.id for row in whole} == {row.id for row in people}
    for size in (1, 2, 3, 5):
        assert [row.id for row in walk(sort, size=size, reverse=reverse)] == [row.id for row in whole]


def test_names_are_ordered_without_case_and_accents_by_code_point(people: list[Record]) -> None:
    found = [row.name for row in walk("name", size=4)]
    assert found == sorted(NAMES, key=fold)
    assert found.index("angela") < found.index("Ängström") < found.index("bob")


@pytest.mark.parametrize("reverse", [False, True])
def test_rows_without_a_value_come_last_whichever_way_it_is_sorted(people: list[Record], reverse: bool) -> None:
    for sort, value in (("next", "next_meeting_at"), ("last", "last_meeting_at"), ("company", "company_id")):
        empty = [getattr(row, value) is None for row in walk(sort, size=3, reverse=reverse)]
        assert empty == sorted(empty)


def test_last_met_begins_with_the_latest_and_next_with_the_nearest(people: list[Record]) -> None:
    last = [row.last_meeting_at for row in walk("last", size=4) if row.last_meeting_at]
    coming = [row.next_meeting_at for row in walk("next", size=4) if row.next_meeting_at]
    assert last == sorted(last, reverse=True)
    assert coming == sorted(coming)


@pytest.mark.parametrize("cursor", ["x", "!!!", "W10", "WzEsMiwzXQ", "W2ZhbHNlLFsieCJdLDBd"])
def test_a_cursor_that_no_list_gave_out_is_refused(people: list[Record], cursor: str) -> None:
    with pytest.raises(BadCursor):
        lists.read(Record.objects.filter(kind=Kind.PERSON), "next", after=cursor)


def test_filters_narrow_by_what_they_say(people: list[Record], alice: User) -> None:
    def count(filters: Filters) -> int:
        return lists.capped_count(lists.matching(Kind.PERSON, filters, now=NOW))

    assert count(Filters()) == 11
    assert count(Filters(owner=alice.id)) == 5
    assert count(Filters(owner="none")) == 6
    assert count(Filters(next_meeting="yes")) + count(Filters(next_meeting="no")) == 11
    assert count(Filters(met_within=2)) == 3
    assert count(Filters(met_within=2)) + count(Filters(not_met_for=2)) == 11
    assert count(Filters(text="ang")) == 2


def test_search_finds_words_by_how_they_begin_without_case_and_accents(people: list[Record], alice: User) -> None:
    data = RecordData(name="Priya Raman-Østby", emails=(("p.raman@halden.example", "work"),))
    priya = verbs.save(alice, None, Kind.PERSON, data, now=NOW).record
    for text in ("priya", "RAM", "ostby pri", "p.raman@", "P.Raman@Halden.example", "östby"):
        assert search_words.found(Kind.PERSON, text, 50) == {priya.id}, text
    for text in ("iya", "priya smith", "@halden", "%", "_", "", "\x00"):
        assert priya.id not in search_words.found(Kind.PERSON, text, 50), text


def test_a_rename_is_found_by_the_new_name_only(alice: User) -> None:
    priya = verbs.save(alice, None, Kind.PERSON, RecordData(name="Priya Raman"), now=NOW).record
    verbs.save(alice, priya, Kind.PERSON, RecordData(name="Priya Svensson"), now=NOW)
    assert search_words.found(Kind.PERSON, "raman", 9) == set()
    assert search_words.found(Kind.PERSON, "svens", 9) == {priya.id}


def test_words_of_rows_written_in_bulk_are_made_in_one_go(alice: User) -> None:
    Record.objects.bulk_create(
        [Record(kind=Kind.PERSON, name=f"Person {at}", sort_name=f"person {at}") for at in range(7)]
    )
    assert search_words.rebuild(Record.objects.all(), batch=3) == 14
    assert len(search_words.found(Kind.PERSON, "person", 50)) == 7
    assert len(search_words.found(Kind.PERSON, "person 3", 50)) == 1


def test_a_count_stops_at_a_thousand(alice: User) -> None:
    Record.objects.bulk_create([Record(kind=Kind.PERSON, name=str(at), sort_name=str(at)) for at in range(1100)])
    assert lists.capped_count(Record.objects.all()) == lists.CAP + 1


@pytest.mark.parametrize("most", [1, 1000])
def test_a_tag_narrows_its_kind_alone_whether_rare_or_common(
    people: list[Record], alice: User, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "CAP", most)
    for person in people[:3]:
        verbs.save(alice, person, Kind.PERSON, RecordData(name=person.name, tags=("Board",)), now=NOW)
    verbs.save(alice, None, Kind.COMPANY, RecordData(name="Board Ltd", tags=("Board",)), now=NOW)
    found = lists.matching(Kind.PERSON, Filters(tag="Board"), now=NOW)
    assert {row.id for row in lists.read(found, "name").rows} == {person.id for person in people[:3]}
