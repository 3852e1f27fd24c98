"""Connecting a Google account: to Google's page, back from it, and the question when its address is another one.

Google is reached by links, for the content policy lets no form lead there. What belongs to one walk (state,
PKCE verifier, nonce) is in the session; tokens are there only encrypted, while a person looks at the address.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import SequenceMatcher
from itertools import groupby
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from tandem import jobs
from tandem.calendaring.provider import ProviderError
from tandem.mailboxes.models import Account
from tandem.mailboxes.secrets import SecretLost
from tandem.sync import google, tokens
from tandem.sync.google import Arrival, NotConnected
from tandem.team.models import User
from tandem.web.request import SignedInRequest, editors_only

WALK, ARRIVAL, WORDS = "google-walk", "google-arrival", "google-words"
PATIENCE = timedelta(hours=1)
NEAR = 0.75
REFUSALS = {
    "access_denied": "Nothing was connected: Google’s page was left with Cancel. You can connect at any time.",
    "admin_policy_enforced": "Your organisation’s Google administrator does not let Tandem in. Ask them to allow it.",
    "org_internal": "This company’s Google client is for accounts of its own organisation only. Choose one of those.",
    "temporarily_unavailable": "Google has trouble of its own. Try again in a while.",
    "server_error": "Google has trouble of its own. Try again in a while.",
}


@require_GET
@editors_only
def start(request: SignedInRequest) -> HttpResponse:
    """On to Google's page; with `account`, to reconnect that one."""
    elsewhere = _public_address(request)
    if elsewhere:
        return redirect(elsewhere)
    account = _own(request, request.GET["account"]) if "account" in request.GET else None
    _forget_arrival(request)
    try:
        address, attempt = google.begin(hint=account.username if account else "", clock=timezone.now)
    except ProviderError as error:
        return _sorry(request, error.words)
    request.session[WALK] = {
        "state": attempt.state,
        "verifier": attempt.verifier,
        "nonce": attempt.nonce,
        "account": str(account.id) if account else "",
        "at": timezone.now().isoformat(),
    }
    return redirect(address)


def _public_address(request: SignedInRequest) -> str:
    """Where to go first, if this page was asked for under another name than Google sends people back to.

    There this browser's session would be unknown. Once only: a proxy may hide the name from us.
    """
    public = urlsplit(settings.PUBLIC_URL)
    if request.get_host() == public.netloc or "here" in request.GET:
        return ""
    query = urlencode({**request.GET.dict(), "here": "1"})
    return f"{settings.PUBLIC_URL}{request.path}?{query}"


@require_GET
@editors_only
def callback(request: SignedInRequest) -> HttpResponse:
    """Google's page sent the browser back. What is wrong is a sentence on the accounts page."""
    walk = request.session.get(WALK, {})
    expected, given = str(walk.get("state", "")), request.GET.get("state", "")
    if not expected or not secrets.compare_digest(expected.encode(), given.encode()) or _is_old(walk):
        return _sorry(request, "This answer of Google’s is not to a question that was just asked here. Connect again.")
    del request.session[WALK]
    if "error" in request.GET:
        name = request.GET["error"]
        return _sorry(request, REFUSALS.get(name, f"Nothing was connected. Google calls the reason “{name[:60]}”."))
    account = _own(request, walk["account"]) if walk["account"] else None
    attempt = google.Attempt(walk["state"], walk["verifier"], walk["nonce"])
    code = request.GET.get("code", "")
    try:
        arrival = google.arrive(request.user, code, attempt, account=account, clock=timezone.now)
    except (ProviderError, NotConnected) as error:
        return _sorry(request, error.words)
    if google.is_own(request.user, arrival):
        return _store(request, arrival)
    request.session[ARRIVAL] = {"sealed": arrival.sealed(), "at": timezone.now().isoformat()}
    return redirect("google-differs")


