"""Keeps the words by which search finds records, and finds records by the beginnings of words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from tandem.calendaring.identity import normalise_address
from tandem.crm.models import Identity, Record, SearchWord
from tandem.crm.names import words_of

LAST = "\U0010ffff"


def words_for(record: Record) -> set[str]:
    return words_of(record.name, record.company_name, record.email_domain)


def refresh(record: Record) -> None:
    """Brings the words of one record up to date. Called by the verbs, in their transaction."""
    stored = dict(SearchWord.objects.filter(record=record).values_list("word", "id"))
    wanted = words_for(record)
    SearchWord.objects.filter(id__in=[stored[word] for word in stored.keys() - wanted]).delete()
    SearchWord.objects.filter(record=record).exclude(kind=record.kind).update(kind=record.kind)
    SearchWord.objects.bulk_create(
        [SearchWord(record=record, kind=record.kind, word=word) for word in sorted(wanted - stored.keys())]
    )


def rebuild(records: QuerySet[Record], *, batch: int = 500) -> int:
    """Words of many records at once, for imports that write rows in bulk. Returns how many words there are now."""
    written = 0
    for chunk in chunks(records.iterator(chunk_size=batch), batch):
        rows = [
            SearchWord(record=record, kind=record.kind, word=word) for record in chunk for word in words_for(record)
        ]
        with transaction.atomic():
            SearchWord.objects.filter(record__in=[record.id for record in chunk]).delete()
            SearchWord.objects.bulk_create(rows)
        written += len(rows)
    return written


def chunks(records: Iterable[Record], size: int) -> Iterator[list[Record]]:
    chunk: list[Record] = []
    for record in records:
        chunk.append(record)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def starts_with(prefix: str) -> Q:
    """Rows of `SearchWord` that begin so, as a range of the index: LIKE depends on the database's case rules."""
    return Q(word__gte=prefix, word__lt=prefix + LAST)


def found_by_name(kind: str, text: str, limit: int) -> QuerySet[SearchWord, UUID] | None:
    """Ids of the records of a kind that have, for each word of `text`, a word beginning with it; unsorted.

    None when `text` has no word at all. The longest word drives the search, for it matches the fewest.
    """
    prefixes = sorted(words_of(text), key=len, reverse=True)
    if not prefixes:
        return None
    rows = SearchWord.objects.filter(starts_with(prefixes[0]), kind=kind)
    for prefix in prefixes[1:]:
        rows = rows.filter(Exists(SearchWord.objects.filter(starts_with(prefix), record=OuterRef("record"))))
    return rows.values_list("record", flat=True)[:limit]


def found_by_address(text: str, limit: int) -> set[UUID]:
    """Ids of at most `limit` records, of any kind, that own an address beginning with `text`."""
    prefix = normalise_address(text)
    if not prefix or " " in prefix or not prefix.isprintable():
        return set()
    if connection.vendor == "postgresql":
        near = Q(address__startswith=prefix)  # served by identity_by_prefix, whatever the database's language
    else:
        near = Q(address__gte=prefix, address__lt=prefix + LAST)
    # lent addresses are sorted out here: asked for "via is null", SQLite reads every own address there is
    rows = Identity.objects.filter(near).values_list("record", "via")[: 3 * limit]
    return {record for record, via in rows if via is None}


def found(kind: str, text: str, limit: int) -> set[UUID]:
    """Ids of at most `limit` records of a kind that `text` finds, by name or by address."""
    by_name = found_by_name(kind, text, limit)
    ids = set(by_name) if by_name is not None else set()
    if len(ids) < limit:
        # addresses know no kind: keep those of the kind asked for
        near = found_by_address(text, limit - len(ids))
        ids.update(Record.objects.filter(id__in=near).filter(kind=kind).values_list("id", flat=True) if near else ())
    return ids


__all__ = ["found", "rebuild", "refresh"]
