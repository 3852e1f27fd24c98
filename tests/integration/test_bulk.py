"""One bulk writer, the same rule on SQLite and on PostgreSQL (where DATABASE_URL says so)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction
from django.db.utils import DataError

from tandem.database import bulk
from tandem.database.keys import new_id
from tandem.meetings.models import Meeting, Occurrence, Participant, Series

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
KEY = ("uid", "organizer", "scope")

pytestmark = pytest.mark.django_db


def add_series(*uids: str, endless_until: datetime | None = None) -> int:
    rows = [(new_id(), uid, "alice@northwind.example", "", endless_until) for uid in uids]
    return bulk.upsert(
        Series, ("id", "uid", "organizer", "scope", "endless_until"), rows, key=KEY, update=("endless_until",)
    )


def an_occurrence() -> UUID:
    series, meeting, occurrence = new_id(), new_id(), new_id()
    bulk.insert(Series, ("id", "uid", "organizer", "scope", "endless_until"), [(series, "a", "", "", None)])
    columns = (
        "id",
        "series_id",
        "recurrence_id",
        "authority_id",
        "state",
        "shown",
        "title",
        "private",
        "updated_at",
    )
    bulk.insert(Meeting, columns, [(meeting, series, "", None, "live", "{}", "Lunch", True, NOW)])
    columns = (
        "id",
        "series_id",
        "meeting_id",
        "original_start",
        "starts_at",
        "ends_at",
        "starts_on",
        "ends_on",
        "cancelled",
    )
    bulk.insert(
        Occurrence,
        columns,
        [(occurrence, series, meeting, "", NOW, NOW + timedelta(hours=1), date(2026, 1, 5), None, False)],
    )
    return occurrence


def test_every_kind_of_value_comes_back_as_it_went_in() -> None:
    occurrence = Occurrence.objects.get(id=an_occurrence())
    assert (occurrence.starts_at, occurrence.starts_on, occurrence.ends_on) == (NOW, date(2026, 1, 5), None)
    assert occurrence.cancelled is False
    assert occurrence.meeting.private is True
    assert occurrence.meeting.title == "Lunch"
    assert occurrence.series_id == occurrence.meeting.series_id


def test_a_written_time_equals_the_one_that_the_orm_writes_and_finds() -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))
    precise = NOW + timedelta(microseconds=120)
    add_series("whole", endless_until=elsewhere)
    add_series("precise", endless_until=precise)
    Series.objects.create(uid="orm", endless_until=NOW)
    assert set(Series.objects.filter(endless_until=NOW).values_list("uid", flat=True)) == {"whole", "orm"}
    assert list(Series.objects.order_by("endless_until").values_list("uid", flat=True))[-1] == "precise"


def test_an_upsert_counts_what_it_wrote_and_leaves_unchanged_rows_alone() -> None:
    assert add_series("a", "b") == 2
    ids = set(Series.objects.values_list("id", flat=True))
    assert add_series("a", "b") == 0
    assert add_series("a", "b", "c", endless_until=NOW) == 3
    assert add_series("a", "b", "c", endless_until=NOW) == 0
    assert add_series("a", endless_until=None) == 1
    assert ids <= set(Series.objects.values_list("id", flat=True)), "an update keeps the row's own id"


def test_without_columns_to_update_what_is_there_stays() -> None:
    add_series("a")
    columns = ("id", "uid", "organizer", "scope", "endless_until")
    rows = [(new_id(), uid, "alice@northwind.example", "", NOW) for uid in ("a", "b")]
    assert bulk.upsert(Series, columns, rows, key=KEY, update=()) == 1
    assert Series.objects.get(uid="a").endless_until is None


def test_of_two_rows_with_one_key_the_later_one_stands() -> None:
    columns = ("id", "uid", "organizer", "scope", "endless_until")
    rows = [(new_id(), "a", "", "", moment) for moment in (None, NOW)]
    bulk.upsert(Series, columns, rows, key=KEY, update=("endless_until",))
    assert Series.objects.get().endless_until == NOW


def test_no_rows_write_nothing() -> None:
    assert bulk.insert(Series, ("id", "uid"), []) == 0
    assert bulk.delete(Series, []) == 0


def test_more_rows_than_a_chunk_come_from_an_iterator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "CHUNK", 7)

    def rows() -> Iterator[tuple[object, ...]]:
        for number in range(30):
            yield new_id(), f"uid {number}", "", "", None

    assert bulk.insert(Series, ("id", "uid", "organizer", "scope", "endless_until"), rows()) == 30
    assert bulk.delete(Series, Series.objects.filter(uid__lte="uid 19").values_list("id", flat=True)) == 12
    assert Series.objects.count() == 18


def test_inserting_a_key_twice_is_refused_and_leaves_nothing_of_the_batch() -> None:
    columns = ("id", "uid", "organizer", "scope", "endless_until")
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk.insert(Series, columns, [(new_id(), "a", "", "", None), (new_id(), "a", "", "", None)])
    assert Series.objects.count() == 0


def test_text_with_quotes_backslashes_braces_and_percent_signs_survives() -> None:
    titles = ['say "hi", {a,b}', "back\\slash", "100 %s", "NULL", "", "naïve ☃ 𝄞", "two\nlines"]
    add_series(*titles)
    assert set(Series.objects.values_list("uid", flat=True)) == set(titles)


def test_text_that_is_too_long_is_never_cut_in_silence() -> None:
    long = "x" * 2000
    try:
        with transaction.atomic():
            add_series(long)
    except DataError:
        return
    assert Series.objects.get().uid == long


def test_a_participant_is_deleted_by_its_key() -> None:
    occurrence = an_occurrence()
    columns = ("id", "address", "starts_at", "occurrence_id")
    ids = [new_id() for _ in range(5)]
    bulk.insert(Participant, columns, [(key, f"{key}@x.example", NOW, occurrence) for key in ids])
    assert bulk.delete(Participant, ids[:3]) == 3
    assert set(Participant.objects.values_list("id", flat=True)) == set(ids[3:])
