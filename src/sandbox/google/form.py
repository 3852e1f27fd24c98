"""The web form: `/calendar/render?action=TEMPLATE…` shows a filled create form, in the account that `authuser` names.

Like Google's own page, saving asks whether guests shall be told, and puts the organizer among the guests.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlencode

from sandbox.google import pages
from sandbox.google.http import Request, Response, html, redirect
from sandbox.google.problems import Json, Problem
from sandbox.google.store import Store, User

PATH = "/calendar/render"
_TIME = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})(Z?))?")
Insert = Callable[[User, str, Json, str], Json]


class Form:
    """`signed_in` are the accounts of the browser, in their order; `authuser` is an address or a number among them."""

    def __init__(self, store: Store, insert: Insert) -> None:
        self._store = store
        self._insert = insert
        self.signed_in: list[str] = []

    def answer(self, request: Request) -> Response:
        values = {name: found[-1] for name, found in request.query.items()}
        if values.get("action") != "TEMPLATE":
            return html(pages.page("Calendar", pages.text("Nothing to show.")), 404)
        person = self._account(values.get("authuser", "0"))
        if person is None:
            return self._chooser(values)
        if request.method == "POST":
            return self._saved(request, values, person)
        return self._form(request, values, person)

    def _account(self, name: str) -> User | None:
        accounts = self.signed_in or list(self._store.users)
        if name.isdigit():
            return self._store.users[accounts[int(name)]] if int(name) < len(accounts) else None
        user = self._store.user_of(name.lower())
        return user if user is not None and user.address in accounts else None

    def _chooser(self, values: dict[str, str]) -> Response:
        links = [
            pages.link(address, f"{PATH}?{urlencode(values | {'authuser': address})}", "account")
            for address in self.signed_in or self._store.users
        ]
        return html(pages.page("Choose an account", *links))

    def _form(self, request: Request, values: dict[str, str], person: User, problem: str = "") -> Response:
        guests = ",".join(request.query.get("add", ()))
        form = pages.form(
            f"{PATH}?{urlencode({'action': 'TEMPLATE', 'authuser': person.address})}",
            pages.field("Title", "text", values.get("text", "")),
            pages.field("Dates", "dates", values.get("dates", "")),
            pages.field("Time zone", "ctz", values.get("ctz", "")),
            pages.field("Location", "location", values.get("location", "")),
            pages.field("Guests", "add", guests),
            pages.field("Repeats", "recur", values.get("recur", "")),
            pages.field("Calendar", "src", values.get("src", "") or person.address),
            pages.field("Description", "details", values.get("details", ""), long=True),
            pages.button("Save and send invitations", "tell", "all"),
            pages.button("Save without sending", "tell", "none"),
        )
        words = f"{person.name} ({person.address})"
        return html(pages.page("Event details", pages.text(words), pages.text(problem), form), 400 if problem else 200)

    def _saved(self, request: Request, values: dict[str, str], person: User) -> Response:
        sent = {name: found[-1] for name, found in request.form.items()}
        try:
            body = _event(sent, self._store.users[person.address])
            made = self._insert(person, sent.get("src") or "primary", body, sent.get("tell", "none"))
        except Problem as problem:
            return self._form(request, values | sent, person, problem.message)
        return redirect(made["htmlLink"])


def _event(sent: dict[str, str], person: User) -> Json:
    """The form as an event resource. Raises `Problem` 400 for dates that are none."""
    first, _, last = sent.get("dates", "").partition("/")
    zone = sent.get("ctz") or person.zone
    body: Json = {"summary": sent.get("text", ""), "start": _time(first, zone), "end": _time(last, zone)}
    body |= {name: sent[key] for name, key in (("location", "location"), ("description", "details")) if sent.get(key)}
    if sent.get("recur"):
        body["recurrence"] = [sent["recur"]]
    guests = [address.strip() for address in sent.get("add", "").split(",") if address.strip()]
    if guests:
        own = {"email": person.address, "responseStatus": "accepted"}
        body["attendees"] = [own, *({"email": address} for address in guests)]
    return body


def _time(text: str, zone: str) -> Json:
    found = _TIME.fullmatch(text.strip())
    if not found:
        raise Problem(400, "invalid", "Dates look like 20260105T090000Z/20260105T100000Z, or 20260105/20260106.")
    year, month, day, hour, minute, second, universal = found.groups()
    if hour is None:
        return {"date": f"{year}-{month}-{day}"}
    wall = f"{year}-{month}-{day}T{hour}:{minute}:{second}{universal or ''}"
    return {"dateTime": wall, "timeZone": zone}
