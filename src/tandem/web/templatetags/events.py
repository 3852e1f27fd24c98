"""Tags of the event rows and sections, so that any page can include them with a row and nothing else."""

from __future__ import annotations

import re
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from tandem.crm.models import Record
from tandem.meetings.reading import Section
from tandem.meetings.rows import EventRow
from tandem.web import event_rows, handoffs

register = template.Library()

_LINK = re.compile(r"https?://[^\s<>\"']+")


@register.simple_tag(takes_context=True)
def event_view(context: dict[str, Any], row: EventRow) -> event_rows.RowView:
    """`{% event_view row as e %}`: the row in words for whoever reads the page."""
    return event_rows.view(row, context["request"].user, timezone.now())


@register.simple_tag(takes_context=True)
def section_view(context: dict[str, Any], section: Section, record: Record) -> event_rows.SectionView:
    """`{% section_view section record as s %}`: a record's Calendar events in words."""
    return event_rows.section_view(section, record, context["request"].user, timezone.now())


@register.simple_tag(takes_context=True)
def hand_offs(context: dict[str, Any], record: Record) -> list[handoffs.Waiting]:
    """`{% hand_offs record as waits %}`: events that the reader went to make elsewhere, from this record."""
    return handoffs.waiting(record, context["request"].user, timezone.now())


@register.filter
def linkified(text: str) -> SafeString:
    """Plain text as HTML: escaped, with http(s) addresses as links that tell the other site nothing."""
    parts: list[str] = []
    at = 0
    for match in _LINK.finditer(text):
        url = match.group().rstrip(".,;:!?)")
        parts.append(conditional_escape(text[at : match.start()]))
        parts.append(format_html('<a class="text-link" href="{}" rel="noopener noreferrer nofollow">{}</a>', url, url))
        at = match.start() + len(url)
    parts.append(conditional_escape(text[at:]))
    return mark_safe("".join(parts))  # noqa: S308  every part is escaped above
