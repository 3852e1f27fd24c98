"""Change and cancel a meeting: the same form, with what stands in the calendar and what this user may change."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from tandem import jobs
from tandem.calendaring import event as canonical
from tandem.calendaring.event import Event
from tandem.invitations import consent
from tandem.mailboxes.rights import me
from tandem.meetings import verbs
from tandem.meetings.reading import Detail
from tandem.web import event_draft, event_forms
from tandem.web.event_draft import Draft
from tandem.web.event_pages import open_detail
from tandem.web.event_rows import reader_zone
from tandem.web.request import SignedInRequest, editors_only
from tandem.web.templatetags.tandem import record_url

ROWS = {
    "title": ("title",),
    "when": ("date", "start", "end", "end_date", "zone", "all_day"),
    "location": ("location",),
    "description": ("description",),
    "guests": ("guests",),
}
"""The rows of the form, and what each consists of."""


def signed_base(event: Event, meeting_id: UUID) -> str:
    """What the person sees, sent along with the form: the `was` of every change that they make."""
    return signing.dumps(canonical.encode(event), salt=f"tandem.event-edit.{meeting_id}", compress=True)


def base_of(text: str, meeting_id: UUID) -> Event:
    """The inverse. Raises `PermissionDenied` if we did not make it for this meeting."""
    try:
        given = signing.loads(text, salt=f"tandem.event-edit.{meeting_id}")
    except signing.BadSignature as error:
        raise PermissionDenied("This form was not made by Tandem. Open it again, and write once more.") from error
    return canonical.decode(given)


def editable(detail: Detail) -> frozenset[str]:
    """The rows of the form that this user may change; guests are one row of it."""
    found = {name for name in ROWS if name in detail.editable_fields}
    if any(name.startswith("guest") for name in detail.editable_fields):
        found.add("guests")
    return frozenset(found)


@editors_only
def edit(request: SignedInRequest, meeting_id: UUID, original: str) -> HttpResponse:
    detail = open_detail(request, meeting_id, original)
    if not detail.may_edit or detail.calendar is None:
        raise PermissionDenied(detail.why_not)
    if request.method != "POST":
        draft = event_draft.of_event(detail.event, request.user.time_zone)
        return _form(request, detail, draft, detail.event)
    base = base_of(request.POST.get("base", ""), meeting_id)
    draft = event_draft.from_post(request.POST)
    _keep_locked(draft, detail, base, request.user.time_zone)
    if not event_forms.act(draft, request.POST.get("do", "save")):
        return _form(request, detail, draft, base)
    return _save(request, detail, draft, base)


def _keep_locked(draft: Draft, detail: Detail, base: Event, zone_name: str) -> None:
    """Browsers don't send disabled fields; they show again what they showed before."""
    before, may = event_draft.of_event(base, zone_name), editable(detail)
    for row, names in ROWS.items():
        if row not in may:
            for name in names:
                setattr(draft, name, getattr(before, name))


def _save(request: SignedInRequest, detail: Detail, draft: Draft, base: Event) -> HttpResponse:
    becomes = event_draft.read(draft, base, editable(detail))
    meeting, original = detail.meeting, detail.row.original_start
    if becomes is None or detail.calendar is None:
        return _form(request, detail, draft, base)
    try:
        with transaction.atomic():
            intent = verbs.change(
                request.user,
                meeting,
                original,
                base,
                becomes,
                tell=draft.tell,
                now=timezone.now(),
                scope="all" if draft.scope == "all" else "this",
            )
            if intent is not None:
                jobs.wake(intent.calendar_id)
    except verbs.Invalid as invalid:
        draft.errors[invalid.field] = invalid.words
        return _form(request, detail, draft, base)
    except verbs.NotAllowed as refused:
        draft.errors["calendar"] = refused.words
        return _form(request, detail, draft, base)
    if intent is None:
        messages.info(request, "Nothing was changed, so nothing was saved.")
    else:
        audience = consent.audience(base, becomes, me(detail.calendar.account))
        told = [*audience.requests, *audience.cancels]
        messages.success(request, event_forms.saved_words(detail.calendar, becomes, told, draft.tell, timezone.now()))
    return event_forms.go(request, reverse("event", args=[detail.row.meeting_id, original or "-"]))


def _form(request: SignedInRequest, detail: Detail, draft: Draft, base: Event) -> HttpResponse:
    address = [detail.row.meeting_id, detail.row.original_start or "-"]
    context = {
        "action": reverse("event-edit", args=address),
        "heading": f"Change {base.title or 'this event'}",
        "base": signed_base(base, detail.row.meeting_id),
        "series": detail.row.recurring and bool(detail.row.original_start),
        "locked": _locked(detail),
        "may": editable(detail),
        "why_not": detail.why_not,
        "back": reverse("event", args=address),
        "save": "Save changes",
        "is_edit": True,
    }
    return event_forms.show_form(request, draft, detail.calendar, [], context, base.guests)


def _locked(detail: Detail) -> frozenset[str]:
    return frozenset(ROWS) - editable(detail)


@editors_only
def cancel(request: SignedInRequest, meeting_id: UUID, original: str) -> HttpResponse:
    """Asks, saying who will be mailed; POST cancels this meeting or the whole series."""
    detail = open_detail(request, meeting_id, original)
    if not detail.may_edit or detail.calendar is None:
        raise PermissionDenied(detail.why_not)
    tell = request.method != "POST" or "tell" in request.POST
    if request.method != "POST" or request.POST.get("do") == "refresh":
        return _ask(request, detail, tell, "")
    scope: verbs.Scope = "all" if request.POST.get("scope") == "all" else "this"
    try:
        with transaction.atomic():
            verbs.cancel(
                request.user, detail.meeting, detail.row.original_start, tell=tell, now=timezone.now(), scope=scope
            )
            jobs.wake(detail.calendar.id)
    except verbs.NotAllowed as refused:
        return _ask(request, detail, tell, refused.words)
    words = [f"Cancelled in {detail.calendar.name}."]
    if detail.event.guests:
        words.append(consent.sentence(_told(request, detail), detail.calendar.account, tell))
    messages.success(request, " ".join(words))
    # a cancelled meeting's own page goes away with it, so on to the record it was on
    record = detail.records[0] if detail.records else None
    return event_forms.go(request, record_url(record) if record else reverse("calendar"))


def _told(request: SignedInRequest, detail: Detail) -> list[canonical.Guest]:
    mine = request.user.addresses()
    return [guest for guest in detail.event.guests if guest.address not in mine and not guest.resource]


def _ask(request: SignedInRequest, detail: Detail, tell: bool, refused: str) -> HttpResponse:
    address = [detail.row.meeting_id, detail.row.original_start or "-"]
    context = {
        "detail": detail,
        "action": reverse("event-cancel", args=address),
        "back": reverse("event", args=address),
        "series": detail.row.recurring and bool(detail.row.original_start),
        "scope": request.POST.get("scope", "this"),
        "tell": tell,
        "refused": refused,
        "effect": event_forms.effect(detail.calendar, [], _told(request, detail), tell=tell),
        "tz": reader_zone(request.user),
        "nav": "calendar",
    }
    return render(request, "events/cancel.html", context, status=422 if refused else 200)


urls: list[URLPattern] = [
    path("events/<uuid:meeting_id>/<slug:original>/edit", edit, name="event-edit"),
    path("events/<uuid:meeting_id>/<slug:original>/cancel", cancel, name="event-cancel"),
]
