"""Company users, kept by administrators, and the profile that users keep themselves."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from tandem.crm.addresses import BadAddress, checked_address
from tandem.sync.accounts import addresses_changed
from tandem.team import links
from tandem.team.models import Company, Role, User
from tandem.team.refusals import Invalid
from tandem.team.verbs import add_user, change_profile, change_user
from tandem.web import clock
from tandem.web.fields import AddressField, PasswordField, StyledForm, ZoneField
from tandem.web.request import SignedInRequest, administrators_only


class ProfileForm(StyledForm):
    name = forms.CharField(label="Name", max_length=200)
    time_zone = ZoneField(label="Time zone", help_text="Times are shown in this zone.")


class PasswordForm(StyledForm):
    """`current` is asked for only when there is one: people come in by a link first."""

    current = forms.CharField(
        label="Current password", strip=False, widget=forms.PasswordInput({"autocomplete": "current-password"})
    )
    password = PasswordField(label="New password", help_text="Ten characters at least.")

    def __init__(self, user: User, *args: object) -> None:
        super().__init__(*args)
        self.user = user
        if not user.has_usable_password():
            del self.fields["current"]

    def clean_current(self) -> str:
        current: str = self.cleaned_data["current"]
        if not self.user.check_password(current):
            raise ValidationError("This isn’t your password.")
        return current


class UserForm(StyledForm):
    name = forms.CharField(label="Name", max_length=200)
    email = AddressField(label="Email", widget=forms.EmailInput({"autocomplete": "off"}))
    role = forms.ChoiceField(label="Role", choices=Role.choices, initial=Role.MEMBER)


class UserEditForm(StyledForm):
    name = forms.CharField(label="Name", max_length=200)
    role = forms.ChoiceField(label="Role", choices=Role.choices)
    aliases = forms.CharField(
        label="Other addresses",
        required=False,
        max_length=4000,
        widget=forms.Textarea({"rows": 3, "spellcheck": "false"}),
        help_text="One a line. Meetings with any of them count as theirs, and open to them.",
    )
    is_active = forms.BooleanField(label="May sign in", required=False)

    def clean_aliases(self) -> list[str]:
        try:
            return [checked_address(line) for line in self.cleaned_data["aliases"].splitlines() if line.strip()]
        except BadAddress as bad:
            raise ValidationError(bad.words) from bad


@never_cache
@require_http_methods(["GET", "POST"])
def profile(request: SignedInRequest) -> HttpResponse:
    user = request.user
    initial = {"name": user.name, "time_zone": user.time_zone}
    form = ProfileForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        change_profile(user, **form.cleaned_data)
        messages.success(request, "Saved your profile.")
        return redirect("profile")
    return profile_page(request, form, PasswordForm(user))


def profile_page(request: SignedInRequest, form: ProfileForm, password_form: PasswordForm) -> HttpResponse:
    context = {
        "nav": "settings",
        "setting": "profile",
        "form": form,
        "password_form": password_form,
        "zones": clock.zone_names(),
    }
    return render(request, "users/profile.html", context, status=422 if form.errors or password_form.errors else 200)


@never_cache
@sensitive_post_parameters("current", "password")
@require_POST
def password(request: SignedInRequest) -> HttpResponse:
    user = request.user
    form = PasswordForm(user, request.POST)
    if not form.is_valid():
        return profile_page(request, ProfileForm(initial={"name": user.name, "time_zone": user.time_zone}), form)
    user.set_password(form.cleaned_data["password"])
    user.save(update_fields=["password"])
    update_session_auth_hash(request, user)
    messages.success(request, "Changed your password. Other browsers are signed out.")
    return redirect("profile")


@administrators_only
@require_GET
def users(request: SignedInRequest) -> HttpResponse:
    everyone = User.objects.order_by("-is_active", "name").prefetch_related("aliases")
    return render(request, "users/users.html", {"nav": "settings", "setting": "users", "everyone": everyone})


@administrators_only
@never_cache
@require_http_methods(["GET", "POST"])
def user_new(request: SignedInRequest) -> HttpResponse:
    """Adds a colleague and shows the link that signs them in once."""
    form = UserForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            user = add_user(**form.cleaned_data, time_zone=Company.current().time_zone)
        except Invalid as refused:
            form.add_error(refused.field, refused.words)
        else:
            return link_page(request, user)
    context = {"nav": "settings", "setting": "users", "form": form}
    return render(request, "users/user.html", context, status=422 if form.errors else 200)


@administrators_only
@require_http_methods(["GET", "POST"])
def user_edit(request: SignedInRequest, user_id: UUID) -> HttpResponse:
    person = get_object_or_404(User, id=user_id)
    initial = {
        "name": person.name,
        "role": person.role,
        "is_active": person.is_active,
        "aliases": "\n".join(person.aliases.order_by("address").values_list("address", flat=True)),
    }
    form = UserEditForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            if change_user(person, **form.cleaned_data):
                addresses_changed(person, now=timezone.now())
        except Invalid as refused:
            form.add_error(refused.field, refused.words)
        else:
            messages.success(request, f"Saved {person.name}.")
            return redirect("users")
    context = {"nav": "settings", "setting": "users", "form": form, "person": person}
    return render(request, "users/user.html", context, status=422 if form.errors else 200)


@administrators_only
@never_cache
@require_POST
def user_link(request: SignedInRequest, user_id: UUID) -> HttpResponse:
    """A new link that signs a colleague in once: for those who forgot their password."""
    return link_page(request, get_object_or_404(User, id=user_id, is_active=True))


def link_page(request: SignedInRequest, person: User) -> HttpResponse:
    """Shows the link, this one time: afterwards only its hash is known."""
    now = timezone.now()
    link = request.build_absolute_uri(reverse("sign-in-link", args=[links.create(person, now=now)]))
    context = {"nav": "settings", "setting": "users", "person": person, "link": link, "until": now + links.LASTS}
    return render(request, "users/link.html", context)


urls: list[URLPattern] = [
    path("profile", profile, name="profile"),
    path("profile/password", password, name="password"),
    path("users", users, name="users"),
    path("users/new", user_new, name="user-new"),
    path("users/<uuid:user_id>", user_edit, name="user-edit"),
    path("users/<uuid:user_id>/link", user_link, name="user-link"),
]
