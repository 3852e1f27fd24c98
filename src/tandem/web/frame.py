"""What every page shows around its own content: the company's name, counts, and what is due."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from tandem.crm.kinds import KINDS, KindInfo
from tandem.crm.lists import CAP, capped_count
from tandem.crm.models import Record
from tandem.meetings.models import Intent
from tandem.team.models import Company, User


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context of every template. Counts are read only where a template shows them."""
    context: dict[str, Any] = {"company": SimpleLazyObject(Company.current)}
    if isinstance(getattr(request, "user", None), User):
        user = request.user
        context["nav_kinds"] = SimpleLazyObject(nav_kinds)
        context["due"] = SimpleLazyObject(lambda: due_count(user))
    return context


def nav_kinds() -> list[tuple[KindInfo, str]]:
    """The four lists and how many records each holds, "1000+" beyond a thousand, "" for none."""
    return [(kind, count_words(capped_count(Record.objects.filter(kind=kind.kind)))) for kind in KINDS]


def count_words(count: int) -> str:
    return "" if count == 0 else f"{CAP}+" if count > CAP else str(count)


def due_count(user: Any) -> int:
    """How many of this user's edits met another edit and wait for a choice."""
    return Intent.objects.filter(author=user, state=Intent.State.CONFLICT).count()
