"""Company users."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path

from tandem.web.request import SignedInRequest


def profile(request: SignedInRequest) -> HttpResponse:
    return render(request, "settings.html", {"nav": "settings", "setting": "profile"})


urls: list[URLPattern] = [
    path("profile", profile, name="profile"),
    path("users", profile, name="users"),
    path("users/new", profile, name="user-new"),
]
