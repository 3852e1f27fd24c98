"""What a request carries once the middleware has seen it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from zoneinfo import ZoneInfo

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django_htmx.middleware import HtmxDetails

from tandem.calendaring.event import zone
from tandem.team.models import User

P = ParamSpec("P")


class SignedInRequest(HttpRequest):
    """A request of somebody who is signed in: every view but the gate's gets one."""

    user: User
    htmx: HtmxDetails
    csp_nonce: str
    etag: str


def zone_of(request: SignedInRequest) -> ZoneInfo:
    """The zone in which this user reads times."""
    return zone(request.user.time_zone)


def is_fragment(request: SignedInRequest) -> bool:
    """Whether htmx asks for a piece of a page, rather than for a whole one."""
    return bool(request.htmx) and not request.htmx.boosted and not request.htmx.history_restore_request


def plain(text: str) -> str:
    """What was typed, without outer space and without NUL, which PostgreSQL takes in no text."""
    return text.replace("\x00", "").strip()


View = Callable[Concatenate[SignedInRequest, P], HttpResponse]


def editors_only(view: View[P]) -> Callable[..., HttpResponse]:
    """Refuses users whose role only reads, with the reason in the page."""

    @wraps(view)
    def guarded(request: SignedInRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.may_edit:
            raise PermissionDenied(
                "Your role is read-only: you see every record, and change none. An administrator can change your role."
            )
        return view(request, *args, **kwargs)

    return guarded


def administrators_only(view: View[P]) -> Callable[..., HttpResponse]:
    """Refuses everyone but administrators, with the reason in the page."""

    @wraps(view)
    def guarded(request: SignedInRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_administrator:
            raise PermissionDenied("Settings of the whole company are kept by an administrator. Your role is not that.")
        return view(request, *args, **kwargs)

    return guarded
