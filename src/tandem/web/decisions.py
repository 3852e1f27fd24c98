"""To decide: edits that met another edit, edits that were refused, and edits of a meeting cancelled meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from tandem import jobs
from tandem.calendaring import event as canonical
from tandem.calendaring import fields
from tandem.calendaring.event import Event
from tandem.meetings import verbs, wishes
from tandem.meetings.models import Intent
from tandem.team.models import User
from tandem.web import decision_words, event_forms, when_words
from tandem.web.event_rows import reader_zone
from tandem.web.request import SignedInRequest, editors_only

Choice = Literal["mine", "theirs"]
OPEN_QUESTIONS = (Intent.State.CONFLICT, Intent.State.REFUSED, Intent.State.RESTORABLE)


def questions(user: User) -> QuerySet[Intent]:
    """This user's edits that wait for a decision, the oldest first. Nobody sees another's."""
    own = Intent.objects.filter(calendar__account__owner=user, state__in=OPEN_QUESTIONS)
    return own.select_related("meeting__series", "calendar__account").order_by("created_at", "id")


@dataclass(frozen=True, slots=True)
class Question:
    """One row of the list: the meeting, what was wanted, and why it waits."""

    intent: Intent
    title: str
    when: str
    what: str
    href: str


def to_decide(request: SignedInRequest) -> HttpResponse:
    found = list(questions(request.user))
    if named := request.GET.get("meeting"):
        conflicts = [i for i in found if str(i.meeting_id) == named and i.state == Intent.State.CONFLICT]
        if len(conflicts) == 1:
            return redirect("decide", intent_id=conflicts[0].id)
    rows = [_question(intent, request.user) for intent in found]
    context = {
        "conflicts": [row for row in rows if row.intent.state == Intent.State.CONFLICT],
        "refused": [row for row in rows if row.intent.state == Intent.State.REFUSED],
        "restorable": [row for row in rows if row.intent.state == Intent.State.RESTORABLE],
        "nav": "to-decide",
    }
    return render(request, "decisions/list.html", context)


def _question(intent: Intent, user: User) -> Question:
    now, tz = timezone.now(), reader_zone(user)
    event = event_of(intent)
    when = decision_words.short("when", fields.field("when").read(event), tz, now) if event else ""
    href = reverse("event", args=[intent.meeting_id, intent.recurrence_id or "-"]) if intent.meeting_id else ""
    title = event.title if event and event.title else "A meeting without a name"
    return Question(intent, title, when, decision_words.what(intent, tz, now), href)


def event_of(intent: Intent) -> Event | None:
    """The meeting as it stands in the calendar, or as it was to be created."""
    if intent.meeting is not None:
        return canonical.decode(intent.meeting.shown)
    return wishes.event_of(intent)


def _own(request: SignedInRequest, intent_id: UUID) -> Intent:
    """An edit in one of this user's calendars; another user's doesn't exist here."""
    try:
        return verbs.intent_of(request.user, intent_id)
    except Intent.DoesNotExist as error:
        raise Http404 from error


@editors_only
def decide(request: SignedInRequest, intent_id: UUID) -> HttpResponse:
    waiting = [i for i in questions(request.user) if i.state == Intent.State.CONFLICT]
    intent = next((i for i in waiting if i.id == intent_id), None)
    if intent is None:
        # decided in another window, or by the calendar itself meanwhile; another user's is not told apart
        _own(request, intent_id)
        messages.info(request, "This is decided already.")
        return redirect("to-decide")
    choices = _choices(request, intent)
    tell = request.method != "POST" or "tell" in request.POST
    if request.method == "POST" and request.POST.get("do", "save") == "save":
        return _decide(request, intent, choices, tell)
    return _show(request, intent, waiting, choices, tell)


def _choices(request: SignedInRequest, intent: Intent) -> dict[str, Choice]:
    """The side chosen for each field; theirs where the form says so, else mine."""
    do = request.POST.get("do", "")
    found: dict[str, Choice] = {}
    for name in decision_words.fields_to_decide(intent):
        given = {"all-mine": "mine", "all-theirs": "theirs"}.get(do) or request.POST.get(name, "mine")
        found[name] = "theirs" if given == "theirs" else "mine"
    return found


