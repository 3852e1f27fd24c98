"""The Calendar events of a record: one place asks for them, for the preview pane and the page alike."""

from __future__ import annotations

from datetime import datetime

from tandem.crm.models import Record
from tandem.meetings import reading
from tandem.team.models import User


def calendar_section(record: Record, viewer: User, now: datetime, *, past_limit: int = reading.PAST) -> reading.Section:
    """What `_events_section.html` shows as `section`."""
    return reading.section(record, viewer, now, past_limit=past_limit)
