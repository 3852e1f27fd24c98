"""What happens around every request: the content policy, the sign-in, the reader's clock and presence."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, cast
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from tandem.calendaring.event import zone
from tandem.sync import due
from tandem.team.models import User
from tandem.web.request import SignedInRequest

GetResponse = Callable[[HttpRequest], HttpResponse]
SEEN_EVERY = timedelta(minutes=1)


class HeadAsGet:
    """A HEAD is answered as a GET would be, without the body (RFC 9110 9.3.2), which waitress leaves to us.

    With a body, the next answer on a connection that is kept open would begin amid it.
    Stands behind WhiteNoise, which answers for files itself.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method != "HEAD":
            return self.get_response(request)
        request.method = "GET"
        response = self.get_response(request)
        response.headers.setdefault("Content-Length", str(len(response.content)))
        response.content = b""
        return response


class ContentSecurityPolicy:
    """No script or style but our files and what carries this response's nonce (`request.csp_nonce`)."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        nonce = secrets.token_urlsafe(16)
        cast(SignedInRequest, request).csp_nonce = nonce
        response = self.get_response(request)
        response.headers.setdefault(
            "Content-Security-Policy",
            f"default-src 'self'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
            "img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        )
        return response


class SignedIn:
    """Everything needs a signed-in user, but views marked with Django's `login_not_required`.

    Before the first user exists, everything leads to the first-run page.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        if request.user.is_authenticated or not getattr(view, "login_required", True):
            return None
        if not User.objects.exists():
            return HttpResponseRedirect(reverse("welcome"))
        if request.headers.get("HX-Request"):
            # htmx follows redirects within the fragment; this header makes the whole page go
            return HttpResponse(status=204, headers={"HX-Redirect": reverse("sign-in")})
        back = request.get_full_path() if request.method == "GET" else "/"
        query = "" if back == "/" else "?" + urlencode({"next": back})
        return HttpResponseRedirect(reverse("sign-in") + query)


class Presence:
    """Notes that the user is here, once a minute at most, and shows times in their zone."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if not isinstance(user, User):
            return self.get_response(request)
        seen(user, timezone.now())
        with timezone.override(zone(user.time_zone)):
            return self.get_response(request)


def seen(user: User, now: datetime) -> None:
    """Writes `last_seen_at` when the stored value is a minute old or older."""
    if user.last_seen_at is None or user.last_seen_at <= now - SEEN_EVERY:
        User.objects.filter(id=user.id).update(last_seen_at=now)
        due.hurry(user, now)
        user.last_seen_at = now
