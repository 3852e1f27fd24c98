"""The sandbox as one object: its parts wired up, a WSGI application, and doors for tests."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import urlencode

from sandbox.google import agenda, connections, consent, form, id_token, pages, validate
from sandbox.google.api import BASE, Api, Parts
from sandbox.google.behaviour import Behaviour
from sandbox.google.calendars import Calendars
from sandbox.google.clock import Clock
from sandbox.google.events import Events
from sandbox.google.faults import Faults
from sandbox.google.http import Request, Response, as_json, html
from sandbox.google.listing import Lists
from sandbox.google.log import Log
from sandbox.google.mail import Ledger
from sandbox.google.oauth import OAuth, OAuthProblem
from sandbox.google.problems import Json, Problem
from sandbox.google.push import Push
from sandbox.google.quotas import Quotas
from sandbox.google.server import Server
from sandbox.google.store import Entry, Store, User


class GoogleSandbox:
    """Google's accounts, calendars and web form, in memory.

    The same `seed` and the same requests give the same ids, tokens and page sizes. `with sandbox.serve(0) as
    address` listens on a free port of 127.0.0.1; `sandbox.wsgi` needs no port at all.
    """

    def __init__(self, *, seed: int = 1, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.behaviour = Behaviour()
        self.store = Store(self.clock, seed)
        self.mails = Ledger()
        self.log = Log()
        self.events = Events(self.store, self.mails, self.behaviour)
        self.lists = Lists(self.store, self.behaviour)
        self.calendars = Calendars(self.store)
        self.oauth = OAuth(self.store, self.behaviour, seed)
        self.push = Push(self.store, self.behaviour, seed)
        self.quotas = Quotas(seed)
        self.faults = Faults(seed)
        self.store.on_change = self.push.changed
        discovery = validate.installed()
        self.api = Api(
            Parts(
                self.store, discovery, self.behaviour, self.oauth, self.events, self.lists, self.calendars,
                self.push, self.quotas, self.faults, self.log,
            )
        )  # fmt: skip
        self._consent = consent.Consent(
            self.store, self.oauth, self.behaviour, discovery.document["auth"]["oauth2"]["scopes"]
        )
        self.form = form.Form(self.store, self._insert_by_form)
        people = agenda.Agenda(self.store, self.call)
        self.touched = threading.Event()
        """Set by every request: something may have changed."""
        self._inside: dict[str, str] = {}
        self._pages: dict[str, Callable[[Request], Response]] = {
            consent.PATH: self._consent.answer,
            form.PATH: self.form.answer,
            agenda.PATH: people.answer,
            agenda.EVENT_PATH: people.event,
            connections.PATH: connections.Connections(self.store, self.oauth).answer,
            "/": lambda request: html(self._front()),
            "/token": self._token,
            "/revoke": self._revoke,
            "/tokeninfo": self._tokeninfo,
            "/oauth2/v3/userinfo": self._userinfo,
            "/v1/userinfo": self._userinfo,
            "/oauth2/v3/certs": lambda request: as_json(id_token.keys()),
            "/.well-known/openid-configuration": lambda request: as_json(self.endpoints()),
            "/_sandbox/requests": lambda request: as_json(self.log.as_json()),
            "/_sandbox/mails": lambda request: as_json(self.mails.as_json()),
        }

    # Doors for tests

    def serve(self, port: int = 0) -> AbstractContextManager[str]:
        """A server on 127.0.0.1, as a context manager that gives its base address."""
        return Server(self, port)

    def token(self, address: str, *scopes: str) -> str:
        """An access token for that user, valid for a year."""
        return self.oauth.personal_token(self.store.users[address], *scopes)

    def lasting_token(self, address: str) -> str:
        """The same, but the one that was given before as long as it lasts."""
        return self.oauth.lasting_token(self.store.users[address])

    def call(
        self, address: str, method: str, body: Json | None = None, *, etag: str | None = None, **parameters: Any
    ) -> Json:
        """Call the API as that user's own phone or browser would: no quota, no fault, marked `inside` in the log.

        Raises `Problem`.
        """
        known = next(each for each in self.api.parts.discovery.methods if each.id == method)
        path = str(self._path(method))
        query: list[tuple[str, str]] = []
        for name, value in parameters.items():
            if f"{{{name}}}" in path:
                path = path.replace(f"{{{name}}}", str(value))
                continue
            for each in value if isinstance(value, list) else [value]:
                query.append((name, str(each).lower() if isinstance(each, bool) else str(each)))
        headers = {"authorization": f"Bearer {self._token_inside(address)}", "content-type": "application/json"}
        headers |= {"if-match": etag} if etag else {}
        sent = json.dumps(body).encode() if body is not None else b""
        request = Request(known.verb, BASE + path, urlencode(query), headers, sent)
        response = self.api.handle(request, inside=True)
        answer: Json = json.loads(response.body) if response.body else {}
        if response.status >= 400:
            error = answer["error"]
            raise Problem(response.status, error["errors"][0]["reason"], error["message"])
        return answer

    def plant(self, calendar: str, resource: Json) -> Entry:
        """Put an event there unchecked: dirty data, foreign organizers, mail's own events."""
        with self.api.lock:
            return self.events.plant(self.store.calendars[calendar], resource, now=self.clock.now())

    def expire_sync_tokens(self, calendar: str = "") -> None:
        with self.api.lock:
            self.lists.expire_sync_tokens(calendar)
            self.calendars.expire_sync_tokens()

    def endpoints(self) -> Json:
        """Where everything is, in OpenID Connect's discovery form."""
        site = self.store.site
        return {
            "issuer": self.oauth.issuer,
            "authorization_endpoint": site + consent.PATH,
            "token_endpoint": f"{site}/token",
            "userinfo_endpoint": f"{site}/v1/userinfo",
            "revocation_endpoint": f"{site}/revoke",
            "jwks_uri": f"{site}/oauth2/v3/certs",
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["plain", "S256"],
        }

    # HTTP

    def handle(self, request: Request) -> Response:
        """Answer any request. Raises `AnswerLost` where a fault asks for it."""
        try:
            return self._answer(request)
        finally:
            self.touched.set()

    def _answer(self, request: Request) -> Response:
        if request.path.startswith(BASE):
            return self.api.handle(request)
        page = self._pages.get(request.path)
        if page is None:
            return as_json({"error": "not found"}, 404)
        try:
            with self.api.lock:
                return page(request)
        except OAuthProblem as refused:
            return as_json({"error": refused.error, "error_description": refused.description}, refused.code)
        except Problem as problem:
            return as_json(problem.body(), problem.code)

    def wsgi(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """The same as a WSGI application (PEP 3333), for clients in the same process."""
        headers = {
            name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")
        }
        headers["content-type"] = environ.get("CONTENT_TYPE", "")
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if length else b""
        path = environ.get("PATH_INFO", "/").encode("latin-1").decode("utf-8", "replace")
        request = Request(environ["REQUEST_METHOD"], path, environ.get("QUERY_STRING", ""), headers, body)
        response = self.handle(request)
        start_response(response.line, head(response))
        return [response.body]

    def _front(self) -> str:
        ways = (
            ("Calendars", agenda.PATH),
            ("Third-party connections", connections.PATH),
            ("Requests that came in", "/_sandbox/requests"),
            ("Mails that would be sent", "/_sandbox/mails"),
        )
        return pages.page("A stand-in for Google", *(pages.link(words, path, "account") for words, path in ways))

    def _token(self, request: Request) -> Response:
        if request.method != "POST":
            return as_json({"error": "invalid_request"}, 405)
        fault = self.faults.due("oauth.token", "")
        if fault is not None and fault.kind in {"500", "503"}:
            return as_json({"error": "internal_failure"}, int(fault.kind))
        sent = {name: found[-1] for name, found in request.form.items()}
        return as_json(self.oauth.token(sent), headers=[("Cache-Control", "no-store")])

    def _revoke(self, request: Request) -> Response:
        sent = request.form.get("token") or request.query.get("token") or [""]
        self.oauth.revoke(sent[-1])
        return as_json({})

    def _tokeninfo(self, request: Request) -> Response:
        return as_json(self.oauth.tokeninfo(request.query.get("access_token", [""])[-1]))

    def _userinfo(self, request: Request) -> Response:
        return as_json(self.oauth.userinfo(request.bearer))

    def _insert_by_form(self, user: User, calendar: str, body: Json, tell: str) -> Json:
        return self.call(user.address, "events.insert", body, calendarId=calendar, sendUpdates=tell)

    def _token_inside(self, address: str) -> str:
        if address not in self._inside:
            self._inside[address] = self.token(address)
        return self._inside[address]

    def _path(self, method: str) -> str:
        resource, _, name = method.partition(".")
        found: str = self.api.parts.discovery.document["resources"][resource]["methods"][name]["path"]
        return found


def head(response: Response) -> list[tuple[str, str]]:
    """The headers of an answer, as Google's front end sends them."""
    headers = [("Content-Length", str(len(response.body))), *response.headers]
    if response.status not in {204, 304}:
        headers.append(("Content-Type", response.content_type))
    if not any(name == "Cache-Control" for name, _ in headers):
        headers.append(("Cache-Control", "private, max-age=0, must-revalidate, no-transform"))
    return headers
