"""What a list's page shows: rows, headings, filters, and the preview of one record."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from tandem.crm import lists
from tandem.crm.kinds import KindInfo
from tandem.crm.models import OpportunityStatus, Record, Stage
from tandem.team.models import User
from tandem.web import list_state, record_page
from tandem.web.calendar_section import calendar_section
from tandem.web.list_state import ListState
from tandem.web.next_hues import next_hues
from tandem.web.request import SignedInRequest

HEADS = {
    "company": ("Company", "c-org"),
    "company_name": ("Company", "c-org"),
    "email_domain": ("Domain", "c-org"),
    "stage": ("Stage", "c-stage"),
    "value": ("Value", "c-value num"),
    "next": ("Next meeting", "c-next"),
    "last": ("Last met", "c-last num"),
    "owner": ("Owner", "c-own"),
}


def context(request: SignedInRequest, state: ListState) -> dict[str, Any]:
    """The context of `records/list.html`. Raises `lists.BadCursor`."""
    now = timezone.now()
    found = lists.matching(state.kind.kind, state.filters, now=now)
    page = lists.read(found, state.sort, reverse=state.reverse, after=state.after)
    shown: dict[str, Any] = {
        "kind": state.kind,
        "nav": state.kind.plural,
        "state": state,
        "page": page,
        "hues": next_hues(page.rows),
        "count": lists.capped_count(found),
        "cap": lists.CAP,
        "chips": list_state.chips(state, request.user),
        "heads": [head(state, column) for column in ("name", *state.kind.columns)],
        "choices": choices(state.kind),
        "base": reverse("records", args=[state.kind.plural]) + state.link(),
    }
    preview = list_state.uuid_of(request.GET.get("preview", ""))
    if preview:
        shown |= preview_context(request, state.kind, preview, page)
    return shown


def head(state: ListState, column: str) -> dict[str, str]:
    """A column's heading: its words, and how a click on it sorts."""
    title, css = ("Name", "c-name") if column == "name" else HEADS[column]
    if column not in state.kind.sorts:
        return {"title": title, "css": css}
    chosen = state.sort == column
    turned = chosen and not state.reverse
    falls = lists.SORTS[column].falls != (chosen and state.reverse)
    return {
        "title": title,
        "css": css,
        "link": state.link(sort=f"-{column}" if turned else column),
        "sorted": ("descending" if falls else "ascending") if chosen else "",
    }


def choices(kind: KindInfo) -> dict[str, Any]:
    """What the filter's menus offer."""
    return {
        "users": User.objects.filter(is_active=True).order_by("name"),
        "days": list_state.DAYS,
        "stages": Stage.objects.select_related("pipeline") if "stage" in kind.filters else None,
        "statuses": OpportunityStatus.choices if "status" in kind.filters else None,
    }


def preview_context(request: SignedInRequest, kind: KindInfo, record_id: UUID, page: lists.Page) -> dict[str, Any]:
    """The pane's part of the list's context; nothing for a record that is gone."""
    record = with_relations().filter(id=record_id, kind=kind.kind).first()
    if record is None:
        return {}
    ids = [row.id for row in page.rows]
    at = ids.index(record.id) if record.id in ids else None
    return {
        "record": record,
        "section": calendar_section(record, request.user, timezone.now()),
        "phones": list(record.phones.order_by("position", "id")),
        "position": page.position + at + 1 if at is not None else None,
        "previous": ids[at - 1] if at else None,
        "following": ids[at + 1] if at is not None and at + 1 < len(ids) else None,
        **record_page.preview_context(record),
    }


def with_relations() -> QuerySet[Record]:
    return Record.objects.select_related("owner", "company", "primary_contact", "stage__pipeline")
