"""Turning a lead into a person, with its company and an opportunity."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from tandem.crm.models import Kind, Record, Stage
from tandem.crm.names import fold
from tandem.crm.verbs import ConvertData, Invalid
from tandem.meetings import records as record_verbs
from tandem.web import record_page
from tandem.web.list_state import uuid_of
from tandem.web.record_draft import CURRENCIES, cents
from tandem.web.request import SignedInRequest, editors_only, plain


@editors_only
@require_http_methods(["GET", "POST"])
def convert(request: SignedInRequest, record_id: UUID) -> HttpResponse:
    lead = get_object_or_404(Record, id=record_id)
    if lead.kind != Kind.LEAD:
        return redirect("record", "people", lead.id)
    if request.method == "GET":
        typed = {"person_name": lead.name, "company": lead.company_name, "currency": "EUR"}
        return show(request, lead, typed, {})
    typed = {key: plain(request.POST.get(key, "")) for key in (*FIELDS, "currency")}
    data, errors = read(typed)
    if data is None:
        return show(request, lead, typed, errors)
    try:
        person = record_verbs.convert(request.user, lead, data, now=timezone.now())
    except Invalid as invalid:
        return show(request, lead, typed, {invalid.field: invalid.words})
    messages.success(request, f"{person.name} is a person now. Notes and meetings came along.")
    return redirect("record", "people", person.id)


FIELDS = ("person_name", "company", "opportunity", "value", "stage")


def read(typed: dict[str, str]) -> tuple[ConvertData | None, dict[str, str]]:
    """What the form means, or which fields are wrong in which words."""
    errors: dict[str, str] = {}
    if not typed["person_name"]:
        errors["person_name"] = "A name is needed."
    value = None
    if typed["value"]:
        try:
            value = cents(typed["value"])
        except ValueError as error:
            errors["value"] = str(error)
    company = existing_company(typed["company"])
    if errors:
        return None, errors
    data = ConvertData(
        person_name=typed["person_name"][:300],
        company_id=company.id if company else None,
        company_name="" if company else typed["company"][:300],
        opportunity_name=typed["opportunity"][:300],
        stage_id=uuid_of(typed["stage"]),
        value_cents=value if typed["opportunity"] else None,
        currency=typed["currency"] if typed["currency"] in CURRENCIES else "EUR",
    )
    return data, {}


def existing_company(name: str) -> Record | None:
    """The company that is called so already, the oldest of several."""
    if not name:
        return None
    return Record.objects.filter(kind=Kind.COMPANY, sort_name=fold(name)).order_by("id").first()


def show(request: SignedInRequest, lead: Record, typed: dict[str, str], errors: dict[str, str]) -> HttpResponse:
    context = record_page.context(lead, request.user, timezone.now()) | {
        "panel": True,
        "back": reverse("record", args=["leads", lead.id]),
        "typed": typed,
        "errors": errors,
        "existing": existing_company(typed.get("company", "")),
        "stages": Stage.objects.select_related("pipeline"),
        "currencies": CURRENCIES,
    }
    return render(request, "records/convert.html", context, status=422 if errors else 200)


urls: list[URLPattern] = [path("leads/<uuid:record_id>/convert", convert, name="lead-convert")]
