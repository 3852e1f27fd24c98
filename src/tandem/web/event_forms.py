"""The event form: new, edit, and the choices that it offers while one writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.contrib import messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from tandem import jobs
from tandem.calendaring import horizon
from tandem.calendaring.event import Event, Guest
from tandem.crm.models import Record
from tandem.invitations import consent
from tandem.mailboxes.models import Calendar
from tandem.meetings import verbs
from tandem.meetings.models import Intent, Meeting
from tandem.team.models import Company, User
from tandem.web import event_draft, event_guests, event_input, handoffs, when_words
from tandem.web.event_draft import Draft
from tandem.web.obstacles import obstacle
from tandem.web.request import SignedInRequest, editors_only
from tandem.web.templatetags.tandem import record_url

NEW = "tandem.event-new"


@dataclass(frozen=True, slots=True)
class Effect:
    """What saving will do, for the foot of the form: into which calendar, and who is told by whom."""

    calendar: Calendar | None
    others: list[Calendar]
    who: str
    rest: str
    has_guests: bool
    obstacle: str = ""


def effect(calendar: Calendar | None, targets: list[Calendar], guests: Sequence[Guest], *, tell: bool) -> Effect:
    """`who` and `rest` make one sentence; `who` is its bold beginning, when somebody is mailed."""
    if calendar is None:
        return Effect(None, targets, "", "", bool(guests))
    told = consent.told(guests, calendar.account, tell)
    others = [other for other in targets if other != calendar]
    return Effect(calendar, others, told.who, told.rest, bool(guests), obstacle(calendar))


def chosen_calendar(draft: Draft, targets: list[Calendar]) -> Calendar | None:
    """The calendar that the form names, or the first target."""
    for calendar in targets:
        if str(calendar.id) == draft.calendar:
            return calendar
    return targets[0] if targets else None


@dataclass(frozen=True, slots=True)
class Token:
    """The identity of an event not yet saved: signed, so that a second submit is recognised, and only its author's."""

    uid: str

    @classmethod
    def fresh(cls) -> Token:
        return cls(verbs.new_uid())

    @classmethod
    def read(cls, text: str, author: User) -> Token:
        """Raises `PermissionDenied` for one that we did not give to `author`."""
        try:
            given = signing.loads(text, salt=NEW)
        except signing.BadSignature as error:
            raise PermissionDenied("This form was not made by Tandem. Open it again, and write once more.") from error
        if given["for"] != str(author.id):
            raise PermissionDenied("This form was made for somebody else. Open it again under your name.")
        return cls(given["uid"])

    def signed(self, author: User) -> str:
        return signing.dumps({"uid": self.uid, "for": str(author.id)}, salt=NEW)


@editors_only
def new(request: SignedInRequest) -> HttpResponse:
    record = _record_of(request)
    targets = verbs.targets(request.user)
    if request.method != "POST":
        draft = event_draft.new_draft(timezone.now(), request.user.time_zone)
        draft.guests = event_guests.preselected(record) if record else {}
        return _form(request, draft, targets, record, Token.fresh())
    token = Token.read(request.POST.get("token", ""), request.user)
    draft = event_draft.from_post(request.POST)
    if request.POST.get("do") == "hand-off":
        return _hand_off(request, draft, targets, record, token)
    if not act(draft, request.POST.get("do", "save")):
        return _form(request, draft, targets, record, token)
    return _save_new(request, draft, targets, record, token)


def _hand_off(
    request: SignedInRequest, draft: Draft, targets: list[Calendar], record: Record | None, token: Token
) -> HttpResponse:
    """On to the calendar service's own page. A guest still in typing goes along, for that page shows them."""
    calendar = chosen_calendar(draft, targets)
    understood = not draft.guest_text.strip() or add_typed_guest(draft)
    gone = handoffs.go(request, draft, calendar, record) if understood and calendar is not None else None
    return gone or _form(request, draft, targets, record, token)


def _record_of(request: SignedInRequest) -> Record | None:
    named = request.GET.get("record") or request.POST.get("record")
    if not named:
        return None
    try:
        return get_object_or_404(Record.objects.select_related("company", "primary_contact"), id=UUID(named))
    except ValueError as error:
        raise Http404 from error


def act(draft: Draft, do: str) -> bool:
    """Carry out what a button of the form asks (`guest-add`, `guest-remove:…`, `refresh`). True: save it.

    A guest who was typed but not added is added first and shown, for nobody is mailed unseen.
    """
    verb, _, address = do.partition(":")
    if verb == "guest-remove":
        draft.guests.pop(address, None)
    elif verb == "guest-add" and address:
        draft.guest_text = address
        add_typed_guest(draft)
    elif draft.guest_text.strip() and verb in {"guest-add", "save"}:
        if add_typed_guest(draft) and verb == "save":
            draft.errors["guest_note"] = "Added to the guests. Look, then save."
    elif verb == "save":
        return True
    return False


def add_typed_guest(draft: Draft) -> bool:
    try:
        address, name = event_guests.understood(draft.guest_text)
    except event_input.Unclear as unclear:
        draft.errors["guest_text"] = unclear.words
        return False
    draft.guests.setdefault(address, name)
    draft.guest_text = ""
    return True