@editors_only
def differs(request: SignedInRequest) -> HttpResponse:
    """The Google address is none of the user's: it is shown letter by letter, and a person decides."""
    arrival = _kept_arrival(request)
    if arrival is None:
        return _sorry(request, "That was too long ago, so nothing was connected. Connect again.")
    if request.method != "POST":
        shown = _comparison(request.user, arrival.address)
        context = {"shown": shown, "nav": "settings", "setting": "accounts"}
        return render(request, "accounts/google_differs.html", context)
    if "connect" not in request.POST:
        _forget_arrival(request)
        messages.success(request, f"{arrival.address} was not connected. Nothing of it is kept.")
        return redirect("accounts")
    del request.session[ARRIVAL]
    return _store(request, arrival)


def _store(request: SignedInRequest, arrival: Arrival) -> HttpResponse:
    try:
        account, was_read = google.store(request.user, arrival, clock=timezone.now)
    except (ProviderError, NotConnected) as error:
        return _sorry(request, error.words)
    if not was_read:
        return redirect("account-calendars", account_id=account.id)
    jobs.wake(*account.calendars.filter(is_read=True, gone=False).values_list("id", flat=True))
    messages.success(request, f"{account.name} is connected again. What waited goes out now.")
    return redirect("accounts")


def _own(request: SignedInRequest, account_id: str) -> Account:
    """A Google account of this user, disconnected ones too; another user's doesn't exist here."""
    try:
        known = UUID(account_id)
    except ValueError:
        known = None
    return get_object_or_404(Account, id=known, owner=request.user, provider="google")


def _kept_arrival(request: SignedInRequest) -> Arrival | None:
    kept = request.session.get(ARRIVAL)
    if not kept or _is_old(kept):
        return None
    try:
        return Arrival.unsealed(kept["sealed"])
    except SecretLost:
        return None


def _forget_arrival(request: SignedInRequest) -> None:
    """An account on its way goes no further; Google is told."""
    arrival = _kept_arrival(request)
    request.session.pop(ARRIVAL, None)
    if arrival is not None:
        google.leave(arrival, clock=timezone.now)


def _is_old(kept: dict[str, str]) -> bool:
    return datetime.fromisoformat(kept["at"]) + PATIENCE < timezone.now()


def _sorry(request: SignedInRequest, words: str) -> HttpResponse:
    """The accounts page, with these words over it until they were seen."""
    request.session[WORDS] = words
    return redirect(reverse("accounts"))


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two addresses as runs of (letters, whether they are in both); `alike` where few letters differ."""

    own: str
    theirs: str
    own_runs: list[tuple[str, bool]]
    their_runs: list[tuple[str, bool]]
    alike: bool


def _comparison(user: User, address: str) -> Comparison:
    """`address` beside that one of the user's which is most like it."""

    def likeness(own: str) -> float:
        return SequenceMatcher(None, own, address, autojunk=False).ratio()

    own = max(sorted(user.addresses(), key=lambda each: each != user.email), key=likeness)
    if likeness(own) < NEAR:
        return Comparison(user.email, address, [(user.email, True)], [(address, True)], alike=False)
    if len(own) == len(address):
        # letters that changed places are all marked, each where it stands
        alike = [one == other for one, other in zip(own, address, strict=True)]
        return Comparison(own, address, _runs(own, alike), _runs(address, alike), alike=True)
    steps = SequenceMatcher(None, own, address, autojunk=False).get_opcodes()
    left = [(own[a:b], tag == "equal") for tag, a, b, _, _ in steps if a < b]
    right = [(address[c:d], tag == "equal") for tag, _, _, c, d in steps if c < d]
    return Comparison(own, address, left, right, alike=True)


def _runs(text: str, alike: list[bool]) -> list[tuple[str, bool]]:
    runs = groupby(zip(text, alike, strict=True), key=lambda pair: pair[1])
    return [("".join(letter for letter, _ in run), same) for same, run in runs]


urls: list[URLPattern] = [
    path("accounts/google/connect", start, name="google-connect"),
    path(tokens.CALLBACK.removeprefix("/"), callback, name="google-callback"),
    path("accounts/google/differs", differs, name="google-differs"),
]
