"""Lists."""

from __future__ import annotations

from django.db.models import QuerySet

from tandem.crm.models import Record

CAP = 1000


def capped_count(records: QuerySet[Record]) -> int:
    """How many there are, counted to `CAP + 1` at most: nobody reads further, and a million rows take time."""
    return records.order_by().values("id")[: CAP + 1].count()
