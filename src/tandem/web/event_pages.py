"""The page of one meeting, its pending changes, and the page that says why it does not open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.http import require_POST

from tandem.calendaring import event as canonical
from tandem.calendaring import series
from tandem.calendaring.event import zone
from tandem.invitations import sender
from tandem.invitations.models import LedgerEntry
from tandem.mailboxes.models import Sender
from tandem.meetings import reading, visibility
from tandem.meetings.models import Intent, Meeting, Occurrence
from tandem.meetings.reading import Detail
from tandem.team.models import Company, User
from tandem.web import account_views, decision_words, event_rows, live, when_words
from tandem.web.obstacles import obstacle
from tandem.web.request import SignedInRequest, editors_only

UNSENT = (LedgerEntry.State.FAILED, LedgerEntry.State.UNCERTAIN)
RESPONSES = {
    "accepted": ("Accepted", "sign-ok"),
    "declined": ("Declined", "sign-danger"),
    "tentative": ("Maybe", "sign"),
    "needs-action": ("No answer yet", ""),
}


class HiddenMeeting(PermissionDenied):
    """This meeting exists and is not this viewer's to open. Its words say no more than they may know."""


def open_detail(request: SignedInRequest, meeting_id: UUID, original: str) -> Detail:
    """The meeting for `request.user`. Raises `Http404`, or `HiddenMeeting` with the reason in words."""
    start = "" if original == "-" else original
    try:
        return reading.detail(meeting_id, start, request.user, timezone.now())
    except Occurrence.DoesNotExist as error:
        raise Http404 from error
    except visibility.Hidden as hidden:
        raise HiddenMeeting(hidden.words) from hidden


@dataclass(frozen=True, slots=True)
class Pending:
    """An intent that is not settled, in words: what it would change and how it stands."""

    intent: Intent
    what: str
    state: str
    css: str
    reason: str
    mine: bool


def pending(intents: list[Intent], viewer: User, now: datetime) -> list[Pending]:
    return [_pending(intent, viewer, now) for intent in intents]


def _pending(intent: Intent, viewer: User, now: datetime) -> Pending:
    state, css = {
        Intent.State.CONFLICT: ("2 edits", "sign-warn"),
        Intent.State.REFUSED: ("Not saved", "sign-danger"),
        Intent.State.RESTORABLE: ("Cancelled meanwhile", "sign-warn"),
    }.get(Intent.State(intent.state), ("Not sent yet", ""))
    reason = intent.error
    if intent.state == Intent.State.OPEN:
        reason = _waits(intent, viewer, now)
    what = decision_words.what(intent, event_rows.reader_zone(viewer), now)
    return Pending(intent, what, state, css, reason, intent.author_id == viewer.id)


def _waits(intent: Intent, viewer: User, now: datetime) -> str:
    """Why an edit has not gone out yet, and when it is tried again; "" while it is simply on its way."""
    hindered = obstacle(intent.calendar)
    if not intent.error or intent.next_try_at is None or intent.next_try_at <= now:
        return hindered
    again = when_words.at(intent.next_try_at, now, event_rows.reader_zone(viewer))
    return f"{intent.error.replace(' Tandem tries again by itself.', '')} Tandem tries again {again}."


@live.page
def event(request: SignedInRequest, meeting_id: UUID, original: str) -> HttpResponse:
    try:
        detail = open_detail(request, meeting_id, original)
    except HiddenMeeting as hidden:
        return render(request, "events/hidden.html", {"words": str(hidden), "nav": "calendar"}, status=403)
    now, tz = timezone.now(), event_rows.reader_zone(request.user)
    row, today = detail.row, now.astimezone(tz).date()
    context = {
        "detail": detail,
        "row": row,
        "view": event_rows.view(row, request.user, now),
        "time": when_words.full_span(row.when, row.starts_at, row.ends_at, tz, today),
        "there": _there(detail, request.user),
        "repeats": _repeats(detail),
        "answers": [(guest, *RESPONSES.get(guest.response, RESPONSES["needs-action"])) for guest in detail.guests],
        "pending": pending(list(detail.changes), request.user, now),
        "ledger": [_told(entry) for entry in ledger_of(detail)],
        "unsent": UNSENT,
        "owns_mail": detail.calendar is not None and detail.calendar.account.owner == request.user,
        "may_change": detail.may_edit and request.user.may_edit and not row.cancelled,
        "why_not": _why_not(detail, request.user),
        "later": _later(detail),
        "address": [row.meeting_id, row.original_start or "-"],
        "nav": "calendar",
    }
    return render(request, "events/event.html", context)


