"""Lists of records: search, filters, sorting and paging, alike on SQLite and PostgreSQL.

Paging is by keyset: a cursor names the last row shown, and the next page begins behind it. Rows
without a value come last, in a phase of their own, so that each phase is one range of one index.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from tandem.crm import search_words
from tandem.crm.models import Kind, Record, Tag

CAP = 1000
PAGE = 50


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is narrowed to. Empty values narrow nothing.

    `next_meeting`: "yes" or "no". `met_within` and `not_met_for` are days. `owner` is a user's id, or
    "none" for records that nobody owns.
    """

    text: str = ""
    owner: UUID | Literal["none"] | None = None
    tag: str = ""
    next_meeting: str = ""
    met_within: int | None = None
    not_met_for: int | None = None
    company: UUID | None = None
    stage: UUID | None = None
    status: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """`position` is how many rows come before; `after` the next page's cursor, empty on the last one."""

    rows: list[Record]
    position: int
    after: str


@dataclass(frozen=True, slots=True)
class Sort:
    """An order: the column that leads, and whether it falls. `optional` says that rows may lack it."""

    column: str
    falls: bool = False
    optional: bool = False


SORTS = {
    "name": Sort("sort_name"),
    "company": Sort("company__sort_name", optional=True),
    "next": Sort("next_meeting_at", optional=True),
    "last": Sort("last_meeting_at", falls=True, optional=True),
    "created": Sort("created_at", falls=True),
}


class BadCursor(ValueError):
    """A cursor that no list gave out."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page begins: behind these values, in this phase, after `position` rows."""

    missing: bool = False
    values: tuple[str, ...] = field(default=())
    position: int = 0

    def encode(self) -> str:
        plain = json.dumps([self.missing, self.values, self.position], separators=(",", ":"))
        return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str) -> Cursor:
        """Raises `BadCursor`."""
        try:
            missing, values, position = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            return cls(bool(missing), tuple(str(value) for value in values), int(position))
        except (binascii.Error, ValueError, TypeError, UnicodeError) as error:
            raise BadCursor("This page of the list can’t be found. Start from its beginning.") from error


def matching(kind: Kind, filters: Filters, *, now: datetime) -> QuerySet[Record]:
    """The records of a kind that pass the filters, unsorted. A text finds `CAP` records at most."""
    records, text, tag = Record.objects.filter(kind=kind), filters.text.strip(), filters.tag
    if text:
        # found by id, without the kind, which `found` saw to: SQLite would rather walk the whole kind
        records = Record.objects.filter(id__in=search_words.found(kind, text, CAP))
    elif tag:
        rare = with_rare_tag(kind, tag)
        records, tag = (records, tag) if rare is None else (Record.objects.filter(id__in=rare), "")
    if tag:
        records = records.filter(tags__name=tag)
    if filters.owner:
        records = records.filter(owner=None if filters.owner == "none" else filters.owner)
    if filters.next_meeting:
        records = records.filter(next_meeting_at__isnull=filters.next_meeting == "no")
    if filters.met_within:
        records = records.filter(last_meeting_at__gte=now - timedelta(days=filters.met_within))
    if filters.not_met_for:
        quiet = Q(last_meeting_at__lt=now - timedelta(days=filters.not_met_for)) | Q(last_meeting_at=None)
        records = records.filter(quiet)
    exact = {"company": filters.company, "stage": filters.stage, "status": filters.status}
    return records.filter(**{name: value for name, value in exact.items() if value})


def with_rare_tag(kind: Kind, name: str) -> list[UUID] | None:
    """The records of a kind with a tag that few have; None for a common one, which a walk meets soon."""
    ids = list(Tag.objects.filter(name=name).values_list("record", flat=True)[: CAP + 1])
    if len(ids) > CAP:
        return None
    kinds = Record.objects.filter(id__in=ids).values_list("id", "kind")
    return [record for record, its_kind in kinds if its_kind == kind]


