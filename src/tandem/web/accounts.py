"""Accounts: connect, choose calendars, see how sync stands, reconnect, disconnect. Each user sees only their own."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from tandem import jobs
from tandem.calendaring.provider import (
    Credentials,
    NotACalendarServer,
    ProviderError,
    ReconnectNeeded,
    Refused,
    TryLater,
)
from tandem.mailboxes.models import Account, AccountState, Calendar, Sender
from tandem.mailboxes.secrets import SecretLost, seal, unseal
from tandem.meetings import skipped
from tandem.sync import accounts as connecting
from tandem.sync import due
from tandem.team.installation import adopt
from tandem.web import account_views, event_input, google_accounts
from tandem.web.request import SignedInRequest, administrators_only, editors_only, is_fragment

KEPT = "connecting"
AGAIN = " Tandem tries again by itself."
"""What a provider's words promise of a connected account, and what isn't so for one that isn't connected yet."""


def accounts(request: SignedInRequest) -> HttpResponse:
    """The page, and for htmx (every two seconds while a calendar is due) its block of accounts."""
    found = account_views.accounts_of(request.user, timezone.now())
    context = {
        "accounts": found,
        "busy": any(view.busy for view in found),
        "skipped": skipped.count(request.user),
        "google": account_views.google_way(),
        "nav": "settings",
        "setting": "accounts",
    }
    if is_fragment(request):
        return render(request, "accounts/_accounts.html", context)
    context["words"] = request.session.pop(google_accounts.WORDS, "")
    return render(request, "accounts/accounts.html", context)


def _own(request: SignedInRequest, account_id: UUID) -> Account:
    """An account of this user that is still connected; another user's doesn't exist here."""
    return get_object_or_404(
        Account.objects.exclude(state=AccountState.DISCONNECTED), id=account_id, owner=request.user
    )


@dataclass(slots=True)
class Typed:
    """The connect form as typed, but for the password."""

    url: str = ""
    username: str = ""
    invitations_by: str = ""
    addresses: str = ""
    asks_addresses: bool = False
    keeps_password: bool = False
    errors: dict[str, str] = field(default_factory=dict)


@sensitive_post_parameters("password")
@editors_only
def connect(request: SignedInRequest) -> HttpResponse:
    if request.method != "POST":
        request.session.pop(KEPT, None)
        return _connect_form(request, Typed(addresses=request.user.email))
    typed = _typed(request)
    password = request.POST.get("password", "") or _kept_password(request, typed)
    addresses = _addresses(typed)
    if not typed.url:
        typed.errors["url"] = "Where is the calendar? Write its server’s address, such as cal.example.com."
    if not typed.username:
        typed.errors["username"] = "Write the name with which you sign in there."
    if not password:
        typed.errors |= {"password": "Write the password, or an app password if your server offers those."}
    if typed.errors:
        return _connect_form(request, typed)
    return _connect(request, typed, password, addresses)


def _typed(request: SignedInRequest) -> Typed:
    post = request.POST
    by = post.get("invitations_by", "")
    return Typed(
        url=post.get("url", "").strip(),
        username=post.get("username", "").strip(),
        invitations_by=by if by in Sender.values else "",
        addresses=post.get("addresses", ""),
        asks_addresses="addresses" in post,
    )


def _addresses(typed: Typed) -> list[str]:
    found = []
    for word in typed.addresses.replace(",", " ").replace(";", " ").split() if typed.asks_addresses else []:
        try:
            found.append(event_input.read_address(word, "addresses")[0])
        except event_input.Unclear as unclear:
            typed.errors["addresses"] = f"{word}: {unclear.words}"
    if typed.asks_addresses and not found and not typed.errors:
        typed.errors["addresses"] = "Write at least one address, for meetings count by it."
    return found


