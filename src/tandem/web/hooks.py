"""What other programs call: calendar services when something changed, and Tandem itself to see that they can.

A call only raises a counter. Whoever sends many gets no more work done than one look after the other.
"""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from tandem import jobs
from tandem.mailboxes.models import AccountState, Channel
from tandem.sync import due, push
from tandem.web.request import SignedInRequest, administrators_only

LARGEST = 64 * 1024
NO_TOKEN = "-" * 43


@login_not_required
@csrf_exempt
@require_POST
def google(request: HttpRequest) -> HttpResponse:
    """A call of a channel: all is in the headers (Google, "Push notifications"); the body is not read.

    204, and 404 for whatever is no call of ours. The first message, `sync`, only shows that the way is open.
    """
    if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST:
        return HttpResponse(status=413)
    channel = _channel(request)
    if channel is None:
        return HttpResponse(status=404)
    if channel.called_at is None:
        _note_proof(channel, request.headers.get("X-Goog-Resource-ID", ""))
    calendar = channel.calendar
    wanted = calendar.is_read and not calendar.gone and calendar.account.state != AccountState.DISCONNECTED
    if wanted and request.headers.get("X-Goog-Resource-State") != "sync":
        jobs.wake(calendar.id)
    return HttpResponse(status=204)


def _channel(request: HttpRequest) -> Channel | None:
    """The channel that calls, if it says the right token. An unknown one takes as long as a wrong token."""
    try:
        channel_id = UUID(request.headers.get("X-Goog-Channel-ID", ""))
    except ValueError:
        return None
    found = Channel.objects.select_related("calendar__account").filter(id=channel_id).first()
    token = found.token if found is not None else NO_TOKEN
    same = constant_time_compare(request.headers.get("X-Goog-Channel-Token", ""), token)
    return found if same else None


def _note_proof(channel: Channel, resource_id: str) -> None:
    """The service reaches us. It also names what it watches, in case the answer that said so was lost."""
    named = {"resource_id": resource_id[:300]} if resource_id and not channel.resource_id else {}
    Channel.objects.filter(id=channel.id).update(called_at=timezone.now(), **named)


@login_not_required
@never_cache
@require_GET
def self_test(request: HttpRequest, nonce: UUID) -> HttpResponse:
    """What `push.self_test` asks for at PUBLIC_URL."""
    return HttpResponse(push.answer_to(nonce), content_type="text/plain")


@administrators_only
@require_POST
def test_again(request: SignedInRequest) -> HttpResponse:
    problem = push.self_test(timezone.now())
    if problem:
        messages.error(request, problem)
    else:
        messages.success(request, "Google can call Tandem.")
    return redirect("company")


urls: list[URLPattern] = [
    path(due.CALLBACK.removeprefix("/"), google, name="hook-google"),
    path(f"{push.SELF_TEST.removeprefix('/')}<uuid:nonce>", self_test, name="hook-self-test"),
    path("company/push-test", test_again, name="push-test"),
]
