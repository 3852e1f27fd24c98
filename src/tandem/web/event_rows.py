"""One event row for every surface: what `_event_row.html`, the agenda and the week show of an EventRow."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.urls import reverse

from tandem.calendaring.event import zone
from tandem.crm.models import Kind, Record
from tandem.meetings.reading import Section
from tandem.meetings.rows import EventRow
from tandem.team.models import User
from tandem.web import when_words

SOON = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class RowView:
    """`css` names the state, `href` is empty where a row leads nowhere (masked, busy)."""

    row: EventRow
    css: str
    title: str
    href: str
    day: date
    iso: str
    start: str
    end: str
    meta: str
    who: str
    why: str
    sign: str
    sign_href: str
    join_url: str


def reader_zone(user: User) -> ZoneInfo:
    """The zone in which `user` reads times."""
    return zone(user.time_zone or "UTC")


def event_url(row: EventRow, name: str = "event") -> str:
    return reverse(name, args=[row.meeting_id, row.original_start or "-"])


def view(row: EventRow, viewer: User, now: datetime) -> RowView:
    """`row` in words, for `viewer` at `now`."""
    tz = reader_zone(viewer)
    start, end = row.starts_at.astimezone(tz), row.ends_at.astimezone(tz)
    all_day = row.when.all_day
    soon = not row.past and not row.cancelled and timedelta() <= row.starts_at - now <= SOON
    time = when_words.span(row.when, row.starts_at, row.ends_at, tz)
    full = row.level == "full"
    return RowView(
        row=row,
        css=_css(row),
        title=row.title or ("Busy" if row.level == "busy" else "No name"),
        href=event_url(row) if full else "",
        day=row.when.first_day if all_day else start.date(),
        iso=row.when.start if all_day else start.isoformat(timespec="minutes"),
        start="" if all_day else when_words.clock(start),
        end="" if all_day else when_words.clock(end),
        meta=row.error if row.sign == "refused" and row.error else _meta(row, time, soon, now),
        who=_who(row),
        why=_why(row),
        sign=row.sign if full else "",
        sign_href=f"{reverse('to-decide')}?meeting={row.meeting_id}" if row.sign == "conflict" else "",
        join_url=row.join_url if full and soon and row.join_url.startswith("https://") else "",
    )


def _css(row: EventRow) -> str:
    hue = "slate" if row.level == "busy" else row.hue
    states = {
        "is-private": row.level == "busy",
        "is-masked": row.level == "masked",
        "is-tentative": row.tentative and not row.cancelled,
        "is-cancelled": row.cancelled,
        "is-declined": row.level == "full" and row.declined,
        "is-past": row.past,
    }
    return " ".join([f"cal-{hue or 'slate'}", *(name for name, on in states.items() if on)])


def _who(row: EventRow) -> str:
    owner = [row.owner.name] if row.owner else []
    if row.level == "busy":
        return when_words.names(owner)
    if row.level == "masked":
        return when_words.names(owner + [name for name in row.who if name not in owner])
    return when_words.names(list(row.who)) or "no guests"


def _meta(row: EventRow, time: str, soon: bool, now: datetime) -> str:
    if row.cancelled:
        return f"{time} · cancelled by {row.cancelled_by}" if row.cancelled_by else f"{time} · cancelled"
    if soon:
        minutes = int((row.starts_at - now).total_seconds() // 60)
        return f"{time}, {'now' if minutes < 1 else 'in ' + when_words.count(minutes, 'minute')}"
    return f"{time} · {_who(row)}" if _who(row) else time


def _why(row: EventRow) -> str:
    if row.level != "masked":
        return ""
    owner = row.owner.name.split()[0] if row.owner else "its owner"
    return f"You aren’t a guest, so the details stay with {owner}."


@dataclass(frozen=True, slots=True)
class SectionView:
    """A record's Calendar events: what to say where there are none, and what comes later."""

    label: str
    upcoming: list[RowView]
    past: list[RowView]
    earlier: int
    later: str
    later_why: str
    empty_title: str
    empty_text: str
    no_address: bool


def section_view(section: Section, record: Record, viewer: User, now: datetime) -> SectionView:
    """`section` in words. Reads the record's address only when there is nothing else to show."""
    today = now.astimezone(reader_zone(viewer)).date()
    bare = not (section.upcoming or section.past or section.later or section.earlier)
    title, text = _empty(section, record) if bare else ("", "")
    later_why = ""
    if section.later_first_appears:
        first = "It" if section.later == 1 else "The first"
        later_why = f"{first} appears here on {when_words.short_day(section.later_first_appears, today)}."
    return SectionView(
        label=f"Create event with {record.name}",
        upcoming=[view(row, viewer, now) for row in section.upcoming],
        past=[view(row, viewer, now) for row in section.past],
        earlier=section.earlier,
        later=when_words.count(section.later, "later meeting") if section.later else "",
        later_why=later_why,
        empty_title=title,
        empty_text=text,
        no_address=not section.addresses,
    )


def call_name(record: Record) -> str:
    """How a sentence calls a record: a person by the first name, a company whole."""
    if record.kind in (Kind.PERSON, Kind.LEAD):
        return record.name.split()[0] if record.name.split() else record.name
    return record.name


def _empty(section: Section, record: Record) -> tuple[str, str]:
    name = call_name(record)
    if not section.addresses:
        return f"{name} has no address yet", _without_address(record, name)
    identity = record.identities.order_by("via", "position").first()
    address = identity.address if identity else "this address"
    return f"No meetings with {name} yet", f"The next one with {address} shows here by itself."


def _without_address(record: Record, name: str) -> str:
    if record.kind == Kind.COMPANY:
        return f"Add a person of {name} with an address, and their meetings appear here."
    if record.kind == Kind.OPPORTUNITY:
        return "Choose a primary contact with an address, and their meetings appear here."
    return f"Add one, and meetings with {name} appear here."
