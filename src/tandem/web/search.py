"""Global search: records of every kind by the beginnings of words or addresses, and meetings by title."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.http import require_GET

from tandem.crm import search_words
from tandem.crm.kinds import KINDS, KindInfo
from tandem.crm.models import Record
from tandem.meetings import reading
from tandem.web.request import SignedInRequest, is_fragment, plain

EACH = 6
LOOKED_AT = 200


@dataclass(frozen=True, slots=True)
class Group:
    """What one kind has to offer."""

    kind: KindInfo
    rows: list[Record]


@require_GET
def search(request: SignedInRequest) -> HttpResponse:
    """A page; for htmx the results alone."""
    text = plain(request.GET.get("q", ""))[:200]
    groups = [group for group in (found(kind, text) for kind in KINDS) if group.rows] if text else []
    meetings = reading.search(request.user, text, timezone.now(), EACH) if text else []
    context = {"text": text, "groups": groups, "meetings": meetings}
    fragment = is_fragment(request) and request.htmx.target == "results"
    return render(request, "search/_results.html" if fragment else "search/search.html", context)


def found(kind: KindInfo, text: str) -> Group:
    """The first few of a kind by name, out of the first `LOOKED_AT` found."""
    ids = search_words.found(kind.kind, text, LOOKED_AT)
    rows = Record.objects.filter(id__in=ids).select_related("company").order_by("sort_name", "id")[:EACH]
    return Group(kind, list(rows))


urls: list[URLPattern] = [path("search", search, name="search")]
