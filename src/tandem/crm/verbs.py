"""What is done to records. Each verb is one transaction, and says whose addresses changed.

`meetings.records` wraps save, delete and convert, so that meetings are linked anew in the same
transaction; pages and the API call those.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from tandem.crm import identities, search_words
from tandem.crm.addresses import FREE_MAIL, BadAddress, domain_of
from tandem.crm.kinds import info
from tandem.crm.models import Kind, Note, OpportunityStatus, Phone, Record, Stage, Tag
from tandem.crm.names import fold
from tandem.team import news
from tandem.team.models import User
from tandem.team.refusals import Invalid as Invalid
from tandem.team.refusals import NotAllowed as NotAllowed


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordData:
    """Everything that people keep of a record. Fields of other kinds are ignored (`kinds.py`).

    `emails` and `phones` are (as typed, category); their order is kept. `value_cents` is in the
    currency's hundredth part.
    """

    name: str
    owner_id: UUID | None = None
    job_title: str = ""
    company_id: UUID | None = None
    company_name: str = ""
    email_domain: str = ""
    website: str = ""
    primary_contact_id: UUID | None = None
    stage_id: UUID | None = None
    status: str = ""
    value_cents: int | None = None
    currency: str = ""
    close_date: date | None = None
    emails: tuple[tuple[str, str], ...] = ()
    phones: tuple[tuple[str, str], ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertData:
    """What becomes of a lead: the person, a company (an existing one by id, or a new one by name, or
    none), and an opportunity unless its name is empty."""

    person_name: str
    company_id: UUID | None = None
    company_name: str = ""
    opportunity_name: str = ""
    stage_id: UUID | None = None
    value_cents: int | None = None
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """`record` is the one worked on; `changed` are the ids of all records whose addresses changed."""

    record: Record
    changed: frozenset[UUID]


# which attributes each form field of `kinds.py` stands for
ATTRIBUTES = {
    "name": ("name",),
    "job_title": ("job_title",),
    "company": ("company_id",),
    "company_name": ("company_name",),
    "email_domain": ("email_domain",),
    "website": ("website",),
    "primary_contact": ("primary_contact_id",),
    "stage": ("stage_id",),
    "status": ("status",),
    "value": ("value_cents", "currency"),
    "close_date": ("close_date",),
    "owner": ("owner_id",),
}


@transaction.atomic
def save(user: User, record: Record | None, kind: Kind, data: RecordData, *, now: datetime) -> Done:
    """Makes a record, or changes one. Raises `NotAllowed`, `Invalid`."""
    need_editor(user)
    check(kind, data)
    record = record or Record(kind=kind)
    fields = info(kind).fields
    changed_columns = ["name", "sort_name", "updated_at"]
    for column in (column for field in fields for column in ATTRIBUTES.get(field, ())):
        setattr(record, column, getattr(data, column))
        changed_columns.append(column)
    record.sort_name = fold(record.name)
    # only these columns: sync may be writing last and next meeting at this moment
    record.save(force_insert=True) if record._state.adding else record.save(update_fields=set(changed_columns))
    own_changed = keep_lists(record, data, fields)
    search_words.refresh(record)
    news.mark()
    changed = identities.refresh({record.id}) if kind in {Kind.PERSON, Kind.OPPORTUNITY} else set()
    return Done(record, frozenset(changed | ({record.id} if own_changed else set())))


def keep_lists(record: Record, data: RecordData, fields: tuple[str, ...]) -> bool:
    """Addresses, phones and tags, of those that the kind has. Returns whether an address came or went."""
    if "phones" in fields:
        keep_phones(record, data.phones)
    if "tags" in fields:
        keep_tags(record, data.tags)
    if "emails" not in fields:
        return False
    try:
        return identities.keep_own(record, data.emails)
    except BadAddress as bad:
        raise Invalid("emails", bad.words) from bad


@transaction.atomic
def delete(user: User, record: Record, *, now: datetime) -> frozenset[UUID]:
    """Deletes a record with its notes and links. Meetings stay where they are. Raises `NotAllowed`.

    People of a company, and opportunities of a person, stay without it. Returns who lost an address.
    """
    need_editor(user)
    # what it lent and what it borrowed goes with it, by the foreign keys
    lost = frozenset(record.lent_identities.values_list("record", flat=True))
    record.delete()
    news.mark()
    return lost


@transaction.atomic
def convert(user: User, lead: Record, data: ConvertData, *, now: datetime) -> Done:
    """Turns a lead into a person, with a company and an opportunity as `data` says.

    The record keeps its id, so that its notes, addresses, meetings and links go along.
    Raises `NotAllowed`, `Invalid`.
    """
    need_editor(user)
    if lead.kind != Kind.LEAD:
        raise Invalid("person_name", f"{lead.name} is not a lead any more.")
    changed: set[UUID] = {lead.id}
    company_id = data.company_id or new_company(user, lead, data.company_name, now)
    lead.kind, lead.company_name, lead.website = Kind.PERSON, "", ""
    lead.save(update_fields=["kind", "company_name", "website", "updated_at"])
    person = replace(data_of(lead), name=data.person_name, company_id=company_id)
    changed |= save(user, lead, Kind.PERSON, person, now=now).changed
    if data.opportunity_name.strip():
        opportunity = RecordData(
            name=data.opportunity_name,
            owner_id=lead.owner_id or user.id,
            company_id=company_id,
            primary_contact_id=lead.id,
            stage_id=data.stage_id,
            status=OpportunityStatus.OPEN,
            value_cents=data.value_cents,
            currency=data.currency,
        )
        changed |= save(user, None, Kind.OPPORTUNITY, opportunity, now=now).changed
    return Done(lead, frozenset(changed))


def new_company(user: User, lead: Record, name: str, now: datetime) -> UUID | None:
    """The company that a converted lead brings along; its domain is the lead's, unless that is free mail."""
    if not name.strip():
        return None
    address = lead.identities.filter(via=None).order_by("position").values_list("address", flat=True).first()
    domain = domain_of(address) if address else ""
    data = RecordData(
        name=name,
        owner_id=lead.owner_id,
        website=lead.website,
        email_domain="" if domain in FREE_MAIL else domain,
    )
    return save(user, None, Kind.COMPANY, data, now=now).record.id


