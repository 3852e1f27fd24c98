"""The table of record kinds: one row for each, and what lists and forms show of it."""

from __future__ import annotations

from dataclasses import dataclass

from tandem.crm.models import Kind


@dataclass(frozen=True, slots=True)
class KindInfo:
    """`columns` are those of its list, `fields` those of its form, `filters` those of its list."""

    kind: Kind
    plural: str
    title: str
    singular: str
    icon: str
    columns: tuple[str, ...]
    sorts: tuple[str, ...]
    filters: tuple[str, ...]
    fields: tuple[str, ...]


COMMON_FILTERS = ("owner", "tag", "next", "met")
KINDS = (
    KindInfo(
        Kind.LEAD,
        "leads",
        "Leads",
        "lead",
        "lead",
        ("company_name", "next", "last", "owner"),
        ("name", "next", "last", "created"),
        COMMON_FILTERS,
        ("name", "job_title", "company_name", "website", "emails", "phones", "owner", "tags"),
    ),
    KindInfo(
        Kind.PERSON,
        "people",
        "People",
        "person",
        "person",
        ("company", "next", "last", "owner"),
        ("name", "company", "next", "last", "created"),
        (*COMMON_FILTERS, "company"),
        ("name", "job_title", "company", "emails", "phones", "owner", "tags"),
    ),
    KindInfo(
        Kind.COMPANY,
        "companies",
        "Companies",
        "company",
        "building",
        ("email_domain", "next", "last", "owner"),
        ("name", "next", "last", "created"),
        COMMON_FILTERS,
        ("name", "email_domain", "website", "emails", "phones", "owner", "tags"),
    ),
    KindInfo(
        Kind.OPPORTUNITY,
        "opportunities",
        "Opportunities",
        "opportunity",
        "flag",
        ("company", "stage", "value", "next", "last", "owner"),
        ("name", "company", "next", "last", "created"),
        (*COMMON_FILTERS, "company", "stage", "status"),
        ("name", "company", "primary_contact", "stage", "status", "value", "close_date", "owner", "tags"),
    ),
)
BY_KIND = {row.kind.value: row for row in KINDS}
BY_PLURAL = {row.plural: row for row in KINDS}


def info(kind: str) -> KindInfo:
    """The row of a kind. Raises `KeyError`."""
    return BY_KIND[kind]