def _decide(request: SignedInRequest, intent: Intent, choices: dict[str, Choice], tell: bool) -> HttpResponse:
    try:
        with transaction.atomic():
            verbs.decide(request.user, intent, choices, tell=tell, now=timezone.now())
            jobs.wake(intent.calendar_id)
    except verbs.NotAllowed as refused:
        raise PermissionDenied(refused.words) from refused
    mine = "mine" in choices.values()
    messages.success(
        request,
        f"Decided. Your version goes to {intent.calendar.name}." if mine else "Decided. The calendar’s version stays.",
    )
    return redirect("to-decide")


def _show(
    request: SignedInRequest, intent: Intent, waiting: list[Intent], choices: dict[str, Choice], tell: bool
) -> HttpResponse:
    now, tz = timezone.now(), reader_zone(request.user)
    event = event_of(intent)
    rows = decision_words.rows(intent, choices, tz, now)
    at = waiting.index(intent)
    mine = request.user.addresses()
    guests = [guest for guest in event.guests if guest.address not in mine and not guest.resource] if event else []
    writes = "mine" in choices.values()
    context = {
        "intent": intent,
        "question": _question(intent, request.user),
        "rows": rows,
        "rest": _rest(event, {row.field for row in rows}),
        "edited": when_words.at(intent.created_at, now, tz),
        "outcome": decision_words.outcome(intent, choices, tz, now),
        "writes": writes,
        "tell": tell,
        "effect": event_forms.effect(intent.calendar, [], guests, tell=tell and writes),
        "position": at + 1,
        "total": len(waiting),
        "previous": waiting[at - 1] if at else None,
        "next": waiting[at + 1] if at + 1 < len(waiting) else None,
        "several": len(rows) > 1,
        "nav": "to-decide",
    }
    return render(request, "decisions/decide.html", context)


def _rest(event: Event | None, differing: set[str]) -> str:
    """What both sides agree on, so that nobody has to look for it."""
    names = {"title": "Name", "when": "time", "location": "place", "description": "description"}
    same = [words for name, words in names.items() if name not in differing]
    if not any(name.startswith("guest:") for name in differing):
        same.append("guests")
    return f"{when_words.and_list(same).capitalize()} are the same in both." if len(same) > 1 else ""


@editors_only
@require_POST
def again(request: SignedInRequest, intent_id: UUID) -> HttpResponse:
    """Retry a refused or delayed edit, or restore one whose meeting was cancelled."""
    intent, now = _own(request, intent_id), timezone.now()
    try:
        with transaction.atomic():
            if intent.state == Intent.State.RESTORABLE:
                verbs.restore(request.user, intent, tell="tell" in request.POST, now=now)
            else:
                verbs.retry(request.user, intent, now=now)
            jobs.wake(intent.calendar_id)
    except verbs.NotAllowed as refused:
        raise PermissionDenied(refused.words) from refused
    messages.success(request, f"Tandem tries again in {intent.calendar.name}.")
    return _back(request)


@editors_only
@require_POST
def discard(request: SignedInRequest, intent_id: UUID) -> HttpResponse:
    """Withdraw one's own edit: the calendar's version stays."""
    intent = _own(request, intent_id)
    try:
        with transaction.atomic():
            verbs.withdraw(request.user, intent, now=timezone.now())
    except verbs.NotAllowed as refused:
        raise PermissionDenied(refused.words) from refused
    messages.success(request, "Your edit is discarded. The calendar’s version stays.")
    return _back(request)


def _back(request: SignedInRequest) -> HttpResponse:
    """To the meeting the button stood on, or to the list. Only our own paths."""
    path_given = request.POST.get("back", "")
    if path_given.startswith("/events/") and "//" not in path_given:
        return HttpResponseRedirect(path_given)
    return redirect("to-decide")


urls: list[URLPattern] = [
    path("decide", to_decide, name="to-decide"),
    path("decide/<uuid:intent_id>", decide, name="decide"),
    path("decide/<uuid:intent_id>/again", again, name="intent-again"),
    path("decide/<uuid:intent_id>/discard", discard, name="intent-discard"),
]
