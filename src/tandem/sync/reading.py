"""What is stored of a calendar, in the forms that providers and the planner ask for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial

from tandem.calendaring import event as canonical
from tandem.calendaring.provider import Known, Page, RemoteItem
from tandem.mailboxes.models import Calendar
from tandem.meetings.models import RemoteObject


def stored_item(stored: RemoteObject) -> RemoteItem:
    """A remote object as it was last read: raw payload and etag are of one and the same version."""
    contents = stored.copies.order_by("recurrence_id").values_list("content", flat=True)
    events = tuple(canonical.decode(content) for content in contents)
    return RemoteItem(stored.remote_id, stored.etag, stored.raw, events, stored.schedule_tag, stored.problem)


def gathered(pages: Iterable[Page], size: int = 400) -> Iterator[Page]:
    """The same pages, small ones put together until `size` items: each is one transaction with its own cost.

    The last page stays the last, and what it says of the whole goes with it.
    """
    waiting: Page | None = None
    for page in pages:
        if waiting is not None:
            page = replace(page, items=waiting.items + page.items, removed=waiting.removed + page.removed)
        if len(page.items) >= size and page.cursor is None:
            yield page
            waiting = None
        else:
            waiting = page
    if waiting is not None:
        yield waiting


class KnownObjects(Mapping[str, Known]):
    """The etags of a calendar's stored objects, read from the database only when somebody asks."""

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar
        self._rows: dict[str, Known] | None = None

    def _load(self) -> dict[str, Known]:
        if self._rows is None:
            rows = RemoteObject.objects.filter(calendar=self._calendar).values_list("remote_id", "etag", "problem")
            # A quarantined object is read again: it may have been mended by a better reader.
            self._rows = {
                remote_id: Known("" if problem else etag, partial(self._raw, remote_id))
                for remote_id, etag, problem in rows.iterator()
            }
        return self._rows

    def _raw(self, remote_id: str) -> str:
        """As it is stored now, which may be later than what the etags say: a page was applied meanwhile."""
        row = RemoteObject.objects.filter(calendar=self._calendar, remote_id=remote_id).values_list("raw", flat=True)
        return row.first() or ""

    def __getitem__(self, remote_id: str) -> Known:
        return self._load()[remote_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._load())

    def __len__(self) -> int:
        return len(self._load())
