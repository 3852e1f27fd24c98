"""Pages for what did not work: what it means and what to do, never a code as the message."""

from __future__ import annotations

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def page(request: HttpRequest, status: int, title: str, words: str) -> HttpResponse:
    """One page for every failure; inside the frame for those who are signed in."""
    signed_in = getattr(request, "user", None) is not None and request.user.is_authenticated
    template = "errors/framed.html" if signed_in else "errors/bare.html"
    return render(request, template, {"title": title, "words": words}, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, DisallowedHost):
        # the page's template names the host, and this one may not be named
        return render(None, "errors/host.html", status=400)
    return page(request, 400, "This request makes no sense here", "Go back, reload the page, and try once more.")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    words = str(exception) or "Only the people of this meeting or record may do that."
    return page(request, 403, "This is not yours to change", words)


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF_FAILURE_VIEW: the page was open for very long, or cookies are switched off."""
    return page(
        request,
        403,
        "This page has been open too long",
        "Nothing was saved. Reload the page and send it again; Tandem needs its cookie for that.",
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return page(
        request,
        404,
        "There is nothing at this address",
        "It was deleted, or the link has a typing error. Search finds it if it is still here.",
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """Reads nothing from the database, for that may be what failed."""
    return render(None, "errors/500.html", status=500)
