"""The browser's part of OAuth: the checks of the request, the account chooser, the consent page with its ticks."""

from __future__ import annotations

from urllib.parse import urlencode

from sandbox.google import pages
from sandbox.google.behaviour import Behaviour
from sandbox.google.http import Request as HttpRequest
from sandbox.google.http import Response, html, redirect
from sandbox.google.oauth import IDENTITY, OAuth, Request
from sandbox.google.problems import Json
from sandbox.google.store import Store, User

PATH = "/o/oauth2/v2/auth"


class Denied(Exception):
    """An error page of Google's own: nothing goes back to the application. The words name the error."""


class Consent:
    def __init__(self, store: Store, oauth: OAuth, behaviour: Behaviour, scopes: Json) -> None:
        self._store = store
        self._oauth = oauth
        self._behaviour = behaviour
        self._scopes = scopes

    def answer(self, request: HttpRequest) -> Response:
        """GET shows the chooser or the consent page, POST is the user's word."""
        values = {name: found[-1] for name, found in request.query.items()}
        try:
            wish = self._checked(values)
        except Denied as denied:
            return html(pages.page("Access blocked: authorisation error", pages.text(f"Error 400: {denied}")), 400)
        if wish is None:
            return self._back(values, {"error": "unsupported_response_type"})
        if request.method == "POST":
            return self._decided(request, values, wish)
        person = self._chosen(values)
        if person is None:
            return self._chooser(values)
        if not self._oauth.allowed(wish, person):
            words = "The app is being tested, and this account is none of its testers. Error 403: access_denied"
            return html(pages.page("Access blocked", pages.text(words)), 403)
        return self._consent_page(values, wish, person)

    def _checked(self, values: dict[str, str]) -> Request | None:
        """The request, or None where its type is not `code`. Raises `Denied`."""
        client = self._oauth.clients.get(values.get("client_id", ""))
        if client is None:
            raise Denied("invalid_client")
        if values.get("redirect_uri", "") not in client.redirects:
            raise Denied("redirect_uri_mismatch")
        scopes = tuple(dict.fromkeys(values.get("scope", "").split()))
        known = self._scopes.keys() | IDENTITY
        if not scopes or set(scopes) - known:
            raise Denied("invalid_scope")
        method = values.get("code_challenge_method", "plain")
        challenge = values.get("code_challenge", "")
        if (self._behaviour.require_pkce and not (challenge and method == "S256")) or method not in {"S256", "plain"}:
            raise Denied("invalid_request: code_challenge (S256) is missing")
        if self._behaviour.require_state and not values.get("state"):
            raise Denied("invalid_request: state is missing")
        if values.get("response_type") != "code":
            return None
        return Request(
            client.id,
            values["redirect_uri"],
            scopes,
            values.get("state", ""),
            challenge,
            method,
            offline=values.get("access_type") == "offline",
            consent="consent" in values.get("prompt", "").split(),
            nonce=values.get("nonce", ""),
            hint=values.get("login_hint", ""),
        )

    def _chosen(self, values: dict[str, str]) -> User | None:
        """The account: as picked, else as hinted unless the application asks for the chooser."""
        if "authuser" in values:
            return self._store.users.get(values["authuser"])
        if "select_account" in values.get("prompt", "").split():
            return None
        hint = values.get("login_hint", "")
        return next((user for user in self._store.users.values() if hint in {user.address, user.subject}), None)

    def _chooser(self, values: dict[str, str]) -> Response:
        links = [
            pages.link(
                f"{user.name} ({user.address})", f"{PATH}?{urlencode(values | {'authuser': user.address})}", "account"
            )
            for user in self._store.users.values()
        ]
        return html(pages.page("Choose an account", *links))

    def _consent_page(self, values: dict[str, str], wish: Request, person: User) -> Response:
        name = self._oauth.clients[wish.client].name
        ticks = [
            pages.checkbox(self._scopes[scope]["description"], "granted", scope, ticked=True)
            for scope in wish.scopes
            if scope not in IDENTITY
        ]
        action = f"{PATH}?{urlencode(values | {'authuser': person.address})}"
        buttons = (pages.button("Continue", "decision", "allow"), pages.button("Cancel", "decision", "deny"))
        warning = "Google hasn't verified this app." if self._behaviour.testing_client else ""
        words = f"{person.name} ({person.address}): select what {name} can access."
        return html(pages.page(f"{name} wants access to your Google Account", pages.text(warning), pages.text(words),
                               pages.form(action, *ticks, *buttons)))  # fmt: skip

    def _decided(self, request: HttpRequest, values: dict[str, str], wish: Request) -> Response:
        person = self._store.users.get(values.get("authuser", ""))
        decision = request.form.get("decision", [""])[-1]
        if person is None or not self._oauth.allowed(wish, person) or decision != "allow":
            return self._back(values, {"error": "access_denied"})
        ticked = set(request.form.get("granted", ()))
        scopes = tuple(scope for scope in wish.scopes if scope in IDENTITY or scope in ticked)
        code = self._oauth.code(wish, person, scopes)
        return self._back(
            values,
            {"code": code, "scope": " ".join(scopes), "authuser": "0", "prompt": "consent", "iss": self._oauth.issuer},
        )

    def _back(self, values: dict[str, str], answer: dict[str, str]) -> Response:
        state = {"state": values["state"]} if values.get("state") else {}
        joint = "&" if "?" in values["redirect_uri"] else "?"
        return redirect(f"{values['redirect_uri']}{joint}{urlencode(state | answer)}")
