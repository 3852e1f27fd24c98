"""The lists, previews and pages of the four kinds of record."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, register_converter

from tandem.crm.kinds import BY_PLURAL
from tandem.web.request import SignedInRequest


class PluralConverter:
    """`people` in an address; anything but a kind's plural doesn't match."""

    regex = "|".join(BY_PLURAL)

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(PluralConverter, "plural")


def records(request: SignedInRequest, plural: str) -> HttpResponse:
    return render(request, "more.html", {"nav": plural})


urls: list[URLPattern] = [
    path("<plural:plural>", records, name="records"),
    path("<plural:plural>/new", records, name="record-new"),
]
