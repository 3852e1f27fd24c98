"""A record's form as it was typed: read from the request, checked, and shown again with what was wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from django.http import QueryDict

from tandem.crm.addresses import BadAddress, checked_address
from tandem.crm.kinds import KindInfo
from tandem.crm.models import EmailCategory, Kind, Record
from tandem.crm.names import fold
from tandem.crm.verbs import RecordData
from tandem.web.list_state import uuid_of
from tandem.web.request import plain

CURRENCIES = ("EUR", "USD", "GBP", "CHF", "SEK", "NOK", "DKK", "PLN", "JPY", "AUD", "CAD")
LENGTHS = {"name": 300, "job_title": 200, "company_name": 300, "email_domain": 253, "website": 300, "tags": 1000}


@dataclass
class Line:
    """One address or phone as typed, its category, and what is wrong with it."""

    value: str = ""
    category: str = EmailCategory.WORK
    error: str = ""


@dataclass
class Draft:
    """`text` holds the single fields as typed, by the names of the form's inputs; `errors` words by field."""

    kind: KindInfo
    text: dict[str, str]
    emails: list[Line]
    phones: list[Line]
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def is_valid(self) -> bool:
        return not self.errors

    def with_room(self) -> Draft:
        """The draft with an empty line at the end of each list, to type into."""
        for lines in (self.emails, self.phones):
            if not lines or lines[-1].value:
                lines.append(Line())
        return self


def of_record(kind: KindInfo, data: RecordData) -> Draft:
    """The form of a stored record, or of a new one with some values given."""
    names = {
        row.id: row.name
        for row in Record.objects.filter(id__in=[data.company_id, data.primary_contact_id] if data else [])
    }
    text = {
        "name": data.name,
        "job_title": data.job_title,
        "company": names.get(data.company_id, "") if data.company_id else "",
        "company_id": str(data.company_id or ""),
        "company_name": data.company_name,
        "email_domain": data.email_domain,
        "website": data.website,
        "primary_contact": names.get(data.primary_contact_id, "") if data.primary_contact_id else "",
        "primary_contact_id": str(data.primary_contact_id or ""),
        "stage": str(data.stage_id or ""),
        "status": data.status or "open",
        "value": value_words(data.value_cents),
        "currency": data.currency or "EUR",
        "close_date": data.close_date.isoformat() if data.close_date else "",
        "owner": str(data.owner_id or ""),
        "tags": ", ".join(data.tags),
    }
    return Draft(
        kind,
        text,
        [Line(value, category) for value, category in data.emails],
        [Line(value, category) for value, category in data.phones],
    ).with_room()


def read(kind: KindInfo, form: QueryDict) -> tuple[Draft, RecordData | None]:
    """What was typed, and the data it means; None with `errors` in the draft when it means none."""
    names = [*of_record(kind, RecordData(name="")).text]
    draft = Draft(kind, {name: plain(form.get(name, "")) for name in names}, lines(form, "email"), lines(form, "phone"))
    check_lengths(draft)
    data = RecordData(
        name=draft.text["name"],
        job_title=draft.text["job_title"],
        company_name=draft.text["company_name"],
        email_domain=draft.text["email_domain"].lower().removeprefix("@"),
        website=draft.text["website"],
        company_id=chosen(draft, "company", Kind.COMPANY),
        primary_contact_id=chosen(draft, "primary_contact", Kind.PERSON),
        stage_id=uuid_of(draft.text["stage"]),
        status=draft.text["status"] if kind.kind == Kind.OPPORTUNITY else "",
        value_cents=attempt(draft, "value", cents),
        currency=draft.text["currency"] if draft.text["currency"] in CURRENCIES else "EUR",
        close_date=attempt(draft, "close_date", day),
        owner_id=uuid_of(draft.text["owner"]),
        emails=addresses(draft),
        phones=tuple((line.value[:50], line.category) for line in draft.phones if line.value),
        tags=tuple(tag.strip() for tag in draft.text["tags"].split(",") if tag.strip()),
    )
    if not data.name:
        draft.errors["name"] = "A name is needed."
    draft.with_room()
    return draft, data if draft.is_valid else None


def lines(form: QueryDict, name: str) -> list[Line]:
    """The repeated inputs `name` and `name`_category, side by side."""
    values, categories = form.getlist(name)[:50], form.getlist(f"{name}_category")
    found = []
    for at, value in enumerate(values):
        category = categories[at] if at < len(categories) else ""
        if plain(value):
            known = category if category in EmailCategory.values else EmailCategory.WORK
            found.append(Line(plain(value), known))
    return found


def addresses(draft: Draft) -> tuple[tuple[str, str], ...]:
    """The mail addresses; one that can't be is marked on its line."""
    seen: set[str] = set()
    for line in draft.emails:
        try:
            address = checked_address(line.value)
        except BadAddress as bad:
            line.error = bad.words
        else:
            line.error = "This address stands here twice." if address in seen else ""
            seen.add(address)
        if line.error:
            draft.errors["emails"] = line.error
    return tuple((line.value, line.category) for line in draft.emails)


def chosen(draft: Draft, name: str, kind: Kind) -> UUID | None:
    """The record that a searchable field names: the one chosen before, or the only one called so."""
    words = draft.text[name]
    if not words or name not in draft.kind.fields:
        draft.text[f"{name}_id"] = ""
        return None
    named = Record.objects.filter(kind=kind, sort_name=fold(words))
    before = uuid_of(draft.text[f"{name}_id"])
    ids = list(named.values_list("id", flat=True)[:3])
    if before and (before in ids or named.filter(id=before).exists()):
        return before
    if len(ids) == 1:
        draft.text[f"{name}_id"] = str(ids[0])
        return ids[0]
    noun = "company" if kind == Kind.COMPANY else "person"
    many = f"{len(ids)} are called “{words}”. Open the right one and add from there."
    draft.errors[name] = many if ids else f"No {noun} is called “{words}”. Choose one from the list, or add it first."
    return None


def attempt(draft: Draft, name: str, parse: Any) -> Any:
    """The value of a field, or None with the parser's words in `errors`."""
    if not draft.text[name] or name not in draft.kind.fields:
        return None
    try:
        return parse(draft.text[name])
    except ValueError as error:
        draft.errors[name] = str(error)
        return None


def cents(text: str) -> int:
    """`84,000.50` in hundredths. Raises `ValueError` with words."""
    plain = text.replace(",", "").replace(" ", "").replace("\u00a0", "")
    try:
        amount = Decimal(plain)
    except InvalidOperation:
        raise ValueError("This isn’t an amount. Write it like 84,000 or 84000.50.") from None
    if not amount.is_finite() or not 0 <= amount < 10**15:
        raise ValueError("An amount is between 0 and a thousand million million.")
    return int((amount * 100).to_integral_value())


def day(text: str) -> date:
    """Raises `ValueError` with words."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("This isn’t a date. Write it like 2026-01-30.") from None


def value_words(amount: int | None) -> str:
    if amount is None:
        return ""
    return f"{amount // 100:,}" if amount % 100 == 0 else f"{Decimal(amount) / 100:,.2f}"


def check_lengths(draft: Draft) -> None:
    for name, most in LENGTHS.items():
        if len(draft.text[name]) > most:
            draft.errors[name] = f"This is too long: {most} characters are the most."
