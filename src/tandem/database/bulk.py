"""Bulk writes, the same on SQLite and PostgreSQL, through Django's connection.

`executemany` on SQLite, `INSERT … SELECT FROM unnest(…)` on PostgreSQL: several times the speed of
`bulk_create(update_conflicts=True)`, which also writes rows that did not change. Columns are Django's
attnames (`calendar_id`); every column without a default in the database must be named, for no model
default is filled in here. Values are Python objects: UUID, aware datetime, date, bool, str, int, None.
Errors are Django's (`IntegrityError`, `DataError`). Partial unique indexes cannot be a `key`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

from django.db import connection, transaction
from django.db.models import CharField, DateTimeField, Field, ForeignKey, IntegerField, Model, TextField, UUIDField

CHUNK = 5000

AnyField: TypeAlias = "Field[Any, Any]"  # Django's fields cannot be subscripted when run
Adapter = Callable[[Any], object]
Row = Sequence[object]
T = TypeVar("T")


def insert(model: type[Model], columns: Sequence[str], rows: Iterable[Row]) -> int:
    """Insert `rows`; the number written. Raises `IntegrityError` when a key is there already."""
    return _write(model, columns, rows, "", ())


def upsert(
    model: type[Model], columns: Sequence[str], rows: Iterable[Row], *, key: Sequence[str], update: Sequence[str]
) -> int:
    """Insert `rows`; where `key` (the columns of a unique constraint) is there already, set `update` instead.

    A row in which no column of `update` would change is not written. Of two rows with one key the
    later one stands. Returns the number of rows inserted or changed.
    """
    fields = _fields(model)
    conflict = f" ON CONFLICT ({', '.join(_column(fields[name]) for name in key)}) DO "
    if not update:
        return _write(model, columns, rows, conflict + "NOTHING", key)
    table = connection.ops.quote_name(model._meta.db_table)
    names = [_column(fields[name]) for name in update]
    assignments = ", ".join(f"{name} = EXCLUDED.{name}" for name in names)
    differs = "IS DISTINCT FROM" if connection.vendor == "postgresql" else "IS NOT"
    changed = " OR ".join(f"{table}.{name} {differs} EXCLUDED.{name}" for name in names)
    return _write(model, columns, rows, f"{conflict}UPDATE SET {assignments} WHERE {changed}", key)


def update(model: type[Model], columns: Sequence[str], rows: Iterable[Row]) -> int:
    """Set `columns` of stored rows; each of `rows` is the primary key and then the values. The number set."""
    fields = [_fields(model)[name] for name in columns]
    key = model._meta.pk
    assert key is not None
    table, names = connection.ops.quote_name(model._meta.db_table), [_column(field) for field in fields]
    if connection.vendor == "postgresql":
        assignments = ", ".join(f"{name} = given.{name}" for name in names)
        arrays = ", ".join(f"%s::{_array_type(field)}" for field in (key, *fields))
        given = f"unnest({arrays}) AS given ({', '.join((_column(key), *names))})"
        statement = f"UPDATE {table} SET {assignments} FROM {given} WHERE {table}.{_column(key)} = given.{_column(key)}"  # noqa: S608
    else:
        assignments = ", ".join(f"{name} = %s" for name in names)
        statement = f"UPDATE {table} SET {assignments} WHERE {_column(key)} = %s"  # noqa: S608 (names from the model)
    return _set(statement, (key, *fields), rows)


def _set(statement: str, fields: Sequence[AnyField], rows: Iterable[Row]) -> int:
    written = 0
    adapters = [_adapter(field) or _as_it_is for field in fields]
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        for chunk in _chunks(rows):
            values = [
                [adapt(value) for value in column]
                for adapt, column in zip(adapters, zip(*chunk, strict=True), strict=True)
            ]
            if connection.vendor == "postgresql":
                cursor.execute(statement, [_array(column) for column in values])
            else:
                cursor.executemany(statement, list(zip(*values[1:], values[0], strict=True)))
            written += cursor.rowcount
    return written


def delete(model: type[Model], ids: Iterable[UUID]) -> int:
    """Delete the rows with these primary keys; the number deleted.

    Nothing cascades: rows that point here must go first, as the foreign keys (checked on commit) demand.
    """
    field = model._meta.pk
    table = connection.ops.quote_name(model._meta.db_table)
    target = f"DELETE FROM {table} WHERE {_column(field)}"  # noqa: S608 (the model's own names)
    adapt = _adapter(field) or _as_it_is
    deleted = 0
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        for chunk in _chunks(ids):
            if connection.vendor == "postgresql":
                cursor.execute(f"{target} = ANY(%s::{_array_type(field)})", [_array(chunk)])
            else:
                values: list[tuple[Any, ...]] = [(adapt(value),) for value in chunk]
                cursor.executemany(f"{target} = %s", values)
            deleted += cursor.rowcount
    return deleted


def _write(
    model: type[Model], columns: Sequence[str], rows: Iterable[Row], on_conflict: str, key: Sequence[str]
) -> int:
    known = _fields(model)
    fields = [known[name] for name in columns]
    adapters = [_adapter(field) for field in fields]
    positions = [columns.index(name) for name in key]
    statement = _statement(model, fields) + on_conflict
    arrays = connection.vendor == "postgresql"
    written = 0
    # One transaction for all: outside of one, SQLite would commit after every single row.
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        for chunk in _chunks(rows):
            chosen = _last_of_each_key(chunk, positions) if positions else chunk
            values = [
                column if adapt is None else [adapt(value) for value in column]
                for adapt, column in zip(adapters, zip(*chosen, strict=True), strict=True)
            ]
            if arrays:
                cursor.execute(statement, [_array(column) for column in values])
            else:
                cursor.executemany(statement, list(zip(*values, strict=True)))
            written += cursor.rowcount
    return written


def _statement(model: type[Model], fields: Sequence[AnyField]) -> str:
    names = ", ".join(_column(field) for field in fields)
    head = f"INSERT INTO {connection.ops.quote_name(model._meta.db_table)} ({names})"
    if connection.vendor == "postgresql":
        arrays = ", ".join(f"%s::{_array_type(field)}" for field in fields)
        return f"{head} SELECT * FROM unnest({arrays})"  # noqa: S608 (the model's own names)
    return f"{head} VALUES ({', '.join(['%s'] * len(fields))})"


def _chunks(rows: Iterable[T]) -> Iterator[list[T]]:
    source = iter(rows)
    while chunk := list(islice(source, CHUNK)):
        yield chunk


def _last_of_each_key(rows: Sequence[Row], positions: Sequence[int]) -> list[Row]:
    # PostgreSQL refuses to touch a row twice in one statement, where SQLite lets the later one win.
    return list({tuple(row[position] for position in positions): row for row in rows}.values())


def _fields(model: type[Model]) -> dict[str, AnyField]:
    return {field.attname: field for field in model._meta.concrete_fields}


def _column(field: AnyField) -> str:
    assert field.column is not None
    return connection.ops.quote_name(field.column)


def _own(field: AnyField) -> AnyField:
    """The field whose type a foreign key has."""
    while isinstance(field, ForeignKey):
        field = field.target_field
    return field


def _array_type(field: AnyField) -> str:
    own = _own(field)
    # A cast to varchar(n)[] would cut long text in silence; the column itself refuses it.
    kind = "text" if isinstance(own, (CharField, TextField)) else str(own.rel_db_type(connection))
    return f"{kind}[]"


def _array(values: Iterable[object]) -> str:
    """PostgreSQL's text form of an array (its manual, 8.15.6): a third of the driver's time for long texts."""
    return "{" + ",".join(["NULL" if value is None else _element(value) for value in values]) + "}"


def _element(value: object) -> str:
    text = str(value)
    if "\\" in text or '"' in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def _adapter(field: AnyField) -> Adapter | None:
    """How a value of this column reaches the driver; None where it goes as it is."""
    own = _own(field)
    if isinstance(own, (CharField, TextField, IntegerField)):
        return None
    if connection.vendor == "postgresql" and isinstance(own, (UUIDField, DateTimeField)):
        return None
    if isinstance(own, UUIDField):
        return _hex
    if isinstance(own, DateTimeField):
        return _utc_text
    return partial(own.get_db_prep_value, connection=connection, prepared=True)


def _as_it_is(value: object) -> object:
    return value


def _hex(value: UUID | None) -> str | None:
    return None if value is None else value.hex


def _utc_text(value: datetime | None) -> str | None:
    # What Django's SQLite backend stores (`adapt_datetimefield_value`), without its detours.
    return None if value is None else str(value.astimezone(UTC).replace(tzinfo=None))