def ledger_of(detail: Detail) -> list[LedgerEntry]:
    """Who was mailed about this occurrence or its whole series, the newest first."""
    told = LedgerEntry.objects.filter(series=detail.meeting.series_id).select_related(
        "on_word_of", "intent__calendar__account"
    )
    return list(told.filter(recurrence_id__in={"", detail.row.original_start}).order_by("-created_at", "address")[:50])


def _why_not(detail: Detail, viewer: User) -> str:
    if not viewer.may_edit:
        return "Your role is read-only: you see this meeting, and change nothing."
    return "" if detail.may_edit else detail.why_not


def _there(detail: Detail, viewer: User) -> str:
    """The time in the event's own zone, when that isn't the reader's."""
    when = detail.row.when
    if when.all_day or when.zone == viewer.time_zone:
        return ""
    own = zone(when.zone)
    start, end = detail.row.starts_at.astimezone(own), detail.row.ends_at.astimezone(own)
    if start.utcoffset() == detail.row.starts_at.astimezone(event_rows.reader_zone(viewer)).utcoffset():
        return ""
    return f"{when_words.clock(start)} – {when_words.clock(end)} in {when_words.zone_words(when.zone, start)}"


def _repeats(detail: Detail) -> str:
    if not detail.row.recurring:
        return ""
    master = Meeting.objects.filter(series=detail.meeting.series_id, recurrence_id="").first()
    event = canonical.decode(master.shown) if master else None
    if event is None or event.when is None or not event.recurrence:
        return "Part of a series"
    return series.words(event.recurrence, event.when)


def _later(detail: Detail) -> str:
    if not detail.later or detail.shows_on is None:
        return ""
    hours = Company.current().horizon_hours
    day = when_words.short_day(detail.shows_on, timezone.localdate())
    return f"On its records from {day}, {when_words.count(hours // 24, 'day')} before it starts."


def _told(entry: LedgerEntry) -> tuple[LedgerEntry, str, str]:
    """(entry, what happened, sign class) for the list of who was mailed."""
    what = "cancellation" if entry.method == LedgerEntry.Method.CANCEL else "invitation"
    if entry.told_by == Sender.SERVER:
        return entry, f"{account_views.service(entry.intent.calendar.account)} was asked to send the {what}", ""
    words = {
        LedgerEntry.State.WAITING: (f"The {what} waits to be sent", ""),
        LedgerEntry.State.SENDING: (f"The {what} is on its way", ""),
        LedgerEntry.State.SENT: (f"Tandem mailed the {what}", "sign-ok"),
        LedgerEntry.State.FAILED: (f"The {what} could not be sent", "sign-danger"),
        LedgerEntry.State.UNCERTAIN: (
            f"The {what} may have gone out; Tandem does not send it twice",
            "sign-warn",
        ),
    }
    return entry, *words[LedgerEntry.State(entry.state)]


@require_POST
@editors_only
def mail_again(request: SignedInRequest, entry_id: UUID) -> HttpResponse:
    """Send a mail again that failed, or of which nobody knows whether it went out: only on a person's click."""
    mine = LedgerEntry.objects.filter(intent__calendar__account__owner=request.user, state__in=UNSENT)
    entry = get_object_or_404(mine.select_related("intent__meeting"), id=entry_id)
    if sender.resend(entry, timezone.now()):
        messages.success(request, f"{entry.address} is mailed again.")
    else:
        messages.error(request, f"There is no mail to send to {entry.address}.")
    meeting = entry.intent.meeting
    if meeting is None:
        return redirect("calendar")
    return redirect("event", meeting.id, entry.recurrence_id or "-")


urls: list[URLPattern] = [
    path("events/<uuid:meeting_id>/<slug:original>", event, name="event"),
    path("events/mail/<uuid:entry_id>/again", mail_again, name="mail-again"),
]
