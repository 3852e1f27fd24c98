"""What an administrator sets for everyone: the company's name, its zone, the horizon, and the writing switch."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from tandem.meetings import linking
from tandem.team.models import Company
from tandem.web import clock
from tandem.web.fields import StyledForm, ZoneField
from tandem.web.request import SignedInRequest, administrators_only

PAUSED = "An administrator paused all writing."


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


@administrators_only
@require_http_methods(["GET", "POST"])
def company(request: SignedInRequest) -> HttpResponse:
    current = Company.current()
    initial = {"name": current.name, "time_zone": current.time_zone, "horizon_days": current.horizon_hours // 24}
    form = CompanyForm(request.POST if request.method == "POST" else None, initial=initial)
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
    context = {"nav": "settings", "setting": "company", "form": form, "zones": clock.zone_names(), "current": current}
    return render(request, "users/company.html", context, status=422 if form.errors else 200)


@administrators_only
@require_POST
def pause(request: SignedInRequest) -> HttpResponse:
    """One switch: nothing is written to any calendar and no guest is mailed until it is lifted."""
    Company.objects.filter(id=Company.current().id).update(writing_held=True, held_reason=PAUSED)
    messages.success(request, "Nothing is written to any calendar now. Edits wait here.")
    return redirect("company")


urls: list[URLPattern] = [
    path("company", company, name="company"),
    path("company/pause", pause, name="company-pause"),
]
