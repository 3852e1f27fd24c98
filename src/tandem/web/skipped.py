"""Events that are in one's calendars and not among one's meetings, each with its reason."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_GET, require_POST

from tandem import jobs
from tandem.meetings import skipped
from tandem.web.request import SignedInRequest


@require_GET
def events(request: SignedInRequest) -> HttpResponse:
    context = {
        "nav": "settings",
        "setting": "accounts",
        "quarantined": skipped.quarantined(request.user),
        "not_counted": skipped.not_counted(request.user),
    }
    return render(request, "accounts/skipped.html", context)


@require_POST
def read_again(request: SignedInRequest, remote_object: UUID) -> HttpResponse:
    calendar = skipped.read_again(request.user, remote_object)
    if calendar is None:
        raise Http404
    jobs.wake(calendar.id)
    messages.success(request, f"Tandem reads it again, in {calendar.name}.")
    return redirect("skipped")


urls: list[URLPattern] = [
    path("accounts/skipped", events, name="skipped"),
    path("accounts/skipped/<uuid:remote_object>/again", read_again, name="skipped-again"),
]
