"""The lists, previews and pages of the four kinds of record."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from tandem.crm import lists
from tandem.crm.kinds import BY_PLURAL, info
from tandem.web import list_state, live, record_forms, record_list, record_page
from tandem.web.plurals import PLURAL
from tandem.web.request import SignedInRequest, is_fragment


@require_GET
@live.page
def records(request: SignedInRequest, plural: str) -> HttpResponse:
    """A list, with `?preview=<id>` in its pane. For htmx only the pane, when that is its target."""
    kind = BY_PLURAL[plural]
    state = list_state.read(kind, request.GET, request.user)
    try:
        context = record_list.context(request, state)
    except lists.BadCursor:
        return HttpResponseRedirect(request.path + state.link())
    if is_fragment(request) and request.htmx.target == "preview":
        return render(request, "records/_preview.html", context)
    return render(request, "records/list.html", context)


@require_GET
def record_preview(request: SignedInRequest, plural: str, record_id: UUID) -> HttpResponse:
    """A short address of a preview: the list with the pane open."""
    return redirect(f"{reverse('records', args=[plural])}?preview={record_id}")


@require_GET
@live.page
def record(request: SignedInRequest, plural: str, record_id: UUID) -> HttpResponse:
    """A record's page. A lead that became a person answers under its new address."""
    found = get_object_or_404(record_list.with_relations(), id=record_id)
    if info(found.kind).plural != plural:
        if plural != "leads":
            raise Http404
        return redirect("record", info(found.kind).plural, found.id)
    show = request.GET.get("show", "")
    context = record_page.context(found, request.user, timezone.now(), show=show)
    return render(request, "records/record.html", context)


urls: list[URLPattern] = [
    path(PLURAL, records, name="records"),
    *record_forms.urls,
    path(f"{PLURAL}/<uuid:record_id>", record, name="record"),
    path(f"{PLURAL}/<uuid:record_id>/preview", record_preview, name="record-preview"),
]