def _save_new(
    request: SignedInRequest, draft: Draft, targets: list[Calendar], record: Record | None, token: Token
) -> HttpResponse:
    calendar, now = chosen_calendar(draft, targets), timezone.now()
    if first := first_of(token.uid):
        return _saved(request, first, record)
    event = event_draft.read(draft, Event(uid=token.uid))
    if event is None or calendar is None:
        return _form(request, draft, targets, record, token)
    try:
        meeting = _schedule_once(request.user, calendar, event, draft.tell, record, now)
    except verbs.Invalid as invalid:
        draft.errors[invalid.field] = invalid.words
        return _form(request, draft, targets, record, token)
    except verbs.NotAllowed as refused:
        draft.errors["calendar"] = refused.words
        return _form(request, draft, targets, record, token)
    messages.success(request, saved_words(calendar, event, event.guests, draft.tell, now))
    return _saved(request, meeting, record)


def _schedule_once(
    author: User, calendar: Calendar, event: Event, tell: bool, record: Record | None, now: datetime
) -> Meeting:
    """The meeting with `event.uid`: a form sent twice at once makes one, and gets it twice."""
    with transaction.atomic():
        User.objects.select_for_update().get(id=author.id)  # one submit of a user after the other
        if first := first_of(event.uid):
            return first
        meeting = verbs.schedule(author, calendar, event, tell=tell, record=record, now=now)
        jobs.wake(calendar.id)
    return meeting


def first_of(uid: str) -> Meeting | None:
    """What an earlier submit of the same form made; its event may have another UID by now."""
    asked = Intent.objects.filter(verb=Intent.Verb.CREATE, uid=uid).exclude(meeting=None).select_related("meeting")
    first = asked.first()
    return first.meeting if first else None


def saved_words(calendar: Calendar, event: Event, told: Sequence[Guest], tell: bool, now: datetime) -> str:
    """`Saved in Client meetings. Priya and Tom will be mailed by Tandem.`, and when it shows if that is later.

    While something keeps it from going out: `Saved here.` and the reason; nobody is mailed before it went out.
    """
    hindered = obstacle(calendar)
    words = [f"Saved here. {hindered}" if hindered else f"Saved in {calendar.name}."]
    if told and not hindered:
        words.append(consent.sentence(told, calendar.account, tell))
    company = Company.current()
    starts_at = event.when.starts_at(company.time_zone) if event.when else now
    if not horizon.within(starts_at, now, company.horizon_hours):
        day = horizon.enters_at(starts_at, company.horizon_hours)
        words.append(
            f"In {calendar.name} now, here on {when_words.short_day(timezone.localtime(day).date(), now.date())}."
        )
    return " ".join(words)


def _saved(request: SignedInRequest, meeting: Meeting, record: Record | None) -> HttpResponse:
    return go(request, record_url(record) if record else reverse("event", args=[meeting.id, "-"]))


def go(request: SignedInRequest, address: str) -> HttpResponse:
    """On to a whole page, also out of a panel that htmx filled."""
    if request.htmx:
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)


def _form(
    request: SignedInRequest, draft: Draft, targets: list[Calendar], record: Record | None, token: Token
) -> HttpResponse:
    calendar = chosen_calendar(draft, targets)
    context = {
        "action": reverse("event-new") + (f"?record={record.id}" if record else ""),
        "heading": f"New event with {record.name}" if record else "New event",
        "record": record,
        "token": token.signed(request.user),
        "choices": event_guests.choices(record, draft.guests) if record else [],
        "missing": missing_guest(record, draft),
        "connect": not targets,
        "way_out": handoffs.way_out(calendar),
        "back": record_url(record) if record else reverse("calendar"),
        "save": "Save event",
    }
    return show_form(request, draft, calendar, targets, context)


def missing_guest(record: Record | None, draft: Draft) -> str:
    """Why nobody is pre-filled, or an empty string."""
    if record is None or draft.guests or event_guests.choices(record, ()):
        return ""
    return f"{record.name} has no address yet. Add one, and they are invited from here."


def _path_of(url: str | None) -> str:
    """The path of what a browser says its page is; empty for what is no URL."""
    try:
        return urlsplit(url or "").path
    except ValueError:
        return ""


def show_form(
    request: SignedInRequest,
    draft: Draft,
    calendar: Calendar | None,
    targets: list[Calendar],
    context: dict[str, Any],
    dropped: Sequence[Guest] = (),
) -> HttpResponse:
    """The form as a panel for htmx, as a page of its own without; 422 when something has to be mended.

    `dropped` were guests until now: they are told that they no longer are.
    """
    chips = event_guests.chips(draft.guests)
    guests = [Guest(chip.address, chip.name) for chip in chips if chip.user != request.user]
    guests += [guest for guest in dropped if guest.address not in draft.guests]
    context |= {
        "draft": draft,
        "errors": draft.errors,
        "chips": chips,
        "effect": effect(calendar, targets, guests, tell=draft.tell),
        "zones": event_input.zone_names(),
        "locked": context.get("locked", frozenset()),
    }
    in_panel = bool(request.htmx) and _path_of(request.htmx.current_url) != request.path
    template = "events/panel.html" if in_panel else "events/form_page.html"
    wrong = draft.errors.keys() - {"guest_note"}
    return render(request, template, context, status=422 if wrong else 200)


@editors_only
def guest_options(request: SignedInRequest) -> HttpResponse:
    """Completion while one types a guest: people, leads and co-workers, as buttons of the form."""
    draft = event_draft.from_post(request.POST)
    found = event_guests.matching(draft.guest_text, draft.guests)
    return render(request, "events/_guest_options.html", {"found": found})


urls: list[URLPattern] = [
    path("events/new", new, name="event-new"),
    path("events/guests", guest_options, name="event-guest-options"),
]
