"""A list's address: how `?q=…&owner=me&sort=-next` becomes filters and an order, and words for the chips."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode
from uuid import UUID

from django.http import QueryDict

from tandem.crm.kinds import KindInfo
from tandem.crm.lists import SORTS, Filters
from tandem.crm.models import Kind, OpportunityStatus, Record, Stage
from tandem.team.models import User
from tandem.web.request import plain

DAYS = (7, 30, 60, 90, 180, 365)
KEPT = ("q", "owner", "tag", "next", "met", "quiet", "company", "stage", "status", "sort")


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter in words, and the address of the list without it."""

    label: str
    words: str
    without: str


@dataclass(frozen=True, slots=True)
class ListState:
    """What the address asks for. `values` are its non-empty parameters, `after` the page's cursor."""

    kind: KindInfo
    values: dict[str, str]
    filters: Filters
    sort: str
    reverse: bool
    after: str

    def link(self, **changes: str) -> str:
        """This list with some parameters changed, or dropped when empty; always from its first page."""
        values = {**self.values, **changes}
        kept = [(key, values[key]) for key in KEPT if values.get(key)]
        return "?" + urlencode(kept)

    @property
    def is_filtered(self) -> bool:
        return self.filters != Filters()


def read(kind: KindInfo, query: QueryDict, user: User) -> ListState:
    """Reads an address; what it can't mean is left out, for people edit addresses by hand."""
    values = {key: plain(query.get(key, "")) for key in KEPT if plain(query.get(key, ""))}
    sort, reverse = sort_of(kind, values.get("sort", ""))
    filters = Filters(
        text=values.get("q", "")[:200],
        owner=owner_of(values.get("owner", ""), user),
        tag=values.get("tag", ""),
        next_meeting=values.get("next", "") if values.get("next") in {"yes", "no"} else "",
        met_within=days_of(values.get("met", "")),
        not_met_for=days_of(values.get("quiet", "")),
        company=uuid_of(values.get("company", "")) if "company" in kind.filters else None,
        stage=uuid_of(values.get("stage", "")) if "stage" in kind.filters else None,
        status=status_of(kind, values.get("status", "")),
    )
    return ListState(kind, values, filters, sort, reverse, query.get("after", ""))


def sort_of(kind: KindInfo, text: str) -> tuple[str, bool]:
    """The order and whether it is turned round; by name unless the address says otherwise."""
    name = text.removeprefix("-")
    return (name, text.startswith("-")) if name in SORTS and name in kind.sorts else ("name", False)


def owner_of(text: str, user: User) -> UUID | Literal["none"] | None:
    if text == "me":
        return user.id
    return "none" if text == "none" else uuid_of(text)


def status_of(kind: KindInfo, text: str) -> str:
    return text if "status" in kind.filters and text in OpportunityStatus.values else ""


def days_of(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 and 0 < int(text) <= 3650 else None


def uuid_of(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def chips(state: ListState, user: User) -> list[Chip]:
    """The filters in force, in words."""
    filters = state.filters
    said = [
        ("owner", "Owner", owner_words(filters.owner, user)),
        ("tag", "Tag", filters.tag),
        ("next", "Next meeting", {"yes": "planned", "no": "none"}.get(filters.next_meeting, "")),
        ("met", "Last met", f"within {filters.met_within} days" if filters.met_within else ""),
        ("quiet", "Quiet", f"for {filters.not_met_for} days" if filters.not_met_for else ""),
        ("company", "Company", name_of(filters.company)),
        ("stage", "Stage", stage_words(filters.stage)),
        ("status", "Status", OpportunityStatus(filters.status).label if filters.status else ""),
    ]
    return [Chip(label, words, state.link(**{key: ""})) for key, label, words in said if words]


def owner_words(owner: UUID | Literal["none"] | None, user: User) -> str:
    if owner is None:
        return ""
    if owner == "none":
        return "nobody"
    if owner == user.id:
        return "you"
    return User.objects.filter(id=owner).values_list("name", flat=True).first() or "somebody who left"


def name_of(company: UUID | None) -> str:
    if company is None:
        return ""
    found = Record.objects.filter(id=company, kind=Kind.COMPANY).values_list("name", flat=True).first()
    return found or "one that was deleted"


def stage_words(stage: UUID | None) -> str:
    if stage is None:
        return ""
    return Stage.objects.filter(id=stage).values_list("name", flat=True).first() or "one that was deleted"