def read(records: QuerySet[Record], sort: str, *, reverse: bool = False, after: str = "", size: int = PAGE) -> Page:
    """One page of `records` (from `matching`). Raises `BadCursor`."""
    order = SORTS[sort]
    cursor = Cursor.decode(after) if after else Cursor()
    records = records.select_related("owner", "company", "stage", "primary_contact")
    rows: list[tuple[bool, Record]] = []
    for missing in [False, True] if order.optional else [False]:
        if missing < cursor.missing or len(rows) > size:
            continue
        values = cursor.values if missing == cursor.missing else ()
        part = phase(records, order, missing=missing, falls=order.falls != reverse, values=values, size=size + 1)
        rows += [(missing, row) for row in part[: size + 1 - len(rows)]]
    shown = rows[:size]
    following = ""
    if len(rows) > size:
        missing, last = shown[-1]
        following = Cursor(missing, values_of(last, order, missing), cursor.position + size).encode()
    return Page([row for _, row in shown], cursor.position, following)


def keys(order: Sort, missing: bool, falls: bool) -> list[tuple[str, bool]]:
    """The columns that a phase is sorted by, and which of them fall; the last one is unique."""
    if order.column == "company__sort_name":
        by_name = [("sort_name", False), ("id", False)]
        return by_name if missing else [("company__sort_name", falls), ("company_id", falls), *by_name]
    if missing:
        return [("id", False)]
    return [(order.column, falls), ("id", falls)]


def phase(
    records: QuerySet[Record], order: Sort, *, missing: bool, falls: bool, values: tuple[str, ...], size: int
) -> QuerySet[Record]:
    """The rows with a value, or those without, that come behind `values`; the first `size` of them at least."""
    columns = keys(order, missing, falls)
    by_company = order.column.startswith("company")
    if order.optional:
        records = records.filter(**{"company" if by_company else order.column: None} if missing else {})
        if not missing and not by_company:
            records = records.filter(**{f"{order.column}__isnull": False})
    if by_company and not missing:
        records = records.filter(company__in=companies_from(records, falls, values[:1], size + 1))
    if values:
        records = records.filter(behind(columns, parsed(columns, values)))
    return records.order_by(*(f"-{column}" if down else column for column, down in columns))


def companies_from(records: QuerySet[Record], falls: bool, start: tuple[str, ...], most: int) -> list[UUID]:
    """The next companies, by name, that have one of `records`: enough of them to fill a page.

    Left to itself, a database sorts every person by their company's name: a second for half a million.
    """
    companies = Record.objects.filter(Exists(records.filter(company=OuterRef("pk")).order_by()), kind=Kind.COMPANY)
    if start:
        companies = companies.filter(**{"sort_name__lte" if falls else "sort_name__gte": start[0]})
    order = ("-sort_name", "-id") if falls else ("sort_name", "id")
    return list(companies.order_by(*order).values_list("id", flat=True)[:most])


def behind(columns: list[tuple[str, bool]], values: list[Any]) -> Q:
    """(a, b) behind (x, y): a > x, or a = x and b > y; and a >= x, which lets the index start there."""
    (column, down), value = columns[0], values[0]
    beyond = Q(**{f"{column}__{'lt' if down else 'gt'}": value})
    if len(columns) == 1:
        return beyond
    start = Q(**{f"{column}__{'lte' if down else 'gte'}": value})
    return start & (beyond | (Q(**{column: value}) & behind(columns[1:], values[1:])))


def values_of(record: Record, order: Sort, missing: bool) -> tuple[str, ...]:
    """The values of a row by which its successor is found, as text."""
    found = []
    for column, _ in keys(order, missing, falls=False):
        value: Any = record
        for part in column.split("__"):
            value = getattr(value, part)
        found.append(value.isoformat() if isinstance(value, datetime) else str(value))
    return tuple(found)


def parsed(columns: list[tuple[str, bool]], values: tuple[str, ...]) -> list[Any]:
    """The inverse of `values_of`. Raises `BadCursor`."""
    if len(columns) != len(values):
        raise BadCursor("This page belongs to another order of the list. Start from its beginning.")
    try:
        return [parsed_value(column, value) for (column, _), value in zip(columns, values, strict=True)]
    except ValueError as error:
        raise BadCursor("This page of the list can’t be found. Start from its beginning.") from error


def parsed_value(column: str, value: str) -> Any:
    if column.endswith("_at"):
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError("a naive time")
        return moment
    return UUID(value) if column in {"id", "company_id"} else value


def capped_count(records: QuerySet[Record]) -> int:
    """How many there are, counted to `CAP + 1` at most: nobody reads further, and a million rows take time."""
    return records.order_by().values("id")[: CAP + 1].count()
