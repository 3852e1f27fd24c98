"""The calendar service's own create page: the way there from the event form, and waiting for what comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from tandem import jobs
from tandem.calendaring.event import Event
from tandem.calendaring.template_link import template_link
from tandem.crm.models import Record
from tandem.mailboxes.models import Account, AccountState, Calendar
from tandem.mailboxes.rights import me
from tandem.meetings import handoffs
from tandem.meetings.models import HandOff
from tandem.team.models import User
from tandem.web import event_draft
from tandem.web.event_draft import Draft
from tandem.web.request import SignedInRequest, editors_only
from tandem.web.templatetags.tandem import record_url

NOT_THE_TITLE = frozenset({"when", "location", "description", "guests"})


def way_out(calendar: Calendar | None) -> Account | None:
    """The account in whose own page a new event of `calendar` could be made: a connected Google account."""
    if calendar is None or calendar.account.provider != "google":
        return None
    return calendar.account if calendar.account.state == AccountState.ACTIVE else None


def go(request: SignedInRequest, draft: Draft, calendar: Calendar, record: Record | None) -> HttpResponse | None:
    """Store the hand-off and answer with the way to Google's page; None when the draft has to be mended first.

    A form may not be sent on to another site (the content policy's form-action), so the answer is a link,
    which the page follows by itself. Google's page takes an event without a name.
    """
    untitled = Event(uid="", title=draft.title.strip())
    event = event_draft.read(draft, untitled, NOT_THE_TITLE)
    account = way_out(calendar)
    if event is None or account is None:
        return None
    mine = me(account)
    event = msgspec.structs.replace(event, guests=tuple(guest for guest in event.guests if guest.address not in mine))
    link = template_link(
        event, authuser=account.username, calendar_id=calendar.remote_id, site=str(settings.GOOGLE_SITE)
    )
    if record is not None:
        handoffs.begin(request.user, record, account, event, link=link, now=timezone.now())
    context = {"record": record, "account": account, "link": link, "back": record_url(record) if record else ""}
    return render(request, "events/handed_off.html", context)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A hand-off in words, for the section of its record. `name` and `why` make one sentence."""

    id: UUID
    state: handoffs.State
    heading: str
    name: str
    why: str

    @property
    def open(self) -> bool:
        return self.state != "elsewhere"


def waiting(record: Record, viewer: User, now: datetime) -> list[Waiting]:
    """What the record's section says of events that its reader went to make on Google's page."""
    return [_words(awaited) for awaited in handoffs.of(record, viewer, now)]


def _words(awaited: handoffs.Awaited) -> Waiting:
    hand_off, account = awaited.hand_off, awaited.hand_off.account.name
    name = hand_off.title.strip() or "The event"
    late = "Not here yet. Saved in another account?"
    heading, why = {
        "waiting": ("Waiting for your event from Google Calendar", f"shows here once it is saved in {account}."),
        "late": (late, f"is expected in {account}."),
        "over": (
            late,
            f"was expected in {account} for half an hour. Look now, or open it again, and Tandem waits once more.",
        ),
        "elsewhere": (
            f"Saved in {awaited.came_into or 'another account'}",
            f"was expected in {account}. It is on this record all the same.",
        ),
    }[awaited.state]
    return Waiting(hand_off.id, awaited.state, heading, name, why)


def _own(request: SignedInRequest, hand_off_id: UUID) -> HandOff:
    mine = HandOff.objects.filter(author=request.user, closed_at=None).select_related("record")
    return get_object_or_404(mine, id=hand_off_id)


@require_GET
@editors_only
def again(request: SignedInRequest, hand_off_id: UUID) -> HttpResponse:
    """Google's page once more, as it was filled; it is waited for anew, which does no harm to ask for by GET."""
    hand_off = _own(request, hand_off_id)
    handoffs.renew(hand_off, now=timezone.now())
    return HttpResponseRedirect(hand_off.link or record_url(hand_off.record))


@require_POST
@editors_only
def look(request: SignedInRequest, hand_off_id: UUID) -> HttpResponse:
    """Look into all calendars of the user now, for the event may be in any of their accounts."""
    hand_off = _own(request, hand_off_id)
    handoffs.renew(hand_off, now=timezone.now())
    own = Calendar.objects.filter(account__owner=request.user, account__state=AccountState.ACTIVE, is_read=True)
    jobs.wake(*own.filter(gone=False).values_list("id", flat=True))
    return _back(request, hand_off)


@require_POST
def forget(request: SignedInRequest, hand_off_id: UUID) -> HttpResponse:
    hand_off = _own(request, hand_off_id)
    handoffs.forget(hand_off, now=timezone.now())
    return _back(request, hand_off)


def _back(request: SignedInRequest, hand_off: HandOff) -> HttpResponse:
    """To the page on which the button stood (a record's, or a list with its preview), and to no other site."""
    back = request.POST.get("back", "")
    ours = back.startswith("/") and url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    return HttpResponseRedirect(back if ours else record_url(hand_off.record))


urls: list[URLPattern] = [
    path("hand-offs/<uuid:hand_off_id>/again", again, name="hand-off-again"),
    path("hand-offs/<uuid:hand_off_id>/look", look, name="hand-off-look"),
    path("hand-offs/<uuid:hand_off_id>/forget", forget, name="hand-off-forget"),
]