def _connect(request: SignedInRequest, typed: Typed, password: str, addresses: list[str]) -> HttpResponse:
    url = typed.url if "://" in typed.url else f"https://{typed.url}"
    try:
        account = connecting.connect(
            request.user,
            Credentials(url, typed.username, password),
            addresses=addresses,
            invitations_by=typed.invitations_by,
            now=timezone.now(),
        )
    except connecting.AddressesNeeded:
        # the password is kept, sealed and for this browser only, so that it need not be typed again
        request.session[KEPT] = {"url": typed.url, "username": typed.username, "secret": seal(password)}
        typed.asks_addresses = typed.keeps_password = True
        return _connect_form(request, typed, status=200)
    except ProviderError as error:
        request.session.pop(KEPT, None)
        typed.errors[_field_of(error)] = error.words.replace(AGAIN, " Look at the address, or try again later.")
        return _connect_form(request, typed)
    request.session.pop(KEPT, None)
    return redirect("account-calendars", account_id=account.id)


def _kept_password(request: SignedInRequest, typed: Typed) -> str:
    """The password of the step before, if it was for the same server and name."""
    kept = request.session.get(KEPT, {})
    if (kept.get("url"), kept.get("username")) != (typed.url, typed.username):
        return ""
    try:
        typed.keeps_password = True
        return unseal(kept["secret"])
    except SecretLost:
        typed.keeps_password = False
        return ""


def _field_of(error: ProviderError) -> str:
    """Beside which field the sentence belongs."""
    if isinstance(error, ReconnectNeeded):
        return "password"
    return "url" if isinstance(error, (NotACalendarServer, Refused, TryLater)) else "form"


def _connect_form(request: SignedInRequest, typed: Typed, status: int = 422) -> HttpResponse:
    if request.method != "POST":
        status = 200
    if typed.asks_addresses and not typed.addresses:
        typed.addresses = request.user.email
    context = {
        "typed": typed,
        "errors": typed.errors,
        "google": account_views.google_way(),
        "nav": "settings",
        "setting": "accounts",
    }
    return render(request, "accounts/connect.html", context, status=status)


@editors_only
def calendars(request: SignedInRequest, account_id: UUID) -> HttpResponse:
    """After connecting: which calendars are read, and which one takes new events. Later: a change of that."""
    account = _own(request, account_id)
    if request.method == "POST":
        return _choose(request, account)
    # Google's primary calendar, which goes by the account's address, comes first: people invite from it.
    known = account.calendars.filter(gone=False).order_by("-writable", "name")
    found = sorted(known, key=lambda calendar: calendar.remote_id != account.username)
    fresh = not any(calendar.is_read for calendar in found)
    has_target = Calendar.objects.filter(account__owner=request.user, is_target=True, gone=False).exists()
    context = {
        "account": account,
        "calendars": found,
        "fresh": fresh,
        "suggested": None if has_target else next((c.id for c in found if c.writable), None),
        "nav": "settings",
        "setting": "accounts",
    }
    return render(request, "accounts/calendars.html", context)


def _choose(request: SignedInRequest, account: Account) -> HttpResponse:
    own = {str(c.id): c for c in account.calendars.filter(gone=False)}
    target = own.get(request.POST.get("target", ""))
    reading = {own[name].id for name in request.POST.getlist("read") if name in own}
    if target and target.writable:
        reading.add(target.id)  # what is saved there has to come back
    connecting.choose_calendars(
        account,
        read=reading,
        target=target.id if target and target.writable else None,
        counts_others={own[name].id for name in request.POST.getlist("others") if name in own},
        now=timezone.now(),
    )
    jobs.wake(*(calendar.id for calendar in account.calendars.filter(is_read=True)))
    if request.htmx:
        return accounts(request)
    messages.success(request, f"Saved for {account.name}.")
    return redirect("accounts")


@require_POST
def sync_now(request: SignedInRequest, account_id: UUID) -> HttpResponse:
    account = _own(request, account_id)
    calendars = list(account.calendars.filter(is_read=True, gone=False).values_list("id", flat=True))
    due.retry_edits(calendars)
    jobs.wake(*calendars)
    return accounts(request) if request.htmx else redirect("accounts")


