"""The door: sign-in, one-time links, sign-out, the first run and the welcome after it."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from tandem.calendaring.identity import normalise_address
from tandem.crm.models import Kind, Record
from tandem.mailboxes.models import Account
from tandem.team import links, tries
from tandem.team.models import User
from tandem.team.refusals import Invalid
from tandem.team.verbs import set_up
from tandem.web import clock
from tandem.web.fields import AddressField, PasswordField, StyledForm, ZoneField
from tandem.web.request import SignedInRequest, plain

BACKEND = "django.contrib.auth.backends.ModelBackend"


@require_GET
def home(request: SignedInRequest) -> HttpResponse:
    """The calendar; the welcome page while there is nothing to see in it."""
    if not Account.objects.filter(owner=request.user).exists() and not Record.objects.exists():
        return redirect("welcome")
    return redirect("calendar")


@login_not_required
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    if not User.objects.exists():
        return redirect("welcome")
    if request.user.is_authenticated:
        return redirect("home")
    following = request.POST.get("next", request.GET.get("next", ""))
    if request.method == "GET":
        return render(request, "gate/sign_in.html", {"next": following})
    email, now = normalise_address(plain(request.POST.get("email", ""))), timezone.now()
    ip = request.META.get("REMOTE_ADDR", "")
    until = tries.blocked_until(email, ip, now=now)
    if until:
        words = f"Too many tries. This address can be tried again {clock.moment_within(until, now)} UTC."
        return sign_in_page(request, email, following, words, 429)
    user = authenticate(request, username=email, password=request.POST.get("password", ""))
    if user is None:
        tries.count(email, ip, now=now)
        return sign_in_page(request, email, following, "This email and password don’t belong together.", 422)
    tries.forget(email, ip)
    login(request, user)
    return redirect(following if is_ours(request, following) else reverse("home"))


def sign_in_page(request: HttpRequest, email: str, following: str, error: str, status: int) -> HttpResponse:
    context = {"email": email, "next": following, "error": error}
    return render(request, "gate/sign_in.html", context, status=status)


def is_ours(request: HttpRequest, url: str) -> bool:
    """Whether `url` stays on this site: sign-in must not forward people elsewhere."""
    return bool(url) and url_has_allowed_host_and_scheme(
        url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )


@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def sign_in_link(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows whose link it is, for mail programs open links to preview them; POST uses it up."""
    now = timezone.now()
    if request.method == "GET":
        person = links.peek(token, now=now)
        return render(request, "gate/link.html", {"person": person}, status=200 if person else 410)
    user = links.redeem(token, now=now)
    if user is None:
        return render(request, "gate/link.html", {"person": None}, status=410)
    login(request, user, backend=BACKEND)
    return redirect("home")


@login_not_required
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("sign-in")


class FirstRunForm(StyledForm):
    name = forms.CharField(label="Your name", max_length=200, widget=forms.TextInput({"autocomplete": "name"}))
    email = AddressField(label="Your email", widget=forms.EmailInput({"autocomplete": "username"}))
    password = PasswordField(label="Password", help_text="Ten characters at least.")
    company = forms.CharField(label="Your company’s name", max_length=200)
    time_zone = ZoneField(label="Time zone")


@login_not_required
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def welcome(request: HttpRequest) -> HttpResponse:
    """The first-run page while there is no user; afterwards what to do first."""
    if request.user.is_authenticated and request.method == "GET":
        return render(request, "gate/welcome.html", first_steps(cast(SignedInRequest, request)))
    if User.objects.exists():
        return redirect("sign-in")
    form = FirstRunForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            user = set_up(**form.cleaned_data)
        except Invalid as refused:
            form.add_error(refused.field, refused.words)
        else:
            login(request, user, backend=BACKEND)
            return redirect("welcome")
    return render(
        request, "gate/first_run.html", {"form": form, "zones": clock.zone_names()}, status=422 if form.errors else 200
    )


def first_steps(request: SignedInRequest) -> dict[str, Any]:
    """Which of the three first steps are done."""
    return {
        "has_account": Account.objects.filter(owner=request.user).exists(),
        "has_people": Record.objects.filter(kind=Kind.PERSON).exists(),
        "has_colleague": User.objects.exclude(id=request.user.id).exists(),
    }


@require_GET
def more(request: SignedInRequest) -> HttpResponse:
    """What the phone's tab bar has no room for."""
    return render(request, "more.html", {"nav": "more"})


urls: list[URLPattern] = [
    path("", home, name="home"),
    path("sign-in", sign_in, name="sign-in"),
    path("sign-in/<str:token>", sign_in_link, name="sign-in-link"),
    path("sign-out", sign_out, name="sign-out"),
    path("welcome", welcome, name="welcome"),
    path("more", more, name="more"),
]
