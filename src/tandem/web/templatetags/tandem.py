"""Words and shapes that templates need: dates as people write them, avatars, icons.

Times are shown in the reader's zone, which `middleware.Presence` activates.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django import template
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from tandem.crm.kinds import info
from tandem.crm.models import Kind, Record
from tandem.team.models import User
from tandem.web import clock
from tandem.web import sync_pill as pills

register = template.Library()


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """`{% icon "plus" "icon-s" %}`: a sign from `_icons.html`, silent to screen readers."""
    return format_html(
        '<svg class="icon{}" aria-hidden="true"><use href="#i-{}"/></svg>', f" {extra}" if extra else "", name
    )


@register.simple_tag
def user_avatar(user: User | None, size: str = "20") -> SafeString:
    """A colleague's initials in their hue, their name as title. Nothing for nobody. Size 20, 24, 28 or 36."""
    if user is None:
        return SafeString("")
    return format_html(
        '<span class="avatar{} avatar-user cal-{}" title="{}">{}</span>',
        "" if size == "24" else f" avatar-{size}",
        user.hue,
        user.name,
        user.initials,
    )


@register.simple_tag
def record_avatar(record: Record, size: str = "28") -> SafeString:
    """A customer's initials, grey; companies are square, opportunities and leads carry their icon."""
    scale = "" if size == "24" else f" avatar-{size}"
    if record.kind in {Kind.COMPANY, Kind.OPPORTUNITY}:
        inner = record.initials[:1] if record.kind == Kind.COMPANY else icon("flag", "icon-l" if size == "56" else "")
        return format_html('<span class="avatar{} avatar-org" aria-hidden="true">{}</span>', scale, inner)
    return format_html('<span class="avatar{}" aria-hidden="true">{}</span>', scale, record.initials)


@register.filter
def record_url(record: Record) -> str:
    """The address of a record's page."""
    return reverse("record", args=[info(record.kind).plural, record.id])


@register.filter
def plural_slug(kind: str) -> str:
    return info(kind).plural


@register.filter
def first_name(name: str) -> str:
    return name.split()[0] if name.split() else name


@register.filter
def moment(value: datetime | date | None) -> str:
    """`Thu 11 Dec, 14:00`, "Today, 10:30", with the year when it is another one; "" for None."""
    return clock.moment(value, timezone.now()) if value else ""


@register.filter
def moment_within(value: datetime | date | None) -> str:
    """The same amid a sentence: `today, 10:30`."""
    return clock.moment_within(value, timezone.now()) if value else ""


@register.filter
def day(value: datetime | date | None) -> str:
    """The day alone: `Thu 11 Dec`, "Today", "Yesterday"; "" for None."""
    return clock.day(value, timezone.now()) if value else ""


@register.filter
def short_day(value: datetime | date | None) -> str:
    """`27 Nov`, "Today", `27 Nov 2024`; "" for None."""
    return clock.short_day(value, timezone.now()) if value else ""


@register.filter
def hour(value: datetime | None) -> str:
    """`14:00` in the reader's zone."""
    return timezone.localtime(value).strftime("%H:%M") if value else ""


@register.filter
def ago(value: datetime | None) -> str:
    """`40 s ago`, `3 min ago`, `2 h ago`, then the moment."""
    return clock.ago(value, timezone.now()) if value else "never"


@register.filter
def other_zone(name: str) -> str:
    """The zone's name when it is not the reader's, else ""."""
    return "" if not name or name == timezone.get_current_timezone_name() else clock.zone_words(name)


@register.filter
def money(cents: int | None, currency: str = "") -> str:
    """`€84,000`, with the cents only when there are some; "" for None."""
    if cents is None:
        return ""
    amount = Decimal(cents) / 100
    digits = f"{amount:,.0f}" if cents % 100 == 0 else f"{amount:,.2f}"
    sign = {"EUR": "€", "USD": "$", "GBP": "£"}.get(currency)
    return f"{sign}{digits}" if sign else f"{digits} {currency}".strip()


@register.filter
def of(table: dict[Any, Any], key: Any) -> Any:
    """`{{ hues|of:row.id }}`: what the table holds for a key, "" for nothing."""
    return table.get(key, "")


@register.simple_tag(takes_context=True)
def query(context: dict[str, Any], **changes: Any) -> str:
    """The current query string with some keys changed, or dropped when None. Starts with "?"."""
    request: HttpRequest = context["request"]
    values = request.GET.copy()
    for key, value in changes.items():
        if value is None or value == "":
            values.pop(key, None)
        else:
            values[key] = str(value)
    return "?" + urlencode(list(values.lists()), doseq=True)


@register.inclusion_tag("_sync_pill.html", takes_context=True)
def sync_pill(context: dict[str, Any]) -> dict[str, Any]:
    """How sync stands for the reader, and a link to their accounts."""
    return {"pill": pills.sync_pill(context["request"].user, timezone.now())}