@require_POST
@editors_only
def go_on(request: SignedInRequest, calendar_id: UUID) -> HttpResponse:
    """A brake stopped this calendar; its owner looked, and lets it go on."""
    calendar = get_object_or_404(Calendar, id=calendar_id, account__owner=request.user)
    connecting.let_go_on(calendar)
    jobs.wake(calendar.id)
    messages.success(request, f"{calendar.name} goes on.")
    return redirect("accounts")


@require_POST
@administrators_only
def write_again(request: SignedInRequest) -> HttpResponse:
    """An administrator says that this installation is the one to go on with, and lets it write."""
    adopt(settings.DATA)
    messages.success(request, "Writing to calendars goes on. What waited goes out now.")
    return redirect("accounts")


@require_POST
@editors_only
def look_again(request: SignedInRequest, account_id: UUID) -> HttpResponse:
    """Look for calendars that were added or removed at the server."""
    account = _own(request, account_id)
    try:
        connecting.refresh_calendars(account, now=timezone.now())
    except (ProviderError, SecretLost) as error:
        messages.error(request, getattr(error, "words", str(error)))
    return redirect("accounts")


@sensitive_post_parameters("password")
@editors_only
def reconnect(request: SignedInRequest, account_id: UUID) -> HttpResponse:
    account = _own(request, account_id)
    if account.provider == "google":
        return redirect(f"{reverse('google-connect')}?account={account.id}")
    error = ""
    if request.method == "POST":
        password = request.POST.get("password", "")
        error = "Write the new password." if not password else _reconnect(account, password)
        if not error:
            jobs.wake(*(calendar.id for calendar in account.calendars.filter(is_read=True)))
            messages.success(request, f"{account.name} is connected again. What waited goes out now.")
            return redirect("accounts")
    context = {"account": account, "error": error, "nav": "settings", "setting": "accounts"}
    return render(request, "accounts/reconnect.html", context, status=422 if error else 200)


def _reconnect(account: Account, password: str) -> str:
    """An empty string, or what went wrong, in words."""
    try:
        connecting.reconnect(account, password, now=timezone.now())
    except ProviderError as error:
        return error.words.replace(AGAIN, " Try again later.")
    except connecting.AnotherAccount as error:
        return str(error)
    return ""


def disconnect(request: SignedInRequest, account_id: UUID) -> HttpResponse:
    """Asks first, saying what stays and what goes; POST does it."""
    account = _own(request, account_id)
    if request.method == "POST":
        connecting.disconnect(account, now=timezone.now())
        messages.success(request, f"{account.name} is disconnected. Nothing was deleted in the calendar.")
        return redirect("accounts")
    view = next(
        (v for v in account_views.accounts_of(request.user, timezone.now()) if v.account.id == account.id), None
    )
    if view is None:
        raise Http404
    context = {"view": view, "account": account, "back": reverse("accounts"), "nav": "settings", "setting": "accounts"}
    return render(request, "accounts/disconnect.html", context)


urls: list[URLPattern] = [
    path("accounts", accounts, name="accounts"),
    path("accounts/write-again", write_again, name="write-again"),
    path("accounts/connect", connect, name="account-connect"),
    path("accounts/<uuid:account_id>/calendars", calendars, name="account-calendars"),
    path("accounts/<uuid:account_id>/sync", sync_now, name="account-sync"),
    path("accounts/<uuid:account_id>/look", look_again, name="account-look"),
    path("accounts/<uuid:account_id>/reconnect", reconnect, name="account-reconnect"),
    path("accounts/<uuid:account_id>/disconnect", disconnect, name="account-disconnect"),
    path("accounts/calendars/<uuid:calendar_id>/go-on", go_on, name="calendar-go-on"),
]
