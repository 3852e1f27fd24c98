"""What a record's page shows: facts, related records, and a timeline of notes and meetings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from tandem.crm.kinds import info
from tandem.crm.lists import capped_count
from tandem.crm.models import Identity, Kind, Note, Record, Stage
from tandem.meetings import reading
from tandem.meetings.reading import Section
from tandem.meetings.rows import EventRow
from tandem.team.models import User
from tandem.web.calendar_section import calendar_section

NOTES = 100
MEETINGS = 200
RELATED = 8
TABS = (("everything", "Everything"), ("notes", "Notes"), ("meetings", "Meetings"))


@dataclass(frozen=True, slots=True)
class Fact:
    """An address of the record: as typed, its category, and other records that have it too."""

    typed: str
    address: str
    category: str
    also: list[Record]


@dataclass(frozen=True, slots=True)
class Related:
    """Records to show in a side section, and how many there are in all."""

    rows: list[Record]
    count: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing on the timeline: a note, a meeting that is past, or else that the record was added."""

    at: datetime
    note: Note | None = None
    meeting: EventRow | None = None


def context(record: Record, viewer: User, now: datetime, *, show: str = "everything") -> dict[str, Any]:
    """The context of `records/record.html`. `show` is a key of `TABS`; another counts as everything."""
    show = show if show in dict(TABS) else "everything"
    past_limit = MEETINGS if show == "meetings" else reading.PAST
    section = calendar_section(record, viewer, now, past_limit=past_limit)
    return {
        "record": record,
        "kind": info(record.kind),
        "nav": info(record.kind).plural,
        "section": beginning(section),
        "older": section.earlier if show == "meetings" else 0,
        "show": show,
        "tabs": TABS,
        "timeline": timeline(record, section, show),
        "phones": list(record.phones.order_by("position", "id")),
        "tags": list(record.tags.order_by("name")),
        **preview_context(record),
    }


def beginning(section: Section) -> Section:
    """The part for the side of the page: the last few past meetings, and how many are before those."""
    hidden = len(section.past) - reading.PAST
    if hidden <= 0:
        return section
    return replace(section, past=section.past[: reading.PAST], earlier=section.earlier + hidden)


def preview_context(record: Record) -> dict[str, Any]:
    """The part that the preview pane shows too."""
    return {
        "emails": facts(record),
        "people": people_of(record),
        "opportunities": opportunities_of(record),
        "stages": stage_bar(record),
        "company_people": members(record.company_id).count if record.company_id else 0,
    }


def facts(record: Record) -> list[Fact]:
    """The record's own addresses, each with the other records that own it: both get its meetings."""
    own = list(record.identities.filter(via=None).order_by("position", "id"))
    others = Identity.objects.filter(address__in=[row.address for row in own], via=None).exclude(record=record)
    also: dict[str, list[Record]] = {}
    for row in others.select_related("record").order_by("record__sort_name"):
        also.setdefault(row.address, []).append(row.record)
    return [
        Fact(row.typed or row.address, row.address, row.get_category_display(), also.get(row.address, []))
        for row in own
    ]


def members(company_id: UUID) -> Related:
    people = Record.objects.filter(company_id=company_id, kind=Kind.PERSON)
    return Related(list(people.order_by("sort_name", "id")[:RELATED]), capped_count(people))


def people_of(record: Record) -> Related | None:
    """The people of a company; None for other kinds."""
    return members(record.id) if record.kind == Kind.COMPANY else None


def opportunities_of(record: Record) -> Related | None:
    """The opportunities of a company or of a person; None for other kinds."""
    if record.kind == Kind.COMPANY:
        found = Record.objects.filter(company=record, kind=Kind.OPPORTUNITY)
    elif record.kind == Kind.PERSON:
        found = Record.objects.filter(primary_contact=record, kind=Kind.OPPORTUNITY)
    else:
        return None
    rows = list(found.select_related("stage").order_by("close_date", "sort_name", "id")[:RELATED])
    return Related(with_bars(rows), capped_count(found))


def with_bars(opportunities: list[Record]) -> list[Record]:
    """Gives each opportunity `bar`, one True or False for each stage of its pipeline."""
    for row in opportunities:
        row.bar = stage_bar(row)  # type: ignore[attr-defined]
    return opportunities


def stage_bar(opportunity: Record) -> list[bool]:
    """For each stage of the pipeline, whether the opportunity has come so far; empty without a stage."""
    if opportunity.stage is None:
        return []
    stages = Stage.objects.filter(pipeline=opportunity.stage.pipeline_id).values_list("position", flat=True)
    return [position <= opportunity.stage.position for position in sorted(stages)]


def timeline(record: Record, section: Section, show: str) -> list[Entry]:
    """Notes and past meetings, the newest first; among everything, also when the record was added."""
    entries = [Entry(record.created_at)] if show == "everything" else []
    if show != "meetings":
        notes = record.notes.select_related("author").order_by("-created_at", "-id")[:NOTES]
        entries += [Entry(note.created_at, note=note) for note in notes]
    if show != "notes":
        entries += [Entry(row.starts_at, meeting=row) for row in section.past]
    return sorted(entries, key=lambda entry: entry.at, reverse=True)
