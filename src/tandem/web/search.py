"""Search."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path

from tandem.web.request import SignedInRequest


def search(request: SignedInRequest) -> HttpResponse:
    return render(request, "more.html", {})


urls: list[URLPattern] = [path("search", search, name="search")]