@transaction.atomic
def add_note(user: User, record: Record, text: str, *, now: datetime) -> Note:
    """Raises `NotAllowed`, `Invalid`."""
    need_editor(user)
    if not text.strip():
        raise Invalid("text", "The note is empty.")
    note = Note.objects.create(record=record, author=user, text=text.strip())
    # auto_now_add knows only the machine's clock; the caller's `now` rules
    Note.objects.filter(id=note.id).update(created_at=now)
    note.created_at = now
    news.mark()
    return note


@transaction.atomic
def delete_note(user: User, note: Note) -> None:
    """Authors delete their own notes, administrators any. Raises `NotAllowed`."""
    need_editor(user)
    if note.author_id != user.id and not user.is_administrator:
        raise NotAllowed("Only who wrote a note, or an administrator, deletes it.")
    note.delete()
    news.mark()


def data_of(record: Record) -> RecordData:
    """A stored record as data: what its form starts with."""
    own = record.identities.filter(via=None).order_by("position", "id")
    columns: dict[str, Any] = {column: getattr(record, column) for names in ATTRIBUTES.values() for column in names}
    return RecordData(
        **columns,
        emails=tuple((row.typed or row.address, row.category) for row in own),
        phones=tuple((row.number, row.category) for row in record.phones.order_by("position", "id")),
        tags=tuple(record.tags.order_by("name").values_list("name", flat=True)),
    )


def check(kind: Kind, data: RecordData) -> None:
    """Raises `Invalid` for a value that this kind can't have."""
    if not data.name.strip():
        raise Invalid("name", f"{'An' if kind == Kind.OPPORTUNITY else 'A'} {info(kind).singular} needs a name.")
    if data.company_id and not Record.objects.filter(id=data.company_id, kind=Kind.COMPANY).exists():
        raise Invalid("company", "This company isn’t here any more. Choose another.")
    if data.primary_contact_id and not Record.objects.filter(id=data.primary_contact_id, kind=Kind.PERSON).exists():
        raise Invalid("primary_contact", "This person isn’t here any more. Choose another.")
    if data.stage_id and not Stage.objects.filter(id=data.stage_id).exists():
        raise Invalid("stage", "This stage isn’t here any more. Choose another.")
    if data.owner_id and not User.objects.filter(id=data.owner_id).exists():
        raise Invalid("owner", "This colleague isn’t here any more. Choose another.")
    if data.status and data.status not in OpportunityStatus.values:
        raise Invalid("status", "Choose one of the statuses.")
    if data.value_cents is not None and not 0 <= data.value_cents < 10**17:
        raise Invalid("value", "A value is between 0 and a thousand million million.")


def keep_phones(record: Record, phones: tuple[tuple[str, str], ...]) -> None:
    stored = list(record.phones.order_by("position", "id").values_list("number", "category"))
    wanted = [(number.strip(), category) for number, category in phones if number.strip()]
    if stored != wanted:
        record.phones.all().delete()
        Phone.objects.bulk_create(
            [
                Phone(record=record, number=number, category=category, position=position)
                for position, (number, category) in enumerate(wanted)
            ]
        )


def keep_tags(record: Record, tags: tuple[str, ...]) -> None:
    """Two tags that differ in case alone are one, spelled as typed first."""
    wanted = {name.strip().casefold(): name.strip()[:60] for name in reversed(tags) if name.strip()}
    stored = dict(record.tags.values_list("name", "id"))
    record.tags.exclude(name__in=wanted.values()).delete()
    Tag.objects.bulk_create([Tag(record=record, name=name) for name in wanted.values() if name not in stored])


def need_editor(user: User) -> None:
    if not user.may_edit:
        raise NotAllowed("Your role is read-only: you see every record, and change none.")
