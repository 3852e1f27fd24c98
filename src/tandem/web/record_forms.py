"""Making, changing, converting and deleting records: the forms in the side panel."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from tandem.crm.kinds import BY_PLURAL, KindInfo
from tandem.crm.models import EmailCategory, Identity, Kind, OpportunityStatus, Record, Stage
from tandem.crm.names import fold
from tandem.crm.verbs import Invalid, RecordData, data_of
from tandem.meetings import records as record_verbs
from tandem.team.models import User
from tandem.web import list_state, record_draft, record_list, record_page
from tandem.web.list_state import uuid_of
from tandem.web.plurals import PLURAL
from tandem.web.record_draft import CURRENCIES, Draft
from tandem.web.request import SignedInRequest, editors_only, plain

OPTIONS = 12


@editors_only
@require_http_methods(["GET", "POST"])
def new(request: SignedInRequest, plural: str) -> HttpResponse:
    """A new record; `?company=` and `?contact=` say whose, `?email=` and `?name=` what is known."""
    return form_page(request, BY_PLURAL[plural], None)


@editors_only
@require_http_methods(["GET", "POST"])
def edit(request: SignedInRequest, plural: str, record_id: UUID) -> HttpResponse:
    kind = BY_PLURAL[plural]
    return form_page(request, kind, get_object_or_404(Record, id=record_id, kind=kind.kind))


def form_page(request: SignedInRequest, kind: KindInfo, record: Record | None) -> HttpResponse:
    if request.method == "GET":
        data = data_of(record) if record else given(request, kind)
        return show(request, kind, record, record_draft.of_record(kind, data))
    draft, data_typed = record_draft.read(kind, request.POST)
    if request.POST.get("more"):
        # without a script, "Add another" sends the form for one more empty line
        draft.errors = {}
        return show(request, kind, record, draft)
    if data_typed is None:
        return show(request, kind, record, draft, status=422)
    try:
        saved = record_verbs.save(request.user, record, kind.kind, data_typed, now=timezone.now())
    except Invalid as invalid:
        draft.errors[invalid.field] = invalid.words
        return show(request, kind, record, draft, status=422)
    messages.success(request, f"Saved {saved.name}.")
    say_shared(request, saved)
    return redirect("record", kind.plural, saved.id)


def given(request: SignedInRequest, kind: KindInfo) -> RecordData:
    """What a new record starts with: its maker as owner, and what the link said."""
    get = request.GET
    data = RecordData(
        name=get.get("name", "")[:300],
        owner_id=request.user.id,
        company_id=uuid_of(get.get("company", "")),
        emails=((get["email"], EmailCategory.WORK),) if get.get("email") and "emails" in kind.fields else (),
    )
    if kind.kind != Kind.OPPORTUNITY:
        return data
    contact_id = uuid_of(get.get("contact", ""))
    contact = Record.objects.filter(id=contact_id, kind=Kind.PERSON).first() if contact_id else None
    first = Stage.objects.values_list("id", flat=True).first()
    return replace(
        data,
        stage_id=first,
        status=OpportunityStatus.OPEN,
        primary_contact_id=contact.id if contact else None,
        company_id=data.company_id or (contact.company_id if contact else None),
    )


def say_shared(request: SignedInRequest, record: Record) -> None:
    """An address may stand on two records, and then both get its meetings: worth a word."""
    own = record.identities.filter(via=None).values("address")
    shared = Identity.objects.filter(address__in=own, via=None).exclude(record=record).select_related("record")
    for row in shared[:3]:
        messages.warning(request, f"{row.address} is on {row.record.name} too. Its meetings show on both.")


def show(
    request: SignedInRequest, kind: KindInfo, record: Record | None, draft: Draft, *, status: int = 200
) -> HttpResponse:
    """The form in a panel, over the record's page, or over the list for a new one."""
    back = reverse("record", args=[kind.plural, record.id]) if record else reverse("records", args=[kind.plural])
    context = {
        "kind": kind,
        "nav": kind.plural,
        "draft": draft,
        "editing": record,
        "back": back,
        "panel": True,
        "categories": EmailCategory.choices,
        # an owner who left stays one until somebody else is chosen
        "users": User.objects.filter(Q(is_active=True) | Q(id=uuid_of(draft.text["owner"]))).order_by("name"),
        "stages": Stage.objects.select_related("pipeline"),
        "statuses": OpportunityStatus.choices,
        "currencies": CURRENCIES,
    }
    if record:
        context = record_page.context(record, request.user, timezone.now()) | context
        return render(request, "records/edit.html", context, status=status)
    behind = record_list.context(request, list_state.read(kind, QueryDict(), request.user))
    return render(request, "records/new.html", behind | context, status=status)


@editors_only
@require_http_methods(["GET", "POST"])
def delete(request: SignedInRequest, plural: str, record_id: UUID) -> HttpResponse:
    """Says what deleting does; a POST does it."""
    kind = BY_PLURAL[plural]
    record = get_object_or_404(Record, id=record_id, kind=kind.kind)
    if request.method == "POST":
        record_verbs.delete(request.user, record, now=timezone.now())
        messages.success(request, f"Deleted {record.name}. Its meetings stay in the calendars.")
        return redirect("records", plural)
    context = record_page.context(record, request.user, timezone.now()) | {
        "panel": True,
        "back": reverse("record", args=[plural, record.id]),
        "note_count": record.notes.count(),
        "loses_company": Record.objects.filter(company=record).count(),
        "loses_contact": Record.objects.filter(primary_contact=record).count(),
    }
    return render(request, "records/delete.html", context)


@require_GET
def options(request: SignedInRequest, plural: str) -> HttpResponse:
    """Names for a searchable field: the records of a kind whose name begins so, as `<option>`s."""
    words = fold(plain(request.GET.get("company", "") or request.GET.get("primary_contact", "")))
    found = Record.objects.filter(kind=BY_PLURAL[plural].kind)
    if words:
        found = found.filter(sort_name__gte=words, sort_name__lt=words + "\U0010ffff")
    rows = found.select_related("company").order_by("sort_name", "id")[:OPTIONS]
    return render(request, "records/_options.html", {"rows": rows})


urls: list[URLPattern] = [
    path(f"{PLURAL}/new", new, name="record-new"),
    path(f"{PLURAL}/options", options, name="record-options"),
    path(f"{PLURAL}/<uuid:record_id>/edit", edit, name="record-edit"),
    path(f"{PLURAL}/<uuid:record_id>/delete", delete, name="record-delete"),
]
