"""Whether anything that open pages show has changed: one small question instead of rendering a page.

Whoever writes such a thing marks it in the same transaction. Marks are rows of their own and not a
counter, for two mailboxes that sync at once must not wait for each other on one row.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Count, Max, Min

from tandem.team.models import News

KEPT = timedelta(minutes=10)

Version = tuple[int | None, int | None, int]


def mark() -> None:
    """Open pages are out of date once this transaction commits."""
    News.objects.create()


def version() -> Version:
    """What differs after every commit that marked something, until old marks are forgotten (`KEPT`).

    The newest number alone would not do: transactions commit in another order than they took their numbers.
    """
    found = News.objects.aggregate(first=Min("id"), last=Max("id"), count=Count("id"))
    return found["first"], found["last"], found["count"]


def forget_old(now: datetime) -> None:
    """Delete the marks that no page can still be waiting for."""
    old = News.objects.filter(at__lt=now - KEPT)
    if old.exists():  # a DELETE of nothing would still take SQLite's write lock
        old.delete()
