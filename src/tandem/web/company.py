"""What an administrator sets for everyone: the company's name, zone, horizon, writing switch, Google client."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from tandem.mailboxes.models import Account, AccountState
from tandem.mailboxes.secrets import seal
from tandem.meetings import linking
from tandem.sync import tokens
from tandem.team.models import Company
from tandem.web import clock
from tandem.web.fields import StyledForm, ZoneField
from tandem.web.request import SignedInRequest, administrators_only

PAUSED = "An administrator paused all writing."
GOOGLES_ENDING = ".apps.googleusercontent.com"


class CompanyForm(StyledForm):
    name = forms.CharField(label="Company", max_length=200)
    time_zone = ZoneField(label="Time zone", help_text="All-day meetings begin at midnight here.")
    horizon_days = forms.IntegerField(
        label="Horizon, in days",
        min_value=1,
        max_value=366,
        help_text="Records show meetings that start within so many days. Calendar pages show all.",
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), "Write a number of days, from 1 to 366."),
    )


class GoogleForm(StyledForm):
    """The OAuth client. A kept secret is never shown; left empty, it stays. An empty id takes both away."""

    client_id = forms.CharField(
        label="Client ID",
        max_length=200,
        required=False,
        widget=forms.TextInput({"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    client_secret = forms.CharField(
        label="Client secret",
        max_length=200,
        required=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, current: Company, **kwargs: Any) -> None:
        super().__init__(*args, initial={"client_id": current.google_client_id}, prefix="google", **kwargs)
        self.kept_id = current.google_client_id if current.google_client_secret else ""
        if self.kept_id:
            self.fields["client_secret"].widget.attrs["placeholder"] = "Kept, and not shown"
            self.fields["client_secret"].help_text = "Stored encrypted. Leave it empty to keep it."
        else:
            self.fields["client_secret"].help_text = "It is stored encrypted, and shown nowhere."

    def clean_client_id(self) -> str:
        found: str = self.cleaned_data["client_id"].strip()
        if found and not settings.GOOGLE_SITE and not found.endswith(GOOGLES_ENDING):
            raise ValidationError(f"A client ID of Google’s ends with {GOOGLES_ENDING}. Copy it whole.")
        return found

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        client_id, secret = found.get("client_id"), found.get("client_secret", "").strip()
        if client_id and not secret and client_id != self.kept_id:
            self.add_error("client_secret", "Write the secret that belongs to this client ID.")
        if secret and not client_id and "client_id" not in self.errors:
            self.add_error("client_id", "Write the client ID that belongs to this secret.")
        return found

    def save(self, current: Company) -> None:
        client_id, secret = self.cleaned_data["client_id"], self.cleaned_data["client_secret"].strip()
        current.google_client_id = client_id
        if secret or not client_id:
            current.google_client_secret = seal(secret) if client_id else ""
        current.save(update_fields=["google_client_id", "google_client_secret"])


@administrators_only
@require_http_methods(["GET", "POST"])
def company(request: SignedInRequest) -> HttpResponse:
    current = Company.current()
    form = CompanyForm(request.POST if request.method == "POST" else None, initial=_initial(current))
    if request.method == "POST" and form.is_valid():
        hours = form.cleaned_data["horizon_days"] * 24
        moved = hours != current.horizon_hours
        current.name, current.time_zone = form.cleaned_data["name"], form.cleaned_data["time_zone"]
        current.horizon_hours = hours
        current.save(update_fields=["name", "time_zone", "horizon_hours"])
        if moved:
            linking.relink_all(now=timezone.now())
        messages.success(request, "Saved the company’s settings.")
        return redirect("company")
    return _page(request, current, form, GoogleForm(current=current))


@sensitive_post_parameters("google-client_secret")
@administrators_only
@require_POST
def google(request: SignedInRequest) -> HttpResponse:
    """The OAuth client of the company. Environment variables go before it, and then nothing is kept here."""
    current = Company.current()
    if tokens.set_by_environment():
        return redirect("company")
    form = GoogleForm(request.POST, current=current)
    if not form.is_valid():
        return _page(request, current, CompanyForm(initial=_initial(current)), form)
    form.save(current)
    said = "Saved. Everyone can connect Google accounts now." if current.google_client_id else "The client was removed."
    messages.success(request, said)
    return redirect(f"{reverse('company')}#google")


def _initial(current: Company) -> dict[str, object]:
    return {"name": current.name, "time_zone": current.time_zone, "horizon_days": current.horizon_hours // 24}


def _page(request: SignedInRequest, current: Company, form: CompanyForm, google_form: GoogleForm) -> HttpResponse:
    connected = Account.objects.filter(provider="google").exclude(state=AccountState.DISCONNECTED).count()
    context = {
        "nav": "settings",
        "setting": "company",
        "form": form,
        "google_form": google_form,
        "google_by_environment": tokens.set_by_environment(),
        "google_ready": tokens.has_client(),
        "google_redirect": tokens.redirect_address(),
        "google_accounts": connected,
        "zones": clock.zone_names(),
        "current": current,
    }
    return render(request, "users/company.html", context, status=422 if form.errors or google_form.errors else 200)


@administrators_only
@require_POST
def pause(request: SignedInRequest) -> HttpResponse:
    """One switch: nothing is written to any calendar and no guest is mailed until it is lifted."""
    Company.objects.filter(id=Company.current().id).update(writing_held=True, held_reason=PAUSED)
    messages.success(request, "Nothing is written to any calendar now. Edits wait here.")
    return redirect("company")


urls: list[URLPattern] = [
    path("company", company, name="company"),
    path("company/google", google, name="company-google"),
    path("company/pause", pause, name="company-pause"),
]
